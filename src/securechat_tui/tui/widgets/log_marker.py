"""The marker of what is unread: above which message it stands, also while the log does not hold that one."""

from dataclasses import dataclass
from itertools import islice

from securechat_tui.tui.widgets.log_entries import is_received
from securechat_tui.tui.widgets.log_store import EntryStore

__all__ = ["UnreadMarker"]


@dataclass(slots=True)
class UnreadMarker:
    """Where the marker stands, and how many messages have come since it was set."""

    place: int | None = None
    """The entry above which it stands; None where there is none, or where the log does not hold it."""
    count: int = 0
    _row: int = 0
    """That entry's row, by which it is known again; 0 where it has none."""
    _is_due: bool = False
    _missing: int = 0
    """How many of those come before what it stands above, and were not in the log with it yet."""

    @property
    def words(self) -> str:
        """What it says."""
        return f"{self.count} new{', the first further up' if self._missing else ''}"

    def received(self, place: int | None, row: int) -> None:
        """Count a message that has come; ``place`` is None where the log does not hold it."""
        if self._is_due:
            self.place, self._row, self._is_due = place, row, False
        if self.place is not None or self._row:
            self.count += 1

    def back(self, place: int, row: int) -> bool:
        """Take note of a message that the log holds now; True where it is the one that it stands above."""
        is_back = row != 0 and row == self._row
        if is_back:
            self.place = place
        return is_back

    def gone(self, first: int, stop: int) -> None:
        """Take note that the log holds nothing else any more than what is within these places."""
        if self.place is not None and not first <= self.place < stop:
            self.place = None

    def begin(self, count: int) -> None:
        """Let it stand above so many messages, as far as it will :meth:`rise`."""
        self.count = self._missing = count

    def rise(self, entries: EntryStore, below: int | None) -> None:
        """Go up from a place, where it is held, to above the first of what is unread and held."""
        if below is None:
            return
        places = (at for at in range(below - 1, entries.first - 1, -1) if is_received(entries[at]))
        for place in islice(places, self._missing):
            self.place, self._row = place, entries[place].row
            self._missing -= 1

    def find_no_more(self) -> None:
        """Take note that nothing comes before what the log holds."""
        if self.place is not None:
            self.count -= self._missing
            self._missing = 0

    def clear(self, *, is_due: bool = False) -> None:
        """Take it away; where it is due, the next message that comes gets it."""
        self.place, self.count, self._row, self._is_due, self._missing = None, 0, 0, is_due, 0
