"""The reception: who has the one place, who is expected back, and for whom texts are held.

Connections come in and go out here, each followed by one :class:`Encounter`. One conversation goes
on at a time; a host tells further callers that it is busy, but one whose reconnect secret shows that
it is the same person takes the place of its own half-open session.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from securechat_tui.chat import events
from securechat_tui.chat.account import Account
from securechat_tui.chat.callers import Callers
from securechat_tui.chat.calls import Calls
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.endings import Return, closed_event
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.held import FIRST_GUEST, WHOM_WE_CALL, Held
from securechat_tui.chat.house import Dialled
from securechat_tui.chat.stream import EventStream
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.protocol.events import End, Ended, SessionEvent
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.payloads import GoodbyeReason
from securechat_tui.trust.pins import Contact

_CLOSE_SECONDS = 5.0
_LEAVE_SECONDS = 3.0
"""How long a goodbye waits for what was sent just before it."""
_NOTICE_PAUSE_SECONDS = 5.0


class Reception:
    """What encounters and calls need of the engine, and what the engine may ask about them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.stream = EventStream()
        self.callers = Callers()
        self._calls = Calls(self)
        self._held = Held()
        self._progress = asyncio.Event()
        self.conversations = Conversations(account, self.stream, self._progress)
        self._active: Encounter | None = None
        self._awaited: Conversation | None = None
        self._leaving: Conversation | None = None
        self.hosting = False
        self._encounters: dict[Connection, Encounter] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._met_anybody = False
        self._next_notice = 0.0
        self._closing = False

    # What the engine asks.

    def present(self) -> Conversation | None:
        """Return the conversation with a session, or the one cut off whose peer is expected back."""
        here = self._active.conversation if self._active and self._active.settled else None
        return here or self._awaited

    def find(self, conversation: str | None) -> Conversation | None:
        """Return the conversation meant; raises CommandError for an id that is not here."""
        present = self.present()
        if conversation is not None and (present is None or present.id != conversation.lower()):
            raise CommandError("no-conversation", "That conversation is not open now. Nothing was sent.")
        return present

    def encounter(self, conversation: str | None) -> Encounter:
        """Return the session of a conversation; raises CommandError where none stands."""
        active = self._active
        if active is None or self.find(conversation) is not active.conversation or not active.settled:
            raise CommandError("no-conversation", "Nobody is here now: this needs a conversation.")
        return active

    def awaited(self) -> tuple[Conversation, ...]:
        """Return the conversations that were cut off and whose peers are expected back."""
        return (self._awaited,) if self._awaited else ()

    @property
    def is_awaiting(self) -> bool:
        """Whether somebody who was cut off is expected back."""
        return self._awaited is not None

    def call(self, dialled: Dialled) -> None:
        """Begin a first call; raises :class:`CommandError` where somebody is here or called already."""
        if self._active is not None or (self._calls.under_way and not self._calls.is_refused):
            raise CommandError("busy", "You are in a conversation or joining one: leave it first.")
        self._drop_held(WHOM_WE_CALL, FIRST_GUEST)
        self._calls.begin(dialled, self.account.own_key)

    def hurry(self) -> None:
        """Call back now; raises :class:`CommandError` where nobody is called back."""
        if self._active is not None or not self._calls.under_way:
            raise CommandError("no-conversation", "Nothing to reconnect: no connection was cut.")
        self._calls.hurry()

    async def send(self, text: str, ref: str | None, conversation: str | None, *, signed: bool) -> None:
        """Queue a text for whom it is meant, or hold it until its recipient is known."""
        found = self.find(conversation)
        if found is not None and (found.known or found.gate):
            await found.send(text, ref, signed=signed)
            return
        if found is not None:
            found.check_signed(signed=signed)
        self._held.add(found.id if found else self._expected(), text, ref, signed=signed)

    async def leave(self, conversation: str | None) -> None:
        """Part from whoever is here, or is called, or is expected back."""
        encounter = self._active if self._active and self._active.settled else None
        if encounter is None and (self._calls.under_way or self._awaited):
            self._stop_calling()
            return
        if encounter is None or self.find(conversation) is not encounter.conversation:
            raise CommandError("no-conversation", "There is no conversation to leave.")
        self._leaving = encounter.conversation
        await self.flush(_LEAVE_SECONDS)
        if encounter.connection is not None:
            session = encounter.connection.session
            encounter.connection.carry_out(session.goodbye(GoodbyeReason.LEAVING, now()))

    def _stop_calling(self) -> None:
        if self._calls.under_way and self._awaited is None:
            self.error("given-up", "The attempt to join was given up.")
        self._calls.give_up()
        self._part_from_awaited()
        self._drop_held(WHOM_WE_CALL)

    async def flush(self, seconds: float) -> int:
        """Wait until all is delivered, or nobody is left to take it; return how much is not."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._undelivered() and (self._active or self._calls.under_way):
                    self._progress.clear()
                    await self._progress.wait()
        return self._undelivered()

    async def close(self) -> None:
        """Say every goodbye, let what was written leave, end every story."""
        self._closing = True
        connections = list(self._encounters)
        for connection in connections:
            if connection.session.handshaking:
                connection.abort()
            connection.carry_out(connection.session.goodbye(GoodbyeReason.LEAVING, now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(connection.wait_closed() for connection in connections))
                self._calls.give_up()
                await asyncio.gather(*self._tasks, return_exceptions=True)  # they tell how it ended
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.conversations.close()

    # What encounters ask and tell (the House of house.py).

    def is_busy_for(self, fingerprint: Fingerprint | None, *, known: bool) -> bool:
        """Whether somebody else has the one place.

        ``known`` callers, who have shown a contact's secret, need not give way to a session in which
        messages do not flow: a stranger who says nothing must not keep the others out.
        """
        active = self._active.conversation if self._active else None
        if active is None or active.peer.fingerprint == fingerprint:
            return False
        return active.secure or not known

    def notice(self, message: str) -> None:
        """Tell what is worth a dim line, not too often: callers must not flood the screen."""
        moment = now().monotonic
        if moment >= self._next_notice:
            self._next_notice = moment + _NOTICE_PAUSE_SECONDS
            self.stream.emit(events.Notice(time=time.time(), message=message))

    def error(self, code: str, message: str) -> None:
        """Tell what went wrong here."""
        self.stream.emit(events.Error(time=time.time(), code=code, message=message))

    def enter(self, encounter: Encounter, conversation: Conversation) -> None:
        """Give the one place to this key, in place of a session that it, or a silent stranger, has."""
        self._supersede(conversation.peer.fingerprint)
        self._active = encounter

    def _supersede(self, fingerprint: Fingerprint) -> None:
        old = self._active
        if old is None or old.connection is None or old.conversation is None:
            return
        connection, conversation = old.connection, old.conversation
        if conversation.peer.fingerprint != fingerprint:
            self.left(old, Ended(End.LEFT, "gave way"))
        elif old.settled:
            self._awaited = conversation  # until the newer session has said HELLO, or for good
        conversation.detach()
        old.conversation = None
        connection.carry_out(connection.session.goodbye(GoodbyeReason.REPLACED, now()))

    def greeted(self, encounter: Encounter) -> None:
        """Take note that the peer has said its name: from here on it is the one that is here."""
        if encounter.dialled is not None:
            self._calls.connected()
        self._awaited = None
        self._met_anybody = True
        if encounter.conversation is not None:
            self._held.settle(_unnamed(encounter), encounter.conversation.id)

    async def secured(self, conversation: Conversation) -> None:
        """Send what was held for this peer, and nothing that is meant for another."""
        await self._held.pour_into(conversation)

    def holds_unsigned(self, encounter: Encounter, conversation: Conversation) -> bool:
        """Whether something unsigned is held for this peer, named or not."""
        return self._held.has_unsigned(_unnamed(encounter), conversation.id)

    def forgotten(self, fingerprint: Fingerprint) -> None:
        """Let go what was found about a key in this run."""
        conversation = self.conversations.known(fingerprint)
        if conversation is not None:
            conversation.distrusted = False

    def part_from(self, fingerprint: Fingerprint) -> None:
        """End what is with this key at once, also a session in which it has not said its name yet."""
        active = self._active
        if active is not None and active.connection is not None and active.conversation is not None:
            session = active.connection.session
            if active.conversation.peer.fingerprint == fingerprint:
                active.connection.carry_out(session.goodbye(GoodbyeReason.LEAVING, now()))
        if self._awaited is not None and self._awaited.peer.fingerprint == fingerprint:
            self._stop_calling()

    def succeeded(self, former: Contact) -> None:
        """Tell what waits for the former key: what was written for one key goes to no other unasked."""
        conversation = self.conversations.known(former.fingerprint)
        count = len(conversation.outbox) if conversation else 0
        if count:
            self.error(
                "not-sent",
                f"Written for {former.name}'s former key, so not sent to the new one: {count} message(s).",
            )

    def left(self, encounter: Encounter, end: Ended) -> None:
        """Close a conversation whose session is over."""
        conversation = encounter.conversation
        if self._active is not encounter or conversation is None:
            return
        self._active = None
        conversation.detach()
        self._progress.set()
        leaving = self._closing or self._leaving is conversation
        cut = end.how is End.LOST and conversation.known and not leaving
        dialled = encounter.dialled if cut else None
        awaited = cut and (dialled is not None or self.hosting)
        self._awaited = conversation if awaited else None
        self._leaving = None
        returns = Return.CALLS if dialled else Return.AWAITED if awaited else Return.NONE
        self.stream.emit(closed_event(conversation, end, returns, quitting=self._closing))
        if dialled is not None:
            self._calls.come_back(dialled, self.account.own_key, conversation.peer.fingerprint)
        elif not awaited:
            self._drop_held(conversation.id)

    def failed(self, encounter: Encounter) -> None:
        """Forget a connection of which nothing came."""
        if self._active is encounter:
            self._active = None
            if encounter.conversation is not None:
                encounter.conversation.detach()
            self._lose_awaited()
        self._progress.set()

    # The inside.

    def _expected(self) -> str:
        """Return for whom a text is that names nobody: nothing for one key goes to another."""
        if self._calls.under_way:
            return WHOM_WE_CALL
        if self.hosting and not self._met_anybody:
            return FIRST_GUEST
        raise CommandError("no-conversation", "Nobody is here: host or join first. Nothing was sent.")

    def _undelivered(self) -> int:
        """Return how many messages of this run have not arrived."""
        return len(self._held) + sum(len(one.outbox) for one in self.conversations.all() if one.is_touched)

    def _part_from_awaited(self) -> None:
        """Expect nobody back any more."""
        conversation, self._awaited = self._awaited, None
        if conversation is not None:
            end = Ended(End.LEFT, "left while the peer was away")
            self.stream.emit(closed_event(conversation, end, Return.NONE, quitting=self._closing))

    def _drop_held(self, *recipients: str) -> None:
        """Let go what was meant for somebody who never came: it must not reach another."""
        count = self._held.drop(*recipients)
        if count:
            self.error("not-sent", f"Not sent, since nobody came: {count} message(s).")

    def _lose_awaited(self) -> None:
        """Tell that a superseded session is gone, where the newer one has come to nothing."""
        conversation = self._awaited
        if conversation is None or self._calls.under_way:
            return
        returns = Return.AWAITED if self.hosting else Return.NONE
        end = Ended(End.LOST, "a newer session came to nothing")
        self.stream.emit(closed_event(conversation, end, returns, quitting=self._closing))
        if returns is Return.NONE:
            self._awaited = None

    def start(self, story: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a story until the engine is closed."""
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def welcome(self, connection: Connection) -> None:
        """Begin the story of a caller."""
        encounter = Encounter(self, None, str(connection.peer_address))
        self._encounters[connection] = encounter  # its first event may come before its story begins
        self.start(self.follow(connection, encounter))

    def happened(self, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        """Hand on what happened at a caller's connection, unless its story has ended."""
        encounter = self._encounters.get(connection)
        if encounter is not None:
            encounter.take(connection, happened)

    async def follow(self, connection: Connection, encounter: Encounter) -> None:
        """Drive a connection to its end, whatever happens."""
        self._encounters[connection] = encounter
        try:
            await encounter.run()
        except asyncio.CancelledError:
            connection.abort()
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the other conversations
            self.handler_failed(HandlerFailure.of(error))
            connection.abort()
            encounter.give_up()
        finally:
            self._encounters.pop(connection, None)

    def handler_failed(self, failure: HandlerFailure) -> None:
        """Tell an internal error, without anything that it may have held."""
        self.error("internal", f"An internal error has ended one connection ({failure}): please report it.")

    def call_ended(self) -> None:
        """Take note that nothing is dialled any more: what was meant for that peer is let go."""
        self._drop_held(WHOM_WE_CALL)
        self._awaited = None
        self._progress.set()


def _unnamed(encounter: Encounter) -> str:
    """Under what something is held for whoever is at the other end, before it is known who that is."""
    return FIRST_GUEST if encounter.dialled is None else WHOM_WE_CALL
