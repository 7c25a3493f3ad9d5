"""Wrapping in cells, against what it must not do: lose text, overflow, cut a cluster, fail."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from securechat_tui.tui.widgets.log_layout import (
    _REGULAR,
    CLUSTER_LIMIT,
    Line,
    clusters,
    expand_tabs,
    measure,
    wrap,
)

FAMILY = "👨\u200d👩\u200d👧"
FLAG = "🇩🇪"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
CLUSTERS = [
    FAMILY,
    FLAG,
    SCOTLAND,
    "👍🏽",
    "❤\ufe0f",
    "1\ufe0f\u20e3",
    "e\u0301",
    "\u1100\u1161\u11a8",
    "क्षि",
    "กำ",
]

anything = st.text(st.characters(exclude_categories=()))
rich_text = st.lists(
    st.sampled_from(
        [*CLUSTERS, "漢", "字", "、", " ", "  ", "\n", "word", "hyphen-ated", "é", "\u200d", "\ufe0f"]
    )
).map("".join)
texts = st.one_of(anything, rich_text, st.text("ab \n", max_size=300))
widths = st.integers(1, 100)


def pieces(text: str, lines: list[Line]) -> tuple[list[str], list[str]]:
    """The lines, and what lies between them."""
    ends = [0, *(line.stop for line in lines)]
    starts = [*(line.start for line in lines), len(text)]
    return (
        [text[line.start : line.stop] for line in lines],
        [text[end:start] for end, start in zip(ends, starts, strict=True)],
    )


@given(texts, widths)
def test_joined_lines_give_the_text_back(text: str, width: int) -> None:
    lines, gaps = pieces(text, wrap(text, width))
    joined = gaps[0] + "".join(line + gap for line, gap in zip(lines, gaps[1:], strict=True))
    assert joined == text
    assert all(re.fullmatch(" *\n? *", gap) for gap in gaps)


@given(texts, widths)
def test_no_line_is_wider_than_the_width_unless_it_is_one_cluster(text: str, width: int) -> None:
    for line in wrap(text, width):
        shown = text[line.start : line.stop]
        assert cell_len(shown) <= width or len(list(clusters(shown))) == 1


@given(texts, widths)
def test_every_line_feed_is_a_break_and_every_other_break_is_needed(text: str, width: int) -> None:
    lines, gaps = pieces(text, wrap(text, width))
    assert sum(gap.count("\n") for gap in gaps) == text.count("\n")
    assert not any("\n" in line for line in lines)


@given(rich_text, widths)
def test_clusters_are_never_cut(text: str, width: int) -> None:
    inside = {at for start, stop, _ in clusters(text) for at in range(start + 1, stop)}
    for line in wrap(text, width):
        assert line.start not in inside
        assert line.stop not in inside


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_what_a_person_takes_for_one_character_is_one_cluster(cluster: str) -> None:
    assert [(start, stop) for start, stop, _ in clusters(f"a{cluster}b")][1] == (1, 1 + len(cluster))


@given(anything)
def test_clusters_cover_the_text_and_never_count_too_few_cells(text: str) -> None:
    spans = list(clusters(text))
    assert "".join(text[start:stop] for start, stop, _ in spans) == text
    assert sum(cells for _, _, cells in spans) >= cell_len(text)
    assert all(stop - start <= CLUSTER_LIMIT + 1 for start, stop, _ in spans)


def test_the_fast_path_knows_the_widths_that_textual_uses() -> None:
    for code in range(0x20, 0x10000):
        character = chr(code)
        if _REGULAR.fullmatch(character):
            assert get_character_cell_size(character) == (1 if character < "\u3000" else 2), hex(code)


def test_words_stay_whole_and_long_ones_are_broken_on_lines_of_their_own() -> None:
    text = "a short word and averyveryverylongone here"
    lines, _ = pieces(text, wrap(text, 12))
    assert lines == ["a short word", "and", "averyveryver", "ylongone", "here"]


def test_wide_characters_break_anywhere_but_before_closing_punctuation() -> None:
    text = "漢字かな、交じり"
    lines, _ = pieces(text, wrap(text, 8))
    assert lines == ["漢字か", "な、交じ", "り"]


def test_an_indent_is_kept_and_spaces_at_the_edge_are_not() -> None:
    text = "    code     more"
    lines, _ = pieces(text, wrap(text, 8))
    assert lines == ["    code", "more"]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("\ta", "    a"),
        ("a\tb", "a   b"),
        ("漢\tb", "漢  b"),
        ("abcd\tb\n\tc", "abcd    b\n    c"),
        ("no", "no"),
    ],
)
def test_tabs_stop_every_four_cells(text: str, expanded: str) -> None:
    assert expand_tabs(text) == expanded


@given(st.text("ab 漢\n", max_size=500), widths)
def test_estimates_are_never_below_the_text_s_own_lines_and_exact_where_all_fits(
    text: str, width: int
) -> None:
    estimate = measure(text).height(width)
    assert estimate >= text.count("\n") + 1
    if all(cell_len(line) <= width for line in text.split("\n")) and "\n" not in text:
        assert estimate == len(wrap(text, width))


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        " " * 1_000_000,
        "a" + "\u0301" * 100_000,
        "\u200d" * 100_000,
        "\x1b" * 30_000,
        "\ud800" * 30_000,
        FAMILY * 10_000,
        "line\n" * 500,
        "",
    ],
    ids=["word", "spaces", "marks", "joiners", "escapes", "surrogates", "families", "lines", "empty"],
)
def test_strange_texts_are_bounded(text: str) -> None:
    lines = wrap(text, 60)
    assert all(line.stop - line.start <= 60 * (CLUSTER_LIMIT + 1) for line in lines)
    joined = "".join(text[line.start : line.stop] for line in lines)
    assert joined.replace(" ", "") == text.replace("\n", "").replace(" ", "")
