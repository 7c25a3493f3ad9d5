"""Two peers in memory: real sessions, wired together, with a clock that the test moves."""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Self, TypeVar

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.events import Ended, Instant, PayloadReceived, SessionEvent
from securechat_tui.protocol.frames import HEADER_LENGTH, FrameType, frame
from securechat_tui.protocol.handshake import GuestHandshake, Handshake, HostHandshake, State
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import Hello, HelloFlag, Payload, Resume
from securechat_tui.protocol.recordlayer import RecordLayer
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, conversation_id
from securechat_tui.protocol.text import SafeText

QUESTIONS = (
    events.SignatureNeeded,
    events.UnwrapNeeded,
    events.Called,
    events.HostIdentified,
    events.GuestIdentified,
    events.Authenticated,
)
"""The events that stand still until they are answered."""

E = TypeVar("E", bound=SessionEvent)
Alter = Callable[[str, bytes], bytes]
"""Takes the sender's role and one whole frame; returns what is to arrive instead."""
Chunks = Callable[[bytes], Iterable[bytes]]


@cache
def identity_key(name: str, bits: int = 3072) -> IdentityKey:
    """Return the key of a person, made once for the whole test run."""
    del name
    return IdentityKey.generate(bits)


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.monotonic = 1000.0

    @property
    def now(self) -> Instant:
        return Instant(self.monotonic, 1_800_000_000.0 + self.monotonic)

    def advance(self, seconds: float) -> None:
        self.monotonic += seconds


def split_frames(data: bytes) -> Iterator[bytes]:
    """Cut what a session wrote into its frames."""
    while data:
        end = HEADER_LENGTH + int.from_bytes(data[1:HEADER_LENGTH], "big")
        yield data[:end]
        data = data[end:]


def whole(data: bytes) -> Iterable[bytes]:
    """Deliver in one piece."""
    return (data,)


class Peer:
    """A session with its key, and a driver that answers what it asks."""

    def __init__(self, session: Session, key: IdentityKey, clock: Clock) -> None:
        self.session = session
        self.key = key
        self.clock = clock
        self.seen: list[SessionEvent] = []
        self.holding: tuple[type[SessionEvent], ...] = ()
        """Questions of these types stay unanswered, in ``held``."""
        self.kept: Handshake | None = None
        self.held: deque[SessionEvent] = deque()

    def absorb(self, happened: Iterable[SessionEvent]) -> None:
        """Note events, and answer the questions among them."""
        pending = deque(happened)
        while pending:
            event = pending.popleft()
            self.seen.append(event)
            if isinstance(event, self.holding):
                self.held.append(event)
            else:
                pending.extend(self.answer(event))

    def answer(self, event: SessionEvent) -> list[SessionEvent]:
        """Do what a well-meaning driver does."""
        now = self.clock.now
        match event:
            case events.SignatureNeeded(message):
                return self.session.signed(self.key.sign(message), now)
            case events.UnwrapNeeded(ciphertext, label, fallback):
                return self.session.unwrapped(self.key.unwrap(ciphertext, label, fallback), now)
            case events.Called():
                return self.session.admit(now)
            case events.HostIdentified() | events.GuestIdentified():
                return self.session.proceed(now)
            case events.Authenticated():
                self.kept = copy.copy(self.machine)
                return self.session.confirm(now)
        return []

    def answer_held(self) -> None:
        """Answer the oldest question that was held back."""
        self.absorb(self.answer(self.held.popleft()))

    def feed(self, data: bytes) -> None:
        """Let bytes arrive."""
        self.absorb(self.session.receive(data, self.clock.now))

    def send(self, payload: Payload) -> None:
        self.session.send(payload, self.clock.now)

    def tick(self) -> None:
        """Let the session see the present moment."""
        self.absorb(self.session.handle_timeout(self.clock.now))

    def events_of(self, kind: type[E]) -> list[E]:
        return [event for event in self.seen if isinstance(event, kind)]

    def one(self, kind: type[E]) -> E:
        """Return the only event of this type."""
        (event,) = self.events_of(kind)
        return event

    @property
    def payloads(self) -> list[Payload]:
        return [event.payload for event in self.events_of(PayloadReceived)]

    @property
    def ended(self) -> Ended | None:
        found = self.events_of(Ended)
        assert len(found) <= 1, "a session ends once"
        return found[0] if found else None

    @property
    def remembered(self) -> Handshake:
        """The machine as it was before a session stood: afterwards it has forgotten its secrets."""
        return self.kept or self.machine

    @property
    def machine(self) -> Handshake:
        return self.session._handshake

    @property
    def state(self) -> State:
        return self.machine.state

    @property
    def records(self) -> RecordLayer:
        assert self.session._records is not None
        return self.session._records

    def smuggle(self, payload: Payload | bytes) -> None:
        """Send a payload that this side's own rules would not let out."""
        if isinstance(payload, bytes):
            self.session._write(self.records._sender.seal(payload))
        else:
            self.session._write(self.records.seal(payload))


class Pair:
    """A guest and a host, and the wire between them."""

    def __init__(self, guest: Peer, host: Peer, clock: Clock) -> None:
        self.guest = guest
        self.host = host
        self.clock = clock
        self.alter: Alter = lambda _, data: data
        self.chunks: Chunks = whole
        self.wire: dict[str, list[bytes]] = {"guest": [], "host": []}
        """The frames that each side wrote, before ``alter``."""
        self.written = {"guest": bytearray(), "host": bytearray()}
        """What each side wrote and nobody has delivered yet."""

    @classmethod
    def connect(
        cls,
        *,
        guest_key: IdentityKey | None = None,
        host_key: IdentityKey | None = None,
        secrets: tuple[bytes | None, bytes | None] = (None, None),
        versions: tuple[tuple[int, ...], tuple[int, ...]] = ((c.VERSION,), (c.VERSION,)),
        rotations: tuple[tuple[Rotation, ...], tuple[Rotation, ...]] = ((), ()),
    ) -> Self:
        """Make two sessions; of each tuple the first is the guest's, the second the host's."""
        clock = Clock()
        guest_key, host_key = guest_key or identity_key("alice"), host_key or identity_key("bob")
        guest = Session.guest(
            guest_key.public, clock.now, secrets=secrets, versions=versions[0], rotations=rotations[0]
        )
        host = Session.host(host_key.public, clock.now, versions=versions[1], rotations=rotations[1])
        return cls(Peer(guest, guest_key, clock), Peer(host, host_key, clock), clock)

    @classmethod
    def established(cls) -> Self:
        """Return a pair whose handshake is complete."""
        pair = cls.connect()
        pair.run()
        return pair

    @classmethod
    def greeted(cls) -> Self:
        """Return a pair that has exchanged HELLO and the first pings."""
        pair = cls.established()
        for peer in pair.peers:
            peer.send(hello(peer))
        pair.run()
        return pair

    @classmethod
    def open(cls) -> Self:
        """Return a pair between which content flows."""
        pair = cls.greeted()
        for peer in pair.peers:
            peer.send(resume(pair))
        pair.run()
        for peer in pair.peers:
            peer.seen.clear()
        return pair

    @property
    def peers(self) -> tuple[Peer, Peer]:
        return self.guest, self.host

    def role_of(self, peer: Peer) -> str:
        return "guest" if peer is self.guest else "host"

    def other(self, peer: Peer) -> Peer:
        return self.host if peer is self.guest else self.guest

    def by_role(self, role: str) -> Peer:
        return {"guest": self.guest, "host": self.host}[role]

    def collect(self, source: Peer) -> None:
        """Take what ``source`` has written, without delivering it yet."""
        self.written[self.role_of(source)] += source.session.data_to_send()

    def deliver(self, source: Peer) -> bool:
        """Carry over what ``source`` has written; tell whether there was anything."""
        self.collect(source)
        role = self.role_of(source)
        data = bytes(self.written[role])
        self.written[role].clear()
        frames = list(split_frames(data))
        self.wire[role] += frames
        for chunk in self.chunks(b"".join(self.alter(role, one) for one in frames)):
            self.other(source).feed(chunk)
        return bool(data)

    def run(self) -> None:
        """Carry bytes both ways until both sides are quiet."""
        while self.deliver(self.guest) | self.deliver(self.host):
            pass

    def step(self) -> bool:
        """Do one thing: answer one question that is held, or carry one side's bytes."""
        for peer in self.peers:
            if peer.held:
                peer.answer_held()
                return True
        return self.deliver(self.guest) or self.deliver(self.host)


def pair_in(role: str, state: State, pair: Pair | None = None) -> Pair:
    """Return a pair whose ``role`` stands in ``state``, with every question held and its output collected."""
    pair = pair or Pair.connect()
    for peer in pair.peers:
        peer.holding = QUESTIONS
    subject = pair.by_role(role)
    while subject.state is not state:
        assert pair.step(), f"{role} never came to {state}"
    pair.collect(subject)
    return pair


GUEST_STATES = (
    State.AWAIT_K2,
    State.DECIDE_PEER,
    State.SIGN,
    State.AWAIT_FIN,
    State.DECIDE_PIN,
    State.COMPLETE,
)
HOST_STATES = (
    State.AWAIT_K1,
    State.DECIDE_CALL,
    State.SIGN,
    State.AWAIT_S,
    State.DECIDE_PEER,
    State.UNWRAP,
    State.AWAIT_FIN,
    State.DECIDE_PIN,
    State.COMPLETE,
)
STANDINGS = [("guest", state) for state in GUEST_STATES] + [("host", state) for state in HOST_STATES]
"""Every role and state in which a session can stand."""


def hello(peer: Peer) -> Hello:
    unix_ms = round(peer.clock.now.unix * 1000)
    return Hello(SafeText.name(peer.key.public.fingerprint.short), unix_ms, HelloFlag(0))


def resume(pair: Pair) -> Resume:
    ids = (pair.guest.key.public.fingerprint, pair.host.key.public.fingerprint)
    return Resume(conversation_id(*ids), b"g" * c.GENERATION_LENGTH, NO_GENERATION, 0, NO_HASH)


def host_with(
    machine: type[HostHandshake], key: IdentityKey, clock: Clock, versions: tuple[int, ...]
) -> Peer:
    """Return a host that runs another machine than the real one."""
    out: list[bytes] = []
    handshake = machine(key.public, versions, (), out.append)
    handshake.open()
    return Peer(Session(handshake, out, clock.now), key, clock)


def unchecked_identity(key: IdentityKey, spki: bytes) -> PublicIdentity:
    """Return a public identity that no rule has been held against."""
    identity = object.__new__(PublicIdentity)
    identity._key = key._key.public_key()
    identity.spki = spki
    identity.bits = identity._key.key_size
    identity.fingerprint = key.public.fingerprint
    return identity


def payload_of(data: bytes) -> bytes:
    """Return a frame's payload."""
    return data[HEADER_LENGTH:]


def flip(data: bytes, position: int, mask: int = 1) -> bytes:
    """Return ``data`` with bits of one byte changed."""
    return data[:position] + bytes((data[position] ^ mask,)) + data[position + 1 :]


def flip_in(role: str, kind: FrameType, position: int, mask: int = 1) -> Alter:
    """Return an ``alter`` that changes one byte of the payload of one side's frames of a type."""

    def alter(sender: str, data: bytes) -> bytes:
        if sender != role or data[0] != kind:
            return data
        return frame(kind, flip(payload_of(data), position, mask))

    return alter


def guest_machine(peer: Peer) -> GuestHandshake:
    assert isinstance(peer.remembered, GuestHandshake)
    return peer.remembered


def host_machine(peer: Peer) -> HostHandshake:
    assert isinstance(peer.remembered, HostHandshake)
    return peer.remembered
