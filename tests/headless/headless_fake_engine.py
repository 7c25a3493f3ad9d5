"""An engine in memory: it tells what a test wants to see told, and remembers what it was asked to do."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Checks,
    Closed,
    Delivered,
    Dialing,
    Error,
    Event,
    Found,
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
    Secure,
    Sent,
    Trust,
)
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.views import ConnectionView, ContactView, ConversationView

CONVERSATION = "c0" * 32
FINGERPRINT = "SHA256:" + "k" * 43
INVITE = "securechat://192.0.2.7:8000/#" + "a" * 95
TIME = 1_800_000_000.0


def peer(name: str = "bob", *, role: str = "host", trust: Trust = Trust.NEW, differed: bool = False) -> Peer:
    return Peer(
        time=TIME,
        conversation=CONVERSATION,
        name=SafeText(name),
        fingerprint=FINGERPRINT,
        trust=trust,
        address="192.0.2.7:8000",
        role=role,
        key_bits=3072,
        randomart=("+--+",),
        contact=SafeText(name),
        first_seen=TIME,
        differed=differed,
    )


def secure() -> Secure:
    return Secure(
        time=TIME, conversation=CONVERSATION, session="ab" * 32, epoch=0, suite="X25519+ML-KEM-768 · GCM"
    )


def message(text: str = "hello", number: int = 12, **changes: object) -> Message:
    fields: dict[str, Any] = {
        "time": TIME,
        "conversation": CONVERSATION,
        "number": number,
        "text": SafeText(text),
        "author": FINGERPRINT,
        "name": SafeText("bob"),
        "claimed": TIME - 0.2,
        "age": 0.2,
        "late": False,
        "checks": Checks(intact=True, in_order=True, fresh=True, signed=True),
        "trust": Trust.PINNED,
    }
    return Message(**fields | changes)


def closed(reason: str = "goodbye", by: str = "peer", *, will_retry: bool = False) -> Closed:
    return Closed(
        time=TIME, conversation=CONVERSATION, reason=reason, by=by, will_retry=will_retry, message=""
    )


def refused(
    reason: str,
    *,
    contact: str = "",
    expected: str = "",
    offered: str = "",
    offered_contact: str = "",
    trust: Trust = Trust.NEW,
) -> Refused:
    return Refused(
        time=TIME,
        reason=reason,
        message=f"Refused because of {reason}; do something.",
        contact=SafeText(contact),
        expected=expected,
        offered=offered,
        offered_contact=SafeText(offered_contact),
        trust=trust,
    )


def error(code: str = "cannot-connect") -> Error:
    return Error(time=TIME, code=code, message="Nobody answers there; check the address.")


class FakeEngine:
    """``on_join`` is told when a join begins. Without ``delivers``, nothing that is sent arrives."""

    def __init__(
        self,
        *on_join: Event,
        delivers: bool = True,
        has_identity: bool = True,
        locked: bool = False,
        failing: CommandError | None = None,
    ) -> None:
        self.on_join = on_join
        self.delivers = delivers
        self.has_identity = has_identity
        self.locked = locked
        self.failing = failing
        self.asked: list[tuple[Any, ...]] = []
        self.sent: list[str] = []
        self.undelivered = 0
        self.people: list[ContactView] = []
        self.views: tuple[ConversationView, ...] = ()
        self.kept: tuple[Kept, ...] = ()
        self.found: tuple[Found, ...] = ()
        self.is_hosting = False
        self.is_calling = False
        self.conversations: tuple[str, ...] = ()
        self.acted = asyncio.Event()
        self._under_way = False
        self._held: list[tuple[str, str | None]] = []
        self._stream: asyncio.Queue[Event | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        needed = IdentityNeeded(time=TIME, suggested_name="login")
        begin = self._ready("alice") if self.has_identity else needed
        self.emit(PassphraseNeeded(time=TIME) if self.locked else begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.asked.append(("close",))
        if self.conversations:
            self.emit(closed("quit", "me"))
        self._stream.put_nowait(None)

    def emit(self, *events: Event) -> None:
        for event in events:
            self._follow(event)
            self._stream.put_nowait(event)
            if isinstance(event, Secure):
                self._release()

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._stream.get()) is not None:
            yield event

    async def asked_for(self, word: str) -> tuple[Any, ...]:
        """Wait until the command ``word`` has been given; returns it with its arguments."""
        while True:
            for one in self.asked:
                if one[0] == word:
                    return one
            self.acted.clear()
            await self.acted.wait()

    async def create_identity(
        self, name: str, bits: int = 3072, passphrase: Passphrase | None = None
    ) -> None:
        self._note("create_identity", name, bits)
        self.emit(self._ready(name))

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        self._note("host", bind, invited_only)
        self._under_way = self.is_hosting = True
        self.emit(
            Listening(time=TIME, address="0.0.0.0", port=8000),  # noqa: S104
            Listening(time=TIME, address="::", port=8000),
            Hosting(time=TIME, active=True, reachable=("192.0.2.7:8000",), invited_only=invited_only),
        )

    async def invite(self) -> None:
        self._note("invite")
        self.emit(Invite(time=TIME, invite=INVITE, expires=TIME + 600))

    async def join(self, target: str, *, new: bool = False) -> None:
        self._note("join", target, new)
        self._under_way = True
        self.emit(Dialing(time=TIME, address="192.0.2.7", port=8000, attempt=1), *self.on_join)

    async def verify_key(self, fingerprint: str, target: str = "") -> None:
        self._note("verify_key", fingerprint, target)
        if target:
            self._under_way = True
            self.emit(Dialing(time=TIME, address="192.0.2.7", port=8000, attempt=1), *self.on_join)

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        if len(text.encode()) > 32 * 1024:
            raise CommandError("too-long", "A message may have 32 KiB at most; shorten it.")
        if not (self._under_way or self.conversations) or conversation not in {None, CONVERSATION}:
            raise CommandError("no-conversation", "Nobody is there; join or host first.")
        self._note("send", text, ref, *(() if signed is None else (signed,)))
        self.undelivered += 1
        if self.conversations:
            self._send(text, ref)
        else:
            self._held.append((text, ref))

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

    async def decline(self, conversation: str | None = None) -> None:
        self._note("decline")

    async def leave(self, conversation: str | None = None) -> None:
        if not self.conversations:
            raise CommandError("no-conversation", "Nobody is there; join or host first.")
        self._note("leave", conversation)
        self.emit(closed("goodbye", "me"))

    def contacts(self) -> tuple[ContactView, ...]:
        return tuple(self.people)

    async def talk(self, name: str, bind: str | None = None) -> None:
        self._note("talk", name, bind)
        self._under_way = self.is_hosting = True
        self.emit(Hosting(time=TIME, active=True, invited_only=True), *self.on_join)

    def connections(self) -> tuple[ConnectionView, ...]:
        return (ConnectionView(TIME, "in", "192.0.2.9:4711", SafeText("carol"), "goodbye", 61.0),)

    def overview(self) -> tuple[ConversationView, ...]:
        return self.views

    async def history(self, conversation: str, *, limit: int = 200, before: int | None = None) -> History:
        self._note("history", conversation, limit, before)
        return History(time=TIME, conversation=conversation, messages=self.kept, complete=True)

    async def search(
        self, text: str, *, conversation: str | None = None, limit: int = 100
    ) -> tuple[Found, ...]:
        self._note("search", text, conversation, limit)
        return self.found

    async def mark_read(self, conversation: str) -> None:
        self._note("mark_read", conversation)

    async def wipe(self, conversation: str) -> None:
        self._note("wipe", conversation)

    async def flush(self, seconds: float) -> int:
        self._note("flush", seconds)
        if self.undelivered and seconds:
            await asyncio.sleep(seconds)
        return self.undelivered

    def _note(self, *what: object) -> None:
        self.asked.append(what)
        self.acted.set()
        if self.failing is not None and what[0] != "flush":
            raise self.failing

    def _ready(self, name: str) -> Ready:
        return Ready(time=TIME, profile="default", name=name, fingerprint=FINGERPRINT, version="0.1.0")

    def _follow(self, event: Event) -> None:
        if isinstance(event, Secure):
            self.conversations = (CONVERSATION,)
        if isinstance(event, Closed) and not event.will_retry:
            self.conversations = ()
        if isinstance(event, Refused | Closed | Error):
            self._under_way = False

    def _release(self) -> None:
        held, self._held = self._held, []
        for text, ref in held:
            self._send(text, ref)

    def _send(self, text: str, ref: str | None) -> None:
        self.sent.append(text)
        number = len(self.sent)
        where: dict[str, Any] = {"time": TIME, "conversation": CONVERSATION, "number": number, "ref": ref}
        self.emit(Queued(**where, text=SafeText(text), claimed=TIME), Sent(**where))
        if self.delivers:
            self.undelivered -= 1
            self.emit(Delivered(**where, durable=True))
