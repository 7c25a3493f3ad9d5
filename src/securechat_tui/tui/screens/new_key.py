"""A contact's new key that the old one has signed: a person decides before anything passes."""

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Static

from securechat_tui.tui.screens.question import QuestionScreen

__all__ = ["NewKeyChoice", "NewKeyScreen"]

_MEANING = (
    "Whoever has the old key can have made the new one: your contact, or somebody who has stolen it. "
    "Accepted, the new key is pinned and no more. Codes that are the same on both screens make it verified."
)


class NewKeyChoice(Enum):
    """What a person does about it."""

    LEAVE = "leave"
    COMPARE = "compare"
    ACCEPT = "accept"


class NewKeyScreen(QuestionScreen[NewKeyChoice]):
    """Says whose key is new and who says so. To leave is the default."""

    CSS_PATH = "new_key.tcss"
    AUTO_FOCUS = "#leave"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave", "Leave"),
        ("left", "app.focus_previous"),
        ("right", "app.focus_next"),
    ]

    def __init__(self, sentence: str, *, clock: Callable[[], float]) -> None:
        """``sentence`` is the gate's."""
        super().__init__(clock)
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """The sentence, what it means, and the ways out."""
        with Vertical(id="new-key") as frame:
            frame.border_title = Content("! NEW KEY")
            yield Static(self._sentence, markup=False, id="new-key-sentence")
            yield Static(_MEANING, markup=False, id="new-key-text")
            with Horizontal(id="new-key-buttons"):
                yield Button("Leave", variant="warning", id="leave")
                yield Button("Compare codes", id="compare")
                yield Button("Accept", id="accept")

    @on(Button.Pressed)
    def _choose(self, event: Button.Pressed) -> None:
        self.dismiss(NewKeyChoice(event.button.id))

    def action_leave(self) -> None:
        """The safe way out."""
        self.dismiss(NewKeyChoice.LEAVE)
