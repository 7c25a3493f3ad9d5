"""The viewport of the chat log: what is measured, where it stands, and how it is drawn.

What is shown lives in a :class:`~securechat_tui.tui.widgets.log_model.LogModel`. Either the log
*follows*, and the newest row is at the bottom, or it is *anchored*: the place at the top stays there
whatever is appended, measured or wrapped anew.
"""

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.selection import Selection
from textual.strip import Strip
from textual.types import CallbackType
from textual.widget import Widget

from securechat_tui.tui.widgets.finished_rows import Frame, RowBar, is_plain
from securechat_tui.tui.widgets.log_drawing import COMPONENTS, Place, Row, draw
from securechat_tui.tui.widgets.log_model import Anchor, LogModel
from securechat_tui.tui.widgets.log_search import LogSearch

__all__ = ["LogViewport"]

_STRIPS: Final = 1024
"""Entries whose drawn rows are kept."""


class LogViewport(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a log; what is in it, selected or sought is set by its subclass."""

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
    LogViewport {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        background: $surface;
        color: $foreground;

        & > .chat-log--time { color: $text-muted; }
        & > .chat-log--own-nick { color: $text-secondary; text-style: bold; }
        & > .chat-log--text { color: $foreground; }
        & > .chat-log--notice { color: $text-muted; }
        & > .chat-log--rule { color: $text-muted; }
        & > .chat-log--unread { color: $text-accent; text-style: bold; }
        & > .chat-log--status { color: $text-muted; }
        & > .chat-log--warning { color: $text-warning; text-style: bold; }
        & > .chat-log--found { color: $text-accent; text-style: bold underline; }
        & > .chat-log--found-here { color: $text-accent; text-style: bold reverse; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._reset()

    def _reset(self) -> None:
        """Begin with an empty log."""
        self._model = LogModel()
        self._follows = True
        self._anchor = Anchor(0, 0, 0)
        self._selected: int | None = None
        self._strips: dict[int, dict[int, Strip]] = {}
        self._styles: dict[str, Style] = {}
        self._marked: tuple[int | None, str] = (None, "")
        """Where the marker of what is unread stands in those rows, and what it says there."""
        self._frame: Frame | None = None
        self._is_scheduled = False
        self._is_placing = False
        self._search: LogSearch | None = None
        self.has_newer = False
        """Whether there are entries behind the last one, which the log does not hold."""

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scrollbar, made where it is first asked for."""
        if self._vertical_scrollbar is None:
            bar = self._vertical_scrollbar = RowBar(name="vertical", thickness=self.scrollbar_size_vertical)
            bar.display = False
            self.app._start_widget(self, bar)  # noqa: SLF001 - as the property of Textual does
        return self._vertical_scrollbar

    @property
    def entry_count(self) -> int:
        """Messages and notices in the log."""
        return len(self._model)

    @property
    def follows(self) -> bool:
        """Whether the newest entry is in view, and will be when more comes."""
        return self._follows

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

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take up a new place where it was not the log itself that went there."""
        if self._is_placing:
            self.vertical_scrollbar.position = new_value
            return
        super().watch_scroll_y(old_value, new_value)
        if not len(self._model) or self._view.width != self._model.columns.width:
            return
        self._follows = round(new_value) >= self.max_scroll_y and not self.has_newer
        if not self._follows:
            self._anchor = self._model.anchor_at(round(new_value))
        self._settle()

    def _size_updated(
        self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True
    ) -> bool:
        """Wrap anew around the place that was at the top, before the new size is painted for the first time.

        The event that tells of a new size comes after that, and everything would be painted twice. Textual
        tells of every layout, mostly of none that concerns the log, and paints the scrollbar anew each time.
        """
        is_painted_anew = size != self.outer_size
        if not is_painted_anew and size - self.styles.gutter.totals == self.container_size:
            return False
        is_changed = super()._size_updated(size, virtual_size, container_size, layout)
        self._settle(draw=not is_painted_anew)
        return is_changed

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

    def _settle(self, *, draw: bool = True) -> None:
        """Measure what is in view and a page around it, and put the viewport where it belongs.

        ``draw`` is false where everything will be drawn anyway.
        """
        view = self._view
        if not view:
            return
        if self._model.resize(view.width):
            self._strips.clear()
        if len(self._model):
            # The way to the next page must be exact; from the bottom, what is in view lies before it.
            if self._follows:
                self._model.settle(self._model.stop - 1, view.height * 2)
            else:
                self._model.settle(self._anchor.entry, view.height + 1)
        self._place(draw=draw)

    def _place(self, *, draw: bool = True) -> None:
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
        self._follows = self._follows or (self.scroll_offset.y >= self.max_scroll_y and not self.has_newer)
        self._has_moved()
        if draw:
            self.refresh()

    def _has_moved(self) -> None:
        """Something else is in view, or below it."""

    def _last_visible(self) -> int:
        if not len(self._model):
            return -1
        return self._model.locate(self.scroll_offset.y + self._view.height - 1)[0]

    def _bring_into_view(self, index: int, character: int | None = None) -> None:
        """Show an entry as far as it fits; given a character of its text, the row with that."""
        if not self._view:  # a log that comes to the screen only now begins there
            self._follows, self._anchor = False, Anchor(index, 0, 0)
            return
        self._model.settle(index, self._view.height)
        self._place()
        first, rows = self._model.row_of(index), self._model.measure(index)
        if character is not None:
            first, rows = self._model.row_at(Anchor(index, -1, character)), 1
        last = first + rows - self._view.height
        if first < self.scroll_offset.y:
            self.scroll_to(y=first)
        elif last > self.scroll_offset.y:
            self.scroll_to(y=min(first, last))

    # Drawing

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what the mouse has selected."""
        del selection
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Draw anew in other colours."""
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the rows of a region, border and all: Textual draws what is around the rows of the log."""
        gutter, size = self.styles.gutter, self.outer_size
        rows = range(gutter.top, size.height - gutter.bottom)
        is_ready = rows and self._view.width == self._model.columns.width
        if not is_ready or crop.width != size.width or not is_plain(self):
            return super().render_lines(crop)
        head = super().render_lines(Region(0, 0, size.width, gutter.top + 1))
        foot = super().render_lines(Region(0, rows.stop, size.width, gutter.bottom)) if gutter.bottom else []
        frame = Frame.around(self, head.pop())
        if frame != self._frame:
            self._frame = frame
            self._strips.clear()
        self._forget_marker()
        inside = [self._finished(frame, y - rows.start) for y in rows if crop.y <= y < crop.bottom]
        below = slice(max(0, crop.y - rows.stop), max(0, crop.bottom - rows.stop))
        return [*head[crop.y : crop.bottom], *inside, *foot[below]]

    def render_line(self, y: int) -> Strip:
        """Draw a row of the viewport, as it is before the line filters."""
        width = self._model.columns.width
        row = self.scroll_offset.y + y
        if row >= self._model.height:
            return Strip.blank(width, self._style("chat-log--text"))
        return Strip(self._draw(*self._model.locate(row)), width)

    def _finished(self, frame: Frame, y: int) -> Strip:
        """A row of the viewport with what is beside it, as it goes to the terminal."""
        row = self.scroll_offset.y + y
        if row >= self._model.height:
            return frame.finish(list(self.render_line(y)), self._model.columns.width)
        index, offset = self._model.locate(row)
        rows = self._strips.get(index)
        if rows is None:
            if len(self._strips) >= _STRIPS:
                self._strips.clear()
            rows = self._strips[index] = {}
        if offset not in rows:
            rows[offset] = frame.finish(self._draw(index, offset), self._model.columns.width)
        return rows[offset]

    def _draw(self, index: int, offset: int) -> list[Segment]:
        selection = self.text_selection
        mark, mark_style = None, None
        if selection is not None:
            line = offset - len(self._model.layout(index).head)
            mark = selection.get_span(Place(index, max(0, line)).number)
            mark_style = self.screen.get_component_rich_style("screen--selection")
        row = Row(
            index,
            offset,
            selected=index == self._selected,
            mark=mark,
            mark_style=mark_style,
            search=self._search,
        )
        return draw(self._model, row, self._style)

    def _style(self, component: str) -> Style:
        style = self._styles.get(component)
        if style is None:
            style = self._styles[component] = self.get_component_rich_style(component)
        return style

    def _forget_marker(self) -> None:
        """Let what the marker stood above, and stands above now, be drawn anew if the marker is another."""
        marked = (self._model.marker.place, self._model.marker.words)
        if marked != self._marked:
            for place, _ in (self._marked, marked):
                if place is not None:
                    self._strips.pop(place, None)
            self._marked = marked
