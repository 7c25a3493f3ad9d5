"""What a run begins with, whatever its face."""

from dataclasses import dataclass, field

__all__ = ["HostAt", "JoinTarget", "TalkTo"]


@dataclass(frozen=True, slots=True)
class HostAt:
    """Listen at ``bind`` (``ADDRESS[:PORT]``; None is what the configuration says)."""

    bind: str | None = None
    invited_only: bool = False
    """Whether to answer nobody but known contacts and those who bring an invite."""


@dataclass(frozen=True, slots=True)
class JoinTarget:
    """Join an address, a contact, or the host of an invite; ``new`` admits a stranger at a pinned address."""

    target: str = field(repr=False)
    new: bool = False
    verify_key: str | None = None
    """The fingerprint of the changed key to compare codes with there; nothing else may pass."""


@dataclass(frozen=True, slots=True)
class TalkTo:
    """Listen for a contact and call it, until one of the two stands, and again after every cut."""

    name: str
    bind: str | None = None
    """Where to listen (``ADDRESS[:PORT]``; None is what the configuration says)."""
