"""A history that turns out to be damaged while it is destroyed: its conversation begins anew."""

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest
from chat_people import Face, opened, person, secured
from stored_contacts import store_key

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    Delivered,
    Error,
    Gate,
    Message,
    Notice,
    Queued,
    Secure,
)
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.journal import Journal
from securechat_tui.chat.shelf import Shelf
from securechat_tui.network import backoff
from securechat_tui.storage.database import Database
from securechat_tui.storage.errors import DamagedConversation
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Change
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

pytestmark = pytest.mark.usefixtures("quick_keys")
PAGE = 4096


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)


def conversation_of(face: Face) -> str:
    (view,) = face.engine.overview()
    return view.id


async def texts(face: Face) -> list[str]:
    return [one.text for one in (await face.engine.history(conversation_of(face))).messages]


def says(text: str, message: Message) -> bool:
    return message.text == text


async def spoke(author: Face, reader: Face, *said: str) -> None:
    for text in said:
        await author.engine.send(text)
    for text in said:
        await reader.until(Message, partial(says, text))
    await author.until_many(len(said), Delivered)


def damage(profile: Profile) -> None:
    """Change a page of the conversation that is read when it is wiped, and not when it is opened."""
    (path,) = profile.conversations_folder.glob("*.db")
    whole = path.read_bytes()
    for place in range(PAGE // 2, len(whole), PAGE):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        if opens(profile) and not can_be_handed_on(profile, path.with_name("elsewhere")):
            return
    pytest.fail("there is no such page")


def opens(profile: Profile) -> bool:
    with profile, Store(profile, store_key(profile)) as store:
        (known,) = store.conversations()
        try:
            Shelf.load(store.conversation(known.id, known.peer))
        except DamagedConversation:
            return False
    return True


def can_be_handed_on(profile: Profile, target: Path) -> bool:
    target.unlink(missing_ok=True)
    with profile, Store(profile, store_key(profile)) as store:
        (known,) = store.conversations()
        new = Database.create(target, bytes(32), store.conversation(known.id, known.peer)._database._schema)
        try:
            store.conversation(known.id, known.peer).copy_positions(new)
        except DamagedConversation:
            return False
        finally:
            new.close()
            target.unlink()
    return True


async def test_a_damaged_history_is_destroyed_in_the_middle_of_a_session() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, *(f"mine {number}" for number in range(60)))
        await spoke(at_bob, at_alice, "theirs")
    damage(alice)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        at_alice.forget()
        at_bob.forget()
        await at_alice.engine.wipe(conversation_of(at_alice))
        assert "begins anew" in (await at_alice.until(Notice)).message
        assert (await at_alice.until(Closed)).reason == "lost"
        assert (await at_bob.until(Gate)).reason == "resume", "bob's program holds more than alice's"
        assert await texts(at_alice) == []
        assert at_alice.all(Error) == []
        await at_bob.engine.resolve(Resolution.NEW_GENERATION)
        await asyncio.gather(at_alice.until(Secure), at_bob.until(Secure))
        await spoke(at_alice, at_bob, "after that")
        await spoke(at_bob, at_alice, "and on")
        assert await texts(at_alice) == ["after that", "and on"]
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "later")
        assert await texts(at_alice) == ["after that", "and on", "later"]
        assert at_alice.all(Gate) == at_bob.all(Gate) == []


def unreadable(self: ConversationStore, target: Database) -> None:
    del target
    raise DamagedConversation(path=self._database.path, reason="a page is another one")


async def test_what_waits_in_a_damaged_history_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one")
    async with opened(alice) as at_alice:
        here = conversation_of(at_alice)
        await at_alice.engine.send("two", conversation=here)
        with monkeypatch.context() as patched:
            patched.setattr(ConversationStore, "copy_positions", unreadable)
            await at_alice.engine.wipe(here)
        assert (await at_alice.until(Cancelled)).number == 2
        assert at_alice.engine.overview()[0].waiting == 0
        await at_alice.engine.send("three", conversation=here)
        assert (await at_alice.until_many(2, Queued))[-1].number == 1
        assert await texts(at_alice) == ["three"]
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host())
        await at_bob.until(Gate)
        await at_bob.engine.resolve(Resolution.NEW_GENERATION)
        await at_bob.until(Message, lambda one: one.text == "three")


async def test_what_is_written_while_a_damaged_history_goes_is_refused_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its number is one of the former generation, of which nothing may come into the new file."""
    alice, bob = person("alice"), person("bob")
    begun, may_end, both_noted = threading.Event(), threading.Event(), asyncio.Event()
    noted = list[Change]()
    note = Journal.note

    def slowly(self: ConversationStore, target: Database) -> None:
        begun.set()
        may_end.wait(10)
        unreadable(self, target)

    def counted(self: Journal, *changes: Change) -> None:
        note(self, *changes)
        noted.extend(changes)
        if len(noted) == 2:
            both_noted.set()

    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one")
        await at_bob.engine.leave()
        await at_alice.until(Closed)
        here = conversation_of(at_alice)
        monkeypatch.setattr(ConversationStore, "copy_positions", slowly)
        monkeypatch.setattr(Journal, "note", counted)
        wiping = asyncio.create_task(at_alice.engine.wipe(here))
        await asyncio.to_thread(begun.wait, 10)
        writing = asyncio.create_task(at_alice.engine.send("meanwhile", conversation=here))
        following = asyncio.create_task(at_alice.engine.send("and more", conversation=here))
        await asyncio.wait_for(both_noted.wait(), 10)
        may_end.set()
        await wiping
        for refused in (writing, following):
            with pytest.raises(CommandError, match="has been wiped meanwhile") as error:
                await refused
            assert error.value.code == "cannot-save"
        await at_alice.engine.send("afterwards", conversation=here)
        assert await texts(at_alice) == ["afterwards"]
    async with opened(alice) as at_alice:
        assert await texts(at_alice) == ["afterwards"]
        assert at_alice.engine.overview()[0].waiting == 1
