"""Invites between engines: whom they admit, what burns them, and who can do nothing with them."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from chat_people import Face, change_contact, contacts, opened, person
from chat_raw import RawPeer, answering, call
from cutting_proxy import wire_to
from protocol_peers import identity_key, split_frames

from securechat_tui.chat.account import Account
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Closed, Error, Hosting, Notice, Peer, Refused, Secure, Trust
from securechat_tui.chat.events import Invite as InviteTold
from securechat_tui.chat.invitations import MAX_LIVE, LiveInvite
from securechat_tui.network import backoff
from securechat_tui.protocol import events as session_events
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.handshake import GuestHandshake, State
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.keyschedule import call_tag
from securechat_tui.storage.errors import CannotWrite
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.invites import Invite
from securechat_tui.trust.pins import BY_INVITE, Contact, Pins

pytestmark = pytest.mark.usefixtures("quick_keys")


def key_of(name: str) -> Fingerprint:
    return identity_key(name).public.fingerprint


async def invited(host: Face, *, invited_only: bool = False) -> tuple[str, Invite]:
    """Let the host listen; return its first invite, as a string and as what it says."""
    await host.engine.host("127.0.0.1:0", invited_only=invited_only)
    told = await host.until(InviteTold)
    return told.invite, Invite.parse(told.invite, time.time())


def only_live(host: Face) -> LiveInvite:
    (live,) = host.engine.reception.callers.invitations._live
    return live


async def bring(invite: Invite, name: str, first: bytes | None = None) -> RawPeer:
    """Call as a guest with an invite; ``first`` is a reconnect secret."""
    return await call(f"127.0.0.1:{invite.port}", name, (first, invite.tag_secret))


async def both_invited(alice: Face, bob: Face, text: str) -> None:
    """Let the guest join with the invite, and see that both sides call the other INVITED."""
    await bob.engine.join(text)
    for face in (alice, bob):
        await face.until(Secure)
        assert face.all(Peer)[-1].trust is Trust.INVITED


def story(profile: Profile, name: str) -> list[tuple[Trust, Trust, str]]:
    contact = contacts(profile).by_fingerprint(key_of(name))
    assert contact is not None
    return [(one.before, one.after, one.how) for one in contact.history]


# What an invite does.


async def test_both_sides_are_invited_at_first_contact() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        text, invite = await invited(at_alice)
        assert invite.endpoints == (("127.0.0.1", invite.port),)
        assert invite.fingerprint == key_of("alice")
        assert 590 < invite.expires - time.time() <= 600
        await both_invited(at_alice, at_bob, text)
        assert only_live(at_alice).guest == key_of("bob")
    for profile, other in ((alice, "bob"), (bob, "alice")):
        assert story(profile, other) == [(Trust.NEW, Trust.INVITED, BY_INVITE)]
        (contact,) = contacts(profile).contacts
        assert contact.name == other
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host())
        assert (await at_alice.until(Peer)).trust is Trust.INVITED


async def test_a_known_contact_only_rises_and_nobody_else_is_touched() -> None:
    alice, bob, carol = person("alice"), person("bob"), person("carol")
    async with opened(alice) as at_alice:
        address = await at_alice.host()
        for guest in (bob, carol):
            async with opened(guest) as at_guest:
                await at_guest.engine.join(address)
                await at_alice.until(Secure)
            await at_alice.until(Closed)
            at_alice.forget()
    verified_at = [(Trust.PINNED, Trust.VERIFIED, "comparison")]
    change_contact(bob, key_of("alice"), lambda one: one.with_trust(Trust.VERIFIED, 5.0, "comparison"))
    bystander = contacts(alice).by_fingerprint(key_of("carol"))
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        text, _ = await invited(at_alice)
        await at_bob.engine.join(text)
        assert (await at_bob.until(Peer)).trust is Trust.VERIFIED
        assert (await at_alice.until(Peer)).trust is Trust.INVITED
    assert story(alice, "bob")[1:] == [(Trust.PINNED, Trust.INVITED, BY_INVITE)]
    assert story(bob, "alice")[1:] == verified_at
    assert contacts(alice).by_fingerprint(key_of("carol")) == bystander


async def test_an_invite_opens_nothing_for_one_who_is_blocked() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        text, _ = await invited(at_alice)
        await both_invited(at_alice, at_bob, text)
    change_contact(alice, key_of("bob"), lambda one: one.with_trust(Trust.BLOCKED, 9.0, "by hand"))
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        text, _ = await invited(at_alice)
        await at_bob.engine.join(text)
        assert (await at_bob.until(Refused)).reason == "invite"
        assert only_live(at_alice).guest is None


async def test_after_a_cut_the_pins_take_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was here once is recognised by the reconnect secret; the invite is not shown again."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        _, invite = await invited(at_alice)
        async with wire_to(f"127.0.0.1:{invite.port}") as wire:
            port = int(wire.address.rpartition(":")[2])
            await at_bob.engine.join(replace(invite, port=port).encode())
            await at_bob.until(Secure)
            at_alice.engine.reception.callers.invitations._live.clear()
            wire.cut()
            await at_bob.until_many(2, Secure)
            assert [one.trust for one in at_alice.all(Peer)] == [Trust.INVITED] * 2
            assert wire.connections == 2


async def test_the_addresses_are_tried_in_order() -> None:
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        _, invite = await invited(at_alice)
        text = replace(invite, hosts=("127.0.0.2", "127.0.0.3", "127.0.0.1")).encode()
        await both_invited(at_alice, at_bob, text)
    (contact,) = contacts(Profile.named("bob")).contacts
    assert contact.addresses == (("127.0.0.1", invite.port),)


async def test_nobody_at_any_address() -> None:
    async with answering() as desk:
        port = int(desk.address.rpartition(":")[2])
    async with opened(person("bob")) as at_bob:
        text = Invite.make(("127.0.0.2", "127.0.0.1"), port, key_of("alice"), time.time()).encode()
        await at_bob.engine.join(text)
        error = await at_bob.until(Error)
        assert error.code == "cannot-connect"
        assert "127.0.0.1" in error.message
        await at_bob.engine.join(text)


# Whom it keeps out.


async def test_another_host_at_the_address() -> None:
    """Somebody with a key of their own, between the two or in the place of one, is sent nothing."""
    async with opened(person("bob")) as at_bob, answering() as desk:
        port = int(desk.address.rpartition(":")[2])
        text = Invite.make(("127.0.0.1",), port, key_of("alice"), time.time()).encode()
        await at_bob.engine.join(text)
        mallory = await desk.next("mallory")
        await mallory.until_closed()
        assert mallory.state is State.AWAIT_S
        refused = await at_bob.until(Refused)
        assert refused.reason == "invite"
        assert "Another key answered" in refused.message
        assert "Nothing was sent" in refused.message
        assert refused.offered == str(key_of("mallory"))
        known = Contact.met(mallory.key.public, 1.0, 1)
        await at_bob.engine.account.change_pins(
            lambda pins: pins.with_contact(known).christened(known.fingerprint, "mallory")
        )
        at_bob.forget()
        await at_bob.engine.join(text)
        await (await desk.next("mallory")).until_closed()
        refused = await at_bob.until(Refused)
        assert "mallory's key answered" in refused.message
        assert refused.offered_contact == "mallory"


async def test_who_is_in_between_at_first_contact_loses_at_both_ends() -> None:
    """Towards the guest he lacks the host's key; towards the host, a tag for keys of his own."""
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob, answering() as desk:
        _, invite = await invited(at_alice)
        theirs = int(desk.address.rpartition(":")[2])
        await at_bob.engine.join(replace(invite, port=theirs).encode())
        towards_bob = await desk.next("mallory")
        towards_bob.holding = (session_events.Called,)
        await towards_bob.until(lambda: bool(towards_bob.held))
        called = towards_bob.held[0]
        assert isinstance(called, session_events.Called)
        async with await call(f"127.0.0.1:{invite.port}", "mallory") as towards_alice:
            machine = towards_alice.machine
            assert isinstance(machine, GuestHandshake)
            machine._k1 = machine._k1[:-64] + b"".join(called.tags)
            towards_alice.session.data_to_send()
            towards_alice.session._out.append(frame(FrameType.KEY, machine._k1))
            await towards_alice.open()
            assert (await at_alice.until(Peer)).trust is Trust.NEW
        assert only_live(at_alice).guest is None
        await at_alice.until(Closed)
        at_alice.forget()
        towards_bob.answer_held()
        await towards_bob.until_closed()
        assert (await at_bob.until(Refused)).reason == "invite"
        assert contacts(Profile.named("bob")).contacts == ()
        stranger = contacts(Profile.named("alice")).by_fingerprint(key_of("mallory"))
        assert stranger is not None
        assert stranger.trust is Trust.PINNED
        at_bob.forget()
        await both_invited(at_alice, at_bob, invite.encode())


async def test_a_used_invite_admits_only_the_key_that_it_has_pinned() -> None:
    async with opened(person("alice")) as at_alice, opened(person("carol")) as at_carol:
        text, invite = await invited(at_alice)
        async with await bring(invite, "bob") as bob:
            await bob.open()
            assert (await at_alice.until(Peer)).trust is Trust.INVITED
        await at_alice.until(Closed)
        at_alice.forget()
        await at_carol.engine.join(text)
        refused = await at_carol.until(Refused)
        assert (refused.reason, "Wrong or used invite" in refused.message) == ("invite", True)
        assert "who else has seen it" in (await at_alice.until(Notice)).message
        async with await bring(invite, "bob") as bob:
            await bob.open()
            assert (await at_alice.until(Peer)).trust is Trust.INVITED
    assert contacts(Profile.named("alice")).by_fingerprint(key_of("carol")) is None
    assert contacts(Profile.named("carol")).contacts == ()


async def test_two_guests_with_one_invite_cannot_both_pass() -> None:
    """The second was looked up while nobody had used it yet."""
    async with opened(person("alice")) as at_alice:
        _, invite = await invited(at_alice)
        async with await bring(invite, "bob") as bob, await bring(invite, "carol") as carol:
            for guest in (bob, carol):
                guest.holding = (session_events.Authenticated,)
                await guest.until(partial(bool, guest.held))
            bob.answer_held()
            await bob.open()
            bob.cut()
            await at_alice.until(Closed)
            carol.answer_held()
            await carol.until_closed()
            assert "who else has seen it" in (await at_alice.until(Notice)).message
    assert [one.fingerprint for one in contacts(Profile.named("alice")).contacts] == [key_of("bob")]
    assert len(list(Profile.named("alice").conversations_folder.glob("*.db"))) == 1, "carol has left nothing"


# What does not burn it.


def flip(data: bytes, place: int = -1) -> bytes:
    altered = bytearray(data)
    altered[place] ^= 1
    return bytes(altered)


@pytest.mark.parametrize("kind", ["K1", "S", "FIN"])
@pytest.mark.parametrize("deed", ["flipped", "cut"])
async def test_a_stranger_cannot_burn_it(kind: str, deed: str) -> None:
    """Each frame of the guest in turn is lost, or arrives with one bit changed."""
    number = ["K1", "S", "FIN"].index(kind)
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        text, invite = await invited(at_alice)
        async with await bring(invite, "bob") as guest:
            written = 0

            def spoil(data: bytes) -> bytes:
                nonlocal written
                arrives = b""
                for one in split_frames(data):
                    if written < number:
                        arrives += one
                    elif written == number and deed == "flipped":
                        arrives += flip(one)
                    elif written == number:
                        guest._writer.close()
                    written += 1
                return arrives

            guest.outgoing = spoil
            if (kind, deed) == ("K1", "flipped"):  # its last byte is the invite's tag: a stranger's call
                await guest.until(lambda: guest.ended is not None)
            else:
                await guest.until_closed()
            guest.cut()
        assert only_live(at_alice).guest is None
        await both_invited(at_alice, at_bob, text)


async def test_a_bit_changed_in_the_keys_makes_it_a_strangers_call() -> None:
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        text, invite = await invited(at_alice, invited_only=True)
        async with await bring(invite, "bob") as guest:
            data = guest.session.data_to_send()
            guest._writer.write(flip(data, 20))
            await guest.until_closed()
            assert guest.received == b""
        await both_invited(at_alice, at_bob, text)


async def test_a_copied_call_is_closed_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, or with the other place of its tags changed; nothing is signed for it."""
    signed: list[bytes] = []
    key = identity_key("alice")
    monkeypatch.setattr(type(key), "sign", _counting(type(key).sign, signed))
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        text, invite = await invited(at_alice)
        async with await bring(invite, "bob") as guest:
            k1 = guest.session.data_to_send()
            guest._writer.write(k1)
            await guest.until(lambda: bool(guest.received))
        assert len(signed) == 2, "the answer to the call itself, and the guest's to that"
        for copy in (k1, flip(k1, -40)):
            async with await call(f"127.0.0.1:{invite.port}", "bob") as copier:
                copier.session.data_to_send()
                copier._writer.write(copy)
                await copier.until_closed()
                assert copier.received == b""
        assert len(signed) == 2
        assert "copy of an earlier call" in at_alice.all(Notice)[-1].message
        assert only_live(at_alice).guest is None
        await both_invited(at_alice, at_bob, text)


async def test_a_pin_that_cannot_be_stored_burns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        text, invite = await invited(at_alice)
        with monkeypatch.context() as broken:

            def fail(profile: Profile, _pins: object) -> None:
                raise CannotWrite(path=profile.contacts_path, reason="no space left")

            broken.setattr("securechat_tui.chat.account.save_contacts", fail)
            async with await bring(invite, "bob") as guest:
                await guest.until_closed()
            await at_alice.until(Error)
        assert only_live(at_alice).guest is None
        await both_invited(at_alice, at_bob, text)


async def test_what_cannot_be_stored_is_undone_before_the_next_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else an invite could be taken for unused that the next handshake has burnt for good."""
    async with opened(person("alice")) as at_alice:
        account, order = at_alice.engine.account, list[str]()

        def fail(profile: Profile, _pins: object) -> None:
            raise CannotWrite(path=profile.contacts_path, reason="no space left")

        def change(name: str, pins: Pins) -> Pins:
            order.append(name)
            return Pins(pins.contacts) if name == "first" else pins

        monkeypatch.setattr("securechat_tui.chat.account.save_contacts", fail)
        first = account.change_pins(partial(change, "first"), lambda: order.append("undone"))
        results = await asyncio.gather(
            first, account.change_pins(partial(change, "second")), return_exceptions=True
        )
        assert isinstance(results[0], CannotWrite)
        assert order == ["first", "undone", "second"]


# A cut at the very end.


@pytest.mark.parametrize("arrives", [True, False], ids=["FIN-arrived", "FIN-lost"])
async def test_a_guest_who_was_cut_off_after_its_fin_comes_back(arrives: bool) -> None:
    alice = person("alice")
    async with opened(alice) as at_alice:
        _, invite = await invited(at_alice)
        async with await bring(invite, "bob") as guest:
            guest.holding = (session_events.Authenticated,)
            await guest.until(lambda: bool(guest.held))
            guest.answer_held()  # the guest has stored its pin and the new secret
            if arrives:
                await guest.until(lambda: bool(guest.payloads))
            guest.cut()
        assert only_live(at_alice).guest == (key_of("bob") if arrives else None)
        async with await bring(invite, "bob", guest.secret) as again:
            await again.open()
            assert (await at_alice.until(Peer)).trust is Trust.INVITED
    assert story(alice, "bob") == [(Trust.NEW, Trust.INVITED, BY_INVITE)]


async def test_the_guest_keeps_it_until_the_hosts_first_record() -> None:
    """Cut between its FIN and HELLO, the guest shows the invite again, beside its new secret."""
    async with opened(person("bob")) as at_bob, answering() as desk:
        port = int(desk.address.rpartition(":")[2])
        invite = Invite.make(("127.0.0.1",), port, key_of("alice"), time.time())
        await at_bob.engine.join(invite.encode())
        host = await desk.next("alice")
        await host.established()
        host.cut()
        assert (await at_bob.until(Refused)).reason == "invite"
        await at_bob.engine.join(invite.encode())
        host = await desk.next("alice")
        host.holding = (session_events.Called,)
        await host.until(lambda: bool(host.held))
        called = host.held[0]
        assert isinstance(called, session_events.Called)
        (contact,) = at_bob.engine.account.pins.contacts
        assert contact.newest is not None
        assert called.tags == (
            call_tag(contact.newest, called.core),
            call_tag(invite.tag_secret, called.core),
        )
        host.answer_held()
        await host.open()
        assert (await at_bob.until(Peer)).trust is Trust.INVITED


# A host for invited guests alone.


async def test_strangers_learn_nothing_of_a_host_for_invited_guests(monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[bytes] = []
    key = identity_key("alice")
    monkeypatch.setattr(type(key), "sign", _counting(type(key).sign, signed))
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        text, invite = await invited(at_alice, invited_only=True)
        assert at_alice.all(Hosting)[-1].invited_only
        async with await call(f"127.0.0.1:{invite.port}", "carol") as stranger:
            await stranger.until_closed()
            assert stranger.received == b""
        async with await call(f"127.0.0.1:{invite.port}", "carol", versions=(9,)) as stranger:
            await stranger.until_closed()
            assert stranger.received == b"", "no word about versions either"
        assert "without an invite" in (await at_alice.until(Notice)).message
        assert signed == []
        await both_invited(at_alice, at_bob, text)
        (secret,) = {one.newest for one in at_alice.engine.account.pins.contacts}
        await at_bob.engine.leave()
        await at_alice.until(Closed)
        at_alice.forget()
        async with await call(f"127.0.0.1:{invite.port}", "bob", (secret, None)) as again:
            await again.open()
            assert (await at_alice.until(Peer)).trust is Trust.INVITED
        await at_alice.until(Closed)
        await at_alice.engine.stop_hosting()
        async with await call(await at_alice.host(), "carol") as stranger:
            await stranger.established()


def _counting(sign: Callable[..., bytes], signed: list[bytes]) -> Callable[..., bytes]:
    def counted(key: object, message: bytes) -> bytes:
        signed.append(message)
        return sign(key, message)

    return counted


async def test_many_strangers_do_not_keep_an_invited_guest_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.callers.NEW_PINS_PER_HOUR", 0)
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        text, invite = await invited(at_alice)
        async with await call(f"127.0.0.1:{invite.port}", "carol") as stranger:
            await stranger.until_closed()
        await both_invited(at_alice, at_bob, text)


async def test_a_silent_stranger_gives_way_to_an_invited_guest() -> None:
    async with opened(person("alice")) as at_alice, opened(person("bob")) as at_bob:
        text, invite = await invited(at_alice)
        async with await call(f"127.0.0.1:{invite.port}", "carol") as stranger:
            await stranger.established()
            await stranger.until(lambda: bool(stranger.payloads))
            await both_invited(at_alice, at_bob, text)


# The command.


async def test_who_does_not_host_has_nothing_to_invite_to() -> None:
    async with opened(person("alice")) as at_alice:
        with pytest.raises(CommandError, match="host first") as raised:
            await at_alice.engine.invite()
        assert raised.value.code == "not-hosting"


async def test_only_so_many_are_in_force() -> None:
    async with opened(person("alice")) as at_alice:
        await invited(at_alice)
        for _ in range(MAX_LIVE - 1):
            await at_alice.engine.invite()
        with pytest.raises(CommandError, match="within ten minutes") as raised:
            await at_alice.engine.invite()
        assert raised.value.code == "too-many-invites"
        told = await at_alice.until_many(MAX_LIVE, InviteTold)
        assert len({one.invite for one in told}) == MAX_LIVE
        await at_alice.engine.stop_hosting()
        at_alice.forget()
        await at_alice.host()  # says that it listens, and makes no invite
        await at_alice.until(Hosting, lambda hosting: hosting.active)
        assert not at_alice.all(InviteTold)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda text: text[:-1] + ("a" if text[-1] != "a" else "e"), "typing error"),
        (lambda text: text.replace("127.0.0.1", "127.0.0.9"), "typing error"),
        (lambda text: text[:60], "typing error"),
        (lambda text: text.replace("securechat", "securecat"), "not an invite"),
    ],
    ids=["letter", "host", "short", "scheme"],
)
async def test_a_spoilt_invite_is_told_here_and_nobody_is_called(
    spoil: Callable[[str], str], sentence: str
) -> None:
    text = Invite.make(("127.0.0.1",), 9, key_of("alice"), time.time()).encode()
    async with opened(person("bob")) as at_bob:
        with pytest.raises(CommandError, match=sentence) as raised:
            await at_bob.engine.join(spoil(text))
        assert raised.value.code == "bad-invite"
        assert text[40:60] not in str(raised.value)
        assert at_bob.order(Refused, Error, Peer) == []


async def test_an_expired_one_says_both_clocks() -> None:
    text = Invite.make(("127.0.0.1",), 9, key_of("alice"), time.time() - 601).encode()
    async with opened(person("bob")) as at_bob:
        with pytest.raises(CommandError, match=r"expired at .* clock here says") as raised:
            await at_bob.engine.join(text)
        assert len(re.findall(r"\d\d:\d\d:\d\d", str(raised.value))) == 2


async def test_an_address_that_cannot_be_one() -> None:
    text = Invite.make(("300.1.1.1",), 9, key_of("alice"), time.time()).encode()
    async with opened(person("bob")) as at_bob:
        with pytest.raises(CommandError) as raised:
            await at_bob.engine.join(text)
        assert raised.value.code == "bad-invite"


async def test_the_secret_is_in_no_representation() -> None:
    async with opened(person("alice")) as at_alice:
        text, invite = await invited(at_alice)
        data = text.partition("#")[2]
        told = at_alice.all(InviteTold)[0]
        seen = [repr(told), repr(only_live(at_alice)), repr(invite), repr(Account)]
        assert not any(data in one or invite.secret.hex() in one for one in seen)
        assert not any(repr(invite.secret)[2:-1] in one for one in seen)
