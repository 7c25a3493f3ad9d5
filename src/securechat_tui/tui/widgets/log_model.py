"""The chat log without its screen: entries, their rows, the anchor, what is new and what is marked.

Rows of an entry are, from above: what there is to say about what comes before the first one, a day rule
where its local day is another than that of the entry before it, the marker of what is unread where it is
the first unread one, then the lines of its text.
Heights are exact within :meth:`LogModel.settle`'s reach of the anchor and estimated elsewhere.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from itertools import islice
from typing import Final, NamedTuple

from rich.cells import cell_len

from securechat_tui.tui.widgets.log_entries import Entry, LocalDays, MessageEntry, Tick
from securechat_tui.tui.widgets.log_layout import Extent, Line, expand_tabs, measure, wrap
from securechat_tui.tui.widgets.log_marker import UnreadMarker
from securechat_tui.tui.widgets.log_rows import RowTable
from securechat_tui.tui.widgets.log_store import EntryStore

__all__ = ["Anchor", "Columns", "Layout", "LogModel", "RowKind", "status_text"]

_ROWS_KEPT: Final = 20_000
"""Rows of wrapped entries that are kept: many screens full, whatever one entry holds."""
_CLOCK: Final = 5
_CLOCK_FROM: Final = 34
"""Below this width there is no room for the time."""
_NICK_MIN: Final = 6
_NICK_MAX: Final = 16
_TICKS: Final = {
    Tick.QUEUED: "○",
    Tick.SENT: "✓",
    Tick.DELIVERED: "✓✓",
    Tick.FAILED: "! failed",
    Tick.CANCELLED: "✗ cancelled",
}


def status_text(entry: MessageEntry) -> str:
    """What stands at the right edge of a message: its tick, or its verdict."""
    if entry.own:
        return f"{entry.verdict} {_TICKS[entry.tick] if entry.tick else ''}".strip()
    return f"{entry.verdict} ~ late".lstrip() if entry.late else entry.verdict


def _status_room(entry: MessageEntry) -> int:
    """Cells for the status: a message does not move when it is delivered, with a wider tick."""
    return cell_len(status_text(entry)) + (entry.tick in {Tick.QUEUED, Tick.SENT})


class Columns(NamedTuple):
    """How a line of ``width`` cells is divided: time, nick, text and status, a space between them."""

    width: int
    nick: int

    @classmethod
    def fit(cls, width: int, widest_nick: int) -> "Columns":
        """The columns for nicks of up to ``widest_nick`` cells; longer ones than fit are cut."""
        least = min(_NICK_MIN, width // 8)
        return cls(width, max(1, min(max(widest_nick, least), _NICK_MAX, width // 4)))

    @property
    def has_clock(self) -> bool:
        """Whether there is room for the time."""
        return self.width >= _CLOCK_FROM

    @property
    def clock(self) -> int:
        """Cells of the time and the space after it."""
        return _CLOCK + 1 if self.has_clock else 0

    @property
    def indent(self) -> int:
        """Cells before the text."""
        return self.clock + self.nick + 1

    def text(self, status: int) -> int:
        """Cells for the text beside a status of ``status`` cells."""
        return max(1, self.width - self.indent - (status + 1 if status else 0))

    @property
    def notice(self) -> int:
        """Cells for the text of a notice, which has a bullet instead of a nick."""
        return max(1, self.width - self.clock - 2)


class RowKind(Enum):
    """What one row of an entry is."""

    TOP = "top"
    DAY = "day"
    MARKER = "marker"
    TEXT = "text"


class Layout(NamedTuple):
    """An entry at a width. ``text`` is the entry's, tabs expanded; ``status`` what stands to its right."""

    text: str
    lines: tuple[Line, ...]
    head: tuple[RowKind, ...]
    status: str

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.head) + len(self.lines)


class Anchor(NamedTuple):
    """A place in the log that survives a change of width: what the row at the top begins with.

    ``head`` is the row above the text, or -1 where the text is reached; then ``character`` counts
    from the beginning of the text.
    """

    entry: int
    head: int
    character: int


class LogModel:
    """All of the log's state but where it stands on the screen."""

    def __init__(self) -> None:
        self.columns = Columns.fit(80, 0)
        self.marker = UnreadMarker()
        self.top = ""
        """What stands above the first entry: whether there are older ones; empty for nothing."""
        self._entries = EntryStore()
        self._rows = RowTable()
        self._days = LocalDays()
        self._last_day: object = None
        self._widest_nick = 0
        self._pending: dict[str, int] = {}
        self._layouts: OrderedDict[int, Layout] = OrderedDict()
        self._rows_kept = 0
        self._set_columns()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> int:
        """The place of the first entry: below 0 where some were put before those that came first."""
        return self._entries.first

    @property
    def stop(self) -> int:
        """The place behind the last entry."""
        return self._entries.stop

    @property
    def height(self) -> int:
        """All rows, partly estimated."""
        return self._rows.height

    def entry(self, index: int) -> Entry:
        """An entry by its place."""
        return self._entries[index]

    def texts(self, chunk: int) -> tuple[int, list[str]]:
        """The place of the first entry of a chunk, by its number, and the texts of all."""
        return self._entries.start_of(chunk), self._entries.texts(chunk)

    def append(self, entry: Entry, *, is_new: bool = True) -> None:
        """Add an entry at the end; one that is not ``is_new`` was told before."""
        index = self.stop
        day = self._days.day(entry.time)
        day_rule = day is not None and day != self._last_day
        self._last_day = day or self._last_day
        self._entries.append(entry)
        if isinstance(entry, MessageEntry):
            self._take_message(index, entry)
            if is_new and not entry.own:
                self.marker.received(index, entry.row)
        self._rows.append(_extent(entry), day_rule=day_rule)

    def prepend(self, entries: Sequence[Entry]) -> None:
        """Put entries before the first one, in their order."""
        old, days = self.first, LocalDays()
        if len(self):
            self._changed(old)
        self._entries.prepend(entries)
        self._rows.prepend([_extent(entry) for entry in entries])
        last: object = None
        for index, entry in enumerate(entries, self.first):
            if isinstance(entry, MessageEntry):
                self._take_message(index, entry)
            day = days.day(entry.time)
            if day is not None and day != last:
                self._rows.set_day_rules([index], present=True)
                last = day
        self._join_days(old, last)
        self._raise_marker()

    def _join_days(self, index: int, day: object) -> None:
        """What had come first has lost its day rule where it is of the same day as what is before it now."""
        if index == self.stop:
            self._last_day = day or self._last_day
        elif day is not None and day == self._days.day(self._entries[index].time):
            self._rows.set_day_rules([index], present=False)

    def drop_first(self) -> list[Entry]:
        """Remove the first chunk, which must not be the last one; return what was in it."""
        dropped = self._entries.drop_first()
        self._rows.drop_first()
        self._forget(dropped)
        self._changed(self.first)
        self._begin_day()
        return dropped

    def _begin_day(self) -> None:
        """The first of the entries whose day is known has a day rule above it."""
        dated = (at for at in range(self.first, self.stop) if self._days.day(self._entries[at].time))
        self._rows.set_day_rules(islice(dated, 1), present=True)

    def drop_last(self) -> list[Entry]:
        """Remove the last chunk, full or not; return what was in it."""
        dropped = self._entries.drop_last()
        self._rows.drop_last()
        self._forget(dropped)
        days = (self._days.day(self._entries[at].time) for at in range(self.stop - 1, self.first - 1, -1))
        self._last_day = next(filter(None, days), None)
        return dropped

    def _forget(self, dropped: Sequence[Entry]) -> None:
        """Drop what is known of entries that are not held any more."""
        for entry_id in [entry.id for entry in dropped if isinstance(entry, MessageEntry)]:
            if not self._holds(self._pending.get(entry_id, self.first)):
                self._pending.pop(entry_id, None)
        for index in [index for index in self._layouts if not self._holds(index)]:
            self._rows_kept -= self._layouts.pop(index).height
        self.marker.gone(self.first, self.stop)

    def _holds(self, index: int) -> bool:
        return self.first <= index < self.stop

    def set_top(self, words: str) -> None:
        """Say above the first entry whether there are older ones."""
        if words != self.top:
            self.top = words
            if len(self):
                self._changed(self.first)

    def _take_message(self, index: int, entry: MessageEntry) -> None:
        self._widest_nick = max(self._widest_nick, min(_NICK_MAX, cell_len(entry.nick)))
        if entry.own and entry.tick not in {None, Tick.DELIVERED, Tick.CANCELLED}:
            self._pending[entry.id] = index
        if self.marker.back(index, entry.row):
            self._raise_marker()

    def place_of(self, row: int) -> int | None:
        """The place of the message with a row; None where there is none."""
        return next(
            (place for place in range(self.first, self.stop) if self._entries[place].row == row), None
        )

    def set_row(self, entry_id: str, row: int) -> bool:
        """Let one's own message, which had none, have a row; False where it is not known."""
        index = self._pending.get(entry_id)
        entry = None if index is None else self._entries[index]
        if index is None or not isinstance(entry, MessageEntry):
            return False
        self._entries.replace(index, replace(entry, row=row))
        return True

    def set_marker(self) -> None:
        """What has come is read; the next message received gets the marker above it."""
        self.clear_marker(is_due=True)

    def mark_unread(self, count: int) -> None:
        """Set the marker above the last ``count`` messages received, or as far up as there are any yet."""
        self.clear_marker()
        self.marker.begin(count, self.stop)
        self._raise_marker()

    def _raise_marker(self) -> None:
        old = self.marker.place
        self.marker.rise(self._entries)
        for index in (old, self.marker.place):
            if index is not None:
                self._changed(index)

    def clear_marker(self, *, is_due: bool = False) -> None:
        """Take the marker away; where it is due, the next message received gets it."""
        if self.marker.place is not None:
            self._changed(self.marker.place)
        self.marker.clear(is_due=is_due)

    def update_tick(self, entry_id: str, tick: Tick) -> int | None:
        """Change the tick of one's own message; its place, or None where it is not known or done."""
        index = self._pending.get(entry_id)
        if index is None:
            return None
        entry = self._entries[index]
        if not isinstance(entry, MessageEntry):
            raise TypeError("only messages have ticks")
        self._entries.replace(index, replace(entry, tick=tick))
        if tick in {Tick.DELIVERED, Tick.CANCELLED}:
            del self._pending[entry_id]
        self._changed(index)
        return index

    def _changed(self, index: int) -> None:
        dropped = self._layouts.pop(index, None)
        self._rows_kept -= dropped.height if dropped else 0
        self._rows.invalidate(index)

    def resize(self, width: int) -> bool:
        """Lay everything out for a width in cells, or for nicks longer than before; whether that changed."""
        columns = Columns.fit(width, self._widest_nick)
        if columns == self.columns:
            return False
        self.columns = columns
        self._set_columns()
        return True

    def _set_columns(self) -> None:
        self._layouts.clear()
        self._rows_kept = 0
        self._rows.resize(self.columns.text(cell_len(_TICKS[Tick.DELIVERED])))

    def layout(self, index: int) -> Layout:
        """An entry's exact rows."""
        layout = self._layouts.get(index)
        if layout is None:
            layout = self._layouts[index] = self._lay_out(index)
            self._rows_kept += layout.height
            while self._rows_kept > _ROWS_KEPT and len(self._layouts) > 1:
                _, oldest = self._layouts.popitem(last=False)
                self._rows_kept -= oldest.height
        return layout

    def _lay_out(self, index: int) -> Layout:
        entry = self._entries[index]
        text = expand_tabs(str(entry.text))
        status, width = "", self.columns.notice
        if isinstance(entry, MessageEntry):
            status, width = status_text(entry), self.columns.text(_status_room(entry))
        head = (RowKind.TOP,) * (index == self.first and bool(self.top))
        head += (RowKind.DAY,) * self._rows.has_day_rule(index)
        head += (RowKind.MARKER,) * (index == self.marker.place)
        return Layout(text, tuple(wrap(text, width)), head, status)

    def measure(self, index: int) -> int:
        """The exact height of an entry; from now on it counts."""
        height = self._rows.measured(index)
        if height is None:
            height = self.layout(index).height
            self._rows.set_measured(index, height)
        return height

    def settle(self, index: int, rows: int) -> None:
        """Measure an entry and what lies within ``rows`` rows above and below it."""
        self.measure(index)
        for neighbours in (range(index + 1, self.stop), range(index - 1, self.first - 1, -1)):
            reach = rows
            for neighbour in neighbours:
                reach -= self.measure(neighbour)
                if reach <= 0:
                    break

    def locate(self, row: int) -> tuple[int, int]:
        """The entry at a row, and which of its rows that is. The log must not be empty."""
        return self._rows.locate(row)

    def row_of(self, index: int) -> int:
        """The first row of an entry."""
        return self._rows.row_of(index)

    def anchor_at(self, row: int) -> Anchor:
        """The place at a row. What lies there is measured for it."""
        index, _ = self.locate(row)
        self.measure(index)
        index, offset = self.locate(row)
        layout = self.layout(index)
        line = offset - len(layout.head)
        if line < 0:
            return Anchor(index, offset, 0)
        return Anchor(index, -1, layout.lines[min(line, len(layout.lines) - 1)].start)

    def row_at(self, anchor: Anchor) -> int:
        """The row of a place."""
        layout = self.layout(anchor.entry)
        self.measure(anchor.entry)
        first = self.row_of(anchor.entry)
        if anchor.head >= 0:
            return first + min(anchor.head, len(layout.head))
        starts = [at for at, line in enumerate(layout.lines) if line.start <= anchor.character]
        return first + len(layout.head) + (starts[-1] if starts else 0)


def _extent(entry: Entry) -> Extent:
    return measure(entry.text)
