"""The reference peer: sections 12 to 14 of docs/protocol.md over the other ``reference_*`` modules."""

import socket
import time
from collections.abc import Callable

from reference_comparison import LENGTHS, Comparison, Said
from reference_crypto import Cut, Fields, Identity, Violation, Wire, lp16, u
from reference_handshake import Agreed, Contact, Hint, guest_handshake, host_handshake
from reference_invites import Invite
from reference_messages import (
    ACKNOWLEDGEMENT,
    GONE,
    RESUME,
    SIGNATURE,
    SIGNED,
    UNSIGNED,
    Gated,
    Inbox,
    Outbox,
    Reject,
    read_signature,
)
from reference_records import REKEY_FIRST, REKEY_SECOND, Records

HELLO, PING, EMPTY, GOODBYE = 1, 15, 16, 17
LEAVING, REJECTED, REPLACED, GATED = 1, 2, 3, 4
REQUIRES_SIGNATURES = 1


class Session:
    """Section 12: one established session. Nothing happens in it but in the calls below."""

    def __init__(
        self, wire: Wire, me: Identity, agreed: Agreed, boxes: tuple[Outbox, Inbox], gate: bool
    ) -> None:
        self.wire, self.agreed, self.records = wire, agreed, Records(me, agreed, wire.chance)
        (self.outbox, self.inbox), self.is_at_gate = boxes, gate
        self.peer_name: str | None = None
        self.peer_flags = 0
        self.is_resumed = self.is_peer_resumed = False
        self.batch: tuple[int, bytes] | None = None  # the peer's last SIGNATURE
        self.said: bytes | None = None  # our last SIGNATURE
        self.position = 0  # the last number written in this session
        self.next_ping, self.last_heard = 0.0, wire.chance.now()
        self.token, self.is_answered = b"", False  # our last PING
        names = me.fp, agreed.contact.key.fp
        fp_g, fp_h = reversed(names) if agreed.is_host else names
        self.comparison = Comparison(agreed.is_host, agreed.session_id, fp_g, fp_h, wire.chance)
        self.ended: int | None = None  # the reason in the peer's GOODBYE

    # Sending

    def send(self, kind: int, body: bytes = b"") -> None:
        """Seal one payload."""
        self.records.signatures += kind == SIGNATURE
        self.wire.send(b"M", self.records.seal(u(kind, 1) + body))

    def hello(self, name: str, flags: int) -> None:
        """Section 12.2: HELLO, and RESUME unless we stand at our gate."""
        self.flags = flags
        self.send(HELLO, lp16(name.encode()) + u(int(time.time() * 1000), 8) + u(flags, 1))
        if not self.is_at_gate:
            self.pass_gate()

    def pass_gate(self) -> None:
        """Sections 12.2 and 13.5: RESUME says that we are past our gate."""
        self.is_at_gate, self.is_resumed = False, True
        self.send(RESUME, self.outbox.conversation + self.outbox.generation + self.inbox.state())
        self.flush()

    def flush(self) -> None:
        """Write what waits, each SIGNATURE before its leaves."""
        if not (self.is_resumed and self.is_peer_resumed):
            return
        for entry in self.outbox.entries[self.position :]:
            if entry.payload[0] == UNSIGNED and self.peer_flags & REQUIRES_SIGNATURES:
                raise ValueError("section 12.2: this peer wants signatures")
            if entry.signature not in {None, self.said}:
                self.said = entry.signature
                self.send(SIGNATURE, (entry.signature or b"")[1:])
            entry.was_written = True
            self.position += 1
            self.send(entry.payload[0], entry.payload[1:])

    def say(self, said: Said) -> None:
        """Send payloads."""
        for kind, body in said:
            self.send(kind, body)

    def rekey(self) -> None:
        """Section 11: start one, as the guest."""
        self.send(REKEY_FIRST, self.records.ask()[1:])

    def goodbye(self, reason: int = LEAVING) -> None:
        """Section 12.3: the last record."""
        self.send(GOODBYE, u(reason, 1))
        self.wire.close()

    # Receiving

    def run(self, until: Callable[[], bool], seconds: float = 10) -> None:
        """Take records until the condition holds; raises what ends the session before."""
        deadline = self.wire.chance.now() + seconds
        while not until():
            try:
                self.step(deadline)
            except Reject:
                self.goodbye(REJECTED)
                raise
            except Gated:
                self.goodbye(GATED)
                raise
            except Violation:
                self.wire.drop()
                raise

    def step(self, deadline: float) -> None:
        """Take one record, and do what the time demands."""
        now = self.wire.chance.now()
        if now > self.last_heard + 45:
            raise Cut("the peer is gone")
        if self.peer_name is not None and now >= self.next_ping:
            self.next_ping = now + 15
            self.token = self.wire.chance.random("token", 8)
            self.send(PING, u(0, 1) + self.token)
        if self.peer_name is not None and self.records.is_due():
            self.rekey()
        _, record = self.wire.receive({b"M": range(276, 65557)}, deadline)
        payload = self.records.open(record)
        if not self.agreed.is_host:
            contact = self.agreed.contact
            contact.newest = contact.confirmed = self.agreed.reconnect  # 9.2
        self.last_heard = self.wire.chance.now()
        if not payload:
            raise Violation("malformed payload: no kind")
        self._admit(payload[0])
        self._take(payload[0], payload[1:])

    def _admit(self, kind: int) -> None:
        """Section 12.1. Our own HELLO is out before anything is received."""
        if kind == HELLO or self.peer_name is None:
            allowed = kind == HELLO and self.peer_name is None
        elif kind in {SIGNED, UNSIGNED, SIGNATURE, ACKNOWLEDGEMENT, GONE}:
            allowed = self.is_resumed and self.is_peer_resumed
        else:
            allowed = True
        if not allowed:
            raise Violation(f"out of place: kind {kind}")

    def _take(self, kind: int, body: bytes) -> None:
        takers = {HELLO: self._hello, RESUME: self._resume, PING: self._ping, GOODBYE: self._goodbye}
        takers |= {SIGNATURE: self._signature, SIGNED: self._signed, UNSIGNED: self._unsigned}
        takers |= {GONE: self._gone, ACKNOWLEDGEMENT: self._acknowledgement}
        takers |= {REKEY_FIRST: self._rekey_first, REKEY_SECOND: self._rekey_second}
        if kind in takers:
            takers[kind](body)
        elif kind in LENGTHS:
            self.say(self.comparison.take(kind, body))
        elif kind < 128:
            Fields(body).need(kind == EMPTY and not body)

    def _hello(self, body: bytes) -> None:
        fields = Fields(body)
        name = fields.lp16(256)
        fields.take(8)
        self.peer_flags = fields.number(1)
        fields.end()
        try:
            self.peer_name = name.decode()
        except UnicodeDecodeError:
            raise Violation("malformed payload: the name is not UTF-8") from None

    def _resume(self, body: bytes) -> None:
        """Section 13.5, RESUME."""
        fields = Fields(body)
        conversation, generation, known = fields.take(32), fields.take(16), fields.take(16)
        high, running = fields.number(8), fields.take(32)
        fields.end()
        if conversation != self.outbox.conversation:
            raise Reject("protocol violation: a RESUME of another conversation")
        if generation == bytes(16):
            raise Reject("out of order: a RESUME without a generation")
        if generation != self.inbox.generation:
            self.inbox.begin(generation)
        is_first, self.is_peer_resumed = not self.is_peer_resumed, True
        if self.outbox.resume(known, high, running, self.inbox.seen):
            self.position = 0
            if self.is_resumed:
                self.pass_gate()
        elif is_first:
            self.position = self.outbox.acknowledged
        self.flush()

    def _signature(self, body: bytes) -> None:
        self.records.signatures += 1
        self.batch = read_signature(body, self.agreed.contact.key, self.inbox.conversation)

    def _signed(self, body: bytes) -> None:
        self.inbox.accept_signed(body, self.batch, self.outbox)
        self.send(ACKNOWLEDGEMENT, self.inbox.state())

    def _unsigned(self, body: bytes) -> None:
        if self.flags & REQUIRES_SIGNATURES:
            raise Reject("protocol violation: an unsigned message")
        self.inbox.accept_unsigned(body)
        self.send(ACKNOWLEDGEMENT, self.inbox.state())

    def _gone(self, body: bytes) -> None:
        self.inbox.accept_gone(body)
        self.send(ACKNOWLEDGEMENT, self.inbox.state())

    def _acknowledgement(self, body: bytes) -> None:
        fields = Fields(body)
        generation, high, running = fields.take(16), fields.number(8), fields.take(32)
        fields.end()
        self.outbox.acknowledge(generation, high, running)

    def _rekey_first(self, body: bytes) -> None:
        self.wire.send(b"M", self.records.answer(u(REKEY_FIRST, 1) + body))

    def _rekey_second(self, body: bytes) -> None:
        self.records.finish(u(REKEY_SECOND, 1) + body)
        self.send(EMPTY)

    def _ping(self, body: bytes) -> None:
        fields = Fields(body)
        answer, token = fields.number(1), fields.take(8)
        fields.need(answer <= 1)
        fields.end()
        if answer:
            self.is_answered = self.is_answered or token == self.token
        else:
            self.send(PING, u(1, 1) + token)

    def _goodbye(self, body: bytes) -> None:
        Fields(body).need(len(body) == 1 and body[0] in range(LEAVING, GATED + 1))
        self.ended = body[0]
        self.wire.close()


class Peer:
    """A person with the reference peer: an identity, contacts, and what was written and received."""

    def __init__(self, me: Identity, name: str = "Reference") -> None:
        self.me, self.name = me, name
        self.contacts: list[Contact] = []
        self.boxes: dict[bytes, tuple[Outbox, Inbox]] = {}
        self.wire: Callable[[socket.socket], Wire] = Wire
        self.versions = [1]
        self.wires: list[Wire] = []

    def call(
        self, port: int, expected: Contact | None = None, gate: bool = False, invite: Invite | None = None
    ) -> Session:
        """As the guest; ``expected`` is the contact that must answer."""
        wire = self._wire(socket.create_connection(("127.0.0.1", port), 10))
        return self._establish(wire, guest_handshake(wire, self.me, expected, self.versions, invite), gate)

    def answer(self, listener: socket.socket, busy: bool = False, gate: bool = False) -> Session:
        """As the host: the next caller of ``listener``."""
        wire = self._wire(listener.accept()[0])
        try:
            agreed = host_handshake(wire, self.me, self.contacts, self.versions, busy)
        except Hint:
            wire.close()
            raise
        return self._establish(wire, agreed, gate)

    def hang_up(self) -> None:
        """Close every connection, without a word."""
        for wire in self.wires:
            wire.stream.close()

    def _wire(self, stream: socket.socket) -> Wire:
        self.wires.append(self.wire(stream))
        return self.wires[-1]

    def _establish(self, wire: Wire, agreed: Agreed, gate: bool) -> Session:
        key = agreed.contact.key
        if agreed.contact not in self.contacts:
            self.contacts.append(agreed.contact)
        boxes = self.boxes.setdefault(key.fp, (Outbox(self.me, key), Inbox(self.me, key)))
        session = Session(wire, self.me, agreed, boxes, gate)
        session.hello(self.name, flags=0)
        return session
