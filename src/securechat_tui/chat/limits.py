"""Bounds that the faces need to know."""

from collections import deque
from typing import Final

from securechat_tui.chat.errors import CommandError
from securechat_tui.protocol.constants import MAX_TEXT_LENGTH
from securechat_tui.trust.invites import SCHEME
from securechat_tui.trust.verdicts import Blocked, Different, Downgrade, Uninvited, Verdict

MAX_TEXT_BYTES: Final = MAX_TEXT_LENGTH
"""Bytes of UTF-8 in one message."""
MAX_HELD: Final = 1000
"""Messages that may wait for a peer who is not there yet."""
MAX_PENDING: Final = 10_000
"""Messages of one conversation that may wait for delivery."""
MAX_CONVERSATIONS: Final = 16
"""Sessions at the same time, whoever has called; further callers are told that it is busy."""
NEW_PINS_PER_HOUR: Final = 60
"""Strangers whom a host pins in one hour; more are turned away."""
_HOUR_SECONDS: Final = 3600.0


class HourlyLimit:
    """At most so many in any hour; the times are monotonic seconds."""

    def __init__(self, most: int) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._most = most

    def has_room(self, now: float) -> bool:
        """Whether one more is within the limit."""
        return len(self._times) < self._most or now - self._times[0] >= _HOUR_SECONDS

    def count(self, now: float) -> None:
        """Count one."""
        self._times.append(now)


def holds_secret(text: str) -> bool:
    """Whether an invite is in what was typed, or a passphrase: nothing that is kept may hold one."""
    lowered = text.lower()
    return SCHEME in lowered or lowered.lstrip().startswith("/passphrase ")


def check_text(text: str) -> None:
    """Hold a message to its bounds; raises :class:`CommandError`."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise CommandError("bad-text", "The text holds half a character: remove it and send again.") from None
    if not length:
        raise CommandError("empty", "There is nothing to send.")
    if length > MAX_TEXT_BYTES:
        raise CommandError(
            "too-long",
            f"The message has {length:,} bytes and at most {MAX_TEXT_BYTES:,} fit: split or shorten it.",
        )


class CallerAlarms:
    """A host is told of each refused contact, of strangers and of used invites, at most once an hour each.

    Callers can call again and again; an alarm that never stops trains people to ignore it.
    """

    def __init__(self) -> None:
        self._told: dict[bytes, float] = {}

    def due(self, verdict: Verdict, now: float) -> bool:
        """Tell, and note, whether a refusal is to be told; ``now`` is monotonic seconds."""
        match verdict:
            case Different():
                about = bytes(verdict.expected[0].fingerprint)
            case Blocked() | Downgrade():
                about = bytes(verdict.contact.fingerprint)
            case Uninvited():
                about = b"invite"
            case _:
                about = b""
        last = self._told.get(about)
        if last is not None and now - last < _HOUR_SECONDS:
            return False
        self._told[about] = now
        return True
