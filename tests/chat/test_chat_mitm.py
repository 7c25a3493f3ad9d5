"""A man in the middle on the wire between two engines: he achieves a cut, and everything arrives once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain, product, repeat

import pytest
from chat_people import SAFETY_SECONDS, Face, opened, person
from cutting_proxy import Passage, Untouched, Wire, wire_to
from driven_time import DrivenTime
from man_in_the_middle import NAMES, ROLES
from meddling import Cutting, Deed, Flip, Instead, Stall, Swap
from meddling_wire import Meddled, Recorder

from securechat_tui.chat.events import Closed, Error, Message, Refused, Rejected, Secure
from securechat_tui.network import backoff

pytestmark = pytest.mark.usefixtures("quick_keys")

DEAD = 46.0
"""Seconds after which whoever waits in vain has given up."""
PATIENCE = [0.05 * 2**step for step in range(8)]
"""Real seconds to wait for what comes by itself before time is moved; growing, for slow machines."""
Make = Callable[[str, int], Deed]
DEEDS: dict[str, Make] = {
    "flip": lambda role, index: Flip(role, index, 8 * 20 + 3),
    "flip-type": lambda role, index: Flip(role, index, 6),
    "flip-length": lambda role, index: Flip(role, index, 8 * 3),
    "drop": lambda role, index: Instead(role, index, ()),
    "insert": lambda role, index: Instead(role, index, (b"M\0\0\1\x14" + bytes(276),)),
    "cut": lambda role, index: Cutting(role, index, 21),
    "swap": Swap,
    "stall": lambda role, index: Stall(role, index, both=False),
}
LENGTHS = {"guest": 9, "host": 8}
"""So many frames of each side are sure to come: up to its first message."""


def first(passage: Passage) -> Callable[[], Passage]:
    """Put something into the next connection alone."""
    return chain([passage], repeat(Untouched())).__next__


@dataclass
class Talk:
    """Two engines, the wire between them, and what they should have heard."""

    host: Face
    guest: Face
    wire: Wire
    time: DrivenTime
    rounds: int = 0

    @property
    def faces(self) -> tuple[Face, Face]:
        return self.host, self.guest

    async def say(self) -> None:
        """Let each side say one thing more."""
        self.rounds += 1
        for face in self.faces:
            await face.engine.send(f"{self.rounds}")

    async def meddle(self, make: Make, role: str, index: int) -> None:
        """Disturb the first connection that comes so far, and leave them alone after it."""
        over = asyncio.Event()
        self.wire.passage = lambda: (
            Untouched() if over.is_set() else Meddled(make(role, index), role, index, over)
        )
        self.wire.cut()
        await self.say()
        async with asyncio.timeout(SAFETY_SECONDS):
            await over.wait()
        await self.say()
        await self.settled()

    async def settled(self) -> None:
        """Wait until everything has arrived; where nothing more comes, let the two give up waiting."""
        for patience in PATIENCE:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self.heard()
                    return
            self.time.pass_by(DEAD)
        await self.heard()

    async def heard(self) -> None:
        """Wait until everything has arrived, and check that it did so once and in order."""
        for face in self.faces:
            await face.until_many(self.rounds, Message)
        expected = [str(number + 1) for number in range(self.rounds)]
        for face in self.faces:
            assert [message.text for message in face.all(Message)] == expected
            assert not face.all(Rejected) + face.all(Refused) + face.all(Error)
        secrets = [
            {secret for contact in face.engine.account.pins.contacts for secret in contact.secrets}
            for face in self.faces
        ]
        assert secrets[0] & secrets[1], "they would not recognise each other next time"


@asynccontextmanager
async def talk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talk]:
    """Let two engines meet over a wire."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)
    driven = DrivenTime(monkeypatch)
    async with (
        opened(person("alice")) as alice,
        opened(person("bob")) as bob,
        wire_to(await alice.host()) as wire,
    ):
        await bob.engine.join(wire.address)
        await asyncio.gather(alice.until(Secure), bob.until(Secure))
        yield Talk(alice, bob, wire, driven)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", DEEDS)
async def test_whatever_he_does_to_one_frame_everything_arrives_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch, what: str, role: str
) -> None:
    async with talk(monkeypatch) as words:
        for index in range(LENGTHS[role]):
            await words.meddle(DEEDS[what], role, index)
        assert words.rounds == 2 * LENGTHS[role]
        assert {closed.reason for face in (words.host, words.guest) for closed in face.all(Closed)} == {
            "lost"
        }


async def test_a_first_contact_that_is_disturbed_is_refused_and_the_next_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    async with (
        opened(person("alice")) as alice,
        opened(person("bob")) as bob,
        wire_to(await alice.host()) as wire,
    ):
        for role, index in product(ROLES, range(2)):
            passage = Meddled(Flip(role, index, 8 * 20), role, index)
            wire.passage = first(passage)
            bob.forget()
            await bob.engine.join(wire.address)
            assert (await bob.until(Refused)).reason == "handshake"
            assert not bob.engine.contacts()
        await bob.engine.join(wire.address)
        await asyncio.gather(alice.until(Secure), bob.until(Secure))


async def replay(address: str, recorded: list[bytes]) -> bytes:
    """Call a host, say what was recorded, and return everything that it answers until it closes."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"".join(recorded))
    try:
        async with asyncio.timeout(SAFETY_SECONDS):
            return await reader.read()
    except ConnectionResetError:  # what was recorded was longer than what is read
        return b""
    finally:
        writer.close()


async def test_a_recorded_call_replayed_while_the_two_talk_disturbs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its tag is bob's, but it was here before: it is closed on without an answer, and no key is used."""
    async with talk(monkeypatch) as words:
        recorder = Recorder()
        words.wire.passage = lambda: Meddled(recorder, "host", -1)
        words.wire.cut()
        await asyncio.gather(words.host.until_many(2, Secure), words.guest.until_many(2, Secure))
        await words.say()
        await words.heard()
        sent = recorder.frames["guest"]
        assert len(sent) >= LENGTHS["guest"]
        for length in (1, 2, 3, len(sent)):
            assert await replay(words.host.address, sent[:length]) == b""
            await words.say()
            await words.heard()
        assert [closed.reason for closed in words.host.all(Closed)] == ["lost"], "the cut for the recording"
        words.wire.passage = Untouched
        words.wire.cut()
        await words.say()
        await words.heard()
        (contact,) = words.host.engine.contacts()
        assert contact.fingerprint == words.guest.fingerprint


def test_every_frame_that_is_disturbed_has_a_name() -> None:
    assert all(NAMES[role][LENGTHS[role] - 1] == "SIGNED" for role in ROLES)
