"""Two sessions in one process, without a network: what is left is what the protocol itself costs."""

from collections.abc import Iterable

from securechat_tui.protocol import events
from securechat_tui.protocol.events import Instant, SessionEvent
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.payloads import Hello, HelloFlag, Payload, Resume
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, conversation_id
from securechat_tui.protocol.text import SafeText

NOW = Instant(0.0, 0.0)
GENERATION = b"g" * 16


class Side:
    """A session and its key; every question is answered with yes."""

    def __init__(self, session: Session, key: IdentityKey) -> None:
        self.session, self.key = session, key
        self.payloads: list[Payload] = []

    def feed(self, data: bytes) -> None:
        """Let bytes arrive."""
        self._take(self.session.receive(data, NOW))

    def say(self, payload: Payload) -> None:
        """Seal a payload."""
        self.session.send(payload, NOW)

    def _take(self, happened: Iterable[SessionEvent]) -> None:
        for event in happened:
            if isinstance(event, events.PayloadReceived):
                self.payloads.append(event.payload)
            else:
                self._take(self._answer(event))

    def _answer(self, event: SessionEvent) -> list[SessionEvent]:
        match event:
            case events.SignatureNeeded(message):
                return self.session.signed(self.key.sign(message), NOW)
            case events.UnwrapNeeded(ciphertext, label, fallback):
                return self.session.unwrapped(self.key.unwrap(ciphertext, label, fallback), NOW)
            case events.Called():
                return self.session.admit(NOW)
            case events.HostIdentified() | events.GuestIdentified():
                return self.session.proceed(NOW)
            case events.Authenticated():
                return self.session.confirm(NOW)
            case events.Ended():
                raise ConnectionError(event.detail)
            case _:
                return []


def open_pair(one: IdentityKey, other: IdentityKey) -> tuple[Side, Side]:
    """Return a guest and a host between whom messages flow; each generation is ``GENERATION``."""
    guest = Side(Session.guest(one.public, NOW), one)
    host = Side(Session.host(other.public, NOW), other)
    carry(guest, host)
    conversation = conversation_id(one.public.fingerprint, other.public.fingerprint)
    for side in (guest, host):
        side.say(Hello(SafeText.name("bench"), 0, HelloFlag(0)))
    carry(guest, host)
    for side in (guest, host):
        side.say(Resume(conversation, GENERATION, NO_GENERATION, 0, NO_HASH))
    carry(guest, host)
    for side in (guest, host):
        side.payloads.clear()
    return guest, host


def carry(guest: Side, host: Side) -> None:
    """Carry bytes both ways until both are quiet."""
    quiet = False
    while not quiet:
        asked, answered = guest.session.data_to_send(), host.session.data_to_send()
        host.feed(asked)
        guest.feed(answered)
        quiet = not (asked or answered)
