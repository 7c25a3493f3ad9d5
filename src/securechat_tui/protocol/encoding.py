"""The two building blocks of every layout: unambiguous concatenation and a bounded reader."""

from enum import IntEnum
from struct import Struct
from typing import Any, Self, TypeVar

from securechat_tui.protocol.errors import MalformedPayload

E = TypeVar("E", bound=IntEnum)


def lp(value: bytes) -> bytes:
    """Return ``value`` behind its length as four big-endian bytes."""
    return len(value).to_bytes(4, "big") + value


def encode(*parts: bytes) -> bytes:
    """Return the injective encoding of a list of byte strings: each behind its length."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def u8(value: int) -> bytes:
    """Return one byte."""
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    """Return two bytes, big-endian."""
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    """Return four bytes, big-endian."""
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    """Return eight bytes, big-endian."""
    return value.to_bytes(8, "big")


def lp16(value: bytes) -> bytes:
    """Return ``value`` behind its length as two big-endian bytes."""
    return len(value).to_bytes(2, "big") + value


class Reader:
    """Reads a layout from front to back.

    Every method raises :class:`MalformedPayload` where the bytes end too soon or a bound is passed.
    """

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self._position = start

    @classmethod
    def whole(cls, data: bytes | memoryview) -> Self:
        """Return a reader over a copy of ``data``."""
        return cls(bytes(data))

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes."""
        end = self._position + length
        if end > len(self._data):
            raise MalformedPayload("ends too soon")
        part = self._data[self._position : end]
        self._position = end
        return part

    def number(self, length: int) -> int:
        """Return an unsigned big-endian number of ``length`` bytes."""
        return int.from_bytes(self.take(length), "big")

    def fields(self, layout: Struct) -> tuple[Any, ...]:
        """Return the fields of a layout of fixed length."""
        start, self._position = self._position, self._position + layout.size
        if self._position > len(self._data):
            raise MalformedPayload("ends too soon")
        return layout.unpack_from(self._data, start)

    def flag(self) -> bool:
        """Return one byte that is 0 or 1."""
        value = self.number(1)
        if value > 1:
            raise MalformedPayload("neither 0 nor 1")
        return bool(value)

    def member(self, enum: type[E]) -> E:
        """Return one byte as a member of ``enum``."""
        try:
            return enum(self.number(1))
        except ValueError:
            raise MalformedPayload("unknown value") from None

    def bounded(self, prefix: int, limit: int) -> bytes:
        """Return a field behind a length of ``prefix`` bytes that may be at most ``limit``."""
        length = self.number(prefix)
        if length > limit:
            raise MalformedPayload("field too long")
        return self.take(length)

    def rest(self, limit: int) -> bytes:
        """Return everything that is left, at most ``limit`` bytes."""
        part = self._data[self._position :]
        if len(part) > limit:
            raise MalformedPayload("field too long")
        self._position = len(self._data)
        return part

    def end(self) -> None:
        """Refuse bytes that are left over."""
        if self._position != len(self._data):
            raise MalformedPayload("bytes left over")

    def zeros(self) -> None:
        """Refuse anything but zero bytes up to the end."""
        if self.rest(len(self._data)).strip(b"\0"):
            raise MalformedPayload("padding is not zero")
