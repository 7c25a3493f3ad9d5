"""The engine: one person's conversations, behind commands and one stream of events.

It lives outside its face, so that it survives screens and can say goodbye before the program ends.
One conversation goes on at a time; a host tells further callers that it is busy, but one whose
reconnect secret shows that it is the same person takes the place of its own half-open session.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Self

from securechat_tui.chat import events
from securechat_tui.chat.account import Account, login_name
from securechat_tui.chat.calls import Calls
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.endings import Return, closed_event
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.held import FIRST_GUEST, WHOM_WE_CALL, Held
from securechat_tui.chat.limits import NEW_PINS_PER_HOUR, CallerAlarms, HourlyLimit, check_text
from securechat_tui.chat.preferences import Notify, Preferences, ThemeName
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.targets import choose_target, listen
from securechat_tui.chat.views import ContactView, Counters, IdentityView
from securechat_tui.network.addresses import reachable_addresses
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.network.listener import Listener
from securechat_tui.protocol.events import End, Ended, SessionEvent
from securechat_tui.protocol.identity import Fingerprint, IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import GoodbyeReason
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.signing import conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.profile import Profile

__all__ = ["ContactView", "Counters", "Engine", "IdentityView"]

_LEAVE_SECONDS = 3.0
"""How long a goodbye waits for what was sent just before it."""
_CLOSE_SECONDS = 5.0
_NOTICE_PAUSE_SECONDS = 5.0


class Engine:
    """One profile at work. Commands raise :class:`CommandError`; everything else comes as events."""

    def __init__(self, profile: Profile) -> None:
        self.account = Account(profile)
        self.stream = EventStream()
        self.strangers = HourlyLimit(NEW_PINS_PER_HOUR)
        self.alarms = CallerAlarms()
        self._conversations: dict[bytes, Conversation] = {}
        self._active: Encounter | None = None
        self._encounters: dict[Connection, Encounter] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: Listener | None = None
        self._calls = Calls(self)
        self._awaited: Conversation | None = None
        self._leaving: Conversation | None = None
        self._met_anybody = False
        self._held = Held()
        self._progress = asyncio.Event()
        self._next_notice = 0.0
        self._closing = False

    # Life.

    async def __aenter__(self) -> Self:
        """Lock and read the profile; Ready or IdentityNeeded follows. Raises the ProfileError family."""
        await self.account.open()
        if self.account.key is None:
            self.stream.emit(events.IdentityNeeded(time=time.time(), suggested_name=login_name()))
        else:
            self.stream.emit(self.account.ready(self.account.key))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Say goodbye, flush, let the profile go."""
        await self.close()

    async def close(self) -> None:
        """End everything; what was written leaves first. Closing twice does nothing."""
        if self._closing:
            return
        self._closing = True
        connections = list(self._encounters)
        await self.stop_hosting()
        for connection in connections:
            if connection.session.handshaking:
                connection.abort()
            connection.carry_out(connection.session.goodbye(GoodbyeReason.LEAVING, now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(connection.wait_closed() for connection in connections))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for conversation in self._conversations.values():
            conversation.detach()
        await self.account.close()
        self.stream.close()

    def events(self) -> AsyncIterator[events.Event]:
        """Return the one stream of events; it ends when the engine is closed."""
        return aiter(self.stream)

    async def create_identity(self, name: str, bits: int = 3072) -> None:
        """Make the identity key, in a thread; Ready follows."""
        await self.account.create(name, bits)
        self.stream.emit(self.account.ready(self._key()))

    # What a face may look at.

    @property
    def identity(self) -> IdentityView | None:
        """Who one is; None before the first run is complete."""
        return self.account.view

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self.account.profile.name

    @property
    def preferences(self) -> Preferences:
        """What the person has chosen for the screen."""
        return self.account.preferences

    @property
    def conversations(self) -> tuple[str, ...]:
        """The ids of conversations that have a session now, or will have one again after a cut."""
        present = self._present()
        return (present.id,) if present else ()

    @property
    def is_hosting(self) -> bool:
        """Whether guests can come in."""
        return self._listener is not None

    def counters(self, conversation: str) -> Counters:
        """Return the counts of a conversation."""
        found = self._conversations.get(_raw_id(conversation))
        return found.counters if found else Counters()

    def contacts(self) -> tuple[ContactView, ...]:
        """Describe everybody pinned here."""
        return tuple(map(ContactView.of, self.account.pins.contacts))

    # Commands.

    async def host(self, bind: str | None = None) -> None:
        """Listen at ``ADDRESS[:PORT]`` (None: as the configuration says)."""
        key = self._key()
        if self._listener is not None:
            raise CommandError("busy", "You are hosting already.")
        listener = Listener(
            lambda moment: Session.host(key.public, moment),
            key,
            on_connection=self._welcome,
            on_events=self._happened,
            on_failure=self.handler_failed,
        )
        bound = await listen(listener, self.account.config.bind if bind is None else bind)
        self._listener = listener
        for address in bound:
            self.stream.emit(events.Listening(time=time.time(), address=address.host, port=address.port))
        reachable = tuple(map(str, await asyncio.to_thread(reachable_addresses, bound)))
        self.stream.emit(events.Hosting(time=time.time(), active=True, reachable=reachable))

    async def stop_hosting(self) -> None:
        """Listen no more; a conversation that stands goes on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.stop()
            self.stream.emit(events.Hosting(time=time.time(), active=False))

    async def join(self, target: str, *, new: bool = False) -> None:
        """Begin to connect to ``ADDRESS[:PORT]`` or a contact; the outcome comes as events."""
        key = self._key()
        if self._awaited is not None:
            await self.leave()
        if self._active is not None or self._calls.under_way:
            raise CommandError("busy", "You are in a conversation or joining one: leave it first.")
        dialled = choose_target(self.account.pins, target, new=new)
        self._drop_held(WHOM_WE_CALL, FIRST_GUEST)
        self._calls.begin(dialled, key)

    async def send(self, text: str, *, ref: str | None = None, conversation: str | None = None) -> None:
        """Send a message; it is held where the peer is not known yet, and queued where it is away."""
        check_text(text)
        found = self._find(conversation)
        if found is not None and found.known:
            found.send(text, ref)
            return
        self._held.add(found.id if found else self._expected(), text, ref)

    async def leave(self, conversation: str | None = None) -> None:
        """Say goodbye, after what was sent just before has arrived or three seconds have passed.

        An attempt to join that is under way, or to come back, is given up.
        """
        encounter = self._active if self._active and self._active.settled else None
        if encounter is None and (self._calls.under_way or self._awaited):
            if self._calls.under_way and self._awaited is None:
                self.error("given-up", "The attempt to join was given up.")
            self._calls.give_up()
            self._part_from_awaited()
            self._drop_held(WHOM_WE_CALL)
            return
        if encounter is None or self._find(conversation) is not encounter.conversation:
            raise CommandError("no-conversation", "There is no conversation to leave.")
        self._leaving = encounter.conversation
        await self.flush(_LEAVE_SECONDS)
        if encounter.connection is not None:
            session = encounter.connection.session
            encounter.connection.carry_out(session.goodbye(GoodbyeReason.LEAVING, now()))

    async def reconnect(self) -> None:
        """Try to come back now, instead of after the pause."""
        if self._active is not None or not self._calls.under_way:
            raise CommandError("no-conversation", "Nothing to reconnect: no connection was cut.")
        self._calls.hurry()

    async def forget(self, name: str) -> None:
        """Drop a contact's pin."""
        contact = self.account.pins.by_name(name)
        if contact is None:
            raise CommandError("unknown-contact", f"No contact is called {SafeText.line(name)}.")
        await self.account.change_pins(lambda pins: pins.without(contact.fingerprint))

    async def rename(self, name: str) -> None:
        """Take another name; peers are told it from the next session on."""
        await self.account.rename(name)

    async def prefer(self, *, notify: Notify | None = None, theme: ThemeName | None = None) -> None:
        """Keep a choice for the screen; None leaves that one as it is."""
        await self.account.prefer(notify=notify, theme=theme)

    async def flush(self, seconds: float) -> int:
        """Wait until everything is delivered, nobody is left to take it, or time is over.

        Return how many messages are not delivered.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._undelivered() and (self._active or self._calls.under_way):
                    self._progress.clear()
                    await self._progress.wait()
        return self._undelivered()

    # What encounters ask and tell (the House of encounter.py).

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

    def enter(self, encounter: Encounter, peer: PublicIdentity) -> Conversation:
        """Give the one place to this key, in place of a session that it, or a silent stranger, has."""
        self._supersede(peer)
        self._active = encounter
        key = self._key()
        number = conversation_id(key.public.fingerprint, peer.fingerprint)
        conversation = self._conversations.get(number)
        if conversation is None:
            conversation = Conversation(key, peer, self.stream, self._progress)
            self._conversations[number] = conversation
        return conversation

    def _supersede(self, peer: PublicIdentity) -> None:
        old = self._active
        if old is None or old.connection is None or old.conversation is None:
            return
        connection, conversation = old.connection, old.conversation
        if conversation.peer.fingerprint != peer.fingerprint:
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

    def secured(self, encounter: Encounter, conversation: Conversation) -> None:
        """Send what was held for this peer, and nothing that is meant for another."""
        unnamed = FIRST_GUEST if encounter.dialled is None else WHOM_WE_CALL
        self._held.pour_into(conversation, unnamed, conversation.id)

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
        awaited = cut and (dialled is not None or self.is_hosting)
        self._awaited = conversation if awaited else None
        self._leaving = None
        returns = Return.CALLS if dialled else Return.AWAITED if awaited else Return.NONE
        self.stream.emit(closed_event(conversation, end, returns, quitting=self._closing))
        if dialled is not None:
            self._calls.come_back(dialled, self._key(), conversation.peer.fingerprint)
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

    def _key(self) -> IdentityKey:
        if self.account.key is None:
            raise CommandError("no-identity", "There is no identity yet: choose a name first.")
        return self.account.key

    def _find(self, conversation: str | None) -> Conversation | None:
        """Return the conversation meant; raises CommandError for an id that is not here."""
        if conversation is None:
            return self._present()
        found = self._conversations.get(_raw_id(conversation))
        if found is None or found.id not in self.conversations:
            raise CommandError("no-conversation", "That conversation is not open now. Nothing was sent.")
        return found

    def _present(self) -> Conversation | None:
        """Return the conversation with a session, or the one cut off whose peer is expected back."""
        here = self._active.conversation if self._active and self._active.settled else None
        return here or self._awaited

    def _part_from_awaited(self) -> None:
        conversation, self._awaited = self._awaited, None
        if conversation is not None:
            end = Ended(End.LEFT, "left while the peer was away")
            self.stream.emit(closed_event(conversation, end, Return.NONE, quitting=self._closing))

    def _expected(self) -> str:
        """Return for whom a text is that names nobody: nothing for one key goes to another."""
        if self._calls.under_way:
            return WHOM_WE_CALL
        if self.is_hosting and not self._met_anybody:
            return FIRST_GUEST
        raise CommandError("no-conversation", "Nobody is here: host or join first. Nothing was sent.")

    def _lose_awaited(self) -> None:
        """Tell that a superseded session is gone, where the newer one has come to nothing."""
        conversation = self._awaited
        if conversation is None or self._calls.under_way:
            return
        returns = Return.AWAITED if self.is_hosting else Return.NONE
        end = Ended(End.LOST, "a newer session came to nothing")
        self.stream.emit(closed_event(conversation, end, returns, quitting=self._closing))
        if returns is Return.NONE:
            self._awaited = None

    def _undelivered(self) -> int:
        return len(self._held) + sum(len(one.outbox) for one in self._conversations.values())

    def _drop_held(self, *recipients: str) -> None:
        """Let go what was meant for somebody who never came: it must not reach another."""
        count = self._held.drop(*recipients)
        if count:
            self.error("not-sent", f"Not sent, since nobody came: {count} message(s).")

    def start(self, story: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a story until the engine is closed."""
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _welcome(self, connection: Connection) -> None:
        """Begin the story of a caller."""
        encounter = Encounter(self, None, str(connection.peer_address))
        self._encounters[connection] = encounter  # its first event may come before its story begins
        self.start(self.follow(connection, encounter))

    def _happened(self, connection: Connection, happened: Sequence[SessionEvent]) -> None:
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


def _raw_id(conversation: str) -> bytes:
    try:
        return bytes.fromhex(conversation)
    except ValueError:
        return b""
