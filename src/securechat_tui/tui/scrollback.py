"""What is kept of a conversation, brought into its log page by page."""

from typing import TYPE_CHECKING, Final

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import History, Kept
from securechat_tui.tui.port import ScreenPort

if TYPE_CHECKING:
    from securechat_tui.tui.panes import Pane

__all__ = ["NOTHING_OLDER", "OLDER", "Scrollback"]

PAGE: Final = 200
"""Messages that are loaded together."""
_LEAP: Final = 2000
"""Messages that are loaded together on the way to one that was found far up."""
OLDER: Final = "older messages"
NOTHING_OLDER: Final = "nothing older is kept"


class Scrollback:
    """The pages of one conversation that its log holds. Rows tell messages apart: none comes twice."""

    def __init__(self, engine: ScreenPort, pane: "Pane", conversation: str) -> None:
        self._engine = engine
        self._pane = pane
        self._conversation = conversation
        self._oldest: int | None = None
        """The row of the oldest message in the log."""
        self._newest = 0
        self._first_page: frozenset[int] = frozenset()
        """Rows of the page that was read last of all: their events may come after it."""
        self._is_loading = False
        self._reading = 0
        """Counts how often the log was emptied: a page that was asked for before comes too late."""
        self.is_begun = False
        """Whether the first page has been asked for."""
        self.is_ready = False
        """Whether the first page has come."""
        self.is_complete = False
        """Whether nothing older is kept than what the log holds."""

    def takes(self, row: int) -> bool:
        """Whether a message that comes as an event is not in the log yet; 0 where nothing is kept of it."""
        if row in self._first_page:
            return False
        if row:
            self._oldest = row if self._oldest is None else min(row, self._oldest)
            self._newest = max(row, self._newest)
        return True

    def is_above(self, row: int) -> bool:
        """Whether a message is older than those in the log."""
        return self._oldest is None or row < self._oldest

    async def begin(self, unread: int) -> None:
        """Load the last page, when the conversation comes to the screen for the first time."""
        if self.is_begun:
            return
        self.is_begun = True
        await self.load()
        self.is_ready = True
        if unread:
            self._pane.log.mark_unread(unread)

    async def load(self, limit: int = PAGE) -> None:
        """Load the page before what the log holds; a second call meanwhile does nothing."""
        if self._is_loading or self.is_complete:
            return
        self._is_loading, reading = True, self._reading
        try:
            page = await self._engine.history(self._conversation, limit=limit, before=self._oldest)
        except CommandError as error:
            self._pane.narrator.notice(str(error))
            return
        finally:
            self._is_loading = False
        if reading == self._reading:
            self._take(page)

    async def load_down_to(self, row: int) -> None:
        """Load page after page until a row is in the log."""
        while not self.is_complete and (self._oldest is None or self._oldest > row):
            before = self._oldest
            await self.load(PAGE if before is None else min(max(PAGE, before - row + PAGE // 2), _LEAP))
            if self._oldest == before:
                return

    def cut(self, *, wiped: bool) -> None:
        """The log was emptied: what is kept comes back when it is looked for, unless it was ``wiped``."""
        self._reading += 1
        self._first_page = frozenset()
        self._oldest = self._newest + 1 if self._newest else None
        self.is_complete = wiped

    def _take(self, page: History) -> None:
        fresh = [one for one in page.messages if self._oldest is None or one.row < self._oldest]
        if not self._first_page:
            self._first_page = frozenset(one.row for one in fresh)
        if fresh:
            self._oldest = fresh[0].row
            self._newest = max(self._newest, fresh[-1].row)
        self.is_complete = page.complete
        self._pane.narrator.tell_kept(page, fresh, top=self._top(fresh))

    def _top(self, fresh: list[Kept]) -> str:
        """What stands above the first message; nothing in a conversation that has just begun."""
        if not self.is_complete:
            return OLDER
        return NOTHING_OLDER if fresh or self._pane.log.top else ""
