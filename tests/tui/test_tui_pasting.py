"""A bracketed paste is one piece of text, however it is cut and whatever is in it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._xterm_parser import XTermParser

from securechat_tui.tui.pasting import PasteParser

START, END = "\x1b[200~", "\x1b[201~"
ALPHABET = "ab\r\x1b[]012~;m" + "\x07"


def read(parser: XTermParser, *pieces: str) -> list[tuple[str, str]]:
    """Keys and pastes in the order in which they are read."""
    seen = []
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, events.Paste):
                seen.append(("paste", event.text))
            elif isinstance(event, events.Key):
                seen.append(("key", event.key))
    return seen


def cut(text: str, places: list[int]) -> list[str]:
    """``text`` in pieces, none of them empty."""
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:stop] for start, stop in pairwise(edges)]


@pytest.mark.parametrize(
    "text",
    [
        "two\rlines",
        "\x1b]52;c;aGk=\x07 and\rmore\r",
        "\x1b[31mred\x1b[0m\r",
        "\x1b",
        "\x1b\x1b[\x1b[20\x1b[200~",
        "\x1b[2",
    ],
    ids=ascii,
)
def test_escapes_type_no_keys(text: str) -> None:
    assert read(PasteParser(), f"{START}{text}{END}", "x") == [
        ("paste", text.replace("\x1b", "␛")),
        ("key", "x"),
    ]


def test_without_it_they_do() -> None:
    """Textual still has the fault; when it has not, this guard can go."""
    assert ("key", "enter") in read(XTermParser(), f"{START}\x1b[31mred\rEvil\r{END}", "x")


@given(
    st.text(ALPHABET, max_size=40).filter(lambda text: END not in text),
    st.lists(st.integers(0, 99), max_size=8),
)
def test_any_text_in_any_pieces(text: str, places: list[int]) -> None:
    stream = f"a{START}{text}{END}b{START}{END}{START}c\r{END}d"
    whole = read(PasteParser(), *cut(stream, places), "e")
    assert whole == [
        ("key", "a"),
        *([("paste", text.replace("\x1b", "␛"))]),
        ("key", "b"),
        ("paste", ""),
        ("paste", "c\r"),
        ("key", "d"),
        ("key", "e"),
    ]


@given(st.text("ab\x1b[ABO1;5~", max_size=20).filter(lambda text: START not in text))
def test_what_is_no_paste_goes_on_as_it_is(text: str) -> None:
    pieces = list(text)
    assert read(PasteParser(), *pieces, "") == read(XTermParser(), *pieces, "")
