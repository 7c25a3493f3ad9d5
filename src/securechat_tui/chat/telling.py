"""What a conversation tells about its messages: the events, made of what was checked and kept."""

import time
from collections.abc import Callable, Sequence

from securechat_tui.chat import events
from securechat_tui.chat.inbox import Accepted
from securechat_tui.chat.outbox import Outgoing
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.states import Trust

__all__ = ["QueuedTelling", "Teller", "unix_ms", "unverified"]


def unix_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def unverified(fingerprint: Fingerprint) -> SafeText:
    """What a key is called that is nobody's here: whatever name it claims is not shown as a contact's."""
    return SafeText.name(f"unverified {fingerprint.short}")


class Teller:
    """Words one conversation's events."""

    def __init__(self, conversation: str, peer: PublicIdentity) -> None:
        self._conversation = conversation
        self._author = str(peer.fingerprint)

    def received(
        self, message: Accepted, row: int, name: SafeText, trust: Trust, clock_offset_ms: int
    ) -> events.Message:
        """A message has passed every check; its verdict stays as it is now."""
        age = (unix_ms() - clock_offset_ms - message.claimed_ms) / 1000
        fresh = abs(age) <= c.FRESH_SECONDS
        return events.Message(
            time=time.time(),
            conversation=self._conversation,
            row=row,
            number=message.number,
            text=message.text,
            author=self._author,
            name=name,
            claimed=message.claimed_ms / 1000,
            age=age,
            late=age > c.FRESH_SECONDS,
            checks=events.Checks(intact=True, in_order=True, fresh=fresh, signed=message.signed),
            trust=trust,
        )

    def queued(self, message: Outgoing) -> events.Queued:
        """One's own message has its number, and is kept."""
        return events.Queued(
            time=time.time(),
            conversation=self._conversation,
            row=message.row,
            number=message.number,
            ref=message.ref,
            text=SafeText.multi(message.text),
            claimed=message.claimed_ms / 1000,
            signed=message.signed,
        )

    def cancelled(self, message: Outgoing, *, renumbered: bool) -> events.Cancelled:
        """It will not be delivered under this number."""
        return events.Cancelled(
            time=time.time(),
            conversation=self._conversation,
            number=message.number,
            ref=message.ref,
            renumbered=renumbered,
        )

    def sent(self, message: Outgoing) -> events.Sent:
        """It was written to the network."""
        return events.Sent(
            time=time.time(), conversation=self._conversation, number=message.number, ref=message.ref
        )

    def delivered(self, message: Outgoing, *, durable: bool) -> events.Delivered:
        """The peer says that it has it."""
        return events.Delivered(
            time=time.time(),
            conversation=self._conversation,
            number=message.number,
            ref=message.ref,
            durable=durable,
        )


class QueuedTelling:
    """Tells what is queued, in order: what was given before messages flow, when they do or nobody is here.

    It has its number, and is on disk, long before.
    """

    def __init__(self, show: Callable[[Outgoing], None]) -> None:
        self._show = show
        self._untold: list[Outgoing] = []

    def take(self, messages: Sequence[Outgoing]) -> None:
        """These have their numbers."""
        self._untold += messages

    def tell(self, messages: Sequence[Outgoing] = ()) -> None:
        """Tell of what was taken, and then of these."""
        told, self._untold = [*self._untold, *messages], []
        for message in told:
            self._show(message)
