"""Draw screenshots/*.svg from the real program: two engines with real keys, talking over loopback.

Run it from the project's folder: python tools/screenshots.py [FOLDER]
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from unittest import mock

from textual.pilot import Pilot

from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import Listening
from securechat_tui.chat.openings import HostAt, JoinTarget
from securechat_tui.chat.profiles import new_identity, open_profile
from securechat_tui.lab.screens.app import LabApp
from securechat_tui.lab.screens.matrix import MatrixScreen
from securechat_tui.network.addresses import Address
from securechat_tui.tui.app import ChatApp
from securechat_tui.tui.guarded_app import GuardedApp
from securechat_tui.tui.opening import Opening, StartScreen
from securechat_tui.tui.screens.invite import InviteScreen
from securechat_tui.tui.screens.start import HomeScreen
from securechat_tui.tui.screens.verify import VerifyChoice
from securechat_tui.tui.screens.welcome import WelcomeScreen
from securechat_tui.tui.state import Link
from securechat_tui.tui.widgets.step_view import StepView

ROOT = Path(__file__).resolve().parent.parent
LARGE, COMMON, SMALL = (120, 36), (80, 24), (50, 20)
TRIES = 600
MATRIX_TRIES = 30_000
"""Every attack on every protocol takes a while."""
SCRIPT = (
    ("alice", "Morning! Did the parcel arrive?"),
    ("bob", "It did, thank you. Everything in one piece."),
    ("alice", "Good. Shall we go through the contract now? I have the figures here."),
    ("bob", "Yes. Give me five minutes, I am getting the second page."),
    ("alice", "No hurry.\nI will put the kettle on ☕"),
    ("bob", "Back. Go ahead!"),
)
_FONT_RULES = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


class Pictures:
    """Draws into one folder; a picture asks nothing of the network, not even for a font."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, app: GuardedApp, name: str) -> None:
        svg = app.export_screenshot(title="securechat-tui", simplify=True)
        path = self._folder / f"{name}.svg"
        path.write_text(_FONT_RULES.sub("", svg), encoding="utf-8")
        print(path)


@asynccontextmanager
async def hosting(profile: str, port: int = 0) -> AsyncIterator[tuple[Engine, int]]:
    """Open an engine that hosts on loopback; its events are read and forgotten."""
    async with Engine(open_profile(profile)) as engine:
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def read() -> None:
            async for event in engine.events():
                if isinstance(event, Listening) and not listening.done():
                    listening.set_result(event.port)

        reading = asyncio.create_task(read())
        await engine.host(f"127.0.0.1:{port}")
        yield engine, await listening
        await engine.close()
        await reading


@asynccontextmanager
async def on_screen(
    profile: str, opening: Opening, size: tuple[int, int]
) -> AsyncIterator[tuple[ChatApp, Pilot[int]]]:
    """Open the screen of a person."""
    async with Engine(open_profile(profile)) as engine:
        app = ChatApp(engine, opening)
        async with app.run_test(size=size) as pilot:
            yield app, pilot


async def wipe(profile: str) -> None:
    """Destroy what a person has kept: each picture begins with an empty log."""
    async with Engine(open_profile(profile)) as engine:
        for view in engine.overview():
            await engine.wipe(view.id)


async def until(pilot: Pilot[int], done: Callable[[], object], tries: int = TRIES) -> None:
    """Let the program run until something is so."""
    for _ in range(tries):
        await pilot.pause(0.01)
        if done():
            await pilot.pause()
            return
    raise TimeoutError("the picture never came about")


async def play(app: ChatApp, pilot: Pilot[int], alice: Engine) -> None:
    """Let the two talk."""
    await until(pilot, lambda: app.state.link is Link.CONNECTED)
    for number, (who, text) in enumerate(SCRIPT, 1):
        await (alice if who == "alice" else app.engine).send(text)
        await until(pilot, partial(_has, app, number))
    await until(pilot, lambda: app.state.round_trip is not None)


def _has(app: ChatApp, messages: int) -> bool:
    counters = app.state.counters
    return counters.delivered + counters.received == messages


async def draw(pictures: Pictures) -> None:
    """Draw every picture."""
    for profile in ("alice", "bob", "somebody-else"):
        new_identity(open_profile(profile), profile, 3072)

    async with on_screen("nobody-yet", StartScreen(), LARGE) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, WelcomeScreen))
        pictures.take(app, "first-run")
    # An address of no machine: which this one has is nobody's business.
    address = (Address("192.0.2.7", 8000),)
    with mock.patch("securechat_tui.chat.hosting.reachable_addresses", return_value=address):
        async with on_screen("alice", HostAt("127.0.0.1:8000"), LARGE) as (app, pilot):
            await until(pilot, lambda: app.state.invite is not None)
            pictures.take(app, "hosting")
        async with on_screen("alice", HostAt("127.0.0.1:8000"), COMMON) as (app, pilot):
            await until(pilot, lambda: app.state.invite is not None)
            app.desk.perform("invite")
            await until(pilot, lambda: isinstance(app.screen, InviteScreen))
            pictures.take(app, "invite")

    async with hosting("alice") as (alice, port):
        target = f"127.0.0.1:{port}"
        async with on_screen("bob", JoinTarget(target), LARGE) as (app, pilot):
            await play(app, pilot, alice)
            await alice.verify()
            app.desk.perform("verify")
            app.desk.decide(VerifyChoice.ASK, "")
            await until(pilot, lambda: None not in (app.state.code, app.state.safety_number))
            await pilot.pause()
            pictures.take(app, "verify")
            await pilot.press("escape")
            for key, name in (("f4", "details"), ("f1", "help")):
                await pilot.press(key)
                await pilot.pause()
                pictures.take(app, name)
                await pilot.press("escape")
        for size, name in ((LARGE, "chat"), (COMMON, "chat-80x24"), (SMALL, "chat-50x20")):
            await wipe("bob")
            async with on_screen("bob", JoinTarget("alice"), size) as (app, pilot):
                await play(app, pilot, alice)
                pictures.take(app, name)

    async with on_screen("bob", StartScreen(alone=lambda: 0), LARGE) as (app, pilot):
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        pictures.take(app, "start")
    async with hosting("somebody-else", port), on_screen("bob", JoinTarget(target), LARGE) as (app, pilot):
        await until(pilot, lambda: app.state.link is Link.REFUSED)
        pictures.take(app, "key-changed")


async def draw_lab(pictures: Pictures) -> None:
    """Draw the lab: one message on its way, and the matrix; both are run for the picture."""
    app = LabApp()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.screen.query(StepView))
        steps = app.screen.query_one(StepView).steps
        await pilot.press(*["down"] * [one.step.name for one in steps].index("sign (RSA-PSS)"))
        await pilot.pause()
        pictures.take(app, "lab-steps")
        await pilot.press("escape", "f3")
        matrix = app.screen
        await until(pilot, lambda: isinstance(matrix, MatrixScreen) and not matrix.is_computing, MATRIX_TRIES)
        await pilot.press("down", "down", "right")
        await pilot.pause()
        pictures.take(app, "lab-matrix")


def main() -> None:
    """Draw with throw-away profiles."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"
    with tempfile.TemporaryDirectory(prefix="securechat-tui-pictures-") as home:
        os.environ.update(SECURECHAT_TUI_HOME=home, COLORTERM="truecolor")
        pictures = Pictures(folder)
        asyncio.run(draw(pictures))
        asyncio.run(draw_lab(pictures))


if __name__ == "__main__":
    main()
