"""One conversation with one key: its messages, over however many sessions and runs of the program.

Whatever changes is put on disk, and only then shown, written or acknowledged; else it is taken back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from securechat_tui.chat import events, gates
from securechat_tui.chat.accounts import Accounts
from securechat_tui.chat.boxes import Boxes
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.inbox import Inbox
from securechat_tui.chat.journal import Journal
from securechat_tui.chat.limits import MAX_PENDING
from securechat_tui.chat.outbox import Outbox, Outgoing
from securechat_tui.chat.receipt import Receipt
from securechat_tui.chat.shelf import Shelf, queued_change
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.telling import QueuedTelling, Teller, unix_ms
from securechat_tui.chat.turns import Turns
from securechat_tui.chat.typed import Typed
from securechat_tui.chat.views import Counters
from securechat_tui.chat.writer import Writer
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.errors import RemoteError
from securechat_tui.protocol.identity import Fingerprint, IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import Acknowledgement, Hello, HelloFlag, Payload, Resume
from securechat_tui.protocol.signing import NO_GENERATION, Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.errors import BegunAnew, ProfileError
from securechat_tui.storage.messages import Abandoned, Cancelled, Dropped, Unreceived
from securechat_tui.trust.states import Trust

__all__ = ["Conversation"]


class Conversation:
    """Delivers one's own messages and checks the peer's, session after session."""

    def __init__(
        self,
        key: IdentityKey,
        peer: PublicIdentity,
        shelf: Shelf,
        stream: EventStream,
        progress: asyncio.Event,
        *,
        turns: Turns,
        own: Fingerprint | None = None,
    ) -> None:
        """``own`` is whose conversation it is, where that is a former key's: nothing more is said in it then.

        ``shelf`` is what earlier runs have kept; ``progress`` is set when something was delivered.
        """
        self.own, self.peer = own or key.public.fingerprint, peer
        self.boxes = Boxes(self.own, peer, shelf)
        self.journal = Journal(shelf.store, self.boxes, turns)
        self.number = self.outbox.conversation
        self.id = self.number.hex()
        self._tell = Teller(self.id, peer)
        self._queued = QueuedTelling(lambda message: self._show(self._tell.queued(message)))
        self.receipt = Receipt(self.boxes, self.journal, self._tell)
        self.counters = Counters()
        self.secure = False
        """Whether messages flow now."""
        self.known = self.inbox.generation != NO_GENERATION
        """Whether they have flowed in any session: what is typed has its recipient."""
        self.distrusted = False
        """Whether codes have differed in this run, and a person has not found them the same since."""
        self.gate = ""
        """Why nothing may pass until a person has decided; empty where nothing stands in the way."""
        self.marks = shelf.marks
        self.is_touched = False
        """Whether anything has happened in this run of the program."""
        self._held_resume: Resume | None = None
        self._stream, self._progress = stream, progress
        self._connection: Connection | None = None
        self._accounts, self._writer = Accounts(self), Writer(self, key)
        self._peer_requires = self._holds_unsigned = False
        """Whether the peer does, as its latest HELLO says; whether something unsigned is held for it."""
        self._resolution: Resolution | None = None

    @property
    def outbox(self) -> Outbox:
        """One's own messages."""
        return self.boxes.outbox

    @property
    def inbox(self) -> Inbox:
        """The peer's."""
        return self.boxes.inbox

    @property
    def trust(self) -> Trust:
        """How far the key is trusted now."""
        return self.receipt.trust

    @trust.setter
    def trust(self, trust: Trust) -> None:
        self.receipt.trust = trust

    @property
    def name(self) -> SafeText:
        """What the peer is called here."""
        return self.receipt.name

    @name.setter
    def name(self, name: SafeText) -> None:
        self.receipt.name = name

    # A session begins and ends.

    def attach(
        self, connection: Connection, own_name: str, trust: Trust, gate: str = "", *, requires: bool = False
    ) -> None:
        """Take a session whose handshake is complete, and say HELLO; ``requires``: the peer must sign."""
        self._connection, self.is_touched = connection, True
        self.trust, self.gate, self._resolution = trust, gate, None
        self.receipt.begin_session(requires=requires)
        self._accounts.begin_session()
        self.outbox.begin_session()
        flags = HelloFlag.DURABLE | (HelloFlag.SIGNATURES_REQUIRED if requires else HelloFlag(0))
        self.say(Hello(SafeText.name(own_name), unix_ms(), flags))

    def detach(self) -> None:
        """Let the session go; what is not delivered stays."""
        self._connection, self.secure = None, False
        self.gate, self._held_resume = "", None
        self.receipt.end_session()
        self._writer.stop()
        self._queued.tell()

    def begin_anew(self, shelf: Shelf) -> None:
        """Let the session go, and begin with an empty shelf: nothing of what was wiped could be read."""
        self.detach()
        self._accounts = Accounts(self)
        self.boxes.begin_anew(shelf, BegunAnew())
        self.journal.abandon(BegunAnew())

    async def close(self) -> None:
        """Let the session go, and wait for the disk."""
        self.detach()
        await self.journal.close()

    def greeted(self, hello: Hello, name: SafeText, offset_ms: int, *, holds_unsigned: bool = False) -> None:
        """The peer has said HELLO; ``name`` is what it is called here, ``offset_ms`` how its clock stands.

        ``holds_unsigned``: something unsigned is held for it, besides what is numbered already.
        """
        self.receipt.clock_offset_ms = offset_ms
        self._accounts.is_peer_durable = HelloFlag.DURABLE in hello.flags
        self._peer_requires = HelloFlag.SIGNATURES_REQUIRED in hello.flags
        self._holds_unsigned = holds_unsigned
        self.name = name

    async def open_gate(self) -> Resume | None:
        """Nothing more stands in the way: say RESUME. Return the peer's, where it has come meanwhile.

        Accounts that differ and unsigned messages for a peer who takes none are gates. Raises ProfileError.
        """
        next_gate, connection = self._next_gate(), self._connection
        if not next_gate and (self.boxes.has_received or not self.outbox.is_kept):
            await self.journal.commit()  # what RESUME says, it says for good
        if self._connection is not connection:  # a newer session has taken over, with a gate of its own
            return None
        self.gate = next_gate  # until then it stands: what the peer says meanwhile opens nothing
        if not next_gate:
            self._announce()
        return None if next_gate else self._held_resume

    def _announce(self) -> None:
        self.outbox.is_announced = True
        self.say(self.account())

    def _next_gate(self) -> str:
        if self._accounts.is_doubted:
            return gates.RESUME
        waiting = self._holds_unsigned or bool(self.outbox.unsigned())
        is_in_doubt = self._peer_requires and waiting and self._resolution is None
        return gates.UNSIGNED if is_in_doubt else ""

    async def resolve(self, choice: Resolution) -> None:
        """Take a person's decision at the present gate; raises the ProfileError family.

        About unsigned messages it is carried out when the peer has said which of them it has.
        """
        if self.gate == gates.UNSIGNED:
            self._resolution = choice
        elif self.gate == gates.RESUME:
            await self._accounts.begin_anew(resend=choice is Resolution.RESEND)

    def account(self) -> Resume:
        """What is held of this conversation, on both sides as it stands here."""
        return Resume(self.number, self.outbox.generation, *self.inbox.account)

    async def resumed(self, word: Resume) -> bool:
        """Take the peer's RESUME; True when messages begin to flow with it.

        Raises ResumeConflict where a person must decide what is true, RemoteError for another conversation,
        and the ProfileError family.
        """
        if word.conversation != self.number:
            raise RemoteError("RESUME of another conversation")
        if self.gate:
            self._held_resume = word
            return False
        connection = self._connection
        self._tell_delivered(await self._accounts.reconcile(word))
        earlier = await self._accounts.earlier(word.generation)
        if self._connection is not connection:  # what was said in a former session opens none
            return False
        self.inbox.announce(word.generation, earlier)
        if not self.outbox.is_announced:
            self._announce()
        begins = not self.secure
        self.secure = self.known = True
        self._writer.wake()
        return begins

    async def begin_generation(self, again: Sequence[Unreceived]) -> None:
        """Begin a new generation, with what is to be sent ``again`` and what is not delivered yet.

        Raises the ProfileError family; everything is as before then.
        """
        while not self.outbox.is_kept:
            await self.journal.commit()
        former = self.boxes.renew()
        numbered = [self._again(one) for one in again]
        for message in former.undelivered():
            self.journal.note(Dropped(message.row))
            numbered.append(self._again(message, message.salt))  # which may say where it was taken over from
        self.journal.note(Abandoned(former.generation))
        await self.journal.commit()
        self._queued.tell(numbered)

    def _again(self, message: Outgoing | Unreceived, salt: bytes = b"") -> Outgoing:
        return self._number(message.text, message.ref, message.claimed_ms, signed=message.signed, salt=salt)

    async def flow(self) -> None:
        """Begin to write what waits, after what was decided about it."""
        self._queued.tell()
        await self._carry_out()
        if self.secure:
            self._writer.start()

    # One's own messages.

    async def send(self, text: str, ref: str | None, *, signed: bool = True) -> None:
        """Number a message and queue it, on disk first.

        Raises CommandError at the gate, for what the peer would reject, and where it cannot be kept.
        """
        if self.gate:
            raise CommandError("gated", "Nothing is sent until you have decided about this key.")
        if len(self.outbox) >= MAX_PENDING:
            raise CommandError("busy", "Too many messages wait for delivery: wait until some have arrived.")
        self.check_signed(signed=signed)
        try:
            await self.queue(Typed(text, ref, signed))
        except ProfileError as error:
            raise CommandError("cannot-save", f"Not sent, since it could not be kept: {error}") from None

    def check_signed(self, *, signed: bool) -> None:
        """Raise CommandError for an unsigned message where the peer has said that it takes none."""
        if self._peer_requires and not signed:
            sentence = f"{self.name} takes signed messages only, so this was not sent: "
            raise CommandError("unsigned", sentence + "/signed before it sends it, on the record.")

    def takes(self, *, signed: bool) -> bool:
        """Whether the peer takes such a message."""
        return signed or not self._peer_requires

    async def queue_again(self, message: Outgoing, salt: bytes) -> None:
        """Number a message of a former conversation here, as it was written then. Raises ProfileError."""
        numbered = self._again(message, salt)
        await self.journal.commit()
        self._queued.tell([numbered])
        self._writer.wake()

    def let_go(self, message: Outgoing, *, renumbered: bool) -> None:
        """A message is cancelled, on disk too; ``renumbered``: it goes on under another number."""
        self._queued.tell()
        self.outbox.cancel(message)
        self._stream.emit(self._tell.cancelled(message, renumbered=renumbered))
        self._progress.set()

    def delivered_by(self, word: Resume) -> None:
        """Take the account of a peer who has another key by now; raises ResumeConflict and PeerForgot."""
        self._tell_delivered(self.outbox.resume(word))

    async def queue(self, *texts: Typed, undo: Callable[[], None] = lambda: None) -> None:
        """Number all, in one transaction; raises ProfileError, ``undo`` called, where none has a number."""
        self.is_touched = True
        # What the peer does not take is decided about before it is written.
        messages = [self._number(one.text, one.ref, unix_ms(), signed=one.signed) for one in texts]
        self._writer.wake()
        await self.journal.commit(undo)
        self._queued.take(messages)
        if self.secure or self._connection is None:
            self._queued.tell()
        self._writer.wake()

    def _number(
        self, text: str, ref: str | None, claimed_ms: int, *, signed: bool, salt: bytes = b""
    ) -> Outgoing:
        row = self.boxes.take_row()
        if signed:
            seen = Seen() if self.boxes.is_renewing else self.inbox.seen
            message = self.outbox.add(text, ref, claimed_ms, seen, row, salt=salt)
        else:
            message = self.outbox.add_unsigned(text, ref, claimed_ms, row, salt=salt)
        self.journal.note(queued_change(message, self.trust, self.name))
        return message

    async def _carry_out(self) -> None:
        """Let go the unsigned messages that a person has decided about, or sign them under new numbers."""
        if self._resolution is None:
            return
        messages, signs = self.outbox.unsigned(), self._resolution is Resolution.SIGN
        self.journal.note(*(Cancelled(one.generation, one.number) for one in messages))
        again = [self._number(one.text, one.ref, one.claimed_ms, signed=True) for one in messages if signs]
        await self.journal.commit()
        for message in messages:
            self.let_go(message, renumbered=signs)
        self._queued.tell(again)

    def wrote(self, message: Outgoing) -> None:
        """A message has been written for the first time."""
        self.counters = self.counters.plus(sent=1)
        self._stream.emit(self._tell.sent(message))

    def _tell_delivered(self, acknowledged: list[Outgoing]) -> None:
        messages = [one for one in acknowledged if not one.gone]
        for message in messages:
            self._stream.emit(self._tell.delivered(message, durable=self._accounts.is_peer_durable))
        if acknowledged:
            self.journal.commit_soon()
        if messages:
            self.counters = self.counters.plus(delivered=len(messages))
            self._progress.set()

    # The peer's messages.

    async def receive(self, payload: Payload) -> None:
        """Check content of the peer; :meth:`settle` keeps and shows it.

        Raises a RemoteError for what breaks a rule, and the ProfileError for which it was taken back.
        """
        if isinstance(payload, Acknowledgement):
            self._tell_delivered(self.outbox.acknowledge(payload))
        else:
            await self.receipt.take(payload)

    @property
    def is_unsettled(self) -> bool:
        """Whether something that has come is not on disk, or not acknowledged where it can be."""
        return self.boxes.has_received or (self.receipt.is_answer_due and self.secure)

    async def settle(self, room: Callable[[], Awaitable[None]]) -> None:
        """Put what was checked on disk, then show it, then acknowledge it; ``room`` waits for the face.

        Raises the ProfileError family where it could not be kept: it is as if it had not come.
        """
        is_due = self.receipt.is_answer_due and self.secure
        self.receipt.is_answer_due = self.receipt.is_answer_due and not is_due
        for message in await self.receipt.keep():
            self.counters = self.counters.plus(received=1)
            self.marks.unread += 1
            self._show(message)
            await room()
        if is_due and self.secure:  # else a newer session says by its RESUME what is here
            self.say(self.receipt.acknowledgement())

    def _show(self, event: events.Message | events.Queued) -> None:
        self.marks.shown, self.marks.last = event.row, event.time
        self._stream.emit(event)

    def bad(self) -> None:
        """Count a message that failed a check."""
        self.counters = self.counters.plus(bad=1)

    def standing_connection(self) -> Connection | None:
        """Return the connection, unless its session is over."""
        connection = self._connection
        return connection if connection is not None and not connection.session.closed else None

    def say(self, payload: Payload) -> None:
        """Send a payload, unless the session is over."""
        connection = self.standing_connection()
        if connection is not None:
            connection.session.send(payload, now())
            connection.flush()

    def storage_failed(self, error: ProfileError) -> None:
        """A signature could not be kept: its messages wait until it can."""
        self._stream.emit(events.Error(time=time.time(), code="cannot-save", message=str(error)))
