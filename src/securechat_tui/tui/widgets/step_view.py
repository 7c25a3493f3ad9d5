"""The way of one message, step by step: the steps in a list, the exact bytes of one of them beside it."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import OptionList

from securechat_tui.chat.steps import Noted, Step
from securechat_tui.tui.widgets.fitted_options import FittedOptions
from securechat_tui.tui.widgets.step_bytes import Row, rows_of

__all__ = ["StepBytes", "StepView"]


def _list_row(number: int, noted: Noted, column: int, width: int) -> Content:
    where = f"{noted.where:<{column}}  "
    row = Content.assemble((f"{number:>2} ", "$muted"), (where, "$primary"), noted.step.name)
    return row.truncate(width, ellipsis=True) if width else row


class StepBytes(ScrollView, can_focus=False):
    """One step in full; only the rows in view are drawn."""

    def __init__(self, *, reveals: bool, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.reveals = reveals
        self.whole_input = False
        self._step: Step | None = None
        self._rows: list[Row] = []

    def show(self, step: Step) -> None:
        """Show another step from its beginning."""
        self._step = step
        self.lay_out()
        self.scroll_home(animate=False)

    def lay_out(self) -> None:
        """Make the rows anew."""
        width = self.scrollable_content_region.width
        if self._step is None or not width:
            return
        self._rows = rows_of(self._step, width, reveals=self.reveals, whole_input=self.whole_input)
        self.virtual_size = Size(width, len(self._rows))
        self.refresh()

    def on_resize(self) -> None:
        """Another width has other rows."""
        self.lay_out()

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        width = self.scrollable_content_region.width
        place = y + self.scroll_offset.y
        if place >= len(self._rows) or not width:
            return Strip.blank(width, self.rich_style)
        strips = Visual.to_strips(self, self._rows[place].drawn(), width, 1, self.visual_style)
        return strips[0] if strips else Strip.blank(width, self.rich_style)


class StepView(Container):
    """Up and Down go from step to step, PgUp and PgDn through the bytes of one."""

    SCOPED_CSS = False  # The rules ask for the size of the screen.
    DEFAULT_CSS = """
    StepView { layout: vertical; }
    StepView #steps { height: 38%; border: round $primary; background: $surface; padding: 0 1;
        scrollbar-size-vertical: 1; }
    StepView #step-bytes { height: 1fr; border: round $primary; background: $surface; padding: 0 1;
        scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: scroll; }
    .-short StepView #steps { height: 7; }
    .-short StepView #steps, .-short StepView #step-bytes { border: none; border-top: solid $primary; }
    .-wide StepView { layout: horizontal; }
    .-wide StepView #steps { width: 46%; height: 1fr; }
    .-wide StepView #step-bytes { width: 54%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "move('page_up')", "Bytes", show=False, priority=True),
        Binding("pagedown", "move('page_down')", "Bytes", key_display="PgDn", priority=True),
        Binding("i", "whole_input", "Input"),
        Binding("s", "reveal", "Secrets"),
    ]

    class Revealed(Message):
        """Secrets are shown now, or hidden again."""

        def __init__(self, *, reveals: bool) -> None:
            super().__init__()
            self.reveals = reveals

    def __init__(self, steps: Sequence[Noted], *, reveals: bool = False) -> None:
        """``reveals``: whether keys and what can be read are shown without being asked for."""
        super().__init__()
        self._steps = tuple(steps)
        column = max((len(one.where) for one in self._steps), default=0)
        rows = [partial(_list_row, number, one, column) for number, one in enumerate(self._steps, 1)]
        self._list = FittedOptions(rows, id="steps")
        self._bytes = StepBytes(reveals=reveals, id="step-bytes")

    def compose(self) -> ComposeResult:
        """The list, and one step."""
        self._list.border_title = Content(f"{len(self._steps)} steps")
        yield self._list
        yield self._bytes

    def on_mount(self) -> None:
        """Begin at the first step."""
        self._list.focus()
        if self._steps:
            self._list.highlighted = 0

    @property
    def steps(self) -> tuple[Noted, ...]:
        """What is shown."""
        return self._steps

    @on(OptionList.OptionHighlighted, "#steps")
    def _go_to(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        noted = self._steps[event.option_index]
        place = f"{event.option_index + 1} of {len(self._steps)}"
        self._bytes.border_title = Content(f"Step {place}: {noted.where}")
        self._bytes.show(noted.step)

    @on(OptionList.OptionSelected, "#steps")
    def _next(self, event: OptionList.OptionSelected) -> None:
        """Enter goes on to the next step."""
        event.stop()
        self._list.highlighted = min(event.option_index + 1, len(self._steps) - 1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer secrets only where there are any."""
        del parameters
        if action == "reveal":
            return any(one.step.secret or one.step.reads for one in self._steps)
        return True

    def action_move(self, way: str) -> None:
        """Go through the bytes: page_up or page_down."""
        move = self._bytes.scroll_page_up if way == "page_up" else self._bytes.scroll_page_down
        move(animate=False)

    def action_whole_input(self) -> None:
        """Show all of the input, or its beginning."""
        self._bytes.whole_input = not self._bytes.whole_input
        self._bytes.lay_out()

    def action_reveal(self) -> None:
        """Show secrets, or hide them again."""
        self._bytes.reveals = not self._bytes.reveals
        self._bytes.lay_out()
        self.post_message(self.Revealed(reveals=self._bytes.reveals))
