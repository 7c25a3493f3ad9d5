"""Where everything begins: Host, Join, Try it alone, and the people known already."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from rich.cells import set_cell_size
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList, Static

from securechat_tui.tui import wording
from securechat_tui.tui.screens.told import Told
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.fitted_options import FittedOptions, FittedRow
from securechat_tui.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from securechat_tui.chat.views import ContactView, IdentityView

__all__ = ["HomeScreen", "StartChoice", "contact_row"]

_RECENT = 6
_NAME_WIDTH = 16
_KEY_AT = 45
"""Cells before the key: in one column, unless an address is longer than most."""


class StartChoice(Enum):
    """What can be chosen."""

    HOST = "host"
    JOIN = "join"
    ALONE = "alone"
    CONTACT = "contact"


_CHOICES = {
    StartChoice.HOST: ("Host", "wait here; shows what the other person types", "wait for the other person"),
    StartChoice.JOIN: ("Join", "connect to someone who hosts"),
    StartChoice.ALONE: ("Try it alone", "a practice peer on this machine", "a practice peer here"),
}


class HomeScreen(Told, Screen[None]):
    """The start screen. It says what was chosen; the app does it.

    It can stand before the key and the contacts are read: :meth:`meet` completes it.
    """

    CSS_PATH = "start.tcss"
    AUTO_FOCUS = "#choices"

    @dataclass
    class Chosen(Message):
        """A choice was made; ``contact`` is the fingerprint of the one among the people that it was."""

        choice: StartChoice
        contact: str = ""

    def __init__(self, name: str, *, alone: bool) -> None:
        super().__init__()
        self._greeting = _greeting(name)
        self._recent: list[ContactView] = []
        self._choices = [choice for choice in _CHOICES if alone or choice is not StartChoice.ALONE]

    def compose(self) -> ComposeResult:
        """Who one is, what can be done, whom one knows."""
        with Vertical(id="start") as frame:
            frame.border_title = "securechat-tui"
            frame.border_subtitle = "Enter chooses, Esc goes to the chat"
            yield Static(self._greeting, markup=False, id="start-greeting")
            yield FittedOptions(self._rows(), id="choices")
            yield Static("", markup=False, id="start-hint")
        yield CommandFooter()
        yield TooSmall()

    def meet(self, own: "IdentityView", contacts: Sequence["ContactView"]) -> None:
        """Show the key and the people known; whatever is highlighted stays so."""
        self._greeting = _greeting(own.name, own.fingerprint)
        self._recent = sorted(contacts, key=lambda contact: contact.last_seen, reverse=True)[:_RECENT]
        if self.is_mounted:
            self.query_one("#start-greeting", Static).update(self._greeting)
            self.query_one(FittedOptions).extend(self._people())
            self.tell("")

    def tell(self, sentence: str) -> None:
        """Say something beneath the choices."""
        self.query_one("#start-hint", Static).update(sentence)

    def _rows(self) -> list[FittedRow | None]:
        return [*(partial(_choice_row, one) for one in self._choices), *self._people()]

    def _people(self) -> list[FittedRow | None]:
        people = [partial(contact_row, contact) for contact in self._recent]
        return [None, *people] if people else []

    @on(OptionList.OptionSelected, "#choices")
    def _choose(self, event: OptionList.OptionSelected) -> None:
        index = event.option_index - len(self._choices)
        if index < 0:
            self.post_message(self.Chosen(self._choices[index]))
        else:
            self.post_message(self.Chosen(StartChoice.CONTACT, self._recent[index].fingerprint))


def contact_row(contact: "ContactView", width: int) -> Content:
    """A contact in one line: name, trust as glyph and word, newest address, and the key where it fits."""
    word = f"{wording.trust_glyph(contact.trust)} {wording.trust_word(contact.trust):<9}"
    address = contact.addresses[0] if contact.addresses else "came as a guest"
    name = set_cell_size(contact.name, _NAME_WIDTH - 1)
    row = Content.assemble((f"{name} ", "bold"), (word, wording.trust_colour(contact.trust)), f" {address}")
    whole = row.pad_right(max(_KEY_AT - row.cell_length, 0)).append(
        f"  {wording.short_fingerprint(contact.fingerprint)}"
    )
    return whole if whole.cell_length <= width else row.truncate(width, ellipsis=True)


def _greeting(name: str, fingerprint: str = "") -> Content:
    who = Content.assemble("You are ", (name, "bold"))
    key = f"  {wording.short_fingerprint(fingerprint)}"
    return Content.assemble(who, key, ("  F3 in full", "$muted")) if fingerprint else who


def _choice_row(choice: StartChoice, width: int) -> Content:
    title, *meanings = _CHOICES[choice]
    fitting = (meaning for meaning in meanings if _NAME_WIDTH + len(meaning) <= width)
    return Content.assemble((f"{title:<{_NAME_WIDTH}}", "bold"), next(fitting, meanings[-1]))
