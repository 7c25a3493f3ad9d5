"""Every rule for a receiver of messages (docs/protocol.md, 13.6): each broken alone; nothing changes then."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from chat_boxes import Boxes, forged, introduced
from protocol_peers import identity_key

from securechat_tui.chat.inbox import Inbox
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import MalformedPayload, OutOfOrder, RemoteError, SignatureFailure
from securechat_tui.protocol.payloads import Gone, Signature, Signed, Unsigned, text_content
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, Header, Seen

ALICE, BOB, CAROL = (identity_key(name) for name in ("alice", "bob", "carol"))
OTHER_GENERATION = b"?" * c.GENERATION_LENGTH
OTHER_HASH = b"?" * c.HASH_LENGTH
SALT = b"s" * 32


@pytest.fixture
def sides() -> tuple[Boxes, Boxes]:
    """Alice has written "first", which Bob has."""
    alice, bob = introduced(ALICE, BOB)
    assert bob.accept(*alice.one("first")) is not None
    return alice, bob


@pytest.fixture
def alice(sides: tuple[Boxes, Boxes]) -> Boxes:
    return sides[0]


@pytest.fixture
def bob(sides: tuple[Boxes, Boxes]) -> Boxes:
    return sides[1]


def state(inbox: Inbox) -> tuple[object, ...]:
    return (
        inbox.generation,
        inbox.high,
        inbox.running,
        inbox.seen,
        inbox._previous,
        bytes(inbox._items._items),
    )


def refuse(
    bob: Boxes, error: type[RemoteError], take: Callable[[], object], match: str | None = None
) -> None:
    """The message is refused and leaves no trace; the one that is due still passes."""
    before = state(bob.inbox)
    with pytest.raises(error, match=match):
        take()
    assert state(bob.inbox) == before


def next_header(alice: Boxes, text: str = "next") -> Header:
    """Return the header of what would come next from Alice."""
    return Header.decode(alice.one(text)[1].header)


def with_content(header: Header, content: bytes) -> tuple[Signature, Signed]:
    return forged(ALICE, replace(header, content_hash=signing.content_hash(SALT, content)), SALT, content)


def test_a_good_message_is_told_with_what_was_claimed(alice: Boxes, bob: Boxes) -> None:
    message = bob.accept(*alice.one("second"))
    assert message is not None
    assert (message.number, message.text, message.signed) == (2, "second", True)
    word = bob.inbox.acknowledgement()
    assert (word.generation, word.high) == (alice.outbox.generation, 2)


# The signature.


def test_a_signature_of_another_key(alice: Boxes, bob: Boxes) -> None:
    signature, _ = alice.one("next")
    message = signing.batch_message(alice.outbox.conversation, 1, signature.root)
    foreign = replace(signature, signature=CAROL.sign(message))
    refuse(bob, SignatureFailure, lambda: bob.inbox.signature(foreign), "batch")


def test_a_signature_over_something_else(alice: Boxes, bob: Boxes) -> None:
    good, _ = alice.one("next")
    for bad in (
        Signature(2, good.root, good.signature),
        Signature(1, OTHER_HASH, good.signature),
        Signature(1, good.root, b"x" * len(good.signature)),
        Signature(1, good.root, b""),
    ):
        refuse(bob, SignatureFailure, partial(bob.inbox.signature, bad), "batch")


def test_a_signature_of_another_conversation(bob: Boxes) -> None:
    signature, _ = Boxes(ALICE, CAROL.public).one("next")
    refuse(bob, SignatureFailure, lambda: bob.inbox.signature(signature), "batch")


def test_a_signature_that_fails_does_not_take_the_place_of_the_last(alice: Boxes, bob: Boxes) -> None:
    signature, leaf = alice.one("next")
    bob.inbox.signature(signature)
    refuse(bob, SignatureFailure, lambda: bob.inbox.signature(replace(signature, root=OTHER_HASH)))
    assert bob.inbox.signed(leaf) is not None


# Leaf and batch.


def test_a_leaf_without_batch(alice: Boxes, bob: Boxes) -> None:
    signature, leaf = alice.one("next")
    bob.inbox.begin_session()
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(leaf), "without its batch")
    assert bob.accept(signature, leaf) is not None


def batch_of(alice: Boxes, count: int) -> tuple[Signature, list[Signed]]:
    for number in range(count):
        alice.write(f"text {number}")
    signature, *leaves = alice.pour()
    assert isinstance(signature, Signature)
    return signature, [leaf for leaf in leaves if isinstance(leaf, Signed)]


def test_a_leaf_of_another_count(alice: Boxes, bob: Boxes) -> None:
    signature, leaves = batch_of(alice, 3)
    bob.inbox.signature(signature)
    short = replace(leaves[0], count=2, path=leaves[0].path[:1])
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(short), "without its batch")
    assert bob.inbox.signed(leaves[0]) is not None


@pytest.mark.parametrize("place", [0, 1])
def test_a_leaf_with_a_wrong_path(alice: Boxes, bob: Boxes, place: int) -> None:
    signature, leaves = batch_of(alice, 3)
    bob.inbox.signature(signature)
    path = tuple(OTHER_HASH if at == place else one for at, one in enumerate(leaves[0].path))
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(replace(leaves[0], path=path)), "path")
    assert bob.inbox.signed(leaves[0]) is not None


def test_a_leaf_at_another_place_of_its_batch(alice: Boxes, bob: Boxes) -> None:
    signature, leaves = batch_of(alice, 2)
    bob.inbox.signature(signature)
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(replace(leaves[0], index=1)), "path")


def test_a_leaf_of_the_batch_before_the_last(alice: Boxes, bob: Boxes) -> None:
    old, leaf = alice.one("next")
    newer, _ = alice.one("one after")
    bob.inbox.signature(old)
    bob.inbox.signature(newer)
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(leaf), "path")


# The header.


@pytest.mark.parametrize("field", ["conversation", "author", "recipient"])
def test_a_header_for_others(alice: Boxes, bob: Boxes, field: str) -> None:
    signature, leaf = alice.one("next")
    at = 31 + 32 * ["conversation", "author", "recipient"].index(field)
    header = Header.decode(leaf.header[:at] + bytes(CAROL.public.fingerprint) + leaf.header[at + 32 :])
    root = signing.leaf_hash(header.encode())
    signed = ALICE.sign(signing.batch_message(bob.inbox.conversation, 1, root))
    bob.inbox.signature(Signature(1, root, signed))
    other = replace(leaf, header=header.encode())
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(other), "another conversation")
    assert bob.accept(signature, leaf) is not None


def test_a_header_with_another_label(alice: Boxes, bob: Boxes) -> None:
    _, leaf = alice.one("next")
    data = b"X" + leaf.header[1:]
    root = signing.leaf_hash(data)
    bob.inbox.signature(
        Signature(1, root, ALICE.sign(signing.batch_message(bob.inbox.conversation, 1, root)))
    )
    refuse(bob, MalformedPayload, lambda: bob.inbox.signed(replace(leaf, header=data)), "label")


def test_a_header_that_was_changed_after_signing(alice: Boxes, bob: Boxes) -> None:
    signature, leaf = alice.one("next")
    bob.inbox.signature(signature)
    changed = leaf.header[:-1] + bytes((leaf.header[-1] ^ 1,))
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(replace(leaf, header=changed)), "path")


@pytest.mark.parametrize("generation", [OTHER_GENERATION, NO_GENERATION])
def test_a_generation_that_was_not_announced(alice: Boxes, bob: Boxes, generation: bytes) -> None:
    header = replace(next_header(alice), generation=generation)
    records = with_content(header, text_content("next"))
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "not announced")


def test_the_generation_before_the_one_announced_last(alice: Boxes, bob: Boxes) -> None:
    records = alice.one("too late")
    bob.inbox.announce(OTHER_GENERATION)
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "not announced")


def test_no_generation_at_all_cannot_be_announced(bob: Boxes) -> None:
    refuse(bob, OutOfOrder, lambda: bob.inbox.announce(NO_GENERATION), "no generation")


def test_announcing_the_known_generation_again_changes_nothing(alice: Boxes, bob: Boxes) -> None:
    before = state(bob.inbox)
    bob.inbox.announce(alice.outbox.generation)
    assert state(bob.inbox) == before


# The content.


def test_swapped_content(alice: Boxes, bob: Boxes) -> None:
    signature, leaf = alice.one("next")
    bob.inbox.signature(signature)
    refuse(
        bob,
        SignatureFailure,
        lambda: bob.inbox.signed(replace(leaf, content=text_content("else"))),
        "content",
    )


def test_swapped_salt(alice: Boxes, bob: Boxes) -> None:
    signature, leaf = alice.one("next")
    bob.inbox.signature(signature)
    refuse(bob, SignatureFailure, lambda: bob.inbox.signed(replace(leaf, salt=SALT)), "content")


@pytest.mark.parametrize("content", [b"", b"\x01", b"\x02hello", b"\x01\xff"])
def test_content_that_is_no_text(alice: Boxes, bob: Boxes, content: bytes) -> None:
    records = with_content(next_header(alice), content)
    refuse(bob, MalformedPayload, lambda: bob.accept(*records))


# The number.


@pytest.mark.parametrize("number", [0, 3, 4, 2**64 - 1])
def test_a_number_left_out(alice: Boxes, bob: Boxes, number: int) -> None:
    records = with_content(replace(next_header(alice), number=number), text_content("next"))
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "left out")


def test_the_same_message_again_is_only_acknowledged_again(alice: Boxes, bob: Boxes) -> None:
    signature, leaf = alice.one("second")
    assert bob.accept(signature, leaf) is not None
    before = state(bob.inbox)
    bob.inbox.begin_session()
    assert bob.accept(signature, leaf) is None
    assert state(bob.inbox) == before


def test_another_message_under_a_number_already_taken(alice: Boxes, bob: Boxes) -> None:
    header = replace(next_header(alice), number=1, previous=NO_HASH)
    records = with_content(header, text_content("another first"))
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "already taken")


# What the header names.


@pytest.mark.parametrize("previous", [NO_HASH, OTHER_HASH])
def test_a_wrong_previous_header(alice: Boxes, bob: Boxes, previous: bytes) -> None:
    records = with_content(replace(next_header(alice), previous=previous), text_content("next"))
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "does not follow")


def test_a_first_message_that_names_a_predecessor() -> None:
    alice, bob = introduced(ALICE, BOB)
    records = with_content(replace(next_header(alice), previous=OTHER_HASH), text_content("next"))
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "does not follow")


def test_seen_of_a_header_that_was_never_sent(alice: Boxes, bob: Boxes) -> None:
    seen = Seen(bob.outbox.generation, 1, OTHER_HASH)
    records = with_content(replace(next_header(alice), seen=seen), text_content("next"))
    refuse(bob, OutOfOrder, lambda: bob.accept(*records), "never sent")


def test_seen_of_an_earlier_run_is_taken_as_it_is(alice: Boxes, bob: Boxes) -> None:
    seen = Seen(OTHER_GENERATION, 7, OTHER_HASH)
    records = with_content(replace(next_header(alice), seen=seen), text_content("next"))
    assert bob.accept(*records) is not None


def test_seen_of_what_was_really_sent(alice: Boxes, bob: Boxes) -> None:
    assert alice.accept(*bob.one("from bob")) is not None
    signature, leaf = alice.one("an answer")
    assert Header.decode(leaf.header).seen.number == 1
    assert bob.accept(signature, leaf) is not None


# Unsigned messages.


def unsigned(alice: Boxes, number: int, text: str = "unsigned") -> Unsigned:
    return Unsigned(alice.outbox.generation, number, 1_700_000_000_000, text_content(text))


def test_an_unsigned_message_has_its_place_in_the_order_but_in_no_signature() -> None:
    alice, bob = introduced(ALICE, BOB)
    assert bob.accept(*alice.one("one")) is not None
    first_item, previous, running = bob.inbox.seen, bob.inbox._previous, bob.inbox.running
    word = unsigned(alice, 2)
    message = bob.inbox.unsigned(word)
    assert message is not None
    assert (message.number, message.text, message.signed) == (2, "unsigned", False)
    assert (bob.inbox.seen, bob.inbox._previous) == (first_item, previous)
    item = signing.unsigned_item(word.fields(), word.content)
    assert bob.inbox.running == signing.running_next(running, item)
    third = replace(next_header(alice), number=3)
    assert third.previous == previous
    assert bob.accept(*with_content(third, text_content("three"))) is not None


def test_an_unsigned_message_again_and_another_under_its_number(alice: Boxes, bob: Boxes) -> None:
    assert bob.inbox.unsigned(unsigned(alice, 2)) is not None
    assert bob.inbox.unsigned(unsigned(alice, 2)) is None
    refuse(bob, OutOfOrder, lambda: bob.inbox.unsigned(unsigned(alice, 2, "other")), "already taken")


@pytest.mark.parametrize("number", [0, 3])
def test_an_unsigned_message_that_leaves_a_number_out(alice: Boxes, bob: Boxes, number: int) -> None:
    refuse(bob, OutOfOrder, lambda: bob.inbox.unsigned(unsigned(alice, number)), "left out")


def test_an_unsigned_message_of_another_generation(alice: Boxes, bob: Boxes) -> None:
    word = replace(unsigned(alice, 2), generation=OTHER_GENERATION)
    refuse(bob, OutOfOrder, lambda: bob.inbox.unsigned(word), "not announced")


def test_an_unsigned_message_without_text(alice: Boxes, bob: Boxes) -> None:
    word = replace(unsigned(alice, 2), content=b"\x01")
    refuse(bob, MalformedPayload, lambda: bob.inbox.unsigned(word))


# Messages that are gone.


def test_a_signed_message_that_is_gone_is_named_by_the_next() -> None:
    alice, bob = introduced(ALICE, BOB)
    gone = signing.header_hash(alice.write("cancelled").header)
    alice.pour()
    assert bob.inbox.gone(Gone(alice.outbox.generation, 1, signed=True, item=gone))
    assert bob.inbox.seen == Seen()
    assert bob.inbox.running == signing.running_next(
        signing.running_start(bob.inbox.conversation, ALICE.public.fingerprint, alice.outbox.generation), gone
    )
    message = bob.accept(*alice.one("two"))
    assert message is not None
    assert message.number == 2


def test_an_unsigned_message_that_is_gone_is_named_by_nobody() -> None:
    alice, bob = introduced(ALICE, BOB)
    assert bob.inbox.gone(Gone(alice.outbox.generation, 1, signed=False, item=OTHER_HASH))
    header = replace(next_header(alice), number=2)
    assert header.previous == NO_HASH
    assert bob.accept(*with_content(header, text_content("two"))) is not None


def test_gone_again_and_with_another_item(alice: Boxes, bob: Boxes) -> None:
    word = Gone(alice.outbox.generation, 2, signed=False, item=OTHER_HASH)
    assert bob.inbox.gone(word)
    assert not bob.inbox.gone(word)
    refuse(bob, OutOfOrder, lambda: bob.inbox.gone(replace(word, item=b"!" * 32)), "already taken")


@pytest.mark.parametrize("number", [0, 3])
def test_gone_that_leaves_a_number_out(alice: Boxes, bob: Boxes, number: int) -> None:
    word = Gone(alice.outbox.generation, number, signed=False, item=OTHER_HASH)
    refuse(bob, OutOfOrder, lambda: bob.inbox.gone(word), "left out")


def test_gone_of_another_generation(bob: Boxes) -> None:
    word = Gone(OTHER_GENERATION, 2, signed=False, item=OTHER_HASH)
    refuse(bob, OutOfOrder, lambda: bob.inbox.gone(word), "not announced")


def test_a_new_generation_begins_at_one(bob: Boxes) -> None:
    again = Boxes(ALICE, BOB.public)
    bob.inbox.announce(again.outbox.generation)
    message = bob.accept(*again.one("after a restart"))
    assert message is not None
    assert message.number == 1
