"""What a face may ask of the engine, and the one sentence it gets where that is impossible."""

import asyncio
import socket
from pathlib import Path

import pytest
from chat_people import contacts, opened, person, secured, talking
from chat_raw import answering

from securechat_tui import __version__
from securechat_tui.chat.account import login_name
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Dialing,
    Hosting,
    IdentityNeeded,
    Listening,
    Message,
    Ready,
    Refused,
    Trust,
)
from securechat_tui.chat.views import Counters
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.errors import BadIdentity, DamagedContacts, ProfileInUse
from securechat_tui.storage.profile import Profile


async def refused(code: str, command: object) -> str:
    with pytest.raises(CommandError) as error:
        await command  # type: ignore[misc]
    assert error.value.code == code
    return str(error.value)


async def test_a_first_run_makes_an_identity_and_keeps_it(home: Path) -> None:
    async with opened(Profile.named("fresh")) as face:
        assert (await face.until(IdentityNeeded)).suggested_name == login_name()
        assert face.engine.identity is None
        for command in (face.engine.host("127.0.0.1:0"), face.engine.join("127.0.0.1")):
            assert "identity" in await refused("no-identity", command)
        await face.engine.create_identity("  Zoë\x1b ")
        ready = await face.until(Ready)
        identity = face.engine.identity
        assert identity is not None
        assert (ready.profile, ready.fingerprint, ready.version) == (
            "fresh",
            identity.fingerprint,
            __version__,
        )
        assert ready.name == identity.name
        assert "\x1b" not in ready.name
        assert (identity.key_bits, identity.folder) == (3072, str(home / "profiles" / "fresh"))
        assert identity.randomart
        await refused("exists", face.engine.create_identity("again"))
    async with opened(Profile.named("fresh")) as face:
        ready = await face.until(Ready)
        assert (ready.fingerprint, ready.name) == (identity.fingerprint, identity.name)
        assert face.all(IdentityNeeded) == []


async def test_an_engine_that_cannot_open_lets_the_profile_go() -> None:
    profile = person("alice")
    good = profile.identity_path.read_bytes()
    profile.identity_path.write_bytes(b"garbage")
    with pytest.raises(BadIdentity):
        await Engine(Profile.named("alice")).__aenter__()
    profile.identity_path.write_bytes(good)
    profile.contacts_path.write_bytes(b"garbage")
    profile.contacts_path.chmod(0o600)
    with pytest.raises(DamagedContacts):
        await Engine(Profile.named("alice")).__aenter__()
    profile.contacts_path.unlink()
    async with opened(Profile.named("alice")), Engine(person("bob")):
        with pytest.raises(ProfileInUse):
            await Engine(Profile.named("alice")).__aenter__()


@pytest.mark.usefixtures("quick_keys")
class TestCommands:
    async def test_hosting_once(self) -> None:
        async with opened(person("alice")) as alice:
            assert not alice.engine.is_hosting
            await alice.host()
            assert alice.engine.is_hosting
            await refused("busy", alice.engine.host("127.0.0.1:0"))
            await alice.engine.stop_hosting()
            assert not alice.engine.is_hosting
            assert [one.active for one in await alice.until_many(2, Hosting)] == [True, False]
            await alice.engine.stop_hosting()
            await alice.engine.host("127.0.0.1:0")
            assert len(await alice.until_many(2, Listening)) == 2

    async def test_hosting_where_the_configuration_says(self) -> None:
        profile = person("alice")
        with profile:
            save_config(profile, Config(name="alice", bind="127.0.0.1:0"))
        async with opened(profile) as alice:
            await alice.engine.host()
            assert (await alice.until(Listening)).address == "127.0.0.1"

    async def test_hosting_where_that_is_impossible(self) -> None:
        async with opened(person("alice")) as alice:
            await refused("bad-address", alice.engine.host("not an address"))
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                address = f"127.0.0.1:{taken.getsockname()[1]}"
                assert str(taken.getsockname()[1]) in await refused(
                    "cannot-listen", alice.engine.host(address)
                )
            assert not alice.engine.is_hosting

    async def test_joining_what_is_no_address(self) -> None:
        async with opened(person("alice")) as alice:
            for text in ("", "no such name", "1.2.3", "127.0.0.1:99999", "http://127.0.0.1"):
                await refused("bad-address", alice.engine.join(text))
            assert alice.all(Dialing) == []

    async def test_who_is_here_is_not_joined_again(self) -> None:
        async with talking(person("alice"), person("bob")) as (alice, bob):
            for target in (alice.address, "alice"):
                assert await refused("busy", bob.engine.join(target)) == "alice is here already."
            assert await refused("busy", bob.engine.talk("alice")) == "alice is here already."
            assert await refused("bad-address", alice.engine.join("bob"))
            assert bob.all(Dialing) == []

    async def test_one_attempt_at_a_time_until_it_is_given_up(self) -> None:
        async with opened(person("bob")) as bob, answering() as desk:
            await bob.engine.join(desk.address)
            await refused("busy", bob.engine.join(desk.address))
            silent = await desk.next("alice")
            await bob.engine.leave()
            await silent.until_closed()
            await refused("no-conversation", bob.engine.leave())
            await bob.engine.join(desk.address)
            await bob.until_many(2, Dialing)
            assert bob.all(Refused) == []

    async def test_quitting_while_dialing(self) -> None:
        async with answering() as desk:
            async with opened(person("bob")) as bob:
                await bob.engine.join(desk.address)
                silent = await desk.next("alice")
            await silent.until_closed()
            assert silent.session.handshaking

    async def test_a_conversation_is_named_by_its_id(self) -> None:
        async with talking(person("alice"), person("bob")) as (alice, bob):
            (mine,), (theirs,) = alice.engine.conversations, bob.engine.conversations
            assert mine == theirs
            await alice.engine.send("by its id", conversation=mine)
            assert (await bob.until(Message)).conversation == mine
            for wrong in ("", "not hexadecimal", "00" * 32):
                await refused("no-conversation", alice.engine.send("to nobody", conversation=wrong))
                await refused("no-conversation", alice.engine.leave(wrong))
                assert alice.engine.counters(wrong) == Counters()
            assert alice.engine.conversations == (mine,)

    async def test_a_conversation_outlives_hosting(self) -> None:
        async with talking(person("alice"), person("bob")) as (alice, bob):
            await alice.engine.stop_hosting()
            await bob.engine.send("still here")
            assert (await alice.until(Message)).text == "still here"
            await bob.engine.leave()
            await alice.until(Closed)

    async def test_blocking_refuses_and_unblocking_gives_back_what_was(self) -> None:
        alice, bob = person("alice"), person("bob")
        async with talking(alice, bob) as (at_alice, at_bob):
            await refused("unknown-contact", at_alice.engine.block("nobody", blocked=True))
            await at_alice.engine.block("bob", blocked=True)
            await asyncio.gather(at_alice.until(Closed), at_bob.until(Closed))
            (contact,) = contacts(alice).contacts
            assert contact.trust is Trust.BLOCKED
            at_bob.forget()
            await at_bob.engine.join("alice")
            assert (await at_alice.until(Refused)).reason == "blocked"
            assert (await at_bob.until(Refused)).reason == "handshake"
            await at_alice.engine.block("bob", blocked=False)
            at_alice.forget()
            assert (await secured(at_alice, at_bob, "alice"))[0].trust is Trust.PINNED
        (contact,) = contacts(alice).contacts
        assert [change.how for change in contact.history] == ["first contact", "blocked", "unblocked"]

    async def test_forgetting(self) -> None:
        alice = person("alice")
        async with opened(alice) as at_alice, opened(person("bob")) as at_bob:
            sentence = await refused("unknown-contact", at_alice.engine.forget("bo\x1bb"))
            assert "\x1b" not in sentence
            await secured(at_alice, at_bob, await at_alice.host())
            (seen,) = at_alice.engine.contacts()
            assert (seen.name, seen.fingerprint) == ("bob", at_bob.fingerprint)
            assert seen.history[0].how == "first contact"
            await at_alice.engine.forget("bob")
        assert contacts(alice).contacts == ()

    async def test_addresses_of_a_contact_are_told_last_first(self) -> None:
        async with opened(person("alice")) as alice, opened(person("bob")) as bob:
            await secured(alice, bob, await alice.host())
            assert bob.engine.contacts()[0].addresses == (alice.address,)
