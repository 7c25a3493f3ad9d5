"""Messages typed before their recipient is known: unnumbered, in memory, each for one recipient.

As long as anything waits for a recipient, whatever is typed for it after that waits behind it. All that waits
for one is numbered at once, so that nothing typed meanwhile comes in between. So messages are numbered in the
order in which they were typed. For a peer met for the first time that is when messages flow; for a known one
it is as soon as it is clear that it is meant, so that nothing waits in memory that can be on disk.
"""

from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.limits import MAX_HELD
from securechat_tui.chat.typed import Typed

FIRST_GUEST: Final = "guest"
"""For whoever comes first to a host who has met nobody yet."""


@dataclass(frozen=True, slots=True)
class _Text:
    recipient: str
    typed: Typed


class Held:
    """What waits; a recipient is a call under way, the first guest, or the id of a conversation."""

    def __init__(self) -> None:
        self._texts: deque[_Text] = deque()

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, recipient: str, text: str, ref: str | None, *, signed: bool) -> None:
        """Keep a message; raises :class:`CommandError` where too many wait already."""
        if len(self._texts) >= MAX_HELD:
            raise CommandError("busy", "Too many messages wait already: wait for the other side.")
        self._texts.append(_Text(recipient, Typed(text, ref, signed)))

    def waiting_for(self, *recipients: str) -> int:
        """How many wait for these."""
        return sum(one.recipient in recipients for one in self._texts)

    def has_unsigned(self, *recipients: str) -> bool:
        """Whether something unsigned waits for these."""
        return any(one.recipient in recipients and not one.typed.signed for one in self._texts)

    async def pour_into(self, conversation: Conversation) -> None:
        """Hand over what is for this conversation's peer. Raises ProfileError; everything is held then."""
        some = self._take(conversation.id)
        if some:  # from here on the conversation's
            await conversation.queue(*(one.typed for one in some), undo=partial(self._put_back, some))

    def _put_back(self, some: list[_Text]) -> None:
        self._texts.extendleft(reversed(some))

    def settle(self, unnamed: str, conversation: str) -> None:
        """Whoever was meant is here now: what waits for it is for this conversation, and for no later one."""
        self._texts = deque(
            replace(one, recipient=conversation) if one.recipient == unnamed else one for one in self._texts
        )

    def drop(self, *recipients: str) -> int:
        """Let go what is for these, since it must reach nobody else; return how much it was."""
        return len(self._take(*recipients))

    def _take(self, *recipients: str) -> list[_Text]:
        """Take out what waits for these."""
        taken: list[_Text] = []
        left: deque[_Text] = deque()
        for one in self._texts:
            (taken if one.recipient in recipients else left).append(one)
        self._texts = left
        return taken
