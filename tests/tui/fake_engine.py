"""An engine that does nothing but remember what it was told and say what it is told to say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

import msgspec

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Checks,
    Closed,
    Code,
    Delivered,
    Dialing,
    Event,
    Found,
    Gate,
    History,
    Hosting,
    IdentityNeeded,
    Invite,
    Kept,
    Listening,
    Message,
    PassphraseNeeded,
    Peer,
    Queued,
    Ready,
    Refused,
    SafeText,
    SafetyNumber,
    Secure,
    Sent,
    Trust,
    TrustChanged,
)
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.preferences import Notify, Preferences, ThemeName
from securechat_tui.chat.steps import Noted
from securechat_tui.chat.views import (
    ConnectionView,
    ContactView,
    ConversationView,
    Counters,
    IdentityView,
)

NOON = 1_795_262_400.0
"""2026-11-21 12:00:00 UTC, the time of everything here."""
CONVERSATION = "5c" * 32
OWN_FINGERPRINT = "SHA256:q0QbYz4T3nA1kVfXwR8uL2sJmE6hPcD9iGoNt7yKxBc"
PEER_FINGERPRINT = "SHA256:k3JfAbcdT8qLmN0pRsUvWxYz1234567890aBcDeFgHi"
OTHER_FINGERPRINT = "SHA256:Zz9yXw8vUt7sRq6pOn5mLk4jIh3gFe2dCb1aZz0yXwV"
INVITE = (
    "securechat://192.168.1.10:8000/#ae2m4tq7wzrkd6uohx5vbcpyfj3sgln2aieqk7wt4zmxrd6uohv5"
    "bcpyfj3sgln2aieqk7wt4zmxrd6uohv5bcpyfj3sgln"
)
"""An invite as long as a real one; the fake engine does not look at it."""
SUITE = "X25519+ML-KEM-768 · GCM"


def picture(letters: str) -> tuple[str, ...]:
    """A randomart of the usual size, filled from ``letters``."""
    rows = [f"|{(letters[row:] + letters)[:17]:<17}|" for row in range(9)]
    return ("+---[RSA 3072]----+", *rows, "+----[SHA256]-----+")


OWN_PICTURE = picture(" . o + B  S  =  E ")
PEER_PICTURE = picture("  .o+ B   S  =.E  ")
OTHER_PICTURE = picture("E=  ..  oX@  S  + ")

IDENTITY = IdentityView(
    name="ada",
    fingerprint=OWN_FINGERPRINT,
    key_bits=3072,
    randomart=OWN_PICTURE,
    folder="/home/ada/.config/securechat-tui",
)


def contact(name: str, *, trust: Trust = Trust.PINNED, last_seen: float = NOON - 86400) -> ContactView:
    return ContactView(
        name=SafeText.name(name),
        fingerprint=PEER_FINGERPRINT,
        trust=trust,
        addresses=("192.168.1.20:8000",),
        first_seen=NOON - 9 * 86400,
        last_seen=last_seen,
        key_bits=3072,
        randomart=PEER_PICTURE,
        history=(),
    )


def peer(
    name: str = "bob", *, trust: Trust = Trust.NEW, known_elsewhere: str = "", differed: bool = False
) -> Peer:
    return Peer(
        time=NOON,
        conversation=CONVERSATION,
        name=SafeText.name(name),
        fingerprint=PEER_FINGERPRINT,
        trust=trust,
        address="192.168.1.20",
        role="host",
        key_bits=3072,
        randomart=PEER_PICTURE,
        contact=SafeText.name(name),
        first_seen=NOON - 9 * 86400,
        known_elsewhere=known_elsewhere,
        differed=differed,
    )


def secure(epoch: int = 0) -> Secure:
    return Secure(time=NOON, conversation=CONVERSATION, session="a1" * 16, epoch=epoch, suite=SUITE)


ALL_PASSED = Checks(intact=True, in_order=True, fresh=True, signed=True)


def message(
    number: int, text: str, *, name: str = "bob", checks: Checks = ALL_PASSED, age: float = 0.2
) -> Message:
    return Message(
        time=NOON + 60 * number,
        conversation=CONVERSATION,
        number=number,
        text=SafeText.multi(text),
        author=PEER_FINGERPRINT,
        name=SafeText.name(name),
        claimed=NOON + 60 * number - age,
        age=age,
        late=not checks.fresh,
        checks=checks,
        trust=Trust.NEW,
    )


def key_changed(*, offered_contact: str = "", trust: Trust = Trust.PINNED, target: str = "bob") -> Refused:
    return Refused(
        time=NOON,
        reason="key-changed",
        message="bob's key is different from the pinned one; nothing was sent.",
        address="192.168.1.20:8000",
        contact=SafeText.name("bob"),
        expected=PEER_FINGERPRINT,
        expected_randomart=PEER_PICTURE,
        pinned_since=NOON - 9 * 86400,
        trust=trust,
        offered=OTHER_FINGERPRINT,
        offered_randomart=OTHER_PICTURE,
        offered_contact=SafeText.name(offered_contact) if offered_contact else SafeText(""),
        target=target,
    )


def code() -> Code:
    names = ("glasses", "lamp", "butterfly", "tree", "rabbit", "dog", "unicorn")
    return Code(
        time=NOON,
        conversation=CONVERSATION,
        emoji=names,
        signs=tuple("👓💡🦋🌳🐰🐶🦄"),
        digits="2383946739716",
    )


def safety_number(words: tuple[str, ...]) -> SafetyNumber:
    digits = "1147459304701259012922756599793919210098"
    return SafetyNumber(time=NOON, conversation=CONVERSATION, words=words, digits=digits)


def gate(reason: str, sentence: str) -> Gate:
    return Gate(time=NOON, conversation=CONVERSATION, reason=reason, message=sentence)


def trust_changed(trust: Trust, how: str = "codes compared: the same") -> TrustChanged:
    return TrustChanged(
        time=NOON,
        conversation=CONVERSATION,
        fingerprint=PEER_FINGERPRINT,
        trust=trust,
        how=how,
        contact=SafeText.name("bob"),
    )


def closed(reason: str = "goodbye", by: str = "peer", *, will_retry: bool = False) -> Closed:
    sentence = "bob has said goodbye." if by == "peer" else "You have said goodbye."
    if reason == "lost":
        sentence = "The connection to bob was cut: no goodbye was said."
    return Closed(
        time=NOON + 3600,
        conversation=CONVERSATION,
        reason=reason,
        by=by,
        will_retry=will_retry,
        awaited=will_retry,
        message=sentence,
    )


def within(kept: list[Kept], before: int | None, after: int | None) -> list[Kept]:
    """What is kept below a row, or above one."""
    if after is not None:
        return [one for one in kept if one.row > after]
    return [one for one in kept if before is None or one.row < before]


class FakeEngine:
    """Records the calls made of it in ``calls``; ``fail`` makes the next ones of a kind fail."""

    def __init__(
        self, *, identity: IdentityView | None = IDENTITY, contacts: tuple[ContactView, ...] = ()
    ) -> None:
        self.identity = identity
        self.profile = "default"
        self.locked = False
        self.passphrase: Passphrase | None = None
        """That of the identity; None where it has none."""
        self.conversations: tuple[str, ...] = ()
        self.is_hosting = False
        self.is_calling = False
        self.inspecting = False
        self.ways: dict[tuple[int, bool], tuple[Noted, ...]] = {}
        self.calls: list[tuple[object, ...]] = []
        self.failures: dict[str, CommandError] = {}
        self.undelivered = 0
        self.refs: list[str | None] = []
        """What the messages that were sent are called by the screen."""
        self.write = True
        self.deliver = True
        self.answer: Callable[[str], str] | None = None
        self.closed = False
        self.preferences = Preferences(path="/home/ada/config.toml")
        self._contacts = contacts
        self.kept: dict[str, list[Kept]] = {}
        """What is kept of each conversation, oldest first."""
        self.views: tuple[ConversationView, ...] = ()
        """What :meth:`overview` tells."""
        self.came_and_went: tuple[ConnectionView, ...] = ()
        self.paging = asyncio.Event()
        """While it is not set, pages of the history take their time."""
        self.paging.set()
        self._numbers = {"sent": 0, "received": 0, "bad": 0, "delivered": 0}
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.key_making = asyncio.Event()
        self.key_making.set()

    async def __aenter__(self) -> Self:
        self.open()
        return self

    def open(self) -> None:
        """Say whether there is an identity."""
        if self.locked:
            self.emit(PassphraseNeeded(time=NOON))
        elif self.identity is None:
            self.emit(IdentityNeeded(time=NOON, suggested_name="ada"))
        else:
            self.emit_ready()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.calls.append(("close",))
        self.closed = True
        self._queue.put_nowait(None)

    def emit(self, *events: Event) -> None:
        """Say something."""
        for event in events:
            if isinstance(event, Peer):
                self.conversations = (event.conversation,)
            if isinstance(event, Closed):
                self.conversations = ()
            if isinstance(event, Message):
                self._numbers["received"] += 1
            self._queue.put_nowait(event)

    @property
    def is_drained(self) -> bool:
        """Whether everything said has been heard."""
        return self._queue.empty()

    def emit_ready(self) -> None:
        assert self.identity
        self.emit(
            Ready(
                time=NOON,
                profile=self.profile,
                name=self.identity.name,
                fingerprint=self.identity.fingerprint,
                version="0.1.0",
            )
        )

    def emit_peer(self, **how: object) -> None:
        """A peer comes, and the conversation is secure at once."""
        trust = how.get("trust", Trust.NEW)
        assert isinstance(trust, Trust)
        self.emit(peer(str(how.get("name", "bob")), trust=trust), secure())

    def emit_hosting(self, *reachable: str, invited_only: bool = False) -> None:
        self.is_hosting = True
        self.emit(
            Listening(time=NOON, address="192.168.1.10", port=8000),
            Hosting(time=NOON, active=True, reachable=reachable, invited_only=invited_only),
        )

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._queue.get()) is not None:
            yield event

    @property
    def is_inspecting(self) -> bool:
        return self.inspecting

    def inspect(self, *, on: bool) -> None:
        self.calls.append(("inspect", on))
        self.inspecting = on

    def wire(self, conversation: str, number: int, *, own: bool) -> tuple[Noted, ...]:
        return self.ways.get((number, own), ())

    async def unlock(self, passphrase: Passphrase) -> None:
        self._note("unlock")
        await self.key_making.wait()
        if passphrase != self.passphrase:
            raise CommandError("passphrase", "That is not the passphrase.")
        self.locked = False
        self.identity = IDENTITY
        self.emit_ready()

    @property
    def has_passphrase(self) -> bool:
        return self.passphrase is not None

    async def change_passphrase(self, present: Passphrase | None, new: Passphrase | None) -> None:
        self._note("change_passphrase")
        await self.key_making.wait()
        if present != self.passphrase:
            raise CommandError("passphrase", "That is not the passphrase.")
        self.passphrase = new

    async def create_identity(
        self, name: str, bits: int = 3072, passphrase: Passphrase | None = None
    ) -> None:
        self._note("create_identity", name, bits)
        self.passphrase = passphrase
        await self.key_making.wait()
        self.identity = IdentityView(
            name=name, fingerprint=OWN_FINGERPRINT, key_bits=bits, randomart=OWN_PICTURE, folder="/home/ada"
        )
        self.emit_ready()

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        self._note("host", bind, invited_only)
        self.emit_hosting("192.168.1.10:8000", "[fd00::10]:8000", invited_only=invited_only)
        self.emit(Invite(time=NOON, invite=INVITE, expires=NOON + 600))

    async def invite(self) -> None:
        self._note("invite")
        self.emit(Invite(time=NOON, invite=INVITE, expires=NOON + 600))

    async def stop_hosting(self) -> None:
        self._note("stop_hosting")
        self.is_hosting = False
        self.emit(Hosting(time=NOON, active=False))

    async def rename(self, name: str) -> None:
        self._note("rename", name)
        if self.identity:
            self.identity = replace(self.identity, name=name)

    async def prefer(self, *, notify: Notify | None = None, theme: ThemeName | None = None) -> None:
        self._note("prefer", notify, theme)
        chosen = self.preferences
        self.preferences = msgspec.structs.replace(
            chosen, notify=notify or chosen.notify, theme=theme or chosen.theme
        )

    async def reconnect(self) -> None:
        self._note("reconnect")

    async def join(self, target: str, *, new: bool = False) -> None:
        self._note("join", target, new)
        self.emit(Dialing(time=NOON, address="192.168.1.20", port=8000, attempt=1))

    async def verify_key(self, fingerprint: str, target: str = "") -> None:
        self._note("verify_key", fingerprint, target)
        if target:
            self.emit(Dialing(time=NOON, address="192.168.1.20", port=8000, attempt=1))

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        self._note("send", text, *(() if signed is None else (signed,)))
        self.refs.append(ref)
        self._numbers["sent"] += 1
        number = self._numbers["sent"]
        queued = Queued(
            time=NOON,
            conversation=CONVERSATION,
            number=number,
            ref=ref,
            text=SafeText.multi(text),
            claimed=NOON,
            signed=signed is not False,
        )
        self.emit(queued)
        if self.write:
            self.emit(Sent(time=NOON, conversation=CONVERSATION, number=number, ref=ref))
        if self.deliver:
            self.emit(Delivered(time=NOON, conversation=CONVERSATION, number=number, ref=ref, durable=False))
        if self.answer:
            self.emit(message(self._numbers["received"] + 1, self.answer(text)))

    async def resolve(self, choice: Resolution, conversation: str | None = None) -> None:
        self._note("resolve", choice)

    async def verify(self, conversation: str | None = None) -> None:
        self._note("verify")

    async def match(self, digits: str | None = None, *, conversation: str | None = None) -> None:
        self._note("match", digits)

    async def accept_key(self, conversation: str | None = None) -> None:
        self._note("accept_key", conversation)

    async def differ(self, conversation: str | None = None) -> None:
        self._note("differ", conversation)

    async def show_safety_number(self, conversation: str | None = None) -> None:
        self._note("show_safety_number")

    async def match_safety_number(self, conversation: str | None = None) -> None:
        self._note("match_safety_number", conversation)

    async def decline(self, conversation: str | None = None) -> None:
        self._note("decline")

    async def leave(self, conversation: str | None = None) -> None:
        self._note("leave")
        self.emit(closed(by="me"))

    def counters(self, conversation: str) -> Counters:
        return Counters(**self._numbers)

    def contacts(self) -> tuple[ContactView, ...]:
        return self._contacts

    async def block(self, name: str, *, blocked: bool) -> None:
        self._note("block", name, blocked)

    async def forget(self, name: str) -> None:
        self._note("forget", name)

    async def talk(self, name: str, bind: str | None = None) -> None:
        self._note("talk", name)

    def overview(self) -> tuple[ConversationView, ...]:
        return self.views

    async def history(
        self, conversation: str, *, limit: int = 200, before: int | None = None, after: int | None = None
    ) -> History:
        self._note("history", conversation, limit, before, *(() if after is None else (after,)))
        await self.paging.wait()
        wanted = within(self.kept.get(conversation, []), before, after)
        page = tuple(wanted[-limit:] if after is None else wanted[:limit])
        return History(time=NOON, conversation=conversation, messages=page, complete=len(page) == len(wanted))

    async def search(
        self,
        text: str,
        *,
        conversation: str | None = None,
        limit: int = 100,
        before: int | None = None,
        after: int | None = None,
    ) -> tuple[Found, ...]:
        self._note("search", text, conversation, limit)
        places = self.kept if conversation is None else {conversation}
        words = text.lower().split()
        hits = {
            place: [
                one
                for one in within(self.kept.get(place, []), before, after)
                if all(word in one.text.lower() for word in words)
            ]
            for place in places
        }
        return tuple(
            Found(
                time=NOON,
                conversation=place,
                messages=tuple(found[-limit:] if after is None else found[:limit]),
                text=SafeText.line(text),
            )
            for place, found in hits.items()
            if found
        )

    async def mark_read(self, conversation: str) -> None:
        self._note("mark_read", conversation)

    async def keep_draft(self, conversation: str, text: str) -> None:
        self._note("keep_draft", conversation, text)

    async def export(self, conversation: str, file: str = "") -> str:
        self._note("export", conversation, file)
        await self.paging.wait()
        return file or "/home/ada/securechat-conversation-with-bob.jsonl"

    async def wipe(self, conversation: str) -> None:
        self._note("wipe", conversation)
        self.kept.pop(conversation, None)

    def connections(self) -> tuple[ConnectionView, ...]:
        return self.came_and_went

    async def flush(self, seconds: float) -> int:
        self.calls.append(("flush", seconds))
        return self.undelivered

    def _note(self, name: str, *details: object) -> None:
        self.calls.append((name, *details))
        if name in self.failures:
            raise self.failures.pop(name)
