"""The marker of what is unread: above which message it stands, also while the log does not hold that one."""

from dataclasses import dataclass
from itertools import islice

from securechat_tui.tui.widgets.log_entries import is_received
from securechat_tui.tui.widgets.log_store import EntryStore

__all__ = ["UnreadMarker"]


@dataclass(slots=True)
class UnreadMarker:
    """Where the marker stands, and how many messages have come since it was set."""

    count: int = 0
    _at: int | None = None
    """The entry above which it stands, or above which all of what is unread comes, while none of that has
    been in the log; None where there is none, or where the log does not hold it."""
    _row: int = 0
    """That entry's row, by which it is known again; 0 where it has none."""
    _is_due: bool = False
    _missing: int = 0
    """How many of those come before that entry, and were not in the log with it yet."""

    @property
    def place(self) -> int | None:
        """The entry above which it stands; None where there is none, or where the log does not hold it."""
        return None if self._has_none else self._at

    @property
    def _has_none(self) -> bool:
        """Whether none of what it counts has been in the log."""
        return self._missing == self.count

    @property
    def words(self) -> str:
        """What it says."""
        return f"{self.count} new{', the first further up' if self._missing else ''}"

    def received(self, place: int | None, row: int) -> None:
        """Count a message that has come; ``place`` is None where the log does not hold it."""
        if self._is_due or (self._missing and self._has_none):
            self._at, self._row, self._is_due = place, row, False
        if self._at is not None or self._row:
            self.count += 1

    def back(self, place: int, row: int) -> bool:
        """Take note of a message that the log holds now; True where it is the one that it stands above."""
        is_back = row != 0 and row == self._row
        if is_back:
            self._at = place
        return is_back

    def gone(self, first: int, stop: int) -> None:
        """Take note that the log holds nothing else any more than what is within these places."""
        if self._at is not None and not first <= self._at < stop:
            self._at = None

    def begin(self, count: int, stop: int) -> None:
        """Let it stand above the last so many messages before a place, as far as it will :meth:`rise`."""
        self.count = self._missing = count
        self._at = stop

    def rise(self, entries: EntryStore) -> None:
        """Go up from where it is, if that is held, to above the first of what is unread and held."""
        if self._at is None:
            return
        above = range(self._at - 1, entries.first - 1, -1)
        for place in islice((at for at in above if is_received(entries[at])), self._missing):
            self._at, self._row = place, entries[place].row
            self._missing -= 1
        if self._missing and self._has_none:
            kept = (at for at in reversed(above) if entries[at].row)
            for place in islice(kept, 1):
                self._at, self._row = place, entries[place].row

    def find_no_more(self) -> None:
        """Take note that nothing comes before what the log holds."""
        if self._at is not None:
            self.count -= self._missing
            self._missing = 0
        if not self.count:
            self.clear(is_due=self._is_due)

    def clear(self, *, is_due: bool = False) -> None:
        """Take it away; where it is due, the next message that comes gets it."""
        self.count, self._at, self._row, self._is_due, self._missing = 0, None, 0, is_due, 0
