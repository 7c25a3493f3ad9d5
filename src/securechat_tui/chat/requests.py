"""What a person asks for where several may be here: whom words are for, joining, talking, leaving."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

from securechat_tui.chat import events
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.held import FIRST_GUEST
from securechat_tui.chat.house import Dialled
from securechat_tui.chat.limits import MAX_CONVERSATIONS
from securechat_tui.chat.reception import Reception
from securechat_tui.chat.targets import aims_at
from securechat_tui.trust.pins import Contact

__all__ = ["Requests"]

_LEAVE_SECONDS: Final = 3.0
"""How long a goodbye waits for what was sent just before it."""

_WHICH: Final = "Several conversations are open: say which one is meant."

_One = TypeVar("_One")


def _only(several: Sequence[_One], which: str) -> _One | None:
    """Return the only one, None where there is none; raises CommandError with ``which`` for several."""
    if len(several) > 1:
        raise CommandError("which", which)
    return several[0] if several else None


class Requests:
    """The commands that concern who is here; a command that raises has changed nothing."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception

    def present(self) -> tuple[Conversation, ...]:
        """Return the conversations with a session, and those whose peer is expected back."""
        return self._reception.presence.present()

    def find(self, conversation: str | None) -> Conversation | None:
        """Return the conversation meant: the only one, where none is named.

        Raises CommandError for an id that is not here, and where several could be meant.
        """
        present = self.present()
        if conversation is None:
            return _only(present, _WHICH)
        found = next((one for one in present if one.id == conversation.lower()), None)
        if found is None:
            raise CommandError("no-conversation", "That conversation is not open now. Nothing was sent.")
        return found

    def encounter(self, conversation: str | None) -> Encounter:
        """Return the session of a conversation; of the only one that has a session, where none is named.

        Raises CommandError where there is none.
        """
        presence = self._reception.presence
        if conversation is None:
            encounter = _only([one for one in presence.sessions() if one.settled], _WHICH)
        else:
            found = self.find(conversation)
            encounter = presence.settled(found.id) if found is not None else None
        if encounter is None:
            raise CommandError("no-conversation", "Nobody is here now: this needs a conversation.")
        return encounter

    @property
    def is_calling(self) -> bool:
        """Whether a call is under way of which something can still come."""
        return bool(self._reception.calls.unanswered())

    def call(self, dialled: Dialled) -> None:
        """Begin a first call; raises CommandError for whom is here or called already.

        A call back to the same peer, after a cut, gives way to this one.
        """
        self._check_free(dialled)
        for conversation in self.present():
            if self._calls_back(conversation, dialled):
                self._reception.part_from_awaited(conversation)
        self._reception.drop_held(FIRST_GUEST)
        self._reception.calls.begin(dialled, self._reception.account.own_key)

    def _check_free(self, dialled: Dialled) -> None:
        for one in self._reception.presence.sessions():
            endpoint = one.dialled.endpoint if one.dialled is not None else None
            if one.conversation is not None and aims_at(dialled, one.conversation.peer, endpoint):
                self.check_absent(one.conversation)
        if self._reception.presence.is_full:
            raise CommandError(
                "busy", f"You are in {MAX_CONVERSATIONS} conversations, and more do not fit: leave one first."
            )
        firsts = [call for call in self._reception.calls.unanswered() if call.peer is None]
        if any(call.dialled.endpoint == dialled.endpoint for call in firsts):
            raise CommandError("busy", "You are joining there already: wait for the outcome, or leave it.")

    def _calls_back(self, conversation: Conversation, dialled: Dialled) -> bool:
        """Whether a peer who was cut off is called back, and is whom the person wants to join anew."""
        calls = [
            call for call in self._reception.calls.unanswered() if call.peer == conversation.peer.fingerprint
        ]
        return any(aims_at(dialled, conversation.peer, call.dialled.endpoint) for call in calls)

    def check_absent(self, conversation: Conversation) -> None:
        """Raise CommandError where the peer of a conversation is here."""
        if self._reception.presence.settled(conversation.id) is not None:
            raise CommandError("busy", f"{conversation.name} is here already.")

    def talk(self, conversation: Conversation, contact: Contact) -> None:
        """Call a contact until it is here, and again after every cut, and expect its call all the while.

        Raises CommandError where it is here already.
        """
        self.check_absent(conversation)
        self._reception.call_no_more(conversation)
        conversation.name = contact.name
        self._reception.talks.add(conversation.id)
        self._reception.presence.expect(conversation, None, told=True)
        if not self._reception.seek(contact, at_once=True):
            message = f"No address of {contact.name} is known, since you have only been called: waiting."
            self._reception.stream.emit(events.Notice(time=time.time(), message=message))

    def hurry(self) -> None:
        """Call back now; raises :class:`CommandError` where nobody is called back."""
        calls = [call for call in self._reception.calls.unanswered() if call.peer is not None]
        if not calls:
            raise CommandError("no-conversation", "Nothing to reconnect: no connection was cut.")
        for call in calls:
            call.hurry.set()

    async def send(self, text: str, ref: str | None, conversation: str | None, *, signed: bool) -> None:
        """Queue a text for whom it is meant, be it away, or hold it until its recipient is known."""
        found = self._kept(conversation) or self.find(conversation)
        if found is not None and self._takes_now(found):
            await found.send(text, ref, signed=signed)
            return
        if found is not None:
            found.check_signed(signed=signed)
        self._reception.held.add(found.id if found else self._expected(), text, ref, signed=signed)
        if found is not None:
            await self._reception.pour_early(found)

    def _takes_now(self, conversation: Conversation) -> bool:
        """Whether a text gets its number, or is refused, at once: nothing that was typed before it waits."""
        return bool(conversation.gate) or (conversation.known and not self._waits_for(conversation))

    def _waits_for(self, conversation: Conversation) -> bool:
        """Whether anything is held that can be for nobody but this conversation's peer."""
        held = self._reception.held
        if not held:
            return False
        calls = self._reception.calls.answered_by(conversation.peer.fingerprint)
        return bool(held.waiting_for(conversation.id, *(call.recipient for call in calls)))

    def _kept(self, conversation: str | None) -> Conversation | None:
        """Return the conversation with somebody who was here in an earlier session, here or not."""
        conversations = self._reception.conversations
        found = conversations.by_id(conversation) if conversation is not None else None
        if found is not None and conversations.is_former(found):
            raise CommandError("former-key", "That was with a former key: nothing more is sent under it.")
        return found if found is not None and found.known else None

    def _expected(self) -> str:
        """Return for whom a text is that names nobody: nothing for one key goes to another."""
        call = _only(
            self._reception.calls.unanswered(), "You are joining several: wait until it is clear who is here."
        )
        if call is not None:
            return call.recipient
        if self._reception.hosting and not self._reception.met_anybody:
            return FIRST_GUEST
        raise CommandError("no-conversation", "Nobody is here: host or join first. Nothing was sent.")

    async def leave(self, conversation: str | None) -> None:
        """Part from whoever is here, or is expected back; without anybody, give up every call."""
        found = self.find(conversation)
        if found is None:
            self._give_up_calls()
        elif self._reception.presence.settled(found.id) is None:
            self._reception.part_from_awaited(found)
        else:
            await self._say_goodbye(found)

    async def _say_goodbye(self, conversation: Conversation) -> None:
        """Say it once what was sent just before has arrived; a cut meanwhile is no reason to come back."""
        self._reception.leaving.add(conversation.id)
        self._reception.talk_no_more(conversation.id)
        try:
            await self._until_delivered(
                _LEAVE_SECONDS,
                lambda: len(conversation.outbox) + self._reception.held.waiting_for(conversation.id),
                lambda: self._reception.presence.session(conversation.id) is not None,
            )
            self._reception.end_session(conversation)
        finally:
            self._reception.leaving.discard(conversation.id)

    def _give_up_calls(self) -> None:
        calls = self._reception.calls.unanswered()
        if not calls:
            raise CommandError("no-conversation", "There is no conversation to leave.")
        self._reception.error("given-up", "The attempt to join was given up.")
        for call in calls:
            self._reception.calls.give_up(call)
            self._reception.drop_held(call.recipient)
        self._reception.progress.set()

    async def flush(self, seconds: float) -> int:
        """Wait until all is delivered, or nobody is left to take it; return how much is not."""
        return await self._until_delivered(
            seconds,
            self._undelivered,
            lambda: bool(
                self._reception.presence.sessions()
                or self._reception.calls.under_way
                or self._reception.talks
            ),
        )

    async def _until_delivered(
        self, seconds: float, count: Callable[[], int], goes_on: Callable[[], bool]
    ) -> int:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while count() and goes_on():
                    self._reception.progress.clear()
                    await self._reception.progress.wait()
        return count()

    def _undelivered(self) -> int:
        """Return how many messages have not arrived, in the conversations of this run."""
        touched = [one for one in self._reception.conversations.all() if one.is_touched]
        return len(self._reception.held) + sum(len(one.outbox) for one in touched)
