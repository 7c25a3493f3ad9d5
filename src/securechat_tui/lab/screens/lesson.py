"""The seven lessons, each run in front of the reader."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from securechat_tui.lab.attacks import Bench, Outcome
from securechat_tui.lab.lessons import LESSONS, Act, Lesson, Played
from securechat_tui.lab.screens.background import in_background
from securechat_tui.lab.screens.frame import LabScreen
from securechat_tui.lab.screens.told import COLUMN, result
from securechat_tui.tui.widgets.fitted_options import FittedOptions
from securechat_tui.tui.widgets.rows import Pair, Row, Rows

__all__ = ["LessonScreen", "LessonsScreen"]

_SURPRISE: Final = "The run has shown something else than the lesson is about; what was measured counts."


def _list_row(number: int, lesson: Lesson, width: int) -> Content:
    row = Content.assemble((f"{number} {lesson.name:<16}", "bold"), f" {lesson.question}")
    return row.truncate(width, ellipsis=True) if width else row


def _announced(act: Act) -> Iterator[Row]:
    yield Content("")
    heading = Content.assemble((act.heading, "$primary bold"), (f"  on {act.protocol.name}", "$muted"))
    yield heading
    yield Content(act.before)
    yield Pair(Content.styled("to be run", "$muted"), Content(act.tries))


def _measured(played: Played) -> Iterator[Row]:
    outcome = played.outcome
    yield Pair(Content.styled("result", "$muted"), result(outcome))
    yield Pair(Content.styled("attacker got", "$muted"), Content(outcome.got))
    yield Pair(Content.styled("why", "$muted"), Content(outcome.why))
    if not played.as_told:
        yield Content.styled(_SURPRISE, "$warning")


class LessonsScreen(LabScreen):
    """Choose one of the seven."""

    CSS_PATH = "lesson.tcss"
    AUTO_FOCUS = "#lessons"

    def compose_body(self) -> ComposeResult:
        """The list."""
        rows = [partial(_list_row, number, one) for number, one in enumerate(LESSONS, 1)]
        lessons = FittedOptions(rows, id="lessons")
        lessons.border_title = "Lessons: Enter begins one"
        yield lessons

    @on(OptionList.OptionSelected, "#lessons")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.app.push_screen(LessonScreen(event.option_index))


class LessonScreen(LabScreen):
    """One lesson: Enter runs each act, then goes on."""

    CSS_PATH = "lesson.tcss"
    AUTO_FOCUS = "#acts"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "go_on", "Go on", key_display="Enter")]

    def __init__(self, place: int) -> None:
        """``place`` counts from 0."""
        super().__init__(LESSONS[place].acts[0].protocol)
        self._place = place
        self._lesson = LESSONS[place]
        self._enter = asyncio.Event()
        self._rows: list[Row] = []
        self._is_over = False

    def compose_body(self) -> ComposeResult:
        """What has been shown so far, and what Enter does."""
        with VerticalScroll(id="acts") as frame:
            frame.border_title = Content(f"Lesson {self._place + 1} of {len(LESSONS)}: {self._lesson.name}")
            yield Rows([], COLUMN)
        yield Static(markup=False, id="next")

    def on_mount(self) -> None:
        """Begin."""
        self._tell([Content.styled(self._lesson.question, "bold")])
        self._walk()

    @work(group="lab", exit_on_error=False)
    async def _walk(self) -> None:
        for act in self._lesson.acts:
            self.choose(act.protocol)
            self._tell([*_announced(act)])
            await self._wait("Enter runs it now")
            played = Played(self._lesson, act, await self._run_act(act))
            self._tell([*_measured(played)])
            await self._wait("Enter goes on")
        learnt = Content.assemble(("Learnt  ", "$success bold"), self._lesson.learnt)
        self._tell([Content(""), learnt])
        self._is_over = True
        last = self._place == len(LESSONS) - 1
        self._tell_next("Enter ends: this was the last" if last else "Enter begins the next lesson")

    async def _run_act(self, act: Act) -> Outcome:
        self._tell_next("It runs now…")
        bench = Bench(act.protocol, self.keys)
        return await in_background(lambda: act.run(bench))

    async def _wait(self, what: str) -> None:
        self._tell_next(what)
        self._enter.clear()
        await self._enter.wait()

    def _tell(self, rows: list[Row]) -> None:
        self._rows += rows
        self.query_one(Rows).update(self._rows)
        self.query_one("#acts").scroll_end(animate=False)

    def _tell_next(self, words: str) -> None:
        self.query_one("#next", Static).update(Content.assemble(("▸ ", "$accent bold"), words))

    def action_go_on(self) -> None:
        """Run what is announced, or go on."""
        if not self._is_over:
            self._enter.set()
        elif self._place + 1 < len(LESSONS):
            self.app.switch_screen(LessonScreen(self._place + 1))
        else:
            self.app.pop_screen()
