"""F3: is it really them? Codes to compare now, words to compare at any time, both keys in full."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Static

from securechat_tui.chat.views import IdentityView
from securechat_tui.tui.screens.scrolling import ScrollingScreen
from securechat_tui.tui.screens.told import Told
from securechat_tui.tui.screens.verify_content import code_content, keys_content, words_content
from securechat_tui.tui.state import ChatState, Comparing

__all__ = ["VerifyChoice", "VerifyScreen"]

_DIGITS = "or type the digits that the other side reads out, and Enter"
_FRAME = 5
"""Columns that border, padding and scroll bar take."""
_CODE_LENGTH = 13


class VerifyChoice(Enum):
    """What a person does here; the values are the buttons' ids."""

    ASK = "ask"
    MATCH = "match"
    DIFFER = "differ"
    NOT_NOW = "not-now"
    WORDS_MATCH = "words-match"


_LABELS: dict[VerifyChoice, str] = {
    VerifyChoice.NOT_NOW: "Not now",
    VerifyChoice.ASK: "Compare codes",
    VerifyChoice.MATCH: "They match",
    VerifyChoice.DIFFER: "They differ",
}
_OFFERED: dict[Comparing, tuple[VerifyChoice, ...]] = {
    Comparing.NOBODY: (VerifyChoice.NOT_NOW,),
    Comparing.IDLE: (VerifyChoice.NOT_NOW, VerifyChoice.ASK),
    Comparing.ASKED: (VerifyChoice.NOT_NOW,),
    Comparing.WANTED: (VerifyChoice.NOT_NOW, VerifyChoice.ASK),
    Comparing.CODE: (VerifyChoice.NOT_NOW, VerifyChoice.MATCH, VerifyChoice.DIFFER),
}
_QUIET = frozenset({Comparing.NOBODY, Comparing.IDLE})
"""Where there is nothing that "Not now" could mean but to close."""


class VerifyScreen(Told, ScrollingScreen[None]):
    """Shows what the state says and hands on what the person decides. The first button is the safe one."""

    CSS_PATH = "verify.tcss"
    AUTO_FOCUS = "#not-now"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "not_now", "Not now")]

    @dataclass
    class Chosen(Message):
        """A person has decided; ``digits`` are those typed, where some were."""

        choice: VerifyChoice
        digits: str = ""

    def __init__(self, own: IdentityView, state: ChatState) -> None:
        super().__init__()
        self._own = own
        self._state = state
        self._shown: Comparing | None = None

    def compose(self) -> ComposeResult:
        """The code, the words, the keys; the ways out below."""
        with Vertical(id="verify") as frame:
            frame.border_title = Content("Is it really them?")
            frame.border_subtitle = Content("Esc closes")
            with VerticalScroll(classes="body", can_focus=False):
                yield Static("", markup=False, id="verify-code")
                yield Input(placeholder=_DIGITS, id="verify-digits", restrict=r"[0-9 \-]*", max_length=24)
                yield Static("", markup=False, id="verify-words")
                yield Button("The words match", id=VerifyChoice.WORDS_MATCH.value)
                yield Static("", markup=False, id="verify-keys")
            with Horizontal(id="verify-buttons"):
                for choice, label in _LABELS.items():
                    yield Button(label, id=choice.value)

    def on_mount(self) -> None:
        """Begin with what is known."""
        self.refresh_state()

    def on_resize(self) -> None:
        """The pictures stand in one row or two."""
        if self.is_mounted:
            self.refresh_state()

    def refresh_state(self) -> None:
        """Show the present state."""
        state = self._state
        stage = state.comparing
        self.query_one("#verify-code", Static).update(code_content(state, self.size.width))
        self.query_one("#verify-words", Static).update(words_content(state))
        self.query_one("#verify-keys", Static).update(
            keys_content(self._own, state.peer, self.size.width - _FRAME)
        )
        self.query_one("#verify-digits").display = stage is Comparing.CODE
        self.query_one("#words-match").display = state.can_confirm_words
        for choice in _LABELS:
            self.query_one(f"#{choice.value}").display = choice in _OFFERED[stage]
        self._say_close(stage)
        if stage is not self._shown:
            self._shown = stage
            self.query_one("#not-now").focus()

    def _say_close(self, stage: Comparing) -> None:
        self.query_one("#not-now", Button).label = "Close" if stage in _QUIET else "Not now"

    @on(Button.Pressed)
    def _choose(self, event: Button.Pressed) -> None:
        event.stop()
        choice = VerifyChoice(event.button.id)
        if choice is VerifyChoice.NOT_NOW:
            self.action_not_now()
        else:
            self.post_message(self.Chosen(choice))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if sum(map(str.isdigit, event.value)) == _CODE_LENGTH:
            self.post_message(self.Chosen(VerifyChoice.MATCH, event.value))

    def action_not_now(self) -> None:
        """Close; what is under way ends with nothing decided."""
        if self._state.comparing not in _QUIET:
            self.post_message(self.Chosen(VerifyChoice.NOT_NOW))
        self.dismiss(None)
