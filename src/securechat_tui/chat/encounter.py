"""One connection from its handshake to its end, read as a story.

The session asks; about the handshake the introduction decides, and this carries it out. Afterwards it
passes payloads to the conversation. One task for each connection takes the session's events in order;
where storing takes a while, the network waits.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from securechat_tui.chat import events, gates, refusals
from securechat_tui.chat.comparing import Comparing
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.house import Dialled, House
from securechat_tui.chat.introduction import Answer, Introduction, NotAdmitted
from securechat_tui.chat.invitations import InviteSpent
from securechat_tui.chat.outbox import ResumeConflict
from securechat_tui.chat.settling import Settling
from securechat_tui.chat.telling import unix_ms, unverified
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events as session_events
from securechat_tui.protocol.errors import ComparisonFailure, RemoteError
from securechat_tui.protocol.events import End, SessionEvent
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Goodbye,
    GoodbyeReason,
    Hello,
    Payload,
    Resume,
)
from securechat_tui.storage.errors import ProfileError
from securechat_tui.trust.pins import PinsFull
from securechat_tui.trust.states import Trust

_BACKLOG: Final = 1
"""Batches of events that may wait before reading stops: more would only hold up the face."""

_Happened = tuple[Connection, Sequence[SessionEvent]]


@dataclass(slots=True, eq=False)
class Encounter:
    """The driver of one connection; ``dialled`` is None at the host."""

    engine: House
    dialled: Dialled | None
    address: str
    _waiting: "asyncio.Queue[_Happened]" = field(default_factory=asyncio.Queue, repr=False)
    _introduction: Introduction = field(init=False)
    _met: bool = False
    _stopped: bool = False
    """Whether this side has ended the session for what the peer said: what follows counts for nothing."""
    conversation: Conversation | None = None
    comparing: Comparing | None = None
    connection: Connection | None = None
    _arrived: int = 0
    """How many messages had arrived in the conversation before."""
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _settling: Settling = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._introduction = Introduction(self.engine, self.dialled, self.address)
        self._settling = Settling(self.engine.stream.room, self._storage_failed, self.engine.turns)

    @property
    def succeeds(self) -> Fingerprint | None:
        """The key of the contact in whose place this peer's would come."""
        contact = self._introduction.succeeds
        return contact.fingerprint if contact is not None else None

    @property
    def settled(self) -> bool:
        """Whether a person has been told what came of it: a conversation, or a refusal that stands."""
        return self._met

    @property
    def is_fruitful(self) -> bool:
        """Whether a message has arrived, at either end."""
        return self.conversation is not None and self.conversation.counters.arrived > self._arrived

    def take(self, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        """Queue events of the session: what the connection calls."""
        self._waiting.put_nowait((connection, happened))
        self._settling.begin_turn()
        if self._waiting.qsize() == _BACKLOG:
            connection.pause_reading()

    async def run(self) -> None:
        """Take events until the session is over."""
        try:
            while await self._take_next():
                pass
        finally:
            self._settling.cancel()

    async def _take_next(self) -> bool:
        """Take what the connection has brought; False when it was the last."""
        connection, happened = await self._waiting.get()
        self.connection = connection
        for event in happened:
            is_said = isinstance(event, session_events.PayloadReceived)
            await (self._settling.pace() if is_said else self._settling.now())
            if not await self._take(connection, event):
                return False
        await self._settling.beside()
        if self._waiting.empty():
            connection.resume_reading()
        return True

    async def _take(self, connection: Connection, event: SessionEvent) -> bool:
        """Take one event; False when it was the last."""
        match event:
            case session_events.Called():
                self._called(connection, event)
            case session_events.HostIdentified() | session_events.GuestIdentified():
                self._identified(connection, event)
            case session_events.Authenticated():
                await self._authenticated(connection, event)
            case session_events.PayloadReceived():
                async with self._alone:  # not while a person's decision is being carried out
                    await self._payload(connection, event.payload)
            case session_events.Rekeyed():
                self._tell_rekeyed(event.epoch)
            case session_events.RoundTripMeasured():
                self._tell_round_trip(event.seconds)
            case session_events.Ended():
                await self._ended(event)
                return False
        return True

    # The handshake.

    def _called(self, connection: Connection, call: session_events.Called) -> None:
        match self._introduction.called(call):
            case Answer.ADMIT:
                connection.carry_out(connection.session.admit(now()))
            case Answer.BUSY:
                connection.carry_out(connection.session.refuse())
            case Answer.CLOSE:
                connection.carry_out(connection.session.abort("not admitted"))

    def _identified(
        self, connection: Connection, shown: session_events.HostIdentified | session_events.GuestIdentified
    ) -> None:
        refusal = self._introduction.identified(shown.identity, shown.version, shown.rotations)
        if refusal is None:
            connection.carry_out(connection.session.proceed(now()))
        else:
            self._refuse(connection, refusal)

    def _refuse(self, connection: Connection, refusal: events.Event) -> None:
        self._met = True  # the refusal has been told; the end needs no second word
        if self._introduction.is_worth_telling():
            self.engine.stream.emit(refusal)
        connection.carry_out(connection.session.abort("refused by the pins"))

    async def _authenticated(self, connection: Connection, proof: session_events.Authenticated) -> None:
        """Store the pin, then complete the handshake and say HELLO."""
        if self._comes_second(connection, proof.identity.fingerprint):
            return
        found = await self._stored(connection, proof)
        if found is None or self._comes_second(connection, proof.identity.fingerprint):  # by now
            return
        conversation, trust = found
        connection.carry_out(connection.session.confirm(now()))
        if connection.session.closed or not self.engine.enter(self, conversation):
            return
        self.conversation, self._arrived = conversation, conversation.counters.arrived
        self.engine.inspector.follow(conversation.id, connection.session)
        self._settling.begin(conversation)
        self.comparing = self._introduction.comparing(conversation, proof)
        account, gate = self.engine.account, self._introduction.gate
        if conversation.distrusted:
            trust, gate = Trust.CHANGED, gates.COMPARISON
        conversation.attach(connection, account.name, trust, gate, requires=account.config.require_signatures)

    async def _stored(
        self, connection: Connection, proof: session_events.Authenticated
    ) -> tuple[Conversation, Trust] | None:
        """Store who it is; None where that cannot be, and the handshake has ended."""
        try:
            self._introduction.check(proof, self.engine.account.pins)  # who is turned away leaves no file
            # The conversation first: what the pins say stays true from the next line to its end.
            conversation = await self.engine.conversations.with_peer(proof.identity)
            return conversation, await self._introduction.pin(proof)
        except (ProfileError, PinsFull) as error:
            self._met = True
            self.engine.error("profile", str(error))
            connection.carry_out(connection.session.abort("the pin could not be stored"))
        except NotAdmitted as error:
            self._refuse(connection, error.refusal)
        except InviteSpent:
            self.engine.notice(refusals.LATE_INVITE, address=self.address)
            connection.carry_out(connection.session.abort("the invite is spent"))
        return None

    def give_place(self, reason: GoodbyeReason) -> None:
        """End the session, whose place another one has now."""
        conversation, self.conversation = self.conversation, None
        self._settling.stop()
        self._met = True
        if conversation is not None:
            conversation.detach()
        if self.connection is not None:
            self.connection.carry_out(self.connection.session.goodbye(reason, now()))

    def _comes_second(self, connection: Connection, fingerprint: Fingerprint) -> bool:
        """End the handshake where the last place has been taken since the call was admitted."""
        if not self._introduction.is_late_for(fingerprint):
            return False
        if self.dialled is not None:
            self.engine.error("given-up", f"No place was left for the conversation at {self.address}.")
        else:
            self.engine.notice(refusals.LATE_CALL, address=self.address)
        connection.carry_out(connection.session.abort("busy by now"))
        return True

    # The session.

    async def _payload(self, connection: Connection, payload: Payload) -> None:
        conversation = self.conversation
        if conversation is None or self._stopped:
            return
        try:
            await self._hand_over(connection, conversation, payload)
        except ComparisonFailure as error:  # nothing may pass while that is being written
            self._reject(connection, conversation, error)
            if self.comparing is not None:
                await self.comparing.keep_failure()
        except RemoteError as error:
            await self._settling.now()
            self._reject(connection, conversation, error)
        except ResumeConflict:
            self.come_again()
        except ProfileError as error:
            self._storage_failed(error)

    async def _hand_over(self, connection: Connection, conversation: Conversation, payload: Payload) -> None:
        match payload:
            case Hello():
                await self._hello(conversation, payload)
            case Resume() if conversation.secure and payload.conversation != conversation.number:
                await self.engine.formers.settle(conversation, payload)
            case Resume():
                await self._settling.now()
                if self.conversation is not None:  # else another session goes on by now
                    await self._resume(conversation, payload, connection)
            case Goodbye():
                pass
            case ComparisonAsk() | ComparisonStep() | ComparisonStop() if self.comparing is not None:
                await self._settling.now()
                await self.comparing.receive(payload)
            case _:
                await conversation.receive(payload)

    def _storage_failed(self, error: ProfileError) -> None:
        """What came cannot be kept, so it is not acknowledged: as if the connection had been cut here."""
        self.engine.error("cannot-save", str(error))
        self.come_again()

    def come_again(self) -> None:
        """End the session as a cut would: the next one goes on from what is on disk, or has a gate first."""
        self._take_no_more()
        if self.connection is not None:
            self.connection.carry_out(self.connection.session.receive_eof(now()))

    def _take_no_more(self) -> None:
        self._stopped = True
        self._settling.stop()

    async def pass_gate(self) -> None:
        """What stood in the way has been decided; go on, or to the next gate."""
        async with self._alone:
            await self._pass_gate()

    async def _pass_gate(self) -> None:
        conversation, connection = self.conversation, self.connection
        if conversation is None or connection is None or not conversation.gate:
            return
        if conversation.standing_connection() is not connection:  # the gate is that of another session
            return
        if self._introduction.succeeds is not None and conversation.gate not in gates.CHOICES:
            self.engine.succeeded(self._introduction.succeeds, is_named=conversation.gate == gates.ROTATION)
        waiting = await conversation.open_gate()
        if conversation.gate:
            self.engine.stream.emit(gates.gate_event(conversation))
        if waiting is not None:
            await self._payload(connection, waiting)

    def stop(self) -> None:
        """A person must decide before anything more passes, however long that takes."""
        self._take_no_more()
        if self.connection is not None:
            self.connection.carry_out(self.connection.session.goodbye(GoodbyeReason.GATED, now()))

    async def _hello(self, conversation: Conversation, hello: Hello) -> None:
        fingerprint = conversation.peer.fingerprint
        namesake = self.engine.account.pins.namesake(hello.name, fingerprint)
        offset_ms = unix_ms() - hello.time_ms
        try:
            await self._introduction.christen(fingerprint, hello.name, offset_ms)
        except ProfileError as error:  # the key is pinned already; a name can wait for the next session
            self.engine.error("profile", str(error))
        if self.conversation is None:  # a newer session of the same person has taken over meanwhile
            return
        contact = self.engine.account.pins.by_fingerprint(fingerprint)
        name = contact.name if contact else unverified(fingerprint)
        unsigned = self.engine.holds_unsigned(self, conversation)
        conversation.greeted(hello, name, offset_ms, holds_unsigned=unsigned)
        self._met = True
        self.engine.greeted(self)
        self.engine.stream.emit(self._introduction.presented(conversation, hello.name, namesake))
        if not conversation.gate:
            await conversation.open_gate()
        if conversation.gate:
            self.engine.stream.emit(gates.gate_event(conversation, self._introduction.succeeds))

    async def _resume(self, conversation: Conversation, word: Resume, connection: Connection) -> None:
        if not await conversation.resumed(word):
            return
        self.engine.stream.emit(
            events.Secure(
                time=time.time(),
                conversation=conversation.id,
                session=connection.session.session_id.hex(),
                epoch=connection.session.epoch,
                suite=c.SUITE,
            )
        )
        await self.engine.secured(conversation)
        self.engine.formers.greet(conversation)
        await conversation.flow()

    def _reject(self, connection: Connection, conversation: Conversation, error: RemoteError) -> None:
        """A message broke a rule that only its author can have broken: end for good."""
        conversation.bad()
        number = conversation.inbox.high + 1
        self.engine.stream.emit(refusals.rejected(conversation.id, conversation.name, number, error))
        self._take_no_more()
        connection.carry_out(connection.session.reject(str(error), now()))

    # The end.

    def give_up(self) -> None:
        """Tell the end of a connection that a fault of this program has ended."""
        self._tell_end(session_events.Ended(End.LOST, "an internal error"))

    async def _ended(self, end: session_events.Ended) -> None:
        if self.comparing is not None:
            await self.comparing.cut()
        self._tell_end(end)

    def _tell_end(self, end: session_events.Ended) -> None:
        if self.conversation is not None and self._met:
            self.engine.left(self, end)
            return
        self.engine.failed(self, end)
        if self._met or end.how is End.LEFT:
            return
        if self.dialled is not None:
            self._tell_refused(self.dialled, end)
        elif end.how in {End.HANDSHAKE, End.VERSION, End.SELF}:
            self.engine.notice(refusals.FAILED_CALL, address=self.address, detail=end.detail)

    def _tell_refused(self, dialled: Dialled, end: session_events.Ended) -> None:
        if end.how is End.SELF or not dialled.returning:
            self._met = True
            self.engine.stream.emit(
                refusals.refused_end(end.how, self.address, invited=dialled.invite is not None)
            )
        elif end.how is End.VERSION:  # anybody on the path can say so: it must not keep the two apart
            self.engine.notice(refusals.NO_VERSION, address=self.address)

    def _tell_rekeyed(self, epoch: int) -> None:
        if self.conversation is not None:
            told = events.Rekeyed(time=time.time(), conversation=self.conversation.id, epoch=epoch)
            self.engine.stream.emit(told)

    def _tell_round_trip(self, seconds: float) -> None:
        if self.conversation is not None and self._met:
            told = events.RoundTrip(time=time.time(), conversation=self.conversation.id, seconds=seconds)
            self.engine.stream.emit(told)
