"""What a harness is, and what one input may cost."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from securechat_tui.chat.items import Items

__all__ = ["BYTES", "SECONDS", "Harness", "refused", "state_of"]

T = TypeVar("T")

SECONDS: Final = 0.050
"""Processor time that one input may take."""
BYTES: Final = 64 * 1024 * 1024
"""Memory that one input may have allocated at once."""


@dataclass(frozen=True, slots=True)
class Harness:
    """A parser with what must hold for it, whatever the bytes.

    ``check`` runs one input, tells whether the parser accepted it, and raises where an invariant is
    broken or an error of an undeclared kind comes out. ``seeds`` makes the inputs to start from, at
    least one of which is accepted. Longer inputs than ``longest`` bytes are not tried.
    """

    name: str
    check: Callable[[bytes], bool]
    seeds: Callable[[], Iterable[bytes]]
    longest: int
    seconds: float = SECONDS


def refused(parse: Callable[[], T], *declared: type[Exception]) -> T | None:
    """Return what ``parse`` returns, or None where it raises one of its declared errors."""
    try:
        return parse()
    except declared:
        return None


def state_of(thing: object) -> dict[str, object]:
    """Return a copy of an object's attributes, of those too that grow in place."""
    return {name: _copy(value) for name, value in vars(thing).items()}


def _copy(value: object) -> object:
    if isinstance(value, Items):
        return state_of(value)
    return bytes(value) if isinstance(value, bytearray) else value
