"""The start screen before there is an engine: it stands, takes keys, and forgets none of them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fake_engine import FakeEngine, contact
from stage import Clock, Stage
from textual.events import AppBlur
from textual.pilot import Pilot

from securechat_tui.chat.glimpse import Glimpse, glimpse
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.preferences import Preferences
from securechat_tui.chat.profiles import Profile, ProfileError, change_passphrase, new_identity, stored_keys
from securechat_tui.tui.app import ChatApp, run
from securechat_tui.tui.curtain import Curtain
from securechat_tui.tui.foyer import Foyer
from securechat_tui.tui.opening import StartScreen
from securechat_tui.tui.port import ScreenPort
from securechat_tui.tui.screens.chat import ChatScreen
from securechat_tui.tui.screens.help import HelpScreen
from securechat_tui.tui.screens.join import JoinScreen
from securechat_tui.tui.screens.passphrase import PassphraseScreen
from securechat_tui.tui.screens.start import HomeScreen
from securechat_tui.tui.widgets.fitted_options import FittedOptions


class Foyered(Stage):
    """A stage whose engine arrives when it is let in."""

    def __init__(self, engine: FakeEngine, preferences: Preferences, *, alone: bool) -> None:
        self._door = asyncio.Event()
        self.is_refused = False
        foyer = Foyer("ada", preferences, self._enter)
        clock = Clock()
        app = ChatApp(foyer, StartScreen(alone=(lambda: 0) if alone else None), clock=clock)
        super().__init__(app, engine, Pilot(app), clock)

    async def _enter(self) -> ScreenPort:
        await self._door.wait()
        if self.is_refused:
            raise ProfileError
        return self.engine

    async def let_in(self) -> None:
        self._door.set()
        await self.until(lambda: self.app.foyer is None)
        await self.settle()

    @property
    def highlighted(self) -> int | None:
        return self.app.screen.query_one(FittedOptions).highlighted


@asynccontextmanager
async def in_foyer(
    engine: FakeEngine | None = None, preferences: Preferences | None = None, *, alone: bool = False
) -> AsyncIterator[Foyered]:
    async with engine or FakeEngine() as behind:
        stage = Foyered(behind, preferences or Preferences(), alone=alone)
        async with stage.app.run_test(size=(80, 24)) as stage.pilot:
            await stage.pilot.pause()
            yield stage


async def test_the_choices_stand_before_there_is_an_engine() -> None:
    async with in_foyer(alone=True) as stage:
        assert stage.shows("You are ada")
        assert stage.shows("Try it alone")
        await stage.pilot.press("down")
        assert stage.highlighted == 1


async def test_key_and_contacts_come_with_the_engine_and_the_highlight_stays() -> None:
    async with in_foyer(FakeEngine(contacts=(contact("bob"),))) as stage:
        await stage.pilot.press("down")
        assert not stage.shows("SHA256:")
        await stage.let_in()
        assert isinstance(stage.app.screen, HomeScreen)
        assert stage.shows("You are ada  SHA256:q0QbYz4T…")
        assert stage.shows("bob")
        assert stage.highlighted == 1
        assert stage.app.focused is stage.app.screen.query_one(FittedOptions)


async def test_then_it_is_the_start_screen_that_it_always_was() -> None:
    async with in_foyer() as stage:
        await stage.let_in()
        await stage.press("escape")
        assert stage.app.is_in_chat
        assert stage.app.screen_stack[1:] == [stage.app.chat]


async def test_what_is_chosen_early_is_done_once() -> None:
    async with in_foyer() as stage:
        await stage.pilot.press("enter")
        assert stage.shows("your key is being read")
        await stage.let_in()
        assert stage.app.is_in_chat
        assert stage.calls("host") == [("host", None, False)]


@pytest.mark.parametrize(("key", "expected"), [("f1", HelpScreen), ("escape", None)])
async def test_a_key_pressed_early_is_heard(key: str, expected: type | None) -> None:
    async with in_foyer() as stage:
        await stage.pilot.press(key)
        await stage.let_in()
        assert isinstance(stage.app.screen, expected) if expected else stage.app.is_in_chat
        homes = [one for one in stage.app.screen_stack if isinstance(one, HomeScreen)]
        assert len(homes) == (1 if expected else 0)


async def test_of_what_is_asked_for_early_the_last_counts() -> None:
    async with in_foyer() as stage:
        await stage.pilot.press("enter", "enter", "down", "enter", "enter")
        await stage.let_in()
        assert stage.calls("host") == []
        assert [type(one) for one in stage.app.screen_stack[1:]] == [ChatScreen, HomeScreen, JoinScreen]


async def test_two_interrupts_leave_without_waiting_for_the_engine() -> None:
    async with in_foyer() as stage:
        await stage.pilot.press("ctrl+c")
        assert stage.app.is_running
        stage.clock.now += 60
        await stage.pilot.press("ctrl+c")
        assert stage.app.is_running
        await stage.pilot.press("ctrl+c")
        await stage.until(lambda: False)
        assert stage.app.return_code == 0


async def test_an_interrupt_before_the_engine_and_one_after_leave() -> None:
    async with in_foyer() as stage:
        await stage.pilot.press("ctrl+c")
        await stage.let_in()
        await stage.pilot.press("ctrl+c")
        await stage.until(lambda: False)
        assert stage.app.return_code == 0


async def test_who_looks_away_early_is_called() -> None:
    async with in_foyer() as stage:
        stage.app.post_message(AppBlur())
        await stage.pilot.pause()
        await stage.let_in()
        assert stage.app.attention.is_away


async def test_the_theme_and_the_keys_are_there_from_the_beginning() -> None:
    async with in_foyer(preferences=Preferences(theme="light", keys={"help": "f9"})) as stage:
        assert stage.app.current_theme.name == "securechat-light"
        assert stage.shows("F9 /help")


async def test_a_passphrase_that_nobody_foresaw_is_asked_for_before_the_choice_is_done() -> None:
    engine = FakeEngine(identity=None)
    engine.locked, engine.passphrase = True, Passphrase("abc")
    async with in_foyer(engine) as stage:
        await stage.pilot.press("enter")
        await stage.let_in()
        assert isinstance(stage.app.screen, PassphraseScreen)
        assert stage.calls("host") == []
        await stage.type("abc")
        await stage.press("enter")
        await stage.until(lambda: stage.calls("host"))
        assert stage.app.is_in_chat


async def test_an_engine_that_cannot_be_ends_the_app() -> None:
    async with in_foyer() as stage:
        stage.is_refused = True
        stage._door.set()
        await stage.until(lambda: False)
        assert not stage.app.is_running


def headless(monkeypatch: pytest.MonkeyPatch, act: Callable[[Pilot[object]], object]) -> None:
    """Have every app run without a terminal, and ``act`` on it."""
    original = ChatApp.run_async

    async def run_async(app: ChatApp) -> int | None:
        async def pilot(one: Pilot[object]) -> None:
            act(one)

        return await original(app, headless=True, size=(80, 24), auto_pilot=pilot)

    monkeypatch.setattr(ChatApp, "run_async", run_async)


def test_what_keeps_the_engine_from_being_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def load() -> ScreenPort:
        raise ProfileError

    headless(monkeypatch, lambda _: None)
    with pytest.raises(ProfileError):
        run(load, StartScreen(), Curtain(), glimpse=Glimpse("ada", Preferences()))


def test_whoever_leaves_at_once_still_closes_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    headless(monkeypatch, lambda pilot: pilot.app.exit(0))
    assert run(lambda: engine, StartScreen(), Curtain(), glimpse=Glimpse("ada", Preferences())) == 0
    assert engine.closed


def test_the_start_screen_is_there_without_cryptography_and_engine() -> None:
    """What makes it quick: that nothing of these is imported for it."""
    code = (
        "import sys, securechat_tui.cli, securechat_tui.tui.app, securechat_tui.chat.glimpse; "
        "late = {'cryptography', 'sqlcipher3', 'filelock', 'securechat_tui.chat.events', "
        "'securechat_tui.chat.engine', 'securechat_tui.tui.furniture'}; print(sorted(late & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("SECURECHAT_TUI_HOME", str(tmp_path))
    return Profile.named("default")


def test_a_glimpse_tells_name_and_preferences(profile: Profile) -> None:
    new_identity(profile, "ada", 3072)
    with profile.config_path.open("a", encoding="utf-8") as file:
        file.write('theme = "light"\n')
    seen = glimpse(None)
    assert seen is not None
    assert (seen.name, seen.preferences.theme) == ("ada", "light")
    assert seen.preferences.path == str(profile.config_path)


def test_a_glimpse_of_nobody_is_none(profile: Profile) -> None:
    assert glimpse(None) is None
    profile.folder.mkdir(parents=True)
    profile.identity_path.mkdir()
    assert glimpse(None) is None


def test_a_glimpse_of_a_key_under_a_passphrase_is_none(profile: Profile) -> None:
    new_identity(profile, "ada", 3072)
    with profile:
        change_passphrase(profile, stored_keys(profile), Passphrase("correct horse battery"))
    assert glimpse(None) is None


def test_a_glimpse_of_wrong_settings_is_an_error(profile: Profile) -> None:
    new_identity(profile, "ada", 3072)
    profile.config_path.write_text('theme = "pink"\n', encoding="utf-8")
    with pytest.raises(ProfileError, match="theme"):
        glimpse(None)
