"""Keeps, shows and acknowledges what a session has brought, while what comes next is checked already.

A disk takes its time for each transaction. Whatever is checked meanwhile goes into the next one together.
Who sends a lot has turns of a few messages (``turns.py``); where others talk, the messages of a turn are on
disk before the next one begins, so that little is ahead of what the others say then, and a rest follows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.turns import MESSAGES, Turns
from securechat_tui.network.clock import now
from securechat_tui.storage.errors import ProfileError

__all__ = ["Settling"]

_AHEAD: Final = 256
"""How much may be checked before what came before it is on disk: messages, of a KiB each."""


class Settling:
    """One task at most, for one conversation; ``room`` waits until the face can take more."""

    def __init__(
        self, room: Callable[[], Awaitable[None]], failed: Callable[[ProfileError], None], turns: Turns
    ) -> None:
        """``failed`` is told why something could not be kept; what it brought is taken back by then."""
        self._room = room
        self._failed = failed
        self._turns = turns
        self._conversation: Conversation | None = None
        self._task: asyncio.Task[None] | None = None
        self._taken = 0

    def begin(self, conversation: Conversation) -> None:
        """Settle what this conversation receives from now on."""
        self._conversation = conversation

    def stop(self) -> None:
        """Nothing that comes counts any more, or another session settles it."""
        if self._conversation is not None:
            self._turns.end(self._conversation.journal)
        self._conversation = None

    def cancel(self) -> None:
        """The session is over, whatever is still under way."""
        self.stop()
        if self._task is not None:
            self._task.cancel()

    def begin_turn(self) -> None:
        """Something has come: until it is on disk, those who send more than a turn's messages wait for it."""
        if self._conversation is not None:
            self._turns.begin(self._conversation.journal)

    async def pace(self) -> None:
        """Let others go first after each turn: what the next message waits for."""
        self._taken += 1
        if self._taken % MESSAGES == 0 and self._conversation is not None:
            await self._give_way(self._conversation)

    async def _give_way(self, conversation: Conversation) -> None:
        if self._turns.is_crowded(conversation.journal):
            await self._keep_and_rest(conversation)
        await self._turns.give_way(conversation.journal)
        self.begin_turn()

    async def _keep_and_rest(self, conversation: Conversation) -> None:
        begun = now().monotonic
        await self.now()
        if conversation.standing_connection() is not None:  # else this is the last of it
            await self._turns.rest(conversation.journal, now().monotonic - begun)

    async def beside(self) -> None:
        """Settle what has come, without waiting for it unless too much is ahead."""
        conversation = self._conversation
        if conversation is None:
            return
        if conversation.is_unsettled and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._all())
        if not (conversation.boxes.has_received or conversation.journal.is_writing):
            self._turns.end(conversation.journal)  # nothing has come that goes to disk
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
