"""How many colours there are: all of a theme's, the sixteen of the terminal's own, or none."""

from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from securechat_tui.chat.preferences import ThemeName
from securechat_tui.tui.themes import TERMINAL, THEMES

__all__ = ["ColourlessFilter", "fitting_theme"]

_ENOUGH: Final = frozenset({"256", "truecolor"})
"""Colour systems, as rich names them, that can show a theme's own colours."""


def fitting_theme(name: ThemeName, colour_system: str | None) -> Theme:
    """The theme of this name, or the terminal's own where it has too few colours for any other."""
    return THEMES[name] if colour_system in _ENOUGH else TERMINAL


@lru_cache(maxsize=1024)
def _colourless(style: Style) -> Style:
    return style.without_color + Style.from_meta(style.meta)


class ColourlessFilter(LineFilter):
    """Takes every colour away, greys too; bold, dim, underline and reverse stay.

    Textual's own filter for NO_COLOR leaves greys. Where a style sheet marks something by its
    background alone, its rules for ``:nocolor`` have to say reverse.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments, without colour."""
        del background
        return [
            Segment(text, _colourless(style) if style else style, control)
            for text, style, control in segments
        ]
