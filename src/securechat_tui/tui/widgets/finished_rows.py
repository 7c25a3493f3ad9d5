"""Rows that go to the terminal as they are, past Textual's own cache of them.

Textual makes a strip of a row six times before it is painted: wide enough, inside a border, through each
line filter, and cut where a scrollbar lies over it. Whoever makes a row once and for all has to do for
it what Textual would have done: a :class:`Frame` is all of that.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Self

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["Frame", "RowBar", "is_plain"]

_ON_TOP: Final = ("hatch", "outline_top", "outline_right", "outline_bottom", "outline_left")


def is_plain(widget: Widget) -> bool:
    """Whether a style sheet leaves a widget's rows as they are, and adds at most something around them."""
    styles = widget.styles
    is_clear = widget.opacity == styles.text_opacity == 1 and not styles.tint.a
    return is_clear and not styles.has_any_rules(*_ON_TOP)


class _Row(Strip):
    """A row whose end is the same strip for all rows, and where the compositor may cut it off for nothing."""

    __slots__ = ["_body", "_end"]

    def __init__(self, segments: Sequence[Segment], cells: int, end: Strip) -> None:
        """``segments`` are so many ``cells`` wide; ``end`` comes behind them."""
        super().__init__([*segments, *end], cells + end.cell_length)
        self._body = Strip(segments, cells)
        self._end = end

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Cut the row at some cells."""
        cuts, cells = list(cuts), self._body.cell_length
        if cuts[:1] != [cells]:
            return super().divide(cuts)
        return [self._body, *self._end.divide([cut - cells for cut in cuts[1:]])]


class Filtering(NamedTuple):
    """What the app's line filters do to the rows of a widget, and the background that they are told."""

    filters: tuple[LineFilter, ...]
    background: Color

    @classmethod
    def of(cls, widget: Widget) -> Self:
        """What is done to the rows of ``widget``."""
        return cls(tuple(widget.get_line_filters()), widget.background_colors[1])

    def apply(self, segments: list[Segment]) -> list[Segment]:
        """What the filters leave of segments."""
        for line_filter in self.filters:
            segments = line_filter.apply(segments, self.background)
        return segments


class Frame(NamedTuple):
    """What Textual does for every row of a widget.

    ``left`` and ``right`` are border and padding, and the blanks beneath a scrollbar, already filtered.
    """

    left: Strip
    right: Strip
    filtering: Filtering

    @classmethod
    def around(cls, widget: Widget, row: Strip) -> Self:
        """The frame that Textual has drawn around a ``row`` of ``widget``, which is a plain one."""
        gutter, width = widget.gutter, row.cell_length
        left, right = row.crop(0, gutter.left), row.crop(width - gutter.right, width)
        return cls(left, right, Filtering.of(widget))

    def finish(self, segments: list[Segment], cells: int) -> Strip:
        """Make a row of segments that are so many ``cells`` wide."""
        inside = self.filtering.apply(segments)
        return _Row([*self.left, *inside], self.left.cell_length + cells, self.right)


class RowBar(ScrollBar):
    """A vertical scrollbar that makes a strip for each kind of row that it has, not three for each row."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows in a region."""
        width, height = self.size
        if crop.width != width or not is_plain(self):
            return super().render_lines(crop)
        filtering, base = Filtering.of(self), self.visual_style.rich_style
        options = self.app.console_options.update(width=width, height=height)
        drawn = self.app.console.render(self.render(), options)
        rows = [segment for segment in drawn if segment.text != "\n"][crop.y : crop.bottom]
        kinds = {
            row: Strip(filtering.apply([Segment(row.text, base + row.style)]), width) for row in set(rows)
        }
        return [kinds[row] for row in rows]
