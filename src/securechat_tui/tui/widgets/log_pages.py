"""The chat log as a stretch of something longer: what is added at either end, asked for, and let go.

What is far from the view is dropped again by whoever can bring it back, so that a log holds no more for a
longer conversation. Entries keep their places meanwhile, and with them the anchor, the marker and the
selection; what is dropped of these is given up.
"""

from collections.abc import Sequence
from enum import Enum

from textual.message import Message
from textual.types import CallbackType

from securechat_tui.tui.widgets.log_drawing import Place
from securechat_tui.tui.widgets.log_entries import Entry
from securechat_tui.tui.widgets.log_model import Anchor
from securechat_tui.tui.widgets.log_selection import Span
from securechat_tui.tui.widgets.log_store import CHUNK
from securechat_tui.tui.widgets.log_viewport import LogViewport

__all__ = ["Beyond", "LogPages"]


class Beyond(Enum):
    """What is wanted of the entries that a log does not hold."""

    OLDEST = "the first of all"
    OLDER = "those before the first one"
    NEWER = "those behind the last one"
    NEWEST = "the last of all"


class LogPages(LogViewport, can_focus=True, inherit_bindings=True):
    """Holds the entries near the view, and says when others will soon be in it."""

    class Wanted(Message):
        """Entries are wanted that the log does not hold."""

        def __init__(self, log: "LogViewport", beyond: Beyond) -> None:
            super().__init__()
            self.log_view = log
            self.beyond = beyond

        @property
        def control(self) -> "LogViewport":
            """The log."""
            return self.log_view

    def _reset(self) -> None:
        """Begin with an empty log."""
        super()._reset()
        self._wants_older = self._wants_newer = False
        self.has_older = False
        """Whether there are entries before the first one, which the log does not hold."""

    def prepend(self, entries: Sequence[Entry], *, top: str, more: bool) -> None:
        """Put entries before the first one; what is in view stays where it is.

        ``top`` is what stands above them. Where there is ``more``, that is wanted when they are near.
        """
        old = self._model.first
        # An anchor in the text stays; what stood above the first entry's text may be gone.
        is_above = bool(len(self._model)) and self._anchor.entry == old and self._anchor.head >= 0
        rows = len(self._model.layout(old).head) - self._anchor.head if is_above else 0
        self._model.prepend(entries)
        self._model.set_top(top)
        self._wants_older = self.has_older = more
        self._strips.pop(old, None)
        if is_above:
            self._anchor_above(old, rows)
        self._schedule()

    def append_page(self, entries: Sequence[Entry], *, more: bool) -> None:
        """Put entries behind the last one that were told before; what is in view stays where it is.

        Where there is ``more``, that is wanted when they are near.
        """
        if self._view and len(self._model):
            self._settle(draw=False)
            if not self._follows:  # too little was below for the anchor to be at the top
                self._anchor = self._model.anchor_at(self.scroll_offset.y)
        for entry in entries:
            self._model.append(entry, is_new=False)
        self._wants_newer = self.has_newer = more
        self._schedule()

    def turn_to(self, entries: Sequence[Entry], *, at: int, top: str, older: bool, newer: bool) -> None:
        """Hold these entries, after :meth:`let_everything_go`; show that with the row ``at``, or the first.

        ``top`` stands above them; there are ``older`` ones, or ``newer`` ones, that are wanted when near.
        """
        self.prepend(entries, top=top, more=older)
        place = self._model.place_of(at) if at else None
        self._follows, self._anchor = not entries, Anchor(self._model.first if place is None else place, 0, 0)
        self._wants_newer = self.has_newer = newer

    def let_go(self, most: int, *, top: str) -> tuple[list[Entry], list[Entry]]:
        """Drop chunks far from the view until ``most`` entries are left; return those above, those below.

        ``top`` is what stands above the first one from then on.
        """
        above: list[Entry] = []
        below: list[Entry] = []
        at = self._model.stop if self._follows else self._anchor.entry
        while len(self._model) >= most + CHUNK:
            if at - self._model.first > self._model.stop - at:
                above += self._model.drop_first()
            else:
                below = self._model.drop_last() + below
        if above:
            self._wants_older = self.has_older = True
            self._model.set_top(top)
        if below:
            self._wants_newer = self.has_newer = True
        if above or below:
            self._have_gone()
        return above, below

    def let_everything_go(self) -> list[Entry]:
        """Drop all entries, to turn to others; return them."""
        gone: list[Entry] = []
        while len(self._model):
            gone = self._model.drop_last() + gone
        self._have_gone()
        return gone

    def _have_gone(self) -> None:
        """Drop what was kept of entries that the log does not hold any more."""
        first, stop = self._model.first, self._model.stop
        self._strips = {at: rows for at, rows in self._strips.items() if first < at < stop}
        selection = self.text_selection
        if selection is not None and not Span.of(selection, Place(first, 0), Place(stop, 0)).is_within(
            first, stop
        ):
            self.screen.clear_selection()
        self._schedule()

    def set_top(self, words: str) -> None:
        """Say something else above the first entry."""
        self._model.set_top(words)
        self._strips.pop(self._model.first, None)
        self._schedule()

    def _anchor_above(self, index: int, rows: int) -> None:
        """Let the text of an entry be so many rows below the top of the viewport."""
        self._model.settle(index, rows + 1)
        self._anchor = self._model.anchor_at(max(0, self._model.row_at(Anchor(index, -1, 0)) - rows))

    def scroll_end(self, *, on_complete: CallbackType | None = None, **_options: object) -> None:
        """Scroll to the newest row at once, and follow from there on."""
        if self.has_newer:
            self.post_message(self.Wanted(self, Beyond.NEWEST))
        else:
            self._follows = True
            self._settle()
        if on_complete is not None:
            self.call_after_refresh(on_complete)

    def scroll_home(self, *, on_complete: CallbackType | None = None, **_options: object) -> None:
        """Scroll to the oldest row at once."""
        if self.has_older:
            self.post_message(self.Wanted(self, Beyond.OLDEST))
        else:
            self.scroll_to(y=0)
        if on_complete is not None:
            self.call_after_refresh(on_complete)

    def _has_moved(self) -> None:
        """Ask for what will soon be in view."""
        super()._has_moved()
        if self._wants_older and self.scroll_offset.y <= self._view.height:
            self._wants_older = False
            self._tell(self.Wanted(self, Beyond.OLDER))
        if self._wants_newer and self.max_scroll_y - self.scroll_offset.y <= self._view.height:
            self._wants_newer = False
            self._tell(self.Wanted(self, Beyond.NEWER))

    def _tell(self, message: Message) -> None:
        """Post a message of the log's own: one that is made while the screen is laid out would end there."""
        self.post_message(message.set_sender(self))
