"""Peers who break the rules: ended for good, told once, with nothing behind it taken."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from chat_boxes import forged
from chat_people import opened, person
from chat_raw import RawPeer, answering, call
from protocol_peers import hello

from securechat_tui.chat import presence
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Delivered,
    Gate,
    Message,
    Notice,
    Peer,
    Refused,
    Rejected,
    Rekeyed,
    Secure,
)
from securechat_tui.chat.gates import Resolution
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events as session_events
from securechat_tui.protocol import signing
from securechat_tui.protocol.events import PayloadReceived
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    ComparisonStep,
    ComparisonStop,
    Gone,
    Goodbye,
    GoodbyeReason,
    Payload,
    Resume,
    Signature,
    StopReason,
    Unsigned,
    text_content,
)
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, Header, Seen

pytestmark = pytest.mark.usefixtures("quick_keys")

OTHER_HASH = b"?" * c.HASH_LENGTH
Script = Callable[[RawPeer], list[Payload]]


def properly_signed(peer: RawPeer, number: int, content: bytes) -> list[Payload]:
    """Records of a message with any number and content, whose signature is right."""
    boxes, salt = peer.boxes, b"s" * 32
    header = Header(
        boxes.outbox.conversation,
        bytes(peer.key.public.fingerprint),
        bytes(peer.session._handshake.peer.fingerprint),
        boxes.outbox.generation,
        number,
        NO_HASH,
        Seen(),
        1_700_000_000_000,
        signing.content_hash(salt, content),
    )
    return [*forged(peer.key, header, salt, content)]


def bad_signature(peer: RawPeer) -> list[Payload]:
    signature, leaf = peer.boxes.one("forged")
    return [replace(signature, signature=b"x" * 384), leaf]


def leaf_alone(peer: RawPeer) -> list[Payload]:
    return [peer.boxes.one("without batch")[1]]


def number_left_out(peer: RawPeer) -> list[Payload]:
    return properly_signed(peer, 2, text_content("two"))


def no_text(peer: RawPeer) -> list[Payload]:
    return properly_signed(peer, 1, b"\x02what is this")


def empty_text(peer: RawPeer) -> list[Payload]:
    return properly_signed(peer, 1, b"\x01")


def acknowledged_too_much(peer: RawPeer) -> list[Payload]:
    generation = next(one.generation for one in peer.payloads if isinstance(one, Resume))
    return [Acknowledgement(generation, 1, OTHER_HASH)]


def gone_too_far(peer: RawPeer) -> list[Payload]:
    return [Gone(peer.boxes.outbox.generation, 9, signed=False, item=OTHER_HASH)]


def resume_without_generation(peer: RawPeer) -> list[Payload]:
    return [replace(peer.boxes.resume(), generation=bytes(16))]


@pytest.mark.parametrize(
    ("script", "check"),
    [
        (bad_signature, "signed"),
        (leaf_alone, "signed"),
        (number_left_out, "in_order"),
        (no_text, "intact"),
        (empty_text, "intact"),
        (acknowledged_too_much, "in_order"),
        (gone_too_far, "in_order"),
        (resume_without_generation, "in_order"),
    ],
)
async def test_content_against_the_rules_ends_the_session_for_good(script: Script, check: str) -> None:
    async with opened(person("alice")) as alice:
        async with await call(await alice.host(), "bob") as bob:
            await bob.open()
            secure = await alice.until(Secure)
            good = bob.boxes.one("good")
            bad = script(bob)
            bob.say(*bad, *good)
            rejected, closed = await alice.until(Rejected), await alice.until(Closed)
            assert rejected.check == check
            assert (closed.reason, closed.by) == ("rejected", "me")
            await bob.until_closed()
            assert bob.ended is not None
            assert (bob.ended.how, bob.ended.detail) == ("goodbye", GoodbyeReason.REJECTED.name)
        assert alice.engine.counters(secure.conversation).bad == 1
        assert len(alice.all(Rejected)) == 1
        assert alice.all(Message) == [], "nothing behind a rejected message counts"
        assert alice.engine.conversations == ()


@pytest.mark.parametrize(
    ("reason", "told", "words"),
    [
        (GoodbyeReason.LEAVING, "goodbye", "said goodbye"),
        (GoodbyeReason.REJECTED, "rejected", "refused a message of yours"),
        (GoodbyeReason.REPLACED, "goodbye", "newer session"),
        (GoodbyeReason.GATED, "rejected", "must decide"),
    ],
)
async def test_each_goodbye_of_the_peer_is_told(reason: GoodbyeReason, told: str, words: str) -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        bob.say(Goodbye(reason))
        closed = await alice.until(Closed)
        assert (closed.reason, closed.by, closed.will_retry) == (told, "peer", False)
        assert words in closed.message


async def test_a_record_against_the_protocol_ends_the_session() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        bob.smuggle(b"\x12unknown kind")
        bob.flush()
        closed = await alice.until(Closed)
        assert (closed.reason, closed.by) == ("rejected", "me")


async def test_a_word_about_a_conversation_that_nobody_knows_is_ignored() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        bob.say(replace(bob.boxes.resume(), conversation=OTHER_HASH))
        bob.say_texts("and on")
        assert (await alice.until(Message)).text == "and on"


async def test_the_first_word_must_be_about_the_present_conversation() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.established()
        bob.say(hello(bob), Resume(OTHER_HASH, b"g" * c.GENERATION_LENGTH, NO_GENERATION, 0, NO_HASH))
        assert (await alice.until(Rejected)).check == "intact"
        assert alice.all(Secure) == []


async def test_another_account_of_the_conversation_is_a_gate_of_the_next_session() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            bob.say(replace(bob.boxes.resume(), high=5, running=OTHER_HASH))
            closed = await alice.until(Closed)
            assert (closed.reason, closed.awaited) == ("lost", True)
            await bob.until_closed()
        async with await call(address, "bob", secrets=(bob.secret, None)) as again:
            opening = asyncio.create_task(again.open())
            assert (await alice.until(Gate)).reason == "resume"
            assert len(alice.all(Secure)) == 1
            with pytest.raises(CommandError) as refused:
                await alice.engine.send("not yet")
            assert refused.value.code == "gated"
            with pytest.raises(CommandError):
                await alice.engine.resolve(Resolution.SIGN)
            await alice.engine.resolve(Resolution.NEW_GENERATION)
            await opening
            await alice.until_many(2, Secure)
            await alice.engine.send("anew")
            assert await again.read(1) == ["anew"]
        assert alice.all(Rejected) == []


async def test_later_kinds_are_ignored_and_a_step_without_a_run_is_declined() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        bob.smuggle(b"\x80 a kind that is to be ignored")
        bob.say(ComparisonStep(Kind.COMPARISON_COMMIT, OTHER_HASH))
        await bob.until_payload(ComparisonStop)
        assert ComparisonStop(StopReason.DECLINED) in bob.payloads
        generation = bob.boxes.outbox.generation
        bob.say(
            ComparisonStop(StopReason.DECLINED),
            Gone(generation, 1, signed=False, item=OTHER_HASH),
            Unsigned(generation, 2, 1_700_000_000_000, text_content("unsigned")),
        )
        message = await alice.until(Message)
        assert (message.number, message.text, message.checks.signed) == (2, "unsigned", False)
        await bob.until(lambda: bob.delivered() == 2)


async def test_an_old_message_is_late_by_the_peers_own_clock() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        now_ms = round(bob.clock.now.unix * 1000)
        for number, age in ((1, 0), (2, 61_000), (3, -61_000)):
            claimed = now_ms - age
            bob.say(Unsigned(bob.boxes.outbox.generation, number, claimed, text_content("x")))
        fresh, late, early = await alice.until_many(3, Message)
        assert (fresh.checks.fresh, fresh.late) == (True, False)
        assert (late.checks.fresh, late.late) == (False, True)
        assert (early.checks.fresh, early.late) == (False, False)
        assert late.age > 60


async def test_untrusted_text_is_made_safe() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        bob.say_texts("\x1b]0;owned\x07\u202egnp.exe")
        text = (await alice.until(Message)).text
        assert not set(text) & set("\x1b\x07\u202e")


async def test_fresh_keys_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c, "REKEY_MIN_SECONDS", 0.0)
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        bob.session._demand_rekey(bob.records)
        bob.absorb(bob.session._drain())
        await bob.until(lambda: bob.session.epoch == 1)
        assert (await alice.until(Rekeyed)).epoch == 1
        bob.say_texts("under new keys")
        assert (await alice.until(Message)).text == "under new keys"


# Peers who say nothing.


async def test_a_guest_that_never_says_its_name_is_never_told() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.established()
            await bob.until(lambda: bool(bob.payloads))
        async with await call(address, "carol") as carol:
            await carol.until(lambda: carol.session.closed or not carol.session.handshaking)
            if carol.session.closed:
                pytest.fail(f"the place was not free again: {carol.ended}")
            await carol.open()
            await alice.until(Secure)
        assert len(alice.all(Peer)) == 1
        await alice.until(Closed)
        assert len(alice.all(Closed)) == 1


async def test_a_host_that_never_says_its_name_is_refused() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        alice = await desk.next("alice")
        await alice.established()
        alice.cut()
        assert (await bob.until(Refused)).reason == "handshake"
        assert bob.all(Peer) == []
        assert bob.all(Closed) == []


async def test_a_guest_that_gives_up_is_not_worth_a_line() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            bob.holding = (session_events.HostIdentified,)
            await bob.until(partial(bool, bob.held))
        async with await call(address, "carol") as carol:
            await carol.open()
            await alice.until(Secure)
        assert alice.all(Notice) == []
        assert alice.all(Refused) == []


async def test_callers_do_not_flood_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MAX_CONVERSATIONS", 1)
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            for _ in range(5):
                async with await call(address, "carol") as carol:
                    await carol.until_closed()
                    assert carol.ended is not None
                    assert carol.ended.how == "busy"
            assert len(alice.all(Notice)) == 1


async def test_acknowledgements_of_a_burst_are_few() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        bob.say_texts(*(f"text {number}" for number in range(300)))
        await alice.until_many(300, Message)
        await bob.until(lambda: bob.delivered() == 300)
        words = [one for one in bob.seen if isinstance(one, PayloadReceived)]
        acknowledgements = [one for one in words if isinstance(one.payload, Acknowledgement)]
        assert len(acknowledgements) < 100


async def test_one_signature_covers_what_waits() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        await asyncio.gather(*(alice.engine.send(f"text {number}") for number in range(200)))
        await bob.until_payload(Signature)
        texts: list[str] = []
        signatures = 0
        while len(texts) < 200:
            await bob.until(lambda: bool(bob.payloads))
            signatures += sum(isinstance(one, Signature) for one in bob.payloads)
            texts += bob.read_messages()
        assert texts == [f"text {number}" for number in range(200)]
        assert signatures <= 3
        bob.acknowledge()
        await alice.until_many(200, Delivered)
