"""What outlives the program, and what becomes of two accounts of one conversation that differ."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import Event as Signal

import pytest
from chat_people import Face, met, opened, person, secured
from chat_raw import call

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    Delivered,
    Error,
    Gate,
    History,
    Message,
    Queued,
    Secure,
    Sent,
)
from securechat_tui.chat.gates import Resolution
from securechat_tui.network import backoff
from securechat_tui.protocol.payloads import Acknowledgement
from securechat_tui.storage.database import Database
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Change, Receiving, Sending
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

pytestmark = pytest.mark.usefixtures("quick_keys")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)


def copied(profile: Profile, name: str) -> Profile:
    """A copy of a profile as it is on disk now, in the middle of whatever is going on."""
    copy = Profile.named(name)
    shutil.copytree(profile.folder, copy.folder, ignore=shutil.ignore_patterns("lock"))
    return copy


def conversation_of(face: Face) -> str:
    (view,) = face.engine.overview()
    return view.id


def texts(page: History) -> list[tuple[str, str, str]]:
    return [(one.by, one.text, one.tick) for one in page.messages]


async def test_what_waited_when_the_program_was_killed_arrives_once_and_in_order() -> None:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    async with opened(alice) as at_alice:
        here = conversation_of(at_alice)
        for number in range(10):
            await at_alice.engine.send(f"text {number}", conversation=here, ref=f"r{number}")
        killed = copied(alice, "killed")
    async with opened(killed) as again, opened(bob) as at_bob:
        assert again.engine.overview()[0].waiting == 10
        await secured(again, at_bob, await again.host())
        received = await at_bob.until_many(10, Message)
        assert [one.text for one in received] == [f"text {number}" for number in range(10)]
        assert [one.number for one in received] == [*range(1, 11)]
        assert all(one.checks.signed for one in received)
        await again.until_many(10, Delivered)
        assert [one.ref for one in again.all(Delivered)] == [f"r{number}" for number in range(10)]
        assert at_bob.all(Gate) == again.all(Gate) == []


async def test_the_conversation_of_yesterday_is_there_with_its_verdicts() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await at_bob.engine.send("from bob")
        told = await at_alice.until(Message)
        await at_alice.engine.send("from alice", signed=False)
        await at_bob.until(Message)
        await at_alice.until(Delivered)
    async with opened(alice) as again:
        here = conversation_of(again)
        page = await again.engine.history(here)
        assert page.complete
        assert texts(page) == [("peer", "from bob", ""), ("me", "from alice", "delivered")]
        first, second = page.messages
        assert (first.row, first.number, first.checks, first.trust) == (1, 1, told.checks, told.trust)
        assert (first.claimed, first.late, first.author) == (told.claimed, False, told.author)
        assert (second.row, second.checks.signed) == (2, False)
        (found,) = await again.engine.search("BOB")
        assert [one.row for one in found.messages] == [1]
        older = await again.engine.history(here, limit=1, before=2)
        assert (texts(older), older.complete) == ([("peer", "from bob", "")], True)
        assert again.engine.overview()[0].unread == 1
        await again.engine.mark_read(here)
        await again.engine.keep_draft(here, "half a tho")
    async with opened(alice) as later:
        view = later.engine.overview()[0]
        assert (view.unread, view.draft, view.live, view.waiting) == (0, "half a tho", False, 0)


class Held:
    """Every write of every store waits until the test lets it go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._write = ConversationStore.write
        self.failure: Exception | None = None
        self.failed = 0
        monkeypatch.setattr(ConversationStore, "write", self._instead())

    def _instead(self) -> object:
        def write(
            store: ConversationStore,
            changes: Sequence[Change],
            sending: Sending | None = None,
            receiving: Receiving | None = None,
        ) -> None:
            if self.failure is not None and changes:
                self.failed += 1
                raise self.failure
            self._write(store, changes, sending, receiving)

        return write


def full() -> DiskFull:
    return DiskFull(path=Path("history"))


async def test_on_a_full_disk_nothing_is_queued_and_it_goes_on_when_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        disk = Held(monkeypatch)
        for disk.failure in (full(), full(), RuntimeError("a fault of the program")):
            with pytest.raises(CommandError) as refused:
                await at_alice.engine.send("too much")
            assert refused.value.code == "cannot-save"
        assert at_alice.all(Queued) == []
        disk.failure = None
        await at_alice.engine.send("fits")
        message = await at_bob.until(Message)
        assert (message.number, message.text) == (1, "fits")
        await at_alice.until(Delivered)
    assert [one.text for one in at_bob.all(Message)] == ["fits"]


async def test_what_cannot_be_kept_is_neither_shown_nor_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice:
        address = await at_alice.host()
        async with await call(address, "bob") as raw:
            await raw.open()
            await at_alice.until(Secure)
            disk = Held(monkeypatch)
            disk.failure = full()
            raw.say_texts("one", "two")
            await raw.until_closed()
            assert not any(isinstance(one, Acknowledgement) for one in raw.payloads)
            closed = await at_alice.until(Closed)
            assert (closed.reason, closed.awaited) == ("lost", True)
            assert disk.failed
            assert at_alice.all(Message) == []
            assert (await at_alice.until(Error)).code == "cannot-save"
        disk.failure = None
        boxes = raw.boxes
        async with await call(address, "bob", secrets=(raw.secret, None)) as again:
            await again.open(boxes)
            again.say(*again.boxes.pour())
            await again.until(lambda: again.delivered() == 2)
            received = await at_alice.until_many(2, Message)
        assert [one.text for one in received] == ["one", "two"]
    del bob


async def test_two_programs_go_on_after_the_disk_of_one_was_full(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await at_bob.engine.send("before")
        await at_alice.until(Message)
        await at_bob.until(Delivered)
        disk = Held(monkeypatch)
        real = disk._write

        def only_alices(store: ConversationStore, *rest: object) -> None:
            is_alices = any(
                one.journal.store is store for one in at_alice.engine.reception.conversations.all()
            )
            if is_alices and disk.failure is not None:
                disk.failed += 1
                raise disk.failure
            real(store, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(ConversationStore, "write", only_alices)
        disk.failure = full()
        for number in range(5):
            await at_bob.engine.send(f"text {number}")
        await at_alice.until_many(3, Error)
        assert len(at_alice.all(Message)) == 1
        disk.failure = None
        received = await at_alice.until_many(6, Message)
        assert [one.text for one in received] == ["before", *(f"text {number}" for number in range(5))]
        await at_bob.until_many(6, Delivered)
    assert len(at_alice.all(Message)) == 6
    assert at_alice.all(Gate) == at_bob.all(Gate) == []


# An old copy, a lost history.


async def spoke(host: Face, guest: Face, *words: str) -> None:
    """Let the host say words, each delivered before the next."""
    for word in words:
        host.forget()
        await host.engine.send(word)
        await host.until(Delivered)
    await guest.until(Message, lambda one: one.text == words[-1])


@pytest.mark.parametrize("choice", [Resolution.RESEND, Resolution.NEW_GENERATION], ids=str)
async def test_an_old_copy_is_noticed_at_both_ends_and_they_can_go_on(choice: Resolution) -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one")
        await spoke(at_bob, at_alice, "first")
        (kept,) = at_bob.engine.reception.conversations.all()
        await kept.journal.commit()  # that the first has arrived
        old = copied(bob, "restored")
        await spoke(at_alice, at_bob, "two", "three")
        await spoke(at_bob, at_alice, "second")
    async with opened(alice) as at_alice, opened(old) as at_bob:
        await at_bob.engine.join(await at_alice.host())
        gates = await asyncio.gather(at_alice.until(Gate), at_bob.until(Gate))
        assert [one.reason for one in gates] == ["resume", "resume"]
        for face in (at_alice, at_bob):
            with pytest.raises(CommandError, match="decided"):
                await face.engine.send("not before a person has decided")
        await at_alice.engine.resolve(choice)
        await at_bob.engine.resolve(choice)
        await asyncio.gather(at_alice.until(Secure), at_bob.until(Secure))
        await at_alice.engine.send("anew")
        await at_bob.until(Message, lambda one: one.text == "anew")
        await at_bob.engine.send("here too")
        await at_alice.until(Message, lambda one: one.text == "here too")
        again = ["two", "three"] if choice is Resolution.RESEND else []
        assert [one.text for one in at_bob.all(Message)] == [*again, "anew"]
        assert [one.text for one in at_alice.all(Message)] == ["here too"]
    async with opened(alice) as at_alice, opened(old) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "and again")
        assert at_alice.all(Gate) == at_bob.all(Gate) == []


async def test_a_lost_history_is_noticed_by_the_one_who_still_has_it() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one", "two")
        await spoke(at_bob, at_alice, "first")
    bob.index_path.unlink()
    shutil.rmtree(bob.conversations_folder)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_alice.engine.send("three", conversation=conversation_of(at_alice))
        await at_bob.engine.join(await at_alice.host())
        assert (await at_alice.until(Gate)).reason == "resume"
        await at_alice.engine.resolve(Resolution.RESEND)
        received = await at_bob.until_many(3, Message)
        assert [(one.number, one.text) for one in received] == [(1, "one"), (2, "two"), (3, "three")]
        assert at_bob.all(Gate) == []
        kept = await at_alice.engine.history(conversation_of(at_alice))
        own = [one.text for one in kept.messages if one.by == "me"]
        assert own == ["one", "two", "one", "two", "three"]


async def test_a_person_may_leave_two_accounts_undecided() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one")
    bob.index_path.unlink()
    shutil.rmtree(bob.conversations_folder)
    for _ in range(2):
        async with opened(alice) as at_alice, opened(bob) as at_bob:
            await at_bob.engine.join(await at_alice.host())
            await at_alice.until(Gate)
            await at_alice.engine.leave()
            await at_alice.until(Closed, lambda one: one.reason == "goodbye")
            assert at_alice.all(Secure) == []


# Wiping.


async def test_a_wiped_conversation_goes_on_where_it_was() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one")
        await spoke(at_bob, at_alice, "first")
        await at_alice.engine.wipe(conversation_of(at_alice))
        assert (await at_alice.engine.history(conversation_of(at_alice))).messages == ()
        at_bob.forget()
        await spoke(at_alice, at_bob, "two")
        assert (await at_bob.until(Message)).number == 2
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.send("for later", conversation=conversation_of(at_bob))
        await at_alice.engine.send("never sent", conversation=conversation_of(at_alice))
        await at_alice.engine.wipe(conversation_of(at_alice))
        assert at_alice.engine.overview()[0].waiting == 0
        await secured(at_alice, at_bob, await at_alice.host())
        await at_alice.until(Message, lambda one: one.text == "for later")
        await spoke(at_alice, at_bob, "three")
        assert [(one.number, one.text) for one in at_bob.all(Message)] == [(4, "three")]
        assert at_alice.all(Gate) == at_bob.all(Gate) == []


async def test_a_wipe_whose_asker_has_gone_ends_before_anything_else_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = person("alice"), person("bob")
    copied, may_end = Signal(), Signal()
    copy_positions = ConversationStore.copy_positions

    def slowly(self: ConversationStore, target: Database) -> None:
        copy_positions(self, target)
        copied.set()
        may_end.wait(10)

    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await spoke(at_alice, at_bob, "one")
        monkeypatch.setattr(ConversationStore, "copy_positions", slowly)
        wiping = asyncio.create_task(at_bob.engine.wipe(conversation_of(at_bob)))
        await asyncio.to_thread(copied.wait, 10)
        wiping.cancel()
        await asyncio.wait({wiping})
        await at_alice.engine.send("two")
        await at_alice.until(Sent, lambda told: told.number == 2)
        await threads_have_had_a_turn()
        may_end.set()
        await at_alice.until(Delivered, lambda told: told.number == 2)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        kept = await at_bob.engine.history(conversation_of(at_bob))
        assert [one.text for one in kept.messages] == ["two"]


async def test_a_wipe_whose_asker_has_gone_is_told_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    begun, may_end = Signal(), Signal()
    wipe = Store.wipe

    def slowly(self: Store, number: bytes) -> bool:
        begun.set()
        may_end.wait(10)
        return wipe(self, number)

    monkeypatch.setattr(Store, "wipe", slowly)
    async with opened(alice) as at_alice:
        await at_alice.engine.send("never sent", conversation=conversation_of(at_alice))
        wiping = asyncio.create_task(at_alice.engine.wipe(conversation_of(at_alice)))
        await asyncio.to_thread(begun.wait, 10)
        wiping.cancel()
        await asyncio.wait({wiping})
        may_end.set()
        await at_alice.until(Cancelled)
        assert at_alice.engine.overview()[0].waiting == 0


async def threads_have_had_a_turn() -> None:
    """Let whatever has been handed to a thread run, unless it waits."""
    for _ in range(20):
        await asyncio.to_thread(int)
