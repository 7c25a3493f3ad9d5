"""One run of the engine without a screen: from the opening to the goodbye and the exit code.

What both faces share is here; how events look and what a line of input means is the face's business.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Protocol

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Event, IdentityNeeded, PassphraseNeeded, Ready
from securechat_tui.chat.limits import MAX_HELD, MAX_PENDING
from securechat_tui.chat.port import EnginePort
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.interruption import interruptible
from securechat_tui.headless.lifecycle import Lifecycle, code_of_error
from securechat_tui.headless.openings import HostAt, JoinTarget, Opening, TalkTo
from securechat_tui.headless.sending import Sending
from securechat_tui.headless.standard_streams import InputLines, Line, OutputLines, Streams

__all__ = ["DELIVERY_SECONDS", "QUIT_SECONDS", "Face", "HeadlessRun", "say"]

DELIVERY_SECONDS = 30.0
"""How long the end of the input waits for what is queued."""

QUIT_SECONDS = 5.0
"""How long a goodbye that was asked for waits for what is on its way."""

_STUCK_SECONDS = 2.0
_HELD_AHEAD = MAX_HELD // 2
_PENDING_AHEAD = MAX_PENDING // 2


def say(sentence: str) -> None:
    """One line on standard error, if anybody reads it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"securechat-tui: {sentence}\n")
        sys.stderr.flush()


class Face(Protocol):
    """How events are shown, and what a line of input means."""

    warn: Callable[[str], None]
    """Puts a sentence on standard error; a run sets it so that it keeps its place among the lines."""
    is_patient: bool
    """Input waits for the peer, where otherwise the engine would refuse to hold more of it."""

    def show(self, event: Event) -> bytes:
        """The bytes on standard output that tell ``event``; none where it is not worth a line."""

    def show_error(self, error: CommandError, line: Line = b"") -> bytes:
        """The same for a command that failed; ``line`` is what asked for it."""

    def is_message(self, line: Line) -> bool:
        """Whether the line is a text to be sent, which need not wait for the one before it."""

    async def take(self, line: Line) -> bytes | None:
        """Act on a line of input. Returns the answer for standard output; None asks for the end.

        Raises ``CommandError``, after which nothing has changed.
        """


class HeadlessRun:
    """Drives one engine from its opening to its end."""

    def __init__(
        self, engine: EnginePort, face: Face, lifecycle: Lifecycle, streams: Streams, name: str | None = None
    ) -> None:
        self._engine = engine
        self._face = face
        self._lifecycle = lifecycle
        self._input = InputLines(streams.input)
        self._name = name
        self._needed: asyncio.Future[IdentityNeeded | PassphraseNeeded | None] = (
            asyncio.get_running_loop().create_future()
        )
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._over = asyncio.Event()
        self._changed = asyncio.Event()
        self._interrupted = False
        self._output = OutputLines(streams.output, self._over.set)
        face.warn = self._warn

    async def run(self) -> ExitCode:
        """Run to the end. Raises what the engine raises where the profile cannot be used."""
        try:
            with interruptible(self._interrupt):
                undelivered = await self._with_engine()
        finally:
            await self._output.close(_STUCK_SECONDS if self._interrupted else None)
        if undelivered:
            say(f"{undelivered} of your messages {'was' if undelivered == 1 else 'were'} not delivered.")
        return self._lifecycle.exit_code(undelivered=undelivered, interrupted=self._interrupted)

    async def _with_engine(self) -> int:
        async with self._engine:
            pump = asyncio.create_task(self._pump())
            pump.add_done_callback(lambda _task: self._over.set())
            await self._until_over()
            undelivered = await self._engine.flush(0)
        done, _stuck = await asyncio.wait({pump}, timeout=_STUCK_SECONDS if self._interrupted else None)
        for task in done:
            task.result()
        return undelivered

    async def _until_over(self) -> None:
        """Act until the run is over: by its input, its events, a signal, or a reader that has gone."""
        acting = asyncio.create_task(self._act())
        acting.add_done_callback(lambda _task: self._over.set())
        await self._over.wait()
        acting.cancel()
        await asyncio.wait({acting})
        if not acting.cancelled():
            acting.result()

    async def _act(self) -> None:
        try:
            await self._get_ready()
            await self._open(self._lifecycle.opening)
        except CommandError as error:
            shown = self._face.show_error(error)
            self._write(shown)
            if shown:  # for a program; people read standard error, where the plain face has said it
                self._warn(str(error))
            self._lifecycle.fail(code_of_error(error.code))
        else:
            await self._follow_input()

    async def _get_ready(self) -> None:
        needed = await self._needed
        if isinstance(needed, PassphraseNeeded):  # it was given before the run, or set since then
            raise CommandError("passphrase", "The identity is locked by a passphrase now: start again.")
        if needed is not None:
            await self._engine.create_identity(self._name or needed.suggested_name)
        ready = await self._ready
        if self._name is not None and needed is None and self._name != ready.name:
            self._warn(f"You are {ready.name} in this profile; --name counts only where the key is made.")

    async def _open(self, opening: Opening) -> None:
        match opening:
            case HostAt(bind, invited_only):
                await self._engine.host(bind, invited_only=invited_only)
            case JoinTarget(target, new, None):
                self._lifecycle.expect_peer()
                await self._engine.join(target, new=new)
            case JoinTarget(target, _, str() as fingerprint):
                self._lifecycle.expect_peer()
                await self._engine.verify_key(fingerprint, target)
            case TalkTo(contact, bind):
                self._lifecycle.expect_peer()
                await self._engine.talk(contact, bind)
            case _:
                pass

    async def _follow_input(self) -> None:
        async with asyncio.TaskGroup() as group:
            quits = await self._read(Sending(group, self._take))
        await (self._quit() if quits else self._end_input())

    async def _read(self, sending: Sending) -> bool:
        """Act on every line of the input; return whether one asked for the end."""
        async for batch in self._input:
            for line in batch:
                await self._until(self._has_room)
                if self._face.is_message(line):
                    await sending.begin(line, self._write)
                    continue
                await sending.answered()
                answer = await self._take(line)
                if answer is None:
                    return True
                self._write(answer)
        return False

    def _has_room(self) -> bool:
        if self._lifecycle.is_secure:
            return self._lifecycle.pending < _PENDING_AHEAD
        return self._lifecycle.pending < _HELD_AHEAD or not self._face.is_patient

    async def _take(self, line: Line) -> bytes | None:
        try:
            return await self._face.take(line)
        except CommandError as error:
            return self._face.show_error(error, line)

    async def _quit(self) -> None:
        if self._lifecycle.pending:
            await self._finish(QUIT_SECONDS)
        self._lifecycle.end_input()

    async def _end_input(self) -> None:
        if self._engine.is_hosting and not self._lifecycle.is_for_one:
            await self._until(lambda: self._lifecycle.is_deserted)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DELIVERY_SECONDS):  # a guest who was cut off may come back
                    await self._until(lambda: self._lifecycle.pending <= 0)
            return
        if self._lifecycle.pending or not self._lifecycle.is_cut:
            await self._finish(DELIVERY_SECONDS)
        self._lifecycle.end_input()

    async def _finish(self, seconds: float) -> None:
        """Wait, at most ``seconds``, until what is queued is delivered or has nowhere to go."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._until(lambda: self._lifecycle.is_settled)
                await self._flush(deadline - loop.time())

    async def _flush(self, seconds: float) -> None:
        flushing = asyncio.create_task(self._engine.flush(max(0.0, seconds)))
        flushing.add_done_callback(lambda _task: self._changed.set())
        try:
            await self._until(lambda: flushing.done() or not self._has_somewhere_to_go())
        finally:
            flushing.cancel()

    def _has_somewhere_to_go(self) -> bool:
        return bool(self._engine.conversations) or self._lifecycle.can_deliver

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()

    async def _pump(self) -> None:
        async for event in self._engine.events():
            self._lifecycle.observe(event)
            self._write(self._face.show(event))
            self._note(event)
            await self._output.room()

    def _note(self, event: Event) -> None:
        if isinstance(event, Ready | IdentityNeeded | PassphraseNeeded) and not self._needed.done():
            self._needed.set_result(None if isinstance(event, Ready) else event)
        if isinstance(event, Ready) and not self._ready.done():
            self._ready.set_result(event)
        if self._lifecycle.is_over and not self._engine.is_calling:
            self._over.set()
        self._changed.set()

    def _warn(self, sentence: str) -> None:
        self._output.then(lambda: say(sentence))

    def _write(self, text: bytes) -> None:
        if text:
            self._output.write(text)

    def _interrupt(self) -> None:
        self._interrupted = True
        self._over.set()
