"""Calling somebody back who looks elsewhere: the bell, and a number in the terminal's title.

Both are made of fixed texts and a number alone. Who wrote, and what, stays on the screen.
"""

from collections.abc import Callable, Sequence
from typing import Final

from securechat_tui.chat.events import Event, Message
from securechat_tui.chat.preferences import Notify

__all__ = ["NOTIFY", "RESET_TITLE", "Attention", "title_sequence"]

NOTIFY: Final[dict[Notify, str]] = {
    "off": "nothing calls you",
    "bell": "the bell",
    "title": "the number of new messages in the title",
    "all": "the bell, and the number of new messages in the title",
}
"""Every manner, and what it does."""
_TITLE: Final = "securechat-tui"
_MANY: Final = 99
_BELL_SECONDS: Final = 3.0
"""A burst rings once."""
_SAVE: Final = "\x1b[22;2t"
RESET_TITLE: Final = "\x1b]2;\x07\x1b[23;2t"
"""Takes the title back: an empty one, then the one from before where the terminal has kept it."""


def title_sequence(count: int) -> str:
    """The control sequence that shows ``count`` unseen messages in the title; without a number for none."""
    number = f"{count}" if count <= _MANY else f"{_MANY}+"
    return f"\x1b]2;{f'({number}) ' if count else ''}{_TITLE}\x07"


class Attention:
    """Counts what comes while the terminal has no focus. ``write`` takes control sequences."""

    def __init__(
        self, bell: Callable[[], None], write: Callable[[str], None], clock: Callable[[], float]
    ) -> None:
        self.manner: Notify = "all"
        self._bell = bell
        self._write = write
        self._clock = clock
        self.is_away = False
        """Whether the terminal has no focus."""
        self._count = 0
        self._next_bell = 0.0
        self.has_title = False
        """Whether the title is ours now, and has to be given back."""

    def look_away(self) -> None:
        """The terminal has lost the focus."""
        self.is_away = True
        self._count = 0

    def return_(self) -> None:
        """The terminal has the focus again."""
        self.is_away = False
        if self._count and self.has_title:
            self._write(title_sequence(0))
        self._count = 0

    def take(self, batch: Sequence[Event]) -> None:
        """Something has happened: call for the messages in it."""
        self.messages(sum(isinstance(event, Message) for event in batch))

    def messages(self, count: int) -> None:
        """So many messages have come."""
        if not self.is_away or not count:
            return
        self._count += count
        if self.manner in {"title", "all"}:
            self._show_count()
        if self.manner in {"bell", "all"} and self._clock() >= self._next_bell:
            self._next_bell = self._clock() + _BELL_SECONDS
            self._bell()

    def _show_count(self) -> None:
        if not self.has_title:
            self._write(_SAVE)
            self.has_title = True
        self._write(title_sequence(self._count))

    def finish(self) -> None:
        """Give the title back."""
        if self.has_title:
            self.has_title = False
            self._write(RESET_TITLE)
