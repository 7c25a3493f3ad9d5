"""Signed or unsigned: how it is said on the screen, how it shows, and the question about what waits."""

from dataclasses import replace
from typing import Any

import pytest
from fake_engine import ALL_PASSED, CONVERSATION, NOON, FakeEngine, gate, message, peer, secure
from stage import Stage, in_conversation, on_stage

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Cancelled, Queued, SafeText
from securechat_tui.chat.gates import Resolution
from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE
from securechat_tui.tui.screens.unsigned import UnsignedScreen

SENTENCE = (
    "bob takes signed messages only, and unsigned ones of yours wait. Nothing is sent until you decide."
)


async def ask(stage: Stage) -> None:
    stage.app.chat.composer.put("my draft")
    stage.engine.emit(peer(), gate("unsigned", SENTENCE))
    await stage.until(lambda: isinstance(stage.app.screen, UnsignedScreen))
    await stage.settle()
    stage.clock.now += SECONDS_TO_PAUSE


@pytest.mark.parametrize(("word", "signed"), [("unsigned", False), ("signed", True)])
async def test_a_word_before_it_says_which(word: str, signed: bool) -> None:
    async with in_conversation() as stage:
        await stage.enter(f"/{word} my words")
        assert stage.calls("send") == [("send", "my words", signed)]
        assert stage.shows("unsigned ✓✓") is not signed
        await stage.enter(f"/{word}")
        assert stage.shows(f"Type the message after it, such as: /{word} hello")
        assert len(stage.calls("send")) == 1


async def test_what_the_peer_does_not_take_comes_back_as_it_was_typed() -> None:
    engine = FakeEngine()
    async with in_conversation(engine=engine) as stage:
        engine.failures["send"] = CommandError("unsigned", "bob takes signed messages only.")
        await stage.enter("/unsigned my words")
        assert stage.app.chat.composer.text == "/unsigned my words"
        assert stage.shows("bob takes signed messages only.")


async def test_an_unsigned_message_says_so_in_the_log_and_the_details_say_what_it_means() -> None:
    async with in_conversation() as stage:
        stage.engine.emit(message(1, "off the record", checks=replace(ALL_PASSED, signed=False)))
        await stage.settle()
        row = next(line for line in stage.text().splitlines() if "off the record" in line)
        assert "unsigned" in row
        await stage.press("f4")
        assert stage.shows("only this session vouches for it")


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (50, 20)])
async def test_the_question_about_what_waits(size: tuple[int, int]) -> None:
    async with on_stage(size=size) as stage:
        await ask(stage)
        for text in ("UNSIGNED MESSAGES WAIT", "bob takes signed", "Leave", "Cancel them", "Sign them"):
            assert stage.shows(text)


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        (("enter",), ("leave",)),
        (("escape",), ("leave",)),
        (("right", "enter"), ("resolve", Resolution.CANCEL)),
        (("right", "right", "enter"), ("resolve", Resolution.SIGN)),
    ],
    ids=["enter", "escape", "cancel", "sign"],
)
async def test_what_is_decided_is_done_and_the_draft_is_kept(
    keys: tuple[str, ...], call: tuple[object, ...]
) -> None:
    async with on_stage() as stage:
        await ask(stage)
        await stage.press(*keys)
        assert [*stage.calls("leave"), *stage.calls("resolve")] == [call]
        assert stage.app.chat.composer.text == "my draft"


async def test_one_that_is_signed_after_all_stands_in_its_new_place() -> None:
    engine = FakeEngine()
    engine.deliver = False
    async with in_conversation(engine=engine) as stage:
        await stage.enter("/unsigned my words")
        where: dict[str, Any] = {"time": NOON, "conversation": CONVERSATION, "ref": engine.refs[0]}
        again = Queued(**where, number=2, text=SafeText("my words"), claimed=NOON)
        engine.emit(Cancelled(**where, number=1, renumbered=True), again, secure())
        await stage.settle()
        rows = [line for line in stage.text().splitlines() if "my words" in line]
        assert len(rows) == 2
        assert "unsigned ✗ cancelled" in rows[0]
        assert "unsigned" not in rows[1]
        assert "○" in rows[1]
