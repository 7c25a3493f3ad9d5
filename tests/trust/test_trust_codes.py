"""The spellings of codes: each stands for all of the number, and one for another."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic
from rich.cells import cell_len

from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.codes import PICTURES, SafetyNumber, ShortAuthenticationString

SHORT = st.integers(0, 2**42 - 1).map(ShortAuthenticationString)
LONG = st.integers(0, 2**132 - 1).map(SafetyNumber)


def test_64_different_pictures_with_different_names() -> None:
    signs, names = zip(*PICTURES, strict=True)
    assert len(set(signs)) == len(set(names)) == 64
    assert all(len(sign) == 1 and cell_len(sign) == 2 for sign in signs)
    assert all(unicodedata.east_asian_width(sign) == "W" for sign in signs)
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)


@given(SHORT)
def test_pictures_and_digits_give_the_number_back(code: ShortAuthenticationString) -> None:
    indices = [PICTURES.index(picture) for picture in code.pictures]
    number = 0
    for index in indices:
        number = number * 64 + index
    assert len(indices) == 7
    assert number == code.number
    assert len(code.digits) == 13
    assert int(code.digits) == code.number


@given(LONG)
def test_words_and_digits_give_the_number_back(code: SafetyNumber) -> None:
    words = Mnemonic("english").wordlist
    number = 0
    for word in code.words:
        number = number * 2048 + words.index(word)
    assert len(code.words) == 12
    assert number == code.number
    assert len(code.digits) == 40
    assert int(code.digits) == code.number


def test_a_short_code_is_the_first_42_bits() -> None:
    secret = bytes.fromhex("fedcba987654") + bytes(26)
    assert ShortAuthenticationString.of(secret).number == 0xFEDCBA987654 >> 6


def test_the_safety_number_is_the_same_on_both_sides() -> None:
    alice, bob, carol = (Fingerprint(bytes([n]) * 32) for n in (1, 2, 3))
    ours = SafetyNumber.of(alice, bob)
    assert SafetyNumber.of(bob, alice) == ours
    assert SafetyNumber.of(bob, carol) != ours


def test_the_safety_number_is_the_one_of_the_specification() -> None:
    number = SafetyNumber.of(Fingerprint(b"\x88" * 32), Fingerprint(b"\x99" * 32))
    assert number.digits == "1147459304701259012922756599793919210098"
    assert (
        " ".join(number.words) == "curious park lazy palace kingdom early drip must smile rule general exact"
    )


@pytest.mark.parametrize("number", [0, 2**42 - 1])
def test_the_smallest_and_the_largest_code(number: int) -> None:
    code = ShortAuthenticationString(number)
    assert set(code.pictures) == {PICTURES[0] if number == 0 else PICTURES[63]}
