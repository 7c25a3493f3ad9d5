"""``/invite``: the string to send to one person, the same as a QR code, and how long it is good for."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from securechat_tui.tui import wording
from securechat_tui.tui.qr import qr_code
from securechat_tui.tui.state import ChatState

__all__ = ["InviteScreen"]

_WORDS = (
    "Send it to one person, on a way that nobody else reads. They type\n"
    "  securechat-tui join\n"
    "and paste it. It lets in one guest, and shows each of you that the other is the right one."
)
_KEYS = "C copies it, Esc closes."
_COPIED = "Copied to the clipboard, where the terminal allows it (OSC 52)."
_OVER = "This invite is over: /invite makes a new one."
_SOON_SECONDS = 60
_MIN_WORDS_WIDTH = 20


class InviteScreen(ModalScreen[None]):
    """The invite in lines of its own, with nothing beside it: any way of selecting takes it whole."""

    CSS_PATH = "invite.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,enter,q", "close", "Close"),
        ("c", "copy", "Copy"),
    ]

    def __init__(self, state: ChatState) -> None:
        super().__init__()
        self._state = state
        self._text = state.invite.invite if state.invite else ""
        self._ends = state.invite.expires if state.invite else 0.0
        self._code = qr_code(self._text.upper())

    def compose(self) -> ComposeResult:
        """The string, then the code with the words beside it."""
        with Vertical(id="invite"):
            yield Static(self._text, markup=False, id="invite-text")
            with Horizontal():
                yield Static(self._code, markup=False, id="invite-code")
                with Vertical(id="invite-words"):
                    yield Static("", markup=False, id="invite-left")
                    yield Static(_KEYS, markup=False, id="invite-note")
                    yield Static(_WORDS, markup=False)
                    yield Static("", markup=False, id="invite-size")

    def on_mount(self) -> None:
        """Count down."""
        self._count_down()
        self.set_interval(1.0, self._count_down)

    def on_resize(self, event: events.Resize) -> None:
        """Show the code where it fits, or say how large the window must be."""
        rows = self._code.plain.split("\n")
        width = len(rows[0])
        height = len(rows) + -(-len(self._text) // max(1, event.size.width))
        fits = event.size.width >= width + _MIN_WORDS_WIDTH and event.size.height >= height
        self.query_one("#invite-code").display = fits
        size = f"The QR code needs a window of {width + _MIN_WORDS_WIDTH} × {height}."
        self.query_one("#invite-size", Static).update("" if fits else size)

    def _count_down(self) -> None:
        left = max(0.0, self._ends - self._state.wall_clock())
        words = f"Good for one guest, for {wording.remaining_words(left)}" if left else _OVER
        colour = "$error" if left < _SOON_SECONDS else "$success"
        self.query_one("#invite-left", Static).update(Content.styled(words, f"bold {colour}"))

    def action_copy(self) -> None:
        """Hand the invite to the terminal's clipboard."""
        self.app.copy_to_clipboard(self._text)
        self.query_one("#invite-note", Static).update(f"{_COPIED} Esc closes.")

    def action_close(self) -> None:
        """Back to where one was."""
        self.dismiss(None)
