"""What is long past is looked up in a thread, and not amid a transaction of the same conversation."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event as Signal
from typing import TypeVar, cast

import pytest
from chat_boxes import Boxes, Forgetful
from chat_people import SAFETY_SECONDS, opened, person, secured, talking
from protocol_peers import identity_key

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.events import Delivered, Message
from securechat_tui.chat.items import Items, NotAtHand
from securechat_tui.chat.journal import Journal
from securechat_tui.chat.shelf import Marks, Shelf
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.turns import Turns
from securechat_tui.protocol.errors import OutOfOrder
from securechat_tui.protocol.payloads import Payload
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Change, Receiving, Sending

pytestmark = pytest.mark.usefixtures("quick_keys")

ITEM = b"i" * 32

T = TypeVar("T")


# The items.


def older(known: dict[tuple[bytes, int], bytes], generation: bytes, number: int) -> bytes | None:
    return known.get((generation, number))


def looked_up(items: Items, number: int) -> bytes | None:
    with pytest.raises(NotAtHand) as lack:
        items[number]
    lack.value.learn(lack.value.ask())
    return items[number]


def test_what_is_not_at_hand_is_asked_for_once() -> None:
    items = Items(partial(older, {(b"g", 2): ITEM}))
    items.begin(b"g", 3)
    items.append(b"4" * 32)
    assert items[4] == b"4" * 32
    assert looked_up(items, 2) == ITEM
    assert items[2] == ITEM
    assert looked_up(items, 3) is None


def test_what_is_no_number_is_not_asked_for() -> None:
    items = Items(partial(older, {}))
    items.begin(b"g", 3)
    assert (items[0], items[-1], items[4]) == (None, None, None)


def test_what_was_learnt_of_one_generation_is_of_no_other() -> None:
    items = Items(partial(older, {(b"g", 2): ITEM}))
    items.begin(b"g", 3)
    with pytest.raises(NotAtHand) as lack:
        items[2]
    items.begin(b"h", 3)  # while the store was asked
    lack.value.learn(lack.value.ask())
    assert looked_up(items, 2) is None


# A conversation whose items are not at hand.


class Past(Forgetful):
    """A store that knows one's own first message, and says so when it is let."""

    def __init__(self) -> None:
        self.knows: bytes | None = None
        self.free = Signal()
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def header_hash(self, generation: bytes, number: int) -> bytes | None:
        assert threading.current_thread() is not threading.main_thread()
        self._loop.call_soon_threadsafe(self.asked.set)
        assert self.free.wait(SAFETY_SECONDS)
        return self.knows if number == 1 else None


class Stage:
    """Alice's conversation with bob, who names her first message; she has it at hand no more."""

    def __init__(self) -> None:
        alice, bob = identity_key("alice"), identity_key("bob")
        self.past = Past()
        shelf = Shelf(cast("ConversationStore", self.past), None, None, 1, (), Marks())
        self.conversation = Conversation(
            alice, bob.public, shelf, EventStream(), asyncio.Event(), turns=Turns()
        )
        self.bob = Boxes(bob, alice.public)
        self.bob.inbox.announce(self.conversation.outbox.generation)
        self.conversation.inbox.announce(self.bob.outbox.generation)

    async def named(self) -> list[Payload]:
        """Return what bob says after he has received alice's first message."""
        outbox, alice = self.conversation.outbox, identity_key("alice")
        await self.conversation.send("one", None)
        messages = outbox.to_sign()
        batch = outbox.batch(messages, alice.sign(outbox.signing_input(messages)))
        assert batch is not None
        outbox.signed(messages, batch)
        found = outbox.next_to_write()
        assert found is not None
        signature, leaf = found[1]
        self.bob.accept(signature, leaf)  # type: ignore[arg-type]
        outbox.acknowledge(self.bob.inbox.acknowledgement())
        self.past.knows = outbox._items[1]
        outbox._items.begin(outbox.generation, 1)
        self.bob.write("two")
        return self.bob.pour()

    async def hear(self, payloads: list[Payload]) -> None:
        for payload in payloads:
            await self.conversation.receive(payload)


async def test_what_is_named_is_looked_up() -> None:
    stage = Stage()
    said = await stage.named()
    stage.past.free.set()
    await stage.hear(said)
    assert stage.conversation.inbox.high == 1


async def test_what_was_never_sent_is_looked_up_and_refused() -> None:
    stage = Stage()
    said = await stage.named()
    stage.past.knows = None
    stage.past.free.set()
    with pytest.raises(OutOfOrder, match="never sent"):
        await stage.hear(said)
    assert stage.conversation.inbox.high == 0


async def test_what_a_former_session_said_counts_no_more_when_it_is_looked_up() -> None:
    stage = Stage()
    said = await stage.named()
    hearing = asyncio.create_task(stage.hear(said))
    async with asyncio.timeout(SAFETY_SECONDS):
        await stage.past.asked.wait()
        stage.conversation.detach()
        stage.past.free.set()
        await hearing
    assert stage.conversation.inbox.high == 0


# Two engines.


async def test_a_store_is_asked_in_a_thread_and_between_two_transactions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a restart nothing is at hand: the first answer names what the store alone knows."""
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await at_alice.engine.send("one")
        await asyncio.gather(at_bob.until(Message), at_alice.until(Delivered))
    free, writing, looking = Signal(), asyncio.Event(), asyncio.Event()
    loop, asked, held, busy = asyncio.get_running_loop(), list[tuple[bool, bool]](), set[int](), set[int]()
    write, header_hash, read = ConversationStore.write, ConversationStore.header_hash, Journal.read

    def slow_write(
        store: ConversationStore,
        changes: Sequence[Change],
        sending: Sending | None = None,
        receiving: Receiving | None = None,
    ) -> None:
        busy.add(id(store))
        if id(store) in held:
            loop.call_soon_threadsafe(writing.set)
            assert free.wait(SAFETY_SECONDS)
        write(store, changes, sending, receiving)
        busy.discard(id(store))

    def asking(store: ConversationStore, generation: bytes, number: int) -> bytes | None:
        asked.append((threading.current_thread() is threading.main_thread(), id(store) in busy))
        loop.call_soon_threadsafe(looking.set)
        return header_hash(store, generation, number)

    async def reading(journal: Journal, question: Callable[[], T]) -> T:
        looking.set()
        return await read(journal, question)

    monkeypatch.setattr(ConversationStore, "write", slow_write)
    monkeypatch.setattr(ConversationStore, "header_hash", asking)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        (conversation,) = at_alice.engine.reception.conversations.all()
        await conversation.journal.settled()
        held.add(id(conversation.journal.store))
        monkeypatch.setattr(Journal, "read", reading)
        sending = asyncio.create_task(at_alice.engine.send("three"))
        async with asyncio.timeout(SAFETY_SECONDS):
            await writing.wait()
            await at_bob.engine.send("two")
            await looking.wait()
        for _ in range(100):
            await asyncio.sleep(0)
        free.set()
        await sending
        assert (await at_alice.until(Message)).text == "two"
    assert asked == [(False, False)]
