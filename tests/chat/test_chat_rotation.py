"""A contact's new key that the old one has signed: nothing passes until a person decides."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from chat_people import (
    SAFETY_SECONDS,
    Face,
    compared,
    contacts,
    key_of,
    met,
    opened,
    person,
    secured,
    write_identity,
)
from protocol_peers import identity_key

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    Delivered,
    Error,
    Gate,
    Invite,
    Message,
    Peer,
    Queued,
    Refused,
    Rejected,
    Secure,
    TrustChanged,
)
from securechat_tui.chat.journal import Journal
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.events import PayloadReceived, SessionEvent
from securechat_tui.protocol.payloads import Resume
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.signing import conversation_id
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import save_statements
from securechat_tui.trust.pins import Pins
from securechat_tui.trust.states import Trust

pytestmark = pytest.mark.usefixtures("quick_keys")


def rotate(profile: Profile, old: str, new: str) -> None:
    """Give a person another key, signed by the one it had."""
    with profile:
        save_statements(profile, [Rotation.sign(identity_key(old), identity_key(new).public, 1)])
        write_identity(profile, new)


@asynccontextmanager
async def rotated_guest(alice: Profile, bob: Profile) -> AsyncIterator[tuple[Face, Face]]:
    """Bob, whom the host alice knows, calls with a new key; alice stands at her gate."""
    await met(alice, bob)
    rotate(bob, "bob", "mallory")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host(), new=True)
        gate = await at_alice.until(Gate)
        assert gate.reason == "rotation"
        assert gate.message.startswith("bob has a new key, signed by the one you pinned on ")
        await at_bob.until(Peer)
        yield at_alice, at_bob


async def test_a_person_accepts_it_and_it_is_no_more_than_pinned() -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        told = await at_alice.until(Peer)
        assert (told.trust, told.contact) == (Trust.NEW, f"unverified {key_of('mallory').short}")
        with pytest.raises(CommandError, match="until you have decided"):
            await at_alice.engine.send("not yet")
        assert contacts(alice).contacts[0].fingerprint == key_of("bob")
        await at_alice.engine.accept_key()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
        changed = await at_alice.until(TrustChanged)
        assert (changed.trust, changed.contact) == (Trust.PINNED, "bob")
        await at_bob.engine.send("new key")
        assert (await at_alice.until(Message)).name == "bob"
    (contact,) = contacts(alice).contacts
    assert (contact.name, contact.fingerprint, contact.trust) == ("bob", key_of("mallory"), Trust.PINNED)
    assert (contact.former, contact.announced) == ((key_of("bob"),), None)
    assert contact.history[-1].how == "new key, signed by the old one"


async def test_codes_that_are_the_same_make_it_verified() -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        await compared(at_alice, at_bob)
        await at_alice.engine.match()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
    assert contacts(alice).contacts[0].trust is Trust.VERIFIED


async def test_leaving_decides_nothing_and_another_successor_is_a_changed_key() -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        before = contacts(alice).contacts[0]
        await at_alice.engine.leave()
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))
        assert at_alice.order(Secure, Queued) == []
    (kept,) = contacts(alice).contacts
    assert (kept.fingerprint, kept.trust, kept.announced) == (key_of("bob"), Trust.PINNED, key_of("mallory"))
    assert replace(kept, announced=None) == replace(before, announced=None)
    rotate(bob, "bob", "carol")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host(), new=True)
        assert (await at_alice.until(Refused)).offered == str(key_of("carol"))
        assert at_alice.all(Peer) == []


async def differed(alice: Profile, bob: Profile) -> None:
    """Alice finds the codes with bob's new key different."""
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        await compared(at_alice, at_bob)
        await at_alice.engine.differ()
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))


async def test_a_successor_whose_codes_differ_is_not_offered_again() -> None:
    alice, bob = person("alice"), person("bob")
    await differed(alice, bob)
    (kept,) = contacts(alice).contacts
    assert (kept.fingerprint, kept.trust, kept.refused) == (key_of("bob"), Trust.PINNED, (key_of("mallory"),))
    last = kept.history[-1]
    assert (last.after, last.how, last.fingerprint) == (
        Trust.CHANGED,
        "codes compared: different",
        key_of("mallory"),
    )
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host(), new=True)
        refused = await at_alice.until(Refused)
        assert (refused.reason, refused.contact, refused.offered) == (
            "key-changed",
            "bob",
            str(key_of("mallory")),
        )
        assert "codes compared with it DIFFERED" in refused.message
        assert at_alice.order(Peer, Gate) == []
    assert contacts(alice).contacts == (kept,)


async def test_a_refused_successor_is_compared_again_or_forgotten() -> None:
    alice, bob = person("alice"), person("bob")
    await differed(alice, bob)
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        address = await at_alice.host()
        await at_alice.engine.verify_key(str(key_of("mallory")))
        await at_bob.engine.join(address, new=True)
        assert (await at_alice.until(Gate)).reason == "key-changed"
        await at_bob.until(Peer)
        with pytest.raises(CommandError, match="no new key"):
            await at_alice.engine.accept_key()
        await compared(at_alice, at_bob)
        await at_alice.engine.match()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
    (contact,) = contacts(alice).contacts
    assert (contact.fingerprint, contact.trust, contact.refused) == (key_of("mallory"), Trust.VERIFIED, ())


async def test_with_the_contact_its_refused_successor_is_forgotten_too() -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        await compared(at_alice, at_bob)
        await at_alice.engine.differ()
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))
        at_alice.forget()
        await at_alice.engine.forget("bob")
        await at_bob.engine.join(at_alice.address, new=True)
        assert (await at_alice.until(Peer)).trust is Trust.NEW
        await at_alice.until(Secure)


Decision = Callable[[Face], Awaitable[None]]
DECISIONS: dict[str, Decision] = {
    "accepted": lambda face: face.engine.accept_key(),
    "the same codes": lambda face: face.engine.match(),
    "the same numbers": lambda face: face.engine.match_safety_number(),
}


@pytest.mark.parametrize("decision", DECISIONS)
async def test_a_contact_that_was_forgotten_meanwhile_has_no_successor(decision: str) -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        await compared(at_alice, at_bob)
        await at_alice.engine.forget("bob")
        with pytest.raises(CommandError, match="have forgotten this contact meanwhile"):
            await DECISIONS[decision](at_alice)
        with pytest.raises(CommandError, match="until you have decided"):
            await at_alice.engine.send("not yet")
        assert at_alice.order(TrustChanged, Secure) == []
    assert contacts(alice) == Pins()


@pytest.mark.parametrize("decision", DECISIONS)
async def test_no_decision_at_the_gate_takes_a_block_back(decision: str) -> None:
    """Where the block has come between the answer of a person and the moment at which it is stored."""
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        await compared(at_alice, at_bob)
        account = at_alice.engine.account
        await account.change_pins(lambda pins: Pins(tuple(one.blocked(1.0) for one in pins.contacts)))
        with pytest.raises(CommandError, match="have blocked this contact meanwhile"):
            await DECISIONS[decision](at_alice)
        assert at_alice.order(TrustChanged, Secure) == []
    assert contacts(alice).contacts[0].trust is Trust.BLOCKED


async def test_to_block_a_contact_sends_away_who_would_succeed_it() -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_guest(alice, bob) as (at_alice, at_bob):
        await at_alice.engine.block("bob", blocked=True)
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))
        at_alice.forget()
        await at_bob.engine.join(at_alice.address, new=True)
        assert (await at_alice.until(Refused)).reason == "blocked"
    (contact,) = contacts(alice).contacts
    assert (contact.fingerprint, contact.trust) == (key_of("bob"), Trust.BLOCKED)


async def test_a_guest_stands_at_its_gate_for_a_host_with_a_new_key() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        address = await at_alice.host()
        await secured(at_alice, at_bob, address)
    rotate(alice, "alice", "mallory")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_alice.engine.host(address)
        await at_bob.engine.join("alice")
        assert (await at_bob.until(Gate)).reason == "rotation"
        assert at_bob.all(Refused) == []
        await at_bob.engine.accept_key()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
        await at_bob.engine.leave()
        await asyncio.gather(at_bob.until(Closed), at_alice.until(Closed))
        at_bob.forget()
        at_alice.forget()
        assert (await secured(at_alice, at_bob, "alice"))[1].trust is Trust.PINNED


@asynccontextmanager
async def rotated_while_something_waits(alice: Profile, bob: Profile) -> AsyncIterator[tuple[Face, Face]]:
    """Alice's and bob's last words wait for each other, one of hers has arrived; then bob has a new key."""
    async with opened(alice) as at_alice:
        async with opened(bob) as at_bob:
            await secured(at_alice, at_bob, await at_alice.host())
            await at_alice.engine.send("arrived")
            await at_alice.until(Delivered)
            here, there = at_alice.engine.conversations[0], at_bob.engine.conversations[0]
            await at_bob.engine.leave()
            await asyncio.gather(at_alice.until(Closed), at_bob.until(Closed))
            await at_bob.engine.send("from bob, too late", conversation=there)
        await at_alice.engine.send("for the old key", conversation=here, ref="old")
        await at_alice.engine.send("unsigned", conversation=here, signed=False)
        rotate(bob, "bob", "mallory")
        at_alice.forget()
        async with opened(bob) as at_bob:
            await at_bob.engine.join(at_alice.address, new=True)
            assert (await at_alice.until(Gate)).reason == "rotation"
            yield at_alice, at_bob


async def test_what_waits_for_the_former_key_is_settled_with_the_new_one() -> None:
    alice, bob = person("alice"), person("bob")
    async with rotated_while_something_waits(alice, bob) as (at_alice, at_bob):
        assert at_bob.all(Message) == []
        await at_alice.engine.accept_key()
        received = await at_bob.until_many(2, Message)
        assert [(one.number, one.text) for one in received] == [(1, "for the old key"), (2, "unsigned")]
        assert [one.checks.signed for one in received] == [True, False]
        assert (await at_alice.until(Delivered, lambda one: one.ref == "old")).number == 1
        assert [one.renumbered for one in await at_alice.until_many(2, Cancelled)] == [True, True]
        assert (await at_alice.until(Message)).text == "from bob, too late"
        views = {str(view.name): view for view in at_alice.engine.overview()}
        assert set(views) == {"bob", "bob (former key)"}
        kept = await at_alice.engine.history(views["bob (former key)"].id)
        assert [(one.text, one.tick) for one in kept.messages] == [
            ("arrived", "delivered"),
            ("for the old key", "cancelled"),
            ("unsigned", "cancelled"),
        ]
        with pytest.raises(CommandError) as refused:
            await at_alice.engine.send("no more", conversation=views["bob (former key)"].id)
        assert refused.value.code == "former-key"
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await at_alice.engine.send("once more")
        assert (await at_bob.until(Message)).text == "once more"
        await at_alice.until(Delivered)
        assert len(at_bob.all(Message)) == 1
        assert {view.name for view in at_bob.engine.overview()} == {"alice", "alice (former key)"}


async def test_the_word_about_a_former_conversation_waits_until_the_gate_is_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may come while the peer's first word, which was held at the gate, is still being taken."""
    alice, bob = person("alice"), person("bob")
    resumed, take = Conversation.resumed, Encounter.take
    here = conversation_id(key_of("alice"), key_of("mallory"))
    held, came = asyncio.Event(), asyncio.Event()

    async def dawdles(conversation: Conversation, word: Resume) -> bool:
        if conversation.gate:
            held.set()
        elif conversation.peer.fingerprint == key_of("mallory") and word.conversation == here:
            async with asyncio.timeout(SAFETY_SECONDS):
                await came.wait()
            for _ in range(5):
                await asyncio.sleep(0)
        return await resumed(conversation, word)

    def notes(encounter: Encounter, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        words = [one.payload for one in happened if isinstance(one, PayloadReceived)]
        if any(isinstance(one, Resume) and one.conversation != here for one in words):
            came.set()
        take(encounter, connection, happened)

    monkeypatch.setattr(Conversation, "resumed", dawdles)
    async with rotated_while_something_waits(alice, bob) as (at_alice, at_bob):
        monkeypatch.setattr(Encounter, "take", notes)
        async with asyncio.timeout(SAFETY_SECONDS):
            await held.wait()
        await at_alice.engine.accept_key()
        await at_bob.until_many(2, Message)
        assert at_alice.all(Rejected) == []


async def test_a_kill_between_the_two_conversations_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message stands in the new conversation already, and still waits in the old one."""
    alice, bob = person("alice"), person("bob")
    async with rotated_while_something_waits(alice, bob) as (at_alice, at_bob):
        commit = Journal.commit
        former = at_alice.engine.reception.conversations.known(key_of("bob"))
        assert former is not None

        async def dies(journal: Journal) -> None:
            if journal is former.journal:
                raise RuntimeError("killed")
            await commit(journal)

        monkeypatch.setattr(Journal, "commit", dies)
        await at_alice.engine.accept_key()
        assert (await at_alice.until(Error)).code == "internal"
        await at_bob.until(Closed)
    monkeypatch.undo()
    async with opened(alice) as at_alice, opened(bob) as again:
        await secured(at_alice, again, await at_alice.host())
        await again.until(Message, lambda one: one.text == "unsigned")
    async with opened(bob) as at_bob:
        (view,) = [one for one in at_bob.engine.overview() if one.name == "alice"]
        kept = await at_bob.engine.history(view.id)
        texts = [one.text for one in kept.messages if one.by == "peer"]
        assert texts == ["for the old key", "unsigned"]


async def test_what_waits_for_a_former_key_goes_to_no_heir_that_it_has_not_named() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice:
        async with opened(bob) as at_bob:
            await secured(at_alice, at_bob, await at_alice.host())
            await at_bob.engine.leave()
            await asyncio.gather(at_alice.until(Closed), at_bob.until(Closed))
        (view,) = at_alice.engine.overview()
        await at_alice.engine.send("for the old key", conversation=view.id)
        with bob:
            write_identity(bob, "mallory")
        at_alice.forget()
        async with opened(bob) as at_bob:
            await at_alice.engine.verify_key(at_bob.fingerprint)
            await at_bob.engine.join(at_alice.address)
            assert (await at_alice.until(Gate)).reason == "key-changed"
            await compared(at_alice, at_bob)
            await at_alice.engine.match()
            told = await at_alice.until(Error)
            assert told.code == "not-sent"
            assert told.message == "Written for bob's former key, so not sent to the new one: 1 message(s)."
            await asyncio.gather(at_alice.until(Secure), at_bob.until(Secure))
            await at_alice.engine.send("for the new one")
            await at_bob.until(Message, lambda one: one.text == "for the new one")
            await at_alice.engine.send("and on")
            await at_bob.until(Message, lambda one: one.text == "and on")
            assert [one.text for one in at_bob.all(Message)] == ["for the new one", "and on"]


async def test_there_is_nothing_to_accept_without_a_statement() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        with pytest.raises(CommandError, match="no new key"):
            await at_alice.engine.accept_key()


async def test_an_invite_is_burnt_by_a_new_key_that_stands_at_its_gate() -> None:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    rotate(bob, "bob", "mallory")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_alice.host()
        invite = (await at_alice.until(Invite)).invite
        await at_bob.engine.join(invite)
        assert (await at_alice.until(Gate)).reason == "rotation"
        await at_bob.until(Peer)
        await at_bob.engine.leave()
        await at_alice.until(Closed)
        async with opened(person("carol")) as at_carol:
            await at_carol.engine.join(invite)
            assert (await at_carol.until(Refused)).reason == "invite"
