"""The second layer against untrusted text: nothing but visible text leaves any widget.

Peers' texts are sanitised where they are decoded. Should one slip through, or an error message or a
file name bring the same along, this line filter is what stands before the terminal: Textual passes
escape sequences, C1 controls, hyperlinks and bidi overrides through every widget, with markup or
without.

Install it for all widgets of an app, as the last filter, so that no other can add anything after it::

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._text_filter]

Textual applies it to what a widget draws; a chat log, whose rows pass by Textual's cache of them, applies
it itself (`widgets/finished_rows.py`). A filter sees the lines of widgets alone. What goes to the driver
directly (the bell, the pointer's shape, the clipboard, which is base64) holds no text of anybody's.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from rich.cells import cell_len, get_character_cell_size, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

__all__ = ["SafetyFilter", "visible_text"]

_REPLACEMENT: Final = "\ufffd"

_SUSPECT: Final = re.compile(
    "[^ -~\xa0-\xac\xae-\u024f"  # Latin
    "\u0400-\u0482\u048a-\u052f"  # Cyrillic
    "\u2010-\u2027\u2030-\u205e"  # punctuation
    "\u2190-\u23ff\u2500-\u27bf\u2801-\u28ff"  # arrows, box drawing, symbols, braille
    "\u3041-\u3096\u30a1-\u30fe\u4e00-\u9ffc\uac00-\ud7a3\ufffd]"  # Kana, Han, Hangul
)
"""Whatever is not known to be assigned, visible and left alone by every terminal."""

_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_UNSEEN_OTHERS: Final = "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\U000e0000-\U000e0fff]"
"""Joiners, fillers, selectors and tags that their category does not give away."""
_JOINERS: Final = "\u200d\ufe00-\ufe0f"
_PICTOGRAPH: Final = (
    "[©®\u203c\u2049\u2122\u2139\u2190-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_EMOJI: Final = f"{_PICTOGRAPH}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"


@cache
def _joined() -> re.Pattern[str]:
    """An emoji sequence (group 1), or a joiner or selector outside of one. Few screens have any."""
    return re.compile(f"({_EMOJI}(?:\u200d{_EMOJI})*|[0-9#*]\ufe0f\u20e3)|[{_JOINERS}]")


class _Table(dict[int, str]):
    """A translation table that fills itself; bounded, since others choose what is looked up."""

    CAPACITY: Final = 8192

    def __missing__(self, code: int) -> str:
        shown = _shown(chr(code))
        if len(self) < self.CAPACITY:
            self[code] = shown
        return shown


_TABLE: Final = _Table()


def _shown(character: str) -> str:
    """What stands for a character: itself, or a replacement as wide as it was taken to be."""
    if re.match(f"[{_JOINERS}]", character):
        return character
    if unicodedata.category(character) in _UNSEEN_CATEGORIES or re.match(_UNSEEN_OTHERS, character):
        cells = get_character_cell_size(character)
        return _REPLACEMENT + " " * (cells - 1) if cells else ""
    return character


def visible_text(text: str) -> str:
    """The visible part of a piece of a line, as many cells wide as before.

    Controls, bidi and other format characters, separators, surrogates, private use and unassigned
    characters go: without a trace where they had no width, else U+FFFD takes their place. The zero
    width joiner and variation selectors stay within emoji.
    """
    if not _SUSPECT.search(text):
        return text
    shown = _joined().sub(lambda found: found[1] or "", text.translate(_TABLE))
    if shown == text:
        return text
    cells = cell_len(text)
    return shown if cell_len(shown) == cells else set_cell_size(shown, cells)


@lru_cache(maxsize=256)
def _unlinked(style: Style) -> Style:
    return style.update_link(None)


class SafetyFilter(LineFilter):
    """Lets nothing but visible text pass, and no hyperlinks: a link can hide where it leads."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments, clean; the same list where they were."""
        del background
        if all(self._is_clean(segment) for segment in segments):
            return segments
        return [self._cleaned(segment) for segment in segments]

    @staticmethod
    def _is_clean(segment: Segment) -> bool:
        style = segment.style
        return not (_SUSPECT.search(segment.text) or (style and style.link) or segment.control)

    @staticmethod
    def _cleaned(segment: Segment) -> Segment:
        style = segment.style
        return Segment(visible_text(segment.text), _unlinked(style) if style and style.link else style)
