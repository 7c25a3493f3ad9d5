"""*relay*: two clients that poll an HTTP relay, and share one key that alice chooses.

Bob registers a public key (RSA-4096); alice waits for it, sends a 32-byte master secret under OAEP, and
both derive the key (HKDF-SHA256). A message is AES-256-GCM with the Unix time as associated data; who it
is from is only written beside it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from securechat_tui.lab import primitives as p
from securechat_tui.lab.gcm import fingerprint
from securechat_tui.lab.json_cbc_hmac import decode_object, encode_object
from securechat_tui.lab.peer import Event, Moment, Peer
from securechat_tui.lab.relay_store import ROLES, relay_fields
from securechat_tui.lab.steps import laid_out
from securechat_tui.lab.units import CheckFailed, Unit

__all__ = ["POLL_SECONDS", "RelayPeer", "Request"]

POLL_SECONDS: Final = 0.5
_INFO: Final = b"chat_session_key_alice_bob"
_MASTER: Final = 32
_MAX_STAMP: Final = 16
_KEY_NAME: Final = "session key (AES-256, derived from alice's master secret)"
_SENDING: Final = "/send_message"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks of the relay next."""

    method: str
    path: str
    body: bytes | None = field(default=None, repr=False)


class _Nothing:
    """There is no stream to cut."""

    def feed(self, data: bytes) -> Iterator[Unit]:
        del data
        return iter(())


class RelayPeer(Peer):
    """Either client. A line asks :meth:`requests` and hands each answer to :meth:`answered`."""

    def __init__(self, user: str, key: p.PrivateKey | None, moment: Moment) -> None:
        """``key`` is registered by bob; alice has none."""
        super().__init__(ROLES[user], _Nothing(), moment)
        self.user = user
        self.other = "bob" if user == "alice" else "alice"
        self._key = key
        self._registered = False
        self._session_key = b""
        self._secret_sent: Request | None = None
        self.taken = 0
        """Messages of the relay that were looked at."""

    @property
    def _private(self) -> p.PrivateKey:
        if self._key is None:
            raise CheckFailed("key", "this client has none")
        return self._key

    @property
    def waiting(self) -> int:
        """How many texts the relay does not have yet."""
        return len(self._out)

    def next_timeout(self) -> float | None:
        """The other client may come at any time."""
        return None

    def requests(self) -> list[Request]:
        """Return what is to be asked now, in order."""
        if self.closed:
            return []
        if not self.established:
            return [self._next_of_handshake()]
        sending = [Request("POST", _SENDING, body) for body in self._out]
        return [*sending, Request("GET", f"/get_messages/{self.user}")]

    def _next_of_handshake(self) -> Request:
        if self.user == "alice":
            return self._secret_sent or Request("GET", f"/get_public_key/{self.other}")
        if self._registered:
            return Request("GET", "/get_encrypted_master_secret")
        values = {"public_key_pem_b64": p.to_pem(self._private.public_key())}
        body = json.dumps({"user_id": self.user, **json.loads(encode_object(values))}).encode()
        self._trail.note(
            "register the own public key",
            values["public_key_pem_b64"],
            body,
            protects="nothing: the relay hands out what it likes",
        )
        return Request("POST", "/register_public_key", body)

    def answered(self, request: Request, status: int, body: bytes, _moment: Moment) -> list[Event]:
        """Take the answer to a request; a status that is no success has an empty body."""
        try:
            self._answer(request, status, body)
        except CheckFailed as failure:
            self._finish("failed", failure.check, failure.detail)
        except p.BadCrypto as failure:
            self._finish("failed", "key", str(failure))
        return self._drain()

    def _answer(self, request: Request, status: int, body: bytes) -> None:
        found = _object(body)
        if request.path == _SENDING:
            self._out.remove(request.body or b"")
            if not body:
                self._reject(CheckFailed("relay", f"it did not take the message (status {status})"))
        elif request.path.startswith("/get_messages"):
            self._take_messages(body, found)
        elif request is self._secret_sent:
            if body:
                self._establish(self._fingerprint)
        elif request.path == "/register_public_key":
            self._registered = bool(body)
        elif self.user == "alice":
            self._take_key(body, found)
        else:
            self._take_secret(body, found)

    _fingerprint = ""

    def _take_key(self, body: bytes, found: Mapping[str, Any]) -> None:
        if "public_key_pem_b64" not in found:
            return  # not there yet
        (pem,) = decode_object(body, "public_key_pem_b64")
        bob = p.from_pem(pem)
        secret = p.random_bytes(_MASTER)
        self._session_key = p.derive(secret, _INFO)
        wrapped = encode_object({"encrypted_master_secret_b64": p.oaep_encrypt(bob, secret)})
        self._trail.note(
            "wrap the master secret (RSA-OAEP)",
            pem,
            wrapped,
            key="bob's public key",
            protects="the master secret, from everybody but the owner of that key",
        )
        self._fingerprint = fingerprint(bob)
        self._secret_sent = Request("POST", "/send_encrypted_master_secret", wrapped)

    def _take_secret(self, body: bytes, found: Mapping[str, Any]) -> None:
        if "encrypted_master_secret_b64" not in found:
            return
        (wrapped,) = decode_object(body, "encrypted_master_secret_b64")
        try:
            secret = p.oaep_decrypt(self._private, wrapped)
        except p.BadCrypto:
            raise CheckFailed("OAEP", "the master secret does not open") from None
        if len(secret) != _MASTER:
            raise CheckFailed("master secret", "not 32 bytes")
        self._session_key = p.derive(secret, _INFO)
        self._trail.note(
            "unwrap the master secret, derive the key",
            wrapped,
            b"",
            key="own private key",
            protects="the session key",
        )
        self._establish("")

    def _seal(self, plaintext: bytes, moment: Moment) -> bytes:
        nonce, associated = p.random_bytes(p.GCM_NONCE), str(int(moment.unix)).encode()
        sealed = p.gcm_encrypt(self._session_key, nonce, plaintext, associated)
        self._trail.note(
            "encrypt (AES-256-GCM), the time as associated data",
            plaintext,
            sealed,
            key=_KEY_NAME,
            protects="what is said; that nobody changes it or its time",
        )
        values = {"ciphertext": sealed[: -p.GCM_TAG], "nonce": nonce, "tag": sealed[-p.GCM_TAG :]}
        found = json.loads(encode_object({**values, "associated_data": associated}))
        body = json.dumps({"sender": self.user, "recipient": self.other, **found}).encode()
        return self._trail.note(
            "write as JSON and base64",
            sealed,
            body,
            fields=relay_fields("message", body),
            protects="nothing: sender, recipient and time are in clear",
        )

    def _take_messages(self, body: bytes, found: Mapping[str, Any]) -> None:
        messages = found.get("messages")
        if not isinstance(messages, list):
            return
        for one in messages:
            self._trail.note("receive the relay's answer", body, body, protects="nothing: it can be anything")
            try:
                self._take_message(one)
            except CheckFailed as failure:
                self._reject(failure)
            self.taken += 1

    def _take_message(self, message: object) -> None:
        if not isinstance(message, dict):
            raise CheckFailed("form", "a message that is no JSON object")
        body = json.dumps(message).encode()
        ciphertext, nonce, tag = decode_object(body, "ciphertext", "nonce", "tag")
        given = message.get("associated_data")
        associated = decode_object(body, "associated_data")[0] if given else b""
        sealed = (("nonce", len(nonce)), ("ciphertext", len(ciphertext)), ("tag", len(tag)))
        self._trail.note(
            "read JSON and base64",
            body,
            nonce + ciphertext + tag + associated,
            protects="nothing",
            fields=laid_out(*sealed, ("associated data", len(associated))),
        )
        try:
            plaintext = p.gcm_decrypt(self._session_key, nonce, ciphertext + tag, associated)
        except p.BadCrypto:
            raise CheckFailed("GCM tag", "the message was changed, or is under another key") from None
        self._trail.note(
            "decrypt and check (AES-256-GCM)",
            ciphertext + tag,
            plaintext,
            key=_KEY_NAME,
            protects="fails if a bit of nonce, ciphertext, tag or time is another",
        )
        self._show(plaintext, str(message.get("sender") or self.other), ("GCM tag",), _time(associated))

    def _take(self, unit: Unit, moment: Moment) -> None:
        """Nothing comes by a stream."""


def _time(associated: bytes) -> float | None:
    return float(associated) if associated.isdigit() and len(associated) < _MAX_STAMP else None


def _object(body: bytes) -> Mapping[str, Any]:
    """A JSON object, or an empty one: other programs answer some failures with a list."""
    try:
        found = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        found = {}
    return found if isinstance(found, dict) else {}
