"""Two peers on the loopback interface, and a man in the middle who has every byte between them.

He cuts the streams into units by the public format and decides what becomes of each. At a relay he sits
where the relay sits. Nothing in here is simulated: sockets, polls and checks are those of a chat.
"""

import asyncio
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.line import DrivenClock, RelayLine, StreamLine
from securechat_tui.lab.middle import Middle
from securechat_tui.lab.peer import Delivered, Established, Event, Finished, Peer, Rejected, Sent, Shown
from securechat_tui.lab.relay import RelayPeer
from securechat_tui.lab.relay_http import RelayServer
from securechat_tui.lab.relay_store import RelayStore, decode_body
from securechat_tui.lab.units import Unit

__all__ = ["Meddle", "RelayScene", "Scene", "StreamScene", "Talker", "listen_on_loopback", "scene"]

Meddle = Callable[[Unit], Iterable[bytes]]
"""Takes a unit and returns what is to arrive instead."""
MakePeer = Callable[[str], Peer]
_SETTLE_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.001
_POLL_SECONDS: Final = 0.004
_IDLE_POLLS: Final = 4
"""Polls without any news after which a relay's client has nothing left to do."""
_STUCK_POLLS: Final = 25
"""The same for one that is still waiting for the other's key."""
BACKLOG: Final = 16


class Talker:
    """One side of a scene: its peer, its line, and everything that has happened to it."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.line: StreamLine | RelayLine | None = None
        self.events: list[Event] = []

    def note(self, events: Sequence[Event]) -> None:
        """Remember what happened."""
        self.events += events

    def say(self, text: str) -> None:
        """Send a text, if the peer still can."""
        if self.line is not None and self.peer.established and not self.peer.closed:
            self.line.say(text)

    def leave(self) -> None:
        """End from this side."""
        if self.line is not None and not self.peer.closed:
            self.line.leave()

    @property
    def shown(self) -> list[Shown]:
        """The messages that were accepted, in order."""
        return [event for event in self.events if isinstance(event, Shown)]

    @property
    def texts(self) -> list[str]:
        """Their texts."""
        return [str(event.text) for event in self.shown]

    @property
    def sent(self) -> list[Sent]:
        """The messages of this side."""
        return [event for event in self.events if isinstance(event, Sent)]

    @property
    def delivered(self) -> set[int]:
        """The numbers that the other side has acknowledged."""
        return {event.number for event in self.events if isinstance(event, Delivered)}

    @property
    def rejected(self) -> list[Rejected]:
        """The messages that failed a check and were skipped."""
        return [event for event in self.events if isinstance(event, Rejected)]

    @property
    def finished(self) -> Finished | None:
        """How it ended, if it did."""
        return next((event for event in self.events if isinstance(event, Finished)), None)

    @property
    def established(self) -> bool:
        """Whether messages could flow at any time."""
        return any(isinstance(event, Established) for event in self.events)

    @property
    def caught_by(self) -> str:
        """The last check that failed here; empty where none did."""
        failed = [
            event.check for event in self.events if isinstance(event, Rejected | Finished) and event.check
        ]
        return failed[-1] if failed else ""


class Scene:
    """Guest and host; ``meddle`` may be set at any time. See :func:`scene`."""

    def __init__(self, protocol: LabProtocol, meddle: Meddle | None = None) -> None:
        self.protocol = protocol
        self.clock = DrivenClock()
        self.meddle: Meddle = meddle or _pass
        self.units: list[Unit] = []
        """Everything that the man in the middle has seen."""
        self.guest: Talker
        self.host: Talker
        self._undo = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
            await self.settle()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    def talker(self, role: str) -> Talker:
        """Return the side of this role."""
        return self.guest if role == "guest" else self.host

    def messages(self, role: str = "guest") -> list[Unit]:
        """Return the message units that this side has written."""
        return [unit for unit in self.units if unit.kind == "message" and unit.role == role]

    async def say(self, *texts: str, role: str = "guest") -> None:
        """Let one side send texts, one after the other, and wait until nothing moves any more."""
        for text in texts:
            self.talker(role).say(text)
            await self.settle()

    async def settle(self) -> None:
        """Wait until nothing is on the way and nobody has anything left to do."""
        quiet = 0
        async with asyncio.timeout(_SETTLE_SECONDS):
            while quiet < 2:  # noqa: PLR2004 - what one look missed, the next one sees
                await asyncio.sleep(_LOOK_SECONDS)
                quiet = quiet + 1 if self._is_quiet() else 0

    async def advance(self, seconds: float) -> None:
        """Let time go ahead for both sides, and let them look at it."""
        self.clock.ahead += seconds
        for side in (self.guest, self.host):
            if isinstance(side.line, StreamLine):
                side.line.tick()
        await self.settle()

    async def inject(self, role: str, *units: bytes) -> None:
        """Let bytes arrive as if ``role`` had written them."""
        raise NotImplementedError

    async def cut(self) -> None:
        """End the connection towards both sides, without a word."""
        raise NotImplementedError

    def _see(self, unit: Unit) -> Iterable[bytes]:
        self.units.append(unit)
        return self.meddle(unit)

    async def _begin(self) -> None:
        raise NotImplementedError

    def _is_quiet(self) -> bool:
        raise NotImplementedError

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._undo.aclose()


class StreamScene(Scene):
    """Two sides on TCP connections that the man in the middle has accepted and made."""

    def __init__(self, protocol: LabProtocol, make: MakePeer, meddle: Meddle | None = None) -> None:
        super().__init__(protocol, meddle)
        self._make = make
        self.middle: Middle

    async def _begin(self) -> None:
        self.host, self.guest = Talker(self._make("host")), Talker(self._make("guest"))
        arrived = asyncio.Event()

        async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._run(self.host, reader, writer)
            arrived.set()

        server = await asyncio.start_server(welcome, sock=listen_on_loopback())
        self._undo.callback(server.close)
        self.middle = Middle(server.sockets[0].getsockname()[:2], self.protocol.split, self._see)
        address = await self._undo.enter_async_context(self.middle)
        self._run(self.guest, *await asyncio.open_connection(*address))
        await arrived.wait()

    def _run(self, side: Talker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side.peer.pause = 0.0  # the host here reads properly, whatever other programs do
        line = StreamLine(side.peer, reader, writer, self.clock, side.note)
        side.line = line
        self._tasks.append(asyncio.create_task(line.run()))

    async def inject(self, role: str, *units: bytes) -> None:
        """Let bytes arrive as if ``role`` had written them."""
        for unit in units:
            self.middle.forward(role, unit)
        await self.settle()

    async def cut(self) -> None:
        """End the connection towards both sides."""
        self.middle.cut()
        async with asyncio.timeout(_SETTLE_SECONDS):
            while not (self.guest.peer.closed and self.host.peer.closed):  # noqa: ASYNC110 - as settle
                await asyncio.sleep(_LOOK_SECONDS)

    def _is_quiet(self) -> bool:
        return all(self._is_through(role) for role in ("guest", "host"))

    def _is_through(self, role: str) -> bool:
        """Whether everything that this side wrote has been seen, and what was passed on has arrived."""
        line, other = self.talker(role).line, self.talker("host" if role == "guest" else "guest")
        if not (isinstance(line, StreamLine) and isinstance(other.line, StreamLine)):
            return False
        seen = line.unwritten == 0 and line.written == self.middle.read[role]
        arrived = other.peer.closed or other.line.received == self.middle.forwarded[role]
        return (seen or self.middle.is_cut) and arrived


class RelayScene(Scene):
    """Two clients of a relay that is the man in the middle himself; alice is the guest, bob the host."""

    def __init__(self, protocol: LabProtocol, make: MakePeer, meddle: Meddle | None = None) -> None:
        super().__init__(protocol, meddle)
        self._make = make
        self.store = RelayStore(self._see)
        self.address = ("", 0)
        self._counts: dict[str, tuple[int, int]] = {}

    async def _begin(self) -> None:
        server = RelayServer(self.store, listen_on_loopback())
        await asyncio.to_thread(server.__enter__)
        self._undo.push_async_callback(asyncio.to_thread, server.__exit__)
        self.address = server.address
        self.host, self.guest = Talker(self._make("host")), Talker(self._make("guest"))
        for side in (self.host, self.guest):
            peer = side.peer
            if isinstance(peer, RelayPeer):
                line = RelayLine(peer, self.address, self.clock, side.note, _POLL_SECONDS)
                side.line = line
                self._tasks.append(asyncio.create_task(line.run()))

    async def inject(self, role: str, *units: bytes) -> None:
        """Put messages into the relay as if ``role`` had posted them."""
        del role  # the body names its sender itself
        for unit in units:
            self.store.store("message", decode_body(unit) or {})
        await self.settle()

    async def cut(self) -> None:
        """Take nothing more from anybody: there is no connection to end."""
        self.meddle = lambda _unit: ()
        await self.settle()

    def _is_quiet(self) -> bool:
        idle = [self._is_idle(side) for side in (self.guest, self.host)]  # both look, so that both count
        return all(idle)

    def _is_idle(self, side: Talker) -> bool:
        peer, line = side.peer, side.line
        if peer.closed or not (isinstance(peer, RelayPeer) and isinstance(line, RelayLine)):
            return peer.closed
        happened, polls = self._counts.get(peer.user, (-1, 0))
        if happened != len(side.events) or peer.waiting or peer.taken != self.store.handed[peer.user]:
            self._counts[peer.user] = (len(side.events), line.polls)
            return False
        if self.store.waiting(peer.user) and peer.established:
            return False
        return line.polls - polls >= (_IDLE_POLLS if peer.established else _STUCK_POLLS)


def scene(
    protocol: LabProtocol, keys: KeyRing, meddle: Meddle | None = None, make: MakePeer | None = None
) -> Scene:
    """Return a scene between alice, the guest, and bob, the host.

    ``make`` replaces how a role's peer is made.
    """
    owners = {"guest": "alice", "host": "bob"}
    moment = DrivenClock().now()
    make = make or (lambda role: protocol.make(role, keys, moment, owners[role]))
    return (RelayScene if protocol.polls else StreamScene)(protocol, make, meddle)


def listen_on_loopback() -> socket.socket:
    """Return a listening socket at a free port that this machine alone can reach."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listening.setblocking(False)
    return listening


def _pass(unit: Unit) -> Iterable[bytes]:
    return (unit.data,)
