"""The reception: where connections come in and go out, and what follows when a session is over.

Each connection is followed by one :class:`Encounter`; each conversation has one session at most. Where
every place is taken, callers are told that it is busy; but one whose secret shows that it is known takes
the place of a session in which nobody says anything.
"""

import asyncio
import time
from collections.abc import Callable

from securechat_tui.chat import events
from securechat_tui.chat.account import Account
from securechat_tui.chat.callers import Callers
from securechat_tui.chat.calls import Call, Calls
from securechat_tui.chat.connection_log import ConnectionLog
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.endings import GAVE_WAY, SUCCEEDED, UNREACHABLE, Return, closed_event
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.following import Following
from securechat_tui.chat.formers import Formers
from securechat_tui.chat.held import FIRST_GUEST, Held
from securechat_tui.chat.house import Dialled
from securechat_tui.chat.inspector import Inspector
from securechat_tui.chat.presence import Presence
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.targets import reaching
from securechat_tui.chat.telling import unix_ms
from securechat_tui.chat.turns import Turns
from securechat_tui.network.clock import now
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.payloads import GoodbyeReason, Hello, HelloFlag
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.errors import ProfileError
from securechat_tui.trust.pins import Contact

_NOTICE_PAUSE_SECONDS = 5.0


class Reception:
    """What encounters and calls need of the engine, and what the engine may ask about them."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.stream = EventStream()
        self.callers = Callers()
        self.log = ConnectionLog()
        self.following = Following(self)
        self.progress = asyncio.Event()
        self.turns = Turns()
        self.conversations = Conversations(account, self.stream, self.progress, self.turns)
        self.formers = Formers(self.conversations)
        self.inspector = Inspector()
        self.hosting = False
        self.presence = Presence()
        self.calls = Calls(self)
        self.held = Held()
        self.talks: set[str] = set()
        """The conversations to which this side comes back whoever had called, until a person leaves."""
        self.on_last_talk: Callable[[], None] = lambda: None
        """What is called when nobody is to be kept talking with any more."""
        self.leaving: set[str] = set()
        self.met_anybody = False
        self._next_notice: dict[str, float] = {}
        self._closing = False

    async def close(self) -> None:
        """Say every goodbye, let what was written leave, end every story."""
        self._closing = True
        for call in self.calls.unanswered():
            self.calls.give_up(call)
        await self.following.close()
        await self.conversations.close()

    # What encounters ask and tell (the House of house.py).

    def is_busy_for(self, fingerprint: Fingerprint | None, *, known: bool) -> bool:
        """Whether there is no place; ``known`` callers have shown a secret."""
        return not self.presence.has_room_for(fingerprint, known=known)

    def notice(self, kind: str, **details: str) -> None:
        """Tell what is worth a dim line: ``kind`` is the sentence, with a place for each detail.

        No kind comes too often, since callers must not flood the screen; nor does one hide another.
        """
        moment = now().monotonic
        if moment >= self._next_notice.get(kind, moment):
            self._next_notice[kind] = moment + _NOTICE_PAUSE_SECONDS
            self.stream.emit(events.Notice(time=time.time(), message=kind.format(**details)))

    def error(self, code: str, message: str) -> None:
        """Tell what went wrong here."""
        self.stream.emit(events.Error(time=time.time(), code=code, message=message))

    def enter(self, encounter: Encounter, conversation: Conversation) -> bool:
        """Give this conversation's peer its place; False where the session gives way to one that stands."""
        own = self.account.own_key.public.fingerprint
        moment = now().monotonic
        if self.presence.gives_way(encounter, conversation, own, moment):
            self._answered(encounter, conversation)
            self._part_unheard(encounter)
            return False
        older = self.presence.session(conversation.id)
        if older is not None:
            self._supersede(older, conversation)
        elif self.presence.is_full and (silent := self.presence.silent()) is not None:
            self._send_away(silent)
        self.presence.enter(encounter, conversation, moment)
        return True

    def _part_unheard(self, encounter: Encounter) -> None:
        """End a session that gives way; a goodbye needs a name before it."""
        if encounter.connection is not None:
            hello = Hello(SafeText.name(self.account.name), unix_ms(), HelloFlag(0))
            encounter.connection.session.send(hello, now())
        encounter.give_place(GoodbyeReason.REPLACED)

    def _supersede(self, older: Encounter, conversation: Conversation) -> None:
        if older.settled:  # until the newer session has said HELLO, or for good
            self.presence.expect(conversation, older.dialled, told=False)
        self._answered(older, conversation)
        self.presence.leave(older)
        older.give_place(GoodbyeReason.REPLACED)

    def _send_away(self, silent: Encounter) -> None:
        """End a session in which nothing was said: the peer is told a goodbye, no more."""
        if silent.settled:
            self.left(silent, Ended(End.LEFT, GAVE_WAY))
        else:
            self.failed(silent, Ended(End.LEFT, GAVE_WAY))
        silent.give_place(GoodbyeReason.LEAVING)

    def _answered(self, encounter: Encounter, conversation: Conversation) -> None:
        """A call has led to this peer, whichever session it goes on in: the texts for it belong there."""
        call = self.calls.of(encounter)
        if call is None:
            return
        self.calls.reached(encounter, conversation.peer.fingerprint)
        self.held.settle(call.recipient, conversation.id)
        if conversation.secure:
            self._pour_late(conversation)
        else:
            self.following.start(self.pour_early(conversation))

    def _pour_late(self, conversation: Conversation) -> None:
        """Send what was held to a conversation that flows already, past the gate for unsigned ones."""
        try:
            conversation.check_signed(signed=not self.held.has_unsigned(conversation.id))
        except CommandError:
            self.drop_held(conversation.id)
        else:
            self.following.start(self._pour(conversation))

    async def pour_early(self, conversation: Conversation) -> None:
        """Number what is meant for a known peer, here or not, unless something is to be decided first."""
        if not conversation.known or conversation.gate:
            return
        for call in self.calls.answered_by(conversation.peer.fingerprint):
            self.held.settle(call.recipient, conversation.id)
        if conversation.takes(signed=not self.held.has_unsigned(conversation.id)):
            await self._pour(conversation)

    async def _pour(self, conversation: Conversation) -> None:
        try:
            await self.secured(conversation)
        except ProfileError as error:
            self.error("cannot-save", str(error))
            self._come_again(conversation)

    def greeted(self, encounter: Encounter) -> None:
        """Take note that the peer has said its name: from here on it is the one that is here."""
        conversation = encounter.conversation
        self.met_anybody = True
        if conversation is None:
            return
        peer = conversation.peer.fingerprint
        self.held.settle(self._unnamed(encounter), conversation.id)
        self.calls.reached(encounter, peer)
        self.call_no_more(conversation)
        self.presence.expect_no_more(conversation.id)
        self.log.name(encounter, conversation.name)

    def call_no_more(self, conversation: Conversation) -> None:
        """Give up every call to this peer: what was meant for whoever answers is for it."""
        for call in self.calls.to(conversation.peer.fingerprint):
            self.calls.give_up(call)
            self.held.settle(call.recipient, conversation.id)
        self.following.start(self.pour_early(conversation))

    def _unnamed(self, encounter: Encounter) -> str:
        """Under what something is held for whoever is there, before it is known who that is."""
        call = self.calls.of(encounter)
        if call is not None:
            return call.recipient
        return FIRST_GUEST if encounter.dialled is None else ""

    async def secured(self, conversation: Conversation) -> None:
        """Send what was held for this peer, and nothing that is meant for another."""
        try:
            await self.held.pour_into(conversation)
        except ProfileError:
            self._drop_unless_expected(conversation)
            raise

    def holds_unsigned(self, encounter: Encounter, conversation: Conversation) -> bool:
        """Whether something unsigned is held for this peer, named or not."""
        return self.held.has_unsigned(self._unnamed(encounter), conversation.id)

    def forgotten(self, fingerprint: Fingerprint) -> None:
        """Let go what was found about a key in this run."""
        conversation = self.conversations.known(fingerprint)
        if conversation is not None:
            conversation.distrusted = False

    def part_from(self, fingerprint: Fingerprint) -> None:
        """End what is with this key at once, also a session in which it has not said its name yet."""
        for call in self.calls.to(fingerprint):
            self.calls.give_up(call)
            self.drop_held(call.recipient)
        for encounter in self.presence.sessions():  # who would take its place stands at its gate there
            if encounter.succeeds == fingerprint and encounter.conversation is not None:
                self.end_session(encounter.conversation)
        conversation = self.conversations.known(fingerprint)
        if conversation is None:
            return
        self.talk_no_more(conversation.id)
        self.end_session(conversation)
        if self.presence.awaited(conversation.id) is not None:
            self.part_from_awaited(conversation)

    def succeeded(self, former: Contact, *, is_named: bool) -> None:
        """Another key has taken this contact's place; ``is_named``: the former one has named it.

        What waits for the former key is settled with an heir that was named, and goes to no other unasked.
        """
        conversation = self.conversations.known(former.fingerprint)
        if conversation is None:
            return
        if len(conversation.outbox) and not is_named:
            self.error(
                "not-sent",
                f"Written for {former.name}'s former key, so not sent to the new one: "
                f"{len(conversation.outbox)} message(s).",
            )
        if self.presence.awaited(conversation.id) is not None:
            self.part_from_awaited(conversation, SUCCEEDED)

    def left(self, encounter: Encounter, end: Ended) -> None:
        """Close a conversation whose session is over."""
        self.log.end(encounter, end)
        conversation = encounter.conversation
        if conversation is None or not self.presence.leave(encounter):
            return
        conversation.detach()
        self.calls.ended(conversation.peer.fingerprint, fruitful=encounter.is_fruitful)
        self._go_on(conversation, end, encounter.dialled)

    def failed(self, encounter: Encounter, end: Ended) -> None:
        """Forget a connection of which nothing came; what it was to go on with may be lost with it."""
        self.log.end(encounter, end)
        conversation = encounter.conversation
        if conversation is not None and self.presence.leave(encounter):
            conversation.detach()
            self._lose(conversation)
        self.progress.set()

    def dropped(self, encounter: Encounter) -> None:
        """Forget an encounter that a person has given up in the middle."""
        self.failed(encounter, Ended(End.LEFT, "given up"))

    def _lose(self, conversation: Conversation) -> None:
        """Tell that a superseded session is gone, where the newer one has come to nothing."""
        awaited = self.presence.awaited(conversation.id)
        if awaited is not None and not awaited.told and not self._is_called(conversation):
            self._go_on(conversation, Ended(End.LOST, "a newer session came to nothing"), awaited.dialled)
        self._drop_unless_expected(conversation)

    def _drop_unless_expected(self, conversation: Conversation) -> None:
        """Let go what is held for a peer who neither is here nor will be."""
        is_here = self.presence.session(conversation.id) is not None
        is_awaited = self.presence.awaited(conversation.id) is not None
        if not (is_here or is_awaited or self._is_called(conversation)):
            self.drop_held(conversation.id)

    def _is_called(self, conversation: Conversation) -> bool:
        return bool(self.calls.to(conversation.peer.fingerprint))

    # After a session.

    def begun_anew(self, conversation: Conversation) -> None:
        """End the session of a conversation of which nothing is left, as a cut would."""
        sentence = "What was destroyed had been damaged, so that the conversation begins anew on both sides."
        self.stream.emit(events.Notice(time=time.time(), message=sentence))
        self._come_again(conversation)

    def _come_again(self, conversation: Conversation) -> None:
        encounter = self.presence.session(conversation.id)
        if encounter is not None:
            encounter.come_again()

    def end_session(self, conversation: Conversation) -> None:
        """Say goodbye in the session of a conversation, if there is one."""
        encounter = self.presence.session(conversation.id)
        if encounter is not None and encounter.connection is not None:
            session = encounter.connection.session
            encounter.connection.carry_out(session.goodbye(GoodbyeReason.LEAVING, now()))

    def part_from_awaited(
        self, conversation: Conversation, why: str = "left while the peer was away"
    ) -> None:
        """Expect somebody back no more."""
        self.end_session(conversation)
        for call in self.calls.unanswered():
            if call.peer == conversation.peer.fingerprint:
                self.calls.give_up(call)
        self.tell_closed(conversation, Ended(End.LEFT, why), Return.NONE)

    def part_from_callers(self) -> None:
        """Nobody can call any more: expect nobody back who is neither here nor called."""
        for conversation in self.presence.expected():
            if self.presence.session(conversation.id) is None and not self._is_called(conversation):
                self.part_from_awaited(conversation, UNREACHABLE)

    def seek(self, contact: Contact | None, *, at_once: bool = False) -> bool:
        """Call a contact at every address of its; False where there is none."""
        if contact is None or not contact.addresses:
            return False
        self.calls.seek(reaching(contact), self.account.own_key, contact.fingerprint, at_once=at_once)
        return True

    def _go_on(self, conversation: Conversation, end: Ended, dialled: Dialled | None) -> None:
        """Tell the end of a session, and call or expect its peer where the two are not done."""
        contact = self.account.pins.by_fingerprint(conversation.peer.fingerprint)
        returns = self._returns(conversation, end, dialled, contact)
        self.tell_closed(conversation, end, returns)
        if returns is Return.NONE:
            return
        self.presence.expect(conversation, dialled, told=True)
        if conversation.id in self.talks:
            self.seek(contact)
        elif returns is Return.CALLS and dialled is not None:
            self.calls.come_back(dialled, self.account.own_key, conversation.peer.fingerprint)

    def _returns(
        self, conversation: Conversation, end: Ended, dialled: Dialled | None, contact: Contact | None
    ) -> Return:
        talks = conversation.id in self.talks
        if self._closing or conversation.id in self.leaving:
            return Return.NONE
        if end == _REPLACED and self.hosting and dialled is not None:
            return Return.MOVES
        if end.how is not End.LOST or not (conversation.known or talks):
            return Return.NONE
        if dialled is not None or (talks and contact is not None and contact.addresses):
            return Return.CALLS
        return Return.AWAITED if self.hosting else Return.NONE

    def tell_closed(self, conversation: Conversation, end: Ended, returns: Return) -> None:
        """Tell the end of a session; unless the peer returns, what is held for it goes."""
        self.presence.expect_no_more(conversation.id)
        self.stream.emit(closed_event(conversation, end, returns, quitting=self._closing))
        if returns is Return.NONE:
            self.talk_no_more(conversation.id)
            self.drop_held(conversation.id)
        self.progress.set()

    def talk_no_more(self, conversation: str) -> None:
        """Come back to a conversation no more than others do."""
        if conversation in self.talks:
            self.talks.remove(conversation)
            if not self.talks and not self._closing:
                self.on_last_talk()

    def call_ended(self, call: Call) -> None:
        """Take note that a call is over without anybody: what was meant for that peer is let go."""
        self.drop_held(call.recipient)
        conversation = self.conversations.known(call.peer) if call.peer is not None else None
        if conversation is not None and self.presence.session(conversation.id) is None:
            self.presence.expect_no_more(conversation.id)
            self.talk_no_more(conversation.id)
            self.drop_held(conversation.id)
        self.progress.set()

    def drop_held(self, recipient: str) -> None:
        """Let go what was meant for somebody who never came: it must not reach another."""
        count = self.held.drop(recipient)
        if count:
            self.error("not-sent", f"Not sent, since nobody came: {count} message(s).")


_REPLACED = Ended(End.GOODBYE, GoodbyeReason.REPLACED.name)
