"""Signals that ask the program to end: orderly at the first one, at once at the second."""

import asyncio
import contextlib
import signal
import socket
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

    with _handling(_NAMES, handle), _waking(loop):
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


@contextlib.contextmanager
def _waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let a signal wake the loop at once.

    Its handler runs in the main thread alone, but any thread may be the one that the system
    interrupts; then the loop would sleep on until something else happens.
    """
    near, far = socket.socketpair()
    with near, far, contextlib.ExitStack() as undo:
        near.setblocking(False)
        far.setblocking(False)
        with contextlib.suppress(NotImplementedError):  # the loop on Windows wakes up by itself
            loop.add_reader(near, _drain, near)
            undo.callback(loop.remove_reader, near)
            undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(far.fileno(), warn_on_full_buffer=False))
        yield


def _drain(wakened: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        wakened.recv(4096)
