"""What a run begins with, whatever its face."""

from dataclasses import dataclass

__all__ = ["HostAt", "JoinTarget"]


@dataclass(frozen=True, slots=True)
class HostAt:
    """Listen at ``bind`` (``ADDRESS[:PORT]``; None is what the configuration says)."""

    bind: str | None = None


@dataclass(frozen=True, slots=True)
class JoinTarget:
    """Join ``target``, an address or a contact's name; ``new`` admits a stranger at a pinned address."""

    target: str
    new: bool = False
