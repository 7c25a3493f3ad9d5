"""Units: what one side writes as a whole, cut out of the stream within strict bounds.

A peer and the man in the middle cut the same bytes by the same code: he knows the format, too.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from securechat_tui.lab.steps import Field

__all__ = ["MAX_TEXT", "CheckFailed", "Framed", "Splitter", "Unit", "flip_bit", "framed"]

MAX_TEXT: Final = 32 * 1024
"""Bytes of UTF-8 in one message."""
HEADER: Final = 5
MAX_UNIT: Final = 128 * 1024
"""Bytes of any unit; base64 and signatures included, no message of :data:`MAX_TEXT` has more."""


class CheckFailed(Exception):
    """A check failed: ``check`` is its name, ``detail`` what was wrong; neither holds secrets."""

    def __init__(self, check: str, detail: str = "") -> None:
        super().__init__(f"{check}: {detail}" if detail else check)
        self.check = check
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of the wire and who wrote it (``host`` or ``guest``).

    ``kind``: key (public keys), session (what agrees on a key), message, or other.
    """

    role: str
    kind: str
    data: bytes = field(repr=False)
    fields: tuple[Field, ...] = ()

    def part(self, name: str) -> bytes:
        """Return the bytes of a field."""
        found = next(one for one in self.fields if one.name == name)
        return self.data[found.start : found.end]


class Splitter(Protocol):
    """Cuts one direction of a stream into units."""

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Give the units that ``data`` completes.

        Raises :class:`CheckFailed` as soon as a bound is passed; nothing longer than the bound is held.
        """


Dissect = Callable[[str, bytes], tuple[Field, ...]]
"""Takes a unit's kind and bytes, and names its parts."""


class Framed:
    """Frames of ``[type 1][length 4 big-endian][payload]``."""

    def __init__(self, role: str, kinds: Mapping[int, tuple[str, int]], dissect: Dissect) -> None:
        """``kinds`` gives each type's kind and greatest payload; unknown types have :data:`MAX_TEXT`."""
        self._role = role
        self._kinds = kinds
        self._dissect = dissect
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Give the whole frames."""
        self._held += data
        while len(self._held) >= HEADER:
            kind, most = self._kinds.get(self._held[0], ("other", MAX_TEXT))
            length = int.from_bytes(self._held[1:HEADER], "big")
            if length > most:
                raise CheckFailed("frame length", f"claims {length} bytes, {most} are allowed")
            if len(self._held) < HEADER + length:
                return
            whole = bytes(self._held[: HEADER + length])
            del self._held[: HEADER + length]
            yield Unit(self._role, kind, whole, self._dissect(kind, whole))


def framed(kind: str, payload: bytes) -> bytes:
    """Return a frame; ``kind`` is the one letter of its type."""
    return kind.encode() + len(payload).to_bytes(HEADER - 1, "big") + payload


def flip_bit(unit: Unit, part: Field, place: int) -> bytes:
    """Return the unit with the lowest bit of the byte at ``place`` within a field turned over."""
    changed = bytearray(unit.data)
    changed[part.start + place] ^= 1
    return bytes(changed)
