"""What the mouse has selected in a chat log, as text for the clipboard."""

from typing import NamedTuple

from textual.geometry import Offset
from textual.selection import Selection

from securechat_tui.tui.widgets.log_drawing import Place, prefix
from securechat_tui.tui.widgets.log_entries import MessageEntry, clock_text
from securechat_tui.tui.widgets.log_model import LogModel

__all__ = ["Span", "selected_text"]


class Span(NamedTuple):
    """From a character of one line to a character of another, that one excluded."""

    start: Place
    start_character: int
    stop: Place
    stop_character: int

    @classmethod
    def of(cls, selection: Selection, first: Place, last: Place) -> "Span":
        """The span of a selection; what is open in it ends with what is in view."""
        start = selection.start or Offset(0, first.number)
        stop = selection.end or Offset(0, last.number)
        return cls(Place.from_number(start.y), start.x, Place.from_number(stop.y), stop.x)

    def is_within(self, first: int, stop: int) -> bool:
        """Whether all of it lies in entries from ``first`` up to ``stop``, that one excluded."""
        return first <= self.start.entry and self.stop.entry <= stop


def selected_text(model: LogModel, span: Span) -> str:
    """The texts within a span, each message of several headed by time and nick."""
    last = min(span.stop.entry, model.stop - 1)
    pieces = []
    for index in range(span.start.entry, last + 1):
        text = model.layout(index).text
        start = _character(model, span.start, span.start_character) if index == span.start.entry else 0
        stop = len(text)
        if index == span.stop.entry:
            stop = _character(model, span.stop, span.stop_character)
        whole = start == 0 and span.start.entry != last
        pieces.append((_heading(model, index) if whole and stop else "") + text[start:stop])
    return "\n".join(piece for piece in pieces if piece)


def _heading(model: LogModel, index: int) -> str:
    entry = model.entry(index)
    nick = f" {entry.nick}" if isinstance(entry, MessageEntry) else ""
    return f"{clock_text(entry.time)}{nick}  "


def _character(model: LogModel, place: Place, column: int) -> int:
    """The character of an entry's text at a column of characters of one of its rows."""
    lines = model.layout(place.entry).lines
    line = lines[min(place.line, len(lines) - 1)]
    before = sum(len(part) for part in prefix(model, model.entry(place.entry), place.line))
    return min(line.stop, line.start + max(0, column - before))
