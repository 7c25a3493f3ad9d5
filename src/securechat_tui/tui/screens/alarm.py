"""The alarm: another key than the pinned one answered."""

from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Static

from securechat_tui.chat.events import Refused, Trust
from securechat_tui.tui import wording
from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE, TypingPause
from securechat_tui.tui.screens.verify_content import side_by_side

__all__ = ["AlarmChoice", "AlarmScreen", "alarm_content", "alarm_sentence"]

_VERBS = {Trust.VERIFIED: "verified", Trust.INVITED: "got by invite"}


class AlarmChoice(Enum):
    """What a person does about it."""

    DISCONNECT = "disconnect"
    READ_ONLY = "read-only"


class AlarmScreen(ModalScreen[AlarmChoice]):
    """Says what happened, what did not (nothing was sent), and what to do. Disconnect is the default."""

    CSS_PATH = "alarm.tcss"
    AUTO_FOCUS = "#disconnect"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "disconnect", "Disconnect"),
        ("left", "app.focus_previous"),
        ("right", "app.focus_next"),
        ("up", "scroll('up')"),
        ("down", "scroll('down')"),
        ("pageup", "scroll('page_up')"),
        ("pagedown", "scroll('page_down')"),
    ]

    def __init__(self, refused: Refused, *, caller: bool, clock: Callable[[], float]) -> None:
        """``caller`` says that somebody called here and was turned away; else a host was refused."""
        super().__init__()
        self._caller = caller
        self._refused = refused
        self._pause = TypingPause(clock)
        self._quiet: Timer | None = None

    def compose(self) -> ComposeResult:
        """The sentence, the keys, and the two ways out."""
        with Vertical(id="alarm") as frame:
            frame.border_title = Content("✖ KEY CHANGED")
            with VerticalScroll(id="alarm-body", can_focus=False):
                yield Static(alarm_sentence(self._refused), markup=False, id="alarm-sentence")
                yield Static(alarm_content(self._refused, caller=self._caller), markup=False, id="alarm-text")
            with Horizontal(id="alarm-buttons"):
                yield Button("Disconnect", variant="error", id="disconnect")
                yield Button("Read only", id="read-only")

    def on_mount(self) -> None:
        """What is typed counts from when this can be seen."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._pause.begin()
        self._quiet = self.set_timer(SECONDS_TO_PAUSE, self._say_ready)

    def on_key(self, event: Key) -> None:
        """Drop what was meant for the composer: the rest of a sentence must not answer the alarm."""
        if not self._pause.is_over():
            event.stop()
            event.prevent_default()
            if self._quiet is not None:
                self._quiet.reset()

    @property
    def is_ready(self) -> bool:
        """Whether it says that keys count now."""
        return bool(self.query_one("#alarm").border_subtitle)

    def _say_ready(self) -> None:
        self.query_one("#alarm").border_subtitle = Content("Enter chooses")

    @on(Button.Pressed)
    def _choose(self, event: Button.Pressed) -> None:
        """Hand the choice to whoever raised the alarm."""
        self.dismiss(AlarmChoice(event.button.id))

    def action_scroll(self, way: str) -> None:
        """Move what there is to read."""
        body = self.query_one("#alarm-body", VerticalScroll)
        moves = {
            "up": body.scroll_up,
            "down": body.scroll_down,
            "page_up": body.scroll_page_up,
            "page_down": body.scroll_page_down,
        }
        moves[way](animate=False)

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


def alarm_content(refused: Refused, *, caller: bool) -> Content:
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
