"""Keeps, shows and acknowledges what a session has brought, while what comes next is checked already.

A disk takes its time for each transaction. Whatever is checked meanwhile goes into the next one together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from securechat_tui.chat.conversation import Conversation
from securechat_tui.storage.errors import ProfileError

__all__ = ["Settling"]

_AHEAD: Final = 256
"""How much may be checked before what came before it is on disk: messages, of a KiB each."""


class Settling:
    """One task at most, for one conversation; ``room`` waits until the face can take more."""

    def __init__(self, room: Callable[[], Awaitable[None]], failed: Callable[[ProfileError], None]) -> None:
        """``failed`` is told why something could not be kept; what it brought is taken back by then."""
        self._room = room
        self._failed = failed
        self._conversation: Conversation | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, conversation: Conversation) -> None:
        """Settle what this conversation receives from now on."""
        self._conversation = conversation

    def stop(self) -> None:
        """Nothing that comes counts any more, or another session settles it."""
        self._conversation = None

    def cancel(self) -> None:
        """The session is over, whatever is still under way."""
        if self._task is not None:
            self._task.cancel()

    async def beside(self) -> None:
        """Settle what has come, without waiting for it unless too much is ahead."""
        conversation = self._conversation
        if conversation is None or not conversation.is_unsettled:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._all())
        if conversation.receipt.backlog >= _AHEAD:
            await self.now()

    async def now(self) -> None:
        """Settle what has come, and wait for it."""
        if self._task is not None:
            await self._task
        await self._all()

    async def _all(self) -> None:
        while self._conversation is not None and self._conversation.is_unsettled:
            try:
                await self._conversation.settle(self._room)
            except ProfileError as error:
                self.stop()
                self._failed(error)
