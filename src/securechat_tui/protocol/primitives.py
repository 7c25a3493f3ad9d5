"""The cryptographic primitives as this protocol uses them; the only importer of ``cryptography``.

Whatever the library raises for a peer's bytes comes out as one :class:`CryptoFailure`, so that no
caller can tell two failures apart by their type.
"""

import math
import os
from collections.abc import Callable
from typing import Final, TypeVar

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import constant_time, hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import encode

T = TypeVar("T")

RsaPrivateKey = rsa.RSAPrivateKey
RsaPublicKey = rsa.RSAPublicKey

_SHA256: Final = hashes.SHA256()
_SHA512: Final = hashes.SHA512()
_FRESH_SHA256: Final = hashes.Hash(_SHA256)
"""Copying a context takes half the time of making one."""
_PSS: Final = padding.PSS(padding.MGF1(_SHA256), c.PSS_SALT_LENGTH)


class CryptoFailure(Exception):
    """A primitive refused its input: wrong tag, wrong signature, low order, malformed key."""


def _guarded(operation: Callable[[], T]) -> T:
    """Run ``operation``; any exception of the library becomes :class:`CryptoFailure`."""
    try:
        return operation()
    except Exception as error:  # noqa: BLE001 - the library's exceptions differ from version to version
        raise CryptoFailure(type(error).__name__) from None


def random_bytes(length: int) -> bytes:
    """Return ``length`` bytes from the operating system's generator."""
    return os.urandom(length)


def equal(left: bytes, right: bytes) -> bool:
    """Compare two secret-dependent values in constant time."""
    return constant_time.bytes_eq(left, right)


def sha256(data: bytes) -> bytes:
    """Return SHA-256 (FIPS 180-4), 32 bytes."""
    digest = _FRESH_SHA256.copy()
    digest.update(data)
    return digest.finalize()


def hash_of(label: bytes, *parts: bytes) -> bytes:
    """Return SHA-256 over the injective encoding of a label and its parts, 32 bytes."""
    return sha256(encode(label, *parts))


def hmac_sha256(key: bytes, label: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104) over a label and its parts, 32 bytes."""
    mac = hmac.HMAC(key, _SHA256)
    mac.update(encode(label, *parts))
    return mac.finalize()


def hkdf_extract(salt: bytes, material: bytes) -> bytes:
    """Return HKDF-Extract with SHA-256 (RFC 5869, section 2.2), 32 bytes."""
    return HKDF.extract(_SHA256, salt, material)


def hkdf_expand(key: bytes, label: bytes, *parts: bytes) -> bytes:
    """Return 32 bytes of HKDF-Expand with SHA-256 (RFC 5869, section 2.3).

    The info is the injective encoding of the label and the parts.
    """
    return HKDFExpand(_SHA256, c.KEY_LENGTH, encode(label, *parts)).derive(key)


def argon2id(secret: bytes, salt: bytes, *, memory: int, passes: int, lanes: int) -> bytes:
    """Return 32 bytes of Argon2id (RFC 9106, version 0x13); slow by intent, releases the interpreter.

    ``memory`` is in KiB, at least eight times ``lanes``; the salt has at least 8 bytes. Raises
    :class:`CryptoFailure` for parameters below these, or where there is not that much memory.
    """
    return _guarded(
        lambda: Argon2id(
            salt=salt, length=c.KEY_LENGTH, iterations=passes, lanes=lanes, memory_cost=memory
        ).derive(secret)
    )


_STEP_INPUT: Final = encode(c.LABEL_CHAIN_STEP)


def chain_step(chain_key: bytes) -> tuple[bytes, bytes]:
    """Return the next chain key and this step's record key, 32 bytes each.

    They are the halves of one HMAC-SHA-512 under the chain key, which HKDF-Extract is (RFC 5869,
    section 2.2); the library has it as a single call.
    """
    block = HKDF.extract(_SHA512, chain_key, _STEP_INPUT)
    return block[: c.KEY_LENGTH], block[c.KEY_LENGTH :]


def seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Encrypt under AES-256-GCM (SP 800-38D) with the zero nonce; ``key`` must never be used again."""
    return AESGCM(key).encrypt(c.RECORD_NONCE, plaintext, associated)


def unseal(key: bytes, ciphertext: bytes | memoryview, associated: bytes) -> bytes:
    """Decrypt what :func:`seal` made; raises :class:`CryptoFailure`."""
    try:
        return AESGCM(key).decrypt(c.RECORD_NONCE, ciphertext, associated)
    except (InvalidTag, ValueError):
        raise CryptoFailure("tag") from None


class Exchange:
    """One ephemeral X25519 key pair (RFC 7748), for one agreement."""

    __slots__ = ("_private", "public")

    def __init__(self) -> None:
        self._private = x25519.X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def agree(self, peer: bytes) -> bytes:
        """Return the shared secret, 32 bytes; a low-order or malformed ``peer`` raises CryptoFailure."""
        return _guarded(lambda: self._private.exchange(x25519.X25519PublicKey.from_public_bytes(peer)))


class Encapsulation:
    """One ephemeral ML-KEM-768 key pair (FIPS 203), for one decapsulation."""

    __slots__ = ("_private", "public")

    def __init__(self) -> None:
        self._private = mlkem.MLKEM768PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def open(self, ciphertext: bytes) -> bytes:
        """Return the shared secret, 32 bytes; a malformed ciphertext raises :class:`CryptoFailure`.

        A well-formed ciphertext for another key gives an unrelated secret (implicit rejection,
        FIPS 203, section 6.3), so that only a later check fails.
        """
        return _guarded(lambda: self._private.decapsulate(ciphertext))


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """Return an ML-KEM-768 shared secret (32 bytes) and its ciphertext (1088 bytes) for ``public``.

    A key that fails the modulus check (FIPS 203, section 7.2) raises :class:`CryptoFailure`.
    """
    return _guarded(lambda: mlkem.MLKEM768PublicKey.from_public_bytes(public).encapsulate())


def rsa_generate(bits: int) -> RsaPrivateKey:
    """Make an RSA key with the public exponent 65537; takes up to seconds, releases the interpreter."""
    return rsa.generate_private_key(public_exponent=c.RSA_EXPONENT, key_size=bits)


def rsa_private_from_pem(pem: bytes, password: bytes | None = None) -> RsaPrivateKey:
    """Load and check a PKCS#8 or PKCS#1 RSA key; raises :class:`CryptoFailure`.

    It must be encrypted where there is a ``password``, and unencrypted without one. The numbers are held
    against each other, and the public against the private half; the library would besides prove the
    factors prime, which takes fifty times as long and holds the interpreter all the while.
    """
    key = _guarded(
        lambda: serialization.load_pem_private_key(pem, password, unsafe_skip_rsa_key_validation=True)
    )
    if not isinstance(key, RsaPrivateKey):
        raise CryptoFailure("not an RSA key")
    if not _guarded(lambda: _is_consistent(key.private_numbers()) and _is_pair(key)):
        raise CryptoFailure("the numbers of the key contradict each other")
    return key


def _is_consistent(numbers: rsa.RSAPrivateNumbers) -> bool:
    """Whether both forms of a private key are those of its public key (RFC 8017, sections 3.1 and 3.2)."""
    p, q, d = numbers.p, numbers.q, numbers.d
    return (
        p * q == numbers.public_numbers.n
        and numbers.public_numbers.e * d % math.lcm(p - 1, q - 1) == 1
        and (numbers.dmp1, numbers.dmq1) == (d % (p - 1), d % (q - 1))
        and numbers.iqmp * q % p == 1
    )


def _is_pair(key: RsaPrivateKey) -> bool:
    """Whether one half opens what the other sealed: the pairwise test of SP 800-56B, section 6.4.1.1.

    Where a factor is not prime it fails, as good as always.
    """
    secret = random_bytes(c.KEY_LENGTH)
    return equal(oaep_decrypt(key, oaep_encrypt(key.public_key(), secret, b""), b""), secret)


def rsa_private_to_pem(key: RsaPrivateKey, password: bytes | None = None) -> bytes:
    """Return the key as PKCS#8 PEM (RFC 5958), encrypted (PBES2, AES-256) where there is a ``password``.

    The library derives the cipher's key in 2048 rounds of PBKDF2: the password must be as hard to
    guess as a key. Raises ValueError for an empty one: nothing must be kept in clear by mistake.
    """
    encryption = (
        serialization.NoEncryption() if password is None else serialization.BestAvailableEncryption(password)
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def rsa_public_from_spki(spki: bytes) -> RsaPublicKey:
    """Load a DER SubjectPublicKeyInfo (RFC 5280) that holds an RSA key; raises CryptoFailure."""
    key = _guarded(lambda: serialization.load_der_public_key(spki))
    if not isinstance(key, RsaPublicKey):
        raise CryptoFailure("not an RSA key")
    return key


def rsa_public_to_spki(key: RsaPublicKey) -> bytes:
    """Return the canonical DER SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def rsa_public_to_pem(key: RsaPublicKey) -> str:
    """Return the SubjectPublicKeyInfo as PEM."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def pss_sign(key: RsaPrivateKey, message: bytes) -> bytes:
    """Return an RSASSA-PSS signature (RFC 8017, section 8.1): SHA-256, MGF1-SHA-256, 32-byte salt."""
    return key.sign(message, _PSS, _SHA256)


def pss_verify(key: RsaPublicKey, signature: bytes, message: bytes) -> None:
    """Check what :func:`pss_sign` made; raises :class:`CryptoFailure`."""
    try:
        key.verify(signature, message, _PSS, _SHA256)
    except (InvalidSignature, ValueError):
        raise CryptoFailure("signature") from None


def _oaep(label: bytes) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(_SHA256), _SHA256, label)


def oaep_encrypt(key: RsaPublicKey, message: bytes, label: bytes) -> bytes:
    """Return RSAES-OAEP (RFC 8017, section 7.1) with SHA-256 and the given label."""
    return key.encrypt(message, _oaep(label))


def oaep_decrypt(key: RsaPrivateKey, ciphertext: bytes, label: bytes) -> bytes:
    """Open what :func:`oaep_encrypt` made; raises :class:`CryptoFailure`."""
    return _guarded(lambda: key.decrypt(ciphertext, _oaep(label)))
