"""Sections 2 to 7 of docs/protocol.md: encodings, primitives, identity keys, frames.

The reference peer is a second implementation, written from that document alone, on the standard library
and ``cryptography``. It shares no code with securechat_tui.
"""

import hashlib
import hmac
import math
import os
import socket
import struct
import time
from collections.abc import Mapping
from typing import Self

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = b"securechat-tui/1 "
"""Every label of section 4 begins with it; below, labels are written without."""


class Violation(Exception):
    """The peer broke a rule; the message begins with the word of section 14 for it."""


class Cut(Exception):
    """The stream ended, or the time was up."""


def u(value: int, size: int) -> bytes:
    """Section 2: a number of ``size`` bytes."""
    return value.to_bytes(size, "big")


def lp16(data: bytes) -> bytes:
    """Section 2: u16 length, then the bytes."""
    return u(len(data), 2) + data


def encode(*parts: bytes) -> bytes:
    """Section 2: the injective encoding of a list."""
    return b"".join(u(len(part), 4) + part for part in parts)


class Fields:
    """Section 2: bytes that are read strictly, from the left."""

    def __init__(self, data: bytes, outcome: str = "malformed payload") -> None:
        self.data, self.at, self.outcome = data, 0, outcome

    def need(self, condition: bool) -> None:
        """Refuse the layout unless ``condition`` holds."""
        if not condition:
            raise Violation(f"{self.outcome}: at byte {self.at} of {len(self.data)}")

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        self.at += size
        self.need(self.at <= len(self.data))
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """The next number."""
        return int.from_bytes(self.take(size), "big")

    def lp16(self, limit: int) -> bytes:
        """The next lp16, of at most ``limit`` bytes."""
        size = self.number(2)
        self.need(size <= limit)
        return self.take(size)

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(len(self.data) - self.at)

    def end(self) -> None:
        """Nothing may be left."""
        self.need(self.at == len(self.data))


# Section 5


def sha256(data: bytes) -> bytes:
    """FIPS 180-4, without a label."""
    return hashlib.sha256(data).digest()


def hash_of(label: bytes, *parts: bytes) -> bytes:
    """Section 5: a labelled hash."""
    return sha256(encode(PREFIX + label, *parts))


def mac(key: bytes, label: bytes, *parts: bytes) -> bytes:
    """Section 5: a labelled HMAC-SHA-256."""
    return hmac.digest(key, encode(PREFIX + label, *parts), "sha256")


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract (RFC 5869, 2.2)."""
    return hmac.digest(salt, ikm, "sha256")


def expand(prk: bytes, label: bytes, *parts: bytes) -> bytes:
    """HKDF-Expand (RFC 5869, 2.3) to 32 bytes, which is its first block."""
    return hmac.digest(prk, encode(PREFIX + label, *parts) + b"\x01", "sha256")


def seal(key: bytes, plaintext: bytes, ad: bytes) -> bytes:
    """Section 5: AES-256-GCM under a key that is used once."""
    return AESGCM(key).encrypt(bytes(12), plaintext, ad)


def unseal(key: bytes, sealed: bytes, ad: bytes, outcome: str) -> bytes:
    """The plaintext of ``seal``, or a violation."""
    try:
        return AESGCM(key).decrypt(bytes(12), sealed, ad)
    except InvalidTag:
        raise Violation(f"{outcome}: does not open") from None


def oaep_padding(label: bytes) -> padding.OAEP:
    """Section 5: OAEP with SHA-256 throughout."""
    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)


def pss_padding() -> padding.PSS:
    """Section 5: PSS with SHA-256 and a salt of exactly 32 bytes."""
    return padding.PSS(padding.MGF1(hashes.SHA256()), 32)


# Section 6

SMALL_PRIMES = math.prod(
    n for n in range(3, 1 << 16, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))
)


class PublicIdentity:
    """A peer's identity key, checked."""

    def __init__(self, spki: bytes, outcome: str = "handshake failure") -> None:
        try:
            key = serialization.load_der_public_key(spki)
        except (ValueError, UnsupportedAlgorithm):
            raise Violation(f"{outcome}: not a key") from None
        if len(spki) > 550 or not isinstance(key, rsa.RSAPublicKey) or key.key_size not in {3072, 4096}:
            raise Violation(f"{outcome}: not an RSA key of 3072 or 4096 bits")
        n, e = key.public_numbers().n, key.public_numbers().e
        if e != 65537 or n % 2 == 0 or math.gcd(n, SMALL_PRIMES) != 1 or public_bytes(key) != spki:
            raise Violation(f"{outcome}: a key of another form")
        self.key, self.spki, self.fp = key, spki, sha256(spki)

    def verify(self, outcome: str, signature: bytes, label: bytes, *parts: bytes) -> None:
        """PSS over the encoding of a label and its parts."""
        try:
            self.key.verify(signature, encode(PREFIX + label, *parts), pss_padding(), hashes.SHA256())
        except InvalidSignature:
            raise Violation(f"{outcome}: the signature does not verify") from None


class Identity(PublicIdentity):
    """One's own identity key."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self.private, self.rotations = private, u(0, 1)  # the statements that it shows (9.3)
        super().__init__(public_bytes(private.public_key()))

    @classmethod
    def new(cls, bits: int) -> Self:
        """A new key of so many bits."""
        return cls(rsa.generate_private_key(65537, bits))

    def sign(self, label: bytes, *parts: bytes) -> bytes:
        """PSS over the encoding of a label and its parts."""
        return self.private.sign(encode(PREFIX + label, *parts), pss_padding(), hashes.SHA256())


def public_bytes(key: rsa.RSAPublicKey) -> bytes:
    """The SubjectPublicKeyInfo of ``key``."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class Chance:
    """What the document leaves to chance, and the time. The vectors put recorded values in its place."""

    def now(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def random(self, purpose: str, size: int) -> bytes:
        """Random bytes; ``purpose`` is the document's word for them."""
        del purpose
        return os.urandom(size)

    def x25519(self) -> X25519PrivateKey:
        """A fresh X25519 key."""
        return X25519PrivateKey.generate()

    def mlkem(self) -> MLKEM768PrivateKey:
        """A fresh ML-KEM-768 key."""
        return MLKEM768PrivateKey.generate()

    def encapsulate(self, ek: bytes) -> tuple[bytes, bytes]:
        """ML-KEM-768: shared secret and ciphertext; ValueError for a malformed key."""
        return MLKEM768PublicKey.from_public_bytes(ek).encapsulate()

    def wrap(self, key: PublicIdentity, o: bytes, label: bytes) -> bytes:
        """Section 5: OAEP."""
        return key.key.encrypt(o, oaep_padding(label))


class Wire:
    """Section 7: frames over a blocking socket.

    It reads no byte that it does not need, so what may wait unread is bounded by the socket itself.
    """

    chance = Chance()

    def __init__(self, stream: socket.socket) -> None:
        self.stream, self.buffer = stream, b""
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, kind: bytes, payload: bytes) -> None:
        """Write one frame."""
        self.stream.settimeout(10)
        self.stream.sendall(kind + u(len(payload), 4) + payload)

    def receive(self, admitted: Mapping[bytes, range], deadline: float) -> tuple[bytes, bytes]:
        """One frame of an admitted type and length; what has come of it stays if the time is up."""
        self._fill(1, deadline)
        kind = self.buffer[:1]
        if kind not in admitted:
            raise Violation(f"frame refused: type {kind!r}")
        self._fill(5, deadline)
        (size,) = struct.unpack(">I", self.buffer[1:5])
        if size not in admitted[kind]:
            raise Violation(f"frame refused: length {size}")
        self._fill(5 + size, deadline)
        payload, self.buffer = self.buffer[5:], b""
        return kind, payload

    def drop(self) -> None:
        """Section 14: close without a word."""
        self.stream.close()

    def close(self) -> None:
        """Section 12.3: shut down the sending direction, read to the end, close."""
        try:
            self.stream.shutdown(socket.SHUT_WR)
            self.stream.settimeout(1)
            while self.stream.recv(65536):
                pass
        except OSError:
            pass
        self.stream.close()

    def _fill(self, size: int, deadline: float) -> None:
        while len(self.buffer) < size:
            try:
                self.stream.settimeout(max(deadline - self.chance.now(), 0.001))
                more = self.stream.recv(size - len(self.buffer))
            except TimeoutError:
                raise Cut("the time is up") from None
            except OSError:
                more = b""
            if not more:
                raise Cut("the stream ended")
            self.buffer += more
