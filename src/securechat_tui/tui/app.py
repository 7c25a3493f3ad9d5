"""The screen as a program: it runs the app with its engine, says goodbye, and tells the exit code."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING

from securechat_tui.tui.chat_app import ChatApp
from securechat_tui.tui.curtain import Curtain
from securechat_tui.tui.foyer import Foyer
from securechat_tui.tui.guarded_app import EXIT_INTERRUPTED, leave_on_signals
from securechat_tui.tui.opening import Opening, StartScreen
from securechat_tui.tui.pasting import guard_pastes

if TYPE_CHECKING:
    from securechat_tui.chat.glimpse import Glimpse
    from securechat_tui.tui.port import ScreenPort

__all__ = ["SETTLED_SECONDS", "ChatApp", "run", "settle_memory"]

FLUSH_SECONDS = 5.0
SETTLED_SECONDS = 1.0
"""After so long nearly everything that stays for good has been made."""
EXIT_UNDELIVERED = 6


def run(
    load: "Callable[[], ScreenPort]",
    opening: Opening,
    curtain: Curtain,
    *,
    glimpse: "Glimpse | None" = None,
    no_color: bool = False,
) -> int:
    """Run the screen until it is left, say goodbye, deliver what is queued, and return the exit code.

    ``load`` makes the engine, in a thread; the app waits for it, but not where there is a ``glimpse`` of the
    profile, with which the start screen begins. ``curtain`` is lifted when the screen takes the terminal.
    Whatever the engine raises while it starts (the profile is in use, a file is damaged) goes through.
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"
    guard_pastes()
    code, wants_alone = asyncio.run(_converse(load, opening, curtain, glimpse))
    if wants_alone and isinstance(opening, StartScreen) and opening.alone:
        return opening.alone()
    return code


def settle_memory() -> None:
    """Let the garbage collector see only what is made from now on.

    It need not look again and again at what stays for good: that would hold up keys and drawing for a
    tenth of a second each time.
    """
    gc.freeze()
    gc.enable()


async def _read_on(engine: "ScreenPort") -> None:
    """Take what the engine still says, unseen: it waits for its reader, and would deliver nothing more."""
    async for _ in engine.events():
        pass


class _Entrance:
    """The way to the one engine of a run, which is made when somebody first asks for it."""

    def __init__(self, load: "Callable[[], ScreenPort]", stack: AsyncExitStack) -> None:
        self._load = load
        self._stack = stack
        self._entering: asyncio.Task[ScreenPort] | None = None

    async def enter(self) -> "ScreenPort":
        """Return the engine, entered; whoever waits no longer does not keep it from being."""
        if self._entering is None:
            self._entering = asyncio.create_task(self._enter())
        return await asyncio.shield(self._entering)

    async def _enter(self) -> "ScreenPort":
        engine = await asyncio.to_thread(self._make)
        return await self._stack.enter_async_context(engine)

    def _make(self) -> "ScreenPort":
        import_module("securechat_tui.tui.furniture")  # in this thread: the app needs it next
        return self._load()


async def _converse(
    load: "Callable[[], ScreenPort]", opening: Opening, curtain: Curtain, glimpse: "Glimpse | None"
) -> tuple[int, bool]:
    async with AsyncExitStack() as stack:
        entrance = _Entrance(load, stack)
        if glimpse:
            app = ChatApp(Foyer(glimpse.name, glimpse.preferences, entrance.enter), opening)
        else:
            app = ChatApp(await entrance.enter(), opening)
        leave_on_signals(app)
        asyncio.get_running_loop().call_later(SETTLED_SECONDS, settle_memory)
        curtain.lift()
        code = await app.run_async()
        engine = await entrance.enter()
        reading = asyncio.create_task(_read_on(engine))
        undelivered = await engine.flush(FLUSH_SECONDS)
    await reading
    if undelivered:
        noun = "message was" if undelivered == 1 else "messages were"
        sys.stderr.write(f"securechat-tui: {undelivered} {noun} not delivered.\n")
    if code is None:
        return app.return_code or EXIT_INTERRUPTED, False
    return code or (EXIT_UNDELIVERED if undelivered else 0), app.wants_alone
