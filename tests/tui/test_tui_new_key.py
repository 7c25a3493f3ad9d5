"""A contact's new key that the old one has signed: the choice on the screen."""

import pytest
from fake_engine import CONVERSATION, code, secure, trust_changed
from scenes import rotated
from stage import Stage, on_stage

from securechat_tui.chat.events import Trust
from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE
from securechat_tui.tui.screens.new_key import NewKeyScreen
from securechat_tui.tui.screens.verify import VerifyScreen


async def ask(stage: Stage) -> None:
    stage.app.chat.composer.put("my draft")
    stage.engine.emit(*rotated())
    await stage.until(lambda: isinstance(stage.app.screen, NewKeyScreen))
    await stage.settle()
    stage.clock.now += SECONDS_TO_PAUSE


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (50, 20)])
async def test_it_says_who_says_so_and_what_can_be_done(size: tuple[int, int]) -> None:
    async with on_stage(size=size) as stage:
        await ask(stage)
        for text in ("NEW KEY", "bob has a new key, signed by", "Leave", "Compare codes", "Accept"):
            assert stage.shows(text)


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_leaving_is_the_default(key: str) -> None:
    async with on_stage() as stage:
        await ask(stage)
        await stage.press(key)
        assert stage.calls("leave") == [("leave",)]
        assert stage.calls("accept_key") == []
        assert stage.app.chat.composer.text == "my draft"


async def test_accepting_opens_the_composer_when_messages_flow() -> None:
    async with on_stage() as stage:
        await ask(stage)
        await stage.press("right", "right", "enter")
        assert stage.calls("accept_key") == [("accept_key", CONVERSATION)]
        assert stage.app.chat.composer.disabled
        stage.engine.emit(trust_changed(Trust.PINNED, "new key, signed by the old one"), secure())
        await stage.settle()
        assert not stage.app.chat.composer.disabled
        assert stage.app.chat.composer.text == "my draft"
        assert stage.shows("new key, signed by the old one.")


async def test_comparing_stays_at_the_gate() -> None:
    async with on_stage() as stage:
        await ask(stage)
        await stage.press("right", "enter")
        assert isinstance(stage.app.screen, VerifyScreen)
        stage.engine.emit(code())
        await stage.settle()
        await stage.press("escape")
        assert stage.app.chat.composer.disabled
        assert stage.calls("accept_key") == []


async def test_the_command() -> None:
    async with on_stage() as stage:
        await stage.enter("/accept")
        assert stage.calls("accept_key") == [("accept_key", None)]
