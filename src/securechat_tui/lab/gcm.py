"""*gcm*: one RSA key, one session key, AES-GCM for each message.

The host sends ``K`` (its public key as PEM) right after accepting; the guest answers ``S`` (a random
session key under OAEP). ``M`` is a 12-byte random nonce, ciphertext and tag, without associated data,
under the same key in both directions. The text ``exit`` ends both programs.
"""

from typing import Final

from securechat_tui.lab import primitives as p
from securechat_tui.lab.peer import Moment, Peer, decoded, is_exit
from securechat_tui.lab.steps import Field, laid_out
from securechat_tui.lab.units import HEADER, MAX_UNIT, CheckFailed, Framed, Unit, framed

__all__ = ["SESSION_KEYS", "GcmPeer", "dissect", "splitter"]

SESSION_KEY: Final = "session key (AES, chosen by the guest)"
SESSION_KEYS: Final = (16, 24, 32)
"""Lengths of the session key that a host accepts; ours sends the last."""
_MAX_SESSION: Final = 512
_KINDS: Final = {
    ord("K"): ("key", p.MAX_PEM),
    ord("S"): ("session", _MAX_SESSION),
    ord("M"): ("message", MAX_UNIT),
}


def dissect(kind: str, data: bytes) -> tuple[Field, ...]:
    """Name the parts of a frame."""
    body = len(data) - HEADER
    parts = {
        "key": (("public key (PEM)", body),),
        "session": (("session key under OAEP", body),),
        "message": sealed_parts(body),
    }
    return laid_out(("type", 1), ("length", HEADER - 1), *parts.get(kind, (("payload", body),)))


def sealed_parts(length: int) -> tuple[tuple[str, int], ...]:
    """Name the parts of a nonce, ciphertext and tag of this length together."""
    inner = max(0, length - p.GCM_NONCE - p.GCM_TAG)
    nonce = min(length, p.GCM_NONCE)
    return (("nonce", nonce), ("ciphertext", inner), ("tag", length - nonce - inner))


def splitter(role: str) -> Framed:
    """Cut what ``role`` writes."""
    return Framed(role, _KINDS, dissect)


class GcmPeer(Peer):
    """Either side of *gcm*; the host's key is its identity, the guest has none."""

    dissect = staticmethod(dissect)

    def __init__(self, role: str, key: p.PrivateKey, moment: Moment) -> None:
        """``key`` is the host's; a guest of *gcm* does not use it."""
        other = "guest" if role == "host" else "host"
        super().__init__(role, type(self).splitter(other), moment)
        self._key = key
        self._session_key = b""
        self._peer_key: p.PublicKey | None = None
        self._begin()

    @staticmethod
    def splitter(role: str) -> Framed:
        """Cut what ``role`` writes."""
        return splitter(role)

    def _begin(self) -> None:
        if self.role == "host":
            self._send_key()

    def _send_key(self) -> None:
        pem = p.to_pem(self._key.public_key())
        self._trail.note(
            "own public key as PEM", b"", pem, protects="nothing: whoever is on the way can swap it"
        )
        self._write(self._framed("K", pem))

    # The handshake.

    def _take(self, unit: Unit, _moment: Moment) -> None:
        payload = unit.data[HEADER:]
        if self.established:
            if unit.kind == "message":
                self._take_message(unit.data, payload)
        elif unit.kind == "key" and self._peer_key is None and self._expects_key():
            self._take_key(payload)
        elif unit.kind == "session" and self.role == "host" and not self._expects_key():
            self._take_session(payload)
        else:
            raise CheckFailed("order of frames", f"a {unit.kind} frame has no place here")

    def _expects_key(self) -> bool:
        return self.role == "guest"

    def _take_key(self, pem: bytes) -> None:
        self._peer_key = p.from_pem(pem)
        self._trail.note("the peer's public key", pem, p.sha256(pem), protects="nothing: it is only believed")
        if self.role == "guest":
            self._send_session(self._peer_key)

    def _send_session(self, host: p.PublicKey) -> None:
        self._session_key = p.random_bytes(SESSION_KEYS[-1])
        wrapped = p.oaep_encrypt(host, self._session_key)
        self._trail.note(
            "wrap the session key (RSA-OAEP)",
            b"",
            wrapped,
            key="the host's public key",
            protects="the session key, from everybody but the owner of that public key",
        )
        self._write(self._framed("S", wrapped))
        self._establish(fingerprint(host))

    def _take_session(self, wrapped: bytes) -> None:
        try:
            session_key = p.oaep_decrypt(self._key, wrapped)
        except p.BadCrypto:
            raise CheckFailed("OAEP", "the session key does not open") from None
        if len(session_key) not in SESSION_KEYS:
            raise CheckFailed("session key", "neither 16, 24 nor 32 bytes")
        self._session_key = session_key
        self._trail.note(
            "unwrap the session key (RSA-OAEP)",
            wrapped,
            b"",
            key="own private key",
            protects="the session key",
        )
        self._establish(fingerprint(self._peer_key) if self._peer_key else "")

    # Messages.

    def _seal(self, plaintext: bytes, _moment: Moment) -> bytes:
        nonce = p.random_bytes(p.GCM_NONCE)
        sealed = nonce + p.gcm_encrypt(self._session_key, nonce, plaintext)
        self._trail.note(
            "encrypt (AES-256-GCM)",
            plaintext,
            sealed,
            key=SESSION_KEY,
            protects="what is said, and that nobody without the key changes it",
            fields=laid_out(*sealed_parts(len(sealed))),
        )
        return self._framed("M", self._wrap(sealed))

    def _wrap(self, sealed: bytes) -> bytes:
        return sealed

    def _unwrap(self, payload: bytes) -> bytes:
        return payload

    def _take_message(self, frame: bytes, payload: bytes) -> None:
        try:
            self._trail.note(
                "receive frame M",
                frame,
                frame,
                fields=self.dissect("message", frame),
                protects="nothing: anybody can write a frame",
            )
            plaintext = self._open(self._unwrap(payload))
            if is_exit(decoded(plaintext)):
                self._finish("said", "", "exit")
            else:
                self._show(plaintext, "host" if self.role == "guest" else "guest", self.checks)
        except CheckFailed as failure:
            self._reject(failure)

    checks: tuple[str, ...] = ("GCM tag",)

    def _open(self, sealed: bytes) -> bytes:
        if len(sealed) < p.GCM_NONCE + p.GCM_TAG:
            raise CheckFailed("frame length", "too short for nonce and tag")
        try:
            plaintext = p.gcm_decrypt(self._session_key, sealed[: p.GCM_NONCE], sealed[p.GCM_NONCE :])
        except p.BadCrypto:
            raise CheckFailed("GCM tag", "the message was changed, or is under another key") from None
        return self._trail.note(
            "decrypt and check (AES-256-GCM)",
            sealed,
            plaintext,
            key=SESSION_KEY,
            protects="fails if a bit of nonce, ciphertext or tag is another",
        )

    def _note_sent(self, text: str) -> None:
        super()._note_sent(text)
        if is_exit(text):
            self._finish("left", "", "exit")

    def _say_goodbye(self, moment: Moment) -> None:
        if self.established:
            self._write(self._seal(b"exit", moment))

    def _framed(self, letter: str, payload: bytes) -> bytes:
        frame = framed(letter, payload)
        kind = _KINDS[ord(letter)][0]
        return self._trail.note(
            f"frame {letter}",
            payload,
            frame,
            fields=self.dissect(kind, frame),
            protects="nothing: type and length can be read and changed",
        )


def fingerprint(key: p.PublicKey) -> str:
    """Return SHA-256 of a key's PEM in hexadecimal; the ancestors show none."""
    return p.sha256(p.to_pem(key)).hex()
