"""A peer that the test drives record by record over a real socket: a session without an engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Self

from chat_boxes import Boxes
from chat_people import SAFETY_SECONDS
from protocol_peers import Clock, Peer, hello, identity_key

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Hello,
    HelloFlag,
    Payload,
    Resume,
    Signature,
    Signed,
)
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.text import SafeText

_CHUNK = 65536


class RawPeer(Peer):
    """A well-behaved driver as far as the test lets it; its clock stands still, so it never pings twice."""

    def __init__(
        self,
        session: Session,
        name: str,
        clock: Clock,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(session, identity_key(name), clock)
        self._reader = reader
        self._writer = writer
        self.received = bytearray()
        """Every byte of the other side."""
        self.secret = b""
        """The session's reconnect secret."""
        self.outgoing: Callable[[bytes], bytes] = lambda data: data
        """What is done to the bytes that it writes."""
        self.called = ""
        """What it calls itself; a part of its fingerprint where nothing is said."""
        self.flags = HelloFlag(0)
        self._boxes: Boxes | None = None

    def answer(self, event: events.SessionEvent) -> list[events.SessionEvent]:
        if isinstance(event, events.Authenticated):
            self.secret = event.reconnect_secret
        return super().answer(event)

    @property
    def boxes(self) -> Boxes:
        """This side's messages; for a peer who is known by now."""
        assert self._boxes is not None
        return self._boxes

    def flush(self) -> None:
        data = self.session.data_to_send()
        if data:
            self._writer.write(self.outgoing(data))

    def say(self, *payloads: Payload) -> None:
        """Send payloads, all in one write, whatever the rules of order say."""
        for payload in payloads:
            self.smuggle(payload)
        self.flush()

    async def until(self, done: Callable[[], bool]) -> None:
        """Carry bytes until ``done``; ends without it only when the other side has closed."""
        self.flush()
        async with asyncio.timeout(SAFETY_SECONDS):
            while not done():
                data = await self._reader.read(_CHUNK)
                self.received += data
                if not data:
                    self.absorb(self.session.receive_eof(self.clock.now))
                    return
                self.feed(data)
                self.flush()

    async def until_closed(self) -> None:
        """Carry bytes until the other side has closed."""
        await self.until(lambda: False)

    async def until_payload(self, kind: type[Payload], count: int = 1) -> None:
        """Wait for so many payloads of a kind."""

        def there() -> bool:
            return sum(isinstance(one, kind) for one in self.payloads) >= count

        await self.until(there)
        assert there(), f"closed before {kind.__name__}: {self.ended}"

    async def established(self) -> None:
        """Complete the handshake, without a word after it."""
        await self.until(lambda: not self.session.handshaking)
        assert not self.session.closed, self.ended

    async def open(self, boxes: Boxes | None = None, *, flush: bool = True) -> None:
        """Complete the handshake, HELLO and RESUME; go on with the messages of an earlier session."""
        await self.greet(boxes)
        await self.agree(flush=flush)

    async def greet(self, boxes: Boxes | None = None) -> None:
        """Complete the handshake and say HELLO."""
        await self.established()
        self._boxes = boxes or Boxes(self.key, self.session._handshake.peer)
        self.boxes.outbox.begin_session()
        self.boxes.inbox.begin_session()
        self.send(self._hello())
        self.flush()

    async def agree(self, *, flush: bool = True) -> None:
        """Wait for RESUME, and say it."""
        await self.until_payload(Resume)
        theirs = next(one for one in self.payloads if isinstance(one, Resume))
        self.send(self.boxes.resume())
        self.boxes.inbox.announce(theirs.generation)
        self.boxes.outbox.resume(theirs)
        if flush:
            self.flush()

    def _hello(self) -> Hello:
        said = replace(hello(self), flags=self.flags)
        return replace(said, name=SafeText.name(self.called)) if self.called else said

    def say_texts(self, *texts: str) -> None:
        """Send messages as they should be."""
        for text in texts:
            self.boxes.write(text)
        self.say(*self.boxes.pour())

    def read_messages(self) -> list[str]:
        """Check and take what has come since the last look; acknowledge nothing."""
        fresh = self.payloads
        self.seen = [one for one in self.seen if not isinstance(one, events.PayloadReceived)]
        texts: list[str] = []
        for payload in fresh:
            if isinstance(payload, Resume):
                self.boxes.inbox.announce(payload.generation)
            elif isinstance(payload, Signature):
                self.boxes.inbox.signature(payload)
            elif isinstance(payload, Signed) and (message := self.boxes.inbox.signed(payload)):
                texts.append(message.text)
        return texts

    async def read(self, count: int) -> list[str]:
        """Receive at least so many messages."""
        texts: list[str] = []
        while len(texts) < count:
            await self.until(lambda: bool(self.payloads))
            assert not self.session.closed, self.ended
            texts += self.read_messages()
        return texts

    def acknowledge(self) -> None:
        self.say(self.boxes.inbox.acknowledgement())

    async def flushed_or(self, happened: asyncio.Event) -> None:
        """Write until everything is with the system, or ``happened``."""
        written = asyncio.create_task(self._writer.drain())
        waiting = asyncio.create_task(happened.wait())
        async with asyncio.timeout(SAFETY_SECONDS):
            await asyncio.wait({written, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (written, waiting):
            task.cancel()

    def delivered(self) -> int:
        """How many of its messages the other side has acknowledged."""
        words = [one for one in self.payloads if isinstance(one, Acknowledgement)]
        return max((one.high for one in words), default=0)

    def cut(self) -> None:
        """Reset the connection."""
        self._writer.transport.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


async def call(
    address: str,
    name: str,
    secrets: tuple[bytes | None, bytes | None] = (None, None),
    versions: tuple[int, ...] = (c.VERSION,),
) -> RawPeer:
    """Connect to a host as the guest ``name``; the handshake has not begun to be answered."""
    clock = Clock()
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    session = Session.guest(identity_key(name).public, clock.now, secrets=secrets, versions=versions)
    return RawPeer(session, name, clock, reader, writer)


class Answering:
    """A listening socket whose callers the test answers one by one."""

    def __init__(self) -> None:
        self._callers: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.address = ""
        self._peers: list[RawPeer] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._callers.put((reader, writer))

    async def next(self, name: str, versions: tuple[int, ...] = (c.VERSION,)) -> RawPeer:
        """Return the host's end of the next call."""
        clock = Clock()
        async with asyncio.timeout(SAFETY_SECONDS):
            reader, writer = await self._callers.get()
        session = Session.host(identity_key(name).public, clock.now, versions=versions)
        peer = RawPeer(session, name, clock, reader, writer)
        self._peers.append(peer)
        return peer

    async def speak(self, data: bytes) -> None:
        """Answer the next caller with fixed bytes and close."""
        async with asyncio.timeout(SAFETY_SECONDS):
            _, writer = await self._callers.get()
        writer.write(data)
        writer.close()

    def hang_up(self) -> None:
        for peer in self._peers:
            peer.cut()


@asynccontextmanager
async def answering() -> AsyncIterator[Answering]:
    """Listen at a free port of the loopback."""
    desk = Answering()
    server = await asyncio.start_server(desk.take, "127.0.0.1", 0)
    desk.address = "127.0.0.1:" + str(server.sockets[0].getsockname()[1])
    try:
        yield desk
    finally:
        desk.hang_up()
        server.close()
