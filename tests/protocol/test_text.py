"""The sanitiser: what survives, what is shown instead, and that nothing gets around it."""

import copy
import pickle
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat_tui.protocol import text as module
from securechat_tui.protocol.text import ANONYMOUS, MAX_LINE, MAX_NAME, MAX_TEXT, SafeText, skeleton

NASTY = (
    "\x00\x07\x08\x1b\x7f\r\n\t\v\x85\x9b\xad\u0301\u0489\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u2028\u202e\u2060"
    "\u2066\u2069\u20e3\u2800\u3000\u3164\ue000\ufdd0\ufe0e\ufe0f\ufeff\ufff9\ufffe\uffa0\ud800\udfff"
    "\U0001f468\U0001f469\U0001f3fd\U0001f1e9\u2764\U000e0001\U000e0041\U000e007f\U000e0100\U0010ffff"
    "[/]19#a é"
)
texts = st.text(st.one_of(st.sampled_from(NASTY), st.characters())) | st.text(
    st.sampled_from(NASTY), min_size=8
)
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


def stray(text: str, kept: str = "\n\t") -> set[str]:
    """Return the characters that must never reach a terminal, joiners and selectors aside."""
    forbidden = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
    return {c for c in text if unicodedata.category(c) in forbidden and c not in kept and c != "\u200d"} | {
        c for c in text if c in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f\u200c"
    }


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain [/x] text\n\ttabbed", "plain [/x] text\n\ttabbed"),
        ("\x1b[31mred\x1b]8;;http://x\x07", "␛[31mred␛]8;;http://x␇"),
        ("\x00\x08\x0b\x0c\x1f\x7f", "␀␈␋␌␟␡"),
        ("one\r\ntwo\rthree\n\rfour", "one\ntwo\nthree\n\nfour"),
        ("\x9b31m\x85\x80", "\ufffd31m\ufffd\ufffd"),
        ("a\u202eb\u2066c\u200ed\u061ce", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("a\u200bb\u2060c\u2063d\ufeffe", "a\ufffdb\ufffdc\ufffdd\ufffde"),
        ("a\u2028b\u2029c", "a\ufffdb\ufffdc"),
        ("\ue000\U000f0000\u0378\ufdd0\U0010ffff\ud800", "\ufffd" * 6),
        ("\U000e0001\U000e0061\U000e007f", "\ufffd" * 3),
        ("\u115f\u1160\u3164\uffa0\u034f\u180e", "\ufffd" * 6),
        ("co\xadoperate", "cooperate"),
        ("می\u200cخواهم", "میخواهم"),
        ("क्\u200dष", "क्ष"),
        ("a\ufe0fb\ufe01c\U000e0101", "abc"),
        (
            "naïve Ünïcode ß 漢字 かな 한국어 Привет עברית ไทย",
            "naïve Ünïcode ß 漢字 かな 한국어 Привет עברית ไทย",
        ),
        ("X\u0301e\u0302\u0303", "X\u0301e\u0302\u0303"),
        ("a" + "\u0300" * 9 + "b", "a" + "\u0300" * 4 + "b"),
        ("\u0301a\n\u0301b\t\u0301", "\ufffda\n\ufffdb\t\ufffd"),
        ("\u0301\u0302\u0303", "\ufffd\u0302\u0303"),
        ("\u0301" * 9, "\ufffd" + "\u0301" * 4),
        ("\u2800\u28ff", "\u2800\u28ff"),
    ],
)
def test_a_message_is_shown_harmless(raw: str, shown: str) -> None:
    assert SafeText.multi(raw) == shown
    assert SafeText(raw) == shown


@pytest.mark.parametrize(
    "emoji",
    [
        FAMILY,
        "\U0001f469\U0001f3fd\u200d\u2695\ufe0f",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f468",
        "\U0001f9d1\U0001f3fb\u200d\U0001f91d\u200d\U0001f9d1\U0001f3ff",
        "1\ufe0f\u20e3#\ufe0f\u20e3",
        "\U0001f1e9\U0001f1ea",
        "\u2764\ufe0e ©\ufe0f",
    ],
)
def test_emoji_sequences_stay_whole(emoji: str) -> None:
    assert SafeText.multi(f"{emoji} and {emoji}") == f"{emoji} and {emoji}"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\U0001f468\u200d", "\U0001f468"),
        ("\u200d\U0001f468", "\U0001f468"),
        ("a\u200d\U0001f468", "a\U0001f468"),
        ("\U0001f468\u200d\u200d\U0001f468", "\U0001f468\U0001f468"),
        ("\U0001f468\u200c\u200d\U0001f468", "\U0001f468\U0001f468"),
        ("\U0001f468\u0301\u200d\U0001f468", "\U0001f468\u0301\U0001f468"),
        ("\u2764\ufe0f\ufe0f", "\u2764\ufe0f"),
        ("1\ufe0f", "1"),
    ],
)
def test_a_joiner_outside_an_emoji_sequence_goes(raw: str, shown: str) -> None:
    assert SafeText.multi(raw) == shown


def test_a_chain_of_joined_emoji_cannot_hide_more_than_four() -> None:
    man = "\U0001f468"
    four = "\u200d".join([man] * 4)
    assert SafeText.multi("\u200d".join([man] * 9)) == four + four + man


def test_every_single_code_point_comes_out_harmless() -> None:
    for start in range(0, sys.maxunicode + 1, 4096):
        block = " ".join(map(chr, range(start, start + 4096)))
        assert not stray(SafeText.multi(block)), hex(start)


def test_the_fast_path_admits_nothing_that_the_rules_would_change() -> None:
    admitted = [chr(c) for c in range(sys.maxunicode + 1) if module._PLAIN.fullmatch(chr(c))]
    assert len(admitted) > 30_000
    assert not stray("".join(admitted))
    assert not [c for c in admitted if unicodedata.category(c)[0] == "M"]
    assert SafeText.multi("\u2500" + "".join(admitted[:30_000])) == "\u2500" + "".join(admitted[:30_000])


@settings(deadline=None)
@given(texts)
def test_a_message_is_harmless_stable_and_not_longer(raw: str) -> None:
    shown = SafeText.multi(raw)
    assert not stray(shown)
    assert len(shown) <= len(raw)
    assert SafeText.multi(str(shown)) == SafeText(str(shown)) == shown
    marks = "".join("m" if unicodedata.category(c)[0] == "M" else c for c in shown)
    assert "mmmmm" not in marks.replace("\ufffd", "x")


@settings(deadline=None)
@given(texts, st.integers(2, 60))
def test_a_line_is_harmless_stable_and_short(raw: str, limit: int) -> None:
    shown = SafeText.line(raw, limit)
    assert not stray(shown, kept="")
    assert len(shown) <= limit
    assert shown == " ".join(shown.split())
    assert SafeText.line(str(shown), limit) == shown
    assert SafeText(str(shown)) == shown
    assert not shown or unicodedata.category(shown[0])[0] != "M"


@settings(deadline=None)
@given(texts)
def test_a_name_is_a_line_that_is_never_empty(raw: str) -> None:
    name = SafeText.name(raw)
    assert 0 < len(name) <= MAX_NAME
    assert SafeText.name(str(name)) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("  alice \t\n of\u3000 \u00a0troy ", "alice of troy"),
        ("", ANONYMOUS),
        (" \r\n\t\u2800\u3000", ANONYMOUS),
        ("\xad\u200d\ufe0f", ANONYMOUS),
        ("\u3164", "\ufffd"),
        (" \u0301alice", "\ufffdalice"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
        ("X" * 41, "X" * 39 + "…"),
        (" " * 639 + "alice", "a"),
        (" " * 640 + "alice", ANONYMOUS),
        ("x" * 37 + FAMILY, "x" * 37 + "\U0001f468…"),
        ("bob\x1b]0;root\x07", "bob␛]0;root␇"),
    ],
)
def test_names(raw: str, name: str) -> None:
    assert SafeText.name(raw) == name


@pytest.mark.parametrize("end", [FAMILY, "\u2764\ufe0f\u2764\ufe0f", "1\ufe0f\u20e3" * 2, "a b c"])
@pytest.mark.parametrize("limit", range(8, 15))
def test_a_cut_leaves_no_half_sequence(end: str, limit: int) -> None:
    cut = SafeText.line("x" * 8 + end, limit)
    assert SafeText.line(str(cut), limit) == cut
    assert not cut.endswith((" …", "\u200d…", "\ufe0f…"))


def test_an_error_line_is_cut_with_an_ellipsis() -> None:
    assert SafeText.line("why " * 1000).endswith("why…")
    assert len(SafeText.line("é" * 1000)) == MAX_LINE


def test_a_message_is_cut_with_an_ellipsis() -> None:
    assert SafeText.multi("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert SafeText.multi("x" * (MAX_TEXT + 1)) == "x" * (MAX_TEXT - 1) + "…"
    assert SafeText.multi("\r\n" * MAX_TEXT) == "\n" * MAX_TEXT
    assert len(SafeText.multi("a" * (MAX_TEXT - 2) + FAMILY)) <= MAX_TEXT
    cut = SafeText.multi("a" * (MAX_TEXT - 2) + FAMILY)
    assert SafeText.multi(str(cut)) == cut


@pytest.mark.parametrize(
    "flood", ["\u0301", "\x00", "\u200d", "\U0001f468\u200d", "\u202e", "e\u0301", "\r", " "]
)
def test_a_flood_is_looked_at_once(flood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is counted instead of timed: no character's category is asked for more than twice."""
    asked = 0
    real = unicodedata.category

    def counted(character: str) -> str:
        nonlocal asked
        asked += 1
        return real(character)

    monkeypatch.setattr(unicodedata, "category", counted)
    raw = (flood * 1_000_000)[:1_000_000]
    assert len(SafeText.multi(raw)) <= MAX_TEXT
    assert len(SafeText.line(raw)) <= MAX_LINE
    assert asked <= 3 * MAX_TEXT


def test_what_a_peer_chooses_does_not_grow_the_table() -> None:
    for start in range(0x20000, 0x20000 + 32768, 4096):
        SafeText.multi("".join(map(chr, range(start, start + 4096))))
    assert len(module._BLOCK) <= module._BLOCK.CAPACITY


def test_copies_stay_safe_text_and_arithmetic_is_plain() -> None:
    text = SafeText.multi("a\x1bb")
    for twin in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):  # noqa: S301 - our own bytes
        assert twin == text
        assert type(twin) is SafeText
    assert SafeText(text) is text
    assert SafeText("") == SafeText() == ""
    assert type(text + "\x1b") is str


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alice", "alice"),
        ("al ice", "alice"),
        ("ＡＬＩＣＥ", "alice"),
        ("𝓪𝓵𝓲𝓬𝓮", "alice"),
        ("ﬁona", "fiona"),
        ("Straße", "STRASSE"),
        ("ali\u200dce", "alice"),
        ("e\u0301va", "éva"),
        ("alice\u3000", "alice"),
    ],
)
def test_names_that_read_the_same_share_a_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "bob"), ("alice", "аlice"), ("eva", "éva"), ("Il", "ll")]
)
def test_what_the_skeleton_does_not_merge(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@settings(deadline=None)
@given(texts)
def test_a_skeleton_has_neither_case_nor_white_space(name: str) -> None:
    bare = skeleton(name)
    assert bare == "".join(bare.split())
    assert bare == unicodedata.normalize("NFKC", bare)
    assert skeleton(f" {SafeText.line(name)}\n") == bare
