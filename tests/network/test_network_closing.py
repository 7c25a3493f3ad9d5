"""How a connection ends: cleanly, cut, half-closed, or by a failure of its handler."""

import asyncio
import errno
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
from network_fakes import (
    PATIENCE,
    FakeKey,
    FakeSession,
    Note,
    Recorder,
    as_key,
    as_session,
    linked,
    make_connection,
)

from securechat_tui.network import connection as module
from securechat_tui.network.addresses import Address
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.events import SessionEvent, SignatureNeeded

SECRET = "the peer's words, or a secret"


async def closed(connection: Connection) -> None:
    async with asyncio.timeout(PATIENCE):
        await connection.wait_closed()


async def test_the_peer_reads_the_last_words_although_its_own_were_left_unread() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection) as peer:
        connection.pause_reading()
        await peer.send(bytes(100_000))
        session.outgoing += b"goodbye"
        connection.close(within=10 * PATIENCE)
        # No reset: the end of the stream comes after the last words, and sending still works.
        assert await peer.read_all() == b"goodbye"
        await peer.send(b"more that nobody reads")
        peer.finish()
        await closed(connection)
    assert not session.received


async def test_a_session_that_ends_closes_its_connection() -> None:
    session = FakeSession(lambda _: [Note("end")])
    recorder = Recorder()
    connection = make_connection(session, recorder)
    async with linked(connection) as peer:
        session.closed = True
        await peer.send(b"x")
        assert await peer.read_all() == b""
        peer.finish()
        await closed(connection)
    assert recorder.events == [Note("end")]


async def test_a_large_remainder_is_written_before_the_end() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    amount = 4 * module.WRITE_HIGH
    async with linked(connection, buffer_bytes=8192) as peer:
        session.outgoing += bytes(amount)
        connection.close()
        assert len(await peer.read_all()) == amount
        peer.finish()
        await closed(connection)


async def test_a_peer_that_does_not_finish_is_cut() -> None:
    connection = make_connection(FakeSession(), Recorder())
    async with linked(connection):
        connection.close(within=0.01)
        await closed(connection)


async def test_a_peer_that_reads_nothing_cannot_delay_the_end() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection, buffer_bytes=8192) as peer:
        session.outgoing += bytes(4 * module.WRITE_HIGH)
        peer.finish()
        connection.close(within=0.01)
        await closed(connection)


async def test_a_half_closed_peer_still_gets_what_was_left() -> None:
    session, recorder = FakeSession(), Recorder()
    connection = make_connection(session, recorder)
    async with linked(connection, buffer_bytes=8192) as peer:
        amount = 4 * module.WRITE_HIGH
        session.outgoing += bytes(amount)
        connection.flush()
        peer.finish()
        await recorder.until(lambda: bool(recorder.events))
        assert recorder.events == [Note("lost")]
        assert len(await peer.read_all()) == amount
        await closed(connection)
    assert recorder.events == [Note("lost")]


async def test_a_reset_is_told_once() -> None:
    recorder = Recorder()
    connection = make_connection(FakeSession(), recorder)
    async with linked(connection) as peer:
        peer.reset()
        await closed(connection)
    assert recorder.events == [Note("lost")]


async def test_closing_again_and_flushing_afterwards_do_no_harm() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection) as peer:
        connection.close()
        connection.close()
        session.outgoing += b"too late"
        connection.flush()
        assert await peer.read_all() == b""
        peer.finish()
        await closed(connection)
        connection.flush()
        connection.pause_reading()
        connection.resume_reading()
        connection.abort()


async def test_a_connection_dropped_before_it_has_a_transport_never_speaks() -> None:
    session, recorder = FakeSession(), Recorder()
    session.outgoing += b"first frame"
    connection = make_connection(session, recorder)
    connection.abort()
    async with linked(connection) as peer:
        assert await peer.read_all() == b""
    assert recorder.events == [Note("lost")]


async def test_closing_without_a_transport_is_remembered() -> None:
    connection = make_connection(FakeSession(), Recorder())
    connection.close()
    async with linked(connection) as peer:
        assert await peer.read_all() == b""


async def test_deadlines_mean_nothing_to_a_connection_that_is_closing() -> None:
    session = FakeSession()
    session.deadline = asyncio.get_running_loop().time() + 0.01
    connection = make_connection(session, Recorder())
    async with linked(connection):
        connection.close(within=0.05)
        await closed(connection)
    assert session.timeouts == 0


async def test_settled_is_told_once_when_the_handshake_is_finished() -> None:
    settled: list[Connection] = []
    session = FakeSession()
    recorder = Recorder()
    connection = Connection(
        as_session(session),
        as_key(FakeKey()),
        Address("127.0.0.1", 1),
        on_events=recorder.on_events,
        on_failure=recorder.on_failure,
        on_settled=settled.append,
    )
    async with linked(connection) as peer:
        await peer.send(b"x")
        await session.until_received(1)
        assert not settled
        session.handshaking = False
        await peer.send(b"y")
        await session.until_received(2)
        assert settled == [connection]
    assert settled == [connection]


# -- failures ------------------------------------------------------------------------------------


@pytest.fixture
async def unhandled() -> list[dict[str, Any]]:
    """What reaches the loop's last resort; it must stay empty."""
    contexts: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    return contexts


def failing_connection(session: FakeSession, recorder: Recorder) -> Connection:
    def on_events(_connection: Connection, _events: Sequence[SessionEvent]) -> None:
        plaintext = SECRET
        raise ValueError(plaintext)

    return Connection(
        as_session(session),
        as_key(FakeKey()),
        Address("127.0.0.1", 1),
        on_events=on_events,
        on_failure=recorder.on_failure,
    )


async def test_a_failing_handler_ends_its_own_connection_and_is_told_without_secrets(
    unhandled: list[dict[str, Any]],
) -> None:
    session, recorder, healthy = FakeSession(lambda _: [Note("x")]), Recorder(), FakeSession()
    connection = failing_connection(session, recorder)
    async with linked(make_connection(healthy, Recorder())) as other, linked(connection) as peer:
        await peer.send(b"x")
        assert await peer.read_all() == b""
        await closed(connection)
        await other.send(b"still here")
        await healthy.until_received(10)
    failure = recorder.failures[0]
    assert failure.kind == "ValueError"
    assert failure.frames[-1].startswith("test_network_closing.py:")
    assert "ValueError at test_network_closing.py" in str(failure)
    assert SECRET not in repr(failure)
    assert not unhandled


async def test_a_handler_that_fails_at_a_deadline_ends_its_connection(
    unhandled: list[dict[str, Any]],
) -> None:
    session, recorder = FakeSession(), Recorder()
    session.deadline = 0.0
    session.events_at_timeout = [Note("x")]
    connection = failing_connection(session, recorder)
    async with linked(connection):
        await closed(connection)
    assert {failure.kind for failure in recorder.failures} == {"ValueError"}
    assert not unhandled


async def test_a_key_that_fails_ends_the_connection(unhandled: list[dict[str, Any]]) -> None:
    session, recorder, key = FakeSession(lambda _: [SignatureNeeded(b"x")]), Recorder(), FakeKey()
    key.failure = OSError("no key")
    connection = make_connection(session, recorder, key=key)
    async with linked(connection) as peer:
        await peer.send(b"x")
        await closed(connection)
    assert [failure.kind for failure in recorder.failures] == ["OSError"]
    assert recorder.events == [Note("lost")]
    assert not unhandled


async def test_a_key_operation_that_is_called_off_ends_the_connection(
    unhandled: list[dict[str, Any]],
) -> None:
    session, recorder, key = FakeSession(lambda _: [SignatureNeeded(b"x")]), Recorder(), FakeKey()
    key.gate.clear()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(key.sign, b"before")
        connection = make_connection(session, recorder, key=key, executor=executor)
        async with linked(connection) as peer:
            await peer.send(b"x")
            await session.until_received(1)
            executor.shutdown(wait=False, cancel_futures=True)
            await closed(connection)
        key.gate.set()
    assert recorder.events == [Note("lost")]
    assert not unhandled


async def test_a_half_close_that_fails_leaves_the_end_to_the_transport(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection):

        def fail() -> NoReturn:
            raise OSError(errno.ENOTCONN, "reset meanwhile")

        monkeypatch.setattr(connection._transport, "write_eof", fail)
        connection.close(within=0.01)
        await closed(connection)
