"""All conversations, open or kept, to go to one of them."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from securechat_tui.tui import wording
from securechat_tui.tui.widgets.conversation_list import Place, link_words
from securechat_tui.tui.widgets.fitted_options import FittedOptions

__all__ = ["ConversationsScreen"]

_HINT = "Enter goes there. In the chat: Alt+Up, Alt+Down, and Alt+A for what is unread."
_NAME = 16
_TRUST = 10


class ConversationsScreen(ModalScreen[Place | None]):
    """A list to pick from, with the place on the screen highlighted."""

    CSS_PATH = "contacts.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Close")]

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        self._places = places

    def compose(self) -> ComposeResult:
        """The list, and how to use it."""
        with Vertical(classes="picker") as frame:
            frame.border_title = "Conversations"
            frame.border_subtitle = "Esc closes"
            yield FittedOptions([partial(place_row, one) for one in self._places])
            yield Static(_HINT, markup=False, classes="picker-hint")

    def on_mount(self) -> None:
        """Begin at the place on the screen."""
        here = next((at for at, place in enumerate(self._places) if place.is_here), 0)
        self.query_one(OptionList).highlighted = here

    @on(OptionList.OptionSelected)
    def _go(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._places[event.option_index])

    def action_close(self) -> None:
        """Stay where one is."""
        self.dismiss(None)


def place_row(place: Place, width: int) -> Content:
    """Name, trust, connection, and what waits there, as far as there is room."""
    name = Content.styled(place.name, "bold" if place.unread or place.question else "")
    parts = [name.truncate(_NAME, ellipsis=True).pad_right(max(0, _NAME - min(name.cell_length, _NAME)))]
    if place.trust is not None:
        word = f"{wording.trust_glyph(place.trust)} {wording.trust_word(place.trust)}"
        trust = Content.styled(word, wording.trust_colour(place.trust))
        parts.append(trust.pad_right(max(0, _TRUST - trust.cell_length)))
        parts.append(link_words(place.link))
    if place.question:
        parts.append(Content.styled(f"! {place.question}", "bold $text-warning"))
    elif place.unread:
        parts.append(Content.styled(f"{place.count} new", "bold $text-accent"))
    return Content("  ").join(parts).truncate(max(width, 1), ellipsis=True)
