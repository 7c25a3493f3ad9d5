"""Work of the lab in a loop and a thread of its own, so that keys are heard while it runs."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

__all__ = ["in_background"]

_Result = TypeVar("_Result")
_Work = Callable[[], Coroutine[Any, Any, _Result]]


class _Run:
    """One piece of work; it can be cancelled from another thread, also before it has begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._cancel: Callable[[], object] | None = None

    def __call__(self, work: _Work[_Result]) -> _Result:
        return asyncio.run(self._carry_out(work))

    async def _carry_out(self, work: _Work[_Result]) -> _Result:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work())
        with self._lock:
            self._cancel = partial(loop.call_soon_threadsafe, task.cancel)
            if self._is_cancelled:
                task.cancel()
        try:
            return await task
        finally:
            with self._lock:
                self._cancel = None

    def cancel(self) -> None:
        """Let the work end at its next pause."""
        with self._lock:
            self._is_cancelled = True
            if self._cancel is not None:
                self._cancel()


async def in_background(work: _Work[_Result]) -> _Result:
    """Return what ``work`` returns; a cancellation reaches it, and what it raises comes from here."""
    run = _Run()
    try:
        return await asyncio.to_thread(run, work)
    except asyncio.CancelledError:
        run.cancel()
        raise
