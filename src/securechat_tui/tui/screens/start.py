"""Where everything begins: Host, Join, Try it alone, and the people known already."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from securechat_tui.chat.views import ContactView, IdentityView
from securechat_tui.tui import wording
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.too_small import TooSmall

__all__ = ["HomeScreen", "StartChoice", "contact_row"]

_RECENT = 6
_NAME_WIDTH = 16


class StartChoice(Enum):
    """What can be chosen."""

    HOST = "host"
    JOIN = "join"
    ALONE = "alone"
    CONTACT = "contact"


_CHOICES = {
    StartChoice.HOST: ("Host", "wait here; shows what the other person types"),
    StartChoice.JOIN: ("Join", "connect to someone who hosts"),
    StartChoice.ALONE: ("Try it alone", "a practice peer on this machine"),
}


class HomeScreen(Screen[None]):
    """The start screen. It says what was chosen; the app does it."""

    CSS_PATH = "start.tcss"
    AUTO_FOCUS = "#choices"

    @dataclass
    class Chosen(Message):
        """A choice was made; ``contact`` is a name where it was one of the people."""

        choice: StartChoice
        contact: str = ""

    def __init__(self, own: IdentityView, contacts: Sequence[ContactView], *, alone: bool) -> None:
        super().__init__()
        self._own = own
        self._recent = sorted(contacts, key=lambda contact: contact.last_seen, reverse=True)[:_RECENT]
        self._choices = [choice for choice in _CHOICES if alone or choice is not StartChoice.ALONE]

    def compose(self) -> ComposeResult:
        """Who one is, what can be done, whom one knows."""
        with Vertical(id="start") as frame:
            frame.border_title = "securechat-tui"
            frame.border_subtitle = "Enter chooses, Esc goes to the chat"
            yield Static(_greeting(self._own), markup=False, id="start-greeting")
            yield OptionList(*self._options(), markup=False, id="choices")
            yield Static("", markup=False, id="start-hint")
        yield CommandFooter()
        yield TooSmall()

    def show_hint(self, sentence: str) -> None:
        """Say something beneath the choices."""
        self.query_one("#start-hint", Static).update(sentence)

    def _options(self) -> list[Option | None]:
        options: list[Option | None] = [
            Option(_choice_row(*_CHOICES[one]), id=one.value) for one in self._choices
        ]
        if self._recent:
            options.append(None)
            options += [
                Option(contact_row(contact), id=f"{StartChoice.CONTACT.value}-{index}")
                for index, contact in enumerate(self._recent)
            ]
        return options

    @on(OptionList.OptionSelected, "#choices")
    def _choose(self, event: OptionList.OptionSelected) -> None:
        word, _, index = (event.option_id or "").partition("-")
        contact = str(self._recent[int(index)].name) if index else ""
        self.post_message(self.Chosen(StartChoice(word), contact))


def contact_row(contact: ContactView) -> Content:
    """A contact in one line: name, trust as glyph and word, key, newest address."""
    word = f"{wording.trust_glyph(contact.trust)} {wording.trust_word(contact.trust):<9}"
    address = contact.addresses[0] if contact.addresses else "came as a guest"
    return Content.assemble(
        (f"{contact.name:<{_NAME_WIDTH}.{_NAME_WIDTH - 1}}", "bold"),
        (word, wording.trust_colour(contact.trust)),
        f" {wording.short_fingerprint(contact.fingerprint)}  {address}",
    )


def _greeting(own: IdentityView) -> Content:
    return Content.assemble(
        "You are ",
        (own.name, "bold"),
        f"  {wording.short_fingerprint(own.fingerprint)}",
        ("  F3 in full", "$muted"),
    )


def _choice_row(title: str, meaning: str) -> Content:
    return Content.assemble((f"{title:<{_NAME_WIDTH}}", "bold"), meaning)
