"""A received message as an entry of the log, and back again, so that it need not be kept twice."""

from typing import Final

import msgspec

from securechat_tui.chat.events import Checks, Kept, Message, Trust
from securechat_tui.tui import wording
from securechat_tui.tui.widgets.log_entries import MessageEntry

__all__ = ["entry_of", "message_of", "number_of", "received"]


class _About(msgspec.Struct, array_like=True, frozen=True):
    """What the log does not show of a message."""

    conversation: str
    number: int
    author: str
    claimed: float
    age: float
    checks: tuple[bool, bool, bool, bool]
    trust: Trust


_DECODER: Final = msgspec.msgpack.Decoder(_About)


def entry_of(message: Message, verdict: str) -> MessageEntry:
    """The entry for a received message; ``verdict`` is what stands beside it."""
    checks = message.checks
    about = _About(
        conversation=message.conversation,
        number=message.number,
        author=message.author,
        claimed=message.claimed,
        age=message.age,
        checks=(checks.intact, checks.in_order, checks.fresh, checks.signed),
        trust=message.trust,
    )
    return MessageEntry(
        id="",
        row=message.row,
        time=message.time,
        nick=message.name,
        text=message.text,
        colour=wording.nick_colour(message.author),
        verdict=verdict,
        late=message.late,
        about=msgspec.msgpack.encode(about),
    )


def message_of(entry: MessageEntry) -> Message:
    """The message that an entry was made for."""
    about = _DECODER.decode(entry.about)
    return Message(
        time=entry.time,
        conversation=about.conversation,
        number=about.number,
        text=entry.text,
        author=about.author,
        name=entry.nick,
        claimed=about.claimed,
        age=about.age,
        late=entry.late,
        checks=Checks(*about.checks),
        trust=about.trust,
        row=entry.row,
    )


def number_of(entry: MessageEntry) -> int:
    """The number of the message that an entry was made for."""
    return _DECODER.decode(entry.about).number


def received(kept: Kept, conversation: str) -> Message:
    """A kept message as it was told of when it was received."""
    return Message(
        time=kept.time,
        conversation=conversation,
        number=kept.number,
        text=kept.text,
        author=kept.author,
        name=kept.name,
        claimed=kept.claimed,
        age=kept.age,
        late=kept.late,
        checks=kept.checks,
        trust=kept.trust,
        row=kept.row,
    )
