"""The words and glyphs of the screen: always both, so that nothing depends on colour."""

import math
import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from securechat_tui.chat.terms import Trust
from securechat_tui.tui.themes import NICKS

if TYPE_CHECKING:
    from securechat_tui.chat.events import Checks

__all__ = [
    "CHECK_NAMES",
    "age_words",
    "check_rows",
    "clock_time",
    "day",
    "duration_words",
    "fingerprint_lines",
    "long_time",
    "mark",
    "nick_colour",
    "remaining_words",
    "round_trip_words",
    "short_fingerprint",
    "shorter_fingerprint",
    "size_words",
    "trust_colour",
    "trust_explanation",
    "trust_glyph",
    "trust_word",
    "verdict_word",
]

CHECK_NAMES = ("intact", "readable", "in order", "fresh", "signed")
"""The five checks of a message, in the order in which they are shown."""

_SHORT_DIGITS = 8
_INDENT = "  "
_KIB = 1024
_TENTHS_BELOW = 10
_MINUTE = 60
_HOUR = 3600
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TRUST: dict[Trust, tuple[str, str, str]] = {
    Trust.NEW: ("◇", "$warning", "first contact: nobody vouches for this key yet"),
    Trust.PINNED: ("◆", "$primary", "the same key as at the first contact"),
    Trust.INVITED: ("◆", "$success", "authenticated at the first contact by an invite"),
    Trust.VERIFIED: ("✔", "$success", "you have compared codes with this key's owner"),
    Trust.CHANGED: ("✖", "$error", "a different key stands where this contact's key is expected"),
    Trust.BLOCKED: ("⊘", "$error", "you have blocked this key"),
}
_DIFFERED = "a comparison of codes with this key has failed"


def trust_glyph(trust: Trust) -> str:
    """One cell that stands for the trust state, never shown without its word."""
    return _TRUST[trust][0]


def trust_word(trust: Trust) -> str:
    """The state in capitals."""
    return trust.value.upper()


def trust_colour(trust: Trust) -> str:
    """The theme's variable for the state."""
    return _TRUST[trust][1]


def trust_explanation(trust: Trust, *, differed: bool = False) -> str:
    """What the word means, in one line; ``differed``: a comparison has failed."""
    return _DIFFERED if differed and trust is Trust.CHANGED else _TRUST[trust][2]


def short_fingerprint(fingerprint: str) -> str:
    """A short form to recognise a key by; it proves nothing."""
    label, _, digest = fingerprint.partition(":")
    return f"{label}:{digest[:_SHORT_DIGITS]}…" if digest else fingerprint


def shorter_fingerprint(fingerprint: str) -> str:
    """The short form without its label, for one line."""
    return short_fingerprint(fingerprint).partition(":")[2]


def fingerprint_lines(fingerprint: str, width: int) -> list[str]:
    """The whole fingerprint, indented; in two halves beneath each other where one line is too narrow."""
    whole = f"{_INDENT}{fingerprint}"
    label, _, digest = fingerprint.partition(":")
    if len(whole) <= width or not digest:
        return [whole]
    half = (len(digest) + 1) // 2
    before = f"{_INDENT}{label}:"
    return [f"{before}{digest[:half]}", " " * len(before) + digest[half:]]


def mark(*, passed: bool) -> str:
    """The glyph of a check."""
    return "✓" if passed else "✗"


def check_rows(checks: "Checks") -> tuple[tuple[str, bool], ...]:
    """The five checks by name; what is intact was also decrypted, so ``readable`` holds with it."""
    passed = (checks.intact, checks.intact, checks.in_order, checks.fresh, checks.signed)
    return tuple(zip(CHECK_NAMES, passed, strict=True))


def verdict_word(checks: "Checks") -> str:
    """The whole verdict as one glyph and one or two words; the weightiest fault wins.

    An unsigned message is none: its author has chosen so.
    """
    faults = [name for name, passed in check_rows(checks) if not passed and name != "signed"]
    if not faults:
        return "✓ all checks" if checks.signed else "– unsigned"
    if faults == ["fresh"]:
        return "✗ late"
    return f"✗ not {faults[0] if faults[0] != 'fresh' else faults[1]}"


def age_words(seconds: float) -> str:
    """A message's age: tenths below a minute, then minutes, then hours."""
    if seconds < _MINUTE:
        return f"{max(seconds, 0.0):.1f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h"


def round_trip_words(seconds: float) -> str:
    """A round trip in milliseconds, with one decimal below ten."""
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < _TENTHS_BELOW else f"{milliseconds:.0f} ms"


def nick_colour(fingerprint: str) -> int:
    """The number of a nick's colour, always the same for a key; many keys share one."""
    return zlib.crc32(fingerprint.encode()) % NICKS


def remaining_words(seconds: float) -> str:
    """A time to come, counted down: minutes and seconds."""
    minutes, left = divmod(math.ceil(seconds), _MINUTE)
    return f"{minutes}:{left:02}"


def duration_words(seconds: float) -> str:
    """How long something has lasted: seconds, then minutes, then hours and minutes."""
    if seconds < _MINUTE:
        return f"{max(seconds, 0.0):.0f} s"
    minutes = int(seconds) // _MINUTE
    if seconds < _HOUR:
        return f"{minutes} min"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE} min"


def size_words(count: int) -> str:
    """A number of bytes in KiB with one decimal, or in bytes where that is shorter."""
    return f"{count} B" if count < _KIB else f"{count / _KIB:.1f} KiB"


def clock_time(time: float) -> str:
    """Hours and minutes in the local zone, for a time in Unix seconds."""
    return f"{_local(time):%H:%M}"


def day(time: float) -> str:
    """A day in the local zone, such as ``12 Nov 2026``."""
    local = _local(time)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"


def long_time(time: float) -> str:
    """Date, time and offset from UTC."""
    return f"{_local(time):%Y-%m-%d %H:%M:%S %z}"


_FIRST_TIME = 0.0
_LAST_TIME = 253_000_000_000.0
"""Unix seconds, in the year 9987: a peer may claim any time, and later ones have no date."""


def _local(time: float) -> datetime:
    return datetime.fromtimestamp(min(max(time, _FIRST_TIME), _LAST_TIME)).astimezone()
