"""The marker of what is unread: above which message it stands, also while the log does not hold that one."""

from dataclasses import dataclass

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

    def received(self, place: int | None, row: int) -> None:
        """Count a message that has come; ``place`` is None where the log does not hold it."""
        if self._is_due:
            self.place, self._row, self._is_due = place, row, False
        if self.place is not None or self._row:
            self.count += 1

    def back(self, place: int, row: int) -> None:
        """Take note of a message that the log holds now, for the first time or again."""
        if row and row == self._row:
            self.place = place

    def gone(self, first: int, stop: int) -> None:
        """Take note that the log holds nothing else any more than what is within these places."""
        if self.place is not None and not first <= self.place < stop:
            self.place = None

    def put(self, place: int, row: int, count: int) -> None:
        """Let it stand above an entry."""
        self.place, self._row, self.count = place, row, count

    def clear(self, *, is_due: bool = False) -> None:
        """Take it away; where it is due, the next message that comes gets it."""
        self.place, self.count, self._row, self._is_due = None, 0, 0, is_due
