"""What is kept of a conversation, as pages that come into its log and leave it again.

A log holds one stretch of a conversation: a few pages around what is in view. More comes at either end
when it is near, and what is far away goes. Where the stretch reaches the newest message, what comes is put
behind it; where it does not, it is on disk alone until the stretch is there again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import History
from securechat_tui.tui.port import ScreenPort
from securechat_tui.tui.widgets.log_entries import Entry, MessageEntry, Tick
from securechat_tui.tui.widgets.log_pages import Beyond
from securechat_tui.tui.widgets.log_search import pattern_of

if TYPE_CHECKING:
    from securechat_tui.tui.panes import Pane

__all__ = ["HELD", "NOTHING_OLDER", "OLDER", "PAGE", "Scrollback"]

PAGE: Final = 200
"""Messages that are loaded together."""
HELD: Final = 2000
"""Entries that a log is let have, and less than a chunk more."""
_LOOSE: Final = 1000
"""Notices outside of the log that are remembered, the latest ones."""
_HITS: Final = 100
"""Hits of a search that are asked for together."""
OLDER: Final = "older messages"
NOTHING_OLDER: Final = "nothing older is kept"
_END: Final = 2**63 - 1
"""Above every row."""


class Scrollback:
    """The stretch of one conversation that its log holds. Rows tell messages apart: none is there twice."""

    def __init__(self, engine: ScreenPort, pane: "Pane", conversation: str) -> None:
        self._engine = engine
        self._pane = pane
        self._log = pane.log
        self._conversation = conversation
        self._rows: set[int] = set()
        """The rows of the messages in the log."""
        self._oldest = _END
        """Of what is kept the log has all from this row on, up to ``_newest``."""
        self._newest = 0
        self._told = 0
        """The highest row that was told, or was on a page."""
        self._loose: list[tuple[int, Entry]] = []
        """What has no row and is not in the log, each with the row that it comes after."""
        self._coming: list[Entry] | None = None
        """What has come since a page was asked for behind which it may belong."""
        self._reading = asyncio.Lock()
        self._cuts = 0
        """Counts how often the log was emptied: a page that was asked for before comes too late."""
        self._is_complete = False
        """Whether nothing older is kept than what the log holds."""
        self._is_at_end = True
        """Whether nothing newer is kept than what the log holds."""
        self.is_begun = False
        """Whether the first page has been asked for."""
        self.is_ready = False
        """Whether the first page has come."""

    # What comes.

    def takes(self, row: int) -> bool:
        """Whether a message that comes as an event is not in the log yet; 0 where nothing is kept of it."""
        self._told = max(self._told, row)
        return row not in self._rows

    def put(self, entries: Sequence[Entry]) -> None:
        """Show what has come, where the log reaches to the end."""
        if self._coming is not None:
            self._coming += entries
        elif self._is_at_end:
            self._log.extend(entries)
            self._hold(entries)
            self._trim()
        else:
            self._log.miss(entries)
            self._let_go(entries, self._told)

    def update_tick(self, entry_id: str, tick: Tick) -> None:
        """Change the tick of one's own message, wherever it is held."""
        if not self._log.update_tick(entry_id, tick):
            self._loose = [(row, _changed(entry, entry_id, tick=tick)) for row, entry in self._loose]
            self._change_coming(entry_id, tick=tick)

    def settle_row(self, entry_id: str, row: int) -> None:
        """One's own message, which has been shown without a row, is kept now."""
        if self._log.set_row(entry_id, row):
            self._rows.add(row)
        else:
            self._loose = [one for one in self._loose if not _is_called(one[1], entry_id)]
            self._change_coming(entry_id, row=row)

    def _change_coming(self, entry_id: str, **changes: object) -> None:
        if self._coming is not None:
            self._coming = [_changed(entry, entry_id, **changes) for entry in self._coming]

    def cut(self, *, wiped: bool) -> None:
        """The log was emptied: what is kept comes back when it is looked for, unless it was ``wiped``."""
        self._cuts += 1
        self._rows, self._loose = set(), []
        self._newest = self._told
        self._oldest = self._told + 1 if self._told else _END
        self._is_complete, self._is_at_end = wiped, True

    # What is looked for.

    async def begin(self, unread: int) -> None:
        """Load the last page, when the conversation comes to the screen for the first time."""
        if self.is_begun:
            return
        self.is_begun = True
        async with self._reading:
            await self._load_older()
        self.is_ready = True
        if unread:
            self._log.mark_unread(unread)

    async def load(self, beyond: Beyond) -> None:
        """Load what the log wants."""
        async with self._reading:
            match beyond:
                case Beyond.OLDER:
                    await self._load_older()
                case Beyond.NEWER:
                    await self._load_newer()
                case Beyond.OLDEST:
                    await self._turn_to(after=0)
                case Beyond.NEWEST:
                    await self._turn_to()
                    if self._is_at_end:
                        self._log.scroll_end()

    async def go_to(self, row: int) -> None:
        """Let the log hold a message: unless it does, the page around it takes the place of all others."""
        async with self._reading:
            if row not in self._rows:
                await self._turn_to(row, before=row + PAGE // 2)

    async def find(self, word: str, *, older: bool) -> int | None:
        """The row of the next hit beyond the log; past the last of all begin again at the other end.

        Raises CommandError.
        """
        row = await self._next_hit(word, self._oldest if older else self._newest, older=older)
        return row or await self._next_hit(word, _END if older else 0, older=older)

    async def _next_hit(self, word: str, edge: int, *, older: bool) -> int | None:
        """The row of the first message beyond ``edge`` that has the word as the log marks it."""
        pattern = pattern_of(word)
        while True:
            found = await self._engine.search(
                word,
                conversation=self._conversation,
                limit=_HITS,
                before=edge if older else None,
                after=None if older else edge,
            )
            hits = [one for each in found for one in each.messages][:: -1 if older else 1]
            row = next((one.row for one in hits if pattern.search(one.text)), None)
            if row is not None or len(hits) < _HITS:
                return row
            edge = hits[-1].row

    # Pages.

    async def _load_older(self) -> None:
        page = None if self._is_complete else await self._read(before=self._oldest)
        if page is not None:
            self._is_complete = page.complete
            entries = self._woven(page, -1 if page.complete else None, self._oldest)
            self._log.prepend(entries, top=self._top(entries), more=not page.complete)
            self._hold(entries)
            self._trim()

    async def _load_newer(self) -> None:
        if self._is_at_end:
            return
        page, late = await self._read_aside(after=self._newest)
        if page is not None:
            self._is_at_end = page.complete
            entries = self._woven(page, self._newest, _END if page.complete else None)
            self._log.append_page(entries, more=not page.complete)
            self._hold(entries)
            self._trim()
        self.put(late)

    async def _turn_to(self, row: int = 0, *, before: int = _END, after: int | None = None) -> None:
        """Let a page take the place of all that the log holds, and show the message with a row of it."""
        told = self._told
        page, late = await self._read_aside(before=before, after=after)
        if page is not None:
            last = page.messages[-1].row if page.messages else 0
            self._is_complete = after is not None or page.complete
            self._is_at_end = before == _END or last >= told if after is None else page.complete
            self._replace(page, row)
        self.put(late)

    def _replace(self, page: History, row: int) -> None:
        self._let_go(self._log.let_everything_go(), self._told)
        self._oldest, self._newest = _END, 0
        low, high = -1 if self._is_complete else None, _END if self._is_at_end else None
        entries = self._woven(page, low, high)
        top, older, newer = self._top(entries), not self._is_complete, not self._is_at_end
        self._log.turn_to(entries, at=row, top=top, older=older, newer=newer)
        self._hold(entries)

    async def _read(self, *, before: int = _END, after: int | None = None) -> History | None:
        """Ask for a page; None where it cannot be read, which is said, or comes too late."""
        cuts, place = self._cuts, self._conversation
        highest = None if before == _END else before
        try:
            page = await self._engine.history(place, limit=PAGE, before=highest, after=after)
        except CommandError as error:
            self._pane.narrator.notice(str(error))
            return None
        return page if cuts == self._cuts else None

    async def _read_aside(
        self, *, before: int = _END, after: int | None = None
    ) -> tuple[History | None, list[Entry]]:
        """Ask for a page behind which belongs what comes meanwhile: that is held back, and told with it."""
        self._coming, page = [], None
        try:
            page = await self._read(before=before, after=after)
        finally:
            coming, self._coming = self._coming or [], None
            rows = {one.row for one in page.messages} if page is not None else set()
            late = [one for one in coming if one.row not in rows]
            if page is None:
                self.put(late)
        self._log.miss([one for one in coming if one.row in rows])
        return page, late if page is not None else []

    def _woven(self, page: History, low: int | None, high: int | None) -> list[Entry]:
        """What of a page is not in the log, with what is loose between it.

        That is what comes after the rows from ``low`` on (or the page's first), and before ``high`` (or its
        last).
        """
        messages = [one for one in page.messages if one.row not in self._rows]
        fresh = self._pane.narrator.entries_of(self._conversation, messages)
        rows = [one.row for one in fresh]
        low = low if low is not None else rows[0] if rows else _END
        high = high if high is not None else rows[-1] if rows else 0
        between = [one for one in self._loose if low <= one[0] < high]
        self._loose = [one for one in self._loose if not low <= one[0] < high]
        return [entry for _, entry in sorted([*zip(rows, fresh, strict=True), *between], key=itemgetter(0))]

    def _top(self, entries: Sequence[Entry]) -> str:
        """What stands above the first message; nothing in a conversation that has just begun."""
        if not self._is_complete:
            return OLDER
        return NOTHING_OLDER if entries or self._log.top else ""

    # What the log holds.

    def _hold(self, entries: Iterable[Entry]) -> None:
        rows = {entry.row for entry in entries if entry.row}
        self._rows |= rows
        self._oldest = min({self._oldest, *rows})
        self._newest = max({self._newest, *rows})
        self._told = max(self._told, self._newest)

    def _trim(self) -> None:
        """Let the log drop what is far from the view, where it has too much."""
        above, below = self._log.let_go(HELD, top=OLDER)
        if above:
            self._let_go(above, min(self._rows, default=0) - 1)
            self._oldest = max((entry.row for entry in above if entry.row), default=self._oldest - 1) + 1
            self._is_complete = False
        if below:
            self._let_go(below, max(self._rows, default=0))
            self._newest = min((entry.row for entry in below if entry.row), default=self._newest + 1) - 1
            self._is_at_end = False

    def _let_go(self, entries: Sequence[Entry], after: int) -> None:
        """Remember what has no row; ``after`` is the row that it comes after where no entry tells."""
        rows = [entry.row for entry in entries if entry.row]
        after = rows[0] - 1 if rows else after
        for entry in entries:
            after = entry.row or after
            if not entry.row:
                self._loose.append((after, entry))
        self._rows.difference_update(rows)
        self._loose = sorted(self._loose, key=lambda one: (one[0], one[1].time))[-_LOOSE:]


def _is_called(entry: Entry, entry_id: str) -> bool:
    return isinstance(entry, MessageEntry) and entry.id == entry_id


def _changed(entry: Entry, entry_id: str, **changes: object) -> Entry:
    return replace(entry, **changes) if _is_called(entry, entry_id) else entry  # type: ignore[arg-type]
