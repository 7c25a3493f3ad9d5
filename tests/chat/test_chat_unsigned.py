"""Unsigned messages: in their place among signed ones, and what becomes of them where nobody takes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chat_boxes import Boxes, introduced
from chat_people import Face, opened, person, secured, talking
from chat_raw import answering, call
from protocol_peers import identity_key

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Cancelled, Closed, Delivered, Gate, Message, Queued, Rejected, Secure
from securechat_tui.chat.gates import Resolution
from securechat_tui.network import backoff
from securechat_tui.protocol.payloads import Gone, HelloFlag, Payload, Signature, Signed, Unsigned
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.profile import Profile


def choosing(name: str, *, sign_messages: bool = True, require_signatures: bool = False) -> Profile:
    """Make a person who has chosen something about signatures."""
    profile = person(name)
    with profile:
        config = Config(name=name, sign_messages=sign_messages, require_signatures=require_signatures)
        save_config(profile, config)
    return profile


def mixed() -> tuple[Boxes, Boxes]:
    """Write one signed, two unsigned and one signed message."""
    alice, bob = introduced(identity_key("alice"), identity_key("bob"))
    alice.write("one")
    alice.write_unsigned("two")
    alice.write_unsigned("three")
    alice.write("four")
    return alice, bob


def kinds(payloads: list[Payload]) -> list[type[Payload]]:
    return [type(one) for one in payloads]


def test_none_overtakes_one_that_waits_for_its_signature() -> None:
    alice, _ = mixed()
    assert alice.next_payloads() == []
    assert kinds(alice.pour()) == [Signature, Signed, Unsigned, Unsigned, Signed]


def test_a_cut_in_the_middle_of_a_mix_changes_no_byte() -> None:
    alice, bob = mixed()
    signature, one, two, three, four = alice.pour()
    assert isinstance(signature, Signature)
    assert isinstance(one, Signed)
    assert isinstance(two, Unsigned)
    bob.accept(signature, one)
    bob.inbox.unsigned(two)
    alice.outbox.begin_session()
    alice.outbox.resume(bob.resume())
    assert alice.pour() == [three, signature, four]


def test_a_cancelled_one_keeps_its_number_alone() -> None:
    alice, bob = mixed()
    for message in alice.outbox.unsigned():
        alice.outbox.cancel(message)
    assert len(alice.outbox) == 2
    payloads = alice.pour()
    assert kinds(payloads) == [Signature, Signed, Gone, Gone, Signed]
    for payload in payloads:
        match payload:
            case Signature():
                bob.inbox.signature(payload)
            case Signed():
                assert bob.inbox.signed(payload)
            case Gone():
                assert bob.inbox.gone(payload)
            case _:
                pytest.fail("nothing else was written")
    assert len(alice.outbox.acknowledge(bob.inbox.acknowledgement())) == 4
    assert len(alice.outbox) == 0


@pytest.mark.parametrize("signs", [True, False])
async def test_the_reader_is_told_which_it_was(signs: bool) -> None:
    """What is typed is as the configuration says; a word before it says otherwise."""
    async with talking(person("alice"), choosing("bob", sign_messages=signs)) as (alice, bob):
        await bob.engine.send("as usual")
        await bob.engine.send("the other way", signed=not signs)
        messages = await alice.until_many(2, Message)
        assert [(one.text, one.checks.signed) for one in messages] == [
            ("as usual", signs),
            ("the other way", not signs),
        ]
        assert [one.number for one in await bob.until_many(2, Delivered)] == [1, 2]
        assert [one.signed for one in bob.all(Queued)] == [signs, not signs]


async def test_after_a_cut_they_are_sent_again_in_their_order() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            await alice.engine.send("one")
            await bob.read(1)
            await alice.engine.send("two", signed=False)
            await bob.until_payload(Unsigned)
        await alice.until(Closed)
        await alice.engine.send("three")
        boxes = bob.boxes
        async with await call(address, "bob", secrets=(bob.secret, None)) as again:
            await again.open(boxes)
            await again.until_payload(Signed)
            sent = [one for one in again.payloads if isinstance(one, Unsigned | Signed)]
            assert kinds(list(sent)) == [Unsigned, Signed]
        assert alice.all(Delivered)[0].number == 1


async def test_where_signatures_are_required_an_unsigned_message_ends_the_session() -> None:
    async with opened(choosing("alice", require_signatures=True)) as alice:
        async with await call(await alice.host(), "bob") as bob:
            await bob.open()
            bob.boxes.write_unsigned("all the same")
            bob.say(*bob.boxes.pour())
            rejected = await alice.until(Rejected)
            assert rejected.check == "signed"
        assert alice.all(Message) == []


async def test_a_peer_that_requires_signatures_is_sent_none_without() -> None:
    async with talking(choosing("alice", require_signatures=True), person("bob")) as (alice, bob):
        with pytest.raises(CommandError, match=r"alice takes signed messages only.*/signed") as refused:
            await bob.engine.send("off the record", signed=False)
        assert refused.value.code == "unsigned"
        await bob.engine.send("on the record")
        assert (await alice.until(Message)).text == "on the record"
        assert len(bob.all(Queued)) == 1
        with pytest.raises(CommandError, match="Nothing waits"):
            await bob.engine.resolve(Resolution.CANCEL)


@asynccontextmanager
async def in_doubt() -> AsyncIterator[tuple[Face, Face]]:
    """Two messages, one of them unsigned, were written before anybody knew that alice takes no such."""
    async with opened(choosing("alice", require_signatures=True)) as alice, opened(person("bob")) as bob:
        address = await bob.host()
        await bob.engine.send("off the record", ref="u", signed=False)
        await bob.engine.send("on the record", ref="s")
        await alice.engine.join(address)
        gate = await bob.until(Gate)
        assert gate.reason == "unsigned"
        assert "alice takes signed messages only" in gate.message
        yield alice, bob


async def test_what_waits_unsigned_can_be_cancelled() -> None:
    async with in_doubt() as (alice, bob):
        with pytest.raises(CommandError) as refused:
            await bob.engine.send("not yet")
        assert refused.value.code == "gated"
        await bob.engine.resolve(Resolution.CANCEL)
        assert (await alice.until(Message)).text == "on the record"
        assert (await bob.until(Delivered)).ref == "s"
        assert [(one.ref, one.renumbered) for one in bob.all(Cancelled)] == [("u", False)]
        assert await bob.engine.flush(1) == 0
        assert len(alice.all(Message)) == 1


async def test_what_waits_unsigned_can_be_signed() -> None:
    async with in_doubt() as (alice, bob):
        await bob.engine.resolve(Resolution.SIGN)
        messages = await alice.until_many(2, Message)
        assert [(one.number, one.text) for one in messages] == [(2, "on the record"), (3, "off the record")]
        assert all(one.checks.signed for one in messages)
        assert [one.ref for one in await bob.until_many(2, Delivered)] == ["s", "u"]
        assert [(one.number, one.renumbered) for one in bob.all(Cancelled)] == [(1, True)]


async def test_leaving_at_that_gate_sends_nothing() -> None:
    async with in_doubt() as (alice, bob):
        await bob.engine.leave()
        await alice.until(Closed)
        assert alice.all(Message) == []
        assert alice.all(Secure) == []


async def test_without_anything_unsigned_there_is_no_such_gate() -> None:
    async with opened(choosing("alice", require_signatures=True)) as alice, opened(person("bob")) as bob:
        await secured(alice, bob, await alice.host())
        assert bob.all(Gate) == []


@pytest.mark.parametrize("choice", [Resolution.CANCEL, Resolution.SIGN])
@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
async def test_a_numbered_one_in_doubt_after_a_cut_counts_as_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch, choice: Resolution, arrived: bool
) -> None:
    """It was written, and the connection cut before an answer; since then the peer takes no such any more."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        alice = await desk.next("alice")
        await alice.open()
        await bob.until(Secure)
        await bob.engine.send("off the record", ref="u", signed=False)
        await alice.until_payload(Unsigned)
        if arrived:
            (word,) = [one for one in alice.payloads if isinstance(one, Unsigned)]
            assert alice.boxes.inbox.unsigned(word)
        alice.cut()
        back = await desk.next("alice")
        back.flags = HelloFlag.SIGNATURES_REQUIRED
        opening = asyncio.create_task(back.open(alice.boxes))
        assert (await bob.until(Gate)).reason == "unsigned"
        await bob.engine.resolve(choice)
        await opening
        if arrived:
            assert (await bob.until(Delivered)).ref == "u"
            assert bob.all(Cancelled) == []
        else:
            cancelled = await bob.until(Cancelled)
            assert (cancelled.ref, cancelled.renumbered) == ("u", choice is Resolution.SIGN)
        await bob.engine.send("on the record", ref="s")
        signed = 1 if arrived or choice is Resolution.CANCEL else 2
        await back.until_payload(Signed, signed)
        assert [one for one in back.payloads if isinstance(one, Unsigned)] == []
