"""Two who call each other at once: in whatever order things happen, one session stands, at both ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import permutations

import pytest
from chat_people import SAFETY_SECONDS, Face, key_of, met, opened, person

from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.events import Closed, Error, Message, Refused, Secure
from securechat_tui.chat.following import Following
from securechat_tui.chat.introduction import Introduction
from securechat_tui.chat.reception import Reception
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.pins import Contact, Pins

pytestmark = pytest.mark.usefixtures("quick_keys")

Step = tuple[str, str]
"""Whose engine stores the pin and lets the session in, and who has called."""
PEOPLE = ("alice", "bob")
STEPS = [(at, caller) for caller in PEOPLE for at in PEOPLE]


def orders() -> Iterator[tuple[Step, ...]]:
    """Every order in which the four can happen: a caller lets its session in before its host can."""
    for order in permutations(STEPS):
        if all(order.index((one, one)) < order.index((other, one)) for one, other in (PEOPLE, PEOPLE[::-1])):
            yield order


class Stage:
    """Holds each of the four steps until the test lets it happen."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._changed = asyncio.Event()
        self._come: set[Step] = set()
        self._gone: set[Step] = set()
        self._entered: set[Step] = set()
        self._let = {step: asyncio.Event() for step in STEPS}
        pin, enter, follow = Introduction.pin, Reception.enter, Following.follow

        async def held(introduction: Introduction, *proof: object) -> object:
            step = _step(introduction.house.account.profile.name, is_caller=introduction.dialled is not None)
            self._note(self._come, step)
            await self._let[step].wait()
            return await pin(introduction, *proof)  # type: ignore[arg-type]

        def entering(reception: Reception, encounter: Encounter, *conversation: object) -> bool:
            entered = enter(reception, encounter, *conversation)  # type: ignore[arg-type]
            self._note(self._entered, _of(reception, encounter))
            return entered

        async def following(story: Following, connection: Connection, encounter: Encounter) -> None:
            try:
                await follow(story, connection, encounter)
            finally:
                self._note(self._gone, _of(encounter.engine, encounter))

        patch.setattr(Introduction, "pin", held)
        patch.setattr(Reception, "enter", entering)
        patch.setattr(Following, "follow", following)

    def _note(self, steps: set[Step], step: Step) -> None:
        steps.add(step)
        self._changed.set()

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(SAFETY_SECONDS):
            while not happened():
                self._changed.clear()
                await self._changed.wait()

    async def let(self, step: Step) -> None:
        """Let a step happen, unless what came before has made it impossible."""
        await self._until(lambda: step in self._come | self._gone)
        self._let[step].set()
        await self._until(lambda: step in self._entered | self._gone)

    async def until_one_is_left(self) -> None:
        """Wait until one of the two calls is over at both ends."""
        await self._until(lambda: any({("alice", who), ("bob", who)} <= self._gone for who in PEOPLE))


def _step(at: str, *, is_caller: bool) -> Step:
    return at, (at if is_caller else next(one for one in PEOPLE if one != at))


def _of(house: object, encounter: Encounter) -> Step:
    assert isinstance(house, Reception)
    return _step(house.account.profile.name, is_caller=encounter.dialled is not None)


def session_of(face: Face) -> bytes:
    (encounter,) = face.engine.reception.presence.sessions()
    assert encounter.connection is not None
    return encounter.connection.session.session_id


async def both_secure(one: Face, other: Face) -> None:
    """Wait until messages flow at both ends of the one session that stands."""
    session = session_of(one)
    assert session == session_of(other)
    for face in (one, other):
        await face.until(Secure, lambda told: told.session == session.hex())


async def flows(one: Face, other: Face) -> None:
    """Check that each can write to the other."""
    for author, reader in ((one, other), (other, one)):
        await author.engine.send(f"from {author.engine.profile}")
        told = await reader.until(Message)
        assert told.text == f"from {author.engine.profile}"


async def both_call(alice: Face, bob: Face, call: Callable[[Face, str, str], Awaitable[None]]) -> None:
    hers, his = await alice.host(), await bob.host()
    await call(alice, "bob", his)
    await call(bob, "alice", hers)


async def join_address(face: Face, _name: str, address: str) -> None:
    await face.engine.join(address)


async def join_by_name(face: Face, name: str, address: str) -> None:
    """Call a contact, at an address that it has by now."""
    host, _, port = address.rpartition(":")
    key = key_of(name)
    await face.engine.account.change_pins(
        lambda pins: pins.with_contact(replace(contact_of(pins, key), addresses=((host, int(port)),)))
    )
    await face.engine.join(name)


def contact_of(pins: Pins, key: Fingerprint) -> Contact:
    contact = pins.by_fingerprint(key)
    assert contact is not None
    return contact


@pytest.mark.parametrize("order", orders(), ids=lambda order: "-".join(f"{who}{at}" for at, who in order))
@pytest.mark.parametrize("lower", PEOPLE, ids=lambda name: f"lower-{name}")
async def test_any_order_ends_in_one_session_the_same_at_both_ends(
    order: tuple[Step, ...], lower: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = sorted(("alice", "bob"), key=key_of)
    if lower == "bob":
        keys.reverse()
    stage = Stage(monkeypatch)
    async with opened(person("alice", keys[0])) as alice, opened(person("bob", keys[1])) as bob:
        await both_call(alice, bob, join_address)
        for step in order:
            await stage.let(step)
        await stage.until_one_is_left()
        await both_secure(alice, bob)
        for face in (alice, bob):
            assert len(face.engine.conversations) == 1
            assert face.all(Refused) == []
            assert face.all(Error) == []
            assert all(one.awaited for one in face.all(Closed))
        await flows(alice, bob)


async def test_what_was_typed_for_either_call_arrives_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    async with opened(person("alice")) as alice, opened(person("bob")) as bob:
        await both_call(alice, bob, join_address)
        for face, text in ((alice, "hers"), (bob, "his")):
            await face.engine.send(text)
        for step in (("alice", "alice"), ("bob", "bob"), ("alice", "bob"), ("bob", "alice")):
            await stage.let(step)
        await stage.until_one_is_left()
        assert (await alice.until(Message)).text == "his"
        assert (await bob.until(Message)).text == "hers"
        assert await alice.engine.flush(5.0) == await bob.engine.flush(5.0) == 0
        assert len(alice.all(Message)) == len(bob.all(Message)) == 1
        assert alice.all(Error) == bob.all(Error) == []


async def test_an_older_session_that_may_be_dead_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten seconds the newer one is no crossing call: the other side must have lost the older."""
    lower, higher = sorted(PEOPLE, key=key_of)
    async with opened(person(lower)) as low, opened(person(higher)) as high:
        hers, his = await low.host(), await high.host()
        await low.engine.join(his)
        await asyncio.gather(low.until(Secure), high.until(Secure))
        older = session_of(high)
        monkeypatch.setattr("securechat_tui.chat.presence._AT_ONCE_SECONDS", 0.0)
        monkeypatch.setattr("securechat_tui.chat.requests.Requests.check_absent", lambda *_: None)
        await high.engine.join(hers)
        await asyncio.gather(low.until_many(2, Secure), high.until_many(2, Secure))
        assert session_of(low) == session_of(high) != older
        await flows(low, high)


async def test_two_who_have_met_call_each_other_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    await met(bob, alice)
    stage = Stage(monkeypatch)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await both_call(at_alice, at_bob, join_by_name)
        for step in (("bob", "bob"), ("alice", "alice"), ("alice", "bob"), ("bob", "alice")):
            await stage.let(step)
        await stage.until_one_is_left()
        await both_secure(at_alice, at_bob)
        assert not at_alice.engine.is_calling
        assert not at_bob.engine.is_calling
        await flows(at_alice, at_bob)
