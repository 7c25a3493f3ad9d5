"""What the running hash took for each number of one generation: recent ones at hand, older ones looked up."""

from collections.abc import Callable
from typing import Final

from securechat_tui.protocol.constants import HASH_LENGTH

__all__ = ["Items", "Lookup"]

Lookup = Callable[[bytes, int], bytes | None]
"""Finds the item (32 bytes) of a generation and number where it is kept; None where it is not."""

_AT_HAND: Final = 4096


def _nowhere(generation: bytes, number: int) -> bytes | None:
    del generation, number
    return None


class Items:
    """The items of the numbers from 1 up. Memory holds the last few thousand at most."""

    def __init__(self, older: Lookup = _nowhere) -> None:
        self._older = older
        self.begin(b"", 0)

    def begin(self, generation: bytes, last: int) -> None:
        """Go on after number ``last`` of a generation."""
        self._generation = generation
        self._before = last
        """The last number that is not at hand."""
        self._items = bytearray()

    def append(self, item: bytes) -> None:
        """Take the next number's."""
        self._items += item
        if len(self._items) > 2 * _AT_HAND * HASH_LENGTH:
            del self._items[: _AT_HAND * HASH_LENGTH]
            self._before += _AT_HAND

    def cut(self, last: int) -> None:
        """Forget what came after number ``last``."""
        del self._items[max(0, last - self._before) * HASH_LENGTH :]
        self._before = min(self._before, last)

    def __getitem__(self, number: int) -> bytes | None:
        """Return a number's item; None for one that is not known."""
        end = (number - self._before) * HASH_LENGTH
        if end > len(self._items):
            return None
        if end > 0:
            return bytes(self._items[end - HASH_LENGTH : end])
        return self._older(self._generation, number) if number > 0 else None
