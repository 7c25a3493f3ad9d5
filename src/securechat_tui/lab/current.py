"""*current*: the product's own protocol, by the product's own code, with keys that are thrown away.

:class:`~securechat_tui.protocol.session.Session` makes and checks every byte, the outbox and inbox of
the chat number, sign and check the messages, the pins judge keys. This is only a driver for them that
has no sockets, and notes what they do.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from securechat_tui.chat.inbox import Accepted, Inbox
from securechat_tui.chat.outbox import Outbox, Outgoing, PeerForgot, ResumeConflict
from securechat_tui.chat.wire import opened, sealed
from securechat_tui.lab.current_frames import splitter
from securechat_tui.lab.peer import CannotSend, Delivered, Event, Moment, Peer, encoded
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events, payloads
from securechat_tui.protocol.errors import OutOfOrder, RemoteError
from securechat_tui.protocol.events import End, SessionEvent
from securechat_tui.protocol.identity import Fingerprint, IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import (
    GoodbyeReason,
    Hello,
    HelloFlag,
    Payload,
    Resume,
    Signature,
    Signed,
)
from securechat_tui.protocol.records import Direction, Trace
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.signing import NO_GENERATION
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.comparison import Comparison
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.verdicts import Known, New, Verdict, judge_guest, judge_host, judge_invited

__all__ = ["CHECKS", "CurrentPeer"]

CHECKS: Final = (
    "record opens",
    "order of payloads",
    "signature",
    "written for us",
    "number and previous hash",
)


class CurrentPeer(Peer):
    """Either side of the product's protocol."""

    waits_for = "the end of the handshake"

    def __init__(
        self,
        role: str,
        key: IdentityKey,
        moment: Moment,
        *,
        expects: Contact | None = None,
        promised: Fingerprint | None = None,
    ) -> None:
        """``expects``: whose pinned key a guest wants to find; ``promised``: what an invite says."""
        super().__init__(role, splitter("guest" if role == "host" else "host"), moment)
        self.identity: PublicIdentity | None = None
        """The peer's, once it is proved."""
        self.comparison: Comparison | None = None
        self.letters: list[Payload] = []
        """The payloads of the signed messages that have come."""
        self._key = key
        self._expects, self._promised = expects, promised
        begin = Session.host if role == "host" else Session.guest
        self._session = begin(key.public, moment)
        self._outbox: Outbox
        self._inbox: Inbox
        self._offset_ms = 0
        self._name = ""
        self._sending = False
        self._opened: deque[Trace] = deque(maxlen=64)

    # What a line drives.

    def receive(self, data: bytes, moment: Moment) -> list[Event]:
        """Take bytes of the other side."""
        return self._follow(self._session.receive(data, moment), moment)

    def receive_eof(self, moment: Moment) -> list[Event]:
        """Take note that the stream has ended; without a goodbye that is a cut."""
        if not self.closed:
            self._session.receive_eof(moment)
            self._finish("ended", "goodbye", "the connection was cut without the authenticated goodbye")
        return self._drain()

    def send(self, text: str, moment: Moment) -> list[Event]:
        """Number, sign and seal a text."""
        if self.closed or not self.established:
            raise CannotSend("No conversation stands, so nothing was sent.")
        plaintext = encoded(text)
        self._trail.note("encode", plaintext, plaintext, protects="nothing yet: this is the text as UTF-8")
        self._sign(self._outbox.add(text, None, int(moment.unix * 1000), self._inbox.seen), plaintext)
        self._sending = True
        while found := self._outbox.next_to_write():
            self._send_all(found[1], moment)
        self._sending = False
        self._note_sent(text)
        return self._drain()

    def say(self, payload: Payload, moment: Moment) -> list[Event]:
        """Send any payload at all, as somebody would who writes a client of his own."""
        self._say(payload, moment)
        return self._drain()

    def compare(self, moment: Moment) -> list[Event]:
        """The person wants to compare codes."""
        if self.comparison is not None:
            self._send_all(self.comparison.ask(), moment)
        return self._drain()

    def contact(self, moment: Moment) -> Contact:
        """The pin that this session leaves."""
        if self.identity is None:
            raise CannotSend("Nobody has proved a key yet.")
        return Contact.met(self.identity, moment.unix, c.VERSION)

    def take_output(self) -> list[bytes]:
        """Return what the session wants written."""
        data = self._session.data_to_send()
        return [data] if data else []

    def next_timeout(self) -> float | None:
        """Return the session's own deadline."""
        return self._session.next_timeout()

    def handle_timeout(self, moment: Moment) -> list[Event]:
        """Let the session see the time."""
        return self._follow(self._session.handle_timeout(moment), moment)

    def _say_goodbye(self, moment: Moment) -> None:
        self._session.goodbye(GoodbyeReason.LEAVING, moment)

    # What the session tells.

    def _follow(self, happened: Iterable[SessionEvent], moment: Moment) -> list[Event]:
        pending = list(happened)
        while pending:
            pending = [*self._answer(pending[0], moment), *pending[1:]]
        return self._drain()

    def _answer(self, event: SessionEvent, moment: Moment) -> list[SessionEvent]:
        match event:
            case events.SignatureNeeded() | events.UnwrapNeeded():
                return self._use_key(event, moment)
            case events.Called():
                return self._session.admit(moment)
            case events.HostIdentified(identity, version, _) | events.GuestIdentified(identity, version, _):
                return self._judge(identity, version, moment)
            case events.Authenticated():
                return self._greet(event.identity, moment)
            case events.PayloadReceived(payload):
                return self._take_payload(payload, moment)
            case events.Ended(how, detail):
                self._take_end(how, detail)
        return []

    def _use_key(
        self, need: events.SignatureNeeded | events.UnwrapNeeded, moment: Moment
    ) -> list[SessionEvent]:
        own = "own identity key"
        if isinstance(need, events.SignatureNeeded):
            signature = self._key.sign(need.message)
            if not self.established:
                self._trail.note(
                    "sign the handshake (RSA-PSS)",
                    need.message,
                    signature,
                    key=own,
                    protects="who this is, in this session alone",
                )
            return self._session.signed(signature, moment)
        share = self._key.unwrap(need.ciphertext, need.label, need.fallback)
        self._trail.note(
            "unwrap the guest's contribution (RSA-OAEP)",
            need.ciphertext,
            b"",
            key=own,
            protects="the session's keys, beside X25519 and ML-KEM",
        )
        return self._session.unwrapped(share, moment)

    def _judge(self, identity: PublicIdentity, version: int, moment: Moment) -> list[SessionEvent]:
        verdict = self._verdict(identity, version)
        if isinstance(verdict, Known | New):
            return self._session.proceed(moment)
        check = "invite" if self._promised is not None else "pin"
        self._finish("failed", check, "another key than the expected one answers")
        return [event for event in self._session.abort(check) if not isinstance(event, events.Ended)]

    def _verdict(self, identity: PublicIdentity, version: int) -> Verdict:
        pins = Pins((self._expects,) if self._expects else ())
        if self._promised is not None:
            return judge_invited(pins, identity, self._promised, version)
        if self.role == "host":
            return judge_guest(pins, identity, self._expects, version)
        return judge_host(pins, identity, self._expects, version)

    def _greet(self, identity: PublicIdentity, moment: Moment) -> list[SessionEvent]:
        following = self._session.confirm(moment)
        self._session.watch(self._keep_trace)
        self.identity = identity
        own = self._key.public.fingerprint
        self._outbox = Outbox(own, identity.fingerprint)
        self._inbox = Inbox(own, identity, self._outbox.check_seen)
        pair = (own, identity.fingerprint) if self.role == "guest" else (identity.fingerprint, own)
        direction = Direction.GUEST if self.role == "guest" else Direction.HOST
        self.comparison = Comparison(direction, self._session.session_id, *pair)
        hello = Hello(SafeText.name(f"lab {self.role}"), int(moment.unix * 1000), HelloFlag(0))
        self._say(hello, moment)
        return following

    def _take_payload(self, payload: Payload, moment: Moment) -> list[SessionEvent]:
        try:
            self._take_checked(payload, moment)
        except RemoteError as failure:
            self._finish("failed", str(failure))
            return [
                one for one in self._session.reject(str(failure), moment) if not isinstance(one, events.Ended)
            ]
        return []

    def _take_checked(self, payload: Payload, moment: Moment) -> None:
        match payload:
            case Hello():
                self._name, self._offset_ms = payload.name, int(moment.unix * 1000) - payload.time_ms
                self._say(self._account(), moment)
            case Resume():
                self._take_account(payload)
            case payloads.Acknowledgement():
                for message in self._outbox.acknowledge(payload):
                    self._events.append(Delivered(message.number))
            case Signature() | Signed() | payloads.Unsigned():
                self._take_content(payload, moment)
            case payloads.ComparisonAsk() | payloads.ComparisonStep() | payloads.ComparisonStop():
                if self.comparison is not None:
                    self._send_all(self.comparison.receive(payload), moment)

    def _take_account(self, word: Resume) -> None:
        if word.conversation != self._outbox.conversation:
            raise OutOfOrder("RESUME of another conversation")
        self._inbox.announce(word.generation)
        try:
            self._outbox.resume(word)
        except (ResumeConflict, PeerForgot):
            raise OutOfOrder("RESUME tells of what was never written") from None
        if not self.established:
            self._establish(str(self.identity.fingerprint) if self.identity else "")

    def _account(self) -> Resume:
        inbox, outbox = self._inbox, self._outbox
        return Resume(outbox.conversation, outbox.generation, NO_GENERATION, 0, inbox.running)

    def _take_content(self, payload: Signature | Signed | payloads.Unsigned, moment: Moment) -> None:
        self.letters.append(payload)
        if isinstance(payload, Signature):
            self._note_check(
                "check the signature of the batch (RSA-PSS)",
                payload.encode(),
                lambda: self._inbox.signature(payload),
            )
            return
        accepted: list[Accepted | None] = []
        self._note_check(
            "check path, addressee, number and previous hash",
            payload.encode(),
            lambda: accepted.append(self._take_in(payload)),
        )
        if (message := accepted[0]) is not None:
            self._show_accepted(message, moment)
        self._say(self._inbox.acknowledgement(), moment)

    def _take_in(self, payload: Signed | payloads.Unsigned) -> Accepted | None:
        return self._inbox.signed(payload) if isinstance(payload, Signed) else self._inbox.unsigned(payload)

    def _show_accepted(self, message: Accepted, moment: Moment) -> None:
        age = moment.unix - (message.claimed_ms + self._offset_ms) / 1000
        passed = (*CHECKS, "fresh") if abs(age) <= c.FRESH_SECONDS else CHECKS
        self._show(message.text.encode(), self._name, passed, message.claimed_ms / 1000)

    def _take_end(self, how: End, detail: str) -> None:
        if self.closed:
            return
        if how is End.GOODBYE:
            self._finish("said", "", "goodbye")
        elif how is End.LEFT:
            self._finish("left", "", detail)
        else:
            self._finish("failed", detail)

    # What is noted.

    def _sign(self, message: Outgoing, plaintext: bytes) -> None:
        self._trail.note(
            "number it; header with both people, number, previous hash, time and content's hash",
            plaintext,
            message.header,
            protects="its place and addressee, once it is signed",
        )
        self._outbox.kept(self._outbox.position)  # in memory, which is all that this conversation has
        waiting = self._outbox.to_sign()
        covered = self._outbox.signing_input(waiting)
        signature = self._trail.note(
            "sign (RSA-PSS)",
            covered,
            self._key.sign(covered),
            key="own identity key",
            protects="who wrote it, to whom, as which message",
        )
        batch = self._outbox.batch(waiting, signature)
        if batch is not None:
            self._outbox.signed(waiting, batch)

    def _keep_trace(self, trace: Trace) -> None:
        """Note a record of the text that is being sent; keep one that came until its payload is looked at."""
        if trace.opened:
            self._opened.append(trace)
        elif self._sending:
            self._trail.add(sealed(trace))

    def _note_opened(self, payload: bytes) -> None:
        while self._opened:
            trace = self._opened.popleft()
            if trace.payload == payload:
                self._trail.add(opened(trace))
                return

    def _note_check(self, name: str, data: bytes, check: Callable[[], None]) -> None:
        self._note_opened(data)
        check()
        self._trail.note(
            name, data, data, key="the peer's identity key", protects="fails by ending the session"
        )

    def _send_all(self, answers: Iterable[Payload], moment: Moment) -> None:
        for answer in answers:
            self._say(answer, moment)

    def _say(self, payload: Payload, moment: Moment) -> None:
        """Send a payload, unless the session is over: what came with a goodbye has no answer."""
        if not self._session.closed:
            self._session.send(payload, moment)
