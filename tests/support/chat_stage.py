"""A conversation without network: what it writes to disk and says is in the test's hands."""

import asyncio
from collections.abc import Sequence, Set
from threading import Event as Signal
from typing import Self, cast

import pytest
from chat_boxes import Boxes, Forgetful
from protocol_peers import identity_key

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.events import Message, Queued
from securechat_tui.chat.shelf import Marks, Shelf
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.turns import Turns
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.order import PayloadOrder
from securechat_tui.protocol.payloads import Hello, HelloFlag, Payload
from securechat_tui.protocol.signing import conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Change, Receiving, Sending
from securechat_tui.storage.messages import Queued as Kept
from securechat_tui.storage.store import Store
from securechat_tui.trust.states import Trust


class Disk(Forgetful):
    """A store that writes when it is let, and fails when it is told to."""

    def __init__(self) -> None:
        self.free = Signal()
        self.free.set()
        self.full = False
        self.salts: list[bytes] = []
        self.writes = 0

    def write(self, changes: Sequence[Change], sending: Sending | None, receiving: Receiving | None) -> None:
        self.free.wait(10)
        self.writes += 1
        if self.full:
            raise DiskFull(path="kept", reason="full")
        self.salts += [one.salt for one in changes if isinstance(one, Kept)]

    def salts_among(self, salts: Set[bytes]) -> set[bytes]:
        return set(self.salts) & salts


class Wire:
    """A session that holds what is said in it to the order of payloads."""

    def __init__(self) -> None:
        self.said: list[Payload] = []
        self.news = asyncio.Event()
        self.closed = False
        self.writable = True
        self.session = self
        self._order = PayloadOrder()

    def send(self, payload: Payload, _now: object) -> None:
        self._order.sending(payload)
        self.said.append(payload)
        self.news.set()

    def flush(self) -> None:
        pass

    def hears(self, payload: Payload) -> None:
        self._order.receiving(payload)

    @property
    def connection(self) -> Connection:
        return cast("Connection", self)


class Stage:
    """Alice's conversation with bob, and bob's boxes."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        """``shelf`` is that of a real store."""
        alice, bob = identity_key("alice"), identity_key("bob")
        self.disk, self.stream = Disk(), EventStream()
        shelf = shelf or Shelf(cast("ConversationStore", self.disk), None, None, 1, (), Marks())
        self.conversation = Conversation(
            alice, bob.public, shelf, self.stream, asyncio.Event(), turns=Turns()
        )
        self.bob = Boxes(bob, alice.public)

    @classmethod
    def on_disk(cls, store: Store) -> Self:
        """Return one whose conversation is really kept."""
        alice, bob = (identity_key(name).public for name in ("alice", "bob"))
        number = conversation_id(alice.fingerprint, bob.fingerprint)
        return cls(Shelf.load(store.conversation(number, bob.spki)))

    def attach(self, gate: str = "") -> Wire:
        """Begin a session, in the place of whichever stands."""
        wire = Wire()
        self.conversation.detach()
        self.conversation.attach(wire.connection, "alice", Trust.PINNED, gate)
        return wire

    def greet(self, wire: Wire) -> None:
        greeting = Hello(SafeText.name("bob"), 0, HelloFlag(0))
        wire.hears(greeting)
        self.conversation.greeted(greeting, self.conversation.name, 0)

    async def resume(self, wire: Wire) -> None:
        word = self.bob.resume()
        wire.hears(word)
        await self.conversation.resumed(word)

    async def secure(self) -> Wire:
        wire = self.attach()
        self.greet(wire)
        await self.conversation.open_gate()
        self.bob.inbox.announce(self.conversation.outbox.generation)
        await self.resume(wire)
        return wire

    def say(self, wire: Wire, text: str) -> None:
        """Let bob say something in a session."""
        for payload in self._words(wire, text):
            self.receive(payload)

    async def say_again(self, wire: Wire, text: str) -> None:
        """The same where something of it is looked up."""
        for payload in self._words(wire, text):
            await self.conversation.receive(payload)

    def _words(self, wire: Wire, text: str) -> list[Payload]:
        self.bob.write(text)
        said = self.bob.pour()
        for payload in said:
            wire.hears(payload)
        return said

    def receive(self, payload: Payload) -> None:
        """Take something for which nothing has to be looked up."""
        with pytest.raises(StopIteration):
            self.conversation.receive(payload).send(None)

    def shown(self) -> list[str]:
        return [one.text for one in self.stream._waiting if isinstance(one, Message)]

    def queued(self) -> list[str]:
        return [one.text for one in self.stream._waiting if isinstance(one, Queued)]


async def at_once() -> None:
    """There is room in the face."""
