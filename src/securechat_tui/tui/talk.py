"""What the screen knows of one conversation: every event about it, folded into one value."""

from dataclasses import dataclass, field, replace
from enum import Enum

from securechat_tui.chat.events import (
    Closed,
    Code,
    ComparisonStopped,
    ConversationEvent,
    Gate,
    Message,
    Peer,
    Refused,
    Rekeyed,
    RoundTrip,
    SafetyNumber,
    Secure,
    Trust,
    TrustChanged,
    VerifyAsked,
)
from securechat_tui.chat.views import Counters

__all__ = ["Comparing", "Link", "Talk"]


class Link(Enum):
    """How far the way to a peer is."""

    IDLE = "not connected"
    WAITING = "waiting for a guest"
    DIALING = "connecting"
    SECURING = "securing"
    CONNECTED = "connected"
    LOST = "connection lost"
    CLOSED = "conversation ended"
    REFUSED = "refused"


class Comparing(Enum):
    """How far a comparison of codes is, as the person sees it."""

    NOBODY = "nobody is here"
    IDLE = "nobody has asked"
    ASKED = "the person here has asked"
    WANTED = "the person there has asked"
    CODE = "there is a code to compare"


@dataclass(slots=True)
class Talk:
    """One conversation, as the sidebar and the list show it. Times are Unix seconds."""

    peer: Peer
    """Who it is with, as said by the last session, or as the contact is known."""
    link: Link = Link.IDLE
    turn: int = 0
    """When the link has changed, as a number that rises with every change of any link."""
    secure: Secure | None = None
    epoch: int = 0
    renewed: float = 0.0
    round_trip: float | None = None
    last: Message | None = None
    counters: Counters = field(default_factory=Counters)
    gate: Gate | None = None
    """Why nothing passes until the person has decided."""
    asked: bool = False
    """Whether the person here would like to compare codes."""
    wanted: bool = False
    """Whether the person there would."""
    code: Code | None = None
    safety_number: SafetyNumber | None = None
    awaited: bool = False
    """Whether the peer is expected back after a cut."""
    is_stopped: bool = False
    """Whether nothing can be typed, because of an alarm, until the way to the peer is taken up again."""
    alarm: Refused | None = None
    """An alarm about this peer's key that waits for the person to come here."""
    unread: int = 0
    """Messages received that nobody has seen."""

    @property
    def id(self) -> str:
        """The conversation's id."""
        return self.peer.conversation

    @property
    def is_here(self) -> bool:
        """Whether the peer is here."""
        return self.link in {Link.SECURING, Link.CONNECTED}

    @property
    def comparing(self) -> Comparing:
        """How far a comparison of codes is."""
        if not self.is_here:
            return Comparing.NOBODY
        if self.code is not None:
            return Comparing.CODE
        if self.asked:
            return Comparing.ASKED
        return Comparing.WANTED if self.wanted else Comparing.IDLE

    @property
    def question(self) -> str:
        """What waits for a person here, in a word; empty where nothing does."""
        if self.alarm is not None:
            return "KEY CHANGED"
        if self.gate is not None:
            return "question"
        if self.code is not None:
            return "codes"
        return "compare?" if self.wanted else ""

    def apply(self, event: ConversationEvent) -> None:
        """Fold one event in."""
        match event:
            case Peer() | Secure() | Closed():
                self._apply_session(event)
            case Message():
                self.last = event
            case Rekeyed(epoch=epoch, time=time):
                self.epoch, self.renewed = epoch, time
            case RoundTrip(seconds=seconds):
                self.round_trip = seconds
            case _:
                self._apply_trust(event)

    def _apply_session(self, event: Peer | Secure | Closed) -> None:
        match event:
            case Peer():
                self.peer, self.secure, self.last = event, None, None
                self.gate = self.safety_number = None
                self._forget_comparison()
                self.link, self.round_trip, self.awaited = Link.SECURING, None, False
                self.is_stopped = False
            case Secure():
                self.secure, self.epoch, self.renewed = event, event.epoch, event.time
                self.gate, self.link = None, Link.CONNECTED
            case Closed():
                self.round_trip, self.gate = None, None
                self._forget_comparison()
                self.awaited = event.awaited
                self.link = Link.LOST if event.reason == "lost" else Link.CLOSED

    def _apply_trust(self, event: ConversationEvent) -> None:
        match event:
            case VerifyAsked():
                self.wanted, self.code = True, None
            case Code():
                self.code, self.asked, self.wanted = event, False, False
            case ComparisonStopped():
                self._forget_comparison()
            case TrustChanged():
                self._apply_trust_changed(event)
            case SafetyNumber():
                self.safety_number = event
            case Gate():
                self.gate = event
            case _:
                pass

    def _apply_trust_changed(self, event: TrustChanged) -> None:
        self._forget_comparison()
        if self.peer.fingerprint == event.fingerprint:
            differed = (
                event.trust is Trust.CHANGED
            )  # no other thing that happens in a session has that effect
            peer = replace(self.peer, trust=event.trust, contact=event.contact, differed=differed)
            # A key that has taken a contact's place is no other contact of the same name any more.
            is_heir = peer.contact != self.peer.contact
            self.peer = replace(peer, known_elsewhere="") if is_heir else peer

    def _forget_comparison(self) -> None:
        self.asked = self.wanted = False
        self.code = None
