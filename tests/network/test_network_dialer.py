"""Connecting: every address of a name, bounded time, one sentence for each failure."""

import asyncio
import errno
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from network_fakes import PATIENCE, FakeKey, FakeSession, Recorder, as_key, as_session

from securechat_tui.network import dialer
from securechat_tui.network.addresses import Address
from securechat_tui.network.connection import Connection
from securechat_tui.network.dialer import Backoff, CannotConnect, dial
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.session import Session


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.bind((host, 0))
        sock.listen(8)
        sock.setblocking(False)
        yield sock


async def dial_fake(
    address: Address, session: FakeSession | None = None, within: float = PATIENCE
) -> Connection:
    def factory(_now: Instant) -> Session:
        return as_session(session or FakeSession())

    recorder = Recorder()
    return await dial(
        address,
        factory,
        as_key(FakeKey()),
        on_events=recorder.on_events,
        on_failure=recorder.on_failure,
        within=within,
    )


async def ended(connection: Connection) -> None:
    connection.abort()
    async with asyncio.timeout(PATIENCE):
        await connection.wait_closed()


def resolve_to(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Make every name stand for ``hosts``; numeric ones still stand for themselves."""
    real = socket.getaddrinfo

    def resolver(host: str, port: int, *_: object, **__: object) -> list[Any]:
        meant = hosts if host.endswith(".invalid") else (host,)
        return [info for each in meant for info in real(each, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr("socket.getaddrinfo", resolver)


def connect_as(monkeypatch: pytest.MonkeyPatch, behaviour: Callable[[str], int | None]) -> list[str]:
    """Let connecting to a host fail with an errno, hang (-1) or succeed (None); returns the tries."""
    loop = asyncio.get_running_loop()
    real, tried = loop.sock_connect, list[str]()

    async def connect(sock: socket.socket, name: tuple[Any, ...]) -> None:
        tried.append(name[0])
        number = behaviour(name[0])
        if number == -1:
            await asyncio.Event().wait()
        if number is not None:
            raise OSError(number, "as the test says")
        await real(sock, name)

    monkeypatch.setattr(loop, "sock_connect", connect)
    return tried


async def refusal(address: Address, within: float = PATIENCE) -> CannotConnect:
    with pytest.raises(CannotConnect) as raised:
        await dial_fake(address, within=within)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert ": " in sentence
    assert address.host in sentence
    return raised.value


# -- success -------------------------------------------------------------------------------------


async def test_the_session_speaks_first_to_the_host() -> None:
    session = FakeSession()
    session.outgoing += b"first frame"
    with listening() as sock:
        place = Address.of_socket(sock.getsockname())
        connection = await dial_fake(place, session)
        assert connection.peer_address == place
        accepted, _ = sock.accept()
        with accepted:
            accepted.setblocking(False)
            async with asyncio.timeout(PATIENCE):
                assert await asyncio.get_running_loop().sock_recv(accepted, 99) == b"first frame"
        await ended(connection)


async def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as sock:
        resolve_to(monkeypatch, "192.0.2.1", "127.0.0.1")
        tried = connect_as(monkeypatch, lambda host: None if host == "127.0.0.1" else errno.ECONNREFUSED)
        connection = await dial_fake(Address("box.invalid", sock.getsockname()[1]))
        await ended(connection)
    assert tried == ["192.0.2.1", "127.0.0.1"]
    assert connection.peer_address.host == "127.0.0.1"


async def test_an_address_that_does_not_answer_holds_up_the_next_only_shortly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialer, "HEAD_START_SECONDS", 0.0)
    with listening() as sock:
        resolve_to(monkeypatch, "192.0.2.1", "127.0.0.1")
        connect_as(monkeypatch, lambda host: None if host == "127.0.0.1" else -1)
        await ended(await dial_fake(Address("box.invalid", sock.getsockname()[1])))


async def test_the_second_to_answer_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialer, "HEAD_START_SECONDS", 0.0)
    with listening() as sock:
        resolve_to(monkeypatch, "127.0.0.1", "127.0.0.2")
        hosts = {"127.0.0.1", "127.0.0.2"}

        async def both(host: str, port: int) -> tuple[socket.socket, Address]:
            hosts.discard(host)
            while hosts:  # noqa: ASYNC110 - both must be under way, then answer in the same turn
                await asyncio.sleep(0)
            return socket.create_connection(sock.getsockname()), Address(host, port)

        monkeypatch.setattr(dialer, "_connect_to", both)
        connection = await dial_fake(Address("box.invalid", sock.getsockname()[1]))
        ends = [sock.accept()[0] for _ in range(2)]
        for end in ends:
            end.settimeout(PATIENCE)
        await ended(connection)
        assert [end.recv(1) for end in ends] == [b"", b""]
        for end in ends:
            end.close()


@pytest.mark.parametrize(
    ("hosts", "order"),
    [
        (["a:", "b:", "1", "2"], ["a:", "1", "b:", "2"]),
        (["1", "2", "3", "a:"], ["1", "a:", "2", "3"]),
        (["1"], ["1"]),
    ],
)
def test_families_take_turns(hosts: list[str], order: list[str]) -> None:
    assert dialer._interleave(hosts) == order


# -- failure -------------------------------------------------------------------------------------


async def test_nobody_listens() -> None:
    with listening() as sock:
        place = Address.of_socket(sock.getsockname())
    assert (await refusal(place)).code == "refused"


async def test_a_socket_connected_to_itself_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loop = asyncio.get_running_loop()
    real = loop.sock_connect

    async def bind_first(sock: socket.socket, name: tuple[Any, ...]) -> None:
        sock.bind(name)
        await real(sock, name)

    monkeypatch.setattr(loop, "sock_connect", bind_first)
    assert (await refusal(Address("127.0.0.1", port))).code == "refused"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ECONNREFUSED, "refused"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.ENETUNREACH, "network-down"),
        (errno.ETIMEDOUT, "timed-out"),
        (errno.EACCES, "forbidden"),
        (errno.EADDRNOTAVAIL, "unreachable"),
        (errno.EIO, "failed"),
    ],
)
async def test_each_failure_of_the_system_has_its_sentence(
    monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    connect_as(monkeypatch, lambda _: number)
    assert (await refusal(Address("192.0.2.1", 8000))).code == code


async def test_of_several_failures_the_most_telling_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "192.0.2.1", "192.0.2.2", "192.0.2.3")
    numbers = {"192.0.2.1": errno.ENETUNREACH, "192.0.2.2": errno.ECONNREFUSED, "192.0.2.3": errno.EIO}
    tried = connect_as(monkeypatch, numbers.__getitem__)
    assert (await refusal(Address("box.invalid", 8000))).code == "refused"
    assert len(tried) == 3


async def test_a_host_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    connect_as(monkeypatch, lambda _: -1)
    assert (await refusal(Address("192.0.2.1", 8000), within=0.01)).code == "timed-out"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "no-such-name"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "lookup-failed"),
        (UnicodeError("label too long"), "no-such-name"),
    ],
)
async def test_a_name_that_does_not_resolve(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def nowhere(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("socket.getaddrinfo", nowhere)
    refused = await refusal(Address("nowhere.invalid", 8000))
    assert refused.code == code
    assert "nowhere.invalid" in str(refused)


async def test_a_name_without_internet_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)
    assert (await refusal(Address("box.invalid", 8000))).code == "no-such-name"


async def test_a_name_with_very_many_addresses_is_tried_eight_times(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, *(f"192.0.2.{last}" for last in range(1, 100)))
    tried = connect_as(monkeypatch, lambda _: errno.ECONNREFUSED)
    await refusal(Address("box.invalid", 8000))
    assert len(tried) == 8


async def test_an_interface_that_is_not_there_is_a_plain_failure() -> None:
    assert (await refusal(Address("fe80::1%nosuch0", 8000))).code == "failed"


async def test_a_session_that_cannot_be_made_leaves_no_socket() -> None:
    def fail(_now: Instant) -> NoReturn:
        raise LookupError("the engine's mistake")

    recorder = Recorder()
    with listening() as sock:
        with pytest.raises(LookupError):
            await dial(
                Address.of_socket(sock.getsockname()),
                fail,
                as_key(FakeKey()),
                on_events=recorder.on_events,
                on_failure=recorder.on_failure,
            )
        accepted, _ = sock.accept()
        with accepted:
            accepted.settimeout(PATIENCE)
            assert accepted.recv(1) == b""


# -- dialling again ------------------------------------------------------------------------------


def test_pauses_double_up_to_a_minute() -> None:
    class NoJitter(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return (a + b) / 2

    backoff = Backoff(NoJitter())
    assert [next(backoff) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    backoff.reset()
    assert next(iter(backoff)) == 1


def test_jitter_stays_within_a_quarter_and_differs() -> None:
    pauses = [next(Backoff()) for _ in range(200)]
    assert all(0.75 <= pause <= 1.25 for pause in pauses)
    assert len(set(pauses)) > 100
