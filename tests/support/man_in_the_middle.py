"""A man in the middle of two real sessions, and a judge of what he achieves.

The two sides of a :class:`Line` hold a short conversation by themselves: handshake, names, RESUME, a
signed message each way, acknowledgements, a rekey, goodbye. Every frame passes a :class:`Meddler`.
Whatever he does, :func:`accepted` must find nothing. It knows nothing of the product's checks: it
compares the bytes that one side wrote with the bytes that arrived at the other, and what one side
said with what the other took for said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, Self

from chat_boxes import Boxes
from protocol_peers import Clock, Peer, hello, identity_key, split_frames
from protocol_rekeying import spend
from session_state import clone

from securechat_tui.protocol import events
from securechat_tui.protocol.events import End, Ended, PayloadReceived, SessionEvent
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Goodbye,
    GoodbyeReason,
    Hello,
    Payload,
    Resume,
    Signed,
)
from securechat_tui.protocol.session import Session

ROLES = ("guest", "host")
NAMES = {
    "guest": (
        *("K1", "S", "FIN", "HELLO", "PING", "RESUME", "ANSWER", "SIGNATURE", "SIGNED"),
        *("ACKNOWLEDGEMENT", "REKEY_FIRST", "EMPTY", "GOODBYE"),
    ),
    "host": (
        *("K2", "FIN", "HELLO", "PING", "RESUME", "ANSWER", "SIGNATURE", "SIGNED"),
        *("ACKNOWLEDGEMENT", "REKEY_SECOND"),
    ),
}
"""What each side writes in an undisturbed conversation, frame by frame."""
SECRET = b"a reconnect secret of 32 bytes.."
HARMLESS_ENDS = {End.HANDSHAKE, End.LOST, End.BUSY, End.VERSION}
"""Ends that blame nobody and promise nothing."""


def other(role: str) -> str:
    return "host" if role == "guest" else "guest"


@dataclass(frozen=True)
class Letters:
    """What one side of a conversation has to say, made once: signing is slow."""

    resume: Payload
    message: tuple[Payload, ...]
    acknowledgement: Payload


@cache
def letters(role: str, guest: str, host: str) -> Letters:
    """Return what the side of this role says, where these two people talk."""
    keys = {"guest": identity_key(guest), "host": identity_key(host)}
    own, peer = (Boxes(keys[one], keys[other(one)].public) for one in (role, other(role)))
    resume = own.resume()
    own.inbox.announce(peer.outbox.generation)
    message = own.one(f"from the {role}")
    own.accept(*peer.one(f"from the {other(role)}"))
    return Letters(resume, message, own.inbox.acknowledgement())


@dataclass(frozen=True)
class Acceptance:
    """One thing that a side has taken for true, and how many bytes had arrived there by then."""

    event: SessionEvent
    arrived: int


class Side(Peer):
    """A session whose driver holds its part of the conversation, and remembers everything."""

    def __init__(self, session: Session, key: IdentityKey, clock: Clock, role: str, script: Letters) -> None:
        super().__init__(session, key, clock)
        self.role = role
        self.script = script
        self.frames: list[bytes] = []
        """What it wrote."""
        self.arrived = bytearray()
        self.said: list[bytes] = []
        """The payloads of its driver."""
        self.accepted: list[Acceptance] = []

    def clone(self, clock: Clock) -> "Side":
        """Return a side that goes on from here by itself."""
        twin = Side(clone(self.session), self.key, clock, self.role, self.script)
        twin.frames, twin.said, twin.accepted = self.frames[:], self.said[:], self.accepted[:]
        twin.arrived, twin.seen = self.arrived[:], self.seen[:]
        return twin

    def feed(self, data: bytes) -> None:
        self.arrived += data
        super().feed(data)
        self.collect()

    def collect(self) -> None:
        """Note what was written."""
        self.frames += split_frames(self.session.data_to_send())

    def say(self, *payloads: Payload) -> None:
        """Send payloads, as long as there is somebody to send them to."""
        for payload in payloads:
            if not self.session.closed:
                self.send(payload)
                self.said.append(payload.encode())

    def answer(self, event: SessionEvent) -> list[SessionEvent]:
        if isinstance(event, events.Authenticated | PayloadReceived | events.Rekeyed):
            self.accepted.append(Acceptance(event, len(self.arrived)))
        following = super().answer(event)
        match event:
            case events.Authenticated():
                self.say(hello(self))
            case PayloadReceived(payload=Hello()):
                self.say(self.script.resume)
            case PayloadReceived(payload=Resume()):
                self.say(*self.script.message)
            case PayloadReceived(payload=Signed()):
                self.say(self.script.acknowledgement)
            case PayloadReceived(payload=Acknowledgement()) if self.role == "guest":
                self._rekey()
            case events.Rekeyed() if self.role == "guest":
                self.said.append(Goodbye(GoodbyeReason.LEAVING).encode())
                following += self.session.goodbye(GoodbyeReason.LEAVING, self.clock.now)
        return following

    def _rekey(self) -> None:
        self.clock.advance(2.0)
        spend(self)
        self.tick()

    def moment(self) -> float | None:
        """When this side wants to look at the clock."""
        return self.session.next_timeout()


class Meddler(Protocol):
    """Decides what becomes of each frame."""

    def pass_on(self, role: str, index: int, frame: bytes) -> Iterable[bytes]:
        """Return the pieces that are to arrive instead of frame ``index`` of this role."""


class Nobody:
    """Lets everything pass."""

    def pass_on(self, role: str, index: int, frame: bytes) -> Iterable[bytes]:
        del role, index
        return (frame,)


@dataclass
class Line:
    """Two sides and what is on the way between them."""

    sides: dict[str, Side]
    clock: Clock
    delivered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ROLES, 0))
    """How many of each side's frames the man in the middle has had."""

    @classmethod
    def between(cls, guest: str, host: str) -> Self:
        """Connect two people; K1 carries the tag of :data:`SECRET`."""
        clock = Clock()
        keys = identity_key(guest), identity_key(host)
        sessions = (
            Session.guest(keys[0].public, clock.now, secrets=(SECRET, None)),
            Session.host(keys[1].public, clock.now),
        )
        sides = {
            role: Side(session, key, clock, role, letters(role, guest, host))
            for role, session, key in zip(ROLES, sessions, keys, strict=True)
        }
        sides["guest"].collect()
        return cls(sides, clock)

    @classmethod
    def held(cls, guest: str, host: str) -> Self:
        """Return a conversation that was held to its end, undisturbed."""
        line = cls.between(guest, host)
        line.play(Nobody())
        return line

    def clone(self) -> "Line":
        """Return a line that goes on from here by itself."""
        clock = Clock()
        clock.monotonic = self.clock.monotonic
        sides = {role: side.clone(clock) for role, side in self.sides.items()}
        return Line(sides, clock, dict(self.delivered))

    def waiting(self) -> tuple[str, int] | None:
        """Return the next frame to be carried, by role and index; the host's first."""
        for role in reversed(ROLES):
            if self.delivered[role] < len(self.sides[role].frames):
                return role, self.delivered[role]
        return None

    def carry(self, meddler: Meddler) -> None:
        """Carry frames both ways until nobody writes any more."""
        while (following := self.waiting()) is not None:
            role, index = following
            self.delivered[role] += 1
            for piece in meddler.pass_on(role, index, self.sides[role].frames[index]):
                self.sides[other(role)].feed(piece)

    def play(self, meddler: Meddler) -> None:
        """Hold the conversation to its end: of itself, by a cut where one side has left, or by time."""
        self.carry(meddler)
        while not all(side.session.closed for side in self.sides.values()):
            if any(side.session.closed for side in self.sides.values()):
                for side in self.sides.values():
                    side.absorb(side.session.receive_eof(self.clock.now))
                return
            moments = [moment for side in self.sides.values() if (moment := side.moment()) is not None]
            self.clock.monotonic = max(self.clock.monotonic, min(moments))
            for side in self.sides.values():
                side.tick()
                side.collect()
            self.carry(meddler)


Points = dict[tuple[str, int], Line]
"""A conversation at every stage: the line before frame ``index`` of a role arrives."""


def checkpoints(line: Line) -> Points:
    """Hold an undisturbed conversation and keep every stage of it."""
    points: Points = {}
    while (following := line.waiting()) is not None:
        points[following] = line.clone()
        role, index = following
        line.delivered[role] += 1
        line.sides[other(role)].feed(line.sides[role].frames[index])
    return points


# The judge.


def accepted(line: Line) -> list[str]:
    """Say what was taken for true and is not; nothing is what it has to be.

    A side that accepts anything (the peer's FIN, a payload, a new epoch) must have received, until
    then, exactly what the other wrote, byte for byte and in order; one that accepts a FIN must
    have been heard in the same way itself. What is delivered is what was said, in order and once.
    Nobody is blamed, and a goodbye that arrives was said.
    """
    found = [f"{side.role}: {word}" for side in line.sides.values() for word in _wrongs(line, side)]
    proofs = [proof for side in line.sides.values() for proof in side.events_of(events.Authenticated)]
    if len({(proof.session_id, proof.reconnect_secret) for proof in proofs}) > 1:
        found.append("the two hold different secrets")
    return found


def _wrongs(line: Line, side: Side) -> Iterator[str]:
    peer = line.sides[other(side.role)]
    written = b"".join(peer.frames)
    for one in side.accepted:
        name = type(one.event).__name__
        if not written.startswith(side.arrived[: one.arrived]):
            yield f"accepted {name} after what the peer did not write"
        if isinstance(one.event, events.Authenticated):
            yield from _misheard(side, peer, one.event)
    heard = [payload.encode() for payload in side.payloads]
    if heard != peer.said[: len(heard)]:
        yield "was told what the peer did not say"
    if side.ended and not _fair(side, peer, side.ended):
        yield f"ended by {side.ended.how}"


def _misheard(side: Side, peer: Side, proof: events.Authenticated) -> Iterator[str]:
    own = b"".join(side.frames[:2])
    if not peer.arrived.startswith(own):
        yield "completed though it was heard wrongly itself"
    if proof.identity.fingerprint != peer.key.public.fingerprint:
        yield "completed with another identity than the peer's"


def _fair(side: Side, peer: Side, ended: Ended) -> bool:
    goodbye = Goodbye(GoodbyeReason.LEAVING).encode()
    if ended.how is End.LEFT:
        return goodbye in side.said
    if ended.how is End.GOODBYE:
        return goodbye in peer.said
    return ended.how in HARMLESS_ENDS
