"""Two people with the product's sessions and conversations in memory, and a wire that records frames."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from vector_chance import Chance
from vector_conversation import Correspondence
from vector_identities import identity

from securechat_tui.chat.outbox import Outbox, ResumeConflict
from securechat_tui.protocol import events, signing
from securechat_tui.protocol.constants import GENERATION_LENGTH
from securechat_tui.protocol.errors import RemoteError
from securechat_tui.protocol.events import Ended, Instant, SessionEvent
from securechat_tui.protocol.frames import HEADER_LENGTH
from securechat_tui.protocol.handshake import shows_secret
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Goodbye,
    GoodbyeReason,
    Hello,
    Payload,
    Resume,
    StopReason,
)
from securechat_tui.protocol.records import Direction
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.session import Session
from securechat_tui.trust.codes import ShortAuthenticationString
from securechat_tui.trust.comparison import Comparison

UNIX_MS = 1_800_000_000_000
"""The time of day at which every recording begins."""


@dataclass
class Frame:
    """What one side sent, and when, in milliseconds after the connection was made."""

    role: str
    ms: int
    data: bytes


class Person:
    """One end: the product's session and conversation, driven as the program drives them."""

    def __init__(self, scene: "Scene", role: str, name: str) -> None:
        self.scene, self.role, self.name, self.key = scene, role, name, identity(name)
        earlier = scene.earlier and scene.earlier.person(role)
        self.newest: bytes | None = earlier.newest if earlier else None
        self.confirmed: bytes | None = earlier.confirmed if earlier else None
        self.shown: bytes | None = None
        """At the host: the secret that the call has shown."""
        self.secret: bytes | None = None
        """The session's reconnect secret."""
        self.conversation: Correspondence | None = None
        self.comparison: Comparison | None = None
        self.has_declined = False
        """Whether a payload of a comparison was answered by STOP."""
        self.ended: Ended | None = None
        self.refusal: RemoteError | ResumeConflict | None = None
        """What the peer's content did wrong, where the session itself found nothing."""
        self.session = self._begin()

    def _begin(self) -> Session:
        public, now, scene = self.key.public, self.scene.now, self.scene
        if self.role == "host":
            return Session.host(public, now, versions=scene.versions[1], rotations=scene.rotations[1])
        shown = (self.newest, self.confirmed if self.confirmed != self.newest else None)
        return Session.guest(
            public, now, secrets=shown, versions=scene.versions[0], rotations=scene.rotations[0]
        )

    # What a connection does.

    def flush(self) -> None:
        """Put what the session wrote on the wire."""
        data = self.session.data_to_send()
        while data:
            end = HEADER_LENGTH + int.from_bytes(data[1:HEADER_LENGTH], "big")
            self.scene.post(self.role, data[:end])
            data = data[end:]

    def receive(self, data: bytes) -> None:
        """Let bytes arrive."""
        self._absorb(self.session.receive(data, self.scene.now))
        self.flush()

    def do(self, happened: Iterable[SessionEvent]) -> None:
        """Take what one of our own calls has caused."""
        self._absorb(happened)
        self.flush()

    def _absorb(self, happened: Iterable[SessionEvent]) -> None:
        pending = deque(happened)
        while pending:
            pending.extend(self._take(pending.popleft()))

    def _take(self, event: SessionEvent) -> list[SessionEvent]:
        match event:
            case events.PayloadReceived(payload):
                return self._payload(payload)
            case Ended():
                self.ended = event
                return []
        return self._answer(event)

    def _answer(self, event: SessionEvent) -> list[SessionEvent]:
        session, now = self.session, self.scene.now
        match event:
            case events.SignatureNeeded(message):
                return session.signed(self.scene.chance.sign(self.key, message), now)
            case events.UnwrapNeeded(ciphertext, label, fallback):
                return session.unwrapped(self.key.unwrap(ciphertext, label, fallback), now)
            case events.Called():
                self._look_up(event)
                return session.admit(now)
            case events.HostIdentified() | events.GuestIdentified():
                return session.proceed(now)
            case events.Authenticated():
                return self._authenticated(event)
        return []

    def _look_up(self, call: events.Called) -> None:
        """Where both tags match, the lower secret counts as shown."""
        known = (one for one in (self.newest, self.confirmed) if one and shows_secret(call, one))
        self.shown = min(known, default=None)

    def _authenticated(self, proof: events.Authenticated) -> list[SessionEvent]:
        self.secret = proof.reconnect_secret
        if self.role == "host":
            self.newest, self.confirmed = self.secret, self.shown or self.confirmed
        elif self.confirmed in {None, self.newest}:
            self.newest, self.confirmed = self.secret, self.newest
        happened = self.session.confirm(self.scene.now)
        self.comparison = self._comparison(proof)
        earlier = self.scene.earlier and self.scene.earlier.person(self.role).conversation
        if earlier:
            self.conversation = earlier
        else:
            self.scene.chance.draw(GENERATION_LENGTH)  # the recordings are older: it leaves them as they are
            self.conversation = Correspondence(self.key, proof.identity)
        if self.scene.speaks and not self.session.closed:
            self.conversation.attach(self.send, self.name, self.scene.clock.unix_ms)
        return happened

    def _comparison(self, proof: events.Authenticated) -> Comparison:
        own, peer = self.key.public.fingerprint, proof.identity.fingerprint
        if self.role == "guest":
            return Comparison(Direction.GUEST, proof.session_id, own, peer)
        return Comparison(Direction.HOST, proof.session_id, peer, own)

    def _payload(self, payload: Payload) -> list[SessionEvent]:
        conversation = self._conversation()
        if self.role == "guest":
            self.newest = self.confirmed = self.secret
        try:
            match payload:
                case Hello():
                    conversation.greeted()
                case Resume():
                    conversation.resumed(payload)
                case Goodbye():
                    pass
                case ComparisonAsk() | ComparisonStep() | ComparisonStop():
                    self._compare(payload)
                case _:
                    conversation.receive(payload)
        except RemoteError as error:
            self.refusal = error
            return self.session.reject(str(error), self.scene.now)
        except ResumeConflict as conflict:
            self.refusal = conflict
            return self.session.goodbye(GoodbyeReason.GATED, self.scene.now)
        return []

    def _conversation(self) -> Correspondence:
        if self.conversation is None:
            raise ValueError("no session stands")
        return self.conversation

    def _compare(self, payload: ComparisonAsk | ComparisonStep | ComparisonStop) -> None:
        for answer in self._run().receive(payload):
            self.has_declined = self.has_declined or isinstance(answer, ComparisonStop)
            self.session.send(answer, self.scene.now)

    def _run(self) -> Comparison:
        if self.comparison is None:
            raise ValueError("no session stands")
        return self.comparison

    # What a person does.

    @property
    def code(self) -> ShortAuthenticationString | None:
        """What there is to compare."""
        return self.comparison.code if self.comparison else None

    def ask(self) -> None:
        """Ask for a comparison."""
        for payload in self._run().ask():
            self.send(payload)

    def stop(self, reason: StopReason) -> None:
        """End a comparison, or the peer's wish for one."""
        for payload in self._run().stop(reason):
            self.send(payload)

    @property
    def author(self) -> Outbox:
        """What this side has written."""
        return self._conversation().outbox

    def write(self, *texts: str) -> None:
        """Write messages, at most 128 under one signature."""
        for text in texts:
            self.author.add(text, None, self.scene.clock.unix_ms, self._conversation().inbox.seen)
        self.author.kept(self.author.position)
        while messages := self.author.to_sign():
            message = self.author.signing_input(messages)
            batch = self.author.batch(messages, self.scene.chance.sign(self.key, message))
            if batch is not None:
                self.author.signed(messages, batch)
        self.pour()

    def pour(self) -> None:
        """Write what waits."""
        self.author.kept(self.author.position)
        while found := self.author.next_to_write():
            for payload in found[1]:
                self.send(payload)

    def send(self, payload: Payload) -> None:
        """Seal one payload."""
        self.session.send(payload, self.scene.now)
        self.flush()

    def unsigned(self, text: str) -> None:
        """Write an unsigned message."""
        self.author.add_unsigned(text, None, self.scene.clock.unix_ms)
        self.pour()

    def gone(self, text: str, *, signed: bool) -> None:
        """Cancel a message, and say so."""
        author, moment = self.author, self.scene.clock.unix_ms
        message = (
            author.add(text, None, moment, signing.Seen())
            if signed
            else author.add_unsigned(text, None, moment)
        )
        author.cancel(message)
        self.pour()

    def acknowledge(self) -> None:
        """Say what has arrived, where something has."""
        if self.conversation is not None and not self.session.closed:
            self.conversation.acknowledge()

    def rekey(self) -> None:
        """Start a rekey, as the guest."""
        self.session._demand_rekey(self.session._established())
        self.do(self.session._drain())

    def leave(self) -> None:
        """Say goodbye."""
        self.do(self.session.goodbye(GoodbyeReason.LEAVING, self.scene.now))


class Stopped(Exception):
    """The frame at which the recording was to stop is the next to be delivered."""


@dataclass
class Clock:
    """Milliseconds since the connection was made."""

    ms: int = 0

    @property
    def unix_ms(self) -> int:
        """The time of day."""
        return UNIX_MS + self.ms

    @property
    def now(self) -> Instant:
        """The moment."""
        return Instant(1000 + self.ms / 1000, self.unix_ms / 1000)


@dataclass
class Scene:
    """One connection between two people, and all its frames in the order in which they were sent."""

    chance: Chance
    clock: Clock
    names: tuple[str, str] = ("alice", "bob")
    versions: tuple[tuple[int, ...], tuple[int, ...]] = ((1,), (1,))
    rotations: tuple[tuple[Rotation, ...], tuple[Rotation, ...]] = ((), ())
    earlier: "Scene | None" = None
    """The recording whose conversation goes on here."""
    speaks: bool = True
    """Whether anything is said after the handshake."""
    stop: int | None = None
    """The frame before which to stop."""
    frames: list[Frame] = field(default_factory=list)
    delivered: int = 0

    def __post_init__(self) -> None:
        self.guest = Person(self, "guest", self.names[0])
        self.host = Person(self, "host", self.names[1])
        self.secrets = {
            person.role: {"newest": person.newest, "confirmed": person.confirmed}
            for person in (self.guest, self.host)
        }
        self.guest.flush()

    @property
    def now(self) -> Instant:
        """The moment."""
        return self.clock.now

    def person(self, role: str) -> Person:
        """Return one side."""
        return self.guest if role == "guest" else self.host

    def other(self, role: str) -> Person:
        """Return the other side."""
        return self.host if role == "guest" else self.guest

    def post(self, role: str, data: bytes) -> None:
        """Put a frame on the wire."""
        self.frames.append(Frame(role, self.clock.ms, data))

    def run(self) -> None:
        """Deliver frames until both sides are quiet."""
        while self.delivered < len(self.frames):
            role = self.step()
            if all(one.role != role for one in self.frames[self.delivered :]):
                self.other(role).acknowledge()
        self._check_stop()

    def step(self) -> str:
        """Deliver one frame; return who sent it."""
        self._check_stop()
        frame = self.frames[self.delivered]
        self.delivered += 1
        self.other(frame.role).receive(frame.data)
        return frame.role

    def _check_stop(self) -> None:
        if self.delivered == self.stop:
            raise Stopped

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.clock.ms += ms

    def cut(self) -> None:
        """Lose the connection, and everything on it."""
        for person in (self.guest, self.host):
            person.do(person.session.receive_eof(self.now))
