"""The main screen: the log, the composer, and the security sidebar."""

from time import monotonic
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.messages import Update
from textual.screen import Screen
from textual.widgets import Static

from securechat_tui.tui.commands import Scope, bindings
from securechat_tui.tui.state import ChatState
from securechat_tui.tui.widgets.chat_log import ChatLog
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.composer import Composer
from securechat_tui.tui.widgets.conversation_list import ConversationList, ConversationStrip, Place
from securechat_tui.tui.widgets.find_bar import FindBar, count_words
from securechat_tui.tui.widgets.sidebar import Sidebar, StatusLine
from securechat_tui.tui.widgets.too_small import TooSmall
from securechat_tui.tui.widgets.waiting import WaitingCard

__all__ = ["ChatScreen"]

_TYPED_SECONDS: Final = 0.005
"""From one paint of what is typed to the next: text that is typed by a program shall not be held up."""
_OVERLAY = "-sidebar-over"
_ALONE = 2
"""Places, where there is one conversation and the house."""
_PLACEHOLDER = "message, or / for commands"
_SEVERAL = "-several"
_ROOMY = "-roomy"
_ROOM_FOR_LIST = 116
"""Columns from which list, log and sidebar stand side by side."""
_GATED = "nothing is sent until you have decided (F3 compares, /leave ends)"
_READ_ONLY = "read only: nothing can be sent (Ctrl+P, then Join or Host, goes on)"


class ChatScreen(Screen[None]):
    """Draws what it is told to. Messages from its widgets go on to the app."""

    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = "#composer"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CHAT)]

    class MoreSought(Message):
        """No hit is left, that way, in what the log holds: other messages may hold the word."""

        def __init__(self, word: str, *, older: bool) -> None:
            super().__init__()
            self.word = word
            self.older = older

    class Shown(Message):
        """The screen is complete and can be told things."""

    def __init__(self, state: ChatState) -> None:
        super().__init__()
        self._state = state
        self._log = ChatLog(classes="log")
        self.composer = Composer(placeholder=_PLACEHOLDER)
        self._typed_at = 0.0

    class Returned(Message):
        """Nothing lies over the chat any more."""

    def on_screen_resume(self) -> None:
        """Whoever comes back sees what has come meanwhile."""
        self.post_message(self.Returned())

    async def _on_update(self, message: Update) -> None:
        """Paint at once what is typed: where much else is painted, the next frame can be 33 ms away."""
        await super()._on_update(message)
        now = monotonic()
        if message.widget is self.composer and now - self._typed_at >= _TYPED_SECONDS:
            self._typed_at = now
            self._on_timer_update()

    def compose(self) -> ComposeResult:
        """Log and composer to the left, the sidebar to the right or over the whole."""
        with Horizontal(id="chat-body"):
            with VerticalScroll(id="list-frame", can_focus=False) as frame:
                frame.border_title = "Conversations"
                yield ConversationList(id="list")
            with Vertical(id="chat-main"):
                yield ConversationStrip(id="strip")
                yield StatusLine(self._state)
                with Container(id="logs"):
                    yield self._log
                yield FindBar()
                yield WaitingCard(self._state)
                yield self.composer
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

    def on_resize(self, event: Resize) -> None:
        """The list has a column of its own where it leaves the log enough room."""
        self.set_class(event.size.width >= _ROOM_FOR_LIST, _ROOMY)

    @property
    def log_view(self) -> ChatLog:
        """The log on the screen."""
        return self._log

    def add_log(self) -> ChatLog:
        """Another log, which is not on the screen yet."""
        log = ChatLog(classes="log")
        log.display = False
        self.query_one("#logs").mount(log)
        return log

    def put_up(self, log: ChatLog) -> None:
        """Let another log be on the screen."""
        self._log.display = False
        self._log, log.display = log, True
        self.remove_class(_OVERLAY)
        self.composer.focus()

    def refresh_state(self) -> None:
        """Draw the state anew with the next frame, however often this is called before it."""
        peer = self._state.peer
        self._entitle(peer.contact if peer else "securechat-tui")
        self._lock()
        waiting = self.query_one(WaitingCard)
        waiting.display = self._state.is_waiting
        if waiting.display:
            waiting.refresh(layout=True)
        self.query_one(StatusLine).refresh()
        self.query_one(Sidebar).redraw()

    def show_places(self, places: tuple[Place, ...]) -> None:
        """List the conversations, where there are several."""
        self.set_class(len(places) > _ALONE, _SEVERAL)
        self.query_one(ConversationStrip).show(places)
        entries = self.query_one(ConversationList)
        if entries.show(places):
            frame = self.query_one("#list-frame", VerticalScroll)
            row, height = entries.row_in_view, frame.scrollable_content_region.height
            if height and not frame.scroll_y <= row < frame.scroll_y + height - 1:
                frame.scroll_to(y=max(0, row - height // 2), animate=False)

    def _entitle(self, title: str) -> None:
        """Put a title above the log. To set it draws the whole log anew, so that it is not set again."""
        if str(self._log.border_title or "") != title:
            self._log.border_title = Content(title)

    def show_hint(self, sentence: str) -> None:
        """Show a sentence beneath the composer; an empty one takes it away."""
        hint = self.query_one("#hint", Static)
        if hint.content != sentence:  # each key asks for it, and a new text has the screen laid out anew
            hint.update(sentence)
            hint.display = bool(sentence)

    def _lock(self) -> None:
        """Disable the composer, keeping the draft, where nothing may be said; else enable it again."""
        composer, is_gated = self.composer, self._state.gate is not None
        locked = is_gated or self._state.is_stopped
        composer.placeholder = _GATED if is_gated else _READ_ONLY if locked else _PLACEHOLDER
        if locked is not composer.disabled:
            composer.disabled = locked
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

    @property
    def sought(self) -> str | None:
        """The word in the find bar, where that is open."""
        return self._find_bar.sought

    def restore_find(self, word: str | None) -> None:
        """Let the find bar be as it was when the conversation was left."""
        self._find_bar.restore(word)

    @on(FindBar.Sought)
    def _sought(self, event: FindBar.Sought) -> None:
        event.stop()
        self._find_bar.show_count("")
        self.log_view.find(event.word)

    @on(FindBar.Step)
    def _step(self, event: FindBar.Step) -> None:
        event.stop()
        if self._log.is_last_hit(older=event.older) and self._log.may_find_more:
            self.post_message(self.MoreSought(self._find_bar.sought or "", older=event.older))
        else:
            self._log.find_next(older=event.older)

    @on(ChatLog.Found)
    def _found(self, event: ChatLog.Found) -> None:
        event.stop()
        if event.log_view is not self._log:
            return
        more = self._log.may_find_more
        self._find_bar.show_count(count_words(event.rank, event.count, done=event.done, more=more))

    def action_focus_log(self) -> None:
        """To the log, where Up and Down select a message."""
        self.log_view.focus()

    @on(ChatLog.UnseenChanged)
    def _unseen_changed(self, event: ChatLog.UnseenChanged) -> None:
        event.stop()
        subtitle = Content(f"↓ {event.count} new below (Ctrl+End)") if event.count else None
        event.log_view.border_subtitle = subtitle

    @on(Composer.Changed, "#composer")
    def _typed(self) -> None:
        """Whoever types wants to see it."""
        self.remove_class(_OVERLAY)

    @on(Composer.Hint)
    def _hint(self, event: Composer.Hint) -> None:
        event.stop()
        self.show_hint(event.text)
