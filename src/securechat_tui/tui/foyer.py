"""Where the start screen stands while the engine is still being loaded."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from securechat_tui.chat.preferences import Preferences

if TYPE_CHECKING:
    from securechat_tui.tui.port import ScreenPort

__all__ = ["Foyer"]


class Foyer(msgspec.Struct, frozen=True):
    """Whose profile it is, as far as that can be told at once, and how to come by the engine.

    ``enter`` may be called more than once: there is one engine. What it raises ends the app, and is told
    by whoever has made the engine.
    """

    name: str
    preferences: Preferences
    enter: "Callable[[], Awaitable[ScreenPort]]"
