"""*five-layer*: each message carries its own key, a time, a signature and an HMAC, in a pickle.

Both sides exchange public keys after connecting, the host first. A message is a pickled dictionary:
``encrypted_session_key`` (a fresh AES-256 key under OAEP), ``iv`` and ``ciphertext`` (AES-256-CBC,
PKCS#7, of ``UNIXTIME|text``), ``signature`` (PSS over the text alone) and ``hmac`` (HMAC-SHA256 of the
ciphertext under a secret that both programs contain). The checks come in the order of :data:`CHECKS`.

Its document does not say how keys and messages are told apart in the stream, nor the secret. By default
each is preceded by its length in four big-endian bytes; with the framing ``none`` a key ends with the end
of its PEM, and a message with the pickle's own STOP.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from securechat_tui.lab import primitives as p
from securechat_tui.lab.gcm import fingerprint
from securechat_tui.lab.peer import Moment, Peer
from securechat_tui.lab.steps import Field, laid_out
from securechat_tui.lab.units import CheckFailed, Unit
from securechat_tui.lab.unpickle import MAX_PICKLE, loads_plain, pickle_length

__all__ = [
    "CHECKS",
    "DEFAULT_SECRET",
    "FRAMINGS",
    "MAX_AGE",
    "FiveLayerPeer",
    "Layout",
    "dissect",
    "splitter",
]

CHECKS: Final = ("HMAC", "session key", "decryption", "age", "signature")
DEFAULT_SECRET: Final = b"five-layer shared secret"
"""Both programs contain it, so whoever has a program has it, too."""
FRAMINGS: Final = ("length", "none")
MAX_AGE: Final = 60
"""Seconds."""
_PREFIX: Final = 4
_PEM_END: Final = b"-----END PUBLIC KEY-----\n"
_SESSION_KEY: Final = 32
_MAX_STAMP: Final = 16
_PARTS: Final = ("encrypted_session_key", "iv", "ciphertext", "signature", "hmac")
_KEY_NAME: Final = "the message's own key (AES-256)"
_SHARED: Final = "the secret in both programs"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the document leaves open."""

    secret: bytes = DEFAULT_SECRET
    framing: str = FRAMINGS[0]


class Stream:
    """Keys first, then pickles."""

    def __init__(self, role: str, framing: str) -> None:
        self._role = role
        self._has_prefix = framing == FRAMINGS[0]
        self._held = bytearray()
        self._kind = "key"

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Give the whole units, each with its length where it has one."""
        self._held += data
        while (end := self._end()) is not None:
            whole, kind = bytes(self._held[:end]), self._kind
            del self._held[:end]
            self._kind = "message"
            yield Unit(self._role, kind, whole, dissect(kind, whole, _PREFIX if self._has_prefix else 0))

    def _end(self) -> int | None:
        """Where the first unit ends, or None where it is not whole yet; raises CheckFailed past a bound."""
        most = p.MAX_PEM if self._kind == "key" else MAX_PICKLE
        if self._has_prefix:
            return self._end_by_length(most)
        if self._kind == "key":
            at = self._held.find(_PEM_END)
            end = at + len(_PEM_END) if at >= 0 else None
        else:
            end = pickle_length(bytes(self._held[:most]))
        if (end or len(self._held)) > most:
            raise CheckFailed("unit length", f"no end within {most} bytes")
        return end

    def _end_by_length(self, most: int) -> int | None:
        if len(self._held) < _PREFIX:
            return None
        length = int.from_bytes(self._held[:_PREFIX], "big")
        if length > most:
            raise CheckFailed("unit length", f"claims {length} bytes, {most} are allowed")
        return _PREFIX + length if len(self._held) >= _PREFIX + length else None


def splitter(role: str, layout: Layout | None = None) -> Stream:
    """Cut what ``role`` writes."""
    return Stream(role, (layout or Layout()).framing)


def dissect(kind: str, data: bytes, prefix: int = _PREFIX) -> tuple[Field, ...]:
    """Name the parts of a unit: the values within the pickle, wherever they lie."""
    length = (Field("length", 0, prefix),) if prefix else ()
    if kind == "key":
        return (*length, Field("public key (PEM)", prefix, len(data)))
    try:
        parts = loads_plain(data[prefix:])
    except CheckFailed:
        return (*length, Field("pickle", prefix, len(data)))
    found = [(data.find(parts[name]), name) for name in _PARTS if parts.get(name)]
    return (*length, *(Field(name, at, at + len(parts[name])) for at, name in sorted(found)))


class FiveLayerPeer(Peer):
    """Either side of *five-layer*; both have a key."""

    def __init__(self, role: str, key: p.PrivateKey, moment: Moment, layout: Layout | None = None) -> None:
        self._layout = layout or Layout()
        super().__init__(role, splitter("guest" if role == "host" else "host", self._layout), moment)
        self._key = key
        self._peer_key: p.PublicKey | None = None
        if role == "host":
            self._send_key()

    def _framed(self, body: bytes) -> bytes:
        return len(body).to_bytes(_PREFIX, "big") + body if self._layout.framing == FRAMINGS[0] else body

    @property
    def _prefix(self) -> int:
        return _PREFIX if self._layout.framing == FRAMINGS[0] else 0

    def _send_key(self) -> None:
        pem = p.to_pem(self._key.public_key())
        self._trail.note(
            "own public key as PEM", b"", pem, protects="nothing: whoever is on the way can swap it"
        )
        self._write(self._framed(pem))

    def _take(self, unit: Unit, moment: Moment) -> None:
        body = unit.data[self._prefix :]
        if unit.kind == "message":
            self._take_message(unit, body, moment)
            return
        self._peer_key = p.from_pem(body)
        self._trail.note(
            "the peer's public key", body, p.sha256(body), protects="nothing: it is only believed"
        )
        if self.role == "guest":
            self._send_key()
        self._establish(fingerprint(self._peer_key))

    # Sending.

    def _seal(self, plaintext: bytes, moment: Moment) -> bytes:
        parts = encrypt(self._other_key(), str(int(moment.unix)).encode() + b"|" + plaintext)
        self._trail.note(
            "encrypt the time and the text (AES-256-CBC)",
            plaintext,
            parts["ciphertext"],
            key=_KEY_NAME,
            protects="what is said",
        )
        parts["signature"] = p.pss_sign(self._key, plaintext)
        self._trail.note(
            "sign the text alone (RSA-PSS)",
            plaintext,
            parts["signature"],
            key="own private key",
            protects="who wrote it; but not to whom nor when",
        )
        parts["hmac"] = p.mac(self._layout.secret, parts["ciphertext"])
        self._trail.note(
            "authenticate the ciphertext (HMAC-SHA256)",
            parts["ciphertext"],
            parts["hmac"],
            key=_SHARED,
            protects="the ciphertext, but not the IV, key or signature",
        )
        unit = self._framed(pickle.dumps(parts))
        return self._trail.note(
            "pickle",
            b"",
            unit,
            protects="nothing; and a pickle can name functions to call",
            fields=dissect("message", unit, self._prefix),
        )

    def _other_key(self) -> p.PublicKey:
        if self._peer_key is None:
            raise CheckFailed("order of units", "no key has come")
        return self._peer_key

    # Receiving.

    def _take_message(self, unit: Unit, body: bytes, moment: Moment) -> None:
        try:
            self._trail.note(
                "receive the unit",
                unit.data,
                unit.data,
                protects="nothing: anybody can write a pickle",
                fields=unit.fields,
            )
            parts = loads_plain(body)
            if not all(name in parts for name in _PARTS):
                raise CheckFailed("form", "a part is missing")
            self._trail.note(
                "unpickle plain values",
                body,
                b"".join(parts.values()),
                protects="this machine: globals are refused",
                fields=laid_out(*((name, len(value)) for name, value in parts.items())),
            )
            self._check_mac(parts)
            claimed, text = self._decrypt(parts)
            self._check_age(claimed, moment)
            self._check_signature(parts, text)
            self._show(text, "host" if self.role == "guest" else "guest", CHECKS, float(claimed))
        except CheckFailed as failure:
            self._reject(failure)

    def _check_mac(self, parts: dict[str, bytes]) -> None:
        code = p.mac(self._layout.secret, parts["ciphertext"])
        if not p.equal(code, parts["hmac"]):
            raise CheckFailed("HMAC", "the ciphertext was changed, or is under another secret")
        self._trail.note(
            "1 check the HMAC",
            parts["ciphertext"],
            code,
            key=_SHARED,
            protects="fails if a bit of the ciphertext is another",
        )

    def _decrypt(self, parts: dict[str, bytes]) -> tuple[int, bytes]:
        try:
            key = p.oaep_decrypt(self._key, parts["encrypted_session_key"])
        except p.BadCrypto:
            raise CheckFailed("session key", "does not open with this private key") from None
        self._trail.note(
            "2 unwrap the message's key (RSA-OAEP)",
            parts["encrypted_session_key"],
            b"",
            key="own private key",
            protects="the message's key",
        )
        try:
            plaintext = p.cbc_decrypt(
                key if len(key) == _SESSION_KEY else b"", parts["iv"], parts["ciphertext"]
            )
        except p.BadCrypto:
            raise CheckFailed("decryption", "the padding is wrong") from None
        self._trail.note(
            "3 decrypt (AES-256-CBC)", parts["ciphertext"], plaintext, key=_KEY_NAME, protects="what is said"
        )
        stamp, bar, text = plaintext.partition(b"|")
        if not (bar and stamp.isdigit() and len(stamp) < _MAX_STAMP):
            raise CheckFailed("decryption", "no time before the text")
        return int(stamp), text

    def _check_age(self, claimed: int, moment: Moment) -> None:
        age = moment.unix - claimed
        if age > MAX_AGE:
            raise CheckFailed("age", f"written {age:.0f} s ago, {MAX_AGE} are allowed")
        self._trail.note(
            "4 check the age",
            str(claimed).encode(),
            f"{age:.0f} s".encode(),
            protects="against delay over a minute; not against replay within it",
        )

    def _check_signature(self, parts: dict[str, bytes], text: bytes) -> None:
        try:
            p.pss_verify(self._other_key(), parts["signature"], text)
        except p.BadCrypto:
            raise CheckFailed("signature", "not made by the peer's key over this text") from None
        self._trail.note(
            "5 check the signature (RSA-PSS)",
            parts["signature"],
            text,
            key="the peer's public key",
            protects="fails unless the owner of that key signed this text, for anybody",
        )


def encrypt(key: p.PublicKey, plaintext: bytes) -> dict[str, bytes]:
    """Encrypt under a fresh key, and that key for the owner of ``key``."""
    session_key, iv = p.random_bytes(_SESSION_KEY), p.random_bytes(p.CBC_IV)
    return {
        "encrypted_session_key": p.oaep_encrypt(key, session_key),
        "iv": iv,
        "ciphertext": p.cbc_encrypt(session_key, iv, plaintext),
    }
