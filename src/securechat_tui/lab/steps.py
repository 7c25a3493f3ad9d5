"""What a message goes through, step by step, as the code that sends and receives it noted it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Field", "Step", "Trail", "laid_out"]


@dataclass(frozen=True, slots=True)
class Field:
    """A named part of bytes: from ``start`` to before ``end``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on one message; ``fields`` name the parts of ``output``."""

    name: str
    input: bytes = field(repr=False)
    output: bytes = field(repr=False)
    key: str
    """The name of the key that was used, never the key; empty where there is none."""
    protects: str
    """What the step is for, in words."""
    fields: tuple[Field, ...] = ()


def laid_out(*parts: tuple[str, int]) -> tuple[Field, ...]:
    """Return fields that follow each other, from their names and lengths in bytes."""
    fields: list[Field] = []
    start = 0
    for name, length in parts:
        fields.append(Field(name, start, start + length))
        start += length
    return tuple(fields)


class Trail:
    """The steps of the message that is on its way through one peer."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def note(
        self,
        name: str,
        taken: bytes,
        made: bytes,
        *,
        key: str = "",
        protects: str = "",
        fields: Iterable[Field] = (),
    ) -> bytes:
        """Note a step and return what it made."""
        self._steps.append(Step(name, taken, made, key, protects, tuple(fields)))
        return made

    def end(self) -> tuple[Step, ...]:
        """Return what was noted since the last end."""
        steps, self._steps = tuple(self._steps), []
        return steps
