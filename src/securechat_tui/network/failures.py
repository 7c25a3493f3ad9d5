"""What happens when code that was called back raises: contained, told, and nothing leaks."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from types import TracebackType
from typing import Self

__all__ = ["Containment", "HandlerFailure"]


@dataclass(frozen=True, slots=True)
class HandlerFailure:
    """An exception in a handler, reduced to what is safe to log.

    It holds no reference to the exception: frames keep locals alive, and locals and messages of
    exceptions may quote what the peer wrote or a secret.
    """

    kind: str
    """The exception's class name."""
    frames: tuple[str, ...]
    """``file:line in function``, the outermost first."""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Reduce ``error`` to its kind and the places it passed."""
        frames = traceback.extract_tb(error.__traceback__)
        places = (f"{PurePath(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames)
        return cls(type(error).__name__, tuple(places))

    def __str__(self) -> str:
        return f"{self.kind} at {self.frames[-1]}" if self.frames else self.kind


class Containment:
    """A reusable ``with`` block: an :class:`Exception` inside is reported and goes no further."""

    __slots__ = ("_report",)

    def __init__(self, report: Callable[[HandlerFailure], None]) -> None:
        self._report = report

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._report(HandlerFailure.of(error))
        return True
