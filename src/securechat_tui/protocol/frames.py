"""Frames: one byte of type, four bytes of big-endian length, payload.

Which types may come, and how long they may be, is the caller's knowledge of its state; a header
that does not fit is refused before a byte of its payload is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import FrameError

_HEADER: Final = Struct(">BI")
HEADER_LENGTH: Final = _HEADER.size
_SMALL_BUFFER: Final = 8 * 1024
MAX_BACKLOG: Final = 2 * c.RECORD_CAP
"""Bytes that may wait while this side is deciding; a peer has no reason to send more by then."""


class FrameType(IntEnum):
    """The letters of the frame header."""

    KEY = ord("K")
    SESSION = ord("S")
    FIN = ord("F")
    RECORD = ord("M")
    HINT = ord("H")


_TYPES: Final = {int(kind): kind for kind in FrameType}


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


def header(kind: FrameType, length: int) -> bytes:
    """Return what goes before a payload of ``length`` bytes."""
    return _HEADER.pack(kind, length)


def frame(kind: FrameType, payload: bytes) -> bytes:
    """Return the frame's bytes."""
    return header(kind, len(payload)) + payload


class FrameReader:
    """Cuts a stream of bytes, in whatever pieces it comes, into frames.

    What waits lies in the buffer from ``_start`` to ``_end``. The buffer has its full size only where
    that is needed: most handshakes do without.
    """

    __slots__ = ("_buffer", "_end", "_start")

    def __init__(self) -> None:
        self._buffer = bytearray(_SMALL_BUFFER)
        self._start = self._end = 0

    def feed(self, data: bytes | memoryview) -> None:
        """Take in bytes; raises :class:`FrameError` where the backlog passes its bound."""
        waiting = self._end - self._start
        if waiting + len(data) > MAX_BACKLOG:
            raise FrameError("too many bytes while the handshake waits")
        if self._end + len(data) > len(self._buffer):
            self._make_room(waiting + len(data))
        end = self._end + len(data)
        memoryview(self._buffer)[self._end : end] = data
        self._end = end

    def _make_room(self, wanted: int) -> None:
        """Move what waits to the front, of a larger buffer where ``wanted`` bytes do not fit."""
        waiting = self._buffer[self._start : self._end]
        if wanted > len(self._buffer):
            self._buffer = bytearray(MAX_BACKLOG)
        self._start, self._end = 0, len(waiting)
        self._buffer[: self._end] = waiting

    def next(self, admitted: Admitted) -> tuple[FrameType, bytes] | None:
        """Return the next whole frame, or None until more bytes come or, where none is admitted, may come.

        Raises :class:`FrameError` as soon as the header shows a type or length not admitted.
        """
        start, waiting = self._start, self._end - self._start
        if not (waiting and admitted):
            return None
        bounds = admitted.get(self._buffer[start])
        if bounds is None:
            raise FrameError("this type has no place here")
        if waiting < HEADER_LENGTH:
            return None
        kind, length = _HEADER.unpack_from(self._buffer, start)
        if not bounds.least <= length <= bounds.most:
            raise FrameError("too long" if length > bounds.most else "too short")
        if waiting < HEADER_LENGTH + length:
            return None
        begin = start + HEADER_LENGTH
        self._start = begin + length
        return _TYPES[kind], bytes(memoryview(self._buffer)[begin : self._start])


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
