"""The chat log: one widget for any number of messages, which can be selected and found."""

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Final

from textual.message import Message
from textual.selection import Selection

from securechat_tui.tui.widgets.log_drawing import Place
from securechat_tui.tui.widgets.log_entries import Entry, MessageEntry, NoticeEntry, Tick, is_received
from securechat_tui.tui.widgets.log_model import Anchor
from securechat_tui.tui.widgets.log_pages import LogPages
from securechat_tui.tui.widgets.log_search import LogSearch
from securechat_tui.tui.widgets.log_selection import Span, selected_text

__all__ = ["ChatLog", "Entry", "MessageEntry", "NoticeEntry", "Tick"]

_FRAME: Final = 1 / 60


class ChatLog(LogPages, can_focus=True):
    """Messages, notices, day rules and the marker of what is unread."""

    class UnseenChanged(Message):
        """``count`` messages and notices have come that are still below the viewport."""

        def __init__(self, log: "ChatLog", count: int) -> None:
            super().__init__()
            self.log_view = log
            self.count = count

        @property
        def control(self) -> "ChatLog":
            """The log."""
            return self.log_view

    class Found(Message):
        """A search has come to know more, or gone to another hit."""

        def __init__(self, log: "ChatLog", rank: int | None, count: int, *, done: bool) -> None:
            super().__init__()
            self.log_view = log
            self.rank = rank
            self.count = count
            self.done = done

    class EndReached(Message):
        """The newest entry is in view again."""

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

    def _reset(self) -> None:
        """Begin with an empty log."""
        super()._reset()
        self._unseen: deque[int] = deque()
        self._missed = 0
        """Those that are unseen and that the log does not hold."""
        self._told = 0
        self._was_at_end = True
        self._seeks = False
        """Whether to go to the newest hit when the search comes upon it."""

    # What the app calls

    @property
    def unseen(self) -> int:
        """Messages received, and notices, that are still below the viewport."""
        return len(self._unseen) + self._missed

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
            if not self._follows and not _is_own(entry):
                self._unseen.append(self._model.stop)
            if self._search is not None:
                self._search.take(self._model.stop, entry.text)
            self._model.append(entry)
        self._tell_found()
        self._schedule()

    def miss(self, entries: Iterable[Entry]) -> None:
        """Take note of entries that have come and lie behind what the log holds."""
        for entry in entries:
            self._missed += not _is_own(entry)
            if is_received(entry):
                self._model.marker.received(None, entry.row)
        self._schedule()

    def append_page(self, entries: Sequence[Entry], *, more: bool) -> None:
        """Put entries behind the last one that were told before; a search is made anew."""
        super().append_page(entries, more=more)
        self._look_anew()
        if not more:
            self._find_missed()

    def turn_to(self, entries: Sequence[Entry], *, at: int, top: str, older: bool, newer: bool) -> None:
        """Hold other entries; where to look in them has been said, so that no hit is gone to."""
        self._seeks = False
        super().turn_to(entries, at=at, top=top, older=older, newer=newer)
        if not newer:
            self._find_missed()

    def _find_missed(self) -> None:
        """The end of the log is that of the conversation again: what was missed is the last of it."""
        if self._missed:
            below = self._unseen[-1] if self._unseen else self._model.first - 1
            places = range(self._model.stop - 1, below, -1)
            others = (at for at in places if not _is_own(self._model.entry(at)))
            self._unseen.extend(reversed([*islice(others, self._missed)]))
            self._missed = 0

    def _have_gone(self) -> None:
        """Take what is unseen, selected or found out of what is known of the log."""
        while self._unseen and self._unseen[-1] >= self._model.stop:
            self._unseen.pop()
            self._missed += 1
        if self._selected is not None and not self._model.first <= self._selected < self._model.stop:
            self._selected = None
            self.post_message(self.Selected(self, None))
        super()._have_gone()
        self._look_anew()

    def update_tick(self, entry_id: str, state: Tick) -> bool:
        """Change the tick of one's own message; False where there is none, or it was delivered before."""
        index = self._model.update_tick(entry_id, state)
        if index is None:
            return False
        self._strips.pop(index, None)
        self._schedule()
        return True

    def set_row(self, entry_id: str, row: int) -> bool:
        """Let one's own message, which had none, have a row of what is kept; False where there is none."""
        return self._model.set_row(entry_id, row)

    def set_unread_marker(self) -> None:
        """Everything so far is read: the marker goes above the next message that is received."""
        self._model.set_marker()
        self._schedule()

    def mark_unread(self, count: int) -> None:
        """Set the marker above the last messages received, so many of them, and begin to read there."""
        self._model.mark_unread(count)
        if not self.has_older:
            self._model.marker.find_no_more()
        self.show_marker()

    def show_marker(self) -> None:
        """Go to the marker, where there is one."""
        if self._model.marker.place is not None:
            # Where all of them fit on the screen, it follows: such an anchor cannot be at the top.
            self._follows, self._anchor = False, Anchor(self._model.marker.place, 0, 0)
            self._was_at_end = False
        self._schedule()

    def clear_unread_marker(self) -> None:
        """Take the marker away."""
        self._model.clear_marker()
        self._schedule()

    def clear(self) -> None:
        """Remove everything."""
        was_selected, was_scheduled = self._selected, self._is_scheduled
        told, word = self._told, self._search.word if self._search else ""
        self._reset()
        self.find(word)
        self._told, self._is_scheduled = told, was_scheduled
        if was_selected is not None:
            self.post_message(self.Selected(self, None))
        self._schedule()

    @property
    def top(self) -> str:
        """What stands above the first entry."""
        return self._model.top

    def go_to(self, row: int) -> bool:
        """Select the message with a row of what is kept, and show it; False where the log has it not."""
        place = self._model.place_of(row)
        if place is None:
            return False
        self._select(place)
        return True

    def select_previous(self) -> None:
        """Select the message above, or the last one in view."""
        start = self._last_visible() + 1 if self._selected is None else self._selected
        self._select_first(range(start - 1, self._model.first - 1, -1))

    def select_next(self) -> None:
        """Select the message below; past the last one, none."""
        if self._selected is not None and not self._select_first(range(self._selected + 1, self._model.stop)):
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

    def prepend(self, entries: Sequence[Entry], *, top: str, more: bool) -> None:
        """Put entries before the first one; a search goes on into them.

        The marker rises into them where what is unread begins there, and with it who has not left it yet.
        """
        marker = self._model.marker.place
        stands_there = marker is not None and not self._follows and self._anchor == Anchor(marker, 0, 0)
        super().prepend(entries, top=top, more=more)
        if not more:
            self._model.marker.find_no_more()
        if stands_there and self._model.marker.place != marker:
            self.show_marker()
        if self._search is not None:
            self._look_on(self._search)

    def notices(self) -> list[Entry]:
        """The notices in the log."""
        entries = map(self._model.entry, range(self._model.first, self._model.stop))
        return [entry for entry in entries if isinstance(entry, NoticeEntry)]

    def is_last_hit(self, *, older: bool) -> bool:
        """Whether a search has looked through everything, and no hit is left that is older, or newer."""
        search = self._search
        return search is not None and search.is_done and not search.has_more(older=older)

    @property
    def may_find_more(self) -> bool:
        """Whether there could be hits in what the log does not hold."""
        is_exhausted = self._search is not None and self._search.is_exhausted
        return (self.has_older or self.has_newer) and not is_exhausted

    def find(self, word: str) -> None:
        """Mark every hit of ``word``, in upper or lower case, and go to the newest; an empty one ends it."""
        if self._search is not None and self._search.word == word:
            self._tell_found()
            return
        self._search, self._seeks = LogSearch(word, self._model) if word else None, True
        self._strips.clear()
        self.refresh()
        if self._search is not None:
            self._look_on(self._search)

    def find_next(self, *, older: bool) -> None:
        """Go to the next hit."""
        index = self._search.step(older=older) if self._search else None
        if index is not None:
            self._show_hit(index)
        self._tell_found()

    def find_at(self, row: int) -> None:
        """Go to the hit that is the message with a row."""
        index = self._model.place_of(row)
        if index is not None and self._search is not None:
            self._search.current, self._seeks = index, False
            self._show_hit(index)
        self._tell_found()

    def find_no_more(self) -> None:
        """Take note that what the log does not hold has no hit."""
        if self._search is not None:
            self._search.is_exhausted = True
        self._tell_found()

    def _show_hit(self, index: int) -> None:
        if self._search is not None:
            text = self._model.layout(index).text
            self._strips.clear()
            self.refresh()
            self._bring_into_view(index, self._search.place(text))

    def _look_anew(self) -> None:
        """Look through a log that is another one now; the hit one was at stays that, if it is held."""
        if self._search is not None:
            self._search = self._search.again()
            self._look_on(self._search)

    def _look_on(self, search: LogSearch) -> None:
        """Look through a part of the log in each frame, so that keys and drawing have their turn."""
        if search is not self._search:
            return
        search.advance()
        if not search.is_done:
            self.set_timer(_FRAME, partial(self._look_on, search))
        if len(search) and self._seeks:
            self._seeks = False
            self.find_next(older=True)
        else:
            self._tell_found()

    def _tell_found(self) -> None:
        search = self._search
        if search is not None:
            self.post_message(self.Found(self, search.rank, len(search), done=search.is_done))

    def _has_moved(self) -> None:
        """What has come into view is no longer unseen."""
        super()._has_moved()
        if self._follows and not self._was_at_end:
            self._tell(self.EndReached())
        self._was_at_end = self._follows
        last = self._last_visible()
        while self._unseen and self._unseen[0] <= last:
            self._unseen.popleft()
        if self.unseen != self._told:
            self._told = self.unseen
            self.post_message(self.UnseenChanged(self, self._told))

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


def _is_own(entry: Entry) -> bool:
    return isinstance(entry, MessageEntry) and entry.own
