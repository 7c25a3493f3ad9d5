"""What is kept of records while a person wants to look at them: in memory, and nowhere else."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from securechat_tui.chat.steps import Noted
from securechat_tui.chat.wire import way_of
from securechat_tui.protocol.records import Trace
from securechat_tui.protocol.session import Session

__all__ = ["Inspector"]

_MOST: Final = 256
"""Records of one conversation that are kept, the latest ones."""


class Inspector:
    """Off until it is begun. Then sessions tell it of every record; what it has kept goes when it ends."""

    def __init__(self) -> None:
        self.is_on = False
        self._kept: dict[str, deque[Trace]] = {}

    def follow(self, conversation: str, session: Session) -> None:
        """Watch a session that stands, if anybody looks."""
        if self.is_on:
            session.watch(self._kept.setdefault(conversation, deque(maxlen=_MOST)).append)

    def begin(self, sessions: Iterable[tuple[str, Session]]) -> None:
        """Watch these sessions, by conversation, and those that come."""
        self.is_on = True
        for conversation, session in sessions:
            self.follow(conversation, session)

    def end(self, sessions: Iterable[tuple[str, Session]]) -> None:
        """Watch no more, and forget everything."""
        self.is_on = False
        for _, session in sessions:
            session.watch(None)
        self._kept.clear()

    def way_of(self, conversation: str, number: int, *, own: bool) -> tuple[Noted, ...]:
        """Return the steps of a message; none where it was not recorded, or is too long ago."""
        return way_of(tuple(self._kept.get(conversation, ())), number, own=own)
