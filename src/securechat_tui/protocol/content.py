"""Payloads that carry a conversation: names, where each direction stands, messages, acknowledgements."""

from dataclasses import dataclass, field
from enum import IntFlag
from struct import Struct
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import Reader, lp16, u8, u64
from securechat_tui.protocol.errors import LocalError, MalformedPayload
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.signing import Header, path_length
from securechat_tui.protocol.text import SafeText

TEXT_CONTENT: Final = 1
_MAX_CONTENT_LENGTH: Final = 1 + c.MAX_TEXT_LENGTH
_SIGNED: Final = Struct(f">{Header.LENGTH}s{c.HASH_LENGTH}sBB")
_PATHS: Final = tuple(Struct(f"{c.HASH_LENGTH}s" * siblings) for siblings in range(c.MAX_BATCH.bit_length()))
_UNSIGNED: Final = Struct(f">{c.GENERATION_LENGTH}sQQ")
_ACKNOWLEDGEMENT: Final = Struct(f">{c.GENERATION_LENGTH}sQ{c.HASH_LENGTH}s")


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
        header, salt, index, count = reader.fields(_SIGNED)
        if not index < count <= c.MAX_BATCH:
            raise MalformedPayload("place outside the batch")
        path = reader.fields(_PATHS[path_length(index, count)])
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
        generation, number, claimed_ms = reader.fields(_UNSIGNED)
        return cls(generation, number, claimed_ms, reader.rest(_MAX_CONTENT_LENGTH))


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
        return cls(*reader.fields(_ACKNOWLEDGEMENT))


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
        return cls(generation, number, reader.flag(), reader.take(c.HASH_LENGTH))
