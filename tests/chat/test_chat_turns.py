"""Who floods gives way, and rests while others talk: counted in messages, by no clock of the machine."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from threading import Event as Signal
from threading import Semaphore
from typing import NamedTuple, cast

import pytest
from chat_boxes import Forgetful
from chat_people import SAFETY_SECONDS, Face, opened, person
from chat_raw import RawPeer, call
from protocol_peers import Clock, identity_key

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.events import Message, Peer, Secure
from securechat_tui.chat.receipt import Receipt
from securechat_tui.chat.settling import _AHEAD, Settling
from securechat_tui.chat.shelf import Marks, Shelf
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.turns import LONGEST_REST_SECONDS, MESSAGES, REST, TALK_SECONDS, Turns
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.events import SessionEvent
from securechat_tui.protocol.payloads import Payload, Signed
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Change, Receiving, Sending

pytestmark = pytest.mark.usefixtures("quick_keys", "clock")

FLOOD = 500


# The turns.


async def begun(doing: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Begin something, and come as far as it does by itself."""
    task = asyncio.create_task(doing)
    await a_little()
    return task


async def a_little() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def is_held(turns: Turns, who: object) -> bool:
    """Whether somebody who has had a turn must wait now."""
    waiting = await begun(turns.give_way(who))
    return waiting.cancel()


async def test_who_is_alone_does_not_wait() -> None:
    turns = Turns()
    waiting = asyncio.create_task(turns.give_way("own"))
    await asyncio.sleep(0)
    turns.begin("own")  # a message of one's own, say
    async with asyncio.timeout(SAFETY_SECONDS):
        await waiting


async def test_what_others_have_on_its_way_is_waited_for_and_what_they_begin_later_is_not() -> None:
    turns = Turns()
    turns.begin("carol")
    turns.begin("dave")
    turns.begin("dave")
    waiting = await begun(turns.give_way("own"))
    turns.end("carol")
    turns.begin("carol")
    assert not waiting.done()
    turns.end("dave")
    await waiting


async def test_two_who_always_have_more_take_turns() -> None:
    turns, order = Turns(), list[str]()

    async def flood(who: str) -> None:
        turns.begin(who)
        for _ in range(5):
            order.append(who)
            await turns.give_way(who)
            turns.begin(who)
        turns.end(who)

    async with asyncio.timeout(SAFETY_SECONDS):
        await asyncio.gather(flood("bob"), flood("carol"))
    assert order == ["bob", "carol"] * 5


async def test_what_has_not_begun_may_end() -> None:
    turns = Turns()
    turns.end("carol")
    turns.begin("carol")
    turns.end("carol")
    turns.end("carol")
    assert not await is_held(turns, "own")


# Who talks, and how long one rests.


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that says who talks and how long a turn took: it stands still, so that no turn takes time."""
    clock = Clock()
    for module in ("turns", "settling"):
        monkeypatch.setattr(f"securechat_tui.chat.{module}.now", lambda: clock.now)
    return clock


async def test_one_talks_for_a_while_after_something_was_written(clock: Clock) -> None:
    turns = Turns()
    turns.write("carol")
    turns.end("carol")
    clock.advance(TALK_SECONDS / 2)
    assert turns.is_crowded("own")
    clock.advance(TALK_SECONDS)
    assert not turns.is_crowded("own")


async def test_what_is_on_its_way_is_a_crowd_until_it_ends() -> None:
    turns = Turns()
    turns.begin("carol")
    assert turns.is_crowded("own")
    turns.end("carol")
    assert not turns.is_crowded("own"), "it was not worth writing: a ping, say"


async def test_nobody_is_a_crowd_to_himself() -> None:
    turns = Turns()
    turns.write("own")
    assert not turns.is_crowded("own")
    assert turns.is_crowded("carol")


async def test_who_talks_no_more_is_forgotten(clock: Clock) -> None:
    turns = Turns()
    for number in range(FLOOD):
        turns.write(number)
        turns.end(number)
    clock.advance(TALK_SECONDS)
    assert not turns.is_crowded("own")
    assert not turns._talking
    assert not turns._on_its_way


@pytest.mark.parametrize(
    ("took", "rest"), [(0.001, 0.001 * REST), (1.0, LONGEST_REST_SECONDS), (0.0, 0.0)], ids=str
)
async def test_a_rest_is_as_long_as_the_turn_was_many_times_over_and_has_an_end(
    monkeypatch: pytest.MonkeyPatch, took: float, rest: float
) -> None:
    clock, turns = Clock(), Turns()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: clock.monotonic)
    turns.write("carol")
    resting = await begun(turns.rest("own", took))
    clock.advance(rest * 0.99)
    await a_little()
    assert resting.done() is (rest == 0)
    clock.advance(rest * 0.02)
    await resting


async def test_nobody_waits_for_who_rests() -> None:
    turns = Turns()
    turns.write("carol")
    turns.begin("own")
    resting = await begun(turns.rest("own", 1.0))
    assert not await is_held(turns, "carol")
    assert resting.cancel()


async def rests(turns: Turns, who: object) -> bool:
    """Whether somebody whose turn has ended must rest now."""
    resting = await begun(turns.rest(who, 1.0))
    return resting.cancel()


async def test_those_who_all_send_a_lot_do_not_rest_for_one_another(clock: Clock) -> None:
    turns = Turns()
    turns.write("own")
    turns.write("carol")
    assert await rests(turns, "own"), "carol may be one who says little"
    assert not await rests(turns, "carol"), "own is none of those"
    assert not await rests(turns, "own"), "nor is carol"
    turns.write("dave")
    assert await rests(turns, "own")
    assert await rests(turns, "carol")
    clock.advance(TALK_SECONDS)
    turns.write("own")
    turns.write("carol")
    assert turns.is_crowded("own")
    assert await rests(turns, "own"), "carol has sent little for a while"


# What goes to disk.


class Turning(Forgetful):
    """A store whose writes are let through one by one."""

    def __init__(self) -> None:
        self.may_write = Semaphore(0)

    def write(self, changes: Sequence[Change], sending: Sending | None, receiving: Receiving | None) -> None:
        assert self.may_write.acquire(timeout=SAFETY_SECONDS)


def alone_with(turns: Turns, disk: Forgetful) -> Conversation:
    shelf = Shelf(cast("ConversationStore", disk), None, None, 1, (), Marks())
    alice, bob = identity_key("alice"), identity_key("bob")
    return Conversation(alice, bob.public, shelf, EventStream(), asyncio.Event(), turns=turns)


@pytest.mark.parametrize("how", ["nothing comes of it", "it counts no more", "the session is over"])
async def test_what_never_goes_to_disk_holds_nobody(how: str) -> None:
    turns = Turns()
    settling = Settling(EventStream().room, lambda _: None, turns)
    settling.begin_turn()
    assert not await is_held(turns, "own"), "nobody is known yet"
    settling.begin(alone_with(turns, Forgetful()))
    settling.begin_turn()
    waiting = await begun(turns.give_way("own"))
    assert not waiting.done()
    if how == "nothing comes of it":
        await settling.beside()
    elif how == "it counts no more":
        settling.stop()
    else:
        settling.cancel()
    async with asyncio.timeout(SAFETY_SECONDS):
        await waiting


async def test_who_always_writes_holds_nobody_longer_than_one_transaction() -> None:
    turns, disk = Turns(), Turning()
    conversation = alone_with(turns, disk)
    conversation.journal.commit_soon()
    waiting = await begun(turns.give_way("own"))
    conversation.journal.commit_soon()  # and there is more behind it
    disk.may_write.release()
    async with asyncio.timeout(SAFETY_SECONDS):
        await waiting
    behind = await begun(turns.give_way("own"))
    assert not behind.done()
    disk.may_write.release()
    async with asyncio.timeout(SAFETY_SECONDS):
        await behind
    assert not await is_held(turns, "own")


# A host with two guests.


class Crowd(NamedTuple):
    """A host, a guest who floods, and another."""

    alice: Face
    bob: RawPeer
    carol: RawPeer
    with_bob: Conversation
    with_carol: Conversation


async def come(stack: AsyncExitStack, host: Face, name: str) -> tuple[RawPeer, Conversation]:
    raw = await stack.enter_async_context(await call(host.address, name))
    await raw.open()
    fingerprint = str(raw.key.public.fingerprint)
    peer = await host.until(Peer, lambda told: told.fingerprint == fingerprint)
    await host.until(Secure, lambda told: told.conversation == peer.conversation)
    found = host.engine.reception.conversations.by_id(peer.conversation)
    assert found is not None
    await found.journal.settled()
    return raw, found


@asynccontextmanager
async def crowd() -> AsyncIterator[Crowd]:
    async with opened(person("alice")) as alice, AsyncExitStack() as stack:
        await alice.host()
        (bob, with_bob), (carol, with_carol) = [await come(stack, alice, name) for name in ("bob", "carol")]
        alice.forget()
        yield Crowd(alice, bob, carol, with_bob, with_carol)


def hook(monkeypatch: pytest.MonkeyPatch, act: Callable[[Receipt, int], None]) -> None:
    """Have ``act`` told of each message that is checked, and how many of its conversation were before."""
    take = Receipt._take

    def taking(receipt: Receipt, payload: Payload) -> None:
        take(receipt, payload)
        if isinstance(payload, Signed):
            act(receipt, receipt._boxes.inbox.high)

    monkeypatch.setattr(Receipt, "_take", taking)


def giving_way(monkeypatch: pytest.MonkeyPatch, who: Conversation) -> asyncio.Event:
    """Return what is set when the peer of this conversation has had a turn."""
    has_had = asyncio.Event()
    following = Turns.give_way

    async def next_turn(turns: Turns, one: object) -> None:
        if one is who.journal:
            has_had.set()
        await following(turns, one)

    monkeypatch.setattr(Turns, "give_way", next_turn)
    return has_had


async def turned() -> None:
    """Let the loop turn so often that whoever does not wait has come to its end."""
    for _ in range(1000):
        await asyncio.sleep(0)


def texts(count: int) -> list[str]:
    return [f"flood {number}" for number in range(count)]


class SlowDisk:
    """Holds the writes of one conversation up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, conversation: Conversation) -> None:
        self.free = Signal()
        self.writing = asyncio.Event()
        loop, store, write = asyncio.get_running_loop(), conversation.journal.store, ConversationStore.write

        def writing(
            one: ConversationStore,
            changes: Sequence[Change],
            sending: Sending | None = None,
            receiving: Receiving | None = None,
        ) -> None:
            if one is store:
                loop.call_soon_threadsafe(self.writing.set)
                assert self.free.wait(SAFETY_SECONDS)
            write(one, changes, sending, receiving)

        monkeypatch.setattr(ConversationStore, "write", writing)


async def test_from_the_arrival_of_anothers_message_a_flood_has_one_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with crowd() as (alice, bob, carol, with_bob, with_carol):
        had_a_turn = giving_way(monkeypatch, with_bob)
        quiet = alice.engine.requests.encounter(with_carol.id)
        arrived = asyncio.Event()
        take = Encounter.take

        def arriving(encounter: Encounter, connection: Connection, what: Sequence[SessionEvent]) -> None:
            take(encounter, connection, what)
            if encounter is quiet:
                arrived.set()

        monkeypatch.setattr(Encounter, "take", arriving)
        async with quiet._alone, asyncio.timeout(SAFETY_SECONDS):
            carol.say_texts("from carol")
            await arrived.wait()
            bob.say_texts(*texts(FLOOD))
            await had_a_turn.wait()
            await turned()
            assert with_bob.inbox.high < MESSAGES
        await alice.until_many(FLOOD + 1, Message)


async def test_in_a_crowd_a_turn_is_on_disk_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crowd() as (alice, bob, carol, with_bob, with_carol):
        others, own = SlowDisk(monkeypatch, with_carol), SlowDisk(monkeypatch, with_bob)
        own.free.set()
        had_a_turn = giving_way(monkeypatch, with_bob)
        carol.say_texts("from carol")
        async with asyncio.timeout(SAFETY_SECONDS):
            await others.writing.wait()
            bob.say_texts(*texts(MESSAGES))
            await had_a_turn.wait()
            await turned()  # and it is known that others are there
            others.free.set()
            await alice.until_many(MESSAGES + 1, Message)
            own.free.clear()
            own.writing.clear()
            bob.say_texts(*texts(FLOOD))
            await own.writing.wait()
        await turned()
        assert with_bob.inbox.high - with_bob.boxes.received.high <= 2 * MESSAGES
        own.free.set()
        await alice.until_many(FLOOD + MESSAGES + 1, Message)


@pytest.mark.parametrize("sends", [False, True])
async def test_while_anothers_message_is_written_a_flood_has_one_turn(
    monkeypatch: pytest.MonkeyPatch, sends: bool
) -> None:
    """Whether it came from the other one or goes there."""
    async with crowd() as (alice, bob, carol, with_bob, with_carol):
        disk = SlowDisk(monkeypatch, with_carol)
        had_a_turn = giving_way(monkeypatch, with_bob)
        if sends:
            sending = asyncio.create_task(alice.engine.send("for carol", conversation=with_carol.id))
        else:
            carol.say_texts("from carol")
        async with asyncio.timeout(SAFETY_SECONDS):
            await disk.writing.wait()
            bob.say_texts(*texts(FLOOD))
            await had_a_turn.wait()
        await turned()
        assert with_bob.inbox.high < MESSAGES
        disk.free.set()
        if sends:
            await sending
        await alice.until_many(FLOOD + (not sends), Message)


async def test_amid_a_flood_another_waits_for_one_turn_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the moment at which its message has come until it is shown."""
    async with crowd() as (alice, bob, carol, with_bob, with_carol):
        disk = SlowDisk(monkeypatch, with_carol)
        taken: dict[str, int] = {}
        take, show = Encounter.take, Conversation._show

        def amid(receipt: Receipt, number: int) -> None:
            if receipt is with_bob.receipt and number == FLOOD // 5:
                carol.say_texts("from carol")

        def arriving(encounter: Encounter, connection: Connection, what: Sequence[SessionEvent]) -> None:
            if encounter.conversation is with_carol:
                taken.setdefault("arrived", with_bob.inbox.high)
            take(encounter, connection, what)

        def showing(conversation: Conversation, event: Message) -> None:
            if conversation is with_carol:
                taken["shown"] = with_bob.inbox.high
            show(conversation, event)

        hook(monkeypatch, amid)
        monkeypatch.setattr(Encounter, "take", arriving)
        monkeypatch.setattr(Conversation, "_show", showing)
        bob.say_texts(*texts(FLOOD))
        async with asyncio.timeout(SAFETY_SECONDS):
            await disk.writing.wait()
        await turned()
        disk.free.set()
        await alice.until_many(FLOOD + 1, Message)
        assert FLOOD // 5 <= taken["arrived"] < FLOOD
        assert taken["shown"] - taken["arrived"] <= MESSAGES


TOOK = 0.125
"""Seconds that a write takes by the clock that stands still otherwise."""


def writes_take_time(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    write = ConversationStore.write

    def writing(
        one: ConversationStore,
        changes: Sequence[Change],
        sending: Sending | None = None,
        receiving: Receiving | None = None,
    ) -> None:
        write(one, changes, sending, receiving)
        clock.advance(TOOK)

    monkeypatch.setattr(ConversationStore, "write", writing)


class Rests:
    """Every rest lasts until the test ends it; without one are those whose turn took no time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        self.taken: list[tuple[object, float]] = []
        """Who rested, and how long the turn took."""
        self.is_free = False
        self._begun, self._over = asyncio.Semaphore(0), asyncio.Semaphore(0)
        writes_take_time(monkeypatch, clock)

        async def rest(turns: Turns, who: object, took: float) -> None:
            await self._rest(turns, who, took)

        monkeypatch.setattr(Turns, "rest", rest)

    async def _rest(self, turns: Turns, who: object, took: float) -> None:
        turns.end(who)
        if took:
            self.taken.append((who, took))
            self._begun.release()
            if not self.is_free:
                await self._over.acquire()

    async def until_begun(self) -> None:
        async with asyncio.timeout(SAFETY_SECONDS):
            await self._begun.acquire()

    def end(self) -> None:
        self._over.release()

    def end_all(self) -> None:
        """From here on rests are over at once."""
        self.is_free = True
        self.end()


async def talk(crowd: Crowd) -> None:
    """Let carol say something, and see it."""
    crowd.carol.say_texts("from carol")
    await crowd.alice.until(Message, lambda one: one.conversation == crowd.with_carol.id)
    await turned()
    crowd.alice.forget()


async def test_while_another_talks_a_flood_rests_after_each_turn_and_then_no_more(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """It rests when its turn is on disk, by how long that took; all that it sends arrives, in order."""
    async with crowd() as here:
        alice, bob, _, with_bob, _ = here
        await talk(here)
        rests = Rests(monkeypatch, clock)
        bob.say_texts(*texts(FLOOD))
        so_far = 0
        for _ in range(3):
            await rests.until_begun()
            await turned()
            assert so_far < with_bob.inbox.high == with_bob.boxes.received.high <= so_far + MESSAGES
            assert rests.taken[-1] == (with_bob.journal, TOOK)
            so_far = with_bob.inbox.high
            rests.end()
        clock.advance(TALK_SECONDS)  # carol has said her last a while ago
        told = await alice.until_many(FLOOD, Message)
        assert [one.text for one in told] == texts(FLOOD)
        assert len(rests.taken) <= 4, "and the one that may have begun by then"


async def test_a_flood_alone_has_no_rest(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    async with crowd() as (alice, bob, _, _, _):
        clock.advance(TALK_SECONDS)  # since both came
        rests = Rests(monkeypatch, clock)
        bob.say_texts(*texts(FLOOD))
        await alice.until_many(FLOOD, Message)
        assert not rests.taken


async def test_who_says_little_has_no_rest_beside_a_flood(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    async with crowd() as here:
        alice, bob, _, with_bob, _ = here
        await talk(here)
        rests = Rests(monkeypatch, clock)
        bob.say_texts(*texts(FLOOD))
        await rests.until_begun()
        for _ in range(MESSAGES // 2):  # a signature with each
            await talk(here)
        assert {who for who, _ in rests.taken} == {with_bob.journal}
        rests.end_all()
        await alice.until(Message, lambda one: one.text == texts(FLOOD)[-1])


async def test_closing_while_one_rests_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    async with crowd() as here:
        alice, bob, _, _, _ = here
        await talk(here)
        rests = Rests(monkeypatch, clock)
        bob.say_texts(*texts(FLOOD))
        await rests.until_begun()
        closing = asyncio.create_task(alice.engine.close())
        await turned()
        rests.end()  # the one that has begun; no other may follow
        async with asyncio.timeout(SAFETY_SECONDS):
            await closing
        assert len(rests.taken) == 1
        assert not alice.engine.reception.following._tasks
        assert not alice.engine.reception.turns._on_its_way


async def test_two_who_flood_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as both send, neither is further ahead than what may wait for the disk, and a few turns."""
    count = 2 * FLOOD
    async with crowd() as (alice, bob, carol, with_bob, with_carol):
        ahead: list[int] = []

        def compare(_receipt: Receipt, _number: int) -> None:
            highs = with_bob.inbox.high, with_carol.inbox.high
            if min(highs) > 0 and max(highs) < count:
                ahead.append(abs(highs[0] - highs[1]))

        hook(monkeypatch, compare)
        for raw in (bob, carol):
            raw.say_texts(*texts(count))
        await alice.until_many(2 * count, Message)
        assert max(ahead) <= _AHEAD + 4 * MESSAGES
        for conversation in (with_bob, with_carol):
            told = [one.text for one in alice.all(Message) if one.conversation == conversation.id]
            assert told == texts(count)
