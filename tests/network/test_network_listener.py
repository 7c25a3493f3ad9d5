"""Listening: where, why not, how many, and what happens to those who come."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest
from network_fakes import PATIENCE, FakeKey, FakeSession, Note, Peer, Recorder, as_key, as_session

from securechat_tui.network import sockets
from securechat_tui.network.addresses import Address
from securechat_tui.network.admission import Limits
from securechat_tui.network.connection import Connection
from securechat_tui.network.listener import CannotListen, Listener
from securechat_tui.network.sockets import ANY_HOST
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.session import Session

LOCAL = Address("127.0.0.1", 0)


class House:
    """A listener, its sessions and what it has told."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.recorder = Recorder()
        self.sessions: list[FakeSession] = []
        self.make: Callable[[], FakeSession] = FakeSession
        self.listener = Listener(
            self._session,
            as_key(FakeKey()),
            on_connection=self.recorder.on_connection,
            on_events=self.recorder.on_events,
            on_failure=self.recorder.on_failure,
            limits=limits,
        )

    def _session(self, _now: Instant) -> Session:
        self.sessions.append(self.make())
        return as_session(self.sessions[-1])

    async def guests(self, count: int) -> list[Connection]:
        """Wait until ``count`` connections have been accepted in all."""
        await self.recorder.until(lambda: len(self.recorder.connections) >= count)
        return self.recorder.connections


@asynccontextmanager
async def open_house(bind: Address = LOCAL, limits: Limits | None = None) -> AsyncIterator[House]:
    house = House(limits)
    await house.listener.start(bind)
    try:
        yield house
    finally:
        await house.listener.stop()
        for connection in house.recorder.connections:
            connection.abort()
            async with asyncio.timeout(PATIENCE):
                await connection.wait_closed()


@contextlib.contextmanager
def guest_at(address: Address) -> Iterator[Peer]:
    with socket.create_connection((address.host, address.port)) as sock:
        sock.setblocking(False)
        yield Peer(sock)


async def gone(peer: Peer) -> bool:
    """Whether the host ends the connection, by FIN or by RST."""
    try:
        return await peer.read(1) == b""
    except ConnectionError:
        return True


# -- where ---------------------------------------------------------------------------------------


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
async def test_by_default_both_families_listen_on_one_free_port() -> None:
    async with open_house(Address(ANY_HOST, 0)) as house:
        four, six = house.listener.addresses
        assert (four.host, six.host) == (ANY_HOST, "::")
        assert four.port == six.port != 0
        with guest_at(Address("127.0.0.1", four.port)), guest_at(Address("::1", six.port)):
            found = await house.guests(2)
            assert {connection.peer_address.host for connection in found} == {"127.0.0.1", "::1"}


async def test_without_ipv6_listening_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def without_ipv6(family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no such family")
        return real(family, kind)

    monkeypatch.setattr("socket.socket", without_ipv6)
    opened = sockets.open_sockets(Address(ANY_HOST, 0), (ANY_HOST, "::"))
    assert [sock.family for sock in opened] == [socket.AF_INET]
    opened[0].close()
    with pytest.raises(CannotListen) as raised:
        sockets.open_sockets(Address("::", 0), ("::",))
    assert raised.value.code == "not-here"


async def test_a_port_that_is_free_for_one_family_only_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    real, taken = sockets._open_one, [OSError(errno.EADDRINUSE, "taken")] * 3

    def sometimes_taken(host: str, port: int) -> socket.socket:
        if ":" in host and taken:
            raise taken.pop()
        return real("127.0.0.1" if ":" not in host else host, port)

    monkeypatch.setattr(sockets, "_open_one", sometimes_taken)
    for sock in sockets.open_sockets(Address(ANY_HOST, 0), (ANY_HOST, "::1")):
        sock.close()
    assert not taken


async def test_a_name_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolver(host: str, port: int, *_: object, **_options: int) -> list[object]:
        return list(real(host.replace("box.invalid", "127.0.0.1"), port, type=socket.SOCK_STREAM))

    monkeypatch.setattr("socket.getaddrinfo", resolver)
    async with open_house(Address("box.invalid", 0)) as house:
        assert [address.host for address in house.listener.addresses] == ["127.0.0.1"]


# -- why not -------------------------------------------------------------------------------------


async def refusal(bind: Address) -> CannotListen:
    house = House()
    with pytest.raises(CannotListen) as raised:
        await house.listener.start(bind)
    assert house.listener.addresses == ()
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert ": " in sentence
    return raised.value


async def test_a_port_in_use() -> None:
    async with open_house() as house:
        taken = house.listener.addresses[0]
        error = await refusal(taken)
    assert error.code == "port-in-use"
    assert str(taken.port) in str(error)


async def test_the_last_port_in_use_suggests_one_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_to_bind(monkeypatch, errno.EADDRINUSE)
    assert "65534" in str(await refusal(Address("127.0.0.1", 65535)))


async def test_an_address_of_another_machine() -> None:
    error = await refusal(Address("203.0.113.1", 8000))
    assert error.code == "not-here"
    assert "203.0.113.1" in str(error)


async def test_an_interface_that_is_not_there() -> None:
    assert (await refusal(Address("fe80::1%nosuch0", 8000))).code == "not-here"


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EACCES, "no-permission"), (errno.EPERM, "no-permission"), (errno.EIO, "failed")],
)
async def test_a_system_that_refuses(monkeypatch: pytest.MonkeyPatch, number: int, code: str) -> None:
    fail_to_bind(monkeypatch, number)
    assert (await refusal(Address("127.0.0.1", 80))).code == code


async def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr("socket.getaddrinfo", nowhere)
    error = await refusal(Address("nowhere.invalid", 8000))
    assert error.code == "no-such-name"
    assert "nowhere.invalid" in str(error)


async def test_starting_twice_is_the_callers_mistake() -> None:
    async with open_house() as house:
        with pytest.raises(RuntimeError):
            await house.listener.start(LOCAL)


def fail_to_bind(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(_host: str, _port: int) -> NoReturn:
        raise OSError(number, "refused by the system")

    monkeypatch.setattr(sockets, "_open_one", fail)


# -- who comes -----------------------------------------------------------------------------------


async def test_a_guest_gets_a_session_and_is_heard() -> None:
    async with open_house() as house:
        house.make = lambda: FakeSession(lambda chunk: [Note(chunk.decode())])
        with guest_at(house.listener.addresses[0]) as peer:
            (connection,) = await house.guests(1)
            await peer.send(b"hello")
            await house.recorder.until(lambda: house.recorder.events == [Note("hello")])
            assert house.listener.unfinished == (connection,)
            assert connection.peer_address == Address("127.0.0.1", peer.sock.getsockname()[1])
            peer.finish()
            assert await peer.read_all() == b""
            await connection.wait_closed()
            assert not house.listener.unfinished


async def test_the_seventeenth_unfinished_handshake_is_turned_away_and_the_others_live_on() -> None:
    async with open_house() as house:
        with contextlib.ExitStack() as stack:
            place = house.listener.addresses[0]
            inside = [stack.enter_context(guest_at(place)) for _ in range(16)]
            await house.guests(16)
            assert await gone(stack.enter_context(guest_at(place)))
            await inside[0].send(b"still here")
            await house.sessions[0].until_received(10)
            assert len(house.recorder.connections) == 16
            inside[1].reset()
            await house.recorder.connections[1].wait_closed()
            stack.enter_context(guest_at(place))
            await house.guests(17)


async def test_finished_handshakes_take_no_place() -> None:
    async with open_house(limits=Limits(unfinished=1)) as house:
        with contextlib.ExitStack() as stack:
            for count in range(1, 5):
                peer = stack.enter_context(guest_at(house.listener.addresses[0]))
                await house.guests(count)
                house.sessions[-1].handshaking = False
                await peer.send(b"x")
                await house.sessions[-1].until_received(1)
            assert house.listener.unfinished == ()
            assert not any(connection.closing for connection in house.recorder.connections)


async def test_a_newcomer_takes_the_place_of_one_who_had_his_time() -> None:
    async with open_house(limits=Limits(unfinished=2, loopback_fair_time=0.0)) as house:
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(guest_at(house.listener.addresses[0])) for _ in range(2)]
            await house.guests(2)
            stack.enter_context(guest_at(house.listener.addresses[0]))
            await house.guests(3)
            assert await gone(peers[0])
            assert len(house.listener.unfinished) == 2


async def test_a_burst_of_callers_is_accepted_one_per_turn_of_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = asyncio.get_running_loop()
    real, turn, seen = loop.sock_accept, 0, list[int]()

    def count() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(count)

    async def accept(sock: socket.socket) -> tuple[socket.socket, object]:
        accepted = await real(sock)
        seen.append(turn)
        return accepted

    monkeypatch.setattr(loop, "sock_accept", accept)
    count()
    async with open_house(limits=Limits(unfinished=1)) as house:
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(guest_at(house.listener.addresses[0])) for _ in range(40)]
            for peer in peers[1:]:
                assert await gone(peer)
            await peers[0].send(b"undisturbed")
            await house.sessions[0].until_received(11)
            assert len(house.sessions) == 1
    assert len(seen) == len(set(seen)) == 40


async def test_stopping_drops_unfinished_handshakes_and_leaves_conversations_alone() -> None:
    async with open_house() as house:
        place = house.listener.addresses[0]
        with guest_at(place) as talking, guest_at(place) as unfinished:
            await house.guests(2)
            house.sessions[0].handshaking = False
            await talking.send(b"x")
            await house.sessions[0].until_received(1)
            await house.listener.stop()
            assert house.listener.addresses == ()
            assert await gone(unfinished)
            await talking.send(b"y")
            await house.sessions[0].until_received(2)
            with pytest.raises(ConnectionRefusedError), guest_at(place):
                pass
        await house.listener.stop()


async def test_a_stopped_listener_can_start_again_at_the_same_port() -> None:
    async with open_house() as house:
        place = house.listener.addresses[0]
        with guest_at(place):
            await house.guests(1)
            await house.listener.stop()
            assert await house.listener.start(place) == (place,)


# -- trouble -------------------------------------------------------------------------------------


async def test_running_out_of_descriptors_only_delays_callers(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    real, failures = loop.sock_accept, [errno.EMFILE, errno.ENOBUFS, errno.ECONNABORTED]

    async def starved(sock: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise OSError(failures.pop(), "starved")
        return await real(sock)

    monkeypatch.setattr(loop, "sock_accept", starved)
    async with open_house(limits=Limits(pause=0.0)) as house:
        with guest_at(house.listener.addresses[0]):
            await house.guests(1)
    assert not failures


async def test_a_failing_handler_of_connections_costs_that_caller_alone() -> None:
    async with open_house() as house:

        def fail(_connection: Connection) -> NoReturn:
            raise LookupError("the engine's mistake")

        house.listener._on_connection = fail
        with guest_at(house.listener.addresses[0]) as peer:
            assert await gone(peer)
        assert [failure.kind for failure in house.recorder.failures] == ["LookupError"]
        assert house.listener.unfinished == ()
        house.listener._on_connection = house.recorder.on_connection
        with guest_at(house.listener.addresses[0]):
            await house.guests(1)


async def test_a_caller_who_is_gone_before_the_welcome_leaves_nothing_behind() -> None:
    async with open_house() as house:
        with guest_at(house.listener.addresses[0]) as peer:
            peer.reset()
        with guest_at(house.listener.addresses[0]):
            found = await house.guests(2)
            await found[0].wait_closed()
            assert house.listener.unfinished == (found[1],)
