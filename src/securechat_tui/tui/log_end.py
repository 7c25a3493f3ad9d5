"""The end of a log, where what comes is put."""

from collections.abc import Sequence
from typing import Protocol

from securechat_tui.tui.widgets.chat_log import ChatLog
from securechat_tui.tui.widgets.log_entries import Entry, Tick

__all__ = ["LogEnd", "PlainEnd"]


class LogEnd(Protocol):
    """Where what comes is put, and changed afterwards."""

    def takes(self, row: int) -> bool:
        """Whether a message that comes as an event is not in the log yet; 0 where nothing is kept of it."""

    def put(self, entries: Sequence[Entry]) -> None:
        """Show what has come."""

    def update_tick(self, entry_id: str, tick: Tick) -> None:
        """Change the tick of one's own message."""

    def settle_row(self, entry_id: str, row: int) -> None:
        """One's own message, which has been shown without a row, is kept now."""


class PlainEnd:
    """That of a log of which nothing is kept."""

    def __init__(self, log: ChatLog) -> None:
        self._log = log

    def takes(self, row: int) -> bool:
        """Everything is new."""
        del row
        return True

    def put(self, entries: Sequence[Entry]) -> None:
        """Put it behind the last entry."""
        self._log.extend(entries)

    def update_tick(self, entry_id: str, tick: Tick) -> None:
        """Change the tick of one's own message."""
        self._log.update_tick(entry_id, tick)

    def settle_row(self, entry_id: str, row: int) -> None:
        """It is kept elsewhere, and told there."""
