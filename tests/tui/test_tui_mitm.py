"""A man in the middle with keys of his own, in three places, as the persons at both ends see him.

The two engines are real, over sockets, with him between them (``tests/support/impostor.py``). What they
told is then shown by the real screen; only what differs from run to run (times, ports, keys, codes) has
been given fixed values on the way.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import pytest
from chat_people import Face, contacts, key_of, met, opened, person
from chat_raw import answering
from fake_engine import (
    CONVERSATION,
    IDENTITY,
    NOON,
    OTHER_FINGERPRINT,
    OTHER_PICTURE,
    OWN_FINGERPRINT,
    PEER_FINGERPRINT,
    PEER_PICTURE,
    FakeEngine,
    code,
)
from impostor import NAME, Impostor
from scenes import USUAL, Scene, stage_scene

from securechat_tui.chat import events
from securechat_tui.chat.events import Closed, Code, Event, Gate, Message, Peer, Refused, SafeText, Secure
from securechat_tui.storage.profile import HOME_VARIABLE
from securechat_tui.trust.invites import Invite
from securechat_tui.trust.pins import Pins
from securechat_tui.trust.states import Trust
from securechat_tui.tui.opening import HostAt, JoinTarget, Opening

E = TypeVar("E", bound=Event)
Compare = Callable[..., bool]
KEYS = {"alice": PEER_FINGERPRINT, "bob": OWN_FINGERPRINT, NAME: OTHER_FINGERPRINT}
OTHER_CODE = dataclasses.replace(
    code(),
    emoji=("pizza", "ball", "key", "train", "bell", "flag", "moon"),
    signs=tuple("🍕⚽🔑🚂🔔🚩🌙"),
    digits="7710025338146",
)
FIXED: dict[str, object] = {
    **dict.fromkeys(("time", "first_seen", "pinned_since", "claimed"), NOON),
    **dict.fromkeys(("age", "seconds"), 0.2),
    **dict.fromkeys(("randomart", "offered_randomart"), OTHER_PICTURE),
    "expected_randomart": PEER_PICTURE,
    "conversation": CONVERSATION,
    "session": "a1" * 16,
    "port": 8000,
}
"""What is not the same in every run, by the name of the field."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))


class Still:
    """Gives what differs from run to run fixed values: the same for the same thing."""

    def __init__(self, *ports: str) -> None:
        self._words = {str(key_of(name)): shown for name, shown in KEYS.items()}
        self._words |= {key_of(NAME).short: OTHER_FINGERPRINT[7:15]}
        self._words |= {f"127.0.0.1:{port}": "192.168.1.20:8000" for port in ports}

    def events(self, told: Iterable[Event], shown_code: Code) -> list[Event]:
        return [self._code(one, shown_code) if isinstance(one, Code) else self._event(one) for one in told]

    def _code(self, told: Code, shown: Code) -> Code:
        assert len(told.emoji) == len(shown.emoji)
        return shown

    def _event(self, event: E) -> E:
        values: dict[str, Any] = {
            one.name: self._value(one.name, getattr(event, one.name)) for one in dataclasses.fields(event)
        }
        return dataclasses.replace(event, **values)

    def _value(self, name: str, value: object) -> object:
        if value and name in FIXED:
            return FIXED[name]
        return self._text(value) if isinstance(value, str) and not isinstance(value, Enum) else value

    def _text(self, value: str) -> str:
        text = str(value)
        for word, still in self._words.items():
            text = text.replace(word, still)
        return SafeText(text) if isinstance(value, SafeText) else text


def pictured(
    compare: Compare, told: list[Event], opening: Opening, own: str = "bob", keys: tuple[str, ...] = ()
) -> bool:
    """Let the screen show what an engine has told, and compare the picture with the one approved."""

    def engine() -> FakeEngine:
        return FakeEngine(identity=dataclasses.replace(IDENTITY, name=own, fingerprint=KEYS[own]))

    app, play = stage_scene(Scene(opening, engine, lambda: told, keys=keys))
    return compare(app, terminal_size=USUAL, run_before=play)


def shown(face: Face, *kinds: type[Event]) -> list[Event]:
    """What a screen draws of what was told."""
    return [one for one in face.seen if isinstance(one, kinds)]


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


# At first contact: the invite names the host's key, and he has another.


async def first_contact() -> list[Event]:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob, answering() as desk:
        await at_alice.host()
        invite = Invite.parse((await at_alice.until(events.Invite)).invite, time.time())
        port = port_of(desk.address)
        await at_bob.engine.join(dataclasses.replace(invite, port=int(port)).encode())
        towards_bob = await desk.next(NAME)
        await towards_bob.until_closed()
        refused = await at_bob.until(Refused)
        assert (refused.reason, refused.offered) == ("invite", str(key_of(NAME)))
        assert at_bob.order(Peer, Secure) == []
        told = Still(port).events([refused], code())
    assert contacts(bob) == Pins()
    return told


def test_at_first_contact_with_an_invite_he_is_refused(snap_compare: Compare) -> None:
    told = asyncio.run(first_contact())
    assert pictured(snap_compare, told, JoinTarget("192.168.1.20:8000"))


# At a later contact: the key is pinned, and he has another.


async def later_contact() -> list[Event]:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    async with opened(bob) as at_bob, answering() as desk:
        port = port_of(desk.address)
        at_bob.engine.account.pins = Pins(
            tuple(
                dataclasses.replace(one, addresses=(("127.0.0.1", int(port)),))
                for one in at_bob.engine.account.pins.contacts
            )
        )
        await at_bob.engine.join("alice")
        towards_bob = await desk.next(NAME)
        await towards_bob.until_closed()
        refused = await at_bob.until(Refused)
        assert (refused.reason, refused.expected, refused.offered) == (
            "key-changed",
            str(key_of("alice")),
            str(key_of(NAME)),
        )
        assert at_bob.order(Peer, Secure) == []
        return Still(port).events([refused], code())


def test_at_a_later_contact_he_raises_the_alarm(snap_compare: Compare) -> None:
    told = asyncio.run(later_contact())
    assert pictured(snap_compare, told, JoinTarget("alice"))


# During a comparison: nobody was warned at first contact, and the codes differ.

DRAWN = (Peer, Secure, Message, Code)


@dataclasses.dataclass
class Compared:
    """What the two were told, up to the code, and the guest's person afterwards."""

    at_alice: list[Event]
    at_bob: list[Event]
    after: list[Event]
    again: list[Event]


async def comparison() -> Compared:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob, answering() as desk:
        await at_alice.host()
        await at_bob.engine.join(desk.address)
        between = await Impostor.between(desk, "alice", at_alice, "bob")
        await asyncio.gather(at_alice.until(Secure), at_bob.until(Secure))
        await at_bob.engine.send("Is that you?")
        assert await between.pass_on() == (await at_alice.until(Message)).text == "Is that you?"
        await between.compare(at_alice, at_bob)
        hers, his = await at_alice.until(Code), await at_bob.until(Code)
        assert hers.digits != his.digits
        assert hers.emoji != his.emoji
        still = Still(port_of(desk.address), port_of(at_alice.address))
        seen = still.events(shown(at_alice, *DRAWN), code()), still.events(shown(at_bob, *DRAWN), OTHER_CODE)
        at_bob.forget()
        await at_bob.engine.differ()
        await at_bob.until(Closed)
        after = still.events(shown(at_bob, events.TrustChanged, Closed), OTHER_CODE)
        between.leave()
        at_bob.forget()
        await at_bob.engine.join(desk.address)
        again = await desk.next(NAME)
        again.called = "alice"
        opening = asyncio.create_task(again.open())
        assert (await at_bob.until(Gate)).reason == "comparison"
        last = still.events(shown(at_bob, Peer, Gate), OTHER_CODE)
        await at_bob.engine.leave()
        opening.cancel()
    (contact,) = contacts(bob).contacts
    assert (contact.fingerprint, contact.trust) == (key_of(NAME), Trust.CHANGED)
    return Compared(*seen, after, last)


@pytest.fixture
def compared_codes() -> Compared:
    return asyncio.run(comparison())


def test_while_codes_are_compared_the_host_s_person_sees_one(
    compared_codes: Compared, snap_compare: Compare
) -> None:
    told = compared_codes.at_alice
    assert pictured(snap_compare, told, HostAt("0.0.0.0:8000"), "alice", ("f3",))


def test_while_codes_are_compared_the_guest_s_person_sees_another(
    compared_codes: Compared, snap_compare: Compare
) -> None:
    told = compared_codes.at_bob
    assert pictured(snap_compare, told, JoinTarget("192.168.1.20:8000"), keys=("f3",))


def test_once_they_differ_nothing_goes_on(compared_codes: Compared, snap_compare: Compare) -> None:
    told = [*compared_codes.at_bob, *compared_codes.after]
    assert pictured(snap_compare, told, JoinTarget("192.168.1.20:8000"))


def test_when_he_is_there_again_the_gate_is_shut(compared_codes: Compared, snap_compare: Compare) -> None:
    told = compared_codes.again
    assert pictured(snap_compare, told, JoinTarget("192.168.1.20:8000"))
