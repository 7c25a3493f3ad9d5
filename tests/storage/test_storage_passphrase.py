"""Passphrases, what Argon2id makes of them, and the bounds of what a file may ask for."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from passphrases import CANARY, CHEAP

from securechat_tui.protocol import primitives
from securechat_tui.storage.errors import EmptyPassphrase, LongPassphrase, NotEnoughMemory, OddPassphrase
from securechat_tui.storage.passphrase import MAX_PASSPHRASE_BYTES, USUAL_COST, Cost, Passphrase, Stretch

SALT = b"somesalt"


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (256, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (65536, "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"),
    ],
)
def test_argon2id_is_that_of_its_authors(memory: int, expected: str) -> None:
    """Vectors of the reference implementation (phc-winner-argon2, test.c, version 0x13)."""
    made = Passphrase("password").stretched(SALT, Cost(memory=memory, passes=2, lanes=1))
    assert made.hex() == expected


def test_the_usual_cost_is_the_second_recommendation_of_the_rfc() -> None:
    assert Cost(memory=64 * 1024, passes=3, lanes=4) == USUAL_COST
    assert len(Stretch(USUAL_COST).key(Passphrase(CANARY))) == 32


def test_accents_may_come_as_letters_or_as_marks() -> None:
    composed, decomposed = "Äpfel", unicodedata.normalize("NFD", "Äpfel")
    assert composed != decomposed
    assert Passphrase(composed) == Passphrase(decomposed)
    stretch = Stretch(CHEAP)
    assert stretch.key(Passphrase(composed)) == stretch.key(Passphrase(decomposed))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.text(max_size=40))
def test_equal_means_the_same_composed_text(left: str, right: str) -> None:
    try:
        other = Passphrase(right)
    except (EmptyPassphrase, OddPassphrase):
        return
    same = unicodedata.normalize("NFC", left) == unicodedata.normalize("NFC", right)
    assert (Passphrase(left) == other) == same
    assert not same or hash(Passphrase(left)) == hash(other)


def test_white_space_and_case_count() -> None:
    assert len({Passphrase(text) for text in ("a b", "a  b", " a b", "a b ", "A b")}) == 5
    assert Passphrase("a") != "a"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", EmptyPassphrase),
        ("x" * (MAX_PASSPHRASE_BYTES + 1), LongPassphrase),
        ("ä" * (MAX_PASSPHRASE_BYTES // 2 + 1), LongPassphrase),
        ("x" * 10_000_000, LongPassphrase),
        ("half a \ud83d", OddPassphrase),
    ],
    ids=["empty", "long", "long in UTF-8", "huge", "surrogate"],
)
def test_what_is_no_passphrase(text: str, error: type[Exception]) -> None:
    with pytest.raises(error) as refused:
        Passphrase(text)
    assert refused.value.__cause__ is None
    assert "half" not in str(refused.value)
    Passphrase("ä" * (MAX_PASSPHRASE_BYTES // 2))


def test_it_is_in_no_representation() -> None:
    passphrase = Passphrase(CANARY)
    shown = f"{passphrase!r} {passphrase} {passphrase!s} {[passphrase]} { ({'p': passphrase}) }"
    assert CANARY not in shown
    assert not hasattr(passphrase, "__dict__")
    assert "Äpfel" not in ascii(passphrase)


@pytest.mark.parametrize(
    "bad",
    [
        {"lanes": 0},
        {"lanes": 17, "memory": 1024},
        {"passes": 0},
        {"passes": 17},
        {"memory": 7},
        {"memory": 31, "lanes": 4},
        {"memory": 256 * 1024 + 1},
        {"memory": 4 * 1024 * 1024},
    ],
    ids=str,
)
def test_a_cost_out_of_bounds_is_refused_before_anything_is_allocated(
    bad: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def allocate(*_: object, **__: object) -> bytes:
        raise AssertionError("it was tried")

    monkeypatch.setattr(primitives, "argon2id", allocate)
    wanted = {"memory": 64, "passes": 1, "lanes": 1, **bad}
    with pytest.raises(ValueError, match="not"):
        Cost(**wanted)
    salt = "A" * 22
    with pytest.raises(ValueError, match="not"):
        Stretch.parse(f"$argon2id$v=19$m={wanted['memory']},t={wanted['passes']},p={wanted['lanes']}${salt}")


def test_the_bounds_themselves_are_allowed() -> None:
    for cost in (Cost(8, 1, 1), Cost(128, 16, 16), Cost(256 * 1024, 1, 1)):
        assert Stretch.parse(str(Stretch(cost))).cost == cost


@pytest.mark.parametrize(
    "line",
    [
        "",
        "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=-64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=1$AAAA",
        "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA\n",
        "$argon2id$v=19$m=99999999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_another_line_is_not_understood(line: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        Stretch.parse(line)


@given(st.binary(min_size=16, max_size=16))
def test_what_is_written_is_read(salt: bytes) -> None:
    stretch = Stretch(CHEAP, salt)
    assert Stretch.parse(str(stretch)) == stretch


def test_every_key_has_a_salt_of_its_own() -> None:
    assert len({Stretch(CHEAP).salt for _ in range(50)}) == 50


def test_too_little_memory_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise primitives.CryptoFailure("MemoryError")

    monkeypatch.setattr(primitives, "argon2id", fail)
    with pytest.raises(NotEnoughMemory, match="64 MiB"):
        Stretch(USUAL_COST).key(Passphrase(CANARY))
