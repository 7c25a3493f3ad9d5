"""Faces that do not read, disks that are full, faults of our own: bounded, contained and told."""

import asyncio

import pytest
from chat_people import Face, contacts, opened, person, secured
from chat_raw import answering, call
from protocol_peers import hello

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import (
    Closed,
    Error,
    Message,
    Peer,
    Refused,
    Secure,
)
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.payloads import (
    Payload,
)
from securechat_tui.storage.errors import DiskFull, ProfileInUse
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust import pins as pins_module
from securechat_tui.trust.pins import Pins

pytestmark = pytest.mark.usefixtures("quick_keys")


# Faces that do not read.


async def test_a_face_that_does_not_read_stops_the_peer_and_bounds_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room, backlog, count = 32, 4, 300
    monkeypatch.setattr("securechat_tui.chat.stream._MANY", room)
    monkeypatch.setattr("securechat_tui.chat.encounter._BACKLOG", backlog)
    paused = asyncio.Event()
    pause_reading = Connection.pause_reading

    def pause(connection: Connection) -> None:
        pause_reading(connection)
        paused.set()

    monkeypatch.setattr(Connection, "pause_reading", pause)
    async with Engine(person("alice")) as engine:
        face = Face(engine)
        reading = asyncio.create_task(face.read())
        async with await call(await face.host(), "bob") as bob:
            await bob.open()
            await face.until(Secure)
            reading.cancel()
            texts = [f"{number:04}" + "x" * 32_000 for number in range(count)]
            bob.say_texts(*texts)
            await bob.flushed_or(paused)
            assert paused.is_set()
            (encounter,) = engine.reception.following._encounters.values()
            assert len(engine.stream._waiting) <= room + 2 * backlog
            assert encounter._waiting.qsize() <= backlog
            reading = asyncio.create_task(face.read())
            messages = await face.until_many(count, Message)
            assert [one.text for one in messages] == texts
        await engine.close()
        await reading


# Disks and programs that fail.


def full_disk(_store: object, _: Pins) -> None:
    raise DiskFull(path="index.db")


async def test_a_host_that_cannot_store_the_pin_has_met_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice:
        address = await at_alice.host()
        with monkeypatch.context() as broken:
            broken.setattr(Store, "keep_pins", full_disk)
            async with await call(address, "bob") as raw:
                await raw.until_closed()
                assert raw.payloads == []
            error = await at_alice.until(Error)
            assert error.code == "profile"
            assert "no space left" in error.message
            assert at_alice.all(Peer) == []
            assert at_alice.engine.contacts() == ()
            assert contacts(alice) == Pins()
        async with opened(bob) as at_bob:
            await secured(at_alice, at_bob, address)


async def test_a_guest_that_cannot_store_the_pin_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    bob = person("bob")
    monkeypatch.setattr(Store, "keep_pins", full_disk)
    async with opened(bob) as at_bob, answering() as desk:
        await at_bob.engine.join(desk.address)
        alice = await desk.next("alice")
        await alice.until_closed()
        assert alice.session.handshaking
        assert (await at_bob.until(Error)).code == "profile"
        assert at_bob.all(Peer) == []
        assert at_bob.all(Refused) == []
        assert at_bob.engine.contacts() == ()


async def test_a_name_that_cannot_be_stored_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.until(lambda: bool(bob.payloads))  # the host's HELLO: its pin is stored
        monkeypatch.setattr(Store, "keep_pins", full_disk)
        await bob.open()
        assert (await alice.until(Error)).code == "profile"
        bob.say_texts("all the same")
        assert (await alice.until(Message)).text == "all the same"


async def test_a_full_book_admits_no_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins_module, "MAX_CONTACTS", 0)
    async with opened(person("alice")) as alice:
        async with await call(await alice.host(), "bob") as bob:
            await bob.until_closed()
        assert "forget some" in (await alice.until(Error)).message
        assert alice.all(Peer) == []


async def test_a_fault_of_ours_ends_one_conversation_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Conversation, payload: Payload) -> None:
        raise RuntimeError(f"a fault with {type(payload).__name__}")

    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            with monkeypatch.context() as broken:
                broken.setattr(Conversation, "receive", fail)
                bob.say_texts("anything")
                assert (await alice.until(Closed)).reason == "lost"
                await bob.until_closed()
            assert [one.code for one in alice.all(Error)] == ["internal"]
            assert "anything" not in alice.all(Error)[0].message
        alice.forget()
        async with await call(address, "carol") as carol:
            await carol.open()
            carol.say_texts("the next one")
            assert (await alice.until(Message)).text == "the next one"


async def test_a_fault_of_ours_before_the_peer_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    async with opened(person("bob")) as bob, answering() as desk:
        monkeypatch.setattr(Conversation, "greeted", fail)
        await bob.engine.join(desk.address)
        alice = await desk.next("alice")
        await alice.established()
        alice.say(hello(alice))
        assert (await bob.until(Error)).code == "internal"
        assert (await bob.until(Refused)).reason == "handshake"
        await bob.engine.join(desk.address)


async def test_a_profile_has_one_engine() -> None:
    alice = person("alice")
    async with opened(alice):
        with pytest.raises(ProfileInUse):
            async with Engine(Profile.named("alice")):
                pass
    async with opened(Profile.named("alice")) as again:
        assert again.engine.identity is not None
