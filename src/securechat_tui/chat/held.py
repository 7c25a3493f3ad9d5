"""Messages typed before their recipient is known: unnumbered, in memory, for one peer only."""

from collections import deque

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.limits import MAX_HELD


class Held:
    """What waits for whoever is expected."""

    def __init__(self) -> None:
        self._texts: deque[tuple[str, str | None]] = deque()

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str, ref: str | None) -> None:
        """Keep a message; raises :class:`CommandError` where too many wait already."""
        if len(self._texts) >= MAX_HELD:
            raise CommandError("busy", "Too many messages wait already: wait for the other side.")
        self._texts.append((text, ref))

    def pour_into(self, conversation: Conversation) -> None:
        """Hand everything over: the recipient is there."""
        while self._texts:
            conversation.send(*self._texts.popleft())

    def drop(self) -> int:
        """Let everything go, since it must not reach another; return how much it was."""
        count = len(self._texts)
        self._texts.clear()
        return count
