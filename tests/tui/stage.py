"""The app on a stage: a fake engine behind it, a pilot before it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fake_engine import FakeEngine
from textual.pilot import Pilot

from securechat_tui.tui.app import ChatApp
from securechat_tui.tui.opening import JoinTarget, Opening

_PATIENCE = 300


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    app: ChatApp
    engine: FakeEngine
    pilot: Pilot[int]
    clock: Clock

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until ``condition`` holds, or the app has ended."""
        for _ in range(_PATIENCE):
            if condition() or not self.app.is_running:
                return
            await self.pilot.pause()
        raise AssertionError(f"never came about; the screen shows:\n{self.text()}")

    async def settle(self) -> None:
        """Let the app take in all that the engine has said and all that it was asked to do."""
        await self.until(
            lambda: self.engine.is_drained and self.app.intake.is_empty and self.app.jobs.is_idle
        )
        for _ in range(3):
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type ``text`` as keys."""
        await self.press(*("space" if one == " " else one for one in text))

    async def enter(self, text: str) -> None:
        """Put ``text`` into the composer and press Enter."""
        self.app.chat.composer.put(text)
        await self.pilot.pause()
        await self.press("enter")

    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    def shows(self, text: str) -> bool:
        return text in self.text()

    def calls(self, name: str) -> list[tuple[object, ...]]:
        return [call for call in self.engine.calls if call[0] == name]


@asynccontextmanager
async def on_stage(
    opening: Opening | None = None,
    *,
    engine: FakeEngine | None = None,
    size: tuple[int, int] = (120, 36),
) -> AsyncIterator[Stage]:
    """The running app. Without an opening it joins bob, who has not answered yet."""
    behind = engine or FakeEngine()
    clock = Clock()
    async with behind:
        app = ChatApp(behind, opening or JoinTarget("bob"), clock=clock)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, behind, pilot, clock)
            await stage.settle()
            yield stage


@asynccontextmanager
async def in_conversation(
    *, engine: FakeEngine | None = None, opening: Opening | None = None, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[Stage]:
    """The running app, with bob connected."""
    async with on_stage(opening, engine=engine, size=size) as stage:
        stage.engine.emit_peer()
        await stage.settle()
        yield stage
