"""What carries a peer's bytes: a stream of TCP, or polls of the relay. It decides nothing."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from securechat_tui.lab.peer import Event, Moment, Peer
from securechat_tui.lab.relay import POLL_SECONDS, RelayPeer
from securechat_tui.lab.relay_http import HttpFailure, exchange

__all__ = ["Clock", "DrivenClock", "Line", "RelayLine", "StreamLine", "SystemClock"]

_CHUNK: Final = 64 * 1024
_WRITE_SECONDS: Final = 15.0
LINGER_SECONDS: Final = 1.0
_FIRST: Final = asyncio.FIRST_COMPLETED
_ATTEMPTS: Final = 20
"""Polls in a row that may come to nothing before a client gives up."""

OnEvents = Callable[[Sequence[Event]], None]


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> Moment:
        """Return this moment."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> Moment:
        """Return this moment."""
        return Moment(time.monotonic(), time.time())


class DrivenClock:
    """A clock that goes on by itself, and ahead when it is told: nobody waits a minute for an attack."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> Moment:
        """Return this moment."""
        return Moment(time.monotonic() + self.ahead, time.time() + self.ahead)


class Line(Protocol):
    """A peer and its way to the other one."""

    async def run(self) -> None:
        """Carry bytes until the peer has finished."""

    def say(self, text: str) -> None:
        """Send a text; raises CannotSend."""

    def leave(self) -> None:
        """End from this side."""

    async def flushed(self) -> None:
        """Wait until everything said so far is with the system."""


class StreamLine:
    """A peer on a TCP connection."""

    def __init__(
        self,
        peer: Peer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clock: Clock,
        on_events: OnEvents,
    ) -> None:
        self.peer = peer
        self.received = 0
        """Bytes that have been given to the peer."""
        self.written = 0
        self._reader, self._writer = reader, writer
        self._clock = clock
        self._on_events = on_events
        self._units: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._finished = asyncio.Event()

    async def run(self) -> None:
        """Carry bytes until the peer has finished, then write what is left and close."""
        writing = asyncio.create_task(self._write())
        reading = asyncio.create_task(self._read())
        self.conclude([])
        try:
            await asyncio.wait({reading, asyncio.create_task(self._finished.wait())}, return_when=_FIRST)
            if reading.done():
                reading.result()
            self._units.put_nowait(None)
            async with asyncio.timeout(_WRITE_SECONDS):
                await writing
            await self._part(reading)
        except (OSError, TimeoutError):
            pass  # the other side takes nothing any more
        finally:
            self._stop_timer()
            self._finished.set()
            for task in (writing, reading):
                task.cancel()
            self._writer.close()

    async def _part(self, reading: asyncio.Task[None]) -> None:
        """Let the other side read to the end: closing with something unread would reset the connection."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        await asyncio.wait({reading}, timeout=LINGER_SECONDS)

    async def _read(self) -> None:
        while data := await self._chunk():
            self.received += len(data)
            if not self.peer.closed:
                self.conclude(self.peer.receive(data, self._clock.now()))
        if not self.peer.closed:
            self.conclude(self.peer.receive_eof(self._clock.now()))

    async def _chunk(self) -> bytes:
        try:
            return await self._reader.read(_CHUNK)
        except OSError:
            return b""

    def conclude(self, events: Sequence[Event]) -> None:
        """Hand on what happened, queue what is to be written, and look at the deadline."""
        for unit in self.peer.take_output():
            self._units.put_nowait(unit)
        if events:
            self._on_events(events)
        self._set_timer()
        if self.peer.closed:
            self._finished.set()

    def say(self, text: str) -> None:
        """Send a text; raises CannotSend."""
        self.conclude(self.peer.send(text, self._clock.now()))

    def leave(self) -> None:
        """End from this side."""
        self.conclude(self.peer.leave(self._clock.now()))

    def tick(self) -> None:
        """Let the peer see the time."""
        self.conclude(self.peer.handle_timeout(self._clock.now()))

    @property
    def unwritten(self) -> int:
        """How many units wait to be written."""
        return self._units.qsize()

    async def flushed(self) -> None:
        """Wait until everything said so far is with the system."""
        await self._units.join()

    async def _write(self) -> None:
        while (unit := await self._units.get()) is not None:
            try:
                self._writer.write(unit)
                self.written += len(unit)
                await self._writer.drain()
                if self.peer.pause:
                    await asyncio.sleep(self.peer.pause)
            except OSError:
                pass  # the reading side will find the end
            finally:
                self._units.task_done()

    def _set_timer(self) -> None:
        self._stop_timer()
        due = self.peer.next_timeout()
        if due is not None:
            wait = max(0.02, due - self._clock.now().monotonic)
            self._timer = asyncio.get_running_loop().call_later(wait, self.tick)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class RelayLine:
    """A client of the relay that polls it."""

    def __init__(
        self,
        peer: RelayPeer,
        address: tuple[str, int],
        clock: Clock,
        on_events: OnEvents,
        interval: float = POLL_SECONDS,
    ) -> None:
        self.peer = peer
        self.failure: HttpFailure | None = None
        """Why it gave up."""
        self._address = address
        self._clock = clock
        self._on_events = on_events
        self._interval = interval
        self.polls = 0
        """How often it has asked."""
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self) -> None:
        """Poll until the peer has finished, or the relay does not answer any more."""
        missed = 0
        while not self.peer.closed:
            self._wanted.clear()
            try:
                await self._poll()
                missed = 0
            except HttpFailure as failure:
                missed += 1
                if missed == _ATTEMPTS or not self.peer.established:
                    self.failure = failure
                    self._on_events(self.peer.receive_eof(self._clock.now()))
                    return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._wanted.wait()

    async def _poll(self) -> None:
        for request in self.peer.requests():
            status, body = await asyncio.to_thread(
                exchange, self._address, request.method, request.path, request.body
            )
            events = self.peer.answered(request, status, body, self._clock.now())
            if events:
                self._on_events(events)
        self.polls += 1
        if not self.peer.waiting:
            self._idle.set()

    def say(self, text: str) -> None:
        """Send a text; raises CannotSend."""
        events = self.peer.send(text, self._clock.now())
        self._idle.clear()
        self._on_events(events)
        self._wanted.set()

    def leave(self) -> None:
        """End from this side: the relay hears nothing of it."""
        self._on_events(self.peer.leave(self._clock.now()))
        self._wanted.set()

    async def flushed(self) -> None:
        """Wait until everything said so far is with the relay, or the peer has finished."""
        while not (self._idle.is_set() or self.peer.closed or self.failure):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._idle.wait()
