"""The passphrase: chosen at the first run, asked for before everything else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from fake_engine import FakeEngine
from passphrases import CANARY
from stage import Stage, in_conversation, on_stage
from textual.widgets import Button, Input

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.tui.opening import HostAt, StartScreen
from securechat_tui.tui.screens.change_passphrase import ChangePassphraseScreen
from securechat_tui.tui.screens.passphrase import PassphraseScreen
from securechat_tui.tui.screens.start import HomeScreen
from securechat_tui.tui.screens.welcome import WelcomeScreen

RIGHT = "correct horse"


def locked() -> FakeEngine:
    engine = FakeEngine(identity=None)
    engine.locked = True
    engine.passphrase = Passphrase(RIGHT)
    return engine


def field(stage: Stage, name: str = "passphrase") -> Input:
    return stage.app.screen.query_one(f"#{name}", Input)


async def enter(stage: Stage, text: str) -> None:
    field(stage).value = text
    await stage.press("enter")


class Seconds:
    """Stands in for the timer of the screen: a second passes when the test says so."""

    def __init__(self) -> None:
        self._tick: Callable[[], None] = self.stop

    def __call__(self, seconds: float, tick: Callable[[], None]) -> "Seconds":
        assert seconds == 1.0
        self._tick = tick
        return self

    def stop(self) -> None:
        self._tick = lambda: None

    def pass_one(self) -> None:
        self._tick()


async def test_it_comes_before_everything_else() -> None:
    async with on_stage(StartScreen(), engine=locked()) as stage:
        assert isinstance(stage.app.screen, PassphraseScreen)
        await stage.press("f2", "f3", "f4", "ctrl+p", "escape")
        assert isinstance(stage.app.screen, PassphraseScreen)
        await enter(stage, RIGHT)
        assert isinstance(stage.app.screen, HomeScreen)
        assert stage.shows("You are ada")


async def test_then_it_goes_on_as_the_command_line_said() -> None:
    async with on_stage(HostAt("0.0.0.0:9000"), engine=locked()) as stage:
        assert stage.calls("host") == []
        await enter(stage, RIGHT)
        assert stage.calls("host") == [("host", "0.0.0.0:9000", False)]


async def test_what_is_typed_is_dots_and_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with on_stage(StartScreen(), engine=locked()) as stage:
        monkeypatch.setattr(stage.app, "copy_to_clipboard", copied.append)
        await stage.type("secret")
        assert stage.shows("••••••")
        assert not stage.shows("secret")
        field(stage).action_select_all()
        assert field(stage).selected_text == ""
        await stage.press("ctrl+c")
        assert field(stage).value == "secret"
        await stage.press("ctrl+x")
        assert field(stage).value == ""
        assert copied == []


async def test_a_wrong_one_is_said_and_costs_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = Seconds()
    async with on_stage(StartScreen(), engine=locked()) as stage:
        monkeypatch.setattr(stage.app.screen, "set_interval", seconds)
        for pause in (1, 2, 4):
            await enter(stage, "wrong")
            await stage.until(lambda: stage.shows("That is not the passphrase."))
            assert field(stage).value == ""
            for left in range(pause, 0, -1):
                await stage.pilot.pause()
                assert stage.shows(f"possible in {left} s.")
                assert field(stage).disabled
                await stage.press("enter")
                seconds.pass_one()
            await stage.pilot.pause()
            assert not field(stage).disabled
            assert field(stage).has_focus
            assert stage.shows("That is not the passphrase.")
            assert not stage.shows("possible in")
        await enter(stage, RIGHT)
        assert isinstance(stage.app.screen, HomeScreen)
        assert len(stage.calls("unlock")) == 4


async def test_progress_while_the_key_is_opened() -> None:
    engine = locked()
    engine.key_making = asyncio.Event()
    async with on_stage(StartScreen(), engine=engine) as stage:
        field(stage).value = RIGHT
        await stage.pilot.press("enter")
        await stage.until(lambda: stage.shows("Opening your key"))
        assert field(stage).disabled
        await stage.pilot.press("enter")
        engine.key_making.set()
        await stage.until(lambda: isinstance(stage.app.screen, HomeScreen))
        assert len(stage.calls("unlock")) == 1


@pytest.mark.parametrize(("text", "words"), [("", "Type the passphrase first"), ("x" * 2000, "at most 1024")])
async def test_what_is_no_passphrase_is_not_tried(text: str, words: str) -> None:
    async with on_stage(StartScreen(), engine=locked()) as stage:
        await enter(stage, text)
        assert stage.shows(words)
        assert stage.calls("unlock") == []
        assert not field(stage).disabled


async def test_ctrl_c_twice_leaves() -> None:
    async with on_stage(StartScreen(), engine=locked()) as stage:
        await stage.press("ctrl+c")
        assert stage.app.is_running
        await stage.pilot.press("ctrl+c")
        await stage.until(lambda: not stage.app.is_running)
        assert stage.app.return_code == 0


# The first run.


async def at_the_first_run(stage: Stage, first: str, again: str) -> None:
    assert isinstance(stage.app.screen, WelcomeScreen)
    field(stage).value = first
    field(stage, "again").value = again


async def test_the_first_run_takes_one() -> None:
    async with on_stage(StartScreen(), engine=FakeEngine(identity=None)) as stage:
        await stage.press("tab")
        await stage.type(RIGHT)
        await stage.press("enter")
        assert field(stage, "again").has_focus
        await stage.type(RIGHT)
        assert not stage.shows("horse")
        await stage.press("enter")
        assert stage.engine.passphrase == Passphrase(RIGHT)
        assert isinstance(stage.app.screen, HomeScreen)


async def test_and_does_not_ask_for_one() -> None:
    async with on_stage(StartScreen(), engine=FakeEngine(identity=None)) as stage:
        await stage.press("tab", "enter")
        assert stage.engine.passphrase is None
        assert isinstance(stage.app.screen, HomeScreen)


@pytest.mark.parametrize(
    ("first", "again", "words", "focus"),
    [
        ("one", "another", "differ", "again"),
        ("one", "", "differ", "again"),
        ("", "one", "differ", "passphrase"),
        ("x" * 2000, "x" * 2000, "at most 1024", "passphrase"),
    ],
    ids=["different", "once", "only again", "long"],
)
async def test_a_slip_is_said_and_nothing_made(first: str, again: str, words: str, focus: str) -> None:
    async with on_stage(StartScreen(), engine=FakeEngine(identity=None)) as stage:
        await at_the_first_run(stage, first, again)
        stage.app.screen.query_one("#create", Button).press()
        await stage.settle()
        assert stage.shows(words)
        assert stage.calls("create_identity") == []
        assert field(stage, focus).has_focus


async def test_both_spellings_of_an_accent_are_the_same() -> None:
    async with on_stage(StartScreen(), engine=FakeEngine(identity=None)) as stage:
        await at_the_first_run(stage, "Äpfel", "A\u0308pfel")
        await stage.press("enter")
        assert stage.engine.passphrase == Passphrase("Äpfel")


def test_the_order_to_make_a_key_does_not_show_it() -> None:
    order = WelcomeScreen.Create("ada", 3072, Passphrase(CANARY))
    assert CANARY not in repr(order)


# From within.


def protected() -> FakeEngine:
    engine = FakeEngine()
    engine.passphrase = Passphrase(RIGHT)
    return engine


@asynccontextmanager
async def changing(engine: FakeEngine) -> AsyncIterator[Stage]:
    """The screen that ``/passphrase`` opens, in a conversation."""
    async with in_conversation(engine=engine) as stage:
        await stage.enter("/passphrase")
        assert isinstance(stage.app.screen, ChangePassphraseScreen)
        yield stage


async def fill(stage: Stage, **texts: str) -> None:
    """Put texts into the fields, and press Enter in the last."""
    for name, text in texts.items():
        field(stage, name).value = text
    field(stage, "again").focus()
    await stage.press("enter")


async def test_a_first_one_is_set_from_within() -> None:
    async with changing(FakeEngine()) as stage:
        assert not stage.app.screen.query("#present")
        assert stage.shows("Your key has none")
        await stage.type(RIGHT)
        assert stage.shows("•••••••••••••")
        assert not stage.shows("horse")
        await stage.press("enter")
        assert field(stage, "again").has_focus
        await stage.type(RIGHT)
        await stage.press("enter")
        assert stage.engine.passphrase == Passphrase(RIGHT)
        assert stage.app.is_in_chat
        assert stage.shows("under the new passphrase")
        assert not stage.shows("horse")


async def test_it_is_changed_from_within() -> None:
    async with changing(protected()) as stage:
        await stage.type(RIGHT)
        await stage.press("tab")
        await stage.type("new one")
        await stage.press("enter")
        await stage.type("new one")
        await stage.press("enter")
        assert stage.engine.passphrase == Passphrase("new one")
        assert stage.app.is_in_chat


async def test_it_is_taken_away_after_a_second_enter() -> None:
    async with changing(protected()) as stage:
        await fill(stage, present=RIGHT)
        assert stage.shows("Enter once more takes the")
        assert stage.calls("change_passphrase") == []
        await stage.press("x", "backspace", "enter")
        assert stage.calls("change_passphrase") == []
        await stage.press("enter")
        assert stage.engine.passphrase is None
        assert stage.shows("Your key has no passphrase now")


async def test_a_wrong_present_one_costs_pauses_that_leaving_does_not_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = Seconds()
    usual: Callable[..., object] = ChangePassphraseScreen.set_interval
    own: Callable[..., object] = seconds

    def every(screen: ChangePassphraseScreen, *when: object, **how: object) -> object:
        return usual(screen, *when, **how) if how else own(*when)

    monkeypatch.setattr(ChangePassphraseScreen, "set_interval", every)
    async with changing(protected()) as stage:
        for pause in (1, 2):
            await fill(stage, present="wrong", new="new", again="new")
            await stage.until(lambda: stage.shows("That is not the passphrase."))
            assert [field(stage, name).value for name in ("present", "new", "again")] == ["", "", ""]
            for left in range(pause, 0, -1):
                await stage.pilot.pause()
                assert stage.shows(f"possible in {left} s.")
                assert field(stage, "present").disabled
                seconds.pass_one()
            await stage.pilot.pause()
            assert field(stage, "present").has_focus
        await fill(stage, present="wrong", new="new", again="new")
        await stage.until(lambda: stage.shows("possible in 4 s."))
        await stage.press("escape")
        assert stage.app.is_in_chat
        await stage.enter("/passphrase")
        assert stage.shows("possible in 4 s.")
        assert field(stage, "present").disabled
        for _ in range(4):
            seconds.pass_one()
        await stage.pilot.pause()
        await fill(stage, present=RIGHT, new="new", again="new")
        assert stage.engine.passphrase == Passphrase("new")
        assert len(stage.calls("change_passphrase")) == 4


@pytest.mark.parametrize(
    ("texts", "words", "focus"),
    [
        ({"new": "one", "again": "one"}, "Type the present passphrase first", "present"),
        ({"present": RIGHT, "new": "one", "again": "other"}, "The two new ones differ", "again"),
        ({"present": RIGHT, "again": "one"}, "The two new ones differ", "again"),
        ({"present": RIGHT, "new": "x" * 2000, "again": "x" * 2000}, "at most 1024", "again"),
    ],
    ids=["no present one", "different", "only again", "long"],
)
async def test_a_slip_is_said_and_nothing_changed(texts: dict[str, str], words: str, focus: str) -> None:
    async with changing(protected()) as stage:
        await fill(stage, **texts)
        assert stage.shows(words)
        assert field(stage, focus).has_focus
        assert stage.calls("change_passphrase") == []


async def test_without_one_nothing_is_taken_away() -> None:
    async with changing(FakeEngine()) as stage:
        await fill(stage)
        assert stage.shows("or press Esc: your key")
        await stage.press("escape")
        assert stage.app.is_in_chat
        assert stage.calls("change_passphrase") == []


async def test_what_is_under_way_is_not_left() -> None:
    engine = protected()
    async with changing(engine) as stage:
        engine.key_making.clear()
        await fill(stage, present=RIGHT, new="new", again="new")
        assert stage.shows("Changing it")
        await stage.press("escape", "enter")
        assert isinstance(stage.app.screen, ChangePassphraseScreen)
        engine.key_making.set()
        await stage.until(lambda: stage.app.is_in_chat)
        assert len(stage.calls("change_passphrase")) == 1


async def test_what_cannot_be_written_is_said_without_a_pause() -> None:
    engine = protected()
    async with changing(engine) as stage:
        engine.failures["change_passphrase"] = CommandError("cannot-save", "The disk is full.")
        await fill(stage, present=RIGHT, new="new", again="new")
        assert stage.shows("The disk is full.")
        assert field(stage, "present").has_focus


async def test_typed_after_the_command_it_is_kept_nowhere() -> None:
    async with in_conversation() as stage:
        await stage.enter(f"/passphrase {CANARY}")
        assert stage.app.is_in_chat
        assert stage.shows("never typed after a command")
        assert not stage.shows(CANARY)
        await stage.press("up")
        assert stage.app.chat.composer.text == ""
