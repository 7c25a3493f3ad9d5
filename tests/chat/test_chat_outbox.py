"""One's own messages: numbered once, signed in batches, written again until they have arrived."""

from dataclasses import replace

import pytest
from chat_boxes import Boxes, introduced
from protocol_peers import identity_key

from securechat_tui.chat.outbox import PeerForgot, ResumeConflict
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import OutOfOrder
from securechat_tui.protocol.payloads import Acknowledgement, Payload, Signature, Signed
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, Header, Seen


@pytest.fixture
def sides() -> tuple[Boxes, Boxes]:
    return introduced(identity_key("alice"), identity_key("bob"))


@pytest.fixture
def alice(sides: tuple[Boxes, Boxes]) -> Boxes:
    return sides[0]


@pytest.fixture
def bob(sides: tuple[Boxes, Boxes]) -> Boxes:
    return sides[1]


def take(reader: Boxes, payloads: list[Payload]) -> list[str]:
    shown: list[str] = []
    for payload in payloads:
        if isinstance(payload, Signature):
            reader.inbox.signature(payload)
        elif isinstance(payload, Signed) and (message := reader.inbox.signed(payload)):
            shown.append(message.text)
    return shown


def leaves(payloads: list[Payload]) -> list[Signed]:
    return [one for one in payloads if isinstance(one, Signed)]


def test_a_message_keeps_its_bytes_over_sessions(alice: Boxes) -> None:
    alice.write("hello")
    first = alice.pour()
    alice.outbox.begin_session()
    assert alice.pour() == first
    assert [type(one) for one in first] == [Signature, Signed]


def test_nothing_is_written_before_it_is_signed(alice: Boxes) -> None:
    alice.write("hello")
    assert alice.next_payloads() == []
    assert alice.sign() == 1
    assert alice.sign() == 0
    assert len(alice.next_payloads()) == 2


def test_one_signature_covers_at_most_128(alice: Boxes, bob: Boxes) -> None:
    texts = [f"text {number}" for number in range(c.MAX_BATCH + 5)]
    for text in texts:
        alice.write(text)
    payloads = alice.pour()
    assert [one.count for one in payloads if isinstance(one, Signature)] == [c.MAX_BATCH, 5]
    assert take(bob, payloads) == texts


def test_each_signature_goes_before_its_leaves(alice: Boxes, bob: Boxes) -> None:
    for text in ("one", "two", "three"):
        alice.write(text)
        alice.sign()
    payloads = alice.pour()
    assert [type(one) for one in payloads] == [Signature, Signed] * 3
    assert take(bob, payloads) == ["one", "two", "three"]


def test_after_a_cut_in_the_middle_of_a_batch_its_signature_is_written_again(
    alice: Boxes, bob: Boxes
) -> None:
    for text in ("one", "two", "three"):
        alice.write(text)
    alice.sign()
    assert take(bob, alice.next_payloads()) == ["one"]
    assert alice.outbox.resume(bob.resume())[0].text == "one"
    for side in (alice, bob):
        side.outbox.begin_session()
        side.inbox.begin_session()
    payloads = alice.pour()
    assert [type(one) for one in payloads] == [Signature, Signed, Signed]
    assert take(bob, payloads) == ["two", "three"]


def test_headers_form_a_chain_and_name_what_was_seen(alice: Boxes, bob: Boxes) -> None:
    assert take(alice, list(bob.one("from bob"))) == ["from bob"]
    alice.write("one")
    alice.write("two")
    one, two = (Header.decode(leaf.header) for leaf in leaves(alice.pour()))
    assert (one.previous, one.number, two.number) == (NO_HASH, 1, 2)
    assert two.previous == signing.header_hash(one.encode())
    assert one.seen == two.seen == alice.inbox.seen == Seen(bob.outbox.generation, 1, one.seen.header_hash)
    assert one.content_hash != two.content_hash


def test_the_same_text_twice_has_different_salts(alice: Boxes) -> None:
    alice.write("same")
    alice.write("same")
    first, second = leaves(alice.pour())
    assert first.salt != second.salt


# Acknowledgements.


def test_an_acknowledgement_is_cumulative(alice: Boxes, bob: Boxes) -> None:
    for text in ("one", "two", "three"):
        alice.write(text, ref=text)
    take(bob, alice.pour())
    delivered = alice.outbox.acknowledge(bob.inbox.acknowledgement())
    assert [(one.number, one.ref) for one in delivered] == [(1, "one"), (2, "two"), (3, "three")]
    assert len(alice.outbox) == 0
    assert alice.outbox.acknowledge(bob.inbox.acknowledgement()) == []


def test_how_far_a_message_has_come(alice: Boxes, bob: Boxes) -> None:
    for text in ("arrives", "is cancelled", "waits"):
        message = alice.write(text)
        if text == "is cancelled":
            alice.outbox.cancel(message)
    alice.sign()
    take(bob, alice.next_payloads())
    alice.outbox.acknowledge(bob.inbox.acknowledgement())
    ticks = [alice.outbox.tick(alice.outbox.generation, number) for number in (1, 2, 3)]
    assert ticks == ["delivered", "cancelled", "queued"]
    assert alice.outbox.tick(bob.outbox.generation, 1) == ""


def test_an_older_acknowledgement_changes_nothing(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    early = bob.inbox.acknowledgement()
    alice.write("two")
    take(bob, alice.pour())
    alice.outbox.acknowledge(bob.inbox.acknowledgement())
    assert alice.outbox.acknowledge(early) == []
    assert alice.outbox.acknowledged == 2


def test_an_acknowledgement_of_another_generation_is_ignored(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    word = replace(bob.inbox.acknowledgement(), generation=b"?" * c.GENERATION_LENGTH)
    assert alice.outbox.acknowledge(word) == []
    assert len(alice.outbox) == 1


def test_what_was_never_written_cannot_be_acknowledged(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    held = alice.write("two")
    word = Acknowledgement(alice.outbox.generation, 2, held.running)
    with pytest.raises(OutOfOrder, match="never written"):
        alice.outbox.acknowledge(word)
    assert len(alice.outbox) == 2


def test_another_history_cannot_be_acknowledged(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    with pytest.raises(OutOfOrder, match="another history"):
        alice.outbox.acknowledge(replace(bob.inbox.acknowledgement(), running=b"?" * 32))
    assert len(alice.outbox) == 1


# RESUME.


def test_resume_drops_what_has_arrived_and_goes_on_behind_it(alice: Boxes, bob: Boxes) -> None:
    for text in ("one", "two", "three"):
        alice.write(text)
    take(bob, alice.pour()[:3])
    alice.outbox.begin_session()
    bob.inbox.begin_session()
    delivered, renumbered = alice.take_resume(bob.resume())
    assert [one.text for one in delivered] == ["one", "two"]
    assert renumbered == []
    assert take(bob, alice.pour()) == ["three"]


def test_resume_with_a_number_never_given_is_a_conflict(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    with pytest.raises(ResumeConflict):
        alice.outbox.resume(replace(bob.resume(), high=2))


def test_resume_below_what_was_acknowledged_is_a_conflict(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    before = bob.resume()
    alice.write("two")
    take(bob, alice.pour())
    alice.outbox.acknowledge(bob.inbox.acknowledgement())
    with pytest.raises(ResumeConflict):
        alice.outbox.resume(before)


def test_a_peer_that_holds_nothing_any_more_has_lost_its_memory(alice: Boxes, bob: Boxes) -> None:
    before = bob.resume()
    assert before.high == 0
    alice.write("one")
    take(bob, alice.pour())
    alice.outbox.acknowledge(bob.inbox.acknowledgement())
    generation = alice.outbox.generation
    with pytest.raises(PeerForgot):
        alice.outbox.resume(before)
    assert alice.outbox.generation == generation
    assert alice.take_resume(before) == ([], [])
    assert alice.outbox.generation != generation


def test_resume_with_another_running_hash_is_a_conflict(alice: Boxes, bob: Boxes) -> None:
    alice.write("one")
    take(bob, alice.pour())
    with pytest.raises(ResumeConflict):
        alice.outbox.resume(replace(bob.resume(), running=b"?" * 32))


@pytest.mark.parametrize("known", [NO_GENERATION, b"?" * c.GENERATION_LENGTH])
def test_a_peer_that_knows_nothing_gets_what_waits_from_the_first_number(
    alice: Boxes, bob: Boxes, known: bytes
) -> None:
    generation = alice.outbox.generation
    alice.write("one")
    assert alice.outbox.resume(replace(bob.resume(), peer_generation=known)) == []
    assert alice.outbox.generation == generation
    assert take(bob, alice.pour()) == ["one"]


def test_a_peer_without_memory_gets_what_waits_in_a_new_generation(alice: Boxes, bob: Boxes) -> None:
    old = alice.outbox.generation
    alice.write("delivered")
    take(bob, alice.pour())
    alice.outbox.acknowledge(bob.inbox.acknowledgement())
    alice.write("one", ref="r1")
    alice.write("two")
    bob = Boxes(bob.key, alice.key.public)
    alice.outbox.begin_session()
    delivered, renumbered = alice.take_resume(bob.resume())
    assert delivered == []
    assert [(one.number, one.text, one.ref) for one in renumbered] == [(1, "one", "r1"), (2, "two", None)]
    assert alice.outbox.generation != old
    bob.inbox.announce(alice.outbox.generation)
    assert take(bob, alice.pour()) == ["one", "two"]
    assert alice.outbox.acknowledge(bob.inbox.acknowledgement()) == renumbered


def test_a_resume_that_crosses_what_was_written_takes_nothing_back(alice: Boxes, bob: Boxes) -> None:
    """A peer may announce a new generation while our first messages are on their way to it."""
    alice.outbox.resume(bob.resume())
    crossing = bob.resume()
    alice.write("on its way")
    payloads = alice.pour()
    alice.outbox.resume(crossing)
    assert take(bob, payloads) == ["on its way"]
    assert [one.text for one in alice.outbox.acknowledge(bob.inbox.acknowledgement())] == ["on its way"]
    alice.write("next")
    assert take(bob, alice.pour()) == ["next"]


# What the peer says it has seen.


def test_the_peer_has_seen_only_what_was_sent(alice: Boxes) -> None:
    sent = alice.write("one")
    generation, item = alice.outbox.generation, signing.header_hash(sent.header)
    alice.outbox.check_seen(Seen())
    alice.outbox.check_seen(Seen(generation, 1, item))
    alice.outbox.check_seen(Seen(b"?" * c.GENERATION_LENGTH, 99, b"?" * 32))
    for number, claimed in ((0, NO_HASH), (2, item), (1, b"?" * 32)):
        with pytest.raises(OutOfOrder, match="never sent"):
            alice.outbox.check_seen(Seen(generation, number, claimed))
