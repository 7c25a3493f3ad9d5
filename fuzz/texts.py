"""Untrusted text: the sanitiser, the screen's filter behind it, and the comparison of names."""

import unicodedata
from collections.abc import Callable

from fuzz.harness import Harness
from securechat_tui.protocol.text import MAX_LINE, MAX_NAME, MAX_TEXT, SafeText, skeleton
from securechat_tui.tui.safety import visible_text

_REFUSED = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u200c")
_MOST_MARKS = 4
_JOINER = "\u200d"
_SELECTORS = frozenset(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))
"""Variation selectors that have no place in an emoji sequence."""


def _text(data: bytes) -> str:
    """Bytes that are no UTF-8 become lone surrogates, which are refused as well."""
    return data.decode("utf-8", "surrogateescape")


def _check_harmless(text: str, kept: str) -> None:
    """Hold a text against the list of what a terminal would obey, hide or reorder."""
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        assert category not in _REFUSED or character in kept or character == _JOINER, ascii(character)
        assert character not in _UNSEEN
        assert character not in _SELECTORS
        if character == _JOINER:  # only between two things that are seen
            assert 0 < place < len(text) - 1
            assert not text[place - 1].isspace()
            assert not text[place + 1].isspace()
        marks = marks + 1 if category[0] == "M" else 0
        assert marks <= _MOST_MARKS


_FORMS: tuple[tuple[Callable[[str], SafeText], int, str], ...] = (
    (SafeText.multi, MAX_TEXT, "\n\t"),
    (SafeText.line, MAX_LINE, ""),
    (SafeText.name, MAX_NAME, ""),
)


def check_text(data: bytes) -> bool:
    """A message, a line or a name, by the first byte: harmless, bounded, the same when sanitised again."""
    if not data:
        return False
    sanitise, limit, kept = _FORMS[data[0] % len(_FORMS)]
    raw = _text(data[1:])
    text = sanitise(raw)
    assert type(text) is SafeText
    assert len(text) <= limit
    _check_harmless(text, kept)
    again = str(text)
    assert sanitise(again) == again
    return again == raw


def check_name(data: bytes) -> bool:
    """Names that are compared: what the sanitiser makes of one is read as the same name."""
    raw = _text(data)
    name = SafeText.name(raw)
    assert name
    assert skeleton(str(name)) == skeleton(name)
    return bool(skeleton(raw))


def check_screen(data: bytes) -> bool:
    """The filter before the terminal, and that it leaves alone what the sanitiser lets through."""
    raw = _text(data)
    shown = visible_text(raw)
    assert not any(unicodedata.category(one) in _REFUSED and one != _JOINER for one in shown), ascii(shown)
    assert visible_text(shown) == shown
    safe = SafeText.line(raw)
    assert visible_text(safe) == safe
    return shown == raw


def _texts() -> list[bytes]:
    texts = (
        "plain text",
        "Zoë, 漢字, Привет, עברית",
        "two\r\nlines\tand a tab",
        "\x1b]8;;http://x\x07link\x1b[31m\x9b\x7f\x00",
        "\u202eevil\u2066\u200e\u061c",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\u200d\U0001f466",
        "1\ufe0f\u20e3 \u2764\ufe0f \U0001f469\U0001f3fd\u200d\u2695\ufe0f",
        "a" + "\u0301" * 9 + "\n\u0301",
        "\U000e0041\U000e007f\u3164\u115f\u2800\u00ad",
        "x" * 300 + "\U0001f468\u200d\U0001f469",
    )
    return [*(text.encode() for text in texts), b"\xff\xed\xa0\x80"]


def _messages() -> list[bytes]:
    return [bytes((form,)) + text for text in _texts() for form in range(len(_FORMS))]


HARNESSES = (
    Harness("text", check_text, _messages, 320),
    Harness("name", check_name, lambda: [b"", *_texts()], 160),
    Harness("screen", check_screen, _texts, 320),
)
