"""Hostile words of every class, wherever on the screen somebody else's or pasted text can stand."""

from dataclasses import replace

import pytest
from fake_engine import CONVERSATION, FakeEngine, closed, contact, key_changed, message, peer, secure
from stage import Stage, on_stage
from terminal_hostile_words import LONG, NAME, SHORT, hostile_bytes
from textual import events
from textual.widgets import Input

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Error, Notice, Rejected
from securechat_tui.tui.opening import HostAt, StartScreen

WORDS = "\n".join(SHORT)


class Loud(FakeEngine):
    """An engine whose every sentence carries what should not be in it."""

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        self._note("host", bind)
        self.emit_hosting(NAME)


def acquainted() -> Loud:
    return Loud(contacts=(replace(contact(NAME), addresses=(NAME,)),))


def assert_clean(stage: Stage) -> None:
    """Nothing hostile is in what goes to the terminal, as bytes."""
    strips = stage.app.screen._compositor.render_strips()
    shown = "".join(strip.render(stage.app.console) for strip in strips)
    assert hostile_bytes(shown.encode("utf-8", "surrogatepass")) == {}


async def test_a_conversation_and_all_that_can_be_opened_over_it() -> None:
    async with on_stage(engine=acquainted(), size=(80, 24)) as stage:
        stage.engine.emit(peer(NAME, known_elsewhere=NAME), secure(), message(1, WORDS, name=NAME))
        stage.engine.emit(*(message(number, text) for number, text in enumerate(LONG, 2)))
        stage.engine.emit(message(9, WORDS, name=NAME))
        await stage.settle()
        assert_clean(stage)
        for keys in (("pageup",), ("f2",), ("f3",), ("f4", "pagedown"), ("f1",), ("ctrl+p",)):
            await stage.press(*keys)
            assert_clean(stage)
            await stage.press("escape")
        await stage.enter("/contacts")
        assert_clean(stage)
        await stage.press("delete")
        assert_clean(stage)
        await stage.press("escape")
        stage.engine.emit(closed("lost"), key_changed(offered_contact=NAME))
        await stage.settle()
        assert_clean(stage)


async def test_sentences_of_the_engine_that_quote_somebody() -> None:
    async with on_stage() as stage:
        stage.engine.emit(
            Notice(time=0.0, message=WORDS),
            Error(time=0.0, code="x", message=WORDS),
            Rejected(time=0.0, conversation=CONVERSATION, number=1, check="signed", message=WORDS),
        )
        await stage.settle()
        assert_clean(stage)
        stage.engine.failures["join"] = CommandError("x", WORDS)
        await stage.enter("/join somewhere")
        assert_clean(stage)


@pytest.mark.parametrize(
    "opening", [StartScreen(alone=lambda: 0), HostAt("0.0.0.0:1")], ids=["start", "host"]
)
async def test_before_anybody_is_there(opening: StartScreen | HostAt) -> None:
    engine = acquainted()
    engine.failures["join"] = CommandError("x", WORDS)
    async with on_stage(opening, engine=engine, size=(50, 20)) as stage:
        assert_clean(stage)
        stage.app.say(WORDS)
        await stage.settle()
        assert_clean(stage)


async def test_what_is_pasted_found_and_brought_back() -> None:
    async with on_stage() as stage:
        stage.engine.emit(peer(), secure(), message(1, WORDS))
        await stage.settle()
        stage.app.chat.composer.post_message(events.Paste(WORDS))
        await stage.settle()
        assert_clean(stage)
        await stage.press("ctrl+c")
        await stage.press("up")
        assert stage.app.chat.composer.text.endswith(SHORT[-1])
        assert_clean(stage)
        await stage.press("ctrl+c", "ctrl+f")
        finder = stage.app.screen.query_one("#find-word", Input)
        for words in SHORT:
            finder.value = words
            await stage.settle()
            assert_clean(stage)
        finder.value = "not bold"
        await stage.until(lambda: stage.shows("1 of 1"))
        assert_clean(stage)
        await stage.press("escape")
        await stage.enter(f"/{SHORT[0]}")
        assert_clean(stage)
        await stage.enter(f"/nick {NAME}")
        assert_clean(stage)


@pytest.mark.parametrize(
    "text", ["line\n" * 500, "Z" * 32_000, "\n" * 32_000], ids=["lines", "word", "empty"]
)
async def test_the_verdict_on_a_very_long_message_is_in_view(text: str) -> None:
    async with on_stage(size=(50, 20)) as stage:
        stage.engine.emit(peer(), secure(), message(1, text))
        await stage.settle()
        await stage.press("f4")
        assert stage.shows("✓ intact")
        assert stage.shows(" …")
