"""Events on their way to the screen: none waits without need, and a burst waits for the screen."""

import asyncio

import pytest
import textual.screen
from fake_engine import message
from stage import Stage, in_conversation

from securechat_tui.tui.intake import Intake

FULL = 256
BURST = 20


class Screen:
    """Takes a batch whenever it is asked to, and is told of the next one."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.intake = Intake(self.told.set)

    async def put(self, count: int) -> None:
        for number in range(count):
            await self.intake.put(message(number + 1, "text"))

    def take(self) -> int:
        self.told.clear()
        return len(self.intake.take())


async def test_a_few_are_told_of_at_once_whatever_is_being_drawn() -> None:
    screen = Screen()
    for _ in range(3):
        await screen.put(2)
        assert screen.told.is_set()
        assert screen.take() == 2
        assert screen.intake.is_empty


async def test_after_a_batch_of_a_burst_the_next_one_gathers_for_a_while() -> None:
    screen = Screen()
    await screen.put(BURST)
    assert screen.take() == BURST
    await screen.put(1)
    assert not screen.told.is_set()
    screen.intake.drawn()
    await screen.put(1)
    assert not screen.told.is_set()
    await screen.told.wait()
    assert screen.take() == 2


async def test_what_is_gathered_is_not_told_of_before_the_last_batch_is_drawn() -> None:
    screen = Screen()
    await screen.put(BURST)
    screen.take()
    filling = asyncio.create_task(screen.put(FULL + 1))
    await asyncio.sleep(0)
    assert not screen.told.is_set()
    screen.intake.drawn()
    assert screen.told.is_set()
    assert screen.take() == FULL
    await filling
    screen.intake.drawn()
    await screen.told.wait()
    assert screen.take() == 1


async def test_a_full_batch_holds_the_engine_until_it_is_taken() -> None:
    screen = Screen()
    filling = asyncio.create_task(screen.put(FULL + 1))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not filling.done()
    assert screen.take() == FULL
    await filling
    assert not screen.intake.is_empty


async def test_nothing_is_told_of_twice() -> None:
    calls: list[None] = []
    intake = Intake(lambda: calls.append(None))
    for number in range(5):
        await intake.put(message(number + 1, "text"))
    intake.drawn()
    assert len(calls) == 1


async def cover(stage: Stage, by: str) -> None:
    """Lay a screen over the chat, which is not drawn any more where that one leaves nothing to be seen."""
    if by == "whole":
        await stage.app.push_screen(textual.screen.Screen())
    else:
        await stage.press(by)
    assert not stage.app.is_in_chat


@pytest.mark.parametrize("by", ["f1", "f3", "whole"])
async def test_a_burst_is_taken_while_something_lies_over_the_chat(by: str) -> None:
    async with in_conversation() as stage:
        await cover(stage, by)
        for start in (0, 2 * BURST):
            stage.engine.emit(*(message(start + number, f"text {number}") for number in range(1, 2 * BURST)))
            await stage.settle()
        stage.app.show_chat()
        await stage.settle()
        assert stage.shows(f"text {2 * BURST - 1}")
