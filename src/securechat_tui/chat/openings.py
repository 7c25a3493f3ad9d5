"""What a run begins with, whatever its face."""

import msgspec

__all__ = ["HostAt", "JoinTarget", "TalkTo"]


class HostAt(msgspec.Struct, frozen=True):
    """Listen at ``bind`` (``ADDRESS[:PORT]``; None is what the configuration says)."""

    bind: str | None = None
    invited_only: bool = False
    """Whether to answer nobody but known contacts and those who bring an invite."""


class JoinTarget(msgspec.Struct, frozen=True):
    """Join an address, a contact, or the host of an invite; ``new`` admits a stranger at a pinned address."""

    target: str
    new: bool = False
    verify_key: str | None = None
    """The fingerprint of the changed key to compare codes with there; nothing else may pass."""

    def __repr__(self) -> str:
        """Without the target: an invite is a secret."""
        return f"JoinTarget(new={self.new!r}, verify_key={self.verify_key!r})"


class TalkTo(msgspec.Struct, frozen=True):
    """Listen for a contact and call it, until one of the two stands, and again after every cut."""

    name: str
    bind: str | None = None
    """Where to listen (``ADDRESS[:PORT]``; None is what the configuration says)."""
