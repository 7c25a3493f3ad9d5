"""The lab's screens, moved by keys: what they show is what the run behind them has come to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.standard_streams import Line
from securechat_tui.lab.catalogue import NAMES, PROTOCOLS
from securechat_tui.lab.chat import Chat, Place
from securechat_tui.lab.faces import PlainFace, warning
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.lessons import LESSONS
from securechat_tui.lab.screens.app import LabApp
from securechat_tui.lab.screens.attack import AttackScreen
from securechat_tui.lab.screens.background import in_background
from securechat_tui.lab.screens.chat import LabChatScreen
from securechat_tui.lab.screens.follow import FollowScreen
from securechat_tui.lab.screens.frame import WarningBar
from securechat_tui.lab.screens.grid import Grid
from securechat_tui.lab.screens.lesson import LessonScreen
from securechat_tui.lab.screens.matrix import MatrixScreen
from securechat_tui.network.addresses import Address
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.screens.steps import StepsScreen
from securechat_tui.tui.widgets.composer import Composer
from securechat_tui.tui.widgets.step_view import StepBytes, StepView

KEYS = KeyRing()
"""Made once for all tests here: an RSA key takes a while."""
_TRIES = 3000


class Lab:
    """The lab on a stage."""

    def __init__(self, app: LabApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    async def until(self, condition: Callable[[], object]) -> None:
        for _ in range(_TRIES):
            if condition():
                await self.pilot.pause()
                return
            await self.pilot.pause(0.005)
        raise AssertionError(f"never came about; the screen shows:\n{self.text()}")

    def text(self) -> str:
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    def shows(self, words: str) -> bool:
        return words in self.text()

    async def choose(self, protocol: str) -> None:
        await self.pilot.press(*["down"] * NAMES.index(protocol))

    async def follow(self, protocol: str) -> StepView:
        await self.choose(protocol)
        await self.pilot.press("enter")
        await self.until(lambda: self.app.screen.query(StepView))
        await self.pilot.pause()
        return self.app.screen.query_one(StepView)


@asynccontextmanager
async def in_lab(app: LabApp | None = None, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Lab]:
    shown = app or LabApp(keys=KEYS)
    async with shown.run_test(size=size) as pilot:
        await pilot.pause()
        yield Lab(shown, pilot)


@pytest.mark.parametrize("name", NAMES)
async def test_a_protocol_is_shown_with_all_that_it_lacks(name: str) -> None:
    async with in_lab() as lab:
        await lab.choose(name)
        await lab.pilot.pause()
        shown = " ".join(str(lab.app.screen.query_one(WarningBar).render()).split())
        assert warning(PROTOCOLS[name]) in shown
        for lack in PROTOCOLS[name].lacks:
            assert lack in shown


@pytest.mark.parametrize("name", ["gcm", "signed-gcm", "json-cbc-hmac", "five-layer", "relay", "current"])
async def test_a_message_is_followed_by_the_arrow_keys(name: str) -> None:
    async with in_lab() as lab:
        view = await lab.follow(name)
        steps = view.steps
        assert steps[0].where.startswith("handshake")
        assert {"sending", "receiving"} <= {one.where for one in steps}
        for number, noted in enumerate(steps, 1):
            assert lab.shows(f"Step {number} of {len(steps)}: {noted.where}")
            end = min(4, noted.step.fields[0].end) if noted.step.fields else 4
            assert noted.step.output[:end].hex(" ") in lab.text() or not noted.step.output
            await lab.pilot.press("down")


async def test_a_field_is_named_and_its_bytes_stand_beneath() -> None:
    async with in_lab() as lab:
        view = await lab.follow("signed-gcm")
        place = next(i for i, one in enumerate(view.steps) if one.step.name == "sign (RSA-PSS)")
        await lab.pilot.press(*["down"] * place)
        step = view.steps[place].step
        rows = lab.text().splitlines()
        for part in step.fields[:2]:
            heading = next(i for i, row in enumerate(rows) if f"▪ {part.name}  " in row)
            assert step.output[part.start : part.start + 4].hex(" ") in rows[heading + 1]


async def test_all_of_an_input_is_shown_when_asked_for() -> None:
    async with in_lab() as lab:
        view = await lab.follow("current")
        place = next(i for i, one in enumerate(view.steps) if one.step.name.startswith("seal"))
        await lab.pilot.press(*["down"] * place)
        assert lab.shows("more; I shows them")
        before = view.query_one(StepBytes).virtual_size.height
        await lab.pilot.press("i")
        assert not lab.shows("more; I shows them")
        assert view.query_one(StepBytes).virtual_size.height > before
        await lab.pilot.press("pagedown")
        assert view.query_one(StepBytes).scroll_offset.y > 0


async def test_a_text_that_cannot_be_sent_is_answered_by_a_sentence() -> None:
    async with in_lab() as lab:
        await lab.pilot.press(*["backspace"] * len("hello"), "enter")
        await lab.until(lambda: lab.shows("An empty message was not sent."))
        assert isinstance(lab.app.screen, FollowScreen)
        await lab.pilot.press("escape")
        assert lab.shows("Protocols")


async def test_an_attack_says_what_it_measured() -> None:
    async with in_lab() as lab:
        await lab.choose("gcm")
        await lab.pilot.press("f2")
        assert isinstance(lab.app.screen, AttackScreen)
        await lab.pilot.press("down", "down", "enter")
        await lab.until(lambda: lab.shows("What was measured"))
        assert lab.shows("replay on gcm")
        assert lab.shows("✖ OPEN")
        assert lab.shows("contradicts")


async def test_the_matrix_comes_cell_by_cell_and_opens_each() -> None:
    async with in_lab() as lab:
        await lab.app.push_screen(MatrixScreen(("gcm", "current"), ("replay", "reflect")))
        await lab.until(lambda: lab.shows("✓ all 4 cells"))
        assert lab.app.screen.query_one(Grid).count == 4
        await lab.pilot.press("right")
        assert warning(PROTOCOLS["current"]) in str(lab.app.screen.query_one(WarningBar).render())
        assert lab.shows("replay on current")
        await lab.pilot.press("enter")
        assert isinstance(lab.app.screen, Panel)
        assert lab.shows("✓ CAUGHT")


async def test_the_matrix_can_be_cancelled() -> None:
    async with in_lab() as lab:
        await lab.app.push_screen(MatrixScreen(("gcm",), ("replay",) * 50))
        await lab.pilot.press("c")
        await lab.until(lambda: lab.shows("! cancelled: 1 of 50") or lab.shows("! cancelled: 0 of 50"))


async def test_leaving_ends_what_runs_in_the_background() -> None:
    ended: list[str] = []

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    loop = asyncio.get_running_loop()
    here = asyncio.Event()

    class Begun:
        def set(self) -> None:
            loop.call_soon_threadsafe(here.set)

    begun = Begun()
    task = asyncio.create_task(in_background(endless))
    await here.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(lambda: None)
    for _ in range(_TRIES):
        if ended:
            break
        await asyncio.sleep(0.005)
    assert ended == ["ended"]


async def test_a_lesson_is_run_in_front_of_the_reader() -> None:
    async with in_lab() as lab:
        await lab.pilot.press("f4", "down", "enter")
        screen = lab.app.screen
        assert isinstance(screen, LessonScreen)

        def next_words() -> str:
            return str(screen.query_one("#next", Static).render())

        assert lab.shows(LESSONS[1].question)
        for _ in LESSONS[1].acts:
            await lab.until(lambda: "runs it now" in next_words())
            await lab.pilot.press("enter")
            await lab.until(lambda: "goes on" in next_words())
            await lab.pilot.press("enter")
        await lab.until(lambda: "begins the next lesson" in next_words())
        assert lab.shows("Learnt")
        assert lab.shows("✓ CAUGHT")
        await lab.pilot.press("enter")
        await lab.pilot.pause()
        assert lab.shows(f"Lesson 3 of {len(LESSONS)}")


async def test_what_is_lacking_is_a_key_away_where_there_is_little_room() -> None:
    async with in_lab(size=(50, 20)) as lab:
        assert lab.shows("Do not use it for anything private")
        await lab.pilot.press("f6")
        assert lab.shows("What gcm lacks")
        assert lab.shows("stolen RSA key")


class Other:
    """The other side of a chat, without a screen."""

    def __init__(self, place: Place) -> None:
        self.said: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard = b""
        self.chat = Chat(place, PlainFace(), self._lines(), self._hear, KEYS)

    async def _lines(self) -> AsyncIterator[Sequence[Line]]:
        while True:
            yield [await self.said.get()]

    def _hear(self, text: bytes) -> None:
        self.heard += text


def free_address() -> Address:
    return Address.parse("127.0.0.1:0", bind=True, default_port=1)


@asynccontextmanager
async def chatting(name: str, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Lab, Other]]:
    """A host on the screen, and a guest."""
    screen = LabChatScreen(Place(PROTOCOLS[name], "host", free_address()))
    async with in_lab(LabApp(screen, KEYS), size) as lab:
        await lab.until(lambda: lab.shows("Listening at 127.0.0.1:"))
        port = lab.text().partition("Listening at 127.0.0.1:")[2].split()[0]
        other = Other(Place(PROTOCOLS[name], "guest", Address("127.0.0.1", int(port))))
        running = asyncio.create_task(other.chat.run())
        await lab.until(lambda: lab.shows("Messages flow now"))
        yield lab, other
        other.chat.stop()
        await running


@pytest.mark.parametrize("name", ["signed-gcm", "current"])
async def test_a_chat_on_the_screen_carries_messages_both_ways(name: str) -> None:
    async with chatting(name) as (lab, other):
        assert warning(PROTOCOLS[name]).split(".")[0][:30] in lab.text()
        other.said.put_nowait(b"good morning")
        await lab.until(lambda: lab.shows("good morning"))
        lab.app.screen.query_one(Composer).put("and to you")
        await lab.pilot.press("enter")
        await lab.until(lambda: b"and to you" in other.heard)
        assert lab.shows("and to you")
        await lab.pilot.press("f5")
        assert isinstance(lab.app.screen, StepsScreen)
        assert "encode" in str(lab.app.screen.query_one(OptionList).get_option_at_index(0).prompt)
        await lab.pilot.press("escape", "escape")
        await lab.until(lambda: lab.shows("It is over"))
        await lab.pilot.press("escape")
        await lab.until(lambda: not lab.app.is_running)
        assert lab.app.return_value == ExitCode.DONE


async def test_a_refused_message_is_told_and_an_unknown_command_goes_nowhere() -> None:
    async with chatting("gcm") as (lab, other):
        lab.app.screen.query_one(Composer).put("/nonsense")
        await lab.pilot.press("enter")
        await lab.until(lambda: lab.shows("There is no /nonsense in the lab"))
        assert b"nonsense" not in other.heard
