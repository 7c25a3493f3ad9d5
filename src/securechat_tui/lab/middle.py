"""The man in the middle of a TCP connection."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final

from securechat_tui.lab.units import CheckFailed, Splitter, Unit

__all__ = ["Middle"]

_CHUNK: Final = 64 * 1024


class Middle:
    """Accepts the guest, connects to the host, and shows every unit to ``see``, which says what arrives."""

    def __init__(
        self,
        host: tuple[str, int],
        split: Callable[[str], Splitter],
        see: Callable[[Unit], Iterable[bytes]],
    ) -> None:
        self.read = {"guest": 0, "host": 0}
        """Bytes that came from each side."""
        self.forwarded = {"guest": 0, "host": 0}
        """Bytes passed on, or made up, in the name of each side."""
        self.is_cut = False
        self._ended: set[str] = set()
        """In whose name nothing more can be written."""
        self._host = host
        self._split = split
        self._see = see
        self._writers: dict[str, asyncio.StreamWriter] = {}
        """By the role in whose name he writes."""
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server

    async def __aenter__(self) -> tuple[str, int]:
        """Listen; returns where."""
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers.values():
            writer.transport.abort()

    def forward(self, role: str, data: bytes) -> None:
        """Write in the name of ``role``."""
        writer = self._writers.get(role)
        if writer is not None and role not in self._ended:
            self.forwarded[role] += len(data)
            writer.write(data)

    def cut(self) -> None:
        """End both connections without a word."""
        self.is_cut = True
        for role in self._writers:
            self._end(role)

    def _end(self, role: str) -> None:
        self._ended.add(role)
        with contextlib.suppress(OSError):
            self._writers[role].write_eof()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_host, to_host = await asyncio.open_connection(*self._host)
        self._writers = {"guest": to_host, "host": writer}
        self._tasks = [
            asyncio.create_task(self._carry("guest", reader)),
            asyncio.create_task(self._carry("host", from_host)),
        ]

    async def _carry(self, role: str, reader: asyncio.StreamReader) -> None:
        splitter = self._split(role)
        with contextlib.suppress(OSError, CheckFailed):
            while data := await reader.read(_CHUNK):
                for unit in splitter.feed(data):
                    for piece in self._see(unit):
                        self.forward(role, piece)
                self.read[role] += len(data)
        self._end(role)
