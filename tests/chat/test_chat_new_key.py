"""Verify the new key: a changed key is let in for a comparison alone, and takes its place by that alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from chat_people import Face, compared, contacts, gated, key_of, met, opened, person, secured, write_identity

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Gate,
    Message,
    Peer,
    Queued,
    Refused,
    Secure,
    TrustChanged,
)
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.states import Trust

pytestmark = pytest.mark.usefixtures("quick_keys")


@asynccontextmanager
async def alarmed_guest(alice: Profile, bob: Profile) -> AsyncIterator[tuple[Face, Face, Refused]]:
    """Bob joins his contact alice, who has another key since yesterday."""
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        at_port = await at_alice.host()
        await secured(at_alice, at_bob, at_port)
        await at_bob.engine.leave()
        await at_alice.until(Closed)
    write_identity(alice, "mallory")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_alice.engine.host(at_port)
        await at_bob.engine.join("alice")
        refused = await at_bob.until(Refused)
        assert (refused.reason, refused.target) == ("key-changed", "alice")
        yield at_alice, at_bob, refused


async def test_a_guest_compares_codes_with_the_new_key_before_anything_passes() -> None:
    alice, bob = person("alice"), person("bob")
    async with alarmed_guest(alice, bob) as (at_alice, at_bob, refused):
        before = contacts(bob)
        await at_bob.engine.verify_key(refused.offered, refused.target)
        told = await at_bob.until(Peer)
        assert (told.trust, told.contact) == (Trust.CHANGED, f"unverified {key_of('mallory').short}")
        assert (told.known_elsewhere, told.differed) == (str(key_of("alice")), False)
        assert (await at_bob.until(Gate)).reason == "key-changed"
        assert contacts(bob) == before
        with pytest.raises(CommandError, match="until you have decided"):
            await at_bob.engine.send("not yet")
        await at_alice.until(Peer)
        await compared(at_bob, at_alice)
        assert at_bob.all(Secure) == at_alice.all(Secure) == []
        await at_bob.engine.match()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
        changed = await at_bob.until(TrustChanged)
        assert (changed.trust, changed.contact) == (Trust.VERIFIED, "alice")
        await at_bob.engine.send("now")
        assert (await at_alice.until(Message)).text == "now"
    (contact,) = contacts(bob).contacts
    old = before.contacts[0]
    assert (contact.name, contact.fingerprint, contact.trust) == ("alice", key_of("mallory"), Trust.VERIFIED)
    assert (contact.former, contact.addresses, contact.first_seen) == (
        (key_of("alice"),),
        old.addresses,
        old.first_seen,
    )
    assert [(one.fingerprint, one.after) for one in contact.history] == [
        (key_of("alice"), Trust.PINNED),
        (key_of("mallory"), Trust.VERIFIED),
    ]
    assert contact.newest == contact.confirmed == contacts(alice).contacts[0].newest


async def test_after_that_the_new_key_is_the_contact_s_and_the_old_one_is_refused() -> None:
    alice, bob = person("alice"), person("bob")
    async with alarmed_guest(alice, bob) as (at_alice, at_bob, refused):
        await at_bob.engine.verify_key(refused.offered, "alice")
        await gated(at_bob, at_alice)
        await compared(at_bob, at_alice)
        await at_bob.engine.match()
        await at_bob.until(Secure)
        await at_bob.engine.leave()
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))
        at_alice.forget()
        at_bob.forget()
        assert (await secured(at_alice, at_bob, "alice"))[1].trust is Trust.VERIFIED
    write_identity(alice, "alice")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host(), new=True)
        back = await at_bob.until(Refused)
        assert (back.reason, back.contact, back.offered) == ("key-changed", "alice", str(key_of("alice")))
        assert "had BEFORE the one verified here" in back.message


@pytest.mark.parametrize("way", ["they differ", "leaving"])
async def test_without_a_match_nothing_has_changed(way: str) -> None:
    alice, bob = person("alice"), person("bob")
    async with alarmed_guest(alice, bob) as (at_alice, at_bob, refused):
        before = contacts(bob)
        await at_bob.engine.verify_key(refused.offered, "alice")
        await gated(at_bob, at_alice)
        await compared(at_bob, at_alice)
        await (at_bob.engine.differ() if way == "they differ" else at_bob.engine.leave())
        await at_bob.until(Closed)
        assert at_bob.order(Secure, Queued) == []
        at_bob.forget()
        await at_bob.engine.join("alice")
        assert (await at_bob.until(Refused)).reason == "key-changed"
    assert contacts(bob) == before


async def test_no_other_key_is_let_in() -> None:
    alice, bob = person("alice"), person("bob")
    async with alarmed_guest(alice, bob) as (at_alice, at_bob, _):
        at_bob.forget()
        await at_bob.engine.verify_key(str(key_of("carol")), "alice")
        assert (await at_bob.until(Refused)).offered == str(key_of("mallory"))
        assert at_bob.all(Peer) == at_alice.all(Peer) == []


@asynccontextmanager
async def alarmed_host(alice: Profile, bob: Profile) -> AsyncIterator[tuple[Face, Face, Refused]]:
    """Bob, whom the host alice knows, calls with another key than yesterday."""
    await met(alice, bob)
    write_identity(bob, "mallory")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await call_again(at_bob, await at_alice.host())
        refused = await at_alice.until(Refused)
        assert (refused.reason, refused.target) == ("key-changed", "")
        await at_bob.until(Refused)
        at_alice.forget()
        at_bob.forget()
        yield at_alice, at_bob, refused


async def call_again(at_bob: Face, address: str) -> None:
    """Call alice at a port that she has not had before: the tag is for her contact all the same."""
    (contact,) = at_bob.engine.account.pins.contacts
    host, _, port = address.rpartition(":")
    moved = contact.seen(contact.last_seen, contact.version, (host, int(port)))
    await at_bob.engine.account.change_pins(lambda pins: pins.with_contact(moved))
    await at_bob.engine.join("alice")


async def test_a_host_lets_the_new_key_in_once_when_a_person_wants_it() -> None:
    alice, bob = person("alice"), person("bob")
    async with alarmed_host(alice, bob) as (at_alice, at_bob, refused):
        await at_alice.engine.verify_key(refused.offered)
        await at_bob.engine.join("alice")
        await gated(at_alice, at_bob)
        await compared(at_alice, at_bob)
        await at_alice.engine.match()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
        await at_bob.engine.send("it is me")
        received = await at_alice.until(Message)
        assert (received.name, received.trust) == ("bob", Trust.VERIFIED)
        await at_bob.engine.leave()
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))
        at_alice.forget()
        at_bob.forget()
        assert (await secured(at_alice, at_bob, "alice"))[0].trust is Trust.VERIFIED
    (contact,) = contacts(alice).contacts
    assert (contact.name, contact.fingerprint) == ("bob", key_of("mallory"))


async def test_a_host_lets_it_in_for_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.limits._HOUR_SECONDS", 0.0)  # every alarm is told
    async with alarmed_host(person("alice"), person("bob")) as (at_alice, at_bob, refused):
        await at_alice.engine.verify_key(refused.offered)
        await at_bob.engine.join("alice")
        await gated(at_alice, at_bob)
        await at_bob.engine.leave()
        await at_alice.until(Closed)
        await at_bob.until(Closed)
        await at_bob.engine.join("alice")
        assert (await at_alice.until(Refused)).reason == "key-changed"


async def test_a_host_waits_ten_minutes_for_it_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.callers._WANTED_SECONDS", 0.0)
    async with alarmed_host(person("alice"), person("bob")) as (at_alice, at_bob, refused):
        await at_alice.engine.verify_key(refused.offered)
        await at_bob.engine.join("alice")
        assert (await at_bob.until(Refused)).reason == "handshake"
        assert at_alice.all(Peer) == []


async def test_what_must_be_said_to_verify_a_key() -> None:
    async with opened(person("bob")) as at_bob:
        with pytest.raises(CommandError, match="in full"):
            await at_bob.engine.verify_key(key_of("alice").short)
        with pytest.raises(CommandError, match="Nobody is pinned"):
            await at_bob.engine.verify_key(str(key_of("alice")), "127.0.0.1:9")
