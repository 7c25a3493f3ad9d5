"""One row of the chat log as a strip of styled segments."""

import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from securechat_tui.tui.themes import NICKS
from securechat_tui.tui.widgets.log_entries import Entry, LocalDays, MessageEntry, Tick, clock_text
from securechat_tui.tui.widgets.log_layout import Line
from securechat_tui.tui.widgets.log_model import Layout, LogModel, RowKind
from securechat_tui.tui.widgets.log_search import LogSearch

__all__ = ["COMPONENTS", "Place", "Row", "draw", "prefix"]

COMPONENTS: Final = frozenset(
    {
        "chat-log--time",
        *(f"chat-log--nick-{number}" for number in range(NICKS)),
        "chat-log--own-nick",
        "chat-log--text",
        "chat-log--notice",
        "chat-log--rule",
        "chat-log--unread",
        "chat-log--status",
        "chat-log--warning",
        "chat-log--found",
        "chat-log--found-here",
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
    ``search`` is what is being looked for.
    """

    entry: int
    offset: int
    selected: bool = False
    mark: tuple[int, int] | None = None
    mark_style: Style | None = None
    search: LogSearch | None = None

    @property
    def is_hit(self) -> bool:
        """Whether this is the hit one is at."""
        return self.search is not None and self.search.current == self.entry


_Span = tuple[int, int, Style]
"""From a character of a line to another, that one excluded, in a style on top of the line's own."""


def prefix(model: LogModel, entry: Entry, line: int, *, pointed: bool = False) -> tuple[str, str]:
    """What stands before a line of text: time, and nick or bullet; blanks but before the first."""
    columns = model.columns
    clock, nick = " " * columns.clock, " " * (columns.nick + 1)
    if line == 0 and columns.has_clock:
        clock = clock_text(entry.time) + (_HAND if pointed else " ")
    if isinstance(entry, MessageEntry):
        if line == 0:
            nick = set_cell_size(entry.nick, columns.nick) + " "
    else:
        nick = _BULLET if line == 0 else " " * len(_BULLET)
    return clock, nick


def draw(model: LogModel, row: Row, style_of: Callable[[str], Style]) -> list[Segment]:
    """Draw a row, exactly as wide as the log. ``style_of`` gives the style of one of :data:`COMPONENTS`."""
    layout = model.layout(row.entry)
    line = row.offset - len(layout.head)
    if line < 0:
        segments = [_rule(model, row.entry, layout.head[row.offset], style_of)]
    elif line < len(layout.lines):
        segments = _text_row(model, row, layout, line, style_of)
    else:
        segments = []
    width = model.columns.width
    missing = width - sum(cell_len(segment.text) for segment in segments)
    if missing > 0:
        segments.append(Segment(" " * missing, style_of("chat-log--text")))
    if line >= 0:
        segments = _placed(segments, Place(row.entry, line).number)
    return segments if missing >= 0 else list(Strip(segments).crop(0, width))


def _rule(model: LogModel, index: int, kind: RowKind, style_of: Callable[[str], Style]) -> Segment:
    width = model.columns.width
    if kind is RowKind.MARKER:
        return Segment(f" {model.marker.words} ".center(width, "─"), style_of("chat-log--unread"))
    if kind is RowKind.TOP:
        return Segment(f" {model.top} ".center(width, "─"), style_of("chat-log--rule"))
    day = LocalDays().day(model.entry(index).time)
    words = f" {day:%a} {day.day} {day:%b} " if day else ""
    return Segment(f"{_DAY_RULE}{words}{_DAY_RULE}", style_of("chat-log--rule"))


def _text_row(
    model: LogModel, row: Row, layout: Layout, line: int, style_of: Callable[[str], Style]
) -> list[Segment]:
    entry = model.entry(row.entry)
    clock, nick = prefix(model, entry, line, pointed=row.selected or row.is_hit)
    text_style = style_of("chat-log--text" if isinstance(entry, MessageEntry) else "chat-log--notice")
    head = [Segment(clock + nick, text_style)]
    if line == 0:
        head = [Segment(clock, style_of("chat-log--time")), Segment(nick, style_of(_nick_class(entry)))]
    spans = [
        *_found_spans(layout, layout.lines[line], row, style_of),
        *_marked_spans(row, len(clock) + len(nick)),
    ]
    text = layout.text[layout.lines[line].start : layout.lines[line].stop]
    segments = [*head, *_painted(text, text_style, spans)]
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
    """Tell Textual's selection by mouse where each segment is; empty ones go, and like ones become one.

    What is drawn takes a time for each segment, however short.
    """
    placed: list[Segment] = []
    column = 0
    for text, style, _ in Segment.simplify(segments):
        if text:
            offset = Style.from_meta({"offset": (column, place)})
            placed.append(Segment(text, style + offset if style else offset))
            column += len(text)
    return placed


def _found_spans(layout: Layout, line: Line, row: Row, style_of: Callable[[str], Style]) -> Sequence[_Span]:
    """Where on a line the word is that is looked for."""
    if row.search is None:
        return ()
    style = style_of("chat-log--found-here" if row.is_hit else "chat-log--found")
    found = row.search.spans(layout.text, line.start, line.stop)
    return [(start - line.start, stop - line.start, style) for start, stop in found]


def _marked_spans(row: Row, before: int) -> Sequence[_Span]:
    """What of a line the mouse has selected; ``before`` characters stand before its text."""
    if row.mark is None or row.mark_style is None:
        return ()
    first, last = row.mark
    return [(first - before, sys.maxsize if last < 0 else last - before, row.mark_style)]


def _painted(text: str, style: Style, spans: Sequence[_Span]) -> list[Segment]:
    """A line's text in its own style, with those of the spans on top."""
    if not spans:
        return [Segment(text, style)]
    edges = {0, len(text)}
    for start, stop, _ in spans:
        edges |= {min(max(start, 0), len(text)), min(max(stop, 0), len(text))}
    segments = []
    for first, last in pairwise(sorted(edges)):
        painted = style
        for start, stop, extra in spans:
            if start <= first and last <= stop:
                painted += extra
        segments.append(Segment(text[first:last], painted))
    return segments


def _nick_class(entry: Entry) -> str:
    if not isinstance(entry, MessageEntry):
        return "chat-log--notice"
    return "chat-log--own-nick" if entry.own else f"chat-log--nick-{entry.colour}"


def _status_class(entry: Entry) -> str:
    warns = isinstance(entry, MessageEntry) and (entry.late or entry.tick is Tick.FAILED)
    return "chat-log--warning" if warns else "chat-log--status"
