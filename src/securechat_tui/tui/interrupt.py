"""Which keys are meant: twice within a few seconds, or after a pause."""

from collections.abc import Callable

__all__ = ["LEAVE_HINT", "SECONDS_TO_PAUSE", "SECONDS_TO_REPEAT", "DoublePress", "TypingPause"]

LEAVE_HINT = "Ctrl+C again leaves."
SECONDS_TO_REPEAT = 3.0
SECONDS_TO_PAUSE = 0.5
"""Longer than between two letters of a sentence, shorter than it takes to read one."""


class DoublePress:
    """Tells a second press soon after the first from two single ones. Time is an argument."""

    def __init__(self, seconds: float = SECONDS_TO_REPEAT) -> None:
        self._seconds = seconds
        self._last: float | None = None

    def press(self, now: float) -> bool:
        """Note a press at ``now`` (seconds); True if it is the second of a pair."""
        twice = self._last is not None and now - self._last <= self._seconds
        self._last = None if twice else now
        return twice

    def forget(self) -> None:
        """The next press is a first one."""
        self._last = None


class TypingPause:
    """Tells a key that answers what is on the screen from the end of a sentence typed before it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: float | None = None
        self._is_over = False

    def begin(self) -> None:
        """There is something to be seen now."""
        self._last = self._clock()

    def is_over(self) -> bool:
        """At a key: whether nothing was typed for a moment before it; once so, always so."""
        now = self._clock()
        self._is_over = self._is_over or (self._last is not None and now - self._last >= SECONDS_TO_PAUSE)
        self._last = None if self._last is None else now
        return self._is_over
