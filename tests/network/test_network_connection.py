"""One connection drives one session: order, threads, time, back-pressure."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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
from securechat_tui.protocol import constants, frames
from securechat_tui.protocol.events import SessionEvent, SignatureNeeded, UnwrapNeeded

SIGN = SignatureNeeded(b"one")
UNWRAP = UnwrapNeeded(b"two", b"label", b"fallback")
TURNS = 50
"""Turns of the loop in which something that must not happen would have happened."""


async def some_turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


# -- reading -------------------------------------------------------------------------------------


async def test_the_sessions_first_bytes_go_out_unasked() -> None:
    session = FakeSession()
    session.outgoing += b"first frame"
    async with linked(make_connection(session, Recorder())) as peer:
        assert await peer.read(11) == b"first frame"


async def test_one_byte_at_a_time_arrives_whole_and_in_order() -> None:
    session, recorder = FakeSession(lambda chunk: [Note(chunk.decode())]), Recorder()
    async with linked(make_connection(session, recorder)) as peer:
        for count, letter in enumerate("abcdefgh", start=1):
            await peer.send(letter.encode())
            await session.until_received(count)
        assert recorder.events == [Note(letter) for letter in "abcdefgh"]


async def test_a_large_transfer_comes_in_bounded_chunks() -> None:
    session = FakeSession()
    data = bytes(range(256)) * 4096
    async with linked(make_connection(session, Recorder())) as peer:
        await peer.send(data)
        await session.until_received(len(data))
    assert session.received == data
    assert max(session.chunks) <= module.READ_BUFFER_BYTES


def test_the_read_buffer_fits_beside_a_partial_record() -> None:
    partial_record = frames.HEADER_LENGTH + constants.RECORD_CAP - 1
    assert partial_record + module.READ_BUFFER_BYTES <= frames.MAX_BACKLOG


async def test_the_socket_is_set_for_small_writes_and_dead_machines() -> None:
    connection = make_connection(FakeSession(), Recorder())
    async with linked(connection):
        assert connection._transport is not None
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


async def test_what_is_said_to_what_has_arrived_goes_out_in_the_same_turn() -> None:
    session, recorder = FakeSession(lambda _: [Note("asked")]), Recorder()
    connection = make_connection(session, recorder)
    scheduled: list[bool] = []

    def answer(one: Connection, events: Sequence[SessionEvent]) -> None:
        session.outgoing += b"answer"
        one.flush()
        scheduled.append(one._flush is not None)
        recorder.on_events(one, events)

    connection._on_events = answer
    async with linked(connection) as peer:
        await peer.send(b"question")
        assert await peer.read(6) == b"answer"
    assert scheduled[0] is False


async def test_reading_can_be_held_and_resumed() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection) as peer:
        connection.pause_reading()
        await peer.send(b"later")
        await some_turns()
        assert not session.received
        connection.resume_reading()
        await session.until_received(5)


# -- private-key operations ----------------------------------------------------------------------


async def test_key_operations_run_in_threads_in_order_and_other_events_are_handed_on() -> None:
    key = FakeKey()
    session = FakeSession(lambda _: [Note("a"), SIGN, Note("b"), UNWRAP])
    recorder = Recorder()
    async with linked(make_connection(session, recorder, key=key)) as peer:
        await peer.send(b"x")
        await session.until(lambda: len(session.answers) == 2)
    assert session.answers == [("signed", b"signature of one"), ("unwrapped", b"secret of two")]
    assert recorder.events[:4] == [Note("a"), Note("b"), Note("signed"), Note("unwrapped")]
    assert threading.get_ident() not in key.threads


async def test_key_operations_run_one_after_the_other_while_reading_goes_on() -> None:
    key = FakeKey()
    key.gate.clear()
    session = FakeSession(lambda _: [SIGN])
    async with linked(make_connection(session, Recorder(), key=key)) as peer:
        for count in (1, 2, 3):
            await peer.send(b"x")
            await session.until_received(count)
        await some_turns()
        assert not session.answers
        key.gate.set()
        await session.until(lambda: len(session.answers) == 3)
    assert key.most_busy == 1


async def test_an_answer_that_comes_after_the_end_is_discarded() -> None:
    key = FakeKey()
    key.gate.clear()
    session = FakeSession(lambda _: [SIGN, SIGN])
    recorder = Recorder()
    with ThreadPoolExecutor(1) as executor:
        connection = make_connection(session, recorder, key=key, executor=executor)
        async with linked(connection) as peer:
            await peer.send(b"x")
            await session.until_received(1)
            peer.reset()
            async with asyncio.timeout(PATIENCE):
                await connection.wait_closed()
            key.gate.set()
            # The one thread is free again only after the held operation has delivered its result.
            await asyncio.get_running_loop().run_in_executor(executor, int)
            await some_turns()
    assert not session.answers
    assert recorder.events == [Note("lost")]
    assert not recorder.failures


async def test_events_that_the_engine_got_from_the_session_are_carried_out() -> None:
    session, recorder = FakeSession(), Recorder()
    connection = make_connection(session, recorder)
    async with linked(connection) as peer:
        session.outgoing += b"admitted"
        connection.carry_out([Note("mine"), SIGN])
        assert await peer.read(8) == b"admitted"
        await session.until(lambda: bool(session.answers))
    assert recorder.events[:2] == [Note("mine"), Note("signed")]


# -- time ----------------------------------------------------------------------------------------


async def test_the_session_is_called_at_its_deadline() -> None:
    session, recorder = FakeSession(), Recorder()
    session.deadline = asyncio.get_running_loop().time() + 0.01
    session.events_at_timeout = [Note("time")]
    async with linked(make_connection(session, recorder)):
        await recorder.until(lambda: Note("time") in recorder.events)


async def test_a_deadline_that_has_moved_away_is_looked_at_again_but_not_kept_too_early() -> None:
    loop = asyncio.get_running_loop()
    session = FakeSession()
    session.deadline = loop.time() + 0.01
    connection = make_connection(session, Recorder())
    async with linked(connection):
        session.deadline = loop.time() + 0.05
        connection.flush()
        await session.until(lambda: session.timeouts > 0)
    assert not session.called_early


async def test_a_deadline_that_comes_nearer_replaces_the_timer() -> None:
    loop = asyncio.get_running_loop()
    session = FakeSession()
    session.deadline = loop.time() + 10 * PATIENCE
    connection = make_connection(session, Recorder())
    async with linked(connection):
        session.deadline = loop.time()
        connection.flush()
        await session.until(lambda: session.timeouts > 0)


async def test_a_deadline_that_stays_in_the_past_does_not_spin_the_loop() -> None:
    session = FakeSession()
    session.deadline = 0.0
    async with linked(make_connection(session, Recorder())):
        await session.until(lambda: session.timeouts > 0)
        before = session.timeouts
        await some_turns()
        assert session.timeouts - before <= 2


async def test_no_timer_is_left_when_the_connection_is_gone() -> None:
    session = FakeSession()
    session.deadline = asyncio.get_running_loop().time() + 10 * PATIENCE
    connection = make_connection(session, Recorder())
    async with linked(connection):
        assert connection._timer is not None
    assert connection._timer is None


# -- writing -------------------------------------------------------------------------------------


async def test_what_is_said_in_one_turn_is_written_once() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection) as peer:
        for word in (b"one ", b"two ", b"three"):
            session.outgoing += word
            connection.flush()
        assert session.writes == 0
        assert await peer.read(13) == b"one two three"
    assert session.writes == 1


async def test_a_handler_may_speak_and_flush_from_inside() -> None:
    session = FakeSession(lambda _: [Note("go")])

    def answer(connection: Connection, events: Sequence[SessionEvent]) -> None:
        session.outgoing += b"".join(b"answer" for event in events if event == Note("go"))
        connection.flush()

    recorder = Recorder()
    connection = Connection(
        as_session(session),
        as_key(FakeKey()),
        Address("127.0.0.1", 1),
        on_events=answer,
        on_failure=recorder.on_failure,
    )
    async with linked(connection) as peer:
        await peer.send(b"x")
        assert await peer.read(6) == b"answer"
    assert session.writes == 1


async def test_a_reader_that_stops_holds_the_writer_until_it_reads_again() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection, buffer_bytes=8192) as peer:
        assert connection.writable
        amount = 8 * module.WRITE_HIGH
        session.outgoing += bytes(amount)
        connection.flush()
        waiting = asyncio.create_task(connection.drained())
        await some_turns()
        assert not connection.writable
        waiting = asyncio.create_task(connection.drained())
        await some_turns()
        assert not waiting.done()
        assert len(await peer.read(amount)) == amount
        assert await waiting
        assert connection.writable


async def test_a_peer_that_sends_but_does_not_read_is_not_read_either() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection, buffer_bytes=8192) as peer:
        amount = 2 * module.WRITE_STOP
        session.outgoing += bytes(amount)
        connection.flush()
        await some_turns()
        await peer.send(b"more")
        await some_turns()
        assert not session.received
        assert len(await peer.read(amount)) == amount
        await session.until_received(4)


async def test_replies_to_a_peer_that_never_reads_stay_bounded() -> None:
    session = FakeSession()

    def reply_at_length(chunk: bytes) -> list[SessionEvent]:
        session.outgoing.extend(2 * chunk)
        return []

    session.on_receive = reply_at_length
    connection = make_connection(session, Recorder())
    async with linked(connection, buffer_bytes=8192) as peer:
        flood = asyncio.create_task(peer.send(bytes(64 * module.WRITE_STOP)))
        await session.until_received(module.WRITE_STOP // 2)
        await some_turns()
        assert connection._held_by_backlog
        received = len(session.received)
        await some_turns()
        assert len(session.received) == received
        assert not flood.done()
        assert connection._transport is not None
        queued = connection._transport.get_write_buffer_size()
        assert queued <= module.WRITE_STOP + 2 * module.READ_BUFFER_BYTES
        flood.cancel()
        await asyncio.wait({flood})


async def test_waiting_for_room_ends_with_the_connection() -> None:
    session = FakeSession()
    connection = make_connection(session, Recorder())
    async with linked(connection, buffer_bytes=8192):
        session.outgoing += bytes(8 * module.WRITE_HIGH)
        connection.flush()
        await some_turns()
        waiting = asyncio.create_task(connection.drained())
        await some_turns()
        connection.abort()
        assert not await waiting
        assert not connection.writable
