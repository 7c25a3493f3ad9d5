"""A question with a few ways out, over whatever somebody is typing."""

from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from securechat_tui.tui.screens.question import QuestionScreen

__all__ = ["ChoiceScreen"]

_Answer = TypeVar("_Answer")


class ChoiceScreen(QuestionScreen[_Answer]):
    """A sentence, what it means, and the ways out: the first is the default, and what Esc does."""

    CSS_PATH = "choice.tcss"
    AUTO_FOCUS = "Button"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "first", "Leave")]

    def __init__(
        self,
        title: str,
        sentence: str,
        meaning: str,
        ways: Sequence[tuple[_Answer, str]],
        clock: Callable[[], float],
    ) -> None:
        """``sentence`` is the engine's; each of ``ways`` is an answer and what its button says."""
        super().__init__(clock)
        self._title, self._sentence, self._meaning = title, sentence, meaning
        self._ways = ways

    def compose(self) -> ComposeResult:
        """The sentence, what it means, and the ways out."""
        with Vertical(id="choice") as frame:
            frame.border_title = Content(self._title)
            with VerticalScroll(classes="body", can_focus=False):
                yield Static(self._sentence, markup=False, id="sentence")
                yield Static(self._meaning, markup=False, id="meaning")
            with Horizontal(id="ways"):
                for _, label in self._ways:
                    yield Button(label)

    @on(Button.Pressed)
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(self._ways[[*self.query(Button)].index(event.button)][0])

    def action_first(self) -> None:
        """The safe way out."""
        self.dismiss(self._ways[0][0])
