"""A text as somebody has typed it: it has no number yet."""

from dataclasses import dataclass, field

__all__ = ["Typed"]


@dataclass(frozen=True, slots=True)
class Typed:
    """What is to be sent; ``ref`` comes back with its events."""

    text: str = field(repr=False)
    ref: str | None
    signed: bool
    """Whether its author vouches for it, and not the session alone."""
