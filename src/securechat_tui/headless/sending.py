"""Messages of the input on their way to the disk: those that come together share a transaction.

Each is begun without waiting for the one before it, in their order; each is answered after the one before it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from securechat_tui.headless.standard_streams import Line, TooLong

__all__ = ["Sending"]

_MOST_LINES: Final = 256
_MOST_BYTES: Final = 1024 * 1024


class Sending:
    """What was begun and is not answered yet: so many lines and bytes, and one line more, at most."""

    def __init__(self, group: asyncio.TaskGroup, answer: Callable[[Line], Awaitable[bytes | None]]) -> None:
        """``answer`` sends a line and returns its answer; it runs in tasks of ``group``."""
        self._group = group
        self._answer = answer
        self._last: asyncio.Task[None] | None = None
        self._lines = self._bytes = 0
        self._progress = asyncio.Event()

    async def begin(self, line: Line, write: Callable[[bytes], None]) -> None:
        """Begin to send a line, as soon as there is room; ``write`` is given its answer."""
        while self._lines >= _MOST_LINES or self._bytes >= _MOST_BYTES:
            self._progress.clear()
            await self._progress.wait()
        self._count(line, 1)
        self._last = self._group.create_task(self._send(line, self._last, write))

    async def _send(
        self, line: Line, before: asyncio.Task[None] | None, write: Callable[[bytes], None]
    ) -> None:
        answer = await self._answer(line)
        if before is not None:
            await asyncio.wait({before})
        write(answer or b"")
        self._count(line, -1)
        self._progress.set()

    def _count(self, line: Line, more: int) -> None:
        self._lines += more
        self._bytes += 0 if isinstance(line, TooLong) else more * len(line)

    async def answered(self) -> None:
        """Wait until everything that was begun is answered."""
        if self._last is not None:
            await asyncio.wait({self._last})
