"""Ways to show many messages in Textual: the chat log of this program, and what it is compared with."""

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle
from typing import Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import OptionList, RichLog, Static

from bench.glass import SIZE, Glass
from bench.words import texts
from securechat_tui.chat.events import SafeText
from securechat_tui.tui.widgets.chat_log import ChatLog, MessageEntry

_NOON: Final = 1_763_726_400.0
_MINUTE: Final = 60.0
_DISTINCT: Final = 10_000
_BULK: Final = 20_000
_QUIET: Final = 3


def _texts() -> Iterator[SafeText]:
    return cycle([SafeText.multi(text) for text in texts(_DISTINCT)])


class Contestant(App[None]):
    """An app that shows messages in some way."""

    CSS = "Screen { layers: base; } #log { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.glass = Glass()
        self.glass.stand_before(self)
        self._words = _texts()

    def compose(self) -> ComposeResult:
        """The one widget."""
        yield self.make()

    def make(self) -> Widget:
        """Make the widget that shows messages."""
        raise NotImplementedError

    async def add(self, count: int) -> None:
        """Show so many more messages, as a whole."""
        del count

    async def fill(self, count: int) -> None:
        """Go on until so many are shown."""
        while self.count < count:
            await self.add(min(_BULK, count - self.count))
            await asyncio.sleep(0)

    async def append(self) -> None:
        """Show one more, as it comes."""
        await self.add(1)

    @property
    def view(self) -> Widget:
        """The widget."""
        return self.query_one("#log")


class Nothing(Contestant):
    """An app with an empty widget: what Textual itself takes."""

    def make(self) -> Widget:
        """An empty widget."""
        return Static("", id="log")

    async def append(self) -> None:
        """Draw the widget anew."""
        self.view.refresh()


class Ours(Contestant):
    """The chat log of this program."""

    def make(self) -> Widget:
        """The chat log."""
        return ChatLog(id="log")

    async def add(self, count: int) -> None:
        """Extend it."""
        self.query_one(ChatLog).extend([self._entry(self.count + number) for number in range(count)])
        self.count += count

    def _entry(self, number: int) -> MessageEntry:
        when = _NOON + number * _MINUTE
        return MessageEntry(id=f"m{number}", time=when, nick=SafeText("robin"), text=next(self._words))


class WidgetEach(Contestant):
    """A scrolling container with a widget for each message."""

    def make(self) -> Widget:
        """The container."""
        return VerticalScroll(id="log")

    async def add(self, count: int) -> None:
        """Mount widgets, and go to the last."""
        rows = [Static(f"12:00 robin  {next(self._words)}", markup=False) for _ in range(count)]
        await self.query_one(VerticalScroll).mount_all(rows)
        self.view.scroll_end(animate=False)
        self.count += count


class Rich(Contestant):
    """Textual's RichLog, which wraps a text once, when it is written."""

    def make(self) -> Widget:
        """The log."""
        return RichLog(id="log", wrap=True)

    async def add(self, count: int) -> None:
        """Write them."""
        for _ in range(count):
            self.query_one(RichLog).write(Text(f"12:00 robin  {next(self._words)}"))
        self.count += count


class Options(Contestant):
    """Textual's OptionList, which wraps every option again when the width changes."""

    def make(self) -> Widget:
        """The list."""
        return OptionList(id="log", markup=False)

    async def add(self, count: int) -> None:
        """Add options, and go to the last."""
        self.query_one(OptionList).add_options([f"12:00 robin  {next(self._words)}" for _ in range(count)])
        self.view.scroll_end(animate=False)
        self.count += count


class Stage:
    """Contestants that run side by side in one loop, filled, and asked one after the other."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._running: list[asyncio.Task[None]] = []

    def enter(self, app: Contestant, count: int) -> Contestant:
        """Start an app, and fill it."""
        self._runner.run(self._enter(app, count))
        return app

    async def _enter(self, app: Contestant, count: int) -> None:
        self._running.append(asyncio.create_task(app.run_async(size=SIZE, mouse=False)))
        await app.glass.painted_after(0)
        await app.fill(count)
        await quiet(app)
        # What has been made so far stays: nobody's rounds shall pay for looking through it again.
        gc.freeze()

    def measure(self, app: Contestant, act: Callable[[], Awaitable[object]]) -> float:
        """Processor milliseconds of an act, with all it paints."""
        return self._runner.run(self._measure(app, act)) * 1e3

    async def _measure(self, app: Contestant, act: Callable[[], Awaitable[object]]) -> float:
        begun, paints = time.process_time(), app.glass.paints
        await act()
        await app.glass.painted_after(paints)
        return await quiet(app) - begun

    def close(self) -> None:
        """End them all."""
        for task in self._running:
            task.cancel()
        self._runner.run(_ended(self._running))
        # Each app has put itself in place of these, and gone in another order than it came.
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


async def quiet(app: Contestant) -> float:
    """Wait until nothing more is painted; ``time.process_time()`` at the last paint.

    A first paint can call forth another: what came into view may be other than was thought.
    """
    last = time.process_time()
    for _ in range(_QUIET):
        seen = app.glass.paints
        await asyncio.sleep(0.02)
        if app.glass.paints != seen:
            last = time.process_time()
    return last
