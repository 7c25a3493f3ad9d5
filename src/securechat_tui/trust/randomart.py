"""The picture of a fingerprint, as ``ssh-keygen -lv`` draws it.

A bishop starts in the middle of a board and takes one diagonal step for every two bits, the lowest
bits of each byte first; a square is drawn by how often it was visited. The walk is described in
Loss, Limmer, von Gernler, "The drunken bishop: an analysis of the OpenSSH fingerprint visualization
algorithm". A memory aid for people who see the same key again, never a proof.
"""

from collections import Counter
from typing import Final

from securechat_tui.protocol.identity import Fingerprint

__all__ = ["HEIGHT", "WIDTH", "randomart"]

WIDTH: Final = 17
"""Squares in a row of the board."""
HEIGHT: Final = 9
"""Rows of the board."""

_VISITS: Final = " .o+=*BOX@%&#/^"
_START: Final = (WIDTH // 2, HEIGHT // 2)


def randomart(fingerprint: Fingerprint, bits: int) -> tuple[str, ...]:
    """Draw the fingerprint of an RSA key of ``bits`` bits: 11 lines of 19 characters."""
    visits: Counter[tuple[int, int]] = Counter()
    square = _START
    for byte in fingerprint:
        for shift in (0, 2, 4, 6):
            square = _step(square, byte >> shift)
            visits[square] += 1
    marks = {_START: "S", square: "E"}
    rows = (
        "".join(marks.get((x, y)) or _VISITS[min(visits[x, y], len(_VISITS) - 1)] for x in range(WIDTH))
        for y in range(HEIGHT)
    )
    return (_border(f"[RSA {bits}]"), *(f"|{row}|" for row in rows), _border("[SHA256]"))


def _step(square: tuple[int, int], pair: int) -> tuple[int, int]:
    """Move by the two lowest bits; at a wall the bishop slides along it."""
    x, y = square
    x += 1 if pair & 1 else -1
    y += 1 if pair & 2 else -1
    return min(max(x, 0), WIDTH - 1), min(max(y, 0), HEIGHT - 1)


def _border(title: str) -> str:
    left = (WIDTH - len(title)) // 2
    return "+" + ("-" * left + title).ljust(WIDTH, "-") + "+"
