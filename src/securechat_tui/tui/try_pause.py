"""The pauses after wrong passphrases, which a person is told while they run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from textual.screen import Screen
from textual.timer import Timer

from securechat_tui.chat.passphrases import pause_after

__all__ = ["Tries", "TryPause"]


@dataclass(slots=True)
class Tries:
    """How often a passphrase was wrong: kept by whoever outlives the screen, so that leaving helps nobody."""

    failures: int = 0
    left: int = 0
    """Seconds of the pause that are not over yet."""


class TryPause:
    """Counts a pause down on a screen: ``say`` is told each second, ``over`` is called at its end."""

    def __init__(
        self, screen: Screen[Any], tries: Tries, say: Callable[[str], None], over: Callable[[], None]
    ) -> None:
        self._screen = screen
        self._tries = tries
        self._say = say
        self._over = over
        self._complaint = ""
        self._timer: Timer | None = None

    def begin(self, complaint: str) -> None:
        """Take nothing for a while, longer each time."""
        self._tries.failures += 1
        self._tries.left = round(pause_after(self._tries.failures))
        self.go_on(complaint)

    def go_on(self, complaint: str) -> None:
        """Count down what is left of a pause."""
        self._complaint = complaint
        self._timer = self._screen.set_interval(1.0, self._count_down)
        self._say_how_long()

    def _count_down(self) -> None:
        self._tries.left -= 1
        if self._tries.left > 0:
            self._say_how_long()
            return
        if self._timer is not None:
            self._timer.stop()
        self._say(self._complaint)
        self._over()

    def _say_how_long(self) -> None:
        self._say(f"{self._complaint} The next try is possible in {self._tries.left} s.")
