"""The one stream of events from the engine to its face."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from securechat_tui.chat.events import Event

_MANY: Final = 32
"""Events that may wait before conversations stop taking more: the face sets the pace."""


class EventStream:
    """A queue with one reader. What a person asks for is told at once; peers wait for room."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    def emit(self, event: Event) -> None:
        """Tell the face; never waits."""
        self._waiting.append(event)
        self._filled.set()
        if len(self._waiting) >= _MANY:
            self._room.clear()

    async def room(self) -> None:
        """Wait until the face has read most of what waits for it."""
        await self._room.wait()

    def close(self) -> None:
        """End the stream after what is waiting."""
        self._closed = True
        self._filled.set()
        self._room.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            await self._filled.wait()
            while self._waiting:
                yield self._waiting.popleft()
                if len(self._waiting) < _MANY // 2:
                    self._room.set()
            if self._closed:
                return
            self._filled.clear()
