"""*json-cbc-hmac*: text lines, AES-CBC with one IV for the whole session, HMAC after it.

The host sends ``SERVER_PUB``, its PEM and an empty line. The guest answers with one JSON object:
``enc_session`` (AES key and IV under OAEP), ``client_pub`` (PEM) and ``client_sig`` (PSS over key and
IV), all base64. Messages go from guest to host alone: JSON with ``cipher`` and ``hmac``. Everything is
ended by an empty line. The host serves several guests at once and shows what arrives.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Final

from securechat_tui.lab import primitives as p
from securechat_tui.lab.gcm import fingerprint
from securechat_tui.lab.peer import CannotSend, Event, Moment, Peer
from securechat_tui.lab.steps import Field, laid_out
from securechat_tui.lab.units import MAX_UNIT, CheckFailed, Unit

__all__ = ["JsonPeer", "decode_object", "encode_object", "flip", "json_fields", "splitter"]

_END: Final = b"\n\n"
_GREETING: Final = b"SERVER_PUB\n"
_AES_KEY: Final = 32
_MAX_HANDSHAKE: Final = 16 * 1024
SESSION_KEY: Final = "session key (AES-256, chosen by the guest)"


class Lines:
    """Units that end with an empty line; line ends left over before a unit are skipped."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._held = bytearray()
        self._kinds = ["key"] if role == "host" else ["session"]

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Give the whole units, each with its end."""
        self._held += data
        while (end := self._end()) is not None:
            unit = bytes(self._held[:end])
            del self._held[:end]
            kind = self._kinds.pop() if self._kinds else "message"
            yield Unit(self._role, kind, unit, dissect(kind, unit))

    def _end(self) -> int | None:
        """Where the first unit ends, or None where it is not whole yet; raises CheckFailed past the bound."""
        del self._held[: len(self._held) - len(self._held.lstrip(b"\n"))]
        at = self._held.find(_END)
        end = at + len(_END) if at >= 0 else None
        if (end or len(self._held)) > self._most():
            raise CheckFailed("unit length", f"{self._most()} bytes without an empty line")
        return end

    def _most(self) -> int:
        return _MAX_HANDSHAKE if self._kinds else MAX_UNIT


def splitter(role: str) -> Lines:
    """Cut what ``role`` writes."""
    return Lines(role)


def dissect(kind: str, data: bytes) -> tuple[Field, ...]:
    """Name the parts of a unit: the base64 values of its JSON, or the key."""
    if kind == "key":
        greeting = min(len(_GREETING), len(data) - len(_END))
        return laid_out(("greeting", greeting), ("public key (PEM)", len(data) - len(_END) - greeting))
    names = ("enc_session", "client_pub", "client_sig") if kind == "session" else ("cipher", "hmac")
    return json_fields(data, names)


def json_fields(data: bytes, names: tuple[str, ...]) -> tuple[Field, ...]:
    """Find the text values of these names in the bytes of a JSON object."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return ()
    fields: list[Field] = []
    for name in names:
        value = found.get(name) if isinstance(found, dict) else None
        quoted = f'"{value}"'.encode() if isinstance(value, str) else b""
        start = data.find(quoted, data.find(f'"{name}"'.encode()) + len(name) + 2) if quoted else -1
        if start >= 0:
            fields.append(Field(name, start + 1, start + len(quoted) - 1))
    return tuple(fields)


def flip(unit: Unit, part: Field, place: int) -> bytes:
    """Turn over a bit of what a base64 value stands for; ``place`` counts its bytes (modulo)."""
    text = unit.data[part.start : part.end]
    try:
        value = bytearray(base64.b64decode(text, validate=True))
        value[place % len(value)] ^= 1
        changed = base64.b64encode(value)
    except (binascii.Error, ZeroDivisionError):
        plain = bytearray(text)
        plain[place % len(plain)] ^= 1
        changed = bytes(plain)
    return unit.data[: part.start] + changed + unit.data[part.end :]


def encode_object(values: Mapping[str, bytes]) -> bytes:
    """Return a JSON object of base64 values."""
    return json.dumps({name: base64.b64encode(value).decode() for name, value in values.items()}).encode()


def decode_object(data: bytes, *names: str) -> tuple[bytes, ...]:
    """Return the base64 values of these names; raises :class:`CheckFailed`."""
    try:
        found = json.loads(data)
        return tuple(base64.b64decode(found[name], validate=True) for name in names)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CheckFailed("form", "not a JSON object with base64 " + ", ".join(names)) from None


class JsonPeer(Peer):
    """Either side of *json-cbc-hmac*; each has a key."""

    def __init__(self, role: str, key: p.PrivateKey, moment: Moment) -> None:
        super().__init__(role, splitter("guest" if role == "host" else "host"), moment)
        self._key = key
        self._session_key = self._iv = b""
        # A program that reads up to the empty line and drops the rest of what came with it loses units.
        self.pause = 0.15 if role == "guest" else 0.0
        if role == "host":
            pem = p.to_pem(key.public_key())
            self._write(
                self._trail.note(
                    "greet with the public key as PEM",
                    pem,
                    _GREETING + pem + _END,
                    protects="nothing: whoever is on the way can swap it",
                )
            )

    def _take(self, unit: Unit, _moment: Moment) -> None:
        if self.role == "guest":
            if not self.established:
                self._take_key(unit.data)
        elif self.established:
            self._take_message(unit)
        else:
            self._take_session(unit.data)

    def _take_key(self, data: bytes) -> None:
        if not data.startswith(_GREETING):
            raise CheckFailed("greeting", "does not begin with SERVER_PUB")
        host = p.from_pem(data.removeprefix(_GREETING).strip() + b"\n")
        self._session_key, self._iv = p.random_bytes(_AES_KEY), p.random_bytes(p.CBC_IV)
        secret = self._session_key + self._iv
        answer = (
            encode_object(
                {
                    "enc_session": p.oaep_encrypt(host, secret),
                    "client_pub": p.to_pem(self._key.public_key()),
                    "client_sig": p.pss_sign(self._key, secret),
                }
            )
            + _END
        )
        self._trail.note(
            "wrap key and IV (RSA-OAEP), sign them (RSA-PSS)",
            b"",
            answer,
            key="the host's public key; own private key",
            fields=dissect("session", answer),
            protects="the session key; whose it is, for who believes the key sent along",
        )
        self._write(answer)
        self._establish(fingerprint(host))

    def _take_session(self, data: bytes) -> None:
        wrapped, pem, signature = decode_object(data, "enc_session", "client_pub", "client_sig")
        try:
            secret = p.oaep_decrypt(self._key, wrapped)
        except p.BadCrypto:
            raise CheckFailed("OAEP", "the session key does not open") from None
        if len(secret) != _AES_KEY + p.CBC_IV:
            raise CheckFailed("session key", "not 48 bytes")
        guest = p.from_pem(pem)
        try:
            p.pss_verify(guest, signature, secret)
        except p.BadCrypto:
            raise CheckFailed("signature", "the session is not signed by the key sent along") from None
        self._session_key, self._iv = secret[:_AES_KEY], secret[_AES_KEY:]
        self._trail.note(
            "unwrap key and IV, check their signature",
            data,
            b"",
            key="own private key; the guest's public key",
            protects="the session key",
        )
        self._establish(fingerprint(guest))

    def send(self, text: str, moment: Moment) -> list[Event]:
        """Send a text; a host has no messages in this protocol."""
        if self.role == "host":
            raise CannotSend("In json-cbc-hmac only guests send; nothing was sent.")
        return super().send(text, moment)

    def _seal(self, plaintext: bytes, _moment: Moment) -> bytes:
        cipher = p.cbc_encrypt(self._session_key, self._iv, plaintext)
        self._trail.note(
            "encrypt (AES-256-CBC, PKCS#7, the session's IV)",
            plaintext,
            cipher,
            key=SESSION_KEY,
            protects="what is said; equal beginnings stay equal",
        )
        code = p.mac(self._session_key, cipher)
        self._trail.note(
            "authenticate (HMAC-SHA256)",
            cipher,
            code,
            key=SESSION_KEY,
            protects="that nobody without the key changes the ciphertext",
        )
        unit = encode_object({"cipher": cipher, "hmac": code}) + _END
        return self._trail.note(
            "write as JSON and base64",
            cipher + code,
            unit,
            protects="nothing",
            fields=dissect("message", unit),
        )

    def _take_message(self, unit: Unit) -> None:
        try:
            self._trail.note("receive the unit", unit.data, unit.data, protects="nothing", fields=unit.fields)
            cipher, code = decode_object(unit.data, "cipher", "hmac")
            self._trail.note(
                "read JSON and base64",
                unit.data,
                cipher + code,
                protects="nothing",
                fields=laid_out(("ciphertext", len(cipher)), ("hmac", len(code))),
            )
            if not p.equal(p.mac(self._session_key, cipher), code):
                raise CheckFailed("HMAC", "the message was changed, or is under another key")
            self._trail.note(
                "check the HMAC",
                cipher + code,
                cipher,
                key=SESSION_KEY,
                protects="fails if a bit of the ciphertext is another",
            )
            self._show(self._decrypt(cipher), "guest", ("HMAC", "padding"))
        except CheckFailed as failure:
            self._reject(failure)

    def _decrypt(self, cipher: bytes) -> bytes:
        try:
            plaintext = p.cbc_decrypt(self._session_key, self._iv, cipher)
        except p.BadCrypto:
            raise CheckFailed("padding", "the ciphertext does not decrypt") from None
        return self._trail.note(
            "decrypt (AES-256-CBC)", cipher, plaintext, key=SESSION_KEY, protects="what is said"
        )
