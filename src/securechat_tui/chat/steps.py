"""What a message goes through, step by step, as the code that sends and receives it noted it."""

from dataclasses import dataclass, field

__all__ = ["Field", "Noted", "Step", "laid_out"]


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
    """The name of the key that was used; empty where there is none."""
    protects: str
    """What the step is for, in words."""
    fields: tuple[Field, ...] = ()
    secret: bytes = field(default=b"", repr=False)
    """The key itself, where it was recorded: shown to nobody who has not asked for it."""
    reads: frozenset[str] = frozenset()
    """Which of ``input`` and ``output`` can be read without any key: as secret as the text itself."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A step, and where it was taken, such as ``sending``."""

    where: str
    step: Step


def laid_out(*parts: tuple[str, int]) -> tuple[Field, ...]:
    """Return fields that follow each other, from their names and lengths in bytes."""
    fields: list[Field] = []
    start = 0
    for name, length in parts:
        fields.append(Field(name, start, start + length))
        start += length
    return tuple(fields)
