"""What the screen knows of the world: every event of the engine, folded into one value."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from securechat_tui.chat.events import (
    Closed,
    Code,
    ComparisonStopped,
    Dialing,
    Error,
    Event,
    Gate,
    Hosting,
    Invite,
    Listening,
    Message,
    Peer,
    Ready,
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

__all__ = ["EXIT_CONNECT", "EXIT_DONE", "EXIT_TRUST", "ChatState", "Comparing", "Link"]

EXIT_DONE = 0
EXIT_CONNECT = 3
EXIT_TRUST = 4

_TRUST_REFUSALS = frozenset({"key-changed", "blocked", "invite"})
_BAD_INVITE = "bad-invite"
_CONNECT_ERRORS = frozenset({"cannot-listen", "cannot-connect"})


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
class ChatState:
    """The present, as the sidebar and the status line show it. Times are Unix seconds."""

    profile: str = ""
    name: str = ""
    fingerprint: str = ""
    version: str = ""
    link: Link = Link.IDLE
    attempt: int = 0
    target: str = ""
    listening: list[tuple[str, int]] = field(default_factory=list)
    reachable: tuple[str, ...] = ()
    """Addresses at which another machine may reach this host."""
    peer: Peer | None = None
    secure: Secure | None = None
    epoch: int = 0
    renewed: float = 0.0
    hosting: bool = False
    invited_only: bool = False
    invite: Invite | None = None
    """The invite made last, until a guest has come."""
    wall_clock: Callable[[], float] = time.time
    round_trip: float | None = None
    last: Message | None = None
    counters: Counters = field(default_factory=lambda: Counters(sent=0, received=0, bad=0, delivered=0))
    refused: Refused | None = None
    refused_caller: bool = False
    """Whether it was a caller who was refused here, not oneself who refused a host."""
    exit_code: int = EXIT_DONE
    ever_secure: bool = False
    gate: Gate | None = None
    """Why nothing passes until the person has decided."""
    asked: bool = False
    """Whether the person here would like to compare codes."""
    wanted: bool = False
    """Whether the person there would."""
    code: Code | None = None
    safety_number: SafetyNumber | None = None
    is_addressed: bool = False
    """Whether the peer on the screen is here, or expected back after a cut."""

    @property
    def conversation(self) -> str | None:
        """The id of the conversation on the screen; it stays when the session is over."""
        return self.peer.conversation if self.peer else None

    @property
    def addressee(self) -> str | None:
        """The conversation that what is typed now belongs to; None where nobody is here or expected back."""
        return self.conversation if self.is_addressed else None

    @property
    def comparing(self) -> Comparing:
        """How far a comparison of codes is."""
        if self.link not in {Link.SECURING, Link.CONNECTED}:
            return Comparing.NOBODY
        if self.code is not None:
            return Comparing.CODE
        if self.asked:
            return Comparing.ASKED
        return Comparing.WANTED if self.wanted else Comparing.IDLE

    @property
    def can_confirm_words(self) -> bool:
        """Whether saying that the words match would change anything."""
        here = self.comparing is not Comparing.NOBODY and self.safety_number is not None
        return here and self.trust is not Trust.VERIFIED

    @property
    def trust(self) -> Trust:
        """How far the key at the other end is trusted; CHANGED after a refusal for that."""
        if self.link is Link.REFUSED and self.refused and self.refused.reason == "key-changed":
            return Trust.CHANGED
        return self.peer.trust if self.peer else Trust.NEW

    @property
    def invite_left(self) -> float:
        """Seconds for which the invite can still be used; 0 where it is over, or there is none."""
        return max(0.0, self.invite.expires - self.wall_clock()) if self.invite else 0.0

    @property
    def is_waiting(self) -> bool:
        """Hosting, with nobody there."""
        return self.link is Link.WAITING

    def apply(self, event: Event) -> None:
        """Fold one event in. An event that says nothing about the present changes nothing."""
        match event:
            case Ready() | Listening() | Hosting() | Dialing() | Error() | Refused():
                self._apply_reach(event)
            case Invite():
                self.invite = event
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

    def _apply_trust(self, event: Event) -> None:
        """What is said of another conversation than the one on the screen, and came late, is not about it."""
        match event:
            case VerifyAsked() | Code() | ComparisonStopped() | SafetyNumber() | Gate() if (
                event.conversation != self.conversation
            ):
                pass
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
        if self.peer is not None and self.peer.fingerprint == event.fingerprint:
            peer = replace(self.peer, trust=event.trust, contact=event.contact)
            # A key that has taken a contact's place is no other contact of the same name any more.
            is_heir = peer.contact != self.peer.contact
            self.peer = replace(peer, known_elsewhere="") if is_heir else peer

    def _forget_comparison(self) -> None:
        self.asked = self.wanted = False
        self.code = None

    def _apply_reach(self, event: Ready | Listening | Hosting | Dialing | Error | Refused) -> None:
        match event:
            case Ready():
                self.profile, self.name = event.profile, event.name
                self.fingerprint, self.version = event.fingerprint, event.version
            case Listening():
                self.listening.append((event.address, event.port))
            case Hosting():
                self._apply_hosting(event)
            case Dialing():
                self.link, self.attempt = Link.DIALING, event.attempt
                self.target = join_address(event.address, event.port)
                self.refused = None
            case Refused():
                self._apply_refused(event)
            case Error():
                self.note_failure(event.code)

    def _apply_hosting(self, event: Hosting) -> None:
        self.hosting = event.active
        self.reachable = event.from_elsewhere if event.active else ()
        self.invited_only = event.invited_only
        if event.active:
            self._settle(Link.WAITING)
            self._conclude(EXIT_DONE)
            return
        self.listening.clear()
        if self.link is Link.WAITING:
            self.link = Link.IDLE

    def _apply_refused(self, event: Refused) -> None:
        self.refused = event
        self.refused_caller = self.hosting and self.link is not Link.DIALING
        if self.refused_caller:
            return  # somebody was turned away; the host goes on as before
        self._settle(Link.REFUSED)
        self._conclude(EXIT_TRUST if event.reason in _TRUST_REFUSALS else EXIT_CONNECT)

    def note_failure(self, code: str) -> None:
        """A command or an attempt has failed with this code; most codes say nothing about the connection."""
        if code in _CONNECT_ERRORS:
            self._settle(Link.IDLE)
            self._conclude(EXIT_CONNECT)
        elif code == _BAD_INVITE:
            self._conclude(EXIT_TRUST)

    def _apply_session(self, event: Peer | Secure | Closed) -> None:
        match event:
            case Peer():
                self.peer, self.secure, self.last = event, None, None
                self.gate = self.safety_number = None
                self._forget_comparison()
                self.is_addressed = True
                self.invite = None
                self.link, self.round_trip = Link.SECURING, None
            case Secure():
                self.secure, self.epoch, self.renewed = event, event.epoch, event.time
                self.gate = None
                self.link, self.ever_secure = Link.CONNECTED, True
                self.refused, self.exit_code = None, EXIT_DONE
            case Closed():
                self._apply_closed(event)

    def _apply_closed(self, event: Closed) -> None:
        self.round_trip = None
        self._forget_comparison()
        self.is_addressed = event.awaited
        if event.reason == "lost":
            self.link = Link.LOST
        else:
            self.link = Link.WAITING if self.hosting else Link.CLOSED

    def _settle(self, link: Link) -> None:
        """Take up ``link`` unless a conversation is under way."""
        if self.link not in {Link.SECURING, Link.CONNECTED}:
            self.link = link

    def _conclude(self, code: int) -> None:
        """What the program will say when it ends, unless a conversation has come about."""
        if not self.ever_secure:
            self.exit_code = code


def join_address(address: str, port: int) -> str:
    """An address as it is typed: IPv6 in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
