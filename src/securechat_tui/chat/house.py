"""What one connection's story needs to know of the house that it happens in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from securechat_tui.chat.account import Account
from securechat_tui.chat.callers import Callers
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.formers import Formers
from securechat_tui.chat.inspector import Inspector
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.turns import Turns
from securechat_tui.protocol.events import Ended
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.invites import Invite
from securechat_tui.trust.pins import Contact, Endpoint

if TYPE_CHECKING:
    from securechat_tui.chat.encounter import Encounter

__all__ = ["Dialled", "House"]


@dataclass(frozen=True, slots=True)
class Dialled:
    """Whom a guest set out to reach."""

    typed: str
    """What the person typed; for an invite its first address, since the rest is a secret."""
    target: Contact | Endpoint | None
    """Whom the pins must show: a contact, whoever is pinned at an address, or anybody."""
    endpoint: Endpoint
    others: tuple[Endpoint, ...] = ()
    """Further addresses of the same host, where this one cannot be reached."""
    invite: Invite | None = None
    """What says whose key must answer, in the place of the pins."""
    verifying: Fingerprint | None = None
    """The one other key that a person wants to compare codes with; it is let in as far as the gate."""
    returning: bool = False
    """Whether this is one of several attempts to come back after a cut: failures are not told singly."""


class House(Protocol):
    """What an encounter needs of the engine that it happens in."""

    account: Account
    stream: EventStream
    callers: Callers
    conversations: Conversations
    formers: Formers
    inspector: Inspector
    turns: Turns

    def is_busy_for(self, fingerprint: Fingerprint | None, *, known: bool) -> bool:
        """Whether there is no place; ``known`` callers have shown a secret."""

    def notice(self, kind: str, **details: str) -> None:
        """Tell what is worth a dim line: ``kind`` is the sentence, with a place for each detail."""

    def error(self, code: str, message: str) -> None:
        """Tell what went wrong here."""

    def enter(self, encounter: "Encounter", conversation: Conversation) -> bool:
        """Give this conversation's peer its place, in place of a session it may still have.

        False where the session gives way to that one.
        """

    def greeted(self, encounter: "Encounter") -> None:
        """The peer has said its name."""

    def holds_unsigned(self, encounter: "Encounter", conversation: Conversation) -> bool:
        """Whether something unsigned is held for this conversation's peer."""

    async def secured(self, conversation: Conversation) -> None:
        """Messages flow now: send what was held for this moment; raises the ProfileError family."""

    def succeeded(self, former: Contact, *, is_named: bool) -> None:
        """Another key has taken this contact's place: what waits for the former one reaches nobody."""

    def left(self, encounter: "Encounter", end: Ended) -> None:
        """The session of a conversation is over."""

    def failed(self, encounter: "Encounter", end: Ended) -> None:
        """Nothing came of a connection."""
