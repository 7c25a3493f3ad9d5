"""The chat log: one widget for any number of messages.

What is shown lives in a :class:`~securechat_tui.tui.widgets.log_model.LogModel`; this widget gives it
a viewport. Either the log *follows*, and the newest row is at the bottom, or it is *anchored*: the
place at the top stays there whatever is appended, measured or wrapped anew.
"""

from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.types import CallbackType
from textual.widget import Widget

from securechat_tui.tui.widgets.log_drawing import COMPONENTS, Place, Row, draw
from securechat_tui.tui.widgets.log_entries import Entry, MessageEntry, NoticeEntry, Tick
from securechat_tui.tui.widgets.log_model import Anchor, LogModel
from securechat_tui.tui.widgets.log_selection import Span, selected_text

__all__ = ["ChatLog", "Entry", "MessageEntry", "NoticeEntry", "Tick"]

_STRIPS: Final = 1024
"""Entries whose drawn rows are kept."""


class ChatLog(ScrollView, can_focus=True, inherit_bindings=False):
    """Messages, notices, day rules and the marker of what is unread."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "Page up", show=False, id="log.page-up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="log.page-down"),
        Binding("ctrl+home", "scroll_home", "Oldest", show=False, id="log.oldest"),
        Binding("ctrl+end", "scroll_end", "Newest", show=False, id="log.newest"),
        Binding("up", "select_previous", "Previous message", show=False, id="log.previous"),
        Binding("down", "select_next", "Next message", show=False, id="log.next"),
    ]
    DEFAULT_CSS = """
    ChatLog {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;

        & > .chat-log--time { color: $text-muted; }
        & > .chat-log--nick { color: $text-primary; text-style: bold; }
        & > .chat-log--own-nick { color: $text-secondary; text-style: bold; }
        & > .chat-log--text { color: $foreground; }
        & > .chat-log--notice { color: $text-muted; }
        & > .chat-log--rule { color: $text-muted; }
        & > .chat-log--unread { color: $text-accent; text-style: bold; }
        & > .chat-log--status { color: $text-muted; }
        & > .chat-log--warning { color: $text-warning; text-style: bold; }
    }
    """

    class UnseenChanged(Message):
        """``count`` messages were received that are still below the viewport."""

        def __init__(self, log: "ChatLog", count: int) -> None:
            super().__init__()
            self.log_view = log
            self.count = count

        @property
        def control(self) -> "ChatLog":
            """The log."""
            return self.log_view

    class Selected(Message):
        """A message was selected for its details; None where none is any more."""

        def __init__(self, log: "ChatLog", entry: MessageEntry | None) -> None:
            super().__init__()
            self.log_view = log
            self.entry = entry

        @property
        def control(self) -> "ChatLog":
            """The log."""
            return self.log_view

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._reset()

    def _reset(self) -> None:
        self._model = LogModel()
        self._follows = True
        self._anchor = Anchor(0, 0, 0)
        self._selected: int | None = None
        self._unseen: deque[int] = deque()
        self._told = 0
        self._strips: dict[int, dict[int, Strip]] = {}
        self._is_scheduled = False
        self._is_placing = False

    # What the app calls

    @property
    def entry_count(self) -> int:
        """Messages and notices in the log."""
        return len(self._model)

    @property
    def follows(self) -> bool:
        """Whether the newest entry is in view, and will be when more comes."""
        return self._follows

    @property
    def unseen(self) -> int:
        """Messages received that are still below the viewport."""
        return len(self._unseen)

    @property
    def selected(self) -> MessageEntry | None:
        """The message that is selected."""
        entry = None if self._selected is None else self._model.entry(self._selected)
        return entry if isinstance(entry, MessageEntry) else None

    def append(self, entry: Entry) -> None:
        """Add an entry at the end. Any number of them is drawn at once, in the next frame."""
        self.extend((entry,))

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        for entry in entries:
            if not self._follows and isinstance(entry, MessageEntry) and not entry.own:
                self._unseen.append(len(self._model))
            self._model.append(entry)
        self._forget_marker()
        self._schedule()

    def update_tick(self, entry_id: str, state: Tick) -> bool:
        """Change the tick of one's own message; False where there is none, or it was delivered before."""
        index = self._model.update_tick(entry_id, state)
        if index is None:
            return False
        self._strips.pop(index, None)
        self._schedule()
        return True

    def set_unread_marker(self) -> None:
        """Everything so far is read: the marker goes above the next message that is received."""
        self._forget_marker()
        self._model.set_marker()
        self._schedule()

    def clear_unread_marker(self) -> None:
        """Take the marker away."""
        self._forget_marker()
        self._model.clear_marker()
        self._schedule()

    def clear(self) -> None:
        """Remove everything."""
        was_selected, was_scheduled = self._selected, self._is_scheduled
        told = self._told
        self._reset()
        self._told, self._is_scheduled = told, was_scheduled
        if was_selected is not None:
            self.post_message(self.Selected(self, None))
        self._schedule()

    def select_previous(self) -> None:
        """Select the message above, or the last one in view."""
        start = self._last_visible() + 1 if self._selected is None else self._selected
        self._select_first(range(start - 1, -1, -1))

    def select_next(self) -> None:
        """Select the message below; past the last one, none."""
        if self._selected is not None and not self._select_first(range(self._selected + 1, len(self._model))):
            self.deselect()

    def deselect(self) -> None:
        """Select no message."""
        if self._selected is not None:
            self._select(None)

    def action_select_previous(self) -> None:
        """Select the message above."""
        self.select_previous()

    def action_select_next(self) -> None:
        """Select the message below."""
        self.select_next()

    # Scrolling: never animated, since what comes into view is measured and may shift what is above it

    def scroll_to(
        self,
        x: float | None = None,
        y: float | None = None,
        *,
        force: bool = False,
        on_complete: CallbackType | None = None,
        **_options: object,
    ) -> None:
        """Scroll to a row at once."""
        super().scroll_to(x, y, animate=False, force=force, on_complete=on_complete)

    def scroll_end(self, *, on_complete: CallbackType | None = None, **_options: object) -> None:
        """Scroll to the newest row at once, and follow from there on."""
        self._follows = True
        self._settle()
        if on_complete is not None:
            self.call_after_refresh(on_complete)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take up a new place where it was not the log itself that went there."""
        super().watch_scroll_y(old_value, new_value)
        if self._is_placing or not len(self._model) or self._view.width != self._model.columns.width:
            return
        self._follows = round(new_value) >= self.max_scroll_y
        if not self._follows:
            self._anchor = self._model.anchor_at(round(new_value))
        self._settle()

    def on_resize(self, event: Resize) -> None:
        """Wrap anew around the place that was at the top."""
        event.stop()
        self._settle()

    def on_show(self) -> None:
        """Take up what came while the log was hidden."""
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled and self.is_mounted:
            self._is_scheduled = True
            self.call_later(self._flush)

    def _flush(self) -> None:
        self._is_scheduled = False
        self._settle()

    @property
    def _view(self) -> Size:
        """The viewport: what is inside border, padding and scrollbar."""
        return self.scrollable_content_region.size

    def _settle(self) -> None:
        """Measure what is in view and a page around it, and put the viewport where it belongs."""
        view = self._view
        if not view:
            return
        if self._model.resize(view.width):
            self._strips.clear()
        if len(self._model):
            center = len(self._model) - 1 if self._follows else self._anchor.entry
            self._model.settle(center, view.height * 2)
        self._place()

    def _place(self) -> None:
        self._is_placing = True
        try:
            size = Size(self._view.width, self._model.height)
            if size != self.virtual_size:
                # Set without its watcher: the log's place on the screen does not depend on what it holds.
                self.set_reactive(Widget.virtual_size, size)
                self._scroll_update(size)
            self.scroll_y = self.max_scroll_y if self._follows else self._model.row_at(self._anchor)
            self.scroll_target_y = self.scroll_y
        finally:
            self._is_placing = False
        # An anchor that cannot be at the top, because too little is below it, means the end is in view.
        self._follows = self._follows or self.scroll_offset.y >= self.max_scroll_y
        self._tell_unseen()
        self.refresh()

    def _tell_unseen(self) -> None:
        last = self._last_visible()
        while self._unseen and self._unseen[0] <= last:
            self._unseen.popleft()
        if len(self._unseen) != self._told:
            self._told = len(self._unseen)
            self.post_message(self.UnseenChanged(self, self._told))

    def _last_visible(self) -> int:
        if not len(self._model):
            return -1
        return self._model.locate(self.scroll_offset.y + self._view.height - 1)[0]

    # Selection

    def _select_first(self, indexes: range) -> bool:
        for index in indexes:
            if isinstance(self._model.entry(index), MessageEntry):
                self._select(index)
                return True
        return False

    def _select(self, index: int | None) -> None:
        for changed in (self._selected, index):
            if changed is not None:
                self._strips.pop(changed, None)
        self._selected = index
        self.post_message(self.Selected(self, self.selected))
        self.refresh()
        if index is not None and self._view:
            self._bring_into_view(index)

    def _bring_into_view(self, index: int) -> None:
        self._model.settle(index, self._view.height)
        self._place()
        first = self._model.row_of(index)
        last = first + self._model.measure(index) - self._view.height
        if first < self.scroll_offset.y:
            self.scroll_to(y=first)
        elif last > self.scroll_offset.y:
            self.scroll_to(y=min(first, last))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text the mouse has selected, without the line breaks of wrapping."""
        if not len(self._model):
            return None
        span = Span.of(
            selection,
            Place(self._model.locate(self.scroll_offset.y)[0], 0),
            Place(self._last_visible() + 1, 0),
        )
        return selected_text(self._model, span), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what the mouse has selected."""
        del selection
        self._strips.clear()
        self.refresh()

    # Drawing

    def notify_style_update(self) -> None:
        """Draw anew in other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """Draw a row of the viewport."""
        row = self.scroll_offset.y + y
        if row >= self._model.height:
            return Strip.blank(self._model.columns.width, self._style("chat-log--text"))
        index, offset = self._model.locate(row)
        rows = self._strips.get(index)
        if rows is None:
            if len(self._strips) >= _STRIPS:
                self._strips.clear()
            rows = self._strips[index] = {}
        if offset not in rows:
            rows[offset] = self._draw(index, offset)
        return rows[offset]

    def _draw(self, index: int, offset: int) -> Strip:
        selection = self.text_selection
        mark, mark_style = None, None
        if selection is not None:
            line = offset - len(self._model.layout(index).head)
            mark = selection.get_span(Place(index, max(0, line)).number)
            mark_style = self.screen.get_component_rich_style("screen--selection")
        row = Row(index, offset, selected=index == self._selected, mark=mark, mark_style=mark_style)
        return draw(self._model, row, self._style)

    def _style(self, component: str) -> Style:
        return self.get_component_rich_style(component)

    def _forget_marker(self) -> None:
        if self._model.marker is not None:
            self._strips.pop(self._model.marker, None)
