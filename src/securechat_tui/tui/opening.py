"""What the screen begins with: the values the command line hands to the app."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from securechat_tui.chat.openings import HostAt, JoinTarget, TalkTo

__all__ = ["HostAt", "JoinTarget", "Opening", "Practice", "PracticeControl", "StartScreen", "TalkTo"]


class PracticeControl(Protocol):
    """The strings of a practice peer: a real peer in the same process, over loopback."""

    async def alarm(self) -> None:
        """Let the practice peer leave and stand at the same address with a different key."""

    async def restore(self) -> None:
        """Put the practice peer's first key back, so that it can be joined again."""


class StartScreen(msgspec.Struct, frozen=True):
    """Ask what to do. ``alone`` runs the demo once the app has gone; without it the choice is not offered."""

    alone: Callable[[], int] | None = None


class Practice(msgspec.Struct, frozen=True):
    """Join the practice peer at ``target``; ``/alarm`` can show a key change."""

    target: str
    control: PracticeControl


Opening = StartScreen | HostAt | JoinTarget | TalkTo | Practice
