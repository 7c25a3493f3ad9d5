"""The form for joining: an address, or the name of someone known."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from securechat_tui.tui.opening import JoinTarget
from securechat_tui.tui.widgets.toggles import PlainCheckbox

__all__ = ["JoinScreen"]

_PLACEHOLDER = "192.168.1.20:8000, a name, or securechat://..."
_EMPTY = "Paste the invite, or type the address the host shows or the name of a contact."


class _TargetInput(Input):
    """One line, also where an invite was broken into several on its way."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace("".join(event.text.splitlines()), *self.selection)


class JoinScreen(ModalScreen[JoinTarget | None]):
    """Returns whom to join, or None."""

    CSS_PATH = "join.tcss"
    AUTO_FOCUS = "#target"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel", "Cancel")]

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self._names = names

    def compose(self) -> ComposeResult:
        """One line to type in, and the stranger's box."""
        with Vertical(classes="form") as frame:
            frame.border_title = "Join"
            frame.border_subtitle = "Enter joins, Esc cancels"
            yield Static("ADDRESS[:PORT], a contact's name, or an invite", markup=False)
            yield _TargetInput(
                placeholder=_PLACEHOLDER,
                suggester=SuggestFromList(self._names, case_sensitive=False),
                id="target",
            )
            yield PlainCheckbox("somebody new at a known address (--new)", id="new")
            yield Static("", classes="form-hint", markup=False)

    @on(Input.Submitted)
    def _submit(self) -> None:
        target = self.query_one("#target", Input).value.strip()
        if not target:
            self.query_one(".form-hint", Static).update(_EMPTY)
            return
        stranger = self.query_one("#new", PlainCheckbox).value
        self.dismiss(JoinTarget(target, new=stranger))

    def action_cancel(self) -> None:
        """Go back without joining."""
        self.dismiss(None)
