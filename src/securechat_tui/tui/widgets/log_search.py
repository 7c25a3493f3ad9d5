"""Finding a word in the chat log: the newest hit first, a part of the log at a time.

A hit is an entry that holds the word. What comes in while the search goes on is searched as it comes.
"""

import re
from array import array
from bisect import bisect_left
from typing import Final

from securechat_tui.tui.widgets.log_model import LogModel
from securechat_tui.tui.widgets.log_store import CHUNK

__all__ = ["LogSearch", "pattern_of"]

_CHARACTERS_AT_ONCE: Final = 200_000
"""What is looked through in one step: some milliseconds."""
_CHUNKS_AT_ONCE: Final = 32


def pattern_of(word: str) -> re.Pattern[str]:
    """What a hit of a word holds."""
    return re.compile(re.escape(word), re.IGNORECASE)


class LogSearch:
    """One word, in upper or lower case, and the entries it is in. Hit 0 is the newest."""

    def __init__(self, word: str, model: LogModel) -> None:
        self.word = word
        self.pattern = pattern_of(word)
        self.current: int | None = None
        """The entry of the hit one is at."""
        self.is_exhausted = False
        """Whether there is no hit outside the log."""
        self._model = model
        self._begin = model.stop
        self._down = self._begin
        """Down to which entry the log has been looked through."""
        self._older = array("q")
        """Minus the place of each hit below ``_begin``: found newest first, so it rises."""
        self._newer = array("q")

    def __len__(self) -> int:
        return len(self._older) + len(self._newer)

    @property
    def is_done(self) -> bool:
        """Whether the whole log has been looked through."""
        return self._down <= self._model.first

    @property
    def rank(self) -> int | None:
        """Which hit the current one is, counted from the newest."""
        if self.current is None:
            return None
        if self.current >= self._begin:
            return len(self._newer) - 1 - bisect_left(self._newer, self.current)
        return len(self._newer) + bisect_left(self._older, -self.current)

    def has_more(self, *, older: bool) -> bool:
        """Whether a hit is known that is older than the current one, or newer."""
        rank = self.rank
        if rank is None:
            return len(self) > 0
        return rank < len(self) - 1 if older else rank > 0

    def again(self) -> "LogSearch":
        """The same search in a log that holds other entries now."""
        again = LogSearch(self.word, self._model)
        again.is_exhausted = self.is_exhausted
        if self.current is not None and self._model.first <= self.current < self._model.stop:
            again.current = self.current
        return again

    def advance(self) -> None:
        """Look through the next part of the log, towards older entries."""
        chunks, characters = _CHUNKS_AT_ONCE, _CHARACTERS_AT_ONCE
        while not self.is_done and chunks > 0 and characters > 0:
            first, texts = self._model.texts((self._down - 1) // CHUNK)
            self._search_chunk(first, texts)
            self._down = first
            chunks -= 1
            characters -= sum(map(len, texts))

    def _search_chunk(self, first: int, texts: list[str]) -> None:
        for position in range(min(len(texts), self._down - first) - 1, -1, -1):
            if self.pattern.search(texts[position]):
                self._older.append(-(first + position))

    def take(self, index: int, text: str) -> None:
        """Search an entry that has just come."""
        if self.pattern.search(text):
            self._newer.append(index)

    def step(self, *, older: bool) -> int | None:
        """Go to the next hit that is older, or newer; past the last one begin again. Its entry."""
        if not len(self):
            return None
        rank = self.rank
        rank = 0 if rank is None else (rank + (1 if older else -1)) % len(self)
        self.current = self._hit(rank)
        return self.current

    def _hit(self, rank: int) -> int:
        newer = len(self._newer)
        return self._newer[newer - 1 - rank] if rank < newer else -self._older[rank - newer]

    def place(self, text: str) -> int:
        """The first character of the word in an entry's text."""
        found = self.pattern.search(text)
        return found.start() if found else 0

    def spans(self, text: str, start: int, stop: int) -> list[tuple[int, int]]:
        """Where the word is in ``text[start:stop]``, also where it only begins or ends there."""
        reach = len(self.word) - 1
        found = self.pattern.finditer(text, max(0, start - reach), min(len(text), stop + reach))
        return [match.span() for match in found]
