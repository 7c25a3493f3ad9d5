"""What came and went, for a person to look at: kept in memory, as long as the program runs."""

import time
from dataclasses import dataclass, field
from typing import Final, Literal

from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.views import ConnectionView
from securechat_tui.network.clock import now
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.payloads import GoodbyeReason
from securechat_tui.protocol.text import SafeText

__all__ = ["ConnectionLog"]

_KEPT: Final = 200

_ENDS: Final = {
    End.BUSY: "was busy",
    End.VERSION: "no common version",
    End.SELF: "it was yourself",
    End.HANDSHAKE: "no handshake",
    End.VIOLATION: "broke the rules",
    End.LOST: "cut",
}
_GOODBYES: Final = {
    GoodbyeReason.LEAVING.name: "goodbye",
    GoodbyeReason.REJECTED.name: "a message was refused",
    GoodbyeReason.REPLACED.name: "replaced by another connection",
    GoodbyeReason.GATED.name: "stopped until a person decides",
}


@dataclass(slots=True, eq=False)
class _Entry:
    direction: Literal["in", "out"]
    address: str
    who: SafeText = field(default_factory=lambda: SafeText.line(""))
    began: float = field(default_factory=time.time)
    since: float = field(default_factory=lambda: now().monotonic)
    until: float | None = None
    outcome: str = ""

    def view(self) -> ConnectionView:
        duration = (now().monotonic if self.until is None else self.until) - self.since
        return ConnectionView(
            self.began, self.direction, self.address, self.who, self.outcome, max(0.0, duration)
        )


class ConnectionLog:
    """The last connections and attempts, oldest first."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._open: dict[Encounter, _Entry] = {}

    def views(self) -> tuple[ConnectionView, ...]:
        """Describe them, oldest first."""
        return tuple(entry.view() for entry in self._entries)

    def begin(self, encounter: Encounter) -> None:
        """A caller is at the door, or somebody is being called."""
        direction: Literal["in", "out"] = "in" if encounter.dialled is None else "out"
        entry = self._open[encounter] = _Entry(direction, encounter.address)
        self._entries.append(entry)
        if len(self._entries) > _KEPT:
            self._entries.remove(self._least())

    def _least(self) -> _Entry:
        """Choose which one goes: callers of whom nothing came must not push out the others."""
        nobodies = (one for one in self._entries if one.until is not None and not one.who)
        return next(nobodies, self._entries[0])

    def name(self, encounter: Encounter, who: SafeText) -> None:
        """It is known who is at the other end."""
        entry = self._open.get(encounter)
        if entry is not None:
            entry.who = who

    def end(self, encounter: Encounter, outcome: str | Ended) -> None:
        """It is over; the first word about the end stays."""
        entry = self._open.pop(encounter, None)
        if entry is not None:
            entry.until = now().monotonic
            entry.outcome = outcome if isinstance(outcome, str) else _in_words(outcome)


def _in_words(end: Ended) -> str:
    if end.how in {End.GOODBYE, End.LEFT}:
        by = "" if end.how is End.LEFT else " by the other side"
        return f"{_GOODBYES[end.detail]}{by}" if end.detail in _GOODBYES else "turned away"
    return _ENDS[end.how]
