"""The typed messages inside records: one schema, strict decoding, every field bounded.

A payload is one byte of kind and its fields. Kinds below 128 that are not listed are refused;
kinds from 128 up are room for later additions and are ignored where they are not known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final, TypeVar

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import Reader, lp16, u8, u32, u64
from securechat_tui.protocol.errors import LocalError, MalformedPayload
from securechat_tui.protocol.signing import Header, path_length
from securechat_tui.protocol.text import SafeText

TEXT_CONTENT: Final = 1
_MAX_CONTENT_LENGTH: Final = 1 + c.MAX_TEXT_LENGTH
FIRST_IGNORED_KIND: Final = 128


class Kind(IntEnum):
    """The first byte of a payload."""

    HELLO = 1
    RESUME = 2
    SIGNED = 3
    UNSIGNED = 4
    SIGNATURE = 5
    ACKNOWLEDGEMENT = 6
    GONE = 7
    COMPARISON_ASK = 8
    COMPARISON_COMMIT = 9
    COMPARISON_REPLY = 10
    COMPARISON_REVEAL = 11
    COMPARISON_STOP = 12
    REKEY_FIRST = 13
    REKEY_SECOND = 14
    PING = 15
    EMPTY = 16
    GOODBYE = 17


def decode_utf8(data: bytes) -> str:
    """Decode strict UTF-8; raises :class:`MalformedPayload`."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise MalformedPayload("not UTF-8") from None


def text_content(text: str) -> bytes:
    """Return the content bytes of a text message; the caller has checked the length."""
    return u8(TEXT_CONTENT) + text.encode()


def read_content(content: bytes) -> SafeText:
    """Return the text of a message's content; raises :class:`MalformedPayload`."""
    if content[:1] != u8(TEXT_CONTENT):
        raise MalformedPayload("unknown content")
    if len(content) == 1:
        raise MalformedPayload("empty message")
    return SafeText.multi(decode_utf8(content[1:]))


class HelloFlag(IntFlag):
    """What a peer declares about itself."""

    SIGNATURES_REQUIRED = 1
    DURABLE = 2


@dataclass(frozen=True, slots=True)
class Hello:
    """The first payload of each side: name, Unix time in milliseconds, flags."""

    name: SafeText
    time_ms: int
    flags: HelloFlag

    def encode(self) -> bytes:
        """Return the payload."""
        name = self.name.encode()
        if len(name) > c.MAX_NAME_LENGTH:
            raise LocalError("name too long")
        return u8(Kind.HELLO) + lp16(name) + u64(self.time_ms) + u8(self.flags)

    @classmethod
    def decode(cls, reader: Reader) -> "Hello":
        """Read the fields; unknown flags are ignored."""
        name = SafeText.name(decode_utf8(reader.bounded(2, c.MAX_NAME_LENGTH)))
        return cls(name, reader.number(8), HelloFlag(reader.number(1) & 3))


@dataclass(frozen=True, slots=True)
class Resume:
    """Where each direction stands.

    ``generation`` is the sender's own; ``peer_generation`` the last it saw of the receiver's (zeros
    for none), with ``high`` the last number it holds of that and ``running`` the running hash there.
    """

    conversation: bytes
    generation: bytes
    peer_generation: bytes
    high: int
    running: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return (
            u8(Kind.RESUME)
            + self.conversation
            + self.generation
            + self.peer_generation
            + u64(self.high)
            + self.running
        )

    @classmethod
    def decode(cls, reader: Reader) -> "Resume":
        """Read the fields."""
        return cls(
            reader.take(c.HASH_LENGTH),
            reader.take(c.GENERATION_LENGTH),
            reader.take(c.GENERATION_LENGTH),
            reader.number(8),
            reader.take(c.HASH_LENGTH),
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """A leaf of a batch: header, salt (32 bytes), place and path in the batch, content."""

    header: bytes
    salt: bytes = field(repr=False)
    index: int
    count: int
    path: tuple[bytes, ...]
    content: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the payload."""
        place = u8(self.index) + u8(self.count)
        return u8(Kind.SIGNED) + self.header + self.salt + place + b"".join(self.path) + self.content

    @classmethod
    def decode(cls, reader: Reader) -> "Signed":
        """Read the fields; the path's length follows from the place in the batch."""
        header, salt = reader.take(Header.LENGTH), reader.take(c.HASH_LENGTH)
        index, count = reader.number(1), reader.number(1)
        if not index < count <= c.MAX_BATCH:
            raise MalformedPayload("place outside the batch")
        path = tuple(reader.take(c.HASH_LENGTH) for _ in range(path_length(index, count)))
        return cls(header, salt, index, count, path, reader.rest(_MAX_CONTENT_LENGTH))


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A message that only the session vouches for; claimed time in Unix milliseconds."""

    generation: bytes
    number: int
    claimed_ms: int
    content: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.UNSIGNED) + self.fields() + self.content

    def fields(self) -> bytes:
        """Return the fixed part."""
        return self.generation + u64(self.number) + u64(self.claimed_ms)

    @classmethod
    def decode(cls, reader: Reader) -> "Unsigned":
        """Read the fields."""
        return cls(
            reader.take(c.GENERATION_LENGTH),
            reader.number(8),
            reader.number(8),
            reader.rest(_MAX_CONTENT_LENGTH),
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """One RSA-PSS signature over a Merkle root; the leaves follow."""

    count: int
    root: bytes
    signature: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.SIGNATURE) + u8(self.count) + self.root + lp16(self.signature)

    @classmethod
    def decode(cls, reader: Reader) -> "Signature":
        """Read the fields."""
        count = reader.number(1)
        if not 1 <= count <= c.MAX_BATCH:
            raise MalformedPayload("batch size")
        return cls(count, reader.take(c.HASH_LENGTH), reader.bounded(2, c.MAX_SIGNATURE_LENGTH))


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Everything up to ``high`` of this generation is stored; ``running`` is the hash there."""

    generation: bytes
    high: int
    running: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.ACKNOWLEDGEMENT) + self.generation + u64(self.high) + self.running

    @classmethod
    def decode(cls, reader: Reader) -> "Acknowledgement":
        """Read the fields."""
        return cls(reader.take(c.GENERATION_LENGTH), reader.number(8), reader.take(c.HASH_LENGTH))


@dataclass(frozen=True, slots=True)
class Gone:
    """Message ``number`` was cancelled or has expired before it was delivered.

    ``item`` is what the running hash takes for it; ``signed`` tells whether that is a header hash,
    which the author's next signed header then names as its predecessor.
    """

    generation: bytes
    number: int
    signed: bool
    item: bytes

    def encode(self) -> bytes:
        """Return the payload."""
        return u8(Kind.GONE) + self.generation + u64(self.number) + u8(self.signed) + self.item

    @classmethod
    def decode(cls, reader: Reader) -> "Gone":
        """Read the fields."""
        generation, number = reader.take(c.GENERATION_LENGTH), reader.number(8)
        return cls(generation, number, _flag(reader), reader.take(c.HASH_LENGTH))


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
        return cls(_member(StopReason, reader.number(1)))


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
        return cls(_flag(reader), reader.number(8))


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
        return cls(_member(GoodbyeReason, reader.number(1)))


Payload = (
    Hello
    | Resume
    | Signed
    | Unsigned
    | Signature
    | Acknowledgement
    | Gone
    | ComparisonAsk
    | ComparisonStep
    | ComparisonStop
    | RekeyFirst
    | RekeySecond
    | Ping
    | Empty
    | Goodbye
)

_DECODERS: Mapping[int, Callable[[Reader], Payload]] = {
    Kind.HELLO: Hello.decode,
    Kind.RESUME: Resume.decode,
    Kind.SIGNED: Signed.decode,
    Kind.UNSIGNED: Unsigned.decode,
    Kind.SIGNATURE: Signature.decode,
    Kind.ACKNOWLEDGEMENT: Acknowledgement.decode,
    Kind.GONE: Gone.decode,
    Kind.COMPARISON_ASK: lambda _: ComparisonAsk(),
    Kind.COMPARISON_COMMIT: ComparisonStep.decoder(Kind.COMPARISON_COMMIT),
    Kind.COMPARISON_REPLY: ComparisonStep.decoder(Kind.COMPARISON_REPLY),
    Kind.COMPARISON_REVEAL: ComparisonStep.decoder(Kind.COMPARISON_REVEAL),
    Kind.COMPARISON_STOP: ComparisonStop.decode,
    Kind.REKEY_FIRST: RekeyFirst.decode,
    Kind.REKEY_SECOND: RekeySecond.decode,
    Kind.PING: Ping.decode,
    Kind.EMPTY: lambda _: Empty(),
    Kind.GOODBYE: Goodbye.decode,
}


def decode_payload(data: bytes) -> Payload | None:
    """Read a payload; None for an unknown kind that is to be ignored.

    Raises :class:`MalformedPayload` for an empty payload, an unknown kind below 128, and fields that
    are cut off, out of bounds or followed by more bytes.
    """
    reader = Reader(data)
    kind = reader.number(1)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        if kind >= FIRST_IGNORED_KIND:
            return None
        raise MalformedPayload("unknown kind")
    payload = decoder(reader)
    reader.end()
    return payload


def _flag(reader: Reader) -> bool:
    value = reader.number(1)
    if value > 1:
        raise MalformedPayload("neither 0 nor 1")
    return bool(value)


E = TypeVar("E", bound=IntEnum)


def _member(enum: type[E], value: int) -> E:
    try:
        return enum(value)
    except ValueError:
        raise MalformedPayload("unknown reason") from None
