"""The practice peer: somebody to try the program with, alone and safely.

It is a real engine with an identity of its own, hosting on the loopback interface; nothing about
its protocol, its keys or its checks is simulated. Everything it stores is in a temporary folder that
goes with it. It can put a second identity in its own place, so that a person sees once, where
nothing can go wrong, what a changed key looks like.
"""

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from securechat_tui.chat.engine import Engine
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Event, Listening, Message, SafeText, Secure
from securechat_tui.chat.profiles import new_identity
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.profile import Profile

__all__ = ["PRACTICE_NAME", "PracticePeer", "PracticeThread", "Tutor", "visitor_profile"]

PRACTICE_NAME: Final = "robin"
_KEY_BITS: Final = 3072
_LOOPBACK: Final = "127.0.0.1"
_EXCERPT: Final = 40
_FAREWELLS: Final = frozenset({"bye", "goodbye", "good bye", "bye bye", "see you", "ciao"})

_GREETING: Final = (
    "Hello! I am the practice peer: a real one, in this program, over the real protocol. "
    "Write me something, and I answer."
)
_RETURN: Final = (
    "It is me again, with my own key. What you saw is what happens when somebody else answers in my "
    "place: nothing was sent to the other key. With a friend, ask on another way before you go on."
)
_LESSONS: Final = (
    "The two ticks beside it say that I have it; one tick would say: on its way.",
    "F3 shows my key as a fingerprint and a picture. Compare a friend's with them by voice.",
    "F4 shows how a message was checked: intact, readable, in order, fresh, signed.",
    "Now type /alarm: I come back with a different key, and you see that nothing is sent to it.",
)
_AFTERWARDS: Final = (
    "You have seen what there is. Say goodbye when you like.",
    "I go on listening; F1 lists the keys and commands.",
)


class Tutor:
    """What the practice peer says: it shows what it has read, and teaches one thing at a time."""

    def __init__(self) -> None:
        self._met = False
        self._answers = 0

    def greet(self) -> str:
        """The first words of a session; other ones for a person who comes back."""
        greeting = _RETURN if self._met else _GREETING
        self._met = True
        return greeting

    def answer(self, message: Message) -> str:
        """The answer to ``message``."""
        if is_farewell(message.text):
            return "Goodbye! With a friend it works the same way: host on one side, join on the other."
        how = "signed by you" if message.checks.signed else "not signed: only this session vouches for it"
        read = f"I read “{_excerpt(message.text)}” as your message #{message.number}, {how}."
        lesson = self._lesson()
        self._answers += 1
        return f"{read} {lesson}"

    def _lesson(self) -> str:
        if self._answers < len(_LESSONS):
            return _LESSONS[self._answers]
        return _AFTERWARDS[self._answers % len(_AFTERWARDS)]


def is_farewell(text: str) -> bool:
    """Whether ``text`` ends the conversation in words."""
    return text.strip(" .!\n").casefold() in _FAREWELLS


def _excerpt(text: SafeText) -> str:
    first = text.strip().split("\n")[0]
    return first if len(first) <= _EXCERPT else f"{first[:_EXCERPT].rstrip()}…"


class _Incarnation:
    """One life of the peer at its address: an engine under one identity, and what it answers."""

    def __init__(self, profile: Profile, tutor: Tutor) -> None:
        self._engine = Engine(profile)
        self._tutor = tutor
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._listening: asyncio.Task[None] | None = None

    async def appear(self, port: int) -> int:
        """Host at ``port`` (0: any free one); returns the port."""
        await self._engine.__aenter__()
        self._listening = asyncio.create_task(self._converse(), name="practice peer")
        try:
            await self._engine.host(f"{_LOOPBACK}:{port}")
            return await self._port
        except BaseException:
            await self.vanish()
            raise

    async def vanish(self) -> None:
        """Say goodbye and go."""
        await self._engine.close()
        if self._listening is not None:
            await self._listening

    async def _converse(self) -> None:
        async for event in self._engine.events():
            with contextlib.suppress(CommandError):  # the person has just left: nothing to say any more
                await self._react(event)

    async def _react(self, event: Event) -> None:
        match event:
            case Listening():
                if not self._port.done():
                    self._port.set_result(event.port)
            case Secure():
                await self._engine.send(self._tutor.greet())
            case Message():
                await self._engine.send(self._tutor.answer(event))
                if is_farewell(event.text):
                    await self._engine.leave()
            case _:
                pass


class PracticePeer:
    """A peer on this machine, from entering the context to leaving it.

    ``folder`` is where its profiles go; it should be temporary, and closed to others.
    """

    def __init__(self, folder: Path) -> None:
        self._own = Profile("practice", folder / "practice")
        self._other = Profile("somebody-else", folder / "somebody-else")
        self._tutor = Tutor()
        self._port = 0
        self._present: _Incarnation | None = None
        self._preparing: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where to join it, as ``ADDRESS:PORT``."""
        return f"{_LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(_make_identity, self._own)
        await self._appear(self._own)
        self._preparing = asyncio.create_task(asyncio.to_thread(_make_identity, self._other))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._vanish()
        if self._preparing is not None:
            await asyncio.wait({self._preparing})

    async def swap_identity(self) -> None:
        """Go, and come back at the same address under a different identity."""
        if self._preparing is not None:
            await asyncio.shield(self._preparing)
        await self._vanish()
        await self._appear(self._other)

    async def restore(self) -> None:
        """Come back under the first identity."""
        await self._vanish()
        await self._appear(self._own)

    async def _appear(self, profile: Profile) -> None:
        incarnation = _Incarnation(profile, self._tutor)
        self._port = await incarnation.appear(self._port)
        self._present = incarnation

    async def _vanish(self) -> None:
        present, self._present = self._present, None
        if present is not None:
            await present.vanish()


class PracticeThread:
    """A practice peer in a thread of its own, and a throw-away engine for the person who tries it.

    The screen runs a loop of its own, which begins after the peer must be there and ends before it.
    """

    def __init__(self, name: str) -> None:
        """``name`` is the person's."""
        self._name = name
        self._folder = tempfile.TemporaryDirectory(prefix="securechat-tui-demo-")
        self._visitor = visitor_profile(Path(self._folder.name))
        self._peer = PracticePeer(Path(self._folder.name))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), name="practice peer")
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._started: Future[None] = Future()
        self._stop = asyncio.Event()
        self.engine = Engine(self._visitor)

    @property
    def address(self) -> str:
        """Where to join the peer."""
        return self._peer.address

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            new_identity(self._visitor, self._name, _KEY_BITS)
            self._started.result()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    async def alarm(self) -> None:
        """Let the peer come back with a different key; join it again to see the alarm."""
        await self._there(self._peer.swap_identity())

    async def restore(self) -> None:
        """Put the peer's own key back."""
        await self._there(self._peer.restore())

    async def _there(self, doing: Coroutine[Any, Any, None]) -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(doing, self._loop.result()))

    async def _live(self) -> None:
        self._loop.set_result(asyncio.get_running_loop())
        try:
            async with self._peer:
                self._started.set_result(None)
                await self._stop.wait()
        except (ProfileError, CommandError) as error:
            self._started.set_exception(error)

    def _end(self) -> None:
        self._loop.result().call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._folder.cleanup()


def visitor_profile(folder: Path) -> Profile:
    """The throw-away profile of the person who tries the program, in the same temporary ``folder``."""
    return Profile("demo", folder / "demo")


def _make_identity(profile: Profile) -> None:
    new_identity(profile, PRACTICE_NAME, _KEY_BITS)
