"""The alarm: another key than the pinned one answered."""

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from securechat_tui.chat.events import Refused, Trust
from securechat_tui.tui import wording
from securechat_tui.tui.screens.question import QuestionScreen
from securechat_tui.tui.screens.verify_content import side_by_side

__all__ = ["AlarmChoice", "AlarmScreen", "alarm_content", "alarm_sentence"]

_VERIFYING = "Verify the new key: it is let in to compare codes with its owner, and for nothing else."
_VERBS = {Trust.VERIFIED: "verified", Trust.INVITED: "got by invite"}


class AlarmChoice(Enum):
    """What a person does about it."""

    DISCONNECT = "disconnect"
    VERIFY = "verify"
    READ_ONLY = "read-only"


class AlarmScreen(QuestionScreen[AlarmChoice]):
    """Says what happened, what did not (nothing was sent), and what to do. Disconnect is the default."""

    CSS_PATH = "alarm.tcss"
    AUTO_FOCUS = "#disconnect"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "disconnect", "Disconnect")]

    def __init__(
        self, refused: Refused, *, caller: bool, can_verify: bool, clock: Callable[[], float]
    ) -> None:
        """``caller`` says that somebody called here and was turned away; else a host was refused.

        ``can_verify``: the new key may be this contact's, and codes can be compared with its owner.
        """
        super().__init__(clock)
        self._caller = caller
        self._can_verify = can_verify
        self._refused = refused

    def compose(self) -> ComposeResult:
        """The sentence, the keys, and the ways out."""
        with Vertical(id="alarm") as frame:
            frame.border_title = Content("✖ KEY CHANGED")
            with VerticalScroll(classes="body", can_focus=False):
                yield Static(alarm_sentence(self._refused), markup=False, id="alarm-sentence")
                yield Static(self._content(), markup=False, id="alarm-text")
            with Horizontal(id="alarm-buttons"):
                yield Button("Disconnect", variant="error", id="disconnect")
                if self._can_verify:
                    yield Button("Verify the new key", id="verify")
                yield Button("Read only", id="read-only")

    def _content(self) -> Content:
        return alarm_content(self._refused, caller=self._caller, can_verify=self._can_verify)

    @on(Button.Pressed)
    def _choose(self, event: Button.Pressed) -> None:
        """Hand the choice to whoever raised the alarm."""
        self.dismiss(AlarmChoice(event.button.id))

    def action_disconnect(self) -> None:
        """The safe way out."""
        self.dismiss(AlarmChoice.DISCONNECT)


def alarm_sentence(refused: Refused) -> str:
    """Who changed, since when the old key was known, and what that can mean."""
    verb = _VERBS.get(refused.trust, "pinned")
    since = f" on {wording.day(refused.pinned_since)}" if refused.pinned_since else ""
    sentence = f"{_name(refused)}'s key is DIFFERENT from the one you {verb}{since}."
    if refused.offered_contact:
        return f"{sentence} {refused.offered_contact} answered, not {_name(refused)}."
    return f"{sentence} A new device, or someone in between."


def alarm_content(refused: Refused, *, caller: bool, can_verify: bool) -> Content:
    """Both keys, and what to do."""
    rows = [
        Content("Nothing was sent. Your draft is kept."),
        Content(""),
        Content.styled("expected", "bold"),
        Content(f"  {refused.expected}"),
        Content.styled("answered", "bold $error"),
        Content(f"  {refused.offered}"),
        Content(""),
        Content(f"Ask {_name(refused)} over another channel: a call, or face to face."),
    ]
    if can_verify:
        rows.append(Content(_VERIFYING))
    if caller:
        rows.append(Content("The caller was turned away, and this host goes on as before."))
    elif refused.address:
        rows += [
            Content("Only if you expect a different person at this address:"),
            Content.styled(f"  securechat-tui join --new {refused.address}", "bold"),
            Content(f"  or here: /join --new {refused.address}"),
        ]
    return Content("\n").join([*rows, *_pictures(refused)])


def _pictures(refused: Refused) -> list[Content]:
    if not (refused.expected_randomart and refused.offered_randomart):
        return []
    pictures = side_by_side(refused.expected_randomart, refused.offered_randomart, "expected", "answered")
    return [Content(""), *pictures]


def _name(refused: Refused) -> str:
    return refused.contact or refused.address or "This contact"
