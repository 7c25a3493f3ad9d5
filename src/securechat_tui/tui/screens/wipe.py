"""Before what is kept of a conversation is destroyed: the name is to be typed."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

__all__ = ["WipeScreen"]

_MEANING = (
    "What is kept here of the conversation with {name} is destroyed, with the key that opens it: nothing "
    "brings it back. Messages of yours that wait are cancelled. {name} may keep a copy, and you can go on "
    "talking."
)
_OTHER = "That is not the name. Nothing was destroyed; Esc leaves it so."


class WipeScreen(ModalScreen[bool]):
    """Returns whether the name was typed as it is."""

    CSS_PATH = "join.tcss"
    AUTO_FOCUS = "#wipe-name"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "Cancel")]

    def __init__(self, name: str) -> None:
        super().__init__()
        self._contact = name

    def compose(self) -> ComposeResult:
        """What it means, and one line to type in."""
        with Vertical(classes="form") as frame:
            frame.border_title = "Wipe a conversation"
            frame.border_subtitle = "Enter wipes, Esc cancels"
            yield Static(_MEANING.format(name=self._contact), markup=False, classes="form-text")
            yield Static(
                Content.assemble("Type the name to confirm: ", (self._contact, "bold")), classes="form-text"
            )
            yield Input(id="wipe-name")
            yield Static("", markup=False, classes="form-hint")

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip() == self._contact:
            self.dismiss(True)
        else:
            self.query_one(".form-hint", Static).update(_OTHER)

    def action_cancel(self) -> None:
        """Go back with everything kept."""
        self.dismiss(False)
