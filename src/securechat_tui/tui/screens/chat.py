"""The main screen: the log, the composer, and the security sidebar."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from securechat_tui.tui.commands import Scope, bindings
from securechat_tui.tui.state import ChatState
from securechat_tui.tui.widgets.chat_log import ChatLog
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.composer import Composer
from securechat_tui.tui.widgets.find_bar import FindBar, count_words
from securechat_tui.tui.widgets.sidebar import Sidebar, StatusLine
from securechat_tui.tui.widgets.too_small import TooSmall
from securechat_tui.tui.widgets.waiting import WaitingCard

__all__ = ["ChatScreen"]

_OVERLAY = "-sidebar-over"
_PLACEHOLDER = "message, or / for commands"
_GATED = "nothing is sent until you have decided (F3 compares, /leave ends)"
_READ_ONLY = "read only: nothing can be sent (Ctrl+P, then Join or Host, goes on)"


class ChatScreen(Screen[None]):
    """Draws what it is told to. Messages from its widgets go on to the app."""

    AUTO_FOCUS = "#composer"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CHAT)]

    class Shown(Message):
        """The screen is complete and can be told things."""

    def __init__(self, state: ChatState) -> None:
        super().__init__()
        self._state = state
        self._title = ""

    def compose(self) -> ComposeResult:
        """Log and composer to the left, the sidebar to the right or over the whole."""
        with Horizontal(id="chat-body"):
            with Vertical(id="chat-main"):
                yield StatusLine(self._state)
                yield ChatLog(id="log")
                yield FindBar()
                yield WaitingCard(self._state)
                yield Composer(placeholder=_PLACEHOLDER)
                yield Static("", id="hint", markup=False)
            with VerticalScroll(id="sidebar-frame", can_focus=False) as frame:
                frame.border_title = "Security"
                yield Sidebar(self._state)
        yield CommandFooter()
        yield TooSmall()

    def on_mount(self) -> None:
        """Begin with the state that is there already."""
        self.refresh_state()
        self.post_message(self.Shown())

    @property
    def log_view(self) -> ChatLog:
        """The chat log."""
        return self.query_one("#log", ChatLog)

    @property
    def composer(self) -> Composer:
        """The composer."""
        return self.query_one("#composer", Composer)

    def refresh_state(self) -> None:
        """Draw the state anew with the next frame, however often this is called before it."""
        peer = self._state.peer
        self._entitle(peer.contact if peer else "securechat-tui")
        waiting = self.query_one(WaitingCard)
        waiting.display = self._state.is_waiting
        if waiting.display:
            waiting.refresh(layout=True)
        self.query_one(StatusLine).refresh()
        self.query_one(Sidebar).redraw()

    def _entitle(self, title: str) -> None:
        """Put a title above the log. To set it draws the whole log anew, so that it is not set again."""
        if title != self._title:
            self._title = title
            self.log_view.border_title = Content(title)

    def show_hint(self, sentence: str) -> None:
        """Show a sentence beneath the composer; an empty one takes it away."""
        hint = self.query_one("#hint", Static)
        hint.update(sentence)
        hint.display = bool(sentence)

    def lock_composer(self, *, locked: bool, gated: bool = False) -> None:
        """Disable the composer, keeping the draft, or enable it again."""
        composer = self.composer
        composer.disabled = locked
        composer.placeholder = (_GATED if gated else _READ_ONLY) if locked else _PLACEHOLDER
        composer.border_subtitle = Content("read only, draft kept") if locked else None
        if not locked:
            composer.focus()

    def toggle_sidebar(self) -> None:
        """Hide or show it where it has its place; lay it over the log where it has none."""
        self.toggle_class("-no-sidebar" if self.has_class("-wide") else _OVERLAY)
        over = self.is_sidebar_over
        self.query_one("#sidebar-frame").border_subtitle = Content("F2 or Esc closes") if over else None

    @property
    def is_sidebar_over(self) -> bool:
        """Whether the sidebar lies over the log."""
        return self.has_class(_OVERLAY) and not self.has_class("-wide")

    def action_scroll_log(self, way: str) -> None:
        """Move the log, or the sidebar where that lies over it: page_up, page_down, home or end."""
        log = self.query_one("#sidebar-frame", VerticalScroll) if self.is_sidebar_over else self.log_view
        moves = {
            "page_up": log.scroll_page_up,
            "page_down": log.scroll_page_down,
            "home": log.scroll_home,
            "end": log.scroll_end,
        }
        moves[way](animate=False)

    def focus_composer(self) -> None:
        """Back to typing, with whatever lies over the log taken away."""
        self.remove_class(_OVERLAY)
        self._find_bar.close()
        self.composer.focus()

    @property
    def _find_bar(self) -> FindBar:
        return self.query_one(FindBar)

    def open_find(self, word: str) -> None:
        """Open the line in which a word to find is typed."""
        self.remove_class(_OVERLAY)
        self._find_bar.open(word)

    @on(FindBar.Sought)
    def _sought(self, event: FindBar.Sought) -> None:
        event.stop()
        self._find_bar.show_count("")
        self.log_view.find(event.word)

    @on(FindBar.Step)
    def _step(self, event: FindBar.Step) -> None:
        event.stop()
        self.log_view.find_next(older=event.older)

    @on(ChatLog.Found)
    def _found(self, event: ChatLog.Found) -> None:
        event.stop()
        self._find_bar.show_count(count_words(event.rank, event.count, done=event.done))

    def action_focus_log(self) -> None:
        """To the log, where Up and Down select a message."""
        self.log_view.focus()

    @on(ChatLog.UnseenChanged)
    def _unseen_changed(self, event: ChatLog.UnseenChanged) -> None:
        event.stop()
        subtitle = Content(f"↓ {event.count} new below (Ctrl+End)") if event.count else None
        self.log_view.border_subtitle = subtitle

    @on(Composer.Changed, "#composer")
    def _typed(self) -> None:
        """Whoever types wants to see it."""
        self.remove_class(_OVERLAY)

    @on(Composer.Hint)
    def _hint(self, event: Composer.Hint) -> None:
        event.stop()
        self.show_hint(event.text)
