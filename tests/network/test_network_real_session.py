"""The real session over loopback: two friends, and peers that mean harm or nothing at all."""

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress

import pytest
from network_fakes import PATIENCE, Peer

from securechat_tui.network import clock
from securechat_tui.network.addresses import Address
from securechat_tui.network.connection import Connection
from securechat_tui.network.dialer import dial
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.network.listener import Listener
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.events import (
    Authenticated,
    Called,
    End,
    Ended,
    GuestIdentified,
    HostIdentified,
    Instant,
    RoundTripMeasured,
    SessionEvent,
    SignatureNeeded,
)
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.payloads import GoodbyeReason, Hello, HelloFlag
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.text import SafeText


class Person:
    """The least engine there is: trusts everybody and notes what happens."""

    def __init__(self, key: IdentityKey) -> None:
        self.key = key
        self.age = 0.0
        self.connections: list[Connection] = []
        self.events: list[SessionEvent] = []
        self.failures: list[HandlerFailure] = []
        self.changed = asyncio.Event()

    def host_session(self, now: Instant) -> Session:
        """Make a session that has been waiting for ``age`` seconds already."""
        return Session.host(self.key.public, Instant(now.monotonic - self.age, now.unix))

    def guest_session(self, now: Instant) -> Session:
        return Session.guest(self.key.public, now)

    def on_connection(self, connection: Connection) -> None:
        self.connections.append(connection)
        self.changed.set()

    def on_failure(self, failure: HandlerFailure) -> None:
        self.failures.append(failure)

    def on_events(self, connection: Connection, events: Sequence[SessionEvent]) -> None:
        self.events += events
        self.changed.set()
        now = clock.now()
        for event in events:
            if isinstance(event, Called):
                connection.carry_out(connection.session.admit(now))
            elif isinstance(event, HostIdentified | GuestIdentified):
                connection.carry_out(connection.session.proceed(now))
            elif isinstance(event, Authenticated):
                connection.carry_out(connection.session.confirm(now))
                connection.session.send(Hello(SafeText("somebody"), 0, HelloFlag(0)), now)

    async def until_seen(self, kind: type[SessionEvent], count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while sum(isinstance(event, kind) for event in self.events) < count:
                self.changed.clear()
                await self.changed.wait()

    @property
    def ends(self) -> list[End]:
        return [event.how for event in self.events if isinstance(event, Ended)]


@pytest.fixture(scope="module")
def keys() -> tuple[IdentityKey, IdentityKey]:
    return IdentityKey.generate(3072), IdentityKey.generate(3072)


@asynccontextmanager
async def hosting(host: Person) -> AsyncIterator[Address]:
    listener = Listener(
        host.host_session,
        host.key,
        on_connection=host.on_connection,
        on_events=host.on_events,
        on_failure=host.on_failure,
    )
    (address,) = await listener.start(Address("127.0.0.1", 0))
    try:
        yield address
    finally:
        await listener.stop()
        await over(host)
        assert not host.failures


async def over(person: Person) -> None:
    for connection in person.connections:
        connection.abort()
        async with asyncio.timeout(PATIENCE):
            await connection.wait_closed()


@contextmanager
def stranger_at(address: Address) -> Iterator[Peer]:
    with socket.create_connection((address.host, address.port)) as sock:
        sock.setblocking(False)
        yield Peer(sock)


async def read_until_cut(peer: Peer) -> bytes:
    try:
        return await peer.read_all()
    except ConnectionError:
        return b""


async def join(guest: Person, address: Address) -> Connection:
    connection = await dial(
        address, guest.guest_session, guest.key, on_events=guest.on_events, on_failure=guest.on_failure
    )
    guest.connections.append(connection)
    return connection


async def test_two_friends_meet_and_one_says_goodbye(keys: tuple[IdentityKey, IdentityKey]) -> None:
    host, guest = Person(keys[0]), Person(keys[1])
    async with hosting(host) as address:
        connection = await join(guest, address)
        await guest.until_seen(RoundTripMeasured)
        await host.until_seen(RoundTripMeasured)
        connection.carry_out(connection.session.goodbye(GoodbyeReason.LEAVING, clock.now()))
        await host.until_seen(Ended)
        await guest.until_seen(Ended)
        async with asyncio.timeout(PATIENCE):
            await connection.wait_closed()
            await host.connections[0].wait_closed()
    assert guest.ends == [End.LEFT]
    assert host.ends == [End.GOODBYE]
    assert not guest.failures


class PlainGuest:
    """A guest's session driven by hand over a plain socket, one byte at a time both ways."""

    def __init__(self, key: IdentityKey, peer: Peer) -> None:
        self.key = key
        self.peer = peer
        self.now = Instant(0.0, 0.0)
        self.session = Session.guest(key.public, self.now)
        peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def shake_hands(self) -> None:
        await self._send()
        while self.session.handshaking:
            self._take(self.session.receive(await self.peer.read(1), self.now))
            await self._send()

    async def _send(self) -> None:
        for byte in self.session.data_to_send():
            await self.peer.send(bytes((byte,)))
            await asyncio.sleep(0)

    def _take(self, events: list[SessionEvent]) -> None:
        for event in events:
            if isinstance(event, SignatureNeeded):
                self._take(self.session.signed(self.key.sign(event.message), self.now))
            elif isinstance(event, HostIdentified):
                self._take(self.session.proceed(self.now))
            elif isinstance(event, Authenticated):
                self._take(self.session.confirm(self.now))


async def test_a_handshake_in_single_bytes(keys: tuple[IdentityKey, IdentityKey]) -> None:
    host = Person(keys[0])
    async with hosting(host) as address:
        with stranger_at(address) as peer:
            guest = PlainGuest(keys[1], peer)
            await guest.shake_hands()
            await host.until_seen(Authenticated)
            assert not guest.session.closed
            assert host.ends == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\0" * 70_000,
        b"K\xff\xff\xff\xff",
        b"K\x00\x00\x00\x00",
        b"M\x00\x00\x00\x10" + bytes(16),
    ],
)
async def test_garbage_is_cut_without_a_word(keys: tuple[IdentityKey, IdentityKey], garbage: bytes) -> None:
    host = Person(keys[0])
    async with hosting(host) as address:
        with stranger_at(address) as peer:
            await peer.send(garbage)
            assert await read_until_cut(peer) == b""
        await host.until_seen(Ended)
    assert host.ends == [End.HANDSHAKE]


async def test_a_header_of_four_gigabytes_costs_no_memory(keys: tuple[IdentityKey, IdentityKey]) -> None:
    host = Person(keys[0])
    async with hosting(host) as address:
        tracemalloc.start()
        try:
            for count in range(1, 9):
                with stranger_at(address) as peer:
                    await peer.send(b"K\xff\xff\xff\xff" + bytes(1_000_000))
                    await read_until_cut(peer)
                await host.until_seen(Ended, count)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize("beginning", ["nothing", "half a K1", "a whole K1"])
async def test_a_caller_who_sends_for_ever_costs_a_few_hundred_kilobytes(
    keys: tuple[IdentityKey, IdentityKey], beginning: str
) -> None:
    """At once, before the handshake is complete; what the system keeps for a socket is not counted."""
    host = Person(keys[0])
    k1 = Session.guest(keys[1].public, clock.now()).data_to_send()
    words = {"nothing": b"", "half a K1": k1[:600], "a whole K1": k1}[beginning] + bytes(4_000_000)
    async with hosting(host) as address:
        with stranger_at(address) as peer:
            tracemalloc.start()
            try:
                with suppress(ConnectionError):
                    await peer.send(words)
                await host.until_seen(Ended)
                _, most = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert host.ends == [End.HANDSHAKE]
    assert most < 512 * 1024


async def test_a_peer_that_sends_nothing_is_cut_at_the_deadline(
    keys: tuple[IdentityKey, IdentityKey],
) -> None:
    host = Person(keys[0])
    host.age = c.HANDSHAKE_SECONDS - 0.05
    async with hosting(host) as address:
        with stranger_at(address) as peer:
            assert await read_until_cut(peer) == b""
        await host.until_seen(Ended)
    assert host.ends == [End.HANDSHAKE]


async def test_a_peer_that_sends_slowly_is_cut_at_the_same_deadline(
    keys: tuple[IdentityKey, IdentityKey],
) -> None:
    host = Person(keys[0])
    host.age = c.HANDSHAKE_SECONDS - 0.1
    async with hosting(host) as address:
        with stranger_at(address) as peer:
            await peer.send(b"K")
            await host.until_seen(Ended)
            assert await read_until_cut(peer) == b""
    assert host.ends == [End.HANDSHAKE]


async def test_hostile_peers_do_not_disturb_friends(keys: tuple[IdentityKey, IdentityKey]) -> None:
    host, guest = Person(keys[0]), Person(keys[1])
    async with hosting(host) as address:
        with ExitStack() as stack:
            slow = [stack.enter_context(stranger_at(address)) for _ in range(12)]
            for peer in slow:
                await peer.send(b"K")
            loud = stack.enter_context(stranger_at(address))
            await loud.send(b"K\xff\xff\xff\xff")
            await join(guest, address)
            await guest.until_seen(Authenticated)
            await host.until_seen(Authenticated)
            assert guest.ends == []
        await over(guest)
