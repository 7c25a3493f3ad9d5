"""The composer: what is sent, what is not, and what becomes of a draft."""

from unittest.mock import patch

import pytest
from fake_engine import FakeEngine, contact
from stage import Stage, in_conversation, on_stage
from textual import events
from textual._xterm_parser import XTermParser

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.limits import MAX_TEXT_BYTES
from securechat_tui.tui.screens.help import HelpScreen


def draft(stage: Stage) -> str:
    return stage.app.chat.composer.text


async def test_enter_sends_and_empties() -> None:
    async with in_conversation() as stage:
        await stage.type("hi there")
        await stage.press("enter")
        assert stage.calls("send") == [("send", "hi there")]
        assert draft(stage) == ""


async def test_what_is_typed_is_painted_without_a_frame() -> None:
    async with in_conversation() as stage:
        frames = stage.app.chat._update_timer
        with patch.object(frames, "resume"), patch.object(stage.app, "_display") as display:
            await stage.pilot.press("x")
        assert display.called


async def test_a_key_has_nothing_laid_out_anew() -> None:
    async with in_conversation() as stage:
        await stage.type("on")
        with patch.object(stage.app.chat, "_refresh_layout") as layout:
            await stage.type("x")
        assert not layout.called
        assert stage.shows("onx")


async def test_a_hint_comes_and_goes() -> None:
    async with in_conversation() as stage:
        stage.app.chat.show_hint("Mind the gap.")
        await stage.settle()
        assert stage.shows("Mind the gap.")
        await stage.type("x")
        assert not stage.shows("Mind the gap.")
        stage.app.chat.show_hint("Mind the gap.")
        await stage.settle()
        assert stage.shows("Mind the gap.")


async def test_nothing_is_not_sent() -> None:
    async with in_conversation() as stage:
        await stage.press("enter", "space", "enter")
        assert stage.calls("send") == []


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter"])
async def test_new_line(key: str) -> None:
    async with in_conversation() as stage:
        await stage.press("a", key, "b", "enter")
        assert stage.calls("send") == [("send", "a\nb")]


def as_sent(sequence: str) -> events.Key:
    """The key that Textual makes of what a terminal sends."""
    (key,) = (event for event in XTermParser().feed(sequence) if isinstance(event, events.Key))
    return key


MODIFIED = {
    "\x1b[13;2u": "a\nb",  # Shift+Enter: the kitty protocol
    "\x1b[27;2;13~": "a\nb",  # Shift+Enter: xterm's modifyOtherKeys, and tmux from 3.5
    "\x1b[106;5u": "a\nb",  # Ctrl+J, both ways
    "\x1b[27;5;106~": "a\nb",
    "\x1b[27;2;32~": "a b",  # Shift+Space
    "\x1b[27;2;66~": "aBb",  # Shift+B
    "\x1b[120;3u": "ab",  # Alt+x, to which nothing is bound, types nothing
    "\x1b[27;5;121~": "ab",  # nor does Ctrl+Y
    "\x1b[27;5;13~": "ab",  # Ctrl+Enter neither sends nor breaks
    "\x1b[13;5u": "ab",
}
"""What terminals send for a key with a modifier, and the draft when it comes between a and b."""


async def test_keys_with_modifiers() -> None:
    async with in_conversation() as stage:
        for sequence, text in MODIFIED.items():
            stage.app.chat.composer.put("")
            await stage.pilot.press("a")
            stage.app.chat.composer.post_message(as_sent(sequence))
            await stage.pilot.press("b")
            await stage.until(lambda: draft(stage).endswith("b"))
            assert draft(stage) == text, ascii(sequence)
        assert stage.calls("send") == []


async def test_a_paste_with_newlines_does_not_send() -> None:
    async with in_conversation() as stage:
        stage.app.chat.composer.post_message(events.Paste("one\r\ntwo\rthree\n"))
        await stage.settle()
        assert stage.calls("send") == []
        assert draft(stage) == "one\ntwo\nthree\n"


async def test_a_pasted_exit_ends_nothing() -> None:
    async with in_conversation() as stage:
        stage.app.chat.composer.post_message(events.Paste("exit\n"))
        await stage.settle()
        assert stage.app.is_running
        assert draft(stage) == "exit\n"


async def test_own_earlier_messages_with_up_and_down() -> None:
    async with in_conversation() as stage:
        await stage.enter("first")
        await stage.enter("second")
        await stage.type("draft")
        await stage.press("up")
        assert draft(stage) == "second"
        await stage.press("up")
        assert draft(stage) == "first"
        await stage.press("up")
        assert draft(stage) == "first"
        await stage.press("down", "down")
        assert draft(stage) == "draft"


async def test_up_within_a_text_moves_the_cursor() -> None:
    async with in_conversation() as stage:
        await stage.enter("earlier")
        await stage.press("a", "ctrl+j", "b", "up")
        assert draft(stage) == "a\nb"
        assert stage.app.chat.composer.cursor_location[0] == 0
        await stage.press("down")
        assert stage.app.chat.composer.cursor_location[0] == 1
        await stage.press("up", "up")
        assert draft(stage) == "earlier"


async def test_too_long_is_refused_and_kept() -> None:
    async with in_conversation() as stage:
        text = "é" * (MAX_TEXT_BYTES // 2) + "x"
        await stage.enter(text)
        assert stage.calls("send") == []
        assert draft(stage) == text
        assert stage.shows("1 too many")


async def test_just_long_enough_is_sent() -> None:
    async with in_conversation() as stage:
        text = "é" * (MAX_TEXT_BYTES // 2)
        await stage.enter(text)
        assert stage.calls("send") == [("send", text)]


async def test_the_count_shows_near_the_limit_only() -> None:
    async with in_conversation() as stage:
        composer = stage.app.chat.composer
        composer.put("x" * 1000)
        await stage.settle()
        assert not stage.shows("bytes")
        composer.put("x" * 30_000)
        await stage.settle()
        assert stage.shows("30,000 of 32,768 bytes")
        composer.put("")
        await stage.settle()
        assert not stage.shows("bytes")


async def test_a_refused_message_comes_back_with_the_reason() -> None:
    async with in_conversation() as stage:
        stage.engine.failures["send"] = CommandError("no-conversation", "Nobody is there: /join first.")
        await stage.enter("hello?")
        assert draft(stage) == "hello?"
        assert stage.shows("Nobody is there")


async def test_what_was_typed_since_is_kept_behind_what_came_back() -> None:
    async with in_conversation() as stage:
        stage.app.chat.composer.put("later")
        await stage.pilot.pause()
        stage.app.chat.composer.restore("earlier")
        assert draft(stage) == "earlier\nlater"


async def test_ctrl_c_clears_and_up_brings_back() -> None:
    async with in_conversation() as stage:
        await stage.type("half a thought")
        await stage.press("ctrl+c")
        assert draft(stage) == ""
        assert stage.shows("Up brings it back")
        await stage.press("up")
        assert draft(stage) == "half a thought"


async def test_ctrl_c_copies_a_selection_first() -> None:
    async with in_conversation() as stage:
        await stage.type("copy me")
        stage.app.chat.composer.select_all()
        await stage.press("ctrl+c")
        assert stage.app.clipboard == "copy me"
        assert draft(stage) == "copy me"


async def test_ctrl_c_twice_leaves() -> None:
    async with in_conversation() as stage:
        await stage.press("ctrl+c")
        assert stage.shows("Ctrl+C again leaves")
        stage.clock.now += 2.9
        await stage.pilot.press("ctrl+c")
        assert stage.app.return_value == 0


async def test_ctrl_c_too_slowly_stays() -> None:
    async with in_conversation() as stage:
        await stage.press("ctrl+c")
        stage.clock.now += 3.1
        await stage.press("ctrl+c")
        assert stage.app.return_value is None
        assert stage.app.is_running


async def test_ctrl_q_is_unbound() -> None:
    async with in_conversation() as stage:
        await stage.press("ctrl+q")
        assert stage.app.return_value is None
        assert stage.app.is_running


async def test_a_bare_exit_asks_first() -> None:
    async with in_conversation() as stage:
        await stage.type("exit")
        await stage.press("enter")
        assert stage.shows("Enter again ends the chat for both; type on to stay")
        assert stage.calls("send") == []
        await stage.pilot.press("enter")
        assert stage.app.return_value == 0


async def test_typing_on_stays() -> None:
    async with in_conversation() as stage:
        await stage.type("exit")
        await stage.press("enter")
        await stage.type("s")
        assert not stage.shows("Enter again")
        await stage.press("enter")
        assert stage.calls("send") == [("send", "exits")]


async def test_two_slashes_are_a_literal_one() -> None:
    async with in_conversation() as stage:
        await stage.enter("//etc/passwd is a file")
        assert stage.calls("send") == [("send", "/etc/passwd is a file")]


async def test_an_unknown_command_is_never_sent() -> None:
    async with in_conversation() as stage:
        await stage.enter("/hlep me")
        assert stage.calls("send") == []
        assert draft(stage) == "/hlep me"
        assert stage.shows("/hlep is not a command; nothing was sent")


async def test_an_id_is_not_a_word() -> None:
    async with in_conversation() as stage:
        await stage.enter("/log.newest")
        assert stage.shows("is not a command")


async def test_tab_completes_commands_and_names() -> None:
    engine = FakeEngine(contacts=(contact("bob"), contact("alice")))
    async with in_conversation(engine=engine) as stage:
        await stage.type("/jo")
        await stage.press("tab")
        assert draft(stage) == "/join "
        await stage.type("al")
        await stage.press("tab")
        assert draft(stage) == "/join alice "


async def test_tab_shows_what_is_left_to_choose() -> None:
    async with in_conversation() as stage:
        await stage.type("/co")
        await stage.press("tab")
        assert draft(stage) == "/co"
        assert stage.shows("connections  contacts  conversations  copy")
        assert stage.app.chat.composer.has_focus


async def test_esc_comes_back_from_the_log() -> None:
    async with in_conversation() as stage:
        await stage.press("shift+tab")
        assert stage.app.chat.log_view.has_focus
        await stage.press("escape")
        assert stage.app.chat.composer.has_focus


async def test_keys_can_be_rebound_by_id() -> None:
    async with in_conversation() as stage:
        stage.app.set_keymap({"help": "f9", "composer.newline": "ctrl+n"})
        await stage.press("a", "ctrl+n", "b")
        assert draft(stage) == "a\nb"
        await stage.press("f9")
        assert isinstance(stage.app.screen, HelpScreen)


async def test_messages_are_sent_in_the_order_of_typing() -> None:
    async with in_conversation() as stage:
        for number in range(5):
            stage.app.desk.submit(str(number))
        await stage.settle()
        assert [call[1] for call in stage.calls("send")] == ["0", "1", "2", "3", "4"]


async def test_before_anybody_is_there_messages_are_held() -> None:
    async with on_stage() as stage:
        await stage.enter("are you coming?")
        assert stage.calls("send") == [("send", "are you coming?")]
        assert stage.shows("are you coming?")


async def test_an_enter_that_arrives_after_the_focus_went_changes_nothing() -> None:
    async with in_conversation() as stage:
        await stage.type("hi")
        stage.app.chat.log_view.focus()
        await stage.settle()
        stage.app.chat.composer.post_message(events.Key("enter", "\r"))
        await stage.settle()
        assert stage.app.chat.composer.text == "hi"
        assert stage.calls("send") == []
