"""What a run without a screen begins with."""

from dataclasses import dataclass

from securechat_tui.chat.openings import HostAt, JoinTarget, TalkTo

__all__ = ["HostAt", "JoinTarget", "Opening", "Stay", "TalkTo"]


@dataclass(frozen=True, slots=True)
class Stay:
    """Do nothing until a command says what."""


Opening = HostAt | JoinTarget | TalkTo | Stay
