"""A message as the history keeps it, and the verdict that belongs to it."""

from dataclasses import dataclass
from typing import Literal

from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.states import Trust

__all__ = ["Checks", "Kept", "KeptTick"]


@dataclass(frozen=True, slots=True)
class Checks:
    """The verdict on a received message, as it was at the moment of receipt."""

    intact: bool
    in_order: bool
    fresh: bool
    signed: bool


KeptTick = Literal["", "queued", "delivered", "cancelled"]
"""How far one's own kept message has come; empty for a received one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message as the history keeps it; times are Unix seconds.

    Of a received one, ``checks`` and ``trust`` are the verdict of the moment of receipt; of one's own,
    ``checks.signed`` says whether it is on the record.
    """

    row: int
    """Its place in the conversation, counted from 1: the order in which messages were shown."""
    by: Literal["me", "peer"]
    number: int
    text: SafeText
    author: str
    """The fingerprint of whose key it is from."""
    name: SafeText
    """What the author was called at that time."""
    claimed: float
    time: float
    """When it was received here, or queued."""
    age: float
    late: bool
    checks: Checks
    trust: Trust
    tick: KeptTick = ""
