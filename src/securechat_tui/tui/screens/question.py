"""A question that comes over whatever somebody is typing."""

from collections.abc import Callable
from typing import TypeVar

from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.timer import Timer

from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE, TypingPause
from securechat_tui.tui.screens.scrolling import ScrollingScreen

__all__ = ["QuestionScreen"]

_Answer = TypeVar("_Answer")


class QuestionScreen(ScrollingScreen[_Answer]):
    """Takes keys once there was a pause in the typing. Its frame is one child, a ``Vertical``."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._pause = TypingPause(clock)
        self._quiet: Timer | None = None

    def on_mount(self) -> None:
        """What is typed counts from when this can be seen."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self._pause.begin()
        self._quiet = self.set_timer(SECONDS_TO_PAUSE, self._say_ready)

    def on_key(self, event: Key) -> None:
        """Drop what was meant for the composer: the rest of a sentence must answer nothing."""
        if not self._pause.is_over():
            event.stop()
            event.prevent_default()
            if self._quiet is not None:
                self._quiet.reset()

    @property
    def is_ready(self) -> bool:
        """Whether it says that keys count now."""
        return bool(self.query(Vertical).first().border_subtitle)

    def _say_ready(self) -> None:
        self.query(Vertical).first().border_subtitle = Content("Enter chooses")
