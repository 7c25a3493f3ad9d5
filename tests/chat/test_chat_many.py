"""Many at once: a full house, a guest in several conversations, and nobody who holds up the others."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import pytest
from chat_people import SAFETY_SECONDS, Face, compared, contacts, key_of, met, opened, person, secured
from chat_raw import Answering, RawPeer, answering, call
from protocol_peers import hello

from securechat_tui.chat import presence
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Delivered,
    Dialing,
    Error,
    Gate,
    Message,
    Peer,
    Queued,
    Secure,
    VerifyAsked,
)
from securechat_tui.chat.limits import MAX_CONVERSATIONS
from securechat_tui.chat.stream import _MANY
from securechat_tui.network import backoff
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.events import SessionEvent
from securechat_tui.protocol.payloads import ComparisonAsk, GoodbyeReason
from securechat_tui.trust.states import Trust

pytestmark = pytest.mark.usefixtures("quick_keys")

FLOOD = 500
GUESTS = ("bob", "carol", "mallory")


async def come(stack: AsyncExitStack, host: Face, name: str) -> tuple[RawPeer, str]:
    """Let a guest in; return it and the id of its conversation."""
    raw = await stack.enter_async_context(await call(host.address, name))
    await raw.open()
    fingerprint = str(raw.key.public.fingerprint)
    peer = await host.until(Peer, lambda told: told.fingerprint == fingerprint)
    await host.until(Secure, lambda told: told.conversation == peer.conversation)
    return raw, peer.conversation


async def joined(guest: Face, desk: Answering, name: str) -> tuple[RawPeer, str]:
    """Let an engine join a host that the test drives; return the host and the conversation's id."""
    await guest.engine.join(desk.address)
    raw = await desk.next(name)
    await raw.open()
    fingerprint = str(raw.key.public.fingerprint)
    peer = await guest.until(Peer, lambda told: told.fingerprint == fingerprint)
    await guest.until(Secure, lambda told: told.conversation == peer.conversation)
    return raw, peer.conversation


async def which(command: object) -> None:
    with pytest.raises(CommandError, match="say which") as error:
        await command  # type: ignore[misc]
    assert error.value.code == "which"


# A host.


async def test_sixteen_guests_and_the_next_is_told_busy() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        guests = [await come(stack, alice, f"guest {number}") for number in range(MAX_CONVERSATIONS)]
        assert alice.engine.conversations == tuple(conversation for _, conversation in guests)
        for number, (raw, conversation) in enumerate(guests):
            raw.say_texts(f"I am {number}")
            told = (await alice.until_many(number + 1, Message))[-1]
            assert (told.text, told.conversation) == (f"I am {number}", conversation)
            await alice.engine.send(f"you are {number}", conversation=conversation)
        for number, (raw, _) in enumerate(guests):
            assert await raw.read(1) == [f"you are {number}"]
        async with await call(alice.address, "bob") as late:
            await late.until_closed()
            assert late.ended is not None
            assert late.ended.how == "busy"
        with pytest.raises(CommandError, match="more do not fit"):
            await alice.engine.join("127.0.0.1:1")
        await alice.engine.leave(guests[3][1])
        await alice.until(Closed)
        await come(stack, alice, "bob")
        assert len(alice.engine.conversations) == MAX_CONVERSATIONS


async def test_a_command_that_names_nobody_is_for_nobody_of_several() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        (bob, with_bob), (carol, _) = [await come(stack, alice, name) for name in GUESTS[:2]]
        engine = alice.engine
        for command in (engine.send("hi"), engine.leave(), engine.verify(), engine.match(), engine.differ()):
            await which(command)
        await engine.send("for bob", conversation=with_bob)
        assert await bob.read(1) == ["for bob"]
        carol.cut()
        await alice.until(Closed)
        await which(engine.send("hi"))  # carol may come back: it is still not clear whom that is for
        await engine.verify()  # but codes can be compared with bob alone


async def test_to_leave_one_of_several_ends_that_one_alone() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        guests = [await come(stack, alice, name) for name in GUESTS]
        leaver, left = guests.pop(1)
        await alice.engine.send("the last words", conversation=left)
        leaving = asyncio.create_task(alice.engine.leave(left))
        assert await leaver.read(1) == ["the last words"]
        leaver.acknowledge()
        await leaving
        await leaver.until_closed()
        assert leaver.ended is not None
        assert leaver.ended.detail == GoodbyeReason.LEAVING.name
        assert (await alice.until(Closed)).conversation == left
        for raw, conversation in guests:
            alice.forget()
            raw.say_texts("still here")
            assert (await alice.until(Message)).conversation == conversation
        assert alice.engine.conversations == tuple(conversation for _, conversation in guests)


async def test_what_is_undelivered_to_one_does_not_keep_another_from_being_left() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        (_, with_bob), (carol, with_carol) = [await come(stack, alice, name) for name in GUESTS[:2]]
        await alice.engine.send("never acknowledged", conversation=with_bob)
        async with asyncio.timeout(1.0):  # a third of what it would wait
            await alice.engine.leave(with_carol)
        await carol.until_closed()


# A full house.


@pytest.fixture
def two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MAX_CONVERSATIONS", 2)


async def met_raw(host: Face, name: str) -> bytes:
    """Let somebody become a contact; return the secret that it shows from then on."""
    async with await call(host.address, name) as raw:
        await raw.open()
        await host.until(Secure)
        raw.session.goodbye(GoodbyeReason.LEAVING, raw.clock.now)
        raw.flush()
        await host.until(Closed)
        host.forget()
        return raw.secret


@pytest.mark.usefixtures("two_places")
async def test_only_who_says_nothing_gives_way_and_is_told_no_more_than_goodbye() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        secret = await met_raw(alice, "bob")
        carol, _ = await come(stack, alice, "carol")
        stranger = await stack.enter_async_context(await call(alice.address, "mallory"))
        await stranger.established()
        stranger.send(hello(stranger))
        stranger.flush()
        await alice.until_many(2, Peer)
        bob = await stack.enter_async_context(await call(alice.address, "bob", secrets=(secret, None)))
        await bob.open()
        await stranger.until_closed()
        assert stranger.ended is not None
        assert (stranger.ended.how, stranger.ended.detail) == ("goodbye", GoodbyeReason.LEAVING.name)
        closed = await alice.until(Closed)
        assert (closed.by, closed.awaited) == ("me", False)
        assert (
            closed.message
            == f"{alice.all(Peer)[1].contact} had said nothing yet and has made room for somebody you know."
        )
        carol.say_texts("undisturbed")
        assert (await alice.until(Message)).text == "undisturbed"


@pytest.mark.usefixtures("two_places")
async def test_a_comparison_that_a_person_has_begun_gives_way_to_nobody() -> None:
    """Also where messages do not flow, since the other side stands at a gate of its own."""
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        secret = await met_raw(alice, "bob")
        await come(stack, alice, "carol")
        gated = await stack.enter_async_context(await call(alice.address, "mallory"))
        await gated.established()
        gated.send(hello(gated))
        gated.flush()
        meant = (await alice.until_many(2, Peer))[1].conversation
        await alice.engine.verify(meant)
        async with await call(alice.address, "bob", secrets=(secret, None)) as bob:
            await bob.until_closed()
            assert bob.ended is not None
            assert bob.ended.how == "busy"
        assert meant in alice.engine.conversations


async def test_who_stands_at_a_gate_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MAX_CONVERSATIONS", 1)
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await compared(at_alice, at_bob)
        await at_alice.engine.differ()
        await asyncio.gather(at_alice.until(Closed), at_bob.until(Closed))
        at_alice.forget()
        at_bob.forget()
        secret = await met_raw(at_alice, "carol")
        await at_bob.engine.join(at_alice.address)
        assert (await at_alice.until(Gate)).reason == "comparison"
        async with await call(at_alice.address, "carol", secrets=(secret, None)) as carol:
            await carol.until_closed()
            assert carol.ended is not None
            assert carol.ended.how == "busy"
        await compared(at_alice, at_bob)
        await at_bob.engine.match()
        await at_alice.engine.match()
        await at_alice.until(Secure)
    found = contacts(alice).by_fingerprint(key_of("bob"))
    assert found is not None
    assert found.trust is Trust.VERIFIED


@pytest.mark.usefixtures("two_places")
async def test_a_strangers_wish_to_compare_keeps_nobody_out() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        secret = await met_raw(alice, "bob")
        await come(stack, alice, "carol")
        stranger = await stack.enter_async_context(await call(alice.address, "mallory"))
        await stranger.established()
        stranger.send(hello(stranger))
        stranger.flush()
        await alice.until_many(2, Peer)
        stranger.say(ComparisonAsk())
        await alice.until(VerifyAsked)
        bob = await stack.enter_async_context(await call(alice.address, "bob", secrets=(secret, None)))
        await bob.open()
        await stranger.until_closed()


# A guest.


async def test_a_guest_in_three_conversations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(answering()) for _ in GUESTS]
        hosts = [await joined(alice, desk, name) for desk, name in zip(desks, GUESTS, strict=True)]
        ids = tuple(conversation for _, conversation in hosts)
        assert alice.engine.conversations == ids
        for (raw, conversation), name in zip(hosts, GUESTS, strict=True):
            await alice.engine.send(f"for {name}", conversation=conversation)
            assert await raw.read(1) == [f"for {name}"]
            raw.acknowledge()
        await alice.until_many(3, Delivered)
        bob, carol, mallory = (raw for raw, _ in hosts)

        alice.forget()
        carol.cut()
        closed = await alice.until(Closed)
        assert (closed.conversation, closed.will_retry) == (ids[1], True)
        await alice.engine.send("while you were away", conversation=ids[1])
        again = await desks[1].next("carol")
        await again.open(carol.boxes)
        assert (await alice.until(Secure)).conversation == ids[1]
        assert await again.read(1) == ["while you were away"]
        assert [one.port for one in alice.all(Dialing)] == [int(desks[1].address.rpartition(":")[2])]

        alice.forget()
        await alice.engine.leave(ids[0])
        await bob.until_closed()
        assert (await alice.until(Closed)).conversation == ids[0]
        assert set(alice.engine.conversations) == set(ids[1:])
        mallory.say_texts("undisturbed")
        assert (await alice.until(Message)).conversation == ids[2]


async def test_what_is_typed_for_two_who_are_called_is_for_neither() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(answering()) for _ in range(2)]
        await alice.engine.join(first.address)
        await alice.engine.send("for the first")
        await alice.engine.join(second.address)
        with pytest.raises(CommandError, match="joining several") as error:
            await alice.engine.send("for whom?")
        assert error.value.code == "which"
        other = await second.next("carol")
        await other.open()
        await alice.until(Secure)
        await alice.engine.send("for the second")
        assert await other.read(1) == ["for the second"]
        raw = await first.next("bob")
        await raw.open()
        assert await raw.read(1) == ["for the first"]
        assert len(alice.all(Queued)) == 2


async def test_one_call_that_fails_takes_nothing_from_the_other() -> None:
    async with opened(person("alice")) as alice, answering() as desk:
        await alice.engine.join(desk.address)
        await alice.engine.send("for bob")
        async with answering() as gone:
            nobody = gone.address
        await alice.engine.join(nobody)
        await alice.until(Error, lambda error: error.code == "cannot-connect")
        raw = await desk.next("bob")
        await raw.open()
        assert await raw.read(1) == ["for bob"]
        assert [one.code for one in alice.all(Error)] == ["cannot-connect"]


async def test_joining_anew_replaces_the_call_back_to_the_same_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 3600.0)
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        desk, other = [await stack.enter_async_context(answering()) for _ in range(2)]
        bob, with_bob = await joined(alice, desk, "bob")
        carol, with_carol = await joined(alice, other, "carol")
        for raw in (bob, carol):
            raw.cut()
        await alice.until_many(2, Closed)
        await alice.engine.join(desk.address)
        again = await desk.next("bob")
        await again.open(bob.boxes)
        await alice.until_many(3, Secure)
        assert set(alice.engine.conversations) == {with_bob, with_carol}
        assert alice.engine.is_calling, "carol is called back all the same"


# Nobody holds up the others.


async def test_who_reads_nothing_holds_up_nobody() -> None:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        (_, with_bob), (carol, with_carol) = [await come(stack, alice, name) for name in GUESTS[:2]]
        encounter = alice.engine.requests.encounter(with_bob)
        assert encounter.connection is not None
        for _ in range(1000):  # of 32 KiB: more than the two systems' buffers take
            await alice.engine.send("x" * 32_000, conversation=with_bob)
        async with asyncio.timeout(10.0):
            while encounter.connection.writable:  # noqa: ASYNC110 - no event tells that it is full
                await asyncio.sleep(0)
        for number in range(20):
            await alice.engine.send(f"to carol {number}", conversation=with_carol)
            assert await carol.read(1) == [f"to carol {number}"]
            carol.say_texts(f"from carol {number}")
            assert (await alice.until_many(number + 1, Message))[-1].text == f"from carol {number}"


async def test_who_floods_gets_no_more_than_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many messages of one wait, another's comes after at most one turn of each."""
    arrived: asyncio.Queue[Encounter] = asyncio.Queue()
    take = Encounter.take

    def taking(encounter: Encounter, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        arrived.put_nowait(encounter)
        take(encounter, connection, happened)

    async def until_taken(encounter: Encounter) -> None:
        async with asyncio.timeout(SAFETY_SECONDS):
            while await arrived.get() is not encounter:
                pass

    async with Engine(person("alice")) as engine, AsyncExitStack() as stack:
        alice = Face(engine)
        reading = asyncio.create_task(alice.read())
        await alice.host()
        (bob, with_bob), (carol, with_carol) = [await come(stack, alice, name) for name in GUESTS[:2]]
        flooder, quiet = (engine.requests.encounter(one) for one in (with_bob, with_carol))
        reading.cancel()  # from here on events only pile up, as far as they may
        monkeypatch.setattr(Encounter, "take", taking)
        bob.say_texts(*(f"flood {number}" for number in range(FLOOD)))
        await until_taken(flooder)
        async with asyncio.timeout(SAFETY_SECONDS):
            while len(engine.stream._waiting) < _MANY:  # noqa: ASYNC110 - nobody reads what tells
                await asyncio.sleep(0)
        carol.say_texts("me too")
        await until_taken(quiet)
        alice.forget()
        reading = asyncio.create_task(alice.read())
        told = await alice.until(Message, lambda one: one.conversation == with_carol)
        before = alice.seen[: alice.seen.index(told)]
        assert sum(isinstance(one, Message) for one in before) <= 2 * _MANY
        await alice.until_many(FLOOD + 1, Message)
        await engine.close()
        await reading


# What came and went.


async def test_what_came_and_went_can_be_looked_at() -> None:
    async with opened(person("alice")) as alice, answering() as desk:
        async with answering() as gone:
            nobody = gone.address
        await alice.engine.join(nobody)
        await alice.until(Error)
        raw, with_bob = await joined(alice, desk, "bob")
        await alice.host()
        async with await call(alice.address, "carol") as carol:
            await carol.until(partial(bool, carol.received))
            failed, stands, came = alice.engine.connections()
        assert (failed.direction, failed.address, failed.outcome) == ("out", nobody, "nobody answered")
        assert (stands.direction, stands.address, stands.outcome) == ("out", desk.address, "")
        assert (stands.who, stands.duration >= 0) == (alice.all(Peer)[0].contact, True)
        assert (came.direction, came.who, came.outcome) == ("in", "", "")
        await alice.engine.leave(with_bob)
        await raw.until_closed()
        await alice.until(Closed)
        async with await call(alice.address, "mallory") as mallory:
            await mallory.open()
            await alice.until_many(2, Secure)
            mallory.cut()
            await alice.until_many(2, Closed)
        outcomes = [one.outcome for one in alice.engine.connections()]
        assert outcomes == ["nobody answered", "goodbye", "cut", "cut"]
        assert alice.engine.connections()[3].who == alice.all(Peer)[1].contact


async def test_callers_of_whom_nothing_came_do_not_push_out_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("securechat_tui.chat.connection_log._KEPT", 3)
    async with opened(person("alice")) as alice:
        await alice.host()
        await met_raw(alice, "bob")
        for _ in range(5):
            async with await call(alice.address, "carol") as carol:
                carol.cut()
        async with await call(alice.address, "mallory") as mallory:
            await mallory.open()
            await alice.until(Secure)
        who = [one.who for one in alice.engine.connections() if one.who]
        assert who == [key_of(name).short for name in ("bob", "mallory")]
        assert len(alice.engine.connections()) == 3
