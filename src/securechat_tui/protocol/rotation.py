"""Statements by which an old identity key names its successor."""

from dataclasses import dataclass, replace
from typing import Self

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import Reader, encode, lp16, u8, u32
from securechat_tui.protocol.errors import HandshakeFailure, MalformedPayload
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.primitives import CryptoFailure


@dataclass(frozen=True, slots=True)
class Rotation:
    """``old`` (a fingerprint) says that ``new`` follows it; ``counter`` orders its statements."""

    old: bytes
    new: bytes
    counter: int
    signature: bytes

    @classmethod
    def sign(cls, old: IdentityKey, new: PublicIdentity, counter: int) -> Self:
        """Let the old key say that ``new`` follows it; takes milliseconds."""
        statement = cls(bytes(old.public.fingerprint), bytes(new.fingerprint), counter, b"")
        return replace(statement, signature=old.sign(statement.message()))

    def message(self) -> bytes:
        """Return the bytes that the old key signs."""
        return encode(c.LABEL_ROTATION, self.old, self.new, u32(self.counter))

    def verify(self, old: PublicIdentity) -> None:
        """Check the statement against the pinned old key; raises :class:`HandshakeFailure`."""
        if old.fingerprint != self.old:
            raise HandshakeFailure("rotation of another key")
        try:
            old.verify(self.signature, self.message())
        except CryptoFailure:
            raise HandshakeFailure("rotation signature") from None


def encode_rotations(rotations: tuple[Rotation, ...]) -> bytes:
    """Return their number and the statements, as they stand in E_H and E_G."""
    return u8(len(rotations)) + b"".join(
        rotation.old + rotation.new + u32(rotation.counter) + lp16(rotation.signature)
        for rotation in rotations
    )


def read_rotations(reader: Reader) -> tuple[Rotation, ...]:
    """Read at most two statements; raises :class:`MalformedPayload`."""
    count = reader.number(1)
    if count > c.MAX_ROTATIONS:
        raise MalformedPayload("too many rotations")
    return tuple(
        Rotation(
            reader.take(c.HASH_LENGTH),
            reader.take(c.HASH_LENGTH),
            reader.number(4),
            reader.bounded(2, c.MAX_SIGNATURE_LENGTH),
        )
        for _ in range(count)
    )
