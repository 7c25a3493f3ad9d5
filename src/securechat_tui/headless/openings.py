"""What a run without a screen begins with."""

from dataclasses import dataclass

__all__ = ["HostAt", "JoinTarget", "Opening", "Stay"]


@dataclass(frozen=True, slots=True)
class HostAt:
    """Listen on ``bind`` (``ADDRESS:PORT``) and stay when a guest has left.

    None stands for what the configuration says.
    """

    bind: str | None = None


@dataclass(frozen=True, slots=True)
class JoinTarget:
    """Join ``target``, an address or a contact's name; ``new`` admits a stranger at a pinned address."""

    target: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """Do nothing until a command says what."""


Opening = HostAt | JoinTarget | Stay
