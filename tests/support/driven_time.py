"""Time that a test moves: the loop's clock, by which every timer goes, and the one on the wall."""

import asyncio
import time

import pytest


class DrivenTime:
    """Real time, and what the test has added to it; leaps are over at once.

    No timeout of the test itself may be running during a leap: it would be over as well.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._monotonic = loop.time
        self._wall = time.time
        self.leapt = 0.0
        """Seconds added to the loop's clock."""
        self.shifted = 0.0
        """Seconds added to the clock on the wall."""
        monkeypatch.setattr(loop, "time", lambda: self._monotonic() + self.leapt)
        monkeypatch.setattr(time, "time", lambda: self._wall() + self.shifted)
        monkeypatch.setattr(time, "time_ns", lambda: round(time.time() * 1_000_000_000))

    def pass_by(self, seconds: float) -> None:
        """Let time pass, on both clocks: to a running program it is as if it had stood still meanwhile."""
        self.leapt += seconds
        self.shifted += seconds

    def sleep_unseen(self, seconds: float) -> None:
        """Let a machine sleep whose monotonic clock stands still in its sleep, as on Linux."""
        self.shifted += seconds
