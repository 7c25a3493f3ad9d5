"""*signed-gcm*: *gcm* with a key for the guest as well, and a signature over each message.

The guest sends its ``K`` at once on connecting. ``M`` is a 4-byte big-endian signature length, the PSS
signature over nonce, ciphertext and tag, and then those. The signature is checked before anything is
decrypted; a message with a bad one is reported and skipped.
"""

from typing import Final

from securechat_tui.lab import gcm
from securechat_tui.lab import primitives as p
from securechat_tui.lab.gcm import GcmPeer, sealed_parts
from securechat_tui.lab.steps import Field, laid_out
from securechat_tui.lab.units import HEADER, MAX_UNIT, CheckFailed, Framed

__all__ = ["SignedGcmPeer", "dissect", "splitter"]

_LENGTH: Final = 4
_MAX_SIGNATURE: Final = 1024
_KINDS: Final = {ord("K"): ("key", p.MAX_PEM), ord("S"): ("session", 512), ord("M"): ("message", MAX_UNIT)}


def dissect(kind: str, data: bytes) -> tuple[Field, ...]:
    """Name the parts of a frame."""
    if kind != "message":
        return gcm.dissect(kind, data)
    return laid_out(("type", 1), ("length", HEADER - 1), *_signed_parts(data[HEADER:]))


def _signed_parts(payload: bytes) -> tuple[tuple[str, int], ...]:
    prefix = min(_LENGTH, len(payload))
    length = min(int.from_bytes(payload[:prefix], "big"), len(payload) - prefix)
    rest = sealed_parts(len(payload) - prefix - length)
    return (("signature length", prefix), ("signature", length), *rest)


def splitter(role: str) -> Framed:
    """Cut what ``role`` writes."""
    return Framed(role, _KINDS, dissect)


class SignedGcmPeer(GcmPeer):
    """Either side of *signed-gcm*; both have a key."""

    dissect = staticmethod(dissect)
    checks = ("signature", "GCM tag")

    @staticmethod
    def splitter(role: str) -> Framed:
        """Cut what ``role`` writes."""
        return splitter(role)

    def _begin(self) -> None:
        self._send_key()

    def _expects_key(self) -> bool:
        return self._peer_key is None

    def _wrap(self, sealed: bytes) -> bytes:
        signature = p.pss_sign(self._key, sealed)
        payload = len(signature).to_bytes(_LENGTH, "big") + signature + sealed
        return self._trail.note(
            "sign (RSA-PSS)",
            sealed,
            payload,
            key="own private key",
            protects="who wrote it; but not to whom, nor when, nor as which message",
            fields=laid_out(*_signed_parts(payload)),
        )

    def _unwrap(self, payload: bytes) -> bytes:
        length = int.from_bytes(payload[:_LENGTH], "big")
        if len(payload) < _LENGTH or length > min(_MAX_SIGNATURE, len(payload) - _LENGTH):
            raise CheckFailed("signature", "the signature's length does not fit the frame")
        signature, sealed = payload[_LENGTH : _LENGTH + length], payload[_LENGTH + length :]
        if self._peer_key is None:
            raise CheckFailed("signature", "no key to check it with")
        try:
            p.pss_verify(self._peer_key, signature, sealed)
        except p.BadCrypto:
            raise CheckFailed("signature", "not made by the peer's key over this message") from None
        return self._trail.note(
            "check the signature (RSA-PSS)",
            payload,
            sealed,
            key="the peer's public key",
            protects="fails unless the owner of that key signed these bytes",
        )
