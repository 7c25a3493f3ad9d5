"""Holds inputs to what one may cost; POSIX only, since elsewhere a process cannot tell its size."""

import resource
import sys
import time
import tracemalloc
from typing import Final

from fuzz.harness import BYTES, Harness

__all__ = ["Costly", "Meter", "peak"]

_ATTEMPTS: Final = 3
"""Times that a slow input is tried again: a collection of garbage or a first import is not its fault."""
_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in which the system counts the greatest size of a process."""


class Costly(Exception):
    """An input took more time or memory than any may."""


def peak(harness: Harness, data: bytes) -> int:
    """Return the most bytes that one input had allocated at once."""
    tracemalloc.start()
    try:
        harness.check(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Meter:
    """Runs inputs and raises :class:`Costly` where one exceeds a limit.

    Memory is measured exactly only where the process has outgrown its greatest size so far by the
    limit: following each allocation would cost more than the parsers do.
    """

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self._ceiling = _greatest_size() + BYTES

    def __call__(self, data: bytes) -> None:
        """Run one input."""
        allowed = self._harness.seconds
        if self._seconds(data) > allowed and min(self._seconds(data) for _ in range(_ATTEMPTS)) > allowed:
            raise Costly(f"more than {allowed} s")
        if _greatest_size() > self._ceiling:
            if peak(self._harness, data) > BYTES:
                raise Costly(f"more than {BYTES} bytes")
            self._ceiling = _greatest_size() + BYTES

    def _seconds(self, data: bytes) -> float:
        before = time.thread_time()
        self._harness.check(data)
        return time.thread_time() - before


def _greatest_size() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
