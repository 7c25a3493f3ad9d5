"""Something to read in two columns, whatever the width."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

__all__ = ["Pair", "Row", "Rows"]

_READABLE = 28
"""Cells that a right column needs; with fewer it goes beneath the left one."""
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """A term, and what there is to say about it."""

    left: Content
    right: Content


Row = Content | Pair


class Rows(Widget):
    """Paragraphs and pairs. A right column is wrapped within itself; where it is too narrow it goes below."""

    DEFAULT_CSS = "Rows { width: 1fr; height: auto; }"

    def __init__(self, rows: Sequence[Row], column: int) -> None:
        """``column`` is the cell at which right columns begin."""
        super().__init__()
        self._content_rows = tuple(rows)
        self._column = column

    def update(self, rows: Sequence[Row]) -> None:
        """Show these rows instead."""
        self._content_rows = tuple(rows)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as it takes at this width."""
        del container, viewport
        return len(self._lines(width))

    def render(self) -> Content:
        """All rows as text."""
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        return [line for row in self._content_rows for line in self._laid_out(row, max(width, 1))]

    def _laid_out(self, row: Row, width: int) -> Iterable[Content]:
        if isinstance(row, Content):
            return row.wrap(width) if row else [row]
        column = self._column
        if width - column < _READABLE:
            return [row.left, *(line.pad_left(_INDENT) for line in row.right.wrap(max(width - _INDENT, 1)))]
        first, *others = row.right.wrap(width - column)
        head = Content.assemble(row.left.pad_right(max(column - row.left.cell_length, 1)), first)
        return [head, *(line.pad_left(column) for line in others)]
