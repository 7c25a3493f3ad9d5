"""How long to wait before dialling again."""

import random
from typing import Protocol, Self

__all__ = ["Backoff"]

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
GROWTH = 2.0
JITTER = 0.25


class _Uniform(Protocol):
    def uniform(self, a: float, b: float, /) -> float: ...


class Backoff:
    """An endless iterator of pauses in seconds: 1, 2, 4 ... 60, each a quarter more or less.

    The jitter keeps guests whose host was restarted from coming back all at once.
    """

    def __init__(self, chance: _Uniform | None = None) -> None:
        self._chance = chance or random.SystemRandom()
        self._pause = FIRST_PAUSE

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> float:
        pause, self._pause = self._pause, min(self._pause * GROWTH, LONGEST_PAUSE)
        return pause * self._chance.uniform(1 - JITTER, 1 + JITTER)

    def reset(self) -> None:
        """Begin again with the shortest pause: the last attempt led to a session."""
        self._pause = FIRST_PAUSE
