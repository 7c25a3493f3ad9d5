"""A network that fails at any byte of the handshake or of what follows it, in every way that it can.

Both come back after a cut, each with something to say, and the new connection is reset, truncated, stalled or
silenced in one direction when one side has written so many bytes. ``make soak-faults`` tries every byte.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chat_people import opened, person, secured
from cutting_proxy import wire_to
from driven_time import DrivenTime
from faulty_wire import KINDS, Fault, Kind, Mute, Trial

from securechat_tui.chat.events import Delivered, Message
from securechat_tui.network import backoff

pytestmark = pytest.mark.usefixtures("quick_keys")

SAMPLES = 8


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)


@asynccontextmanager
async def trial(time: DrivenTime) -> AsyncIterator[Trial]:
    async with (
        opened(person("alice")) as host,
        opened(person("bob")) as guest,
        wire_to(await host.host()) as wire,
    ):
        await secured(host, guest, wire.address)
        yield Trial(host, guest, wire, time)


@pytest.mark.parametrize("role", ["guest", "host"])
@pytest.mark.parametrize("kind", KINDS)
async def test_faults_spread_over_the_handshake(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, role: str
) -> None:
    async with trial(DrivenTime(monkeypatch)) as people:
        written = await people.handshake()
        length = written[role]
        for place in range(SAMPLES):
            at = 1 + place * (length - 1) // (SAMPLES - 1)
            assert await people.suffer(Fault(kind, role, at))
        people.check()


@pytest.mark.parametrize("role", ["guest", "host"])
@pytest.mark.parametrize("kind", KINDS)
async def test_faults_at_random_bytes_of_records(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, role: str
) -> None:
    chance = random.Random(f"{kind} {role}")  # noqa: S311 - the same bytes every time
    async with trial(DrivenTime(monkeypatch)) as people:
        handshake, written = await people.handshake(), await people.count()
        struck = 0
        for _ in range(SAMPLES):
            at = chance.randint(handshake[role] + 1, written[role])
            struck += await people.suffer(Fault(kind, role, at))
        assert struck > SAMPLES // 2
        people.check()


async def test_only_acknowledgements_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    time = DrivenTime(monkeypatch)
    async with trial(time) as people:
        host, guest = people.host, people.guest
        mute = await people.come_back(Mute())
        mute.silenced = "host"
        for number in range(3):
            await guest.engine.send(str(number))
        assert len(await host.until_many(3, Message)) == 3
        assert guest.all(Delivered) == []
        await people.wait_in_silence()
        assert [one.number for one in await guest.until_many(3, Delivered)] == [1, 2, 3]
        await guest.engine.send("3")
        await host.until_many(4, Message)
        assert [one.text for one in host.all(Message)] == ["0", "1", "2", "3"]
