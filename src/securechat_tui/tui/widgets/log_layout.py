"""How text becomes lines: pure, exact where it is asked to be, estimated in cells where it is not.

Widths are those of ``rich.cells``, which is what Textual cuts lines by. A grapheme cluster is never
cut; it counts at least one cell when lines are broken, so that no text, however strange, makes a line
of more than :data:`CLUSTER_LIMIT` code points for each cell of its width.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len

__all__ = ["CLUSTER_LIMIT", "Extent", "Line", "clusters", "expand_tabs", "measure", "wrap"]

CLUSTER_LIMIT: Final = 32
"""Code points that are kept together at most; the longest emoji sequence in use has ten."""

_TAB: Final = 4
_BREAKS: Final = frozenset(" \n")
_ZWJ: Final = "\u200d"
_VIRAMA_CLASS: Final = 9

_NARROW_CLASS: Final = (
    " -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u0388\u038e-\u03a1\u03a3-\u0482\u2500-\u25fc"
)
_WIDE_CLASS: Final = (
    "\u3001-\u3029\u3041-\u3096\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60\uffe0-\uffe6"
)
_NARROW: Final = re.compile(f"[{_NARROW_CLASS}]*")
"""Text in which every character is a cluster of one cell."""
_REGULAR: Final = re.compile(f"[{_NARROW_CLASS}{_WIDE_CLASS}]*")
"""Text in which every character is a cluster, of two cells from U+3000 on."""
_WIDE: Final = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f"
    "\uff01-\uff60\uffe0-\uffe6\U0001f300-\U0001f64f\U0001f900-\U0001f9ff\U00020000-\U0003fffd]+"
)
"""Most of what is two cells wide; good enough for an estimate."""
_EXTENDING: Final = re.compile(
    "[\U0001f3fb-\U0001f3ff"  # skin tones
    "\U000e0020-\U000e007f"  # tags of flags
    "\u1160-\u11ff\ud7b0-\ud7fb"  # vowels and finals of Hangul
    "\u0e33\u0eb3\u200c\uff9e\uff9f]"
)
"""What extends a cluster though it is not a mark."""
_TOKEN: Final = re.compile(" +|[^ ]+")
_CLOSING: Final = frozenset("、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】")
"""What must not begin a line."""


class Line(NamedTuple):
    """One line of a wrapped text: ``text[start:stop]``. Spaces at a break belong to neither line."""

    start: int
    stop: int


class Extent(NamedTuple):
    """What a text's height is estimated from: its own lines, and the cells of all of them."""

    lines: int
    cells: int

    def height(self, width: int) -> int:
        """Lines at ``width`` cells, estimated; never less than the text's own lines."""
        return self.lines + max(0, -((self.lines * width - self.cells) // width))


def measure(text: str) -> Extent:
    """Measure a text for estimates, in a time that hardly depends on it."""
    lines = text.count("\n") + 1
    if text.isascii():
        return Extent(lines, len(text) - lines + 1)
    return Extent(lines, 2 * len(text) - len(_WIDE.sub("", text)) - lines + 1)


def expand_tabs(text: str) -> str:
    """Replace each tab by spaces up to the next multiple of four cells."""
    if "\t" not in text:
        return text
    return "\n".join(_expand_line(line) for line in text.split("\n"))


def _expand_line(line: str) -> str:
    pieces: list[str] = []
    column = 0
    *parts, last = line.split("\t")
    for part in parts:
        column += cell_len(part)
        gap = _TAB - column % _TAB
        pieces += (part, " " * gap)
        column += gap
    return "".join(pieces) + last


@lru_cache(maxsize=4096)
def _extends(character: str) -> bool:
    """Whether a character belongs to the cluster before it, whatever that is."""
    if unicodedata.category(character) in {"Mn", "Me", "Mc"}:
        return True
    return bool(_EXTENDING.match(character))


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _pairs(before: str, after: str) -> bool:
    """Whether two characters make one cluster although the second could begin one."""
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= after <= "\u115f"  # initials of Hangul
    return unicodedata.combining(before) == _VIRAMA_CLASS and after.isalpha()


def _cluster_stop(text: str, start: int) -> int:
    """Where the cluster ends that begins at ``start``. Where lines break, nothing is joined."""
    if text[start] in _BREAKS:
        return start + 1
    limit = min(len(text), start + CLUSTER_LIMIT)
    stop = start + 1
    if stop < limit and _is_regional(text[start]) and _is_regional(text[stop]):
        stop += 1
    while stop < limit:
        character = text[stop]
        if character == _ZWJ:
            stop += 1 if text[stop + 1 : stop + 2] in _BREAKS else 2
        elif _extends(character) or _pairs(text[stop - 1], character):
            stop += 1
        else:
            break
    return min(stop, len(text))


def clusters(text: str) -> Iterator[tuple[int, int, int]]:
    """Grapheme clusters as (start, stop, cells); cells are at least 1 and never too few."""
    if _REGULAR.fullmatch(text):
        for index, character in enumerate(text):
            yield index, index + 1, 1 if character < "\u3000" else 2
        return
    start = 0
    while start < len(text):
        stop = _cluster_stop(text, start)
        yield start, stop, max(1, cell_len(text[start:stop]))
        start = stop


def _atoms(text: str, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """What must not be broken without need within a word: (start, stop, cells).

    Wide characters stand alone, with the closing punctuation that follows; the rest is kept together.
    """
    word = text[first:last]
    if _NARROW.fullmatch(word):
        yield first, last, last - first
        return
    begin = end = cells = 0
    was_wide = False
    for start, stop, cost in clusters(word):
        is_wide = cost > 1
        if end and (is_wide or was_wide) and word[start] not in _CLOSING:
            yield first + begin, first + end, cells
            begin, cells = start, 0
        end, cells, was_wide = stop, cells + cost, is_wide
    yield first + begin, first + end, cells


class _Filler:
    """Fills lines with what may not be broken, and breaks what is longer than a line."""

    def __init__(self, text: str, width: int) -> None:
        self._text = text
        self._width = width
        self._start = self._stop = 0
        self._used = self._spaces = 0
        self.lines: list[Line] = []

    def begin(self, start: int) -> None:
        """Begin a line."""
        self._start = self._stop = start
        self._used = self._spaces = 0

    def end(self) -> None:
        """End the line; spaces after its last word stay outside."""
        self.lines.append(Line(self._start, self._stop))

    def add_spaces(self, start: int, stop: int) -> None:
        """Spaces between words hang over the edge; an indent is kept up to half the width."""
        if self._used:
            self._spaces += stop - start
            return
        kept = min(stop - start, self._width // 2)
        self._start, self._stop, self._used = stop - kept, stop, kept

    def add(self, start: int, stop: int, cells: int) -> None:
        """Add an atom, on the next line where it does not fit on this one."""
        if self._used + self._spaces + cells <= self._width:
            self._used += self._spaces + cells
            self._stop, self._spaces = stop, 0
            return
        if self._used:
            self.end()
            self.begin(start)
        if cells <= self._width:
            self._stop, self._used = stop, cells
        elif _NARROW.fullmatch(self._text, start, stop):
            self._break_narrow(start, stop)
        else:
            self._break(start, stop)

    def _break_narrow(self, start: int, stop: int) -> None:
        last = stop - ((stop - start - 1) % self._width + 1)
        self.lines += [Line(at, at + self._width) for at in range(start, last, self._width)]
        self._start, self._stop, self._used = last, stop, stop - last

    def _break(self, start: int, stop: int) -> None:
        for first, last, cost in clusters(self._text[start:stop]):
            if self._used and self._used + cost > self._width:
                self.end()
                self.begin(start + first)
            self._stop = start + last
            self._used += cost


def wrap(text: str, width: int) -> list[Line]:
    """Break a text without tabs into lines of at most ``width`` cells.

    Line feeds are kept; between words the spaces at a break are left out of both lines. A cluster
    wider than ``width`` has a line to itself.
    """
    width = max(1, width)
    filler = _Filler(text, width)
    position = 0
    for paragraph in text.split("\n"):
        stop = position + len(paragraph)
        if len(paragraph) <= width and _NARROW.fullmatch(paragraph):
            filler.lines.append(Line(position, stop))
        else:
            filler.begin(position)
            _fill(filler, text, position, stop)
            filler.end()
        position = stop + 1
    return filler.lines


def _fill(filler: _Filler, text: str, start: int, stop: int) -> None:
    for token in _TOKEN.finditer(text, start, stop):
        first, last = token.span()
        if text[first] == " ":
            filler.add_spaces(first, last)
        else:
            for atom in _atoms(text, first, last):
                filler.add(*atom)
