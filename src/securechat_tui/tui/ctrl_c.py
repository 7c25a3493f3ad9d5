"""Ctrl+C: copies a selection, else clears the draft; twice within three seconds leaves."""

from typing import TYPE_CHECKING, Final

from textual.widgets import Input, TextArea

from securechat_tui.tui.interrupt import DoublePress
from securechat_tui.tui.screens.chat import ChatScreen
from securechat_tui.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["CtrlC"]

_LEAVE_HINT: Final = "Ctrl+C again leaves."
_CLEARED_HINT: Final = f"Draft cleared; Up brings it back. {_LEAVE_HINT}"


class CtrlC:
    """What the key does depends on what is selected, typed, and on the screen."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self._double = DoublePress()

    def press(self) -> None:
        """Take the key in its turn: after the keys that still wait for the composer."""
        composer = self._app.chat.composer
        if self._app.focused is composer:
            composer.post_message(Composer.Interrupt(self._act))
        else:
            self._act()

    def _act(self) -> None:
        app = self._app
        selected = self._selected_text()
        if selected:
            self._double.forget()
            app.copy_to_clipboard(selected)
            return
        if self._double.press(app.clock()):
            app.leave_program()
        elif not isinstance(app.screen, ChatScreen):
            app.notify(_LEAVE_HINT, markup=False)
        elif not app.chat.composer.clear_draft(hint=_CLEARED_HINT):
            app.chat.show_hint(_LEAVE_HINT)

    def _selected_text(self) -> str:
        focused = self._app.focused
        if isinstance(focused, Input | TextArea) and focused.selected_text:
            return focused.selected_text
        return self._app.screen.get_selected_text() or ""
