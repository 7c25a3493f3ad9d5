"""Twice within a few seconds means it."""

__all__ = ["SECONDS_TO_REPEAT", "DoublePress"]

SECONDS_TO_REPEAT = 3.0


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
