"""What waited under a former key: settled with its owner's new one, then numbered and signed anew.

After a change of keys the two have a new conversation. Once messages flow in it, each says by a RESUME for
the conversation of the old pair what it has of that. What has arrived there is delivered; the rest goes on
in the new conversation. Its place there is marked by a salt that follows from the old one, so that a program
killed in the middle finds out what it has taken over already.
"""

import asyncio
from collections import defaultdict
from collections.abc import Set
from functools import partial
from typing import Final

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.outbox import Outgoing, PeerForgot, ResumeConflict
from securechat_tui.protocol.payloads import Resume
from securechat_tui.protocol.primitives import hash_of
from securechat_tui.storage.messages import Cancelled

__all__ = ["Formers"]

_LABEL_SALT: Final = b"securechat-tui salt of a message taken over"
_MOST: Final = 4
"""Former conversations that are settled in one session, the latest first."""


class Formers:
    """The conversations of two people under the keys that they had before."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._alone: dict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)
        """For each former conversation: a newer session waits for what an older one has begun."""

    def greet(self, conversation: Conversation) -> None:
        """Say what is held of each former conversation, where messages flow in the present one now."""
        if not conversation.secure:  # by now: a newer session says it
            return
        for former in self._conversations.formers(conversation)[-_MOST:]:
            conversation.say(former.account())

    async def settle(self, conversation: Conversation, word: Resume) -> None:
        """Take the peer's account of a former conversation; one that is not known here is no matter.

        Raises the ProfileError family; what is taken over by then stays so.
        """
        formers = self._conversations.formers(conversation)
        former = next((one for one in formers if one.outbox.conversation == word.conversation), None)
        if former is not None:
            async with self._alone[former.number]:
                await self._settle(conversation, former, word)

    async def _settle(self, conversation: Conversation, former: Conversation, word: Resume) -> None:
        try:
            former.delivered_by(word)
        except ResumeConflict:  # an old copy of somebody's profile: what waits there stays there
            return
        except PeerForgot:  # it has nothing at all of it
            pass
        waiting = [one for one in former.outbox.undelivered() if conversation.takes(signed=one.signed)]
        if waiting:
            taken_over = await self._taken_over(conversation, set(map(_mark, waiting)))
        for message in waiting:
            await self._take_over(conversation, former, message, is_there=_mark(message) in taken_over)

    async def _taken_over(self, heir: Conversation, marks: Set[bytes]) -> set[bytes]:
        """Return which marks the new conversation has, or one that was the new one before it."""
        found = set[bytes]()
        for one in (heir, *self._conversations.formers(heir)):
            found |= await one.journal.read(partial(one.journal.store.salts_among, marks))
        return found

    async def _take_over(
        self, heir: Conversation, former: Conversation, message: Outgoing, *, is_there: bool
    ) -> None:
        """Let a message go on in the new conversation; there first, so that no crash can lose it."""
        if message.gone:  # wiped meanwhile
            return
        if not is_there:
            await heir.queue_again(message, _mark(message))
        former.journal.note(Cancelled(message.generation, message.number))
        await former.journal.commit()
        former.let_go(message, renumbered=True)


def _mark(message: Outgoing) -> bytes:
    """The salt of a message where it goes on, which says where it comes from."""
    return hash_of(_LABEL_SALT, message.salt, message.item)
