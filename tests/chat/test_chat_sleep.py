"""Half-open connections, machines that sleep, hosts that restart, forged words on the way back, rekeys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from chat_people import Face, opened, person
from chat_raw import answering
from cutting_proxy import Untouched, Wire, wire_to
from driven_time import DrivenTime

from securechat_tui.chat.events import Closed, Delivered, Message, Notice, Refused, Rejected, Rekeyed, Secure
from securechat_tui.network import backoff
from securechat_tui.protocol import constants as c

pytestmark = pytest.mark.usefixtures("quick_keys")

HOURS = 5 * 3600.0
BURST = 300
FORGED_HINT = b"H\0\0\0\4\2\1\0\7"
"""A host that speaks version 7 alone."""


@dataclass
class Valve:
    """Swallows what the closed directions carry."""

    closed: set[str] = field(default_factory=set)

    def take(self, role: str, data: bytes) -> bytes:
        return b"" if role in self.closed else data


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)


@pytest.fixture
async def driven(monkeypatch: pytest.MonkeyPatch) -> DrivenTime:
    return DrivenTime(monkeypatch)


@asynccontextmanager
async def wired(valve: Valve) -> AsyncIterator[tuple[Face, Face, Wire]]:
    """Let alice and bob meet over a wire with a valve; later connections have none."""
    async with (
        opened(person("alice")) as alice,
        opened(person("bob")) as bob,
        wire_to(await alice.host()) as wire,
    ):
        wire.passage = lambda: valve
        await bob.engine.join(wire.address)
        await asyncio.gather(alice.until(Secure), bob.until(Secure))
        wire.passage = Untouched
        yield alice, bob, wire


async def both_say(alice: Face, bob: Face, *words: str) -> None:
    for word in words:
        for face in (alice, bob):
            await face.engine.send(word)


async def both_have_heard(alice: Face, bob: Face, *words: str) -> None:
    """Check that each has heard all of it, once, in order, and blames nobody."""
    for face in (alice, bob):
        heard = await face.until_many(len(words), Message)
        assert [message.text for message in heard] == list(words)
        await face.until_many(len(words), Delivered)
        assert not face.all(Rejected) + face.all(Refused)
        assert {closed.reason for closed in face.all(Closed)} <= {"lost"}


@pytest.mark.parametrize("silent", [{"guest"}, {"host"}, {"guest", "host"}], ids=["guest", "host", "both"])
async def test_a_half_open_connection_is_given_up_and_nothing_of_it_is_lost(
    driven: DrivenTime, silent: set[str]
) -> None:
    valve = Valve()
    async with wired(valve) as (alice, bob, _):
        await both_say(alice, bob, "before")
        await both_have_heard(alice, bob, "before")
        valve.closed |= silent
        await both_say(alice, bob, "into the void", "and on")
        driven.pass_by(46.0)
        await asyncio.gather(alice.until(Closed), bob.until(Closed))
        await both_have_heard(alice, bob, "before", "into the void", "and on")


async def test_hours_of_sleep_on_both_sides(driven: DrivenTime) -> None:
    """Clocks that run on: each finds the other gone; the guest comes back at once."""
    async with wired(Valve()) as (alice, bob, _):
        driven.pass_by(HOURS)
        await asyncio.gather(alice.until(Closed), bob.until(Closed))
        await both_say(alice, bob, "good morning")
        await both_have_heard(alice, bob, "good morning")
        assert not any(message.late for face in (alice, bob) for message in face.all(Message))


async def test_hours_of_sleep_that_the_loop_does_not_see(driven: DrivenTime) -> None:
    """Clocks that stand still, as on Linux: the session goes on, and what is said now is not late."""
    async with wired(Valve()) as (alice, bob, _):
        driven.sleep_unseen(HOURS)
        await both_say(alice, bob, "good morning")
        await both_have_heard(alice, bob, "good morning")
        assert not alice.all(Closed) + bob.all(Closed)
        assert not any(message.late for face in (alice, bob) for message in face.all(Message))


async def test_what_was_written_before_a_sleep_comes_after_it_and_late(driven: DrivenTime) -> None:
    valve = Valve({"never"})
    async with wired(valve) as (alice, bob, _):
        valve.closed |= {"guest", "host"}
        await both_say(alice, bob, "good night")
        driven.pass_by(HOURS)
        await both_have_heard(alice, bob, "good night")
        assert all(message.late for face in (alice, bob) for message in face.all(Message))


async def test_a_clock_that_is_set_back_loses_nothing(driven: DrivenTime) -> None:
    async with wired(Valve()) as (alice, bob, wire):
        driven.sleep_unseen(-HOURS)
        await both_say(alice, bob, "in the past")
        wire.cut()
        driven.sleep_unseen(3 * HOURS)
        await both_say(alice, bob, "in the future")
        await both_have_heard(alice, bob, "in the past", "in the future")


async def test_a_host_that_restarts_again_and_again_gets_what_waits_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has lost its memory each time: what was acknowledged before does not come again."""
    profile = person("alice")
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 3600.0)
    async with opened(person("bob")) as bob, opened(profile) as alice:
        address = await alice.host()
        async with wire_to(address) as wire:
            await bob.engine.join(wire.address)
            await bob.until(Secure)
            await bob.engine.send("0")
            await bob.until(Delivered)
            wire.cut()
            await bob.until(Closed)
            await alice.engine.close()
            for number in range(1, 4):
                await bob.engine.send(f"{number}")
                async with opened(profile) as again:
                    await again.engine.host(address)
                    await bob.engine.reconnect()
                    await bob.until_many(number + 1, Delivered)
                    wire.cut()
                    await bob.until_many(number + 1, Closed)
                    assert [message.text for message in again.all(Message)] == [str(number)]
            assert not bob.all(Refused)


async def test_a_forged_word_about_versions_does_not_keep_the_guest_from_coming_back() -> None:
    """Anybody on the path can say so; it counts for no more than a cut."""
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        raw.cut()
        for _ in range(3):
            await desk.speak(FORGED_HINT)
        again = await desk.next("alice")
        await again.open()
        await bob.until_many(2, Secure)
        assert not bob.all(Refused)
        assert any("claims to speak no version" in notice.message for notice in bob.all(Notice))


async def test_at_a_first_call_the_word_about_versions_is_told() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        await desk.speak(FORGED_HINT)
        assert (await bob.until(Refused)).reason == "version"


async def test_rekeys_during_a_burst_lose_nothing(
    driven: DrivenTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many signatures and ten seconds ask for one; messages of both sides are on the way meanwhile."""
    monkeypatch.setattr(c, "REKEY_SIGNATURES", 2)
    async with wired(Valve()) as (alice, bob, _):
        words = [str(number) for number in range(BURST)]
        for number, word in enumerate(words):
            await both_say(alice, bob, word)
            if number % 20 == 19:
                await asyncio.gather(*(face.until_many(number - 10, Message) for face in (alice, bob)))
                driven.pass_by(11.0)
        await both_have_heard(alice, bob, *words)
        await alice.until_many(len(bob.all(Rekeyed)), Rekeyed)
        rekeys = [[one.epoch for one in face.all(Rekeyed)] for face in (alice, bob)]
        assert rekeys[0] == rekeys[1] == list(range(1, len(rekeys[0]) + 1))
        assert len(rekeys[0]) >= 3
        assert not alice.all(Closed) + bob.all(Closed)
