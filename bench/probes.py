"""What is measured of a running screen: key latency, loop lag, resident memory."""

import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from bench.glass import Glass

__all__ = ["LagProbe", "Spread", "Typist", "resident_mib", "until"]

_PAGE_BYTES: Final = 4096
_LAG_PERIOD_SECONDS: Final = 0.005
_LOOK_PERIOD_SECONDS: Final = 0.02
_DRAFT_LENGTH: Final = 40


def resident_mib(process: int | str = "self") -> float:
    """Resident memory of a process, in MiB. Linux alone tells it this way."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_BYTES / 2**20


async def until(done: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so; raises TimeoutError if it is not within ``seconds``."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise TimeoutError("it never came about")
        await asyncio.sleep(_LOOK_PERIOD_SECONDS)


class Spread(NamedTuple):
    """How measured times lie, in milliseconds."""

    samples: int
    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """The spread of times in seconds; zeros where there are none."""
        if not seconds:
            return cls(0, 0.0, 0.0, 0.0)
        ordered = sorted(seconds)
        last = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        return cls(len(ordered), statistics.median(ordered) * 1e3, last * 1e3, ordered[-1] * 1e3)


class LagProbe:
    """Notes by how much the loop is late for a task that sleeps five milliseconds again and again."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._measure())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _measure(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(_LAG_PERIOD_SECONDS)
            self.lags.append(max(0.0, time.perf_counter() - begun - _LAG_PERIOD_SECONDS))


class Typist:
    """Types into the composer, a key after the other, and notes how long each takes to be seen.

    Each draft begins with a number of its own, so that nothing painted before can be taken for it.
    """

    def __init__(self, glass: Glass) -> None:
        self.latencies: list[float] = []
        self.draft = ""
        self._glass = glass
        self._drafts = 0

    async def key(self) -> None:
        """Type one more character of the draft; a full one is taken away first."""
        if len(self.draft) >= _DRAFT_LENGTH:
            self._glass.strike("ctrl+u")
            self.draft = ""
        if not self.draft:
            self._drafts += 1
            await self.write(f"{self._drafts}. ")
        await self.write("abcdefgh"[len(self.draft) % 8])

    async def write(self, text: str) -> None:
        """Type a text."""
        for character in text:
            self.draft += character
            name = {" ": "space", ".": "full_stop"}.get(character, character)
            seen = await self._glass.press(name, character, until=self.draft.rstrip())
            if character != " ":
                self.latencies.append(seen)

    def send(self) -> None:
        """Press Enter."""
        self._glass.strike("enter")
        self.draft = ""
