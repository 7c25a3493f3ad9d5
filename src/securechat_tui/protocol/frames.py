"""Frames: one byte of type, four bytes of big-endian length, payload.

Which types may come, and how long they may be, is the caller's knowledge of its state; a header
that does not fit is refused before a byte of its payload is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import FrameError

HEADER_LENGTH: Final = 5
MAX_BACKLOG: Final = 2 * c.RECORD_CAP
"""Bytes that may wait while this side is deciding; a peer has no reason to send more by then."""


class FrameType(IntEnum):
    """The letters of the frame header."""

    KEY = ord("K")
    SESSION = ord("S")
    FIN = ord("F")
    RECORD = ord("M")
    HINT = ord("H")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest payload length of a frame, in bytes."""

    least: int
    most: int

    @classmethod
    def exactly(cls, length: int) -> "Bounds":
        """Only this length."""
        return cls(length, length)


Admitted = Mapping[int, Bounds]
"""The frame types that may come now, and their lengths."""


def frame(kind: FrameType, payload: bytes) -> bytes:
    """Return the frame's bytes."""
    return bytes((kind,)) + len(payload).to_bytes(4, "big") + payload


class FrameReader:
    """Cuts a stream of bytes, in whatever pieces it comes, into frames."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes | memoryview) -> None:
        """Take in bytes; raises :class:`FrameError` where the backlog passes its bound."""
        if len(self._buffer) + len(data) > MAX_BACKLOG:
            raise FrameError("too many bytes while the handshake waits")
        self._buffer += data

    def next(self, admitted: Admitted) -> tuple[FrameType, bytes] | None:
        """Return the next whole frame, or None until more bytes come or, where none is admitted, may come.

        Raises :class:`FrameError` as soon as the header shows a type or length not admitted.
        """
        if not (self._buffer and admitted):
            return None
        bounds = admitted.get(self._buffer[0])
        if bounds is None:
            raise FrameError("this type has no place here")
        if len(self._buffer) < HEADER_LENGTH:
            return None
        length = int.from_bytes(self._buffer[1:HEADER_LENGTH], "big")
        if not bounds.least <= length <= bounds.most:
            raise FrameError("too long" if length > bounds.most else "too short")
        end = HEADER_LENGTH + length
        if len(self._buffer) < end:
            return None
        kind, payload = FrameType(self._buffer[0]), bytes(memoryview(self._buffer)[HEADER_LENGTH:end])
        del self._buffer[:end]
        return kind, payload


def encode_hint(code: int, versions: tuple[int, ...]) -> bytes:
    """Return a hint's payload: an unauthenticated reason and the versions its sender speaks."""
    return bytes((code, len(versions))) + b"".join(version.to_bytes(2, "big") for version in versions)


def decode_hint(payload: bytes) -> tuple[int, tuple[int, ...]]:
    """Read a hint; raises :class:`FrameError`."""
    count = payload[1]
    if count > c.MAX_OFFERED_VERSIONS or len(payload) != 2 + 2 * count:
        raise FrameError("malformed hint")
    versions = tuple(int.from_bytes(payload[2 + 2 * i : 4 + 2 * i], "big") for i in range(count))
    return payload[0], versions
