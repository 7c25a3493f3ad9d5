"""Standard input and output beside an event loop, whatever they are: files, pipes, terminals, nothing.

Neither can be awaited on every system and for every kind of file, so each has a thread of its own,
and the loop never waits for a slow reader or writer at the other end. Both threads are daemons that
use the descriptors directly: one that is stuck in a system call does not keep the process alive.
"""

import asyncio
import contextlib
import os
import queue
import select
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

__all__ = [
    "MAX_LINE_BYTES",
    "TOO_LONG",
    "InputLines",
    "Line",
    "LineSplitter",
    "OutputLines",
    "Streams",
    "TooLong",
]

MAX_LINE_BYTES = 1024 * 1024
"""A longer line of input is skipped and never held in memory as a whole."""

_CHUNK_BYTES = 64 * 1024
_BATCHES_AHEAD = 4
_LINES_AHEAD = 1000


class TooLong:
    """Stands for a line of more than :data:`MAX_LINE_BYTES` bytes."""


TOO_LONG = TooLong()

Line = bytes | TooLong


@dataclass(frozen=True, slots=True)
class Streams:
    """The descriptors of input and output; None stands for one that is not there."""

    input: int | None
    output: int | None

    @classmethod
    def standard(cls) -> "Streams":
        """Those of the process. A closed one's number may belong to something else by now."""
        return cls(None if sys.stdin is None else 0, None if sys.stdout is None else 1)


class LineSplitter:
    """Cuts a stream of chunks into lines, without their ends. Holds at most ``limit`` bytes."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._held = bytearray()
        self._skipping = False

    def feed(self, chunk: bytes) -> list[Line]:
        """The lines that ``chunk`` completes."""
        *complete, rest = chunk.split(b"\n")
        lines = [self._complete(piece) for piece in complete]
        self._hold(rest)
        return lines

    def end(self) -> list[Line]:
        """The last line, if the stream did not end with a line end."""
        return [self._complete(b"")] if self._held or self._skipping else []

    def _hold(self, piece: bytes) -> None:
        if self._skipping or len(self._held) + len(piece) > self._limit:
            self._skipping = True
            self._held.clear()
        else:
            self._held += piece

    def _complete(self, piece: bytes) -> Line:
        self._hold(piece)
        line: Line = TOO_LONG if self._skipping else bytes(self._held).removesuffix(b"\r")
        self._held.clear()
        self._skipping = False
        return line


class InputLines:
    """The lines of a descriptor as an asynchronous iterator of batches; reading starts with the iteration.

    Where there is no descriptor, the input has ended.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._batches: asyncio.Queue[list[Line] | None] = asyncio.Queue()
        self._room = threading.Semaphore(_BATCHES_AHEAD)

    async def __aiter__(self) -> AsyncIterator[list[Line]]:
        """Batches of lines, ending with the input. An error of the system is an end, too."""
        if self._descriptor is None:
            return
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop, self._descriptor), daemon=True).start()
        while (batch := await self._batches.get()) is not None:
            yield batch
            self._room.release()

    def _read(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        splitter = LineSplitter()
        try:
            while chunk := _read_some(descriptor):
                self._hand_over(loop, splitter.feed(chunk))
            self._hand_over(loop, splitter.end())
            loop.call_soon_threadsafe(self._batches.put_nowait, None)
        except RuntimeError:
            return  # the loop has gone; nobody is left to read for

    def _hand_over(self, loop: asyncio.AbstractEventLoop, lines: list[Line]) -> None:
        if lines:
            self._room.acquire()
            loop.call_soon_threadsafe(self._batches.put_nowait, lines)


class OutputLines:
    """Writes lines to a descriptor, each at once, in order, from a thread of its own.

    ``on_broken`` is called, in the loop, once nobody reads them any more.
    """

    def __init__(self, descriptor: int | None, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._lines: queue.SimpleQueue[bytes | Callable[[], None] | None] = queue.SimpleQueue()
        self._room = asyncio.Event()
        self._wanted = False
        self._ended = False
        """Whether the thread writes no more; it is said before the last that waits for room is woken."""
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Write ``line``, which brings its own line end, as soon as what is before it is written."""
        self._lines.put(line)

    def then(self, act: Callable[[], None]) -> None:
        """Call ``act``, in the thread, once what is before it is written: for another stream's lines."""
        self._lines.put(act)

    async def room(self) -> None:
        """Wait while so much is unwritten that the source should wait, too."""
        if self._lines.qsize() <= _LINES_AHEAD:
            return
        self._room.clear()
        self._wanted = True
        if self._lines.qsize() > _LINES_AHEAD // 2 and not self._ended:
            await self._room.wait()
        self._wanted = False

    async def close(self, seconds: float | None = None) -> None:
        """Write what is left, then stop; give up after ``seconds`` if nobody takes it."""
        self._lines.put(None)
        await asyncio.to_thread(self._thread.join, seconds)

    def _write_all(self) -> None:
        try:
            while (line := self._lines.get()) is not None:
                if callable(line):
                    line()
                elif self._descriptor is not None:
                    _write_whole(self._descriptor, line)
                if self._wanted and self._lines.qsize() <= _LINES_AHEAD // 2:
                    self._tell(self._room.set)
        except OSError:
            self._tell(self._on_broken)
        finally:
            self._ended = True
            self._tell(self._room.set)

    def _tell(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has gone; nobody is left to tell
            self._loop.call_soon_threadsafe(what)


def _read_some(descriptor: int) -> bytes:
    while True:
        try:
            return os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            select.select([descriptor], [], [])  # somebody else has made the shared terminal non-blocking
        except OSError:
            return b""


def _write_whole(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
