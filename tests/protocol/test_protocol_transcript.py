"""What a transcript's reader remembers of what was seen, and what it takes for content."""

import pytest
from protocol_peers import identity_key

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import transcript as rules
from securechat_tui.protocol.payloads import text_content
from securechat_tui.protocol.signing import Seen
from securechat_tui.protocol.transcript import MAX_GENERATIONS, Check, Unproved

GENERATION, OTHER, ITEM = b"g" * 16, b"o" * 16, b"i" * 32


@pytest.fixture
def author() -> rules._Author:
    found = rules._Author(identity_key("alice").public, identity_key("bob").public)
    for number in (3, 4, 5):
        found.place(GENERATION, number)
        found.remember(GENERATION, number, ITEM)
    return found


def test_what_stands_here_is_seen(author: rules._Author) -> None:
    assert author.was_seen(Seen(GENERATION, 4, ITEM))
    with pytest.raises(Unproved) as refused:
        author.was_seen(Seen(GENERATION, 4, b"?" * 32))
    assert refused.value.check is Check.SEEN


def test_what_stands_before_the_first_is_not_here(author: rules._Author) -> None:
    assert not author.was_seen(Seen(GENERATION, 2, ITEM))


def test_a_number_without_a_signed_message_cannot_be_seen(author: rules._Author) -> None:
    author.place(GENERATION, 6)
    with pytest.raises(Unproved) as refused:
        author.was_seen(Seen(GENERATION, 6, ITEM))
    assert refused.value.check is Check.SEEN


def test_what_stands_too_far_back_is_not_remembered(
    author: rules._Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_RECENT", 3)
    author.place(GENERATION, 6)
    author.remember(GENERATION, 6, ITEM)
    assert not author.was_seen(Seen(GENERATION, 3, ITEM))
    author.place(OTHER, 1)
    for number in (1, 2, 3):
        author.remember(OTHER, number, ITEM)
    assert not author.was_seen(Seen(GENERATION, 5, ITEM))


def test_what_is_named_and_not_here_is_remembered_within_bounds(author: rules._Author) -> None:
    assert not author.was_seen(Seen(OTHER, 2, ITEM))
    with pytest.raises(Unproved) as refused:
        author.place(OTHER, 1)
    assert refused.value.check is Check.SEEN
    author.named.update((number.to_bytes(16, "big"), 1) for number in range(1, MAX_GENERATIONS + 1))
    before = dict(author.named)
    assert not author.was_seen(Seen(b"n" * 16, 2, ITEM))
    assert author.named == before


@pytest.mark.parametrize(
    "content", [b"\2text", b"\1", b"\1\xff", text_content("x" * c.MAX_TEXT_LENGTH) + b"x"], ids=range(4)
)
def test_content_has_its_layout_and_its_bound(content: bytes) -> None:
    with pytest.raises(Unproved) as refused:
        rules._check_content(content)
    assert refused.value.check is Check.FORMAT
