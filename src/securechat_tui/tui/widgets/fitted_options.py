"""A list whose rows are made for the width there is, so that none is wrapped or cut."""

from collections.abc import Callable, Sequence

from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.widgets import OptionList
from textual.widgets.option_list import Option

__all__ = ["FittedOptions", "FittedRow"]

_REVERSED = Style(reverse=True)

FittedRow = Callable[[int], Content]
"""A row, made for a width in cells."""


class FittedOptions(OptionList):
    """``rows`` are told apart by their place; None is a line between two groups."""

    def __init__(self, rows: Sequence[FittedRow | None], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        self._rows: list[FittedRow] = []
        super().__init__(*self._options_of(rows, 0), markup=False, id=id)

    def _options_of(self, rows: Sequence[FittedRow | None], width: int) -> list[Option | None]:
        self._rows += [row for row in rows if row is not None]
        return [None if row is None else Option(row(width)) for row in rows]

    def extend(self, rows: Sequence[FittedRow | None]) -> None:
        """Add rows below those that are there."""
        self.add_options(self._options_of(rows, self.scrollable_content_region.width))

    def render_line(self, y: int) -> Strip:
        """Draw a row; without colours to tell it by, the highlighted one is reversed, as in the log."""
        strip = super().render_line(y)
        if not (self.app.no_color or self.app.native_ansi_color):
            return strip
        meta = next((segment.style.meta for segment in strip if segment.style), {})
        return strip.apply_style(_REVERSED) if meta.get("option") == self.highlighted else strip

    def on_resize(self) -> None:
        """Make the rows anew."""
        width = self.scrollable_content_region.width
        for index, row in enumerate(self._rows):
            self.replace_option_prompt_at_index(index, row(width))
