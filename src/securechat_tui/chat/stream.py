"""The one stream of events from the engine to its face."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from securechat_tui.chat.events import Event

_MANY: Final = 32
"""Events that may wait before conversations stop taking more: the face sets the pace."""
_TURN: Final = 32
"""Events of one peer after which the others have their turn, also where there is room for more."""


class EventStream:
    """A queue with one reader. What a person asks for is told at once; peers wait for room."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._taken = 0
        self._closed = False

    def emit(self, event: Event) -> None:
        """Tell the face; never waits."""
        self._waiting.append(event)
        self._filled.set()
        if len(self._waiting) >= _MANY:
            self._room.clear()

    async def room(self) -> None:
        """Wait until the face has read most of what waits for it, and let others go first now and then."""
        self._taken += 1
        if self._taken % _TURN == 0:
            await asyncio.sleep(0)
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
