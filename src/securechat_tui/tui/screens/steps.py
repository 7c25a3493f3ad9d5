"""The way of one message, over whatever one was looking at."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from securechat_tui.chat.steps import Noted
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.step_view import StepView

__all__ = ["StepsScreen"]


class StepsScreen(ModalScreen[None]):
    """The steps of one message; Esc closes."""

    CSS_PATH = "steps.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", "Close", key_display="Esc")]

    def __init__(self, title: str, steps: Sequence[Noted], *, reveals: bool = False) -> None:
        """``reveals``: whether secrets are shown without being asked for."""
        super().__init__()
        self._heading = title
        self._view = StepView(steps, reveals=reveals)

    def compose(self) -> ComposeResult:
        """The steps, and the keys."""
        with Vertical(id="steps-frame") as frame:
            frame.border_title = Content(self._heading)
            yield self._view
        yield CommandFooter()

    def action_close(self) -> None:
        """Back to where one was."""
        self.dismiss(None)
