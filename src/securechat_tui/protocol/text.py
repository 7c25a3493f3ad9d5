"""The one sanitiser of text that a peer can choose.

Everything somebody else can write (message, name, error text) becomes :class:`SafeText` where it is
decoded. What a terminal would obey, hide or reorder does not survive:

===================================================  =============================================
C0 controls, DEL                                     their control pictures (ESC is shown as ``␛``)
C1, bidi and other format controls, separators,      U+FFFD each
zero-width space, word joiner, invisible operators,
tags, Hangul fillers, private use, unassigned,
surrogates, noncharacters
soft hyphen, variation selectors, ZWJ and ZWNJ       dropped: readers see the text without them anyway
ZWJ, U+FE0E, U+FE0F inside an emoji sequence         kept, at most four emoji in a sequence
combining marks                                      four on one base; one without a base is U+FFFD
===================================================  =============================================

Nothing is normalised: the text was signed as it is, and it is shown as it was meant. What counts as
unassigned is what the running Python's Unicode tables do not know; the terminal's are seldom newer.
Cost and size of the result are linear in the text, which is cut at a limit first.
"""

import re
import unicodedata
from functools import cache
from typing import Final, Self

__all__ = ["ANONYMOUS", "MAX_LINE", "MAX_NAME", "MAX_TEXT", "SafeText", "skeleton"]

MAX_TEXT: Final = 32768
"""Characters of a message (its UTF-8 is bounded to as many bytes on the wire)."""
MAX_LINE: Final = 240
"""Characters of a line, such as an error, unless the caller says otherwise."""
MAX_NAME: Final = 40
"""Characters of a name."""
ANONYMOUS: Final = "anonymous"
"""The name of who gives none."""

_REPLACEMENT: Final = "\ufffd"
_ELLIPSIS: Final = "…"
_MAX_MARKS: Final = 4
_LINE_READ: Final = 16
"""A line is read up to this many times its limit, so that white space can be collapsed first."""

_PLAIN = re.compile(
    "[\n\t -~\xa0-\xac\xae-\u024f"  # Latin
    "\u0400-\u0482\u048a-\u052f"  # Cyrillic
    "\u3041-\u3096\u30a1-\u30fe\u4e00-\u9ffc\uac00-\ud7a3]*"  # Kana, Han, Hangul
)
"""The fast path: assigned, visible, no marks. Most messages are nothing else."""

_NEVER_SEEN = frozenset(
    [
        *(
            0x034F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            0x3164,
            0xFFA0,
        ),  # grapheme joiner, fillers, inherent vowels
        *range(0x180B, 0x1810),  # Mongolian selectors
        *range(0xFFF0, 0xFFF9),
        *range(0xE0000, 0xE1000),  # tags, and what is reserved beside them
    ]
)
"""Default-ignorable code points whose general category does not give them away."""

_JOINERS: Final = "\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef"
_DECIDED_LATER = frozenset([0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
"""The members of ``_JOINERS``, which stay or go by their neighbours."""

_PICTOGRAPH: Final = (
    "©®\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705"
    "\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757"
    "\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e\U0001f17f"
    "\U0001f18e\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a\U0001f22f"
    "\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001faff"
)
"""Unicode's Extended_Pictographic: what an emoji sequence is made of."""
_EMOJI: Final = f"[{_PICTOGRAPH}][\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
_JOINER = re.compile(f"[{_JOINERS}]")


@cache
def _sequence() -> re.Pattern[str]:
    """An emoji sequence or a keycap (group 1), or a joiner or selector outside of one. Few texts have any."""
    return re.compile(f"({_EMOJI}(?:\u200d{_EMOJI}){{0,3}}|[0-9#*]\ufe0f\u20e3)|[{_JOINERS}]")


_PICTURES: Final = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_SOFT_HYPHEN: Final = 0xAD
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def _shown(code: int) -> str | None:
    """What stands for a code point wherever it occurs; None where it is dropped."""
    if code in _PICTURES:
        return _PICTURES[code]
    if code == _SOFT_HYPHEN:
        return None
    if code in _DECIDED_LATER:
        return chr(code)
    if code in _NEVER_SEEN or unicodedata.category(chr(code)) in _UNSEEN_CATEGORIES:
        return _REPLACEMENT
    return chr(code)


class _Table(dict[int, str | None]):
    """A translation table that fills itself; bounded, since a peer chooses what is looked up."""

    CAPACITY: Final = 8192

    def __missing__(self, code: int) -> str | None:
        shown = _shown(code)
        if len(self) < self.CAPACITY:
            self[code] = shown
        return shown


_BLOCK: Final = _Table({ord("\n"): "\n", ord("\t"): "\t"})
_BLANK_BRAILLE: Final = 0x2800
_LINE: Final = _Table(dict.fromkeys([ord("\n"), ord("\t"), ord("\r"), _BLANK_BRAILLE], " "))


def _limit_marks(text: str) -> str:
    """Keep four combining marks in a row; replace one that has no base to stand on."""
    kept: list[str] = []
    row = _MAX_MARKS
    orphan = True
    for character in text:
        if unicodedata.category(character)[0] != "M":
            row, orphan = 0, character in "\n\t"
            kept.append(character)
        elif orphan:
            row, orphan = 0, False
            kept.append(_REPLACEMENT)
        elif row < _MAX_MARKS:
            row += 1
            kept.append(character)
    return "".join(kept)


def _harmless(text: str, table: _Table) -> str:
    """Apply every rule but those of length and white space."""
    text = text.translate(table)
    if _JOINER.search(text):
        text = _sequence().sub(lambda found: found[1] or "", text)
    return text if text.isascii() else _limit_marks(text)


def _shortened(text: str, limit: int) -> str:
    """Cut so that an ellipsis fits within ``limit``, without leaving half an emoji sequence."""
    return text[: limit - 1].rstrip("\u200d\ufe0e\ufe0f \t\n") + _ELLIPSIS


class SafeText(str):
    """Text that can be shown: nothing in it is obeyed, hidden or reordered by a terminal.

    There is no way around the sanitiser: plain construction is :meth:`multi`. Whatever is computed
    from one (``+``, slices, ``format``) is a plain ``str`` again.
    """

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Sanitise as :meth:`multi` does."""
        return cls.multi(text)

    @classmethod
    def multi(cls, text: str) -> Self:
        """Sanitise a message: line feeds and tabs stay; at most :data:`MAX_TEXT` characters."""
        if isinstance(text, cls):
            return text
        if len(text) <= MAX_TEXT and _PLAIN.fullmatch(text):
            return super().__new__(cls, text)
        text = text[: MAX_TEXT * 2].replace("\r\n", "\n").replace("\r", "\n")
        shown = _harmless(text[:MAX_TEXT], _BLOCK)
        return super().__new__(cls, shown if len(text) <= MAX_TEXT else _shortened(shown, MAX_TEXT))

    @classmethod
    def line(cls, text: str, limit: int = MAX_LINE) -> Self:
        """Sanitise into one line: stripped, white space collapsed; at most ``limit`` characters."""
        words = _harmless(text[: limit * _LINE_READ], _LINE).split()
        line = _limit_marks(" ".join(words))
        return super().__new__(cls, line if len(line) <= limit else _shortened(line, limit))

    @classmethod
    def name(cls, text: str) -> Self:
        """Sanitise a name: a line of at most :data:`MAX_NAME` characters, never empty."""
        return cls.line(cls.line(text, MAX_NAME) or ANONYMOUS, MAX_NAME)


def skeleton(name: str) -> str:
    """What two names have in common that are read as the same: compare skeletons, never show them.

    Case, compatibility forms (full width, ligatures, styled mathematical letters), white space and
    whatever :class:`SafeText` drops make no difference. Letters that merely look alike across
    alphabets or classes (Cyrillic ``а``, ``l`` and ``I``, ``0`` and ``O``) and accents still do: for
    these there is :mod:`~securechat_tui.protocol.lookalikes`.
    """
    folded = unicodedata.normalize("NFKC", SafeText.line(name)).casefold()
    return unicodedata.normalize("NFKC", "".join(folded.split()))
