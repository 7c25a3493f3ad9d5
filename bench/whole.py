"""Ours as people run it below the screen: two engines with profiles on disk, signed messages."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from bench.peer import ECHO, SWALLOW, Announce, text
from securechat_tui.chat import events
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import Event
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.profile import Profile


class Person:
    """An engine and the reader of its events."""

    def __init__(self, folder: Path, name: str) -> None:
        """``folder`` will hold the profile."""
        self.engine = Engine(Profile(name, folder / f"profile-{name}"))
        self._name = name
        self._sent = 0
        self._awaited = 0
        self.port = 0
        self.came = asyncio.Event()
        self._progress = asyncio.Event()
        self.message: asyncio.Future[None] | None = None

    async def begin(self) -> None:
        """Make the identity, and read events until the engine is closed."""
        await self.engine.__aenter__()
        await self.engine.create_identity(self._name)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.engine.events():
            await self._take(event)

    async def _take(self, event: Event) -> None:
        match event:
            case events.Sent():
                self._sent += 1
                if self._sent >= self._awaited:
                    self._progress.set()
            case events.Message():
                await self._answer(str(event.text))
            case events.Listening():
                self.port = event.port
                self.came.set()
            case events.Secure():
                self.came.set()
            case _:
                pass

    async def _answer(self, message: str) -> None:
        if self.message is not None:
            self.message.set_result(None)
        elif not message.startswith(SWALLOW.decode()):
            await self.engine.send(message)

    async def send(self, message: str, count: int) -> None:
        """Give ``count`` messages at once, and wait until all are signed and written."""
        self._awaited = self._sent + count
        self._progress.clear()
        await asyncio.gather(*(self.engine.send(message) for _ in range(count)))
        await self._progress.wait()

    async def echoed(self, message: str) -> None:
        """Send one message and wait for its echo."""
        self.message = asyncio.get_running_loop().create_future()
        await self.engine.send(message)
        await self.message
        self.message = None

    async def end(self) -> None:
        """Say goodbye."""
        await self.engine.close()
        with suppress(asyncio.CancelledError):
            await self._reading


async def join(folder: Path, port: int, name: str = "guest") -> Person:
    """Return a guest whose session stands."""
    guest = Person(folder, name)
    await guest.begin()
    await guest.engine.join(f"127.0.0.1:{port}")
    await guest.came.wait()
    return guest


async def flood(guest: Person, size: int, count: int, waiting: int) -> float:
    """Return messages per second; ``waiting`` are given at a time, and share one signature."""
    message = text(SWALLOW, size).decode()
    start = time.perf_counter()
    for _ in range(count // waiting):
        await guest.send(message, waiting)
    await guest.echoed(ECHO.decode())
    return count / (time.perf_counter() - start)


async def round_trips(guest: Person, size: int, count: int) -> list[float]:
    """Return the seconds of each round trip."""
    message, times = text(ECHO, size).decode(), []
    for _ in range(count):
        start = time.perf_counter()
        await guest.echoed(message)
        times.append(time.perf_counter() - start)
    return times


def serve(folder: Path, announce: Announce) -> None:
    """Host an engine."""

    async def run() -> None:
        host = Person(folder, "host")
        await host.begin()
        await host.engine.host("127.0.0.1:0")
        await host.came.wait()
        announce(host.port)
        await asyncio.Event().wait()

    asyncio.run(run())


def _nothing(*_: object) -> None:
    """Keep nothing."""


def serve_unkept(folder: Path, announce: Announce) -> None:
    """Host an engine whose store takes everything and keeps nothing."""
    with patch.object(ConversationStore, "write", _nothing):
        serve(folder / "unkept", announce)


def keep_nothing(person: Person) -> None:
    """Let what this person says and hears from now on be kept nowhere."""
    for conversation in person.engine.reception.conversations.all():
        vars(conversation.journal.store)["write"] = _nothing
