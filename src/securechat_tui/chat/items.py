"""What the running hash took for each number of one generation: recent ones at hand, older ones looked up."""

from collections.abc import Callable
from functools import partial
from typing import Final

from securechat_tui.protocol.constants import HASH_LENGTH

__all__ = ["Items", "Lookup", "NotAtHand"]

Lookup = Callable[[bytes, int], bytes | None]
"""Finds the item (32 bytes) of a generation and number where it is kept; None where it is not. It blocks."""

_AT_HAND: Final = 4096


class NotAtHand(Exception):
    """The store alone may have an item: ``learn`` is given what ``ask`` says, and then it is at hand."""

    def __init__(self, ask: Callable[[], bytes | None], learn: Callable[[bytes | None], None]) -> None:
        """``ask`` blocks, and is for a thread in which nothing else uses the store."""
        super().__init__()
        self.ask, self.learn = ask, learn


class Items:
    """The items of the numbers from 1 up. Memory holds the last few thousand at most."""

    def __init__(self, older: Lookup | None = None) -> None:
        self._older = older
        self._learnt: tuple[bytes, int, bytes | None] = b"", 0, None
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
        """Return a number's item, None for one not known; raises NotAtHand for one to be looked up."""
        end = (number - self._before) * HASH_LENGTH
        if end > len(self._items):
            return None
        if end > 0:
            return bytes(self._items[end - HASH_LENGTH : end])
        return self._look_up(number) if number > 0 else None

    def _look_up(self, number: int) -> bytes | None:
        place = self._generation, number
        if self._older is None:
            return None
        if self._learnt[:2] != place:
            raise NotAtHand(partial(self._older, *place), partial(self._learn, place))
        return self._learnt[2]

    def _learn(self, place: tuple[bytes, int], item: bytes | None) -> None:
        self._learnt = *place, item
