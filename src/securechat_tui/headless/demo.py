"""The demo where there is no screen: a scripted conversation with the practice peer, as lines.

Only the script is fixed. The peer, its keys, the connection and the checks are those of every
conversation, over TCP on the loopback interface.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import (
    Closed,
    Delivered,
    Error,
    Event,
    IdentityNeeded,
    Message,
    Queued,
    Ready,
    Refused,
    Secure,
)
from securechat_tui.chat.practice import PracticePeer, visitor_profile
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.interruption import interruptible
from securechat_tui.headless.json_lines import encode_event
from securechat_tui.headless.plain_lines import Marks, PlainWording, stamped, warning_lines
from securechat_tui.headless.run import say

__all__ = ["run_demo"]

_ENDS = (Closed, Refused, Error)
_SECONDS = 120.0
_QUESTION = "Hello! How do I know that you have got this?"
_FAREWELL = "Goodbye"


def run_demo(name: str | None = None, *, as_json: bool = False) -> ExitCode:
    """Play the demo on standard output, in throw-away profiles; ``name`` is the person's."""
    try:
        asyncio.run(_play(_Printer(as_json=as_json), name))
    except (TimeoutError, Spoiled):
        say("The demo did not come to its end; run it again, and report it if that happens again.")
        return ExitCode.FAILED
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE


class Spoiled(Exception):
    """The conversation has ended where it should not have."""


class _Printer:
    """Events on standard output, in JSON or in words; in words one's own messages are shown, too."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._wording = PlainWording(Marks(encoding), attended=True)

    def show(self, event: Event) -> None:
        """Print ``event``."""
        if self._as_json:
            self._print(encode_event(event).decode().rstrip("\n"))
            return
        own = [stamped(event, f"you: {event.text}")] if isinstance(event, Queued) else []
        for line in (*own, *self._wording.lines(event), *warning_lines(event)):
            self._print(line)

    def tell(self, sentence: str) -> None:
        """Print a line of the narrator, who has no place in JSON."""
        if not self._as_json:
            self._print(f"-- {sentence}")

    def _print(self, line: str) -> None:
        print(line, flush=True)


class _Visit:
    """The person's side of the conversation."""

    def __init__(self, engine: Engine, printer: _Printer) -> None:
        self.engine = engine
        self._events = engine.events()
        self._printer = printer

    async def see(self, *kinds: type[Event]) -> None:
        """Show what happens until there was an event of each of ``kinds``, in whatever order."""
        missing = set(kinds)
        while missing:
            event = await anext(self._events)
            self._printer.show(event)
            if isinstance(event, _ENDS) and type(event) not in missing:
                raise Spoiled
            missing.discard(type(event))

    async def begin(self, name: str | None) -> None:
        """Make the throw-away identity."""
        needed = await anext(self._events)
        if isinstance(needed, IdentityNeeded):
            await self.engine.create_identity(name or needed.suggested_name)
        await self.see(Ready)

    async def say(self, text: str) -> None:
        """Send ``text`` and see its delivery and the answer."""
        await self.engine.send(text)
        await self.see(Delivered, Message)


async def _play(printer: _Printer, name: str | None) -> None:
    task = asyncio.current_task()
    printer.tell("Two throw-away keys are made: one for you, one for a practice peer in this program.")
    with tempfile.TemporaryDirectory(prefix="securechat-tui-demo-") as temporary:
        folder = Path(temporary)
        with interruptible(lambda: task.cancel() if task else None):
            async with (
                asyncio.timeout(_SECONDS),
                PracticePeer(folder) as peer,
                Engine(visitor_profile(folder)) as engine,
            ):
                visit = _Visit(engine, printer)
                await visit.begin(name)
                await _converse(visit, peer)
                printer.tell("Somebody else now answers at the same address.")
                await _be_alarmed(visit, peer)
                printer.tell("The practice peer itself is back.")
                await _part(visit, peer)


async def _converse(visit: _Visit, peer: PracticePeer) -> None:
    await visit.engine.join(peer.address)
    await visit.see(Secure, Message)
    await visit.say(_QUESTION)


async def _be_alarmed(visit: _Visit, peer: PracticePeer) -> None:
    await visit.engine.leave()
    await visit.see(Closed)
    await peer.swap_identity()
    await visit.engine.join(peer.address)
    await visit.see(Refused)


async def _part(visit: _Visit, peer: PracticePeer) -> None:
    await peer.restore()
    await visit.engine.join(peer.address)
    await visit.see(Secure, Message)
    await visit.say(_FAREWELL)
    await visit.see(Closed)
