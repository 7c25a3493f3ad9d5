"""Names that could be taken for each other, and names that could not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat_tui.protocol.lookalikes import _TWINS, likenesses
from securechat_tui.protocol.text import SafeText, skeleton


def alike(one: str, other: str) -> bool:
    return bool(likenesses(one) & likenesses(other))


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("alice", "аlice"),  # Cyrillic а
        ("alice", "αlice"),  # Greek alpha
        ("alice", "AL1CE"),
        ("alice", "ａｌｉｃｅ"),
        ("alice", "𝒶𝓁𝒾𝒸ℯ"),
        ("alice", "al ice"),
        ("alice", "аl ice"),  # Cyrillic а, and a space
        ("alice", "аlіcе"),  # three Cyrillic letters at once
        ("ALICE", "ΑLΙСΕ"),
        ("bob", "b0b"),
        ("bob", "bօb"),  # Armenian
        ("bob", "ᏏᎾᏏ".replace("Ꮎ", "o")),  # Cherokee
        ("Il", "ll"),
        ("Il", "|l"),
        ("ian", "lan"),
        ("martin", "rnartin"),
        ("victor", "victοr"),
        ("walter", "vvalter"),
        ("кирилл", "КИРИЛЛ"),
        ("scope", "ѕсоре"),  # Cyrillic from end to end
        ("kim", "кim"),
    ],
)
def test_alike(name: str, twin: str) -> None:
    assert alike(name, twin)
    assert alike(twin, name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "bob"),
        ("eva", "éva"),
        ("alice", "alice2"),
        ("björn", "bjorn"),
        ("李", "王"),
        ("анна", "инна"),
    ],
)
def test_told_apart(one: str, other: str) -> None:
    assert not alike(one, other)


def test_each_twin_has_one_letter_and_can_be_seen() -> None:
    twins = "".join(_TWINS.values())
    assert len(twins) == len(set(twins))
    assert SafeText(twins) == twins
    assert all(len(letter) == 1 and letter.isascii() for letter in _TWINS)


names = st.text(st.sampled_from("aAlI1оο0Оcrnmv ́é李" + "".join(_TWINS.values())), max_size=12)


@given(names, names)
def test_the_same_name_is_always_alike(one: str, other: str) -> None:
    assert alike(one, one)
    if skeleton(one) == skeleton(other):
        assert alike(one, other)


@given(st.text())
def test_any_text(name: str) -> None:
    assert likenesses(name) == likenesses(SafeText.line(name))
