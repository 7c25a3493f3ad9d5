"""Rekeying inside a session: fresh X25519 and ML-KEM-768, both halves signed.

The guest starts; the host answers. The new root is bound to the old one, the epoch, both halves
and T3, so that a stolen session state heals as long as the identity keys are safe.
"""

from dataclasses import dataclass

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import encode, u32
from securechat_tui.protocol.errors import RekeyFailure
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.payloads import RekeyFirst, RekeySecond
from securechat_tui.protocol.primitives import CryptoFailure


def first_message(t3: bytes, epoch: int, x25519: bytes, encapsulation_key: bytes) -> bytes:
    """Return the bytes that the guest signs."""
    return encode(c.LABEL_REKEY_FIRST, t3, u32(epoch), x25519, encapsulation_key)


def second_message(t3: bytes, epoch: int, first: bytes, x25519: bytes, ciphertext: bytes) -> bytes:
    """Return the bytes that the host signs; ``first`` is the whole first payload."""
    return encode(c.LABEL_REKEY_SECOND, t3, u32(epoch), primitives.sha256(first), x25519, ciphertext)


def next_root(root: bytes, shared: bytes, t3: bytes, epoch: int, *, halves: tuple[bytes, bytes]) -> bytes:
    """Return the root of the new epoch, 32 bytes.

    ``shared`` is the ML-KEM secret, then the X25519 one; ``halves`` are the two whole payloads.
    """
    secret = primitives.hkdf_extract(root, shared)
    return primitives.hkdf_expand(secret, c.LABEL_REKEY_ROOT, t3, u32(epoch), *map(primitives.sha256, halves))


def _check(peer: PublicIdentity, signature: bytes, message: bytes) -> None:
    try:
        peer.verify(signature, message)
    except CryptoFailure:
        raise RekeyFailure("signature") from None


class GuestRekey:
    """The guest's side of one rekey."""

    def __init__(self, t3: bytes, epoch: int) -> None:
        self.epoch = epoch
        self._t3 = t3
        self._exchange = primitives.Exchange()
        self._encapsulation = primitives.Encapsulation()
        self._first = b""

    def message(self) -> bytes:
        """Return what is to be signed."""
        return first_message(self._t3, self.epoch, self._exchange.public, self._encapsulation.public)

    def first(self, signature: bytes) -> RekeyFirst:
        """Return the first half."""
        half = RekeyFirst(self.epoch, self._exchange.public, self._encapsulation.public, signature)
        self._first = half.encode()
        return half

    def finish(self, root: bytes, peer: PublicIdentity, second: RekeySecond) -> bytes:
        """Check the second half and return the new root; raises :class:`RekeyFailure`."""
        if not self._first or second.epoch != self.epoch:
            raise RekeyFailure("second half out of place")
        message = second_message(self._t3, self.epoch, self._first, second.x25519, second.ciphertext)
        _check(peer, second.signature, message)
        try:
            shared = self._encapsulation.open(second.ciphertext) + self._exchange.agree(second.x25519)
        except CryptoFailure:
            raise RekeyFailure("keys of the second half") from None
        return next_root(root, shared, self._t3, self.epoch, halves=(self._first, second.encode()))


@dataclass(frozen=True, slots=True, repr=False)
class HostRekey:
    """The host's side of one rekey, between checking the first half and signing the second."""

    t3: bytes
    epoch: int
    shared: bytes
    first: bytes
    x25519: bytes
    ciphertext: bytes

    @classmethod
    def answer(cls, t3: bytes, peer: PublicIdentity, first: RekeyFirst) -> "HostRekey":
        """Check the first half and make this side's keys; raises :class:`RekeyFailure`."""
        message = first_message(t3, first.epoch, first.x25519, first.encapsulation_key)
        _check(peer, first.signature, message)
        exchange = primitives.Exchange()
        try:
            kem_secret, ciphertext = primitives.encapsulate(first.encapsulation_key)
            shared = kem_secret + exchange.agree(first.x25519)
        except CryptoFailure:
            raise RekeyFailure("keys of the first half") from None
        return cls(t3, first.epoch, shared, first.encode(), exchange.public, ciphertext)

    def message(self) -> bytes:
        """Return what is to be signed."""
        return second_message(self.t3, self.epoch, self.first, self.x25519, self.ciphertext)

    def second(self, signature: bytes) -> RekeySecond:
        """Return the second half."""
        return RekeySecond(self.epoch, self.x25519, self.ciphertext, signature)

    def root(self, root: bytes, second: RekeySecond) -> bytes:
        """Return the new root."""
        return next_root(root, self.shared, self.t3, self.epoch, halves=(self.first, second.encode()))
