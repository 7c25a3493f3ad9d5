"""The first run: a name, a key, then whatever was asked for."""

import asyncio

from fake_engine import OWN_FINGERPRINT, FakeEngine
from stage import on_stage
from textual.widgets import Button, Input

from securechat_tui.chat.errors import CommandError
from securechat_tui.tui.opening import HostAt, StartScreen
from securechat_tui.tui.screens.start import HomeScreen
from securechat_tui.tui.screens.welcome import WelcomeScreen


def newcomer() -> FakeEngine:
    return FakeEngine(identity=None)


async def test_from_nothing_to_the_start_screen() -> None:
    async with on_stage(StartScreen(), engine=newcomer()) as stage:
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert stage.app.screen.query_one("#name", Input).value == "ada"
        await stage.press("enter")
        assert stage.calls("create_identity") == [("create_identity", "ada", 3072)]
        assert isinstance(stage.app.screen, HomeScreen)
        assert stage.shows("You are ada  SHA256:q0QbYz4T…")


async def test_a_name_of_ones_own_and_a_larger_key() -> None:
    async with on_stage(StartScreen(), engine=newcomer()) as stage:
        stage.app.screen.query_one("#name", Input).value = "grace"
        await stage.press("tab", "tab", "tab", "down", "space", "tab", "enter")
        assert stage.calls("create_identity") == [("create_identity", "grace", 4096)]


async def test_the_choice_of_key_can_be_read_without_colour() -> None:
    async with on_stage(StartScreen(), engine=newcomer()) as stage:
        assert stage.shows("(●) RSA 3072")
        assert stage.shows("( ) RSA 4096")


async def test_ctrl_c_leaves_though_the_proposed_name_is_selected() -> None:
    async with on_stage(StartScreen(), engine=newcomer()) as stage:
        await stage.press("ctrl+c")
        assert stage.app.clipboard == "ada"
        await stage.press("ctrl+c")
        assert stage.app.is_running
        await stage.pilot.press("ctrl+c")
        await stage.until(lambda: False)
        assert stage.app.return_code == 0


async def test_without_a_name_it_asks_for_one() -> None:
    async with on_stage(StartScreen(), engine=newcomer()) as stage:
        stage.app.screen.query_one("#name", Input).value = "  "
        await stage.press("enter")
        assert stage.calls("create_identity") == []
        assert stage.shows("Type a name first")


async def test_progress_while_the_key_is_made() -> None:
    engine = newcomer()
    engine.key_making = asyncio.Event()
    async with on_stage(StartScreen(), engine=engine) as stage:
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.calls("create_identity"))
        await stage.until(lambda: stage.shows("Making your key"))
        assert stage.app.screen.query_one("#create", Button).disabled
        await stage.pilot.press("enter")
        engine.key_making.set()
        await stage.settle()
        assert len(stage.calls("create_identity")) == 1
        assert isinstance(stage.app.screen, HomeScreen)


async def test_a_failure_is_a_sentence_and_can_be_mended() -> None:
    engine = newcomer()
    engine.failures["create_identity"] = CommandError("no-identity", "The folder cannot be written to.")
    async with on_stage(StartScreen(), engine=engine) as stage:
        await stage.press("enter")
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert stage.shows("The folder cannot be written to.")
        await stage.press("enter")
        assert isinstance(stage.app.screen, HomeScreen)


async def test_then_it_goes_on_as_the_command_line_said() -> None:
    async with on_stage(HostAt("0.0.0.0:9000"), engine=newcomer()) as stage:
        assert stage.calls("host") == []
        await stage.press("enter")
        assert stage.calls("host") == [("host", "0.0.0.0:9000", False)]
        assert stage.shows(OWN_FINGERPRINT)


async def test_only_what_works_is_offered() -> None:
    async with on_stage(StartScreen(), engine=newcomer()) as stage:
        await stage.press("f2", "f3", "f4", "ctrl+p", "escape")
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert stage.shows("F1 /help")
        assert not stage.shows("/verify")


async def test_it_fits_a_small_window() -> None:
    async with on_stage(StartScreen(), engine=newcomer(), size=(50, 20)) as stage:
        assert stage.shows("Your name")
        assert stage.shows("Create my identity")
