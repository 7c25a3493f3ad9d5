"""Signals that ask the program to end: orderly at the first one, at once at the second."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

__all__ = ["as_interrupts", "interruptible"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextlib.contextmanager
def interruptible(on_first: Callable[[], object]) -> Iterator[None]:
    """Call ``on_first``, in the loop, at the first signal; cancel the present task at a further one."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    seen = False

    def act() -> None:
        nonlocal seen
        if seen and task is not None:
            task.cancel()
        else:
            seen = True
            on_first()

    def handle(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)

    with _handling(_NAMES, handle):
        yield


@contextlib.contextmanager
def as_interrupts() -> Iterator[list[int]]:
    """Let the signals that would end the process at once unwind it as an interrupt does.

    So what runs inside can restore the terminal, say goodbye and remove what is temporary. The list
    tells which signals came.
    """
    came: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        signal.raise_signal(signal.SIGINT)

    with _handling(_NAMES[1:], interrupt):
        yield came


@contextlib.contextmanager
def _handling(names: Sequence[str], handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [(number, signal.signal(number, handle)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
