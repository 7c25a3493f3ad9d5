"""Coming back after a cut: by itself, to the same key, with nothing lost, doubled or reordered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chat_people import Face, opened, person
from chat_raw import answering, call
from cutting_proxy import Wire, wire_to
from protocol_peers import identity_key

from securechat_tui.chat import calls
from securechat_tui.chat.calls import Call
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Delivered,
    Dialing,
    Message,
    Peer,
    Queued,
    Refused,
    Secure,
)
from securechat_tui.network import backoff

pytestmark = pytest.mark.usefixtures("quick_keys")

CUTS = 200
PER_CUT = 3


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come back at once; how the pauses grow is the backoff's own test."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)


@asynccontextmanager
async def wired() -> AsyncIterator[tuple[Face, Face, Wire]]:
    """Alice hosts; whoever dials the wire reaches her."""
    async with (
        opened(person("alice")) as alice,
        opened(person("bob")) as bob,
        wire_to(await alice.host()) as wire,
    ):
        yield alice, bob, wire


def texts(face: Face) -> list[str]:
    return [message.text for message in face.all(Message)]


async def test_a_cut_is_told_once_and_the_guest_comes_back() -> None:
    async with wired() as (alice, bob, wire):
        await bob.engine.join(wire.address)
        await bob.until(Secure)
        wire.cut()
        closed = await bob.until(Closed)
        assert (closed.reason, closed.will_retry) == ("lost", True)
        await bob.until_many(2, Secure)
        assert [dialing.attempt for dialing in bob.all(Dialing)] == [1, 1]
        assert [peer.returning for peer in bob.all(Peer)] == [False, True]
        await bob.engine.send("still me")
        assert (await alice.until(Message)).text == "still me"
        assert not bob.all(Refused)


async def test_what_is_typed_while_away_waits_and_is_delivered_once_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wired() as (alice, bob, wire):
        monkeypatch.setattr(backoff, "FIRST_PAUSE", 3600.0)
        await bob.engine.join(wire.address)
        await alice.until(Secure)
        await bob.until(Secure)
        wire.cut()
        await alice.until(Closed)
        await bob.until(Closed)
        for number in range(5):
            await bob.engine.send(f"guest {number}", ref=f"r{number}")
            await alice.engine.send(f"host {number}")
        assert len(await bob.until_many(5, Queued)) == 5, "numbered at once: the peer is known"
        await bob.engine.reconnect()
        await bob.until_many(5, Delivered)
        await alice.until_many(5, Delivered)
        assert texts(alice) == [f"guest {number}" for number in range(5)]
        assert texts(bob) == [f"host {number}" for number in range(5)]


async def test_a_stream_both_ways_survives_being_cut_again_and_again() -> None:
    async with wired() as (alice, bob, wire):
        await bob.engine.join(wire.address)
        await bob.until(Secure)
        await alice.until(Secure)
        for cut in range(CUTS):
            for number in range(PER_CUT):
                await alice.engine.send(f"a {cut} {number}")
                await bob.engine.send(f"b {cut} {number}")
            # Cut when something of this round has arrived somewhere: in the middle of the rest.
            reader = alice if cut % 2 else bob
            await reader.until_many(cut * PER_CUT + 1 + cut % PER_CUT, Message)
            wire.cut()
        total = CUTS * PER_CUT
        async with asyncio.timeout(60):
            while await bob.engine.flush(5.0) or await alice.engine.flush(5.0):
                pass
        await alice.until_many(total, Message)
        await bob.until_many(total, Message)
        rounds = [(cut, number) for cut in range(CUTS) for number in range(PER_CUT)]
        assert texts(alice) == [f"b {cut} {number}" for cut, number in rounds]
        assert texts(bob) == [f"a {cut} {number}" for cut, number in rounds]
        assert wire.connections > CUTS // 2


async def test_another_key_on_the_way_back_raises_the_alarm_and_ends_it() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        await bob.engine.send("for alice alone")
        raw.cut()
        await bob.until(Closed)
        false = await desk.next("carol")
        await false.until_closed()
        refused = await bob.until(Refused)
        assert (refused.reason, refused.offered) == (
            "key-changed",
            str(identity_key("carol").public.fingerprint),
        )
        with pytest.raises(CommandError, match="host or join first"):
            await bob.engine.send("to whoever is there")


async def test_busy_and_silent_closes_are_tried_again_without_a_word() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        raw.cut()
        (await desk.next("alice")).cut()
        (await desk.next("alice")).cut()
        again = await desk.next("alice")
        await again.open()
        await bob.until_many(2, Secure)
        assert [dialing.attempt for dialing in bob.all(Dialing)] == [1, 1, 2, 3]
        assert not bob.all(Refused)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before each call back, none of which is waited for."""
    found = list[float]()

    async def note(_call: Call, seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(backoff, "FIRST_PAUSE", 1.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 60.0)
    monkeypatch.setattr(backoff, "JITTER", 0.0)
    monkeypatch.setattr(calls, "_pause", note)
    return found


async def test_who_is_cut_off_as_soon_as_it_is_there_calls_ever_less_often(pauses: list[float]) -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        for number in range(1, 5):
            raw = await desk.next("alice")
            await raw.open()
            await bob.until_many(number, Secure)
            raw.cut()
            await bob.until_many(number, Closed)
        await desk.next("alice")
    assert pauses == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize("by", ["guest", "host"])
async def test_a_session_in_which_something_has_arrived_was_worth_the_call(
    by: str, pauses: list[float]
) -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        boxes = None
        for number in range(1, 4):
            raw = await desk.next("alice")
            await raw.open(boxes)
            boxes = raw.boxes
            await bob.until_many(number, Secure)
            if by == "host":
                raw.say_texts("hello")
                await bob.until_many(number, Message)
            else:
                await bob.engine.send("hello")
                await raw.read(1)
                raw.acknowledge()
                await bob.until_many(number, Delivered)
            raw.cut()
            await bob.until_many(number, Closed)
        await desk.next("alice")
    assert pauses == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("lasting", "expected"), [(60.0, [1.0, 2.0, 4.0]), (0.0, [1.0, 1.0, 1.0])])
async def test_a_talk_goes_on_after_pauses_like_any_other(
    lasting: float, expected: list[float], pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_LASTING_SECONDS", lasting)
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        await bob.engine.leave()
        await raw.until_closed()
        await bob.until(Closed)
        await bob.engine.talk(bob.engine.contacts()[0].name, "127.0.0.1:0")
        for number in range(2, 5):
            raw = await desk.next("alice")
            await raw.open()
            await bob.until_many(number, Secure)
            raw.cut()
            await bob.until_many(number, Closed)
        await desk.next("alice")
    assert pauses == [0.0, *expected]


async def test_who_has_called_is_awaited_no_more_where_nobody_listens() -> None:
    async with (
        opened(person("alice")) as alice,
        await call(await alice.host(), "bob") as bob,
        await call(alice.address, "carol") as carol,
    ):
        await bob.open()
        await carol.open()
        await alice.until_many(2, Secure)
        bob.cut()
        lost = await alice.until(Closed)
        await alice.engine.stop_hosting()
        over = (await alice.until_many(2, Closed))[1]
        assert [(one.reason, one.by, one.awaited) for one in (lost, over)] == [
            ("lost", "peer", True),
            ("goodbye", "me", False),
        ]
        assert "cannot come back" in over.message
        assert len(alice.engine.conversations) == 1, "who is here stays"
        await alice.engine.send("for later", conversation=over.conversation)
        await alice.until(Queued)


async def test_who_is_called_back_is_awaited_whether_anybody_listens_or_not() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        await bob.host()
        raw.cut()
        await bob.until(Closed)
        again = await desk.next("alice")
        await bob.engine.stop_hosting()
        await again.open(raw.boxes)
        await bob.until_many(2, Secure)
        assert len(bob.all(Closed)) == 1


async def test_leaving_while_away_ends_it() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        raw.cut()
        await bob.until(Closed)
        assert bob.engine.conversations
        await bob.engine.leave()
        closed = (await bob.until_many(2, Closed))[1]
        assert (closed.reason, closed.by, closed.will_retry) == ("goodbye", "me", False)
        assert not bob.engine.conversations
        with pytest.raises(CommandError, match="Nothing to reconnect"):
            await bob.engine.reconnect()


async def test_a_goodbye_is_not_followed_by_a_return() -> None:
    async with opened(person("alice")) as alice, opened(person("bob")) as bob:
        await bob.engine.join(await alice.host())
        await bob.until(Secure)
        await alice.until(Secure)
        await alice.engine.leave()
        closed = await bob.until(Closed)
        assert (closed.reason, closed.by, closed.will_retry) == ("goodbye", "peer", False)
        assert not bob.engine.conversations


async def test_a_host_that_restarts_gets_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    alice_profile = person("alice")
    async with opened(person("bob")) as bob, opened(alice_profile) as alice:
        address = await alice.host()
        monkeypatch.setattr(backoff, "FIRST_PAUSE", 3600.0)
        async with wire_to(address) as wire:
            await bob.engine.join(wire.address)
            await bob.until(Secure)
            await bob.engine.send("before")
            await bob.until(Delivered)
            port = int(address.rpartition(":")[2])
            wire.cut()
            await bob.until(Closed)
            await alice.engine.close()
            await bob.engine.send("while alice is away")
            async with opened(alice_profile) as again:
                await again.engine.host(f"127.0.0.1:{port}")
                await bob.engine.reconnect()
                assert (await again.until(Message)).text == "while alice is away"
                await bob.until_many(2, Delivered)


async def test_a_contact_forgotten_while_away_is_not_called_any_more() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        name = bob.engine.contacts()[0].name
        await bob.engine.forget(name)
        raw.cut()
        await bob.until(Closed)
        assert await bob.engine.flush(5.0) == 0
        assert not bob.all(Refused)
