"""A wire between two people that the test can cut, again and again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

_CHUNK = 65536


class Cut(Exception):
    """This connection is to be reset."""


class End(Exception):
    """Nothing more of this direction is to pass; the other side reads its end after ``last``."""

    def __init__(self, last: bytes) -> None:
        super().__init__()
        self.last = last


class Passage(Protocol):
    """What stands in one connection, between its guest and its host."""

    def take(self, role: str, data: bytes) -> bytes:
        """Take what the side of this role has written; return what goes on, or raise Cut or End."""


class Untouched:
    """Lets everything pass."""

    def take(self, role: str, data: bytes) -> bytes:
        del role
        return data


class Wire:
    """Forwards bytes to ``port`` on loopback; whoever connects gets a pair of sockets of its own."""

    def __init__(self, port: int, passage: Callable[[], Passage] = Untouched) -> None:
        self.passage = passage
        """Makes what stands in the next connection."""
        self._target = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.connections = 0
        self.news = asyncio.Event()
        """Set for a moment when somebody connects."""

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Cut everything and wait until it is gone; who comes just now is cut as well."""
        assert self._server is not None
        self._stopping = True
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Reset every connection: what is on the wire is lost."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        self.news.set()
        self.news.clear()
        self._writers.add(writer)
        try:
            with suppress(OSError, Cut):
                await self._join(reader, writer)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers.add(back)
        try:
            if self._stopping:
                raise Cut
            passage = self.passage()
            await asyncio.gather(
                self._pour("guest", passage, reader, back), self._pour("host", passage, there, writer)
            )
        finally:
            self._writers.discard(back)
            back.transport.abort()

    async def _pour(
        self, role: str, passage: Passage, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(_CHUNK):
                sink.write(passage.take(role, data))
                await sink.drain()
        except End as end:
            sink.write(end.last)
        sink.write_eof()


@asynccontextmanager
async def wire_to(address: str) -> AsyncIterator[Wire]:
    """Lay a wire to an address on loopback."""
    wire = Wire(int(address.rpartition(":")[2]))
    await wire.start()
    try:
        yield wire
    finally:
        await wire.stop()
