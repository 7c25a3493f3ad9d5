"""To talk with a contact: whoever calls, one session stands, and again after a cut, until a person leaves."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from chat_people import Face, change_contact, key_of, met, opened, person, secured
from chat_raw import answering, call

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Delivered,
    Dialing,
    Error,
    Hosting,
    Listening,
    Message,
    Notice,
    Peer,
    Queued,
    Refused,
    Secure,
)
from securechat_tui.network import backoff
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.profile import Profile

pytestmark = pytest.mark.usefixtures("quick_keys")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.05)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def listens_at(profile: Profile, port: int) -> None:
    with profile:
        save_config(profile, Config(name=profile.name, bind=f"127.0.0.1:{port}"))


def was_met_at(profile: Profile, name: str, *ports: int) -> None:
    """Let a contact have been reached at these ports, the last one most recently."""
    addresses = tuple(("127.0.0.1", port) for port in ports)
    change_contact(profile, key_of(name), lambda contact: replace(contact, addresses=addresses))


@asynccontextmanager
async def acquainted(*, both: bool = True) -> AsyncIterator[tuple[Profile, Profile]]:
    """Two who have met, each with a port that the other knows; unless ``both``, bob's is unknown."""
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    hers, his = free_port(), free_port()
    listens_at(alice, hers)
    listens_at(bob, his)
    was_met_at(bob, "alice", hers)
    was_met_at(alice, "bob", *((his,) if both else ()))
    yield alice, bob


async def stands(one: Face, other: Face) -> None:
    """Check that one session stands, the same at both ends, and that it carries messages."""
    await asyncio.gather(one.until(Secure), other.until(Secure))
    async with asyncio.timeout(10.0):
        while session_ids(one) != session_ids(other) or len(session_ids(one)) != 1:  # noqa: ASYNC110
            await asyncio.sleep(0)  # one of two crossing sessions is still on its way out
    for author, reader in ((one, other), (other, one)):
        await author.engine.send("are you there?")
        await reader.until(Message)


def session_ids(face: Face) -> list[bytes]:
    connections = [one.connection for one in face.engine.reception.presence.sessions()]
    return [one.session.session_id for one in connections if one is not None and not one.session.handshaking]


async def test_both_at_once_end_in_one_session_that_comes_back_until_one_leaves() -> None:
    async with acquainted() as (alice, bob), opened(alice) as at_alice, opened(bob) as at_bob:
        await asyncio.gather(at_alice.engine.talk("bob"), at_bob.engine.talk("alice"))
        await stands(at_alice, at_bob)
        for cutter in (at_alice, at_bob):
            at_alice.forget()
            at_bob.forget()
            connection = cutter.engine.requests.encounter(None).connection
            assert connection is not None
            connection.abort()
            await stands(at_alice, at_bob)
        at_alice.forget()
        at_bob.forget()
        await at_alice.engine.leave()
        closed = await asyncio.gather(at_alice.until(Closed), at_bob.until(Closed))
        assert [(one.by, one.will_retry, one.awaited) for one in closed] == [
            ("me", False, False),
            ("peer", False, False),
        ]
        for face in (at_alice, at_bob):
            await face.until(Hosting, lambda told: not told.active)
            assert face.engine.conversations == ()
            assert not face.engine.is_calling
            assert face.all(Refused) == []


@pytest.mark.parametrize("first", ["alice", "bob"])
async def test_who_was_host_listens_and_the_other_calls(first: str) -> None:
    async with acquainted(both=False) as (alice, bob), opened(alice) as at_alice, opened(bob) as at_bob:
        for face, other in ((at_alice, "bob"), (at_bob, "alice"))[:: 1 if first == "alice" else -1]:
            await face.engine.talk(other)
        await stands(at_alice, at_bob)
        assert at_alice.all(Dialing) == []
        assert "only been called" in at_alice.all(Notice)[0].message
        at_alice.forget()
        at_bob.forget()
        connection = at_alice.engine.requests.encounter(None).connection
        assert connection is not None
        connection.abort()
        closed = await at_alice.until(Closed)
        assert (closed.will_retry, closed.awaited) == (False, True)
        await stands(at_alice, at_bob)


async def test_what_is_written_before_anybody_is_there_arrives() -> None:
    async with acquainted() as (alice, bob), opened(alice) as at_alice, opened(bob) as at_bob:
        await at_alice.engine.talk("bob")
        (conversation,) = at_alice.engine.conversations
        await at_alice.engine.send("for bob, when he comes", ref="r", conversation=conversation)
        await at_bob.engine.talk("alice")
        assert (await at_bob.until(Message)).text == "for bob, when he comes"
        assert (await at_alice.until(Delivered)).ref == "r"
        assert at_alice.all(Peer)[0].conversation == conversation


async def test_the_address_of_last_time_comes_first_and_the_others_after_it() -> None:
    async with acquainted() as (alice, bob), opened(alice) as at_alice:
        hers, older, newest = int(at_alice.engine.account.config.bind.rpartition(":")[2]), *_ports(2)
        was_met_at(bob, "alice", hers, older, newest)
        await at_alice.engine.host()
        async with opened(bob) as at_bob:
            await at_bob.engine.talk("alice")
            await at_bob.until(Secure)
            tried = [(one.port, one.attempt) for one in at_bob.all(Dialing)]
            assert tried == [(newest, 1), (older, 1), (hers, 1)]
            assert at_bob.all(Peer)[0].returning
            assert at_bob.all(Error) == []


def _ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]


async def test_leaving_before_anybody_came_ends_it() -> None:
    async with acquainted(both=False) as (alice, _), opened(alice) as at_alice:
        await at_alice.engine.talk("bob")
        await at_alice.engine.send("for bob")
        await at_alice.engine.leave()
        assert (await at_alice.until(Closed)).message == "You have said goodbye to bob."
        await at_alice.until(Queued)
        await at_alice.until(Hosting, lambda told: not told.active)
        assert at_alice.engine.conversations == ()
        assert await at_alice.engine.flush(0) == 1, "it waits for the next time"


async def test_it_answers_nobody_unknown() -> None:
    async with acquainted(both=False) as (alice, _), opened(alice) as at_alice:
        await at_alice.engine.talk("bob", "127.0.0.1:0")
        assert (await at_alice.until(Hosting)).invited_only
        port = (await at_alice.until(Listening)).port
        async with await call(f"127.0.0.1:{port}", "carol") as carol:
            await carol.until_closed()
            assert not carol.received


async def test_where_it_cannot_listen_it_calls_alone() -> None:
    async with acquainted() as (alice, bob), opened(bob) as at_bob:
        await at_bob.engine.host()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            bind = f"127.0.0.1:{taken.getsockname()[1]}"
            async with opened(alice) as at_alice:
                await at_alice.engine.talk("bob", bind)
                assert "Calling alone" in (await at_alice.until(Notice)).message
                await at_alice.until(Secure)
                assert not at_alice.engine.is_hosting


async def test_a_host_goes_on_hosting_when_a_talk_is_over() -> None:
    async with acquainted() as (alice, bob), opened(alice) as at_alice, opened(bob) as at_bob:
        await at_alice.engine.host()
        await at_alice.engine.talk("bob")
        await at_bob.engine.talk("alice")
        await stands(at_alice, at_bob)
        await at_bob.engine.leave()
        await at_alice.until(Closed)
        assert at_alice.engine.is_hosting


async def test_another_key_at_the_address_ends_it_and_is_told() -> None:
    async with acquainted() as (alice, _), answering() as desk:
        was_met_at(alice, "bob", int(desk.address.rpartition(":")[2]))
        async with opened(alice) as at_alice:
            await at_alice.engine.talk("bob")
            false = await desk.next("carol")
            await false.until_closed()
            assert (await at_alice.until(Refused)).reason == "key-changed"
            await at_alice.until(Hosting, lambda told: not told.active)
            assert at_alice.engine.conversations == ()
            assert at_alice.all(Queued) == []


async def test_with_whom_it_cannot_be() -> None:
    async with acquainted(both=False) as (alice, bob), opened(alice) as at_alice, opened(bob) as at_bob:
        for name, code in (("nobody", "unknown-contact"), ("bob", "busy")):
            if code == "busy":
                await secured(at_alice, at_bob, await at_alice.host())
            with pytest.raises(CommandError) as refused:
                await at_alice.engine.talk(name)
            assert refused.value.code == code
        await at_alice.engine.block("bob", blocked=True)
        await at_alice.until(Closed)
        with pytest.raises(CommandError, match="unblock") as refused:
            await at_alice.engine.talk("bob")
        assert refused.value.code == "blocked"
        await at_alice.engine.stop_hosting()
        await at_alice.engine.block("bob", blocked=False)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(CommandError) as refused:
                await at_alice.engine.talk("bob", f"127.0.0.1:{taken.getsockname()[1]}")
        assert refused.value.code == "cannot-listen"
        assert at_alice.engine.conversations == ()
