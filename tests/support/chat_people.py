"""People for the engine's tests: fixed identities in throw-away profiles, and faces that remember."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from protocol_peers import identity_key
from stored_contacts import contacts_on_disk, put_contacts
from stored_identities import put_identity

from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import Closed, Code, Event, Gate, Listening, Peer, Secure, VerifyAsked
from securechat_tui.protocol.identity import Fingerprint, IdentityKey
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Contact, Pins

SAFETY_SECONDS = 10.0
"""A test that waits this long for an event has failed; no test waits for time to pass."""

E = TypeVar("E", bound=Event)


def person(profile_name: str, key: str | IdentityKey = "", called: str = "") -> Profile:
    """Make the profile of a person with an identity (by default the one named like the profile)."""
    profile = Profile.named(profile_name)
    with profile:
        write_identity(profile, key or profile_name)
        save_config(profile, Config(name=called or profile_name))
    return profile


def write_identity(profile: Profile, key: str | IdentityKey) -> None:
    """Put an identity in a profile, in the place of the one it has."""
    chosen = identity_key(key) if isinstance(key, str) else key
    put_identity(profile, chosen)


def contacts(profile: Profile) -> Pins:
    """Read what is on disk."""
    return contacts_on_disk(profile)


def change_contact(profile: Profile, fingerprint: bytes, change: Callable[[Contact], Contact]) -> None:
    """Change a contact on disk."""
    with profile:
        pins = contacts_on_disk(profile)
        put_contacts(
            profile,
            Pins(tuple(change(one) if one.fingerprint == fingerprint else one for one in pins.contacts)),
        )


class Face:
    """An engine's reader that keeps everything it is told."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.seen: list[Event] = []
        self.address = ""
        """What a guest types to reach this host."""
        self._news = asyncio.Event()

    async def read(self) -> None:
        async for event in self.engine.events():
            self.seen.append(event)
            self._news.set()

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.seen if isinstance(event, kind)]

    def order(self, *kinds: type[Event]) -> list[str]:
        """Name the events of these kinds, in the order in which they came."""
        return [type(one).__name__ for one in self.seen if isinstance(one, kinds)]

    def forget(self) -> None:
        """Let later waits see only what is new."""
        self.seen.clear()

    async def changed(self) -> None:
        """Wait for the next event, without a limit of time."""
        self._news.clear()
        await self._news.wait()

    async def until(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """Wait for the first event of a kind, among those remembered too."""
        return (await self.until_many(1, kind, where))[0]

    async def until_many(
        self, count: int, kind: type[E], where: Callable[[E], bool] = lambda _: True
    ) -> list[E]:
        """Wait until there are ``count`` of them."""
        async with asyncio.timeout(SAFETY_SECONDS):
            while len(found := [event for event in self.all(kind) if where(event)]) < count:
                self._news.clear()
                await self._news.wait()
        return found

    @property
    def fingerprint(self) -> str:
        assert self.engine.identity is not None
        return self.engine.identity.fingerprint

    async def host(self) -> str:
        """Listen at a free port of the loopback; return what a guest types."""
        await self.engine.host("127.0.0.1:0")
        self.address = f"127.0.0.1:{(await self.until(Listening)).port}"
        return self.address


@asynccontextmanager
async def opened(profile: Profile) -> AsyncIterator[Face]:
    """Run an engine and read its events, to the last."""
    async with Engine(profile) as engine:
        face = Face(engine)
        reading = asyncio.create_task(face.read())
        try:
            yield face
        finally:
            await engine.close()
            await reading


async def secured(host: Face, guest: Face, address: str) -> tuple[Peer, Peer]:
    """Let the guest join; return what each was told of the other, the host's word first."""
    await guest.engine.join(address)
    await asyncio.gather(host.until(Secure), guest.until(Secure))
    return host.all(Peer)[-1], guest.all(Peer)[-1]


@asynccontextmanager
async def talking(host: Profile, guest: Profile) -> AsyncIterator[tuple[Face, Face]]:
    """Open two engines between which messages flow; all that came before is forgotten."""
    async with opened(host) as at_host, opened(guest) as at_guest:
        await secured(at_host, at_guest, await at_host.host())
        at_host.forget()
        at_guest.forget()
        yield at_host, at_guest


def key_of(name: str) -> Fingerprint:
    return identity_key(name).public.fingerprint


async def met(host: Profile, guest: Profile) -> None:
    """Let two people become contacts of each other."""
    async with opened(host) as at_host, opened(guest) as at_guest:
        await secured(at_host, at_guest, await at_host.host())
        await at_guest.engine.leave()
        await at_host.until(Closed)


async def gated(here: Face, there: Face) -> None:
    """Wait until each side knows of the other, and this one stands at its gate for a changed key."""
    assert (await here.until(Gate)).reason == "key-changed"
    await there.until(Peer)


async def compared(one: Face, other: Face) -> None:
    """Let both ask, and look at the same code."""
    await one.engine.verify()
    await other.until(VerifyAsked)
    await other.engine.verify()
    hers, his = await one.until(Code), await other.until(Code)
    assert hers.digits == his.digits
