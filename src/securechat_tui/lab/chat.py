"""A conversation over one of the protocols, without a screen: from the first socket to the exit code."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.interruption import interruptible
from securechat_tui.headless.run import DELIVERY_SECONDS
from securechat_tui.headless.standard_streams import InputLines, Line, OutputLines, Streams
from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.faces import BadLine, Face, Happened, Leave, Quit, Send
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.line import RelayLine, StreamLine, SystemClock
from securechat_tui.lab.peer import CannotSend, Established, Event, Finished, Sent
from securechat_tui.lab.places import Relay, accept, call, missing_user
from securechat_tui.lab.relay import RelayPeer
from securechat_tui.lab.relay_http import HttpFailure
from securechat_tui.network.addresses import Address
from securechat_tui.network.dialer import CannotConnect
from securechat_tui.network.sockets import CannotListen

__all__ = ["Chat", "Lines", "Place", "run_on_streams"]

Lines = AsyncIterable[Sequence[Line]]

MAX_GUESTS: Final = 16
MAX_HELD: Final = 100
"""Texts that wait for somebody to come."""
_STUCK_SECONDS: Final = 2.0
_LEAVE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Which side of a protocol to be, and where.

    ``user`` is for *relay*: alice, bob, none (only serve), or empty for whoever is missing.
    """

    protocol: LabProtocol
    role: str
    address: Address
    user: str = ""


@dataclass(eq=False, slots=True)
class Talk:
    """One conversation of this run."""

    id: str
    line: StreamLine | RelayLine = field(init=False)
    task: asyncio.Task[None] | None = None
    established: bool = False
    refs: deque[str | None] = field(default_factory=deque)


class Chat:
    """One run of ``lab host`` or ``lab join``."""

    def __init__(
        self, place: Place, face: Face, lines: Lines, write: Callable[[bytes], None], keys: KeyRing
    ) -> None:
        """``lines`` is what a person or program enters; ``write`` takes what the face makes of events."""
        self._place = place
        self._face = face
        self._keys = keys
        self._clock = SystemClock()
        self._input = lines
        self._write_out = write
        self._over = asyncio.Event()
        self._talks: list[Talk] = []
        self._count = 0
        self._held: deque[Send] = deque()
        self._ever_established = False
        self._input_ended = False
        self._quitting = False
        self._code = ExitCode.DONE
        self._undo = contextlib.AsyncExitStack()

    def stop(self) -> None:
        """End the run in order."""
        self._over.set()

    async def run(self) -> ExitCode:
        """Run to the end and return the exit code."""
        try:
            await self._converse()
        finally:
            await self._undo.aclose()
        return self._code

    async def _converse(self) -> None:
        self._write(self._face.opening(self._place.protocol, self._place.role))
        await asyncio.to_thread(self._make_keys)
        try:
            await (self._host() if self._place.role == "host" else self._join())
        except (CannotListen, CannotConnect, HttpFailure) as error:
            code = "cannot-listen" if isinstance(error, CannotListen) else "cannot-connect"
            self._write(self._face.error(code, str(error)))
            self._code = ExitCode.UNREACHABLE
            return
        acting = asyncio.create_task(self._follow_input())
        await self._over.wait()
        acting.cancel()
        await asyncio.wait({acting})
        if not acting.cancelled():
            acting.result()
        await self._leave_all()

    def _make_keys(self) -> None:
        """Make the keys that any side of this run may need, away from the loop."""
        place, now = self._place, self._clock.now()
        if place.user not in ("alice", "none"):
            place.protocol.make("host" if place.protocol.polls else place.role, self._keys, now, place.role)

    # Where the other side is met.

    async def _host(self) -> None:
        place = self._place
        if place.protocol.polls:
            await self._serve_relay()
            return
        for address in await accept(place.address, self._welcome, self._undo):
            self._write(self._face.place("listening", address))

    async def _serve_relay(self) -> None:
        relay = Relay(self._place.address, self._place.user, self._found_missing)
        address = await self._undo.enter_async_context(relay)
        self._write(self._face.place("listening", address))

    def _found_missing(self, user: str, address: tuple[str, int]) -> None:
        """The relay knows now which of its users is played here."""
        role = "guest" if user == "alice" else "host"
        self._poll(role, address)

    async def _join(self) -> None:
        place = self._place
        self._write(self._face.place("dialing", place.address))
        if place.protocol.polls:
            user = place.user or await missing_user(place.address)
            self._poll("host" if user == "bob" else "guest", (place.address.host, place.address.port))
            return
        self._welcome(*await call(place.address))

    def _poll(self, role: str, address: tuple[str, int]) -> None:
        peer = self._place.protocol.make(role, self._keys, self._clock.now(), self._place.role)
        if isinstance(peer, RelayPeer):
            talk = self._new_talk()
            self._start(talk, RelayLine(peer, address, self._clock, partial(self._note, talk)))

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin a conversation on a connection, unless there are enough of them."""
        place = self._place
        if len(self._talks) >= (MAX_GUESTS if place.protocol.many_guests else 1):
            writer.transport.abort()
            self._write(
                self._face.error("busy", "Somebody else called while a guest was here, and was cut off.")
            )
            return
        peer = place.protocol.make(place.role, self._keys, self._clock.now(), place.role)
        talk = self._new_talk()
        self._start(talk, StreamLine(peer, reader, writer, self._clock, partial(self._note, talk)))

    def _new_talk(self) -> Talk:
        self._count += 1
        return Talk(str(self._count))

    def _start(self, talk: Talk, line: StreamLine | RelayLine) -> None:
        talk.line = line
        self._talks.append(talk)
        talk.task = asyncio.create_task(self._carry(talk))

    async def _carry(self, talk: Talk) -> None:
        await talk.line.run()
        self._talks.remove(talk)
        failure = talk.line.failure if isinstance(talk.line, RelayLine) else None
        if failure is not None:
            self._write(self._face.error("cannot-connect", str(failure)))
        self._look_whether_over()

    # What happens.

    def _note(self, talk: Talk, events: Sequence[Event]) -> None:
        for event in events:
            ref = talk.refs.popleft() if isinstance(event, Sent) and talk.refs else None
            self._write(self._face.show(Happened(talk.id, event, ref)))
            if isinstance(event, Established):
                talk.established = self._ever_established = True
                asyncio.get_running_loop().call_soon(self._send_held)
            elif isinstance(event, Finished):
                self._judge(event)

    def _judge(self, end: Finished) -> None:
        """Let the exit code of a join tell how it ended."""
        if self._place.role == "host" or end.how in ("said", "left"):
            return
        if not self._ever_established:
            self._code = ExitCode.UNREACHABLE
        elif end.how == "failed" or self._place.protocol.has_goodbye:
            self._code = ExitCode.FAILED

    def _look_whether_over(self) -> None:
        if self._talks:
            return
        one_is_all = self._place.role == "guest" or not self._place.protocol.many_guests
        if self._ever_established and (one_is_all or self._input_ended):
            self._over.set()
        elif self._place.role == "guest":
            self._code = self._code or ExitCode.UNREACHABLE
            self._over.set()

    # Input.

    async def _follow_input(self) -> None:
        async for batch in self._input:
            for line in batch:
                await self._take(line)
        self._input_ended = True
        if self._place.role == "guest":
            await self._finish()
        else:
            self._look_whether_over()

    async def _take(self, line: Line) -> None:
        command = None
        try:
            command = self._face.read(line)
            if isinstance(command, Send):
                await self._send(command)
        except (BadLine, CannotSend) as error:
            code = "bad-command" if isinstance(error, BadLine) else "not-sent"
            self._write(self._face.error(code, str(error), command.ref if command else None))
        if isinstance(command, Quit) or (isinstance(command, Leave) and self._place.role == "guest"):
            self._over.set()
        elif isinstance(command, Leave):
            await self._leave_all()

    async def _send(self, command: Send) -> None:
        """Send to everybody who is here, or hold it for who comes."""
        there = [talk for talk in self._talks if talk.established]
        if there:
            for talk in there:
                self._say(talk, command)
                await talk.line.flushed()
        elif self._ever_established and self._place.role == "guest":
            raise CannotSend("The conversation is over, so nothing was sent.")
        elif len(self._held) >= MAX_HELD:
            raise CannotSend("Too much waits for somebody to come; this was not sent.")
        else:
            self._held.append(command)

    def _say(self, talk: Talk, command: Send) -> None:
        talk.refs.append(command.ref)
        try:
            talk.line.say(command.text)
        except CannotSend:
            talk.refs.pop()
            raise

    def _send_held(self) -> None:
        while self._held and (there := [talk for talk in self._talks if talk.established]):
            command = self._held.popleft()
            try:
                for talk in there:
                    self._say(talk, command)
            except CannotSend as error:
                self._write(self._face.error("not-sent", str(error), command.ref))

    async def _finish(self) -> None:
        """The input of a guest has ended: wait until what was said is written, and leave."""
        deadline = asyncio.get_running_loop().time() + DELIVERY_SECONDS
        while self._talks and not self._ever_established and asyncio.get_running_loop().time() < deadline:
            await asyncio.wait({talk.task for talk in self._talks if talk.task}, timeout=0.1)
        if not self._ever_established:
            self._code = self._code or ExitCode.UNREACHABLE
        self._send_held()
        self._over.set()

    async def _leave_all(self) -> None:
        tasks = {talk.task for talk in self._talks if talk.task}
        for talk in list(self._talks):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await talk.line.flushed()
            talk.line.leave()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=_LEAVE_SECONDS)
            for task in stuck:
                task.cancel()
        if self._held:
            count = len(self._held)
            self._write(self._face.error("not-sent", f"{count} of your messages found nobody to take them."))
            self._code = self._code or ExitCode.UNDELIVERED
            self._held.clear()

    def _write(self, text: bytes) -> None:
        if text:
            self._write_out(text)


async def run_on_streams(place: Place, face: Face, streams: Streams, keys: KeyRing) -> ExitCode:
    """Run a chat over standard input and output, and return the exit code."""
    interrupted: list[bool] = []

    def stop() -> None:
        chat.stop()

    def interrupt() -> None:
        interrupted.append(True)
        stop()

    output = OutputLines(streams.output, stop)
    chat = Chat(place, face, InputLines(streams.input), output.write, keys)
    try:
        with interruptible(interrupt):
            code = await chat.run()
    finally:
        await output.close(_STUCK_SECONDS if interrupted else None)
    return ExitCode.INTERRUPTED if interrupted else code
