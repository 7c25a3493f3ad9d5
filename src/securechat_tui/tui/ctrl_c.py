"""Ctrl+C: copies a selection, else clears the draft; twice within three seconds leaves.

A form proposes some texts, selected: there, what has been copied once is no selection any more.
"""

from typing import TYPE_CHECKING, Final

from textual.widgets import Input, TextArea

from securechat_tui.tui.interrupt import LEAVE_HINT
from securechat_tui.tui.screens.chat import ChatScreen
from securechat_tui.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["CtrlC"]

_CLEARED_HINT: Final = f"Draft cleared; Up brings it back. {LEAVE_HINT}"


class CtrlC:
    """What the key does depends on what is selected, typed, and on the screen."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self._double = app.double_press
        self._copied = ""
        """What was copied from a form's field last."""

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
            app.notify(LEAVE_HINT, markup=False)
        elif not app.chat.composer.clear_draft(hint=_CLEARED_HINT):
            app.chat.show_hint(LEAVE_HINT)

    def _selected_text(self) -> str:
        focused = self._app.focused
        if isinstance(focused, TextArea) and focused.selected_text:
            return focused.selected_text
        if isinstance(focused, Input) and self._copied != focused.selected_text:
            self._copied = focused.selected_text
            return self._copied
        return self._app.screen.get_selected_text() or ""
