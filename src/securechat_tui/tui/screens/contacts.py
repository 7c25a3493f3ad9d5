"""Everybody whose key is pinned here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from securechat_tui.chat.events import Trust
from securechat_tui.chat.views import ContactView
from securechat_tui.tui.screens.contact_details import ContactDetailsScreen
from securechat_tui.tui.screens.start import contact_row
from securechat_tui.tui.widgets.fitted_options import FittedOptions

__all__ = ["ContactChoice", "ContactsScreen", "Deed"]

_NOBODY = "Nobody yet. Whoever you talk with is pinned here at the first contact."
_HINT = "Enter joins; D tells more; B blocks or unblocks; Delete twice forgets the key."


class Deed(Enum):
    """What can be done about a contact."""

    JOIN = auto()
    FORGET = auto()
    BLOCK = auto()
    UNBLOCK = auto()


@dataclass(frozen=True, slots=True)
class ContactChoice:
    """A contact was picked, and what is to be done."""

    contact: ContactView
    deed: Deed = Deed.JOIN


class ContactsScreen(ModalScreen[ContactChoice | None]):
    """A list to pick from. Forgetting is asked twice."""

    CSS_PATH = "contacts.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "close", "Close"),
        ("delete", "forget", "Forget"),
        ("b", "block", "Block"),
        ("d", "details", "Details"),
    ]

    def __init__(self, contacts: Sequence[ContactView]) -> None:
        super().__init__()
        self._contacts = sorted(contacts, key=lambda contact: contact.last_seen, reverse=True)
        self._doomed: ContactView | None = None

    def compose(self) -> ComposeResult:
        """The list, or a line that says that it is empty."""
        with Vertical(classes="picker") as frame:
            frame.border_title = "Contacts"
            frame.border_subtitle = "Esc closes"
            yield FittedOptions([partial(contact_row, one) for one in self._contacts])
            yield Static(_HINT if self._contacts else _NOBODY, markup=False, classes="picker-hint")

    @on(OptionList.OptionSelected)
    def _join(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(ContactChoice(self._contacts[event.option_index]))

    def action_forget(self) -> None:
        """Forget the highlighted contact, at the second time of asking."""
        index = self.query_one(OptionList).highlighted
        if index is None:
            return
        contact = self._contacts[index]
        if contact == self._doomed:
            self.dismiss(ContactChoice(contact, Deed.FORGET))
            return
        self._doomed = contact
        hint = f"Delete again forgets {contact.name}'s key: at the next contact they are a stranger."
        self.query_one(".picker-hint", Static).update(hint)

    def action_details(self) -> None:
        """Show all about the highlighted contact, with the history of its trust."""
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.app.push_screen(ContactDetailsScreen(self._contacts[index]))

    def action_block(self) -> None:
        """Block the highlighted contact, or take that back."""
        index = self.query_one(OptionList).highlighted
        if index is not None:
            contact = self._contacts[index]
            deed = Deed.UNBLOCK if contact.trust is Trust.BLOCKED else Deed.BLOCK
            self.dismiss(ContactChoice(contact, deed))

    def action_close(self) -> None:
        """Back, with nothing chosen."""
        self.dismiss(None)
