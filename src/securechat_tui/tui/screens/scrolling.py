"""A screen over the chat whose text may be longer than the terminal is high: keys move it."""

from typing import ClassVar, TypeVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

__all__ = ["ScrollingScreen"]

_Answer = TypeVar("_Answer")


class ScrollingScreen(ModalScreen[_Answer]):
    """Left and Right go from one way out to the next, Up and Down move what there is to read.

    That lies in a ``VerticalScroll`` of the class ``body``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        ("left", "app.focus_previous"),
        ("right", "app.focus_next"),
        ("up", "scroll_body('up')"),
        ("down", "scroll_body('down')"),
        ("pageup", "scroll_body('page_up')"),
        ("pagedown", "scroll_body('page_down')"),
    ]

    def action_scroll_body(self, way: str) -> None:
        """Move what there is to read: up, down, page_up or page_down."""
        body = self.query_one(".body", VerticalScroll)
        moves = {
            "up": body.scroll_up,
            "down": body.scroll_down,
            "page_up": body.scroll_page_up,
            "page_down": body.scroll_page_down,
        }
        moves[way](animate=False)
