"""A terminal of glass: it takes what the app paints, shows it to nobody, and types.

Textual's headless driver paints nothing at all. This one has everything drawn and made into bytes, as
for a real terminal, and notes when a text that is awaited is among them.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from textual.app import App
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key, Resize
from textual.geometry import Size

__all__ = ["SIZE", "Glass"]

SIZE: Final = (120, 40)
_PATIENCE_SECONDS: Final = 60.0


@dataclass
class Glass:
    """Stands where the terminal would be. One glass serves one app."""

    paints: int = 0
    """Writes that draw something."""
    painted: int = 0
    """Characters written."""
    _driver: Driver | None = field(default=None, repr=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _awaited: str = ""
    _seen: asyncio.Future[float] | None = field(default=None, repr=False)

    def stand_before(self, app: App[Any]) -> None:
        """Be the terminal of ``app``, which must not run yet."""
        glass = self

        class Terminal(HeadlessDriver):
            is_headless = False

            def start_application_mode(self) -> None:
                glass._driver = self
                super().start_application_mode()

            def write(self, data: str) -> None:
                glass._take(data)

        app.driver_class = Terminal

    def _take(self, data: str) -> None:
        if len(data) < 2:
            return
        self.paints += 1
        self.painted += len(data)
        self._news.set()
        if self._seen is not None and not self._seen.done() and self._awaited in data:
            self._seen.set_result(time.perf_counter())

    async def painted_after(self, paints: int) -> None:
        """Wait until more has been painted than ``paints`` writes."""
        while self.paints <= paints:
            self._news.clear()
            await self._news.wait()

    async def press(self, key: str, character: str | None = None, *, until: str) -> float:
        """Press a key; the seconds until ``until`` has been painted. Raises TimeoutError if it never is."""
        self._awaited = until
        self._seen = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()
        self.strike(key, character)
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await self._seen - begun

    def strike(self, key: str, character: str | None = None) -> None:
        """Press a key and do not wait."""
        if self._driver is None:
            raise RuntimeError("the app does not run yet")
        self._driver.process_message(Key(key, character))

    def resize(self, width: int, height: int) -> None:
        """Become as large as that."""
        if self._driver is None:
            raise RuntimeError("the app does not run yet")
        size = Size(width, height)
        self._driver.process_message(Resize(size, size))
