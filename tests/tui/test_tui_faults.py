"""How the program ends: well, or with a traceback that gives nothing away."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from fake_engine import FakeEngine, key_changed, message
from stage import in_conversation
from textual.pilot import Pilot

from securechat_tui.chat.views import Counters
from securechat_tui.tui.app import ChatApp, run
from securechat_tui.tui.curtain import Curtain
from securechat_tui.tui.opening import JoinTarget, Opening, StartScreen
from securechat_tui.tui.screens.alarm import AlarmScreen
from securechat_tui.tui.screens.start import HomeScreen

SECRET = "the-secret-of-the-locals"


async def on_fault(fault: Callable[[], None]) -> None:
    """The running app, with a fault in one of its handlers."""
    async with in_conversation() as stage:
        stage.app.call_later(fault)
        await stage.pilot.pause()


async def test_a_fault_prints_no_locals(capsys: pytest.CaptureFixture[str]) -> None:
    def fault() -> None:
        hidden = SECRET
        raise ZeroDivisionError(len(hidden))

    with pytest.raises(ZeroDivisionError):
        await on_fault(fault)
    printed = "".join(capsys.readouterr())
    assert "ZeroDivisionError" in printed
    assert "has stopped because of a fault of its own" in printed
    assert SECRET not in printed


async def test_a_fault_prints_no_controls(capsys: pytest.CaptureFixture[str]) -> None:
    def fault() -> None:
        raise ValueError("\x1b]0;owned\x07")

    with pytest.raises(ValueError, match="owned"):
        await on_fault(fault)
    printed = "".join(capsys.readouterr())
    assert "owned" in printed
    assert "\x1b]0" not in printed


async def test_a_fault_of_the_engine_ends_the_program() -> None:
    class Broken(FakeEngine):
        async def leave(self, conversation: str | None = None) -> None:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        async with in_conversation(engine=Broken()) as stage:
            await stage.enter("/leave")
    assert stage.app.return_code == 1


class Refusing(FakeEngine):
    """Another key answers to whatever is joined."""

    async def join(self, target: str, *, new: bool = False) -> None:
        self.calls.append(("join", target, new))
        self.emit(key_changed())


class Answering(FakeEngine):
    """Whoever is joined is there."""

    async def join(self, target: str, *, new: bool = False) -> None:
        self.calls.append(("join", target, new))
        self.emit_peer()


def run_with(
    monkeypatch: pytest.MonkeyPatch,
    engine: FakeEngine,
    opening: Opening,
    until: Callable[[ChatApp], bool],
    *keys: str,
) -> int:
    """``run`` as the command line calls it, but headless: once ``until`` holds, ``keys`` are pressed."""
    original = ChatApp.run_async

    async def run_async(app: ChatApp) -> int | None:
        async def press(pilot: Pilot[object]) -> None:
            for _ in range(300):
                if until(app):
                    break
                await pilot.pause()
            await pilot.press(*keys)

        return await original(app, headless=True, size=(80, 24), auto_pilot=press)

    monkeypatch.setattr(ChatApp, "run_async", run_async)
    return run(lambda: engine, opening, Curtain())


def test_leaving_delivers_and_says_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Answering()
    code = run_with(
        monkeypatch, engine, JoinTarget("bob"), lambda app: app.state.ever_secure, "ctrl+c", "ctrl+c"
    )
    assert code == 0
    assert [call[0] for call in engine.calls] == ["join", "history", "flush", "close"]
    assert engine.closed


class Talkative(Answering):
    """It has much to say while it delivers the last messages, and waits for its reader."""

    async def flush(self, seconds: float) -> int:
        for number in range(100):
            self.emit(message(number + 1, "on the way"))
        for _ in range(1000):
            if self.is_drained:
                return 0
            await asyncio.sleep(0)
        return 100


def test_what_the_engine_says_is_read_until_everything_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    code = run_with(
        monkeypatch, Talkative(), JoinTarget("bob"), lambda app: app.state.ever_secure, "ctrl+c", "ctrl+c"
    )
    assert code == 0


def test_undelivered_messages_are_said_and_coded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Answering()
    engine.undelivered = 2
    code = run_with(
        monkeypatch, engine, JoinTarget("bob"), lambda app: app.state.ever_secure, "ctrl+c", "ctrl+c"
    )
    assert code == 6
    assert "2 messages were not delivered" in capsys.readouterr().err


def test_a_refused_join_is_4_even_with_undelivered_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Refusing()
    engine.undelivered = 1
    code = run_with(
        monkeypatch,
        engine,
        JoinTarget("bob"),
        lambda app: isinstance(app.screen, AlarmScreen),
        "ctrl+c",
        "ctrl+c",
    )
    assert code == 4


def test_trying_alone_runs_once_the_app_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    gone: list[bool] = []

    def alone() -> int:
        gone.append(engine.closed)
        return 7

    opening = StartScreen(alone=alone)
    code = run_with(
        monkeypatch, engine, opening, lambda app: isinstance(app.screen, HomeScreen), "down", "down", "enter"
    )
    assert code == 7
    assert gone == [True]


def test_a_fault_is_1_and_still_says_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(FakeEngine):
        def counters(self, conversation: str) -> Counters:
            raise RuntimeError("broken")

        async def join(self, target: str, *, new: bool = False) -> None:
            self.emit_peer()

    engine = Broken()
    assert run_with(monkeypatch, engine, JoinTarget("bob"), lambda app: not app.is_running) == 1
    assert engine.closed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_in_order(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    engine = Answering()
    sent: list[bool] = []

    def connected(app: ChatApp) -> bool:
        if app.state.ever_secure and not sent:
            sent.append(True)
            os.kill(os.getpid(), number)
        return bool(sent)

    assert run_with(monkeypatch, engine, JoinTarget("bob"), connected) == 130
    assert engine.closed


def test_no_color_reaches_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    seen: list[bool] = []
    original = ChatApp.run_async

    async def run_async(app: ChatApp) -> int | None:
        seen.append(app.no_color)
        return await original(app, headless=True, auto_pilot=lambda _: leave(app))

    async def leave(app: ChatApp) -> None:
        app.leave_program()

    monkeypatch.setattr(ChatApp, "run_async", run_async)
    run(FakeEngine, StartScreen(), Curtain(), no_color=True)
    assert seen == [True]


def test_textuals_debug_variables_are_gone_before_it_is_imported() -> None:
    program = (
        "import securechat_tui.tui.app, os;"
        "from textual import constants;"
        "print(constants.LOG_FILE, constants.SCREENSHOT_DELAY, 'TEXTUAL' in os.environ)"
    )
    variables = {
        **os.environ,
        "TEXTUAL": "debug,devtools",
        "TEXTUAL_LOG": "/nowhere",
        "TEXTUAL_SCREENSHOT": "5",
    }
    shown = subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["None", "-1", "False"]
