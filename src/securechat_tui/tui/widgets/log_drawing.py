"""One row of the chat log as a strip of styled segments."""

from collections.abc import Callable
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from securechat_tui.tui.widgets.log_entries import Entry, LocalDays, MessageEntry, Tick, clock_text
from securechat_tui.tui.widgets.log_layout import Line
from securechat_tui.tui.widgets.log_model import Layout, LogModel, RowKind

__all__ = ["COMPONENTS", "Place", "Row", "draw", "prefix"]

COMPONENTS: Final = frozenset(
    {
        "chat-log--time",
        "chat-log--nick",
        "chat-log--own-nick",
        "chat-log--text",
        "chat-log--notice",
        "chat-log--rule",
        "chat-log--unread",
        "chat-log--status",
        "chat-log--warning",
    }
)
"""The parts that have a style of their own."""
_LINE_BITS: Final = 20
_BULLET: Final = "· "
_HAND: Final = "▸"
_DAY_RULE: Final = "──"


class Place(NamedTuple):
    """A line of an entry's text, as one number where Textual wants a row: rows move, places do not."""

    entry: int
    line: int

    @property
    def number(self) -> int:
        """The place as one number, in the order of the log."""
        return self.entry << _LINE_BITS | self.line

    @classmethod
    def from_number(cls, number: int) -> "Place":
        """The inverse of :attr:`number`."""
        return cls(number >> _LINE_BITS, number & (1 << _LINE_BITS) - 1)


class Row(NamedTuple):
    """What is to be drawn: row ``offset`` of ``entry``; ``mark`` is the span of the mouse selection.

    The span counts characters of the row, prefix included; an end of -1 is the end of the line.
    """

    entry: int
    offset: int
    selected: bool = False
    mark: tuple[int, int] | None = None
    mark_style: Style | None = None


def prefix(model: LogModel, entry: Entry, line: int, *, selected: bool = False) -> tuple[str, str]:
    """What stands before a line of text: time, and nick or bullet; blanks but before the first."""
    columns = model.columns
    clock, nick = " " * columns.clock, " " * (columns.nick + 1)
    if line == 0 and columns.has_clock:
        clock = clock_text(entry.time) + (_HAND if selected else " ")
    if isinstance(entry, MessageEntry):
        if line == 0:
            nick = set_cell_size(entry.nick, columns.nick) + " "
    else:
        nick = _BULLET if line == 0 else " " * len(_BULLET)
    return clock, nick


def draw(model: LogModel, row: Row, style_of: Callable[[str], Style]) -> Strip:
    """Draw a row, exactly as wide as the log. ``style_of`` gives the style of one of :data:`COMPONENTS`."""
    layout = model.layout(row.entry)
    line = row.offset - len(layout.head)
    if line < 0:
        segments = [_rule(model, row.entry, layout.head[row.offset], style_of)]
    elif line < len(layout.lines):
        segments = _text_row(model, row, layout, line, style_of)
    else:
        segments = []
    return _filled(segments, model.columns.width, style_of("chat-log--text"))


def _filled(segments: list[Segment], width: int, style: Style) -> Strip:
    """Exactly ``width`` cells, in as few strips as can be: they are not cheap."""
    missing = width - sum(cell_len(segment.text) for segment in segments)
    if missing > 0:
        segments.append(Segment(" " * missing, style))
    strip = Strip(segments, width - min(missing, 0))
    return strip if missing >= 0 else strip.adjust_cell_length(width)


def _rule(model: LogModel, index: int, kind: RowKind, style_of: Callable[[str], Style]) -> Segment:
    width = model.columns.width
    if kind is RowKind.MARKER:
        return Segment(f" {model.unread} new ".center(width, "─"), style_of("chat-log--unread"))
    day = LocalDays().day(model.entry(index).time)
    words = f" {day:%a} {day.day} {day:%b} " if day else ""
    return Segment(f"{_DAY_RULE}{words}{_DAY_RULE}", style_of("chat-log--rule"))


def _text_row(
    model: LogModel, row: Row, layout: Layout, line: int, style_of: Callable[[str], Style]
) -> list[Segment]:
    entry = model.entry(row.entry)
    clock, nick = prefix(model, entry, line, selected=row.selected)
    head = [Segment(clock, style_of("chat-log--time")), Segment(nick, style_of(_nick_class(entry)))]
    text_style = style_of("chat-log--text" if isinstance(entry, MessageEntry) else "chat-log--notice")
    body = _body(layout, layout.lines[line], text_style, row, len(clock) + len(nick))
    segments = _placed([*head, *body], Place(row.entry, line).number)
    if line == 0 and layout.status:
        cells = sum(cell_len(segment.text) for segment in segments)
        gap = model.columns.width - cells - cell_len(layout.status)
        segments.append(Segment(" " * max(1, gap), text_style))
        segments.append(Segment(layout.status, style_of(_status_class(entry))))
    if row.selected:
        reverse = Style(reverse=True)
        segments = list(Segment.apply_style(segments, post_style=reverse))
    return segments


def _placed(segments: list[Segment], place: int) -> list[Segment]:
    """Tell Textual's selection by mouse where each segment is; empty ones go."""
    placed: list[Segment] = []
    column = 0
    for text, style, _ in segments:
        if text:
            offset = Style.from_meta({"offset": (column, place)})
            placed.append(Segment(text, style + offset if style else offset))
            column += len(text)
    return placed


def _body(layout: Layout, line: Line, style: Style, row: Row, before: int) -> list[Segment]:
    """The text of a line, in up to three parts where the mouse has selected some of it."""
    text = layout.text[line.start : line.stop]
    if row.mark is None:
        return [Segment(text, style)]
    first, last = row.mark
    start = max(0, first - before)
    stop = len(text) if last < 0 else max(0, last - before)
    marked = style + row.mark_style if row.mark_style else style
    return [Segment(text[:start], style), Segment(text[start:stop], marked), Segment(text[stop:], style)]


def _nick_class(entry: Entry) -> str:
    if not isinstance(entry, MessageEntry):
        return "chat-log--notice"
    return "chat-log--own-nick" if entry.own else "chat-log--nick"


def _status_class(entry: Entry) -> str:
    warns = isinstance(entry, MessageEntry) and (entry.late or entry.tick is Tick.FAILED)
    return "chat-log--warning" if warns else "chat-log--status"
