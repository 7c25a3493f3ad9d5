"""The first run: a name, a key, and a second of patience."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, LoadingIndicator, RadioSet, Static

from securechat_tui.chat.passphrases import UNUSABLE, Passphrase
from securechat_tui.tui.screens.told import Told
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.secret_input import SecretInput
from securechat_tui.tui.widgets.toggles import PlainRadioButton
from securechat_tui.tui.widgets.too_small import TooSmall

__all__ = ["WelcomeScreen"]

_INTRODUCTION = (
    "Private chat between two terminals: no account, no server to trust. "
    "Your identity is a key that stays on this machine; others will know you by it."
)
_OPTIONAL = "Passphrase, asked for at each start (or none)"
_DIFFERENT = "The two passphrases differ: type the same twice, or leave both empty for none."
_STRONGER_BITS = 4096
_USUAL_BITS = 3072


class WelcomeScreen(Told, Screen[None]):
    """Asks for what an identity needs. The app makes it."""

    CSS_PATH = "welcome.tcss"
    AUTO_FOCUS = "#name"
    # What is typed fast after Tab, by a program that fills in forms, must not end in the field before:
    # a passphrase would become part of the name. With priority the focus moves before the next key.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    @dataclass
    class Create(Message):
        """Make an identity called ``name`` with an RSA key of ``bits``, under a passphrase or none."""

        name: str
        bits: int
        passphrase: Passphrase | None

    def __init__(self, suggested_name: str = "") -> None:
        super().__init__()
        self._suggested_name = suggested_name

    def compose(self) -> ComposeResult:
        """The form, and what is shown while the key is being made."""
        with VerticalScroll(id="welcome-page", can_focus=False), Vertical(id="welcome") as frame:
            frame.border_title = "securechat-tui"
            yield Static(_INTRODUCTION, markup=False, id="introduction")
            yield Static("Your name, as others will see it", classes="label", markup=False)
            yield Input(self._suggested_name, placeholder="a name", max_length=64, id="name")
            yield Static(_OPTIONAL, classes="label", markup=False)
            with Horizontal(id="passphrases"):
                yield SecretInput(placeholder="none", id="passphrase")
                yield SecretInput(placeholder="the same again", id="again")
            yield Static("Your key", classes="label", markup=False)
            with RadioSet(id="bits"):
                yield PlainRadioButton("RSA 3072: made in about a second", value=True, id="bits-3072")
                yield PlainRadioButton("RSA 4096: slower, larger messages", id="bits-4096")
            yield Static("", id="welcome-error", markup=False)
            yield Button("Create my identity", variant="primary", id="create")
            yield Static("Making your key …", id="making", markup=False)
            yield LoadingIndicator(id="making-progress")
        yield CommandFooter()
        yield TooSmall()

    def suggest(self, name: str) -> None:
        """Fill the name in, selected so that typing replaces it, unless something was typed already."""
        field = self.query_one("#name", Input)
        if not field.value:
            field.value = name
            field.action_select_all()

    def show_making(self, *, making: bool) -> None:
        """Show that the key is being made, and take no second order meanwhile."""
        self.set_class(making, "-making")
        for selector in ("#name", "#passphrase", "#again", "#bits", "#create"):
            self.query_one(selector).disabled = making

    def tell(self, sentence: str) -> None:
        """Say why there is no key yet."""
        self.show_error(sentence)

    def show_error(self, sentence: str, field: str = "#name") -> None:
        """Say what is wrong and let it be mended, in ``field``."""
        self.show_making(making=False)
        self.query_one("#welcome-error", Static).update(sentence)
        self.query_one(field, Input).focus()

    @on(Input.Submitted, "#passphrase")
    def _repeat(self) -> None:
        """On to the second time, where there was a first."""
        if self.query_one("#passphrase", Input).value:
            self.query_one("#again", Input).focus()
        else:
            self._submit()

    @on(Input.Submitted, "#name")
    @on(Input.Submitted, "#again")
    @on(Button.Pressed, "#create")
    def _submit(self) -> None:
        name = self.query_one("#name", Input).value.strip()
        if not name:
            self.show_error("Type a name first; any will do, and it can be the same as somebody else's.")
            return
        try:
            first, again = self._typed("#passphrase"), self._typed("#again")
        except UNUSABLE as error:
            self.show_error(str(error), "#passphrase")
            return
        if first != again:
            self.show_error(_DIFFERENT, "#passphrase" if first is None else "#again")
        else:
            self._create(name, first)

    def _typed(self, field: str) -> Passphrase | None:
        text = self.query_one(field, Input).value
        return Passphrase(text) if text else None

    def _create(self, name: str, passphrase: Passphrase | None) -> None:
        stronger = self.query_one("#bits-4096", PlainRadioButton).value
        self.query_one("#welcome-error", Static).update("")
        self.show_making(making=True)
        self.post_message(self.Create(name, _STRONGER_BITS if stronger else _USUAL_BITS, passphrase))
