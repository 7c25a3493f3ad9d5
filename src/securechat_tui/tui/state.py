"""What the screen knows of the world: the house, every conversation, and which of them is on the screen."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from securechat_tui.chat.events import (
    Closed,
    Code,
    ConversationEvent,
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
    SafetyNumber,
    Secure,
    Trust,
)
from securechat_tui.chat.views import Counters
from securechat_tui.tui.talk import Comparing, Link, Talk

__all__ = ["EXIT_CONNECT", "EXIT_DONE", "EXIT_TRUST", "ChatState", "Comparing", "Link", "Talk"]

EXIT_DONE = 0
EXIT_CONNECT = 3
EXIT_TRUST = 4

_TRUST_REFUSALS = frozenset({"key-changed", "blocked", "invite"})
_BAD_INVITE = "bad-invite"
_CONNECT_ERRORS = frozenset({"cannot-listen", "cannot-connect"})


@dataclass(slots=True)
class ChatState:
    """The present, as the sidebar and the status line show it. Times are Unix seconds.

    The house is what belongs to no conversation: who one is, where one listens, who is called. While there
    is one conversation alone, it and the house are shown as one.
    """

    profile: str = ""
    name: str = ""
    fingerprint: str = ""
    version: str = ""
    attempt: int = 0
    target: str = ""
    listening: list[tuple[str, int]] = field(default_factory=list)
    reachable: tuple[str, ...] = ()
    """Addresses at which another machine may reach this host."""
    hosting: bool = False
    invited_only: bool = False
    invite: Invite | None = None
    """The invite made last, until a guest has come."""
    wall_clock: Callable[[], float] = time.time
    refused: Refused | None = None
    refused_caller: bool = False
    """Whether it was a caller who was refused here, not oneself who refused a host."""
    exit_code: int = EXIT_DONE
    ever_secure: bool = False
    talks: dict[str, Talk] = field(default_factory=dict)
    """The conversations of this run, by id, in the order in which they came."""
    shown: Talk | None = None
    """The one on the screen; None where that is the house."""
    house_stopped: bool = False
    """Whether nothing can be typed in the house, because of an alarm."""
    _house_link: Link = Link.IDLE
    _house_turn: int = 0
    _turn: int = 0

    @property
    def peer(self) -> Peer | None:
        """With whom the conversation on the screen is."""
        return self.shown.peer if self.shown else None

    @property
    def secure(self) -> Secure | None:
        """Its session, from when messages flow."""
        return self.shown.secure if self.shown else None

    @property
    def epoch(self) -> int:
        """The epoch of its keys."""
        return self.shown.epoch if self.shown else 0

    @property
    def renewed(self) -> float:
        """When they were renewed."""
        return self.shown.renewed if self.shown else 0.0

    @property
    def round_trip(self) -> float | None:
        """Its last round trip, in seconds."""
        return self.shown.round_trip if self.shown else None

    @property
    def last(self) -> Message | None:
        """Its last message received in this session."""
        return self.shown.last if self.shown else None

    @property
    def counters(self) -> Counters:
        """Its counts."""
        return self.shown.counters if self.shown else Counters()

    @property
    def code(self) -> Code | None:
        """The code to compare in it."""
        return self.shown.code if self.shown else None

    @property
    def safety_number(self) -> SafetyNumber | None:
        """Its safety number, once it was asked for."""
        return self.shown.safety_number if self.shown else None

    @property
    def gate(self) -> Gate | None:
        """The question at which it stands."""
        return self.shown.gate if self.shown else None

    @property
    def conversation(self) -> str | None:
        """The id of the conversation on the screen; it stays when the session is over."""
        return self.shown.id if self.shown else None

    @property
    def comparing(self) -> Comparing:
        """How far a comparison of codes is in it."""
        return self.shown.comparing if self.shown else Comparing.NOBODY

    @property
    def can_confirm_words(self) -> bool:
        """Whether saying that the words match would change anything."""
        here = self.comparing is not Comparing.NOBODY and self.safety_number is not None
        return here and self.trust is not Trust.VERIFIED

    @property
    def link(self) -> Link:
        """How far the way to the peer is; with one conversation alone, what the house does comes into it."""
        talk = self.shown
        if talk is None:
            return self._house_link
        is_own = talk.is_here or self.is_several or talk.turn > self._house_turn
        return talk.link if is_own else self._house_link

    @property
    def house_link(self) -> Link:
        """What the house does by itself: it waits for guests, calls somebody, or has been refused."""
        return self._house_link

    @property
    def is_several(self) -> bool:
        """Whether there is more than one conversation."""
        return len(self.talks) > 1

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

    @property
    def is_stopped(self) -> bool:
        """Whether nothing can be typed here, because of an alarm."""
        return self.shown.is_stopped if self.shown else self.house_stopped

    def stop(self, *, stopped: bool) -> None:
        """Let nothing be typed where the person is, or let it be typed again."""
        if self.shown:
            self.shown.is_stopped = stopped
        else:
            self.house_stopped = stopped

    def show(self, conversation: str | None) -> None:
        """Put a conversation on the screen, or the house."""
        self.shown = self.talks[conversation] if conversation is not None else None

    def apply(self, event: Event) -> None:
        """Fold one event in. An event that says nothing about the present changes nothing."""
        match event:
            case Ready() | Listening() | Hosting() | Dialing() | Error() | Refused():
                self._apply_reach(event)
            case Invite():
                self.invite = event
            case ConversationEvent():
                self._apply_talk(event)
            case _:
                pass

    def _apply_talk(self, event: ConversationEvent) -> None:
        if isinstance(event, Peer):
            self._welcome(event)
        talk = self.talks.get(event.conversation)
        if talk is None:
            return
        link = talk.link
        talk.apply(event)
        if talk.link is not link or isinstance(event, Peer | Closed):
            talk.turn = self._next_turn()
        if isinstance(event, Secure):
            self.ever_secure = True
            self.refused, self.exit_code = None, EXIT_DONE
        elif isinstance(event, Closed) and talk.link is Link.CLOSED and self.hosting:
            self._set_house(Link.WAITING)

    def _welcome(self, event: Peer) -> None:
        """Somebody is here. The first one comes to the screen; later ones wait to be gone to."""
        if event.conversation not in self.talks:
            self.talks[event.conversation] = Talk(event)
            if not self.is_several:
                self.show(event.conversation)
        self.invite = None
        self._set_house(Link.WAITING if self.hosting else Link.IDLE)

    def _set_house(self, link: Link) -> None:
        self._house_link, self._house_turn = link, self._next_turn()

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

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
                self._set_house(Link.DIALING)
                self.attempt = event.attempt
                self.target = join_address(event.address, event.port)
                self.refused = None
                self._go_on()
            case Refused():
                self._apply_refused(event)
            case Error():
                self.note_failure(event.code)

    def _apply_hosting(self, event: Hosting) -> None:
        self.hosting = event.active
        self.reachable = event.from_elsewhere if event.active else ()
        self.invited_only = event.invited_only
        if event.active:
            self._set_house(Link.WAITING)
            self._go_on()
            self._conclude(EXIT_DONE)
            return
        self.listening.clear()
        if self._house_link is Link.WAITING:
            self._house_link = Link.IDLE

    def _apply_refused(self, event: Refused) -> None:
        self.refused = event
        self.refused_caller = self.hosting and self._house_link is not Link.DIALING
        if self.refused_caller:
            return  # somebody was turned away; the host goes on as before
        self._set_house(Link.REFUSED)
        self._conclude(EXIT_TRUST if event.reason in _TRUST_REFUSALS else EXIT_CONNECT)

    def _go_on(self) -> None:
        """The person has taken something up again: with one conversation alone, here too."""
        self.house_stopped = False
        if self.shown and not self.is_several:
            self.shown.is_stopped = False

    def note_failure(self, code: str) -> None:
        """A command or an attempt has failed with this code; most codes say nothing about the connection."""
        if code in _CONNECT_ERRORS:
            self._set_house(Link.IDLE)
            self._conclude(EXIT_CONNECT)
        elif code == _BAD_INVITE:
            self._conclude(EXIT_TRUST)

    def _conclude(self, code: int) -> None:
        """What the program will say when it ends, unless a conversation has come about."""
        if not self.ever_secure:
            self.exit_code = code


def join_address(address: str, port: int) -> str:
    """An address as it is typed: IPv6 in brackets."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
