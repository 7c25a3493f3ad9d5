"""One conversation with one key: its messages, over however many sessions."""

import asyncio
import time
from dataclasses import replace

from securechat_tui.chat import events, gates
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.inbox import Accepted, Inbox
from securechat_tui.chat.limits import MAX_PENDING
from securechat_tui.chat.outbox import Outbox, Outgoing
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.views import Counters
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import RemoteError, SignatureFailure
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Hello,
    HelloFlag,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
)
from securechat_tui.protocol.signing import NO_GENERATION
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.states import Trust


def unix_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class Conversation:
    """Delivers one's own messages and checks the peer's, session after session."""

    def __init__(
        self, key: IdentityKey, peer: PublicIdentity, stream: EventStream, progress: asyncio.Event
    ) -> None:
        """``progress`` is set whenever something has been delivered."""
        self.peer = peer
        self.outbox = Outbox(key.public.fingerprint, peer.fingerprint)
        self.inbox = Inbox(key.public.fingerprint, peer, self.outbox.check_seen)
        self.id = self.outbox.conversation.hex()
        self.counters = Counters()
        self.trust = Trust.NEW
        self.name = SafeText.name("")
        """What the peer is called here."""
        self.secure = False
        """Whether messages flow now."""
        self.known = False
        """Whether they have flowed in any session: what is typed has its recipient."""
        self.distrusted = False
        """Whether codes have differed in this run, and a person has not found them the same since."""
        self.gate = ""
        """Why nothing may pass until a person has decided; empty where nothing stands in the way."""
        self._held_resume: Resume | None = None
        self._key = key
        self._stream = stream
        self._progress = progress
        self._connection: Connection | None = None
        self._writer: asyncio.Task[None] | None = None
        self._work = asyncio.Event()
        self._clock_offset_ms = 0
        self._peer_durable = False
        self._requires = False
        """Whether this side takes signed messages alone."""
        self._peer_requires = False
        """Whether the peer does, as its latest HELLO says."""
        self._holds_unsigned = False
        self._resolution: Resolution | None = None
        self._ack_due = False

    # A session begins and ends.

    def attach(
        self, connection: Connection, own_name: str, trust: Trust, gate: str = "", *, requires: bool = False
    ) -> None:
        """Take a session whose handshake is complete, and say HELLO; ``requires``: the peer must sign."""
        self._connection = connection
        self.trust = trust
        self.gate = gate
        self._requires = requires
        self._resolution = None
        self.outbox.begin_session()
        self.inbox.begin_session()
        flags = HelloFlag.SIGNATURES_REQUIRED if requires else HelloFlag(0)
        self.say(Hello(SafeText.name(own_name), unix_ms(), flags))

    def detach(self) -> None:
        """Let the session go; what is not delivered stays."""
        self._connection = None
        self.secure = False
        self.gate, self._held_resume = "", None
        self.inbox.begin_session()
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None

    def greeted(self, hello: Hello, name: SafeText, *, holds_unsigned: bool = False) -> None:
        """The peer has said HELLO; ``name`` is what it is called here. Say where each direction stands.

        ``holds_unsigned``: something unsigned is held for it, besides what is numbered already.
        """
        self._clock_offset_ms = unix_ms() - hello.time_ms
        self._peer_durable = HelloFlag.DURABLE in hello.flags
        self._peer_requires = HelloFlag.SIGNATURES_REQUIRED in hello.flags
        self._holds_unsigned = holds_unsigned
        self.name = name
        if not self.gate:
            self.open_gate()

    def open_gate(self) -> Resume | None:
        """Nothing stands in the way any more: say RESUME. Return the peer's, where it has come meanwhile.

        Unsigned messages for a peer who takes signed ones alone are the next gate.
        """
        self.gate = gates.UNSIGNED if self._is_in_doubt() else ""
        if self.gate:
            return None
        self._say_resume()
        return self._held_resume

    def resolve(self, choice: Resolution) -> None:
        """Decide about the unsigned messages; it is done when the peer has said which of them it has."""
        self._resolution = choice

    def _is_in_doubt(self) -> bool:
        waiting = self._holds_unsigned or bool(self.outbox.unsigned())
        return self._peer_requires and waiting and self._resolution is None

    def _say_resume(self) -> None:
        inbox = self.inbox
        known = inbox.generation != NO_GENERATION
        self.say(
            Resume(
                self.outbox.conversation,
                self.outbox.generation,
                inbox.generation,
                inbox.high if known else 0,
                inbox.running,
            )
        )

    def resumed(self, word: Resume) -> bool:
        """Take the peer's RESUME; True when messages begin to flow with it.

        Raises ResumeConflict where the two accounts differ, RemoteError for another conversation.
        """
        if word.conversation != self.outbox.conversation:
            raise RemoteError("RESUME of another conversation")
        if self.gate:
            self._held_resume = word
            return False
        self.inbox.announce(word.generation)
        announced = self.outbox.generation
        delivered, renumbered = self.outbox.resume(word)
        self._tell_delivered(delivered)
        if self.outbox.generation != announced:
            self._say_resume()
        for message in renumbered:
            self._tell_queued(message)
        self._work.set()
        begins = not self.secure
        self.secure = self.known = True
        return begins

    def flow(self) -> None:
        """Begin to write what waits, after what was decided about it."""
        self._carry_out()
        self._work.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write(), name="outbox")

    # Messages.

    def send(self, text: str, ref: str | None, *, signed: bool = True) -> None:
        """Number a message and queue it.

        Raises CommandError at the gate, where nothing is taken, and for what the peer would reject.
        """
        if self.gate:
            raise CommandError("gated", "Nothing is sent until you have decided about this key.")
        if len(self.outbox) >= MAX_PENDING:
            raise CommandError("busy", "Too many messages wait for delivery: wait until some have arrived.")
        self.check_signed(signed=signed)
        self.queue(text, ref, signed=signed)

    def check_signed(self, *, signed: bool) -> None:
        """Raise CommandError for an unsigned message where the peer has said that it takes none."""
        if self._peer_requires and not signed:
            sentence = f"{self.name} takes signed messages only, so this was not sent: "
            raise CommandError("unsigned", sentence + "/signed before it sends it, on the record.")

    def queue(self, text: str, ref: str | None, *, signed: bool) -> None:
        """Number a message; one that the peer does not take is decided about before it is written."""
        self._number(text, ref, unix_ms(), signed=signed)
        self._work.set()

    def _number(self, text: str, ref: str | None, claimed_ms: int, *, signed: bool) -> None:
        if signed:
            message = self.outbox.add(text, ref, claimed_ms, self.inbox.seen)
        else:
            message = self.outbox.add_unsigned(text, ref, claimed_ms)
        self._tell_queued(message)

    def _carry_out(self) -> None:
        """Let go the unsigned messages that a person has decided about, or sign them under new numbers."""
        if self._resolution is None:
            return
        for message in self.outbox.unsigned():
            self.outbox.cancel(message)
            signs = self._resolution is Resolution.SIGN
            self._stream.emit(
                events.Cancelled(
                    time=time.time(),
                    conversation=self.id,
                    number=message.number,
                    ref=message.ref,
                    renumbered=signs,
                )
            )
            if signs:
                self._number(message.text, message.ref, message.claimed_ms, signed=True)
        self._progress.set()

    def receive(self, payload: Payload) -> None:
        """Take content of the peer; raises a RemoteError for what breaks a rule."""
        self._ack_due = self._ack_due or isinstance(payload, Signed | Unsigned | Gone)
        match payload:
            case Signature():
                self.inbox.signature(payload)
            case Signed():
                self._accept(self.inbox.signed(payload))
            case Unsigned() if self._requires:
                raise SignatureFailure("unsigned, where signatures are required")
            case Unsigned():
                self._accept(self.inbox.unsigned(payload))
            case Gone():
                self.inbox.gone(payload)
            case Acknowledgement():
                self._tell_delivered(self.outbox.acknowledge(payload))
            case _:
                pass

    def acknowledge(self) -> None:
        """Say what has arrived so far, where something has: a repetition is answered too."""
        if self._ack_due and self.secure:
            self._ack_due = False
            self.say(self.inbox.acknowledgement())

    def bad(self) -> None:
        """Count a message that failed a check."""
        self.counters = replace(self.counters, bad=self.counters.bad + 1)

    def _accept(self, message: Accepted | None) -> None:
        if message is None:
            return
        age = (unix_ms() - self._clock_offset_ms - message.claimed_ms) / 1000
        fresh = abs(age) <= c.FRESH_SECONDS
        self.counters = replace(self.counters, received=self.counters.received + 1)
        self._stream.emit(
            events.Message(
                time=time.time(),
                conversation=self.id,
                number=message.number,
                text=message.text,
                author=str(self.peer.fingerprint),
                name=self.name,
                claimed=message.claimed_ms / 1000,
                age=age,
                late=age > c.FRESH_SECONDS,
                checks=events.Checks(intact=True, in_order=True, fresh=fresh, signed=message.signed),
                trust=self.trust,
            )
        )

    # Writing.

    def _standing(self) -> Connection | None:
        """Return the connection, unless its session is over."""
        connection = self._connection
        return connection if connection is not None and not connection.session.closed else None

    def say(self, payload: Payload) -> None:
        """Send a payload, unless the session is over."""
        connection = self._standing()
        if connection is not None:
            connection.session.send(payload, now())
            connection.flush()

    async def _write(self) -> None:
        """Sign and write what waits, as fast as the network takes it."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self._sign()
            await self._write_signed()

    async def _sign(self) -> None:
        while messages := self.outbox.to_sign():
            message = self.outbox.signing_input(messages)
            signature = await asyncio.to_thread(self._key.sign, message)
            self.outbox.signed(messages, signature)
            await self._write_signed()

    async def _write_signed(self) -> None:
        while (connection := self._standing()) and (found := self.outbox.next_to_write()):
            message, payloads = found
            for payload in payloads:
                self.say(payload)
            if not message.written and not message.gone:
                message.written = True
                self._tell_sent(message)
            if not connection.writable:
                await connection.drained()

    def _tell_queued(self, message: Outgoing) -> None:
        self._stream.emit(
            events.Queued(
                time=time.time(),
                conversation=self.id,
                number=message.number,
                ref=message.ref,
                text=SafeText.multi(message.text),
                claimed=message.claimed_ms / 1000,
                signed=message.signed,
            )
        )

    def _tell_sent(self, message: Outgoing) -> None:
        self.counters = replace(self.counters, sent=self.counters.sent + 1)
        self._stream.emit(
            events.Sent(time=time.time(), conversation=self.id, number=message.number, ref=message.ref)
        )

    def _tell_delivered(self, acknowledged: list[Outgoing]) -> None:
        messages = [one for one in acknowledged if not one.gone]
        for message in messages:
            self._stream.emit(
                events.Delivered(
                    time=time.time(),
                    conversation=self.id,
                    number=message.number,
                    ref=message.ref,
                    durable=self._peer_durable,
                )
            )
        if messages:
            self.counters = replace(self.counters, delivered=self.counters.delivered + len(messages))
            self._progress.set()
