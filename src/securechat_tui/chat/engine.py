"""The engine: one person's conversations, behind commands and one stream of events.

It lives outside its face, so that it survives screens and can say goodbye before the program ends.
Who is here and who is called is the reception's part.
"""

import time
from collections.abc import AsyncIterator
from typing import Self

from securechat_tui.chat import events
from securechat_tui.chat.account import Account, login_name
from securechat_tui.chat.decisions import Decisions
from securechat_tui.chat.errors import CommandError, profile_errors
from securechat_tui.chat.events import Found, History
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.hosting import Hosting
from securechat_tui.chat.library import Library
from securechat_tui.chat.limits import check_text
from securechat_tui.chat.preferences import Notify, Preferences, ThemeName
from securechat_tui.chat.reception import Reception
from securechat_tui.chat.requests import Requests
from securechat_tui.chat.steps import Noted
from securechat_tui.chat.targets import choose_target, read_fingerprint, read_invite, verifying
from securechat_tui.chat.views import ConnectionView, ContactView, ConversationView, Counters, IdentityView
from securechat_tui.network.clock import now
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.keystore import Keys
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.invites import looks_like_invite
from securechat_tui.trust.pins import Contact
from securechat_tui.trust.states import Trust

__all__ = ["ContactView", "Counters", "Engine", "IdentityView"]


class Engine:
    """One profile at work. Commands raise :class:`CommandError`; everything else comes as events."""

    def __init__(self, profile: Profile, keys: Keys | None = None, cost: Cost = USUAL_COST) -> None:
        """``keys`` are the profile's where a face has opened them already; ``cost`` that of a passphrase."""
        self.account = Account(profile, keys, cost)
        self.reception = Reception(self.account)
        self.hosting = Hosting(self.reception)
        self.requests = Requests(self.reception)
        self.stream = self.reception.stream
        self._library = Library(self.account, self.reception.conversations, self.reception.begun_anew)
        self._closing = False

    # Life.

    async def __aenter__(self) -> Self:
        """Lock and read the profile; Ready, PassphraseNeeded or IdentityNeeded follows.

        Raises the ProfileError family.
        """
        await self.account.open()
        if self.account.locked:
            self.stream.emit(events.PassphraseNeeded(time=time.time()))
        elif self.account.key is None:
            self.stream.emit(events.IdentityNeeded(time=time.time(), suggested_name=login_name()))
        else:
            await self._begin()
        return self

    async def _begin(self) -> None:
        await self.reception.conversations.load()
        self.stream.emit(self.account.ready(self.account.own_key))

    async def __aexit__(self, *_: object) -> None:
        """Say goodbye, flush, let the profile go."""
        await self.close()

    async def close(self) -> None:
        """End everything; what was written leaves first. Closing twice does nothing."""
        if self._closing:
            return
        self._closing = True
        await self.hosting.stop()
        await self.reception.close()
        await self.account.close()
        self.stream.close()

    def events(self) -> AsyncIterator[events.Event]:
        """Return the one stream of events; it ends when the engine is closed."""
        return aiter(self.stream)

    async def create_identity(
        self, name: str, bits: int = 3072, passphrase: Passphrase | None = None
    ) -> None:
        """Make the identity key, in a thread; Ready follows."""
        await self.account.create(name, bits, passphrase)
        await self._begin()

    async def unlock(self, passphrase: Passphrase) -> None:
        """Open the identity, in a thread; Ready follows. Raises CommandError for a wrong passphrase."""
        await self.account.unlock(passphrase)
        await self._begin()

    async def change_passphrase(self, present: Passphrase | None, new: Passphrase | None) -> None:
        """Put key and history under another passphrase, or under none (None), in a thread.

        Raises CommandError for another passphrase than the present one; nothing has changed then.
        """
        await self.account.change_passphrase(present, new)

    # What a face may look at.

    @property
    def identity(self) -> IdentityView | None:
        """Who one is; None before the first run is complete, or the passphrase is given."""
        return self.account.view

    @property
    def locked(self) -> bool:
        """Whether there is an identity whose passphrase has not been given yet."""
        return self.account.locked

    @property
    def has_passphrase(self) -> bool:
        """Whether the identity is under one."""
        return self.account.has_passphrase

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
        return tuple(one.id for one in self.requests.present())

    @property
    def is_calling(self) -> bool:
        """Whether a call is under way of which something can still come."""
        return self.requests.is_calling

    @property
    def is_hosting(self) -> bool:
        """Whether guests can come in."""
        return self.hosting.is_active

    def counters(self, conversation: str) -> Counters:
        """Return the counts of a conversation."""
        found = self.reception.conversations.by_id(conversation)
        return found.counters if found else Counters()

    def contacts(self) -> tuple[ContactView, ...]:
        """Describe everybody pinned here."""
        return tuple(map(ContactView.of, self.account.pins.contacts))

    # Commands.

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        """Listen at ``ADDRESS[:PORT]`` (None: as the configuration says), and make a first invite.

        ``invited_only``: nobody else is answered but contacts who show a reconnect secret.
        """
        await self.hosting.begin(bind, invited_only=invited_only)

    async def stop_hosting(self) -> None:
        """Listen no more; a conversation that stands goes on, and nobody is expected to call any more."""
        await self.hosting.stop()
        self.reception.part_from_callers()

    async def invite(self) -> None:
        """Make an invite for one guest; it comes as an event."""
        self.hosting.invite()

    async def join(self, target: str, *, new: bool = False) -> None:
        """Begin to connect to ``ADDRESS[:PORT]``, a contact or an invite; the outcome comes as events.

        A contact is named, or meant for certain by its fingerprint in full.
        """
        if looks_like_invite(target):
            dialled = read_invite(target, time.time())
        else:
            dialled = choose_target(self.account.pins, target, new=new)
        self.requests.call(dialled)

    async def talk(self, name: str, bind: str | None = None) -> None:
        """Listen, and dial a contact's addresses, until one of the two stands; and so after every cut.

        It ends with a goodbye of either side. Unless it hosts already, it listens at ``bind`` (None: as
        the configuration says), and answers known contacts alone, as long as anybody is to be talked with.
        """
        contact = self._contact(name)
        if contact.trust is Trust.BLOCKED:
            raise CommandError("blocked", f"{contact.name} is blocked: unblock the contact first.")
        conversation = await self.reception.conversations.with_peer(PublicIdentity.from_spki(contact.spki))
        self.requests.check_absent(conversation)
        await self.hosting.for_talk(contact, bind)
        self.requests.talk(conversation, contact)

    def _contact(self, name: str) -> Contact:
        contact = self.account.pins.by_name(name)
        if contact is None:
            raise CommandError("unknown-contact", f"No contact is called {SafeText.line(name)}.")
        return contact

    async def verify_key(self, fingerprint: str, target: str = "") -> None:
        """Let in a key that has raised the alarm, as far as the gate: codes are compared there.

        With ``target`` it is called there, and must answer; without one it may call here, once, within ten
        minutes. If the codes are the same it takes the contact's place.
        """
        if not target:
            self.reception.callers.want(read_fingerprint(fingerprint), now())
            return
        dialled = verifying(self.account.pins, target, fingerprint)
        self.requests.call(dialled)

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        """Send a message; it is held where the peer is not known yet, and queued where it is away.

        ``signed``: whether it is on the record; None stands for what the configuration says.
        """
        check_text(text)
        signed = self.account.config.sign_messages if signed is None else signed
        await self.requests.send(text, ref, conversation, signed=signed)

    async def resolve(self, choice: Resolution, conversation: str | None = None) -> None:
        """Answer the question at the gate ``unsigned`` or ``resume``."""
        with profile_errors():
            await self._decide(conversation).resolve(choice)

    async def leave(self, conversation: str | None = None) -> None:
        """Say goodbye, after what was sent just before has arrived or three seconds have passed.

        An attempt to join that is under way, or to come back, is given up.
        """
        await self.requests.leave(conversation)

    async def reconnect(self) -> None:
        """Try to come back now, instead of after the pause."""
        self.requests.hurry()

    async def verify(self, conversation: str | None = None) -> None:
        """Ask to compare codes, or take up the peer's wish; Code follows when both have asked."""
        self._decide(conversation).comparing.ask()

    async def decline(self, conversation: str | None = None) -> None:
        """Not now: end a comparison with nothing decided."""
        self._decide(conversation).comparing.decline()

    async def match(self, digits: str | None = None, *, conversation: str | None = None) -> None:
        """The codes are the same; ``digits`` lets the program compare those that were read out."""
        with profile_errors():
            await self._decide(conversation).same(digits)

    async def accept_key(self, conversation: str | None = None) -> None:
        """Take the new key that the contact's old one has signed: PINNED, until codes are compared."""
        with profile_errors():
            await self._decide(conversation).accept_key()

    async def differ(self, conversation: str | None = None) -> None:
        """The codes differ: keep that, stop the conversation."""
        await self._decide(conversation).different()

    async def show_safety_number(self, conversation: str | None = None) -> None:
        """Derive the safety number with the present peer; SafetyNumber follows."""
        await self._decide(conversation).comparing.show_safety_number()

    async def match_safety_number(self, conversation: str | None = None) -> None:
        """The safety numbers are the same on both sides."""
        with profile_errors():
            await self._decide(conversation).same_safety_number()

    def _decide(self, conversation: str | None) -> Decisions:
        return Decisions(self.requests.encounter(conversation))

    async def forget(self, name: str) -> None:
        """Drop a contact's pin."""
        contact = self._contact(name)
        with profile_errors():
            await self.account.change_pins(lambda pins: pins.without(contact.fingerprint))
        for fingerprint in (contact.fingerprint, *contact.refused):
            self.reception.forgotten(fingerprint)

    async def block(self, name: str, *, blocked: bool) -> None:
        """Refuse a contact's key from now on, here and now too; or take that back."""
        contact = self._contact(name)
        with profile_errors():
            await self.account.block(contact.name, blocked=blocked)
        now_here = self.account.pins.by_name(contact.name)
        if blocked and now_here is not None:
            self.reception.part_from(now_here.fingerprint)

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
        return await self.requests.flush(seconds)

    # What is looked at.

    @property
    def is_inspecting(self) -> bool:
        """Whether it is kept, in memory, how messages go over the wire."""
        return self.reception.inspector.is_on

    def inspect(self, *, on: bool) -> None:
        """Keep from now on, in memory, how messages go over the wire; or no more, and forget all of it."""
        sessions = [
            (one.conversation.id, one.connection.session)
            for one in self.reception.presence.sessions()
            if one.conversation is not None and one.connection is not None
        ]
        inspector = self.reception.inspector
        (inspector.begin if on else inspector.end)(sessions)

    def wire(self, conversation: str, number: int, *, own: bool) -> tuple[Noted, ...]:
        """Return the steps of one's ``own`` message, or of the peer's; none where they were not kept."""
        return self.reception.inspector.way_of(conversation, number, own=own)

    # What is kept.

    def connections(self) -> tuple[ConnectionView, ...]:
        """What came and went since the program began, oldest first."""
        return self.reception.log.views()

    def overview(self) -> tuple[ConversationView, ...]:
        """Every conversation that is open or kept, the most recent first."""
        return self._library.overview(self.reception.presence.expected())

    async def history(
        self, conversation: str, *, limit: int = 200, before: int | None = None, after: int | None = None
    ) -> History:
        """Return the last ``limit`` kept messages of a conversation, of those below row ``before``.

        With ``after``, the first ``limit`` above that row.
        """
        with profile_errors():
            return await self._library.history(conversation, limit, before, after)

    async def search(
        self,
        text: str,
        *,
        conversation: str | None = None,
        limit: int = 100,
        before: int | None = None,
        after: int | None = None,
    ) -> tuple[Found, ...]:
        """Return the last ``limit`` kept messages that hold all the words of ``text``, by conversation.

        Of those below row ``before``; with ``after``, the first ``limit`` above that row.
        """
        with profile_errors():
            return await self._library.search(text, conversation, limit, before, after)

    async def mark_read(self, conversation: str) -> None:
        """What has come so far has been seen."""
        with profile_errors():
            await self._library.mark_read(conversation)

    async def keep_draft(self, conversation: str, text: str) -> None:
        """Keep what is being typed; an empty text takes it away."""
        with profile_errors():
            await self._library.keep_draft(conversation, text)

    async def export(self, conversation: str, file: str = "") -> str:
        """Write a conversation to a new file, in clear, with what proves its authors; return its path.

        ``file`` is a path or a folder; the home folder where it is empty. The conversation can go on.
        """
        with profile_errors():
            return str(await self._library.export(conversation, file))

    async def wipe(self, conversation: str) -> None:
        """Destroy what is kept of a conversation, and its key; it can go on."""
        with profile_errors():
            await self._library.wipe(conversation)
