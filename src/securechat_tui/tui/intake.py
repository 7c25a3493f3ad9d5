"""What the engine says, on its way to the screen: at once, and in a burst a few times a second.

Engine and screen share one loop, and drawing takes most of it. In a burst events gather for as long as nobody
would notice, so that less is drawn, and keys have the loop to themselves in between. Not more than a batch
gathers: then the engine waits.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from securechat_tui.chat.events import Event

__all__ = ["Intake"]

_AT_ONCE: Final = 256
"""Events that are shown together at the most."""
_BURST: Final = 16
"""Events that have come together, from which on more are expected."""
_PAUSE_SECONDS: Final = 0.1
"""From one batch of a burst to the next, unless it is full."""


class Intake:
    """Gathers events into batches. Needs a running loop from the first event on."""

    def __init__(self, tell: Callable[[], object]) -> None:
        """``tell`` is called when there is a batch, which is to be taken soon then."""
        self._tell = tell
        self._waiting: list[Event] = []
        self._room = asyncio.Event()
        self._is_told = False
        self._is_drawing = False
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self._waiting

    async def put(self, event: "Event") -> None:
        """Take an event from the engine; where a batch is full, wait until it has been taken."""
        self._waiting.append(event)
        self._look()
        if len(self._waiting) >= _AT_ONCE:
            self._room.clear()
            await self._room.wait()

    def take(self) -> "list[Event]":
        """All that has gathered. After a batch of a burst :meth:`drawn` has to be called."""
        batch, self._waiting = self._waiting, []
        self._is_told = False
        self._is_drawing = len(batch) >= _BURST
        self._next = asyncio.get_running_loop().time() + _PAUSE_SECONDS if self._is_drawing else 0.0
        self._room.set()
        return batch

    def drawn(self) -> None:
        """What was taken can be seen."""
        self._is_drawing = False
        self._look()

    def _look(self) -> None:
        """Tell of a batch, or come back when it is time to."""
        if self._is_told or self._is_drawing or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
        if len(self._waiting) >= _AT_ONCE or loop.time() >= self._next:
            self._is_told = True
            self._tell()
        else:
            self._timer = loop.call_at(self._next, self._look)
