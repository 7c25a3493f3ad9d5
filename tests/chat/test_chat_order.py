"""Texts arrive in the order in which they were given, whoever was known when, whatever came between."""

import asyncio
import re
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from chat_boxes import Boxes
from chat_people import Face, key_of, opened, person, secured, talking
from chat_raw import RawPeer, answering, call
from failing_disk import FailingDisk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from securechat_tui.chat import requests
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Closed, Error, Event, Gate, Message, Peer, Queued, Secure
from securechat_tui.chat.gates import Resolution
from securechat_tui.network import backoff
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.profile import HOME_VARIABLE, Profile

pytestmark = pytest.mark.usefixtures("quick_keys")

GUESTS = ("bob", "carol")

E = TypeVar("E", bound=Event)
Steps = list[tuple[str, str]]


async def test_what_is_given_while_a_contact_is_called_arrives_before_what_is_given_when_it_is_here() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (host, guest):
        await guest.engine.send("they have talked")
        await host.until(Message)
    async with opened(alice) as host, opened(bob) as guest:
        await guest.engine.join(await host.host())
        await guest.engine.send("while it is called")
        await guest.until(Peer)
        await guest.engine.send("when it is here")
        got = await host.until_many(2, Message)
    assert [one.text for one in got] == ["while it is called", "when it is here"]


async def test_what_is_given_while_much_is_poured_arrives_after_it() -> None:
    texts = [str(number) for number in range(500)]
    async with opened(person("alice")) as host, opened(person("bob")) as guest:
        await guest.engine.join(await host.host())
        for text in texts[:400]:
            await guest.engine.send(text)
        await guest.until(Secure)
        for text in texts[400:]:
            await guest.engine.send(text)
        got = await host.until_many(len(texts), Message)
    assert [one.text for one in got] == texts


async def test_what_waits_for_somebody_who_never_says_a_name_is_told_as_not_sent() -> None:
    other, own = sorted(("alice", "bob"), key=key_of)  # of two crossing calls that of the lower key stays
    async with opened(person(own)) as here, answering() as desk:
        await here.host()
        await here.engine.join(desk.address)
        await here.engine.send("for whoever answers")
        answered = await desk.next(other)
        await answered.established()
        async with await call(here.address, other) as calling:
            await calling.established()
            await answered.until_closed()
        assert "1 message" in (await here.until(Error)).message
        assert await here.engine.flush(0) == 0


async def contacts_of_each_other() -> tuple[Profile, Profile, str, str]:
    """Let two people talk; return them, the guest's conversation and where the host has been."""
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (host, guest):
        return alice, bob, guest.engine.overview()[0].id, host.address


@asynccontextmanager
async def silent(address: str) -> AsyncIterator[None]:
    """Let a machine answer at an address where no program speaks."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), *address.rsplit(":", 1))
    try:
        yield
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def queued(face: Face, count: int) -> list[str]:
    return [one.text for one in await face.until_many(count, Queued)]


async def waiting_on_disk(profile: Profile, conversation: str) -> list[str]:
    async with opened(profile) as again:
        page = await again.engine.history(conversation)
    return [one.text for one in page.messages if one.tick == "queued"]


async def test_what_is_given_to_a_contact_who_stands_at_a_gate_is_on_disk_at_once() -> None:
    alice, bob, conversation, _ = await contacts_of_each_other()
    with bob:
        save_config(bob, Config(name="bob", require_signatures=True))
    async with opened(alice) as host, opened(bob) as guest:
        await host.engine.send("unsigned", conversation=conversation, signed=False)
        await guest.engine.join(await host.host())
        await guest.engine.send("a")
        await host.until(Gate)
        await guest.until(Peer)
        for text in "bcd":
            await guest.engine.send(text, conversation=conversation)
        assert not guest.all(Queued), "that is told when messages flow, or the session is over"
        await host.engine.close()
        assert await queued(guest, 4) == list("abcd")
        assert not guest.all(Secure)
    assert await waiting_on_disk(bob, conversation) == list("abcd")


async def test_what_is_given_to_a_contact_before_messages_flow_is_told_as_queued_when_they_do() -> None:
    alice, bob, conversation, _ = await contacts_of_each_other()
    async with opened(alice) as host, opened(bob) as guest:
        await guest.engine.join(await host.host())
        await guest.engine.send("a")
        await guest.until(Peer)
        await guest.engine.send("b", conversation=conversation)
        assert await queued(guest, 2) == ["a", "b"]
        assert guest.order(Secure, Queued) == ["Secure", "Queued", "Queued"]


async def test_what_is_given_while_a_contact_is_called_is_on_disk_once_it_is_to_be_talked_with() -> None:
    _, bob, conversation, address = await contacts_of_each_other()
    async with silent(address), opened(bob) as guest:
        await guest.engine.join("alice")
        await guest.engine.send("a")
        await guest.engine.talk("alice", "127.0.0.1:0")
        await guest.engine.send("b", conversation=conversation)
        assert await queued(guest, 2) == ["a", "b"]
    assert await waiting_on_disk(bob, conversation) == ["a", "b"]


@pytest.mark.parametrize("is_named", [True, False])
async def test_what_is_given_for_a_call_stays_before_what_is_given_for_its_conversation(
    is_named: bool,
) -> None:
    _, bob, conversation, address = await contacts_of_each_other()
    async with silent(address), opened(bob) as guest:
        await guest.engine.join("alice" if is_named else address)
        await guest.engine.send("a")
        await guest.engine.send("b", conversation=conversation)
        await guest.engine.send("c")
        await guest.engine.send("d", conversation=conversation)
        assert await queued(guest, 4) == list("abcd")


async def test_what_is_given_for_a_stranger_who_is_called_goes_to_no_contact() -> None:
    _, bob, conversation, address = await contacts_of_each_other()
    async with silent(address), opened(bob) as guest:
        await guest.engine.join(address, new=True)
        await guest.engine.send("a")
        await guest.engine.send("b", conversation=conversation)
        assert await queued(guest, 1) == ["b"]


async def test_what_could_not_be_kept_waits_and_is_kept_before_what_is_given_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, bob, conversation, address = await contacts_of_each_other()
    disk = FailingDisk(monkeypatch, bob.conversations_folder)
    async with silent(address), opened(bob) as guest:
        await guest.engine.join("alice")
        await guest.engine.send("a")
        disk.fail("full", 1)
        await guest.engine.send("b", conversation=conversation)
        assert (await guest.until(Error)).code == "cannot-save"
        assert not guest.all(Queued)
        await guest.engine.send("c", conversation=conversation)
        assert await queued(guest, 3) == ["a", "b", "c"]


async def test_unsigned_texts_for_a_contact_who_takes_none_are_decided_about_before_they_are_kept() -> None:
    alice, bob, _, _ = await contacts_of_each_other()
    with alice:
        save_config(alice, Config(name="alice", require_signatures=True))
    async with opened(alice) as host, opened(bob) as guest:
        await guest.engine.join(await host.host())
        await guest.engine.send("a", signed=False)
        assert (await guest.until(Gate)).reason == "unsigned"
        assert not guest.all(Queued)
        await guest.engine.resolve(Resolution.SIGN)
        assert (await host.until(Message)).text == "a"


async def test_what_waits_behind_an_unsigned_text_for_a_contact_who_takes_none_waits_for_the_gate() -> None:
    alice, bob = person("alice"), person("bob")
    with alice:
        save_config(alice, Config(name="alice", require_signatures=True))
    async with opened(bob) as guest:
        async with opened(alice) as host:
            await secured(host, guest, await host.host())
            await guest.engine.leave()
        (view,) = guest.engine.overview()
        async with silent(host.address):
            await guest.engine.join("alice")
            await guest.engine.send("a", signed=False)
            await guest.engine.send("b", conversation=view.id)
            assert guest.engine.overview()[0].waiting == 0
            assert await guest.engine.flush(0) == 2


async def test_what_is_given_before_a_first_meeting_is_queued_when_messages_flow() -> None:
    async with opened(person("alice")) as host:
        async with await call(await host.host(), "bob") as raw:
            await host.engine.send("a")
            await raw.greet()
            peer = await host.until(Peer)
            await host.engine.send("b", conversation=peer.conversation)
            assert host.engine.overview()[0].waiting == 0
            await raw.agree()
            assert await queued(host, 2) == ["a", "b"]
        assert host.order(Peer, Secure, Queued) == ["Peer", "Secure", "Queued", "Queued"]


class Schedule:
    """A host whose guests come, agree and go as the test says, and what it was given for them.

    Texts are numbers: each guest must read an ascending row of them.
    """

    def __init__(self, host: Face, disk: FailingDisk, boxes: dict[str, Boxes]) -> None:
        """``boxes`` are those of guests who have talked with the host in an earlier run."""
        self.host, self._disk = host, disk
        self.accepted = 0
        self.arrived: dict[str, list[int]] = defaultdict(list)
        self._count = 0
        self._giving: list[asyncio.Task[None]] = []
        self._here: dict[str, RawPeer] = {}
        self._secure: set[str] = set()
        self._boxes = dict(boxes)
        self._ids: dict[str, str] = {}

    async def do(self, step: str, name: str) -> None:
        """Take a step; one that is not possible now is none."""
        await getattr(self, step)(name)

    # What the host's person does.

    async def give(self, name: str) -> None:
        """Give a text for a guest by its name, where it has one."""
        self._give(self._ids.get(name))
        await self._heard()

    async def give_many(self, _: str) -> None:
        """Give more than one signature covers, to whoever is meant where nobody is named."""
        for _number in range(150):
            self._give(None)
        await self._heard()

    def _give(self, conversation: str | None) -> None:
        self._count += 1
        self._giving.append(asyncio.create_task(self._send(str(self._count), conversation)))

    async def _send(self, text: str, conversation: str | None) -> None:
        try:
            await self.host.engine.send(text, conversation=conversation)
        except CommandError:
            return
        self.accepted += 1

    async def _heard(self) -> None:
        """Let the texts be taken; wait for the answers and what follows, unless the disk waits."""
        await asyncio.sleep(0)
        if self._disk.free.is_set():
            await asyncio.gather(*self._giving)
            self._giving.clear()
            await self._poured()

    async def leave(self, name: str) -> None:
        """Part from a guest at once, also before messages flow."""
        if name in self._here and self._is_sound:
            await self.host.engine.leave(self._ids[name])
            await self._here[name].until_closed()
            await self._gone(name)

    # The disk.

    async def hold_disk(self, _: str) -> None:
        self._disk.free.clear()

    async def free_disk(self, _: str) -> None:
        self._disk.free.set()
        await self._heard()

    async def _poured(self) -> None:
        """Wait until what was held is on disk; where it could not be kept the session is over."""
        for name in list(self._here):
            conversation = self._conversation(name)
            await conversation.journal.settled()
            if conversation.standing_connection() is None:
                await self._gone(name)

    async def fill_disk(self, _: str) -> None:
        """Nothing can be written from here on; what waits fails."""
        self._disk.fail("full", 1, 10**6)

    async def heal_disk(self, _: str) -> None:
        self._disk.heal()

    # The guests.

    async def come(self, name: str) -> None:
        """Let a guest say its name: from then on it is known whom texts are for."""
        is_open = name in self._ids and self._conversation(name).outbox.is_kept
        if name in self._here or not (is_open or self._is_sound):
            return
        raw = self._here[name] = await call(self.host.address, name)
        await raw.greet(self._boxes.get(name))
        self._boxes[name] = raw.boxes
        fingerprint = str(raw.key.public.fingerprint)
        peer = await self._news(Peer, lambda told: told.fingerprint == fingerprint)
        self._ids[name] = peer.conversation
        await self._heard()

    async def agree(self, name: str) -> None:
        """Let messages flow; what was held is poured."""
        if name not in self._here or name in self._secure:
            return
        await self._here[name].agree()
        await self._news(Secure, lambda told: told.conversation == self._ids[name])
        self._secure.add(name)
        await self._heard()

    async def agree_slowly(self, name: str) -> None:
        """Let messages flow, and the disk take its time for what is poured."""
        if name in self._here and name not in self._secure:
            self._disk.free.clear()
            await self.agree(name)

    async def cut(self, name: str) -> None:
        if name in self._here and self._disk.free.is_set():
            self._here[name].cut()
            await self._gone(name)

    async def _gone(self, name: str) -> None:
        await self._news(Closed, lambda told: told.conversation == self._ids[name])
        await self._here.pop(name).__aexit__()
        self._secure.discard(name)

    async def _news(self, kind: type[E], where: Callable[[E], bool]) -> E:
        found = await self.host.until(kind, where)
        self.host.seen.remove(found)
        return found

    def _conversation(self, name: str) -> Conversation:
        found = self.host.engine.reception.conversations.by_id(self._ids[name])
        assert found is not None
        return found

    @property
    def _is_sound(self) -> bool:
        return self._disk.free.is_set() and not self._disk.is_failing

    # The end.

    async def end(self) -> dict[str, Boxes]:
        """Let every guest come, and read everything; return what they have of their conversations."""
        await self.free_disk("")
        self._disk.heal()
        for name in GUESTS:
            await self.come(name)
            await self.agree(name)
            await self._read(name)
        return self._boxes

    async def close(self) -> None:
        for raw in self._here.values():
            await raw.__aexit__()

    async def _read(self, name: str) -> None:
        conversation, raw = self._conversation(name), self._here[name]
        await conversation.journal.settled()
        while raw.boxes.inbox.high < conversation.outbox.position.last:
            await raw.until(lambda: bool(raw.payloads))
            assert not raw.session.closed, raw.ended
            self.arrived[name] += map(int, raw.read_messages())

    @property
    def lost(self) -> int:
        """How many texts their author was told were not sent, after they had been taken."""
        told = [one.message for one in self.host.all(Error) if one.code == "not-sent"]
        return sum(int(found[0]) for one in told if (found := re.search(r"\d+", one)))


STEPS = {
    "give": 6,
    "give_many": 2,
    "come": 4,
    "agree": 3,
    "agree_slowly": 3,
    "cut": 2,
    "leave": 1,
    "hold_disk": 1,
    "free_disk": 2,
    "fill_disk": 1,
    "heal_disk": 2,
}
steps = st.sampled_from([step for step, often in STEPS.items() for _ in range(often)])
schedules = st.lists(st.tuples(steps, st.sampled_from(GUESTS)), max_size=25)


async def arrive_in_order(host: Face, disk: FailingDisk, boxes: dict[str, Boxes], schedule: Steps) -> None:
    told = Schedule(host, disk, boxes)
    try:
        for step, name in schedule:
            await told.do(step, name)
        boxes.update(await told.end())
    finally:
        disk.free.set()
        await told.close()
    for texts in told.arrived.values():
        assert texts == sorted(set(texts))
    assert sum(map(len, told.arrived.values())) == told.accepted - told.lost


async def play(*runs: Steps) -> None:
    """Play one schedule in each run of the host's program."""
    boxes: dict[str, Boxes] = {}
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.setenv(HOME_VARIABLE, f"{home}/home")
        patch.setattr(backoff, "FIRST_PAUSE", 0.0)
        patch.setattr(requests, "_LEAVE_SECONDS", 0.0)
        alice = person("alice")
        disk = FailingDisk(patch, alice.conversations_folder)
        for schedule in runs:
            async with opened(alice) as host:
                await host.host()
                await arrive_in_order(host, disk, boxes, schedule)


@given(schedules, schedules)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_comes_between_texts_arrive_in_the_order_in_which_they_were_given(
    strangers: Steps, contacts: Steps
) -> None:
    asyncio.run(play(strangers, contacts))
