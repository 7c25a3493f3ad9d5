"""Keys of one's own."""

import pytest
from fake_engine import FakeEngine, message
from stage import in_conversation, on_stage

from securechat_tui.chat.preferences import Preferences
from securechat_tui.tui.commands import COMMANDS
from securechat_tui.tui.keymap import key_label, make_keymap
from securechat_tui.tui.opening import StartScreen
from securechat_tui.tui.screens.help import HelpScreen

PATH = "/home/ada/config.toml"


def with_keys(**keys: str) -> FakeEngine:
    engine = FakeEngine()
    engine.preferences = Preferences(
        keys={key.replace("_", "."): value for key, value in keys.items()}, path=PATH
    )
    return engine


class TestKeymap:
    def test_what_fits_is_taken(self) -> None:
        keymap = make_keymap({"help": "f9, ctrl+g", "log.newest": "alt+n"}, PATH)
        assert keymap.keys == {"help": "f9,ctrl+g", "log.newest": "alt+n"}
        assert keymap.complaints == ()
        labels = {command.id: keymap.label(command) for command in COMMANDS}
        assert (labels["help"], labels["sidebar"], labels["quit"]) == ("F9, Ctrl+G", "F2", "")

    def test_keys_can_change_places(self) -> None:
        assert make_keymap({"help": "f2", "sidebar": "f1"}, PATH).complaints == ()

    @pytest.mark.parametrize(
        ("name", "keys", "words"),
        [
            ("hlep", "f9", "no action"),
            ("quit", "f9", "no action"),
            ("help", " , ", "names no key"),
            ("help", "a", "'a' cannot be a key"),
            ("help", "shift+a", "cannot be a key"),
            ("help", "ctl+a", "'ctl+a' cannot be a key"),
            ("help", "f99", "cannot be a key"),
            ("help", "f2", "'f2' is the key of sidebar already"),
            ("help", "enter", "is the key of composer.send already"),
            ("\x1b[31m", "f9", "no action"),
        ],
    )
    def test_what_does_not_is_one_sentence(self, name: str, keys: str, words: str) -> None:
        keymap = make_keymap({name: keys}, PATH)
        assert keymap.keys == {}
        (sentence,) = keymap.complaints
        assert words in sentence
        assert PATH in sentence
        assert "\x1b" not in sentence

    def test_two_lines_with_one_key(self) -> None:
        keymap = make_keymap({"help": "f9", "verify": "f9"}, PATH)
        assert keymap.keys == {"help": "f9"}
        (sentence,) = keymap.complaints
        assert "'verify'" in sentence
        assert "help" in sentence

    def test_finding_and_typing_may_share_a_key(self) -> None:
        assert make_keymap({"find.older": "enter,ctrl+n", "composer.send": "enter"}, PATH).complaints == ()

    def test_the_usual_keys_fit_themselves(self) -> None:
        assert make_keymap({one.id: one.keys for one in COMMANDS if one.keys}, PATH).complaints == ()

    def test_labels(self) -> None:
        assert [key_label(key) for key in ("ctrl+pageup", "escape", "f12")] == ["Ctrl+PgUp", "Esc", "F12"]


class TestOnTheScreen:
    async def test_the_keys_in_force_are_those_shown(self) -> None:
        async with in_conversation(engine=with_keys(help="f9", find="ctrl+g"), size=(120, 80)) as stage:
            assert stage.shows("F9 /help")
            assert not stage.shows("F1 /help")
            await stage.press("f1")
            assert not isinstance(stage.app.screen, HelpScreen)
            await stage.press("f9")
            assert isinstance(stage.app.screen, HelpScreen)
            assert stage.shows("F9  /help")
            assert stage.shows("/find WORD")
            await stage.press("escape", "ctrl+g")
            assert stage.shows("⌕ Find")

    async def test_the_composers_own_keys(self) -> None:
        async with in_conversation(
            engine=with_keys(composer_send="ctrl+j", composer_newline="enter")
        ) as stage:
            await stage.type("a")
            await stage.press("enter")
            await stage.type("b")
            assert stage.calls("send") == []
            await stage.press("ctrl+j")
            assert stage.calls("send") == [("send", "a\nb")]

    async def test_the_logs_keys(self) -> None:
        async with in_conversation(engine=with_keys(log_oldest="f8"), size=(80, 24)) as stage:
            stage.engine.emit(*(message(number, f"line {number}.") for number in range(1, 101)))
            await stage.settle()
            await stage.press("ctrl+home")
            assert not stage.shows("line 1.")
            await stage.press("f8")
            assert stage.shows("line 1.")

    async def test_a_complaint_is_told_at_the_start(self) -> None:
        async with on_stage(StartScreen(), engine=with_keys(hlep="f9")) as stage:
            assert stage.shows("'hlep'")
            await stage.press("escape")
            assert stage.shows("'hlep'")
            assert stage.shows(PATH)
            assert stage.shows("F1 /help")
