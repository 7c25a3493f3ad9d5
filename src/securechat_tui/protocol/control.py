"""Payloads that carry the session itself: comparison, rekey, ping, the end."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import Reader, lp16, u8, u32, u64
from securechat_tui.protocol.kinds import Kind


@dataclass(frozen=True, slots=True)
class ComparisonAsk:
    """A person on the sender's side would like to compare codes."""

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.COMPARISON_ASK)


@dataclass(frozen=True, slots=True)
class ComparisonStep:
    """One of the three steps of a comparison run, 32 bytes each.

    ``kind`` is COMPARISON_COMMIT (guest), COMPARISON_REPLY (host) or COMPARISON_REVEAL (guest).
    """

    kind: Kind
    value: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(self.kind) + self.value

    @classmethod
    def decoder(cls, kind: Kind) -> "Callable[[Reader], ComparisonStep]":
        """Return the reader of one step."""
        return lambda reader: cls(kind, reader.take(c.HASH_LENGTH))


class StopReason(IntEnum):
    """Why a comparison run is over."""

    DECLINED = 1
    MISMATCH = 2


@dataclass(frozen=True, slots=True)
class ComparisonStop:
    """The sender takes no (further) part in this comparison run."""

    reason: StopReason

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.COMPARISON_STOP) + u8(self.reason)

    @classmethod
    def decode(cls, reader: Reader) -> "ComparisonStop":
        """Read the field."""
        return cls(reader.member(StopReason))


@dataclass(frozen=True, slots=True)
class RekeyFirst:
    """The guest's half of a rekey: the new epoch, fresh public keys, signature."""

    epoch: int
    x25519: bytes
    encapsulation_key: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        keys = self.x25519 + self.encapsulation_key
        return u8(Kind.REKEY_FIRST) + u32(self.epoch) + keys + lp16(self.signature)

    @classmethod
    def decode(cls, reader: Reader) -> "RekeyFirst":
        """Read the fields."""
        return cls(
            reader.number(4),
            reader.take(c.X25519_LENGTH),
            reader.take(c.MLKEM_KEY_LENGTH),
            reader.bounded(2, c.MAX_SIGNATURE_LENGTH),
        )


@dataclass(frozen=True, slots=True)
class RekeySecond:
    """The host's half of a rekey."""

    epoch: int
    x25519: bytes
    ciphertext: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        keys = self.x25519 + self.ciphertext
        return u8(Kind.REKEY_SECOND) + u32(self.epoch) + keys + lp16(self.signature)

    @classmethod
    def decode(cls, reader: Reader) -> "RekeySecond":
        """Read the fields."""
        return cls(
            reader.number(4),
            reader.take(c.X25519_LENGTH),
            reader.take(c.MLKEM_CIPHERTEXT_LENGTH),
            reader.bounded(2, c.MAX_SIGNATURE_LENGTH),
        )


@dataclass(frozen=True, slots=True)
class Ping:
    """A question (``answer`` false) or its answer, with the question's token."""

    answer: bool
    token: int

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.PING) + u8(self.answer) + u64(self.token)

    @classmethod
    def decode(cls, reader: Reader) -> "Ping":
        """Read the fields."""
        return cls(reader.flag(), reader.number(8))


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing: it only carries a record of the new epoch."""

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.EMPTY)


class GoodbyeReason(IntEnum):
    """Why the sender ends the session."""

    LEAVING = 1
    REJECTED = 2
    REPLACED = 3
    GATED = 4


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last record of its sender: an end that a cut cannot be mistaken for."""

    reason: GoodbyeReason

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.GOODBYE) + u8(self.reason)

    @classmethod
    def decode(cls, reader: Reader) -> "Goodbye":
        """Read the field."""
        return cls(reader.member(GoodbyeReason))
