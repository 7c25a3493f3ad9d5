"""The frame that the information screens share: a title, something to read, Esc to go."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from securechat_tui.tui.widgets.rows import Rows

__all__ = ["Panel"]


class Panel(ModalScreen[None]):
    """Something to read above the chat. Esc, Enter or the key that opened it close it."""

    CSS_PATH = "panel.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,enter,q", "dismiss_panel", "Close")]
    AUTO_FOCUS = "#panel-body"

    def __init__(self, title: str, body: Content | Rows) -> None:
        super().__init__()
        self._panel_title = title
        self._body = body

    def compose(self) -> ComposeResult:
        """Title, body, and how to leave."""
        with Vertical(id="panel") as frame:
            frame.border_title = Content(self._panel_title)
            frame.border_subtitle = Content("Esc closes")
            with VerticalScroll(id="panel-body"):
                if isinstance(self._body, Rows):
                    yield self._body
                else:
                    yield Static(self._body, markup=False, id="panel-text")

    def action_dismiss_panel(self) -> None:
        """Back to where one was."""
        self.dismiss(None)
