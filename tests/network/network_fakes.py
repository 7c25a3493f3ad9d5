"""Stand-ins for the session and the key, and the plain socket at a connection's other end."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from securechat_tui.network.addresses import Address
from securechat_tui.network.connection import Connection
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.protocol.events import Instant, SessionEvent
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.session import Session

PATIENCE = 20.0
"""Seconds after which a test that waits in vain fails."""


@dataclass(frozen=True, slots=True)
class Note(SessionEvent):
    """An event that means something to the test alone."""

    text: str


class FakeSession:
    """A session without cryptography: it records what it is told and does what the test says."""

    def __init__(self, on_receive: Callable[[bytes], list[SessionEvent]] | None = None) -> None:
        self.closed = False
        self.handshaking = True
        self.received = bytearray()
        self.chunks: list[int] = []
        self.outgoing = bytearray()
        self.answers: list[tuple[str, bytes]] = []
        self.writes = 0
        self.timeouts = 0
        self.called_early = False
        self.eofs = 0
        self.deadline: float | None = None
        self.events_at_timeout: list[SessionEvent] = []
        self.told = asyncio.Event()
        self.on_receive = on_receive

    def receive(self, data: bytes | memoryview, now: Instant) -> list[SessionEvent]:
        chunk = bytes(data)
        self.received += chunk
        self.chunks.append(len(chunk))
        self.told.set()
        return self.on_receive(chunk) if self.on_receive else []

    def signed(self, signature: bytes, now: Instant) -> list[SessionEvent]:
        return self._answered("signed", signature)

    def unwrapped(self, contribution: bytes, now: Instant) -> list[SessionEvent]:
        return self._answered("unwrapped", contribution)

    def receive_eof(self, now: Instant) -> list[SessionEvent]:
        self.eofs += 1
        ended, self.closed = self.closed, True
        return [] if ended else [Note("lost")]

    def next_timeout(self) -> float | None:
        return self.deadline

    def handle_timeout(self, now: Instant) -> list[SessionEvent]:
        self.timeouts += 1
        self.called_early |= self.deadline is None or now.monotonic < self.deadline
        self.told.set()
        return self.events_at_timeout

    def data_to_send(self) -> bytes:
        data = bytes(self.outgoing)
        self.outgoing.clear()
        self.writes += bool(data)
        return data

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something the session was told has made ``condition`` true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.told.clear()
                await self.told.wait()

    async def until_received(self, size: int) -> None:
        await self.until(lambda: len(self.received) >= size)

    def _answered(self, how: str, answer: bytes) -> list[SessionEvent]:
        self.answers.append((how, answer))
        self.told.set()
        return [Note(how)]


class FakeKey:
    """A key whose operations can be held up, and that knows in which threads they ran."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()
        self.threads: set[int] = set()
        self.busy = 0
        self.most_busy = 0
        self.failure: Exception | None = None

    def sign(self, message: bytes) -> bytes:
        return self._work(b"signature of " + message)

    def unwrap(self, ciphertext: bytes, label: bytes, fallback: bytes) -> bytes:
        return self._work(b"secret of " + ciphertext)

    def _work(self, result: bytes) -> bytes:
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        self.threads.add(threading.get_ident())
        self.started.set()
        assert self.gate.wait(PATIENCE)
        self.busy -= 1
        if self.failure is not None:
            raise self.failure
        return result


@dataclass
class Recorder:
    """Takes a connection's events and failures."""

    events: list[SessionEvent] = field(default_factory=list)
    failures: list[HandlerFailure] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_events(self, connection: Connection, events: Sequence[SessionEvent]) -> None:
        assert events
        self.events += events
        self.changed.set()

    def on_failure(self, failure: HandlerFailure) -> None:
        self.failures.append(failure)
        self.changed.set()

    def on_connection(self, connection: Connection) -> None:
        self.connections.append(connection)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


def as_session(fake: FakeSession) -> Session:
    return cast("Session", fake)


def as_key(fake: FakeKey) -> IdentityKey:
    return cast("IdentityKey", fake)


def make_connection(
    session: FakeSession, recorder: Recorder, *, key: FakeKey | None = None, executor: Executor | None = None
) -> Connection:
    return Connection(
        as_session(session),
        as_key(key or FakeKey()),
        Address("127.0.0.1", 1),
        on_events=recorder.on_events,
        on_failure=recorder.on_failure,
        executor=executor,
    )


def socket_pair(buffer_bytes: int | None = None) -> tuple[socket.socket, socket.socket]:
    """Two ends of one TCP connection over loopback; small kernel buffers where asked for."""
    with socket.socket() as listening:
        near, far = socket.socket(), socket.socket()
        if buffer_bytes is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
            far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        far.connect(listening.getsockname())
        near.close()
        near, _ = listening.accept()
    near.setblocking(False)
    far.setblocking(False)
    return near, far


@dataclass
class Peer:
    """The plain end of a connection under test."""

    sock: socket.socket

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (chunk := await self._some()):
            data += chunk
        return data

    async def read_all(self) -> bytes:
        data = b""
        while chunk := await self._some():
            data += chunk
        return data

    def finish(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close so that the other end gets RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    async def _some(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().sock_recv(self.sock, 1 << 20)


@asynccontextmanager
async def linked(connection: Connection, buffer_bytes: int | None = None) -> AsyncIterator[Peer]:
    """Give ``connection`` a transport; yields its peer and waits for the end."""
    near, far = socket_pair(buffer_bytes)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, near)
    with far:
        try:
            yield Peer(far)
        finally:
            connection.abort()
            async with asyncio.timeout(PATIENCE):
                await connection.wait_closed()
