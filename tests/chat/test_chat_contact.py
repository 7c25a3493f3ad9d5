"""Who is at the other end: first contact, later contact, and everything that must not pass for it."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from chat_people import Face, change_contact, contacts, opened, person, secured, write_identity
from chat_raw import answering, call
from protocol_peers import identity_key

from securechat_tui.chat import conversation
from securechat_tui.chat.events import (
    Closed,
    Error,
    Event,
    Message,
    Notice,
    Peer,
    Queued,
    Refused,
    Secure,
    Trust,
)
from securechat_tui.chat.introduction import Introduction
from securechat_tui.chat.telling import unix_ms
from securechat_tui.protocol.events import Authenticated
from securechat_tui.protocol.frames import FrameType
from securechat_tui.protocol.payloads import Hello
from securechat_tui.storage.errors import StoreFailed
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Contact

pytestmark = pytest.mark.usefixtures("quick_keys")


def fingerprint(name: str) -> str:
    return str(identity_key(name).public.fingerprint)


async def meet(host: Profile, guest: Profile) -> tuple[Peer, Peer, str]:
    """Let two people have a conversation and end it; return what each was told, and the address."""
    async with opened(host) as at_host, opened(guest) as at_guest:
        address = await at_host.host()
        told = await secured(at_host, at_guest, address)
        await at_guest.engine.leave()
        await at_host.until(Closed)
    return *told, address


def told_nothing(face: Face, *kinds: type[Event]) -> None:
    for kind in kinds:
        assert face.all(kind) == []


# First and later contact.


async def test_first_contact_pins_on_both_sides() -> None:
    alice, bob = person("alice"), person("bob")
    told_alice, told_bob, address = await meet(alice, bob)
    for told, name, role in ((told_alice, "bob", "guest"), (told_bob, "alice", "host")):
        assert (told.name, told.contact, told.role, told.trust) == (name, name, role, Trust.NEW)
        assert told.fingerprint == fingerprint(name)
        assert told.key_bits == 3072
        assert told.randomart
        assert told.known_elsewhere == ""
    host, _, port = address.rpartition(":")
    (pin,) = contacts(bob).contacts
    assert (pin.name, pin.trust, pin.addresses) == ("alice", Trust.PINNED, ((host, int(port)),))
    assert pin.confirmed == pin.newest is not None
    (called,) = contacts(alice).contacts
    assert (called.name, called.trust, called.addresses) == ("bob", Trust.PINNED, ())
    assert called.newest == pin.newest
    assert str(called.fingerprint) == fingerprint("bob")


async def test_second_contact_is_pinned_and_keeps_its_first_day() -> None:
    alice, bob = person("alice"), person("bob")
    await meet(alice, bob)
    before = contacts(alice).contacts[0].first_seen
    for told in (await meet(alice, bob))[:2]:
        assert told.trust is Trust.PINNED
        assert told.first_seen <= told.time
    after = contacts(alice).contacts
    assert len(after) == 1
    assert after[0].first_seen == before


async def test_a_contact_is_reached_by_its_name_at_its_last_address() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await at_bob.engine.leave()
        await at_alice.until(Closed)
        await at_bob.until(Closed)
        at_alice.forget()
        at_bob.forget()
        told = (await secured(at_alice, at_bob, "Alice"))[1]
        assert told.trust is Trust.PINNED
    secrets = contacts(alice).contacts[0].secrets
    assert len(secrets) == 2, "the call showed the first session's secret, and the second has its own"
    assert contacts(bob).contacts[0].newest == secrets[0]


@pytest.mark.parametrize("is_stored", [False, True], ids=["host-has-not-stored", "host-has-stored"])
async def test_no_cut_after_a_change_of_roles_shuts_a_contact_out(
    is_stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the host answers nobody but those who show a secret, and both programs have ended since."""
    alice, bob = person("alice"), person("bob")
    *_, his = await meet(bob, alice)
    *_, hers = await meet(alice, bob)
    pin = Introduction.pin

    async def dies(introduction: Introduction, proof: Authenticated) -> Trust:
        if introduction.dialled is None and not is_stored:
            raise StoreFailed(path="contacts", reason="killed")
        trust = await pin(introduction, proof)
        if introduction.dialled is None:
            raise StoreFailed(path="contacts", reason="killed")
        return trust

    with monkeypatch.context() as killed:
        killed.setattr(Introduction, "pin", dies)
        async with opened(bob) as at_bob, opened(alice) as at_alice:
            await at_bob.engine.host(his, invited_only=True)
            await at_alice.engine.join("bob")
            await asyncio.gather(at_bob.until(Error), at_alice.until(Refused))
    for host, guest, address in ((bob, alice, his), (alice, bob, hers)):
        async with opened(host) as at_host, opened(guest) as at_guest:
            await at_host.engine.host(address, invited_only=True)
            await secured(at_host, at_guest, address)


# Another key at the guest.


async def test_a_replaced_host_gets_nothing_but_a_closed_connection() -> None:
    bob = person("bob")
    async with opened(bob) as at_bob, answering() as desk:
        await at_bob.engine.join(desk.address)
        real = await desk.next("alice")
        await real.open()
        await at_bob.until(Secure)
        real.cut()
        await at_bob.until(Closed)
        at_bob.forget()

        await at_bob.engine.join(desk.address)
        await at_bob.engine.send("for alice alone")
        false = await desk.next("mallory")
        await false.until_closed()
        refused = await at_bob.until(Refused)

        assert refused.reason == "key-changed"
        assert (refused.expected, refused.offered) == (fingerprint("alice"), fingerprint("mallory"))
        assert refused.expected_randomart
        assert refused.offered_randomart
        assert refused.expected_randomart != refused.offered_randomart
        assert refused.address == desk.address
        assert refused.trust is Trust.PINNED
        assert refused.pinned_since > 0
        assert f"join {desk.address} --new" in refused.message
        assert "DIFFERENT" in refused.message
        assert false.received[0] == FrameType.KEY
        assert len(false.received) == 5 + int.from_bytes(false.received[1:5], "big"), "K1 and not a byte more"
        told_nothing(at_bob, Peer, Secure, Queued)
        assert len(contacts(bob).contacts) == 1


async def test_join_new_is_for_a_stranger_at_a_pinned_address() -> None:
    bob = person("bob")
    async with opened(bob) as at_bob, answering() as desk:
        for name, new in (("alice", False), ("mallory", True)):
            await at_bob.engine.join(desk.address, new=new)
            raw = await desk.next(name)
            await raw.open()
            told = await at_bob.until(Peer)
            assert (told.fingerprint, told.trust) == (fingerprint(name), Trust.NEW)
            raw.cut()
            await at_bob.until(Closed, lambda closed: closed.reason == "lost")
            at_bob.forget()
        assert len(contacts(bob).by_address(("127.0.0.1", int(desk.address.rpartition(":")[2])))) == 2

        for name in ("alice", "mallory"):  # either is at home there now
            await at_bob.engine.join(desk.address)
            raw = await desk.next(name)
            await raw.open()
            assert (await at_bob.until(Peer)).trust is Trust.PINNED
            raw.cut()
            await at_bob.until(Closed, lambda closed: closed.reason == "lost")
            at_bob.forget()


async def test_another_contact_answers() -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    await meet(alice, carol)
    async with opened(bob) as at_bob, opened(carol) as at_carol:
        await secured(at_bob, at_carol, await at_bob.host())
    async with opened(carol) as at_carol, answering() as desk:
        port = int(desk.address.rpartition(":")[2])
        book = contacts(carol)
        there = book.by_name("bob")
        assert there is not None
        await at_carol.engine.account.change_pins(
            lambda pins: pins.with_contact(replace(there, addresses=(("127.0.0.1", port),)))
        )
        await at_carol.engine.join("bob")
        await (await desk.next("alice")).until_closed()
        refused = await at_carol.until(Refused)
    assert refused.reason == "key-changed"
    assert (refused.contact, refused.offered_contact) == ("bob", "alice")
    assert "alice answered, not bob" in refused.message
    assert f"join {desk.address} --new" in refused.message


# Another key at the host.


async def test_a_replaced_profile_of_the_same_name_is_a_new_person() -> None:
    alice, bob = person("alice"), person("bob")
    await meet(alice, bob)
    old = contacts(alice).contacts[0]
    told = (await meet(alice, person("bob2", "mallory", called="bob")))[0]
    assert told.trust is Trust.NEW
    assert told.name == "bob"
    assert told.contact == "bob (2)"
    assert told.known_elsewhere == fingerprint("bob")
    kept, new = contacts(alice).contacts
    assert kept == old
    assert new.name == "bob (2)"


async def test_only_the_key_file_replaced_is_a_changed_key() -> None:
    alice, bob = person("alice"), person("bob")
    await meet(alice, bob)
    book = contacts(alice)
    write_identity(bob, "mallory")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        address = await at_alice.host()
        pin = contacts(bob).contacts[0]
        port = int(address.rpartition(":")[2])
        await at_bob.engine.account.change_pins(
            lambda pins: pins.with_contact(replace(pin, addresses=(("127.0.0.1", port),)))
        )
        await at_bob.engine.join(address)
        at_host, at_guest = await at_alice.until(Refused), await at_bob.until(Refused)
        told_nothing(at_alice, Peer, Closed)
        told_nothing(at_bob, Peer, Closed)
    assert at_host.reason == "key-changed"
    assert (at_host.contact, at_host.expected, at_host.offered) == (
        "bob",
        fingerprint("bob"),
        fingerprint("mallory"),
    )
    assert "--new" not in at_host.message
    assert at_guest.reason == "handshake"
    assert contacts(alice) == book


# Oneself, blocked people, older versions.


async def test_ones_own_key_is_refused_and_never_pinned() -> None:
    one, two = person("alice"), person("alice-copy", "alice")
    async with opened(one) as host, opened(two) as guest:
        await guest.engine.join(await host.host())
        assert (await guest.until(Refused)).reason == "self"
        told_nothing(guest, Peer, Error)
        told_nothing(host, Peer, Refused)
    assert contacts(one).contacts == contacts(two).contacts == ()


async def test_somebody_blocked_is_refused_at_both_ends() -> None:
    alice, bob = person("alice"), person("bob")
    await meet(alice, bob)

    def block(contact: Contact) -> Contact:
        return replace(contact, trust=Trust.BLOCKED)

    change_contact(alice, identity_key("bob").public.fingerprint, block)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host())
        refused = await at_alice.until(Refused)
        assert (refused.reason, refused.contact) == ("blocked", "bob")
        assert (await at_bob.until(Refused)).reason == "handshake"
    change_contact(bob, identity_key("alice").public.fingerprint, block)
    async with opened(bob) as at_bob, answering() as desk:
        await at_bob.engine.join(desk.address)
        await (await desk.next("alice")).until_closed()
        assert (await at_bob.until(Refused)).reason == "blocked"


async def test_a_contact_with_an_older_version_than_it_had_is_refused() -> None:
    alice, bob = person("alice"), person("bob")
    await meet(alice, bob)
    change_contact(bob, identity_key("alice").public.fingerprint, lambda contact: replace(contact, version=2))
    async with opened(bob) as at_bob, answering() as desk:
        await at_bob.engine.join(desk.address)
        await (await desk.next("alice")).until_closed()
        refused = await at_bob.until(Refused)
    assert refused.reason == "version"
    assert "alice" in refused.message


async def test_a_host_of_another_version() -> None:
    bob = person("bob")
    async with opened(bob) as at_bob, answering() as desk:
        await at_bob.engine.join(desk.address)
        await (await desk.next("alice", versions=(3, 2))).until_closed()
        assert (await at_bob.until(Refused)).reason == "version"
        told_nothing(at_bob, Peer, Error)


async def test_a_guest_of_another_version_is_one_dim_line() -> None:
    alice = person("alice")
    async with opened(alice) as at_alice:
        async with await call(await at_alice.host(), "bob", versions=(9,)) as raw:
            await raw.until_closed()
            assert raw.ended is not None
            assert raw.ended.how == "version"
        assert "came to nothing" in (await at_alice.until(Notice)).message
        told_nothing(at_alice, Refused, Peer)


async def test_too_many_strangers_within_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.callers.NEW_PINS_PER_HOUR", 1)
    alice = person("alice")
    async with opened(alice) as at_alice:
        address = await at_alice.host()
        async with await call(address, "bob") as first:
            await first.open()
            await at_alice.until(Secure)
        await at_alice.until(Closed)
        async with await call(address, "carol") as second:
            await second.until_closed()
        assert "too many new people" in (await at_alice.until(Notice)).message
        at_alice.forget()
        async with await call(address, "bob", secrets=(first.secret, None)) as known:
            await known.open()
            assert (await at_alice.until(Peer)).trust is Trust.PINNED
        await at_alice.until(Closed)
    assert [one.fingerprint for one in contacts(alice).contacts] == [first.key.public.fingerprint]


# What else may be at the other end.


async def test_strangers_who_find_the_list_full_leave_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.trust.pins.MAX_CONTACTS", 1)
    alice = person("alice")
    async with opened(alice) as at_alice:
        address = await at_alice.host()
        for name in ("bob", "carol", "mallory"):
            async with await call(address, name) as guest:
                await guest.established()
                await guest.until_payload(Hello) if name == "bob" else await guest.until_closed()
        assert [one.code for one in at_alice.all(Error)] == ["profile", "profile"]
        assert len(at_alice.engine.overview()) == 1
    assert len(list(alice.conversations_folder.glob("*.db"))) == 1


async def test_nobody_is_listening() -> None:
    bob = person("bob")
    async with opened(bob) as at_bob:
        async with answering() as desk:
            address = desk.address
        await at_bob.engine.join(address)
        error = await at_bob.until(Error)
        assert error.code == "cannot-connect"
        assert address in error.message
        await at_bob.engine.join(address)  # and it can be tried again at once


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b""])
async def test_something_else_answers(answer: bytes) -> None:
    bob = person("bob")
    async with opened(bob) as at_bob, answering() as desk:
        await at_bob.engine.join(desk.address)
        await desk.speak(answer)
        refused = await at_bob.until(Refused)
        assert refused.reason == "handshake"
        assert desk.address in refused.message
        told_nothing(at_bob, Error, Peer)
    assert contacts(bob).contacts == ()


async def test_garbage_does_not_disturb_a_conversation() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        address = await at_alice.host()
        await secured(at_alice, at_bob, address)
        host, _, port = address.rpartition(":")
        for garbage in (b"GET / HTTP/1.0\r\n\r\n", b"K\xff\xff\xff\xff", b"M" * 1000):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(garbage)
            assert await reader.read() == b""
            writer.close()
        await at_bob.engine.send("still here")
        assert (await at_alice.until(Message)).text == "still here"


# A contact's pin is dropped.


async def test_a_forgotten_contact_is_new_again() -> None:
    alice, bob = person("alice"), person("bob")
    await meet(alice, bob)
    async with opened(alice) as at_alice:
        assert [one.name for one in at_alice.engine.contacts()] == ["bob"]
        await at_alice.engine.forget("BOB")
        assert at_alice.engine.contacts() == ()
    assert contacts(alice).contacts == ()
    told = (await meet(alice, bob))[0]
    assert told.trust is Trust.NEW


def earlier(milliseconds: int) -> int:
    return unix_ms() - milliseconds


async def test_how_a_contact_s_clock_stands_is_kept_and_each_session_tells_it_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = person("alice"), person("bob")
    for slow_ms in (3_600_000, -7_200_000):
        async with opened(alice) as at_alice, opened(bob) as at_bob:
            address = await at_alice.host()
            monkeypatch.setattr(conversation, "unix_ms", partial(earlier, slow_ms))
            await secured(at_alice, at_bob, address)
            monkeypatch.undo()
        for profile in (alice, bob):
            (contact,) = contacts(profile).contacts
            assert contact.clock is not None
            assert round(contact.clock.milliseconds, -5) == slow_ms
            assert contact.clock.when >= contact.first_seen
