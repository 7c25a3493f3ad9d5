"""What a chat log shows, and how its packed form is kept."""

import time
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

import msgspec

from securechat_tui.chat.events import SafeText

__all__ = [
    "Entry",
    "LocalDays",
    "MessageEntry",
    "NoticeEntry",
    "Tick",
    "clock_text",
    "is_received",
    "pack",
    "packed_texts",
    "unpack",
]


class Tick(StrEnum):
    """How far one's own message has come."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEntry:
    """A message, received or one's own.

    ``id`` is the caller's, stable, and unique among those whose tick can change; ``time`` is in Unix
    seconds. A received message carries the ``colour`` of its nick (a number below ``NICKS``), its
    ``verdict`` (glyphs with a word, empty where there is nothing to say) and whether it came ``late``;
    one's own carries its ``tick``, and as ``verdict`` a word where it is unsigned. ``row`` is its place in
    what is kept of the conversation, 0 where it has none. ``about`` is what the caller knows of it besides.
    """

    id: str
    time: float
    nick: SafeText
    text: SafeText
    own: bool = False
    colour: int = 0
    verdict: str = ""
    late: bool = False
    tick: Tick | None = None
    row: int = 0
    about: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEntry:
    """A dim line of the program itself, at a time in Unix seconds."""

    time: float
    text: SafeText
    row: ClassVar[int] = 0


Entry = MessageEntry | NoticeEntry


def is_received(entry: Entry) -> bool:
    """Whether an entry is a message of somebody else."""
    return isinstance(entry, MessageEntry) and not entry.own


class _Row(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """An entry as it is packed; bytes, because a text may hold what strict UTF-8 cannot."""

    time: float
    text: bytes
    id: bytes | None = None
    nick: bytes = b""
    own: bool = False
    verdict: bytes = b""
    late: bool = False
    tick: Tick | None = None
    colour: int = 0
    row: int = 0
    about: bytes = b""


_FAR_AWAY: Final = 1e15
"""Seconds beyond every calendar."""
_DECODER: Final = msgspec.msgpack.Decoder(list[_Row])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _row(entry: Entry) -> _Row:
    if isinstance(entry, NoticeEntry):
        return _Row(time=entry.time, text=_encoded(entry.text))
    return _Row(
        time=entry.time,
        text=_encoded(entry.text),
        id=_encoded(entry.id),
        nick=_encoded(entry.nick),
        own=entry.own,
        verdict=_encoded(entry.verdict),
        late=entry.late,
        tick=entry.tick,
        colour=entry.colour,
        row=entry.row,
        about=entry.about,
    )


def _entry(row: _Row) -> Entry:
    text = SafeText(_decoded(row.text))
    if row.id is None:
        return NoticeEntry(time=row.time, text=text)
    return MessageEntry(
        id=_decoded(row.id),
        time=row.time,
        nick=SafeText(_decoded(row.nick)),
        text=text,
        own=row.own,
        verdict=_decoded(row.verdict),
        late=row.late,
        tick=row.tick,
        colour=row.colour,
        row=row.row,
        about=row.about,
    )


def pack(entries: list[Entry]) -> bytes:
    """Entries in the least memory, out of the garbage collector's sight."""
    return msgspec.msgpack.encode([_row(entry) for entry in entries])


def unpack(data: bytes) -> list[Entry]:
    """The entries that were packed."""
    return [_entry(row) for row in _DECODER.decode(data)]


def packed_texts(data: bytes) -> list[str]:
    """The texts alone of the entries that were packed."""
    return [_decoded(row.text) for row in _DECODER.decode(data)]


def _local(seconds: float) -> time.struct_time | None:
    """Local time; None for a time no calendar knows (a peer claims what it likes)."""
    try:
        return time.localtime(seconds)
    except (OverflowError, ValueError, OSError):
        return None


def clock_text(seconds: float) -> str:
    """Hours and minutes in local time, five characters."""
    local = _local(seconds)
    return f"{local.tm_hour:02}:{local.tm_min:02}" if local else "--:--"


def _local_day(seconds: float) -> date | None:
    local = _local(seconds)
    try:
        return date(*local[:3]) if local else None
    except ValueError:
        return None


class LocalDays:
    """Tells the local day of a time, quickly where times lie close together."""

    def __init__(self) -> None:
        self._minute: int | None = None
        self._day: date | None = None

    def day(self, seconds: float) -> date | None:
        """The local day; None for a time no calendar knows."""
        # Minutes never straddle a change of day, in any time zone and at any change of its offset.
        minute = int(seconds // 60) if abs(seconds) < _FAR_AWAY else None
        if minute is None or minute != self._minute:
            self._day, self._minute = _local_day(seconds), minute
        return self._day
