"""What two people have in common in the recordings: the product's two boxes, at a peer that keeps nothing."""

from collections.abc import Callable

from securechat_tui.chat.inbox import Inbox
from securechat_tui.chat.outbox import Outbox, PeerForgot
from securechat_tui.protocol.errors import RemoteError
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Hello,
    HelloFlag,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
)
from securechat_tui.protocol.signing import NO_GENERATION, Seen
from securechat_tui.protocol.text import SafeText


class Correspondence:
    """One side of a conversation, over as many recordings as it has."""

    def __init__(self, key: IdentityKey, peer: PublicIdentity) -> None:
        own = key.public.fingerprint
        self.outbox = Outbox(own, peer.fingerprint)
        self.inbox = Inbox(own, peer, self._check_seen)
        self._secure = self._ack_due = False
        self._say: Callable[[Payload], None]

    def attach(self, say: Callable[[Payload], None], name: str, unix_ms: int) -> None:
        """Begin a session: say HELLO."""
        self._say, self._secure = say, False
        self.outbox.begin_session()
        self.inbox.begin_session()
        say(Hello(SafeText.name(name), unix_ms, HelloFlag(0)))

    def greeted(self) -> None:
        """HELLO has come: say RESUME."""
        inbox = self.inbox
        high = inbox.high if inbox.generation != NO_GENERATION else 0
        self._say(
            Resume(self.outbox.conversation, self.outbox.generation, inbox.generation, high, inbox.running)
        )

    def resumed(self, word: Resume) -> None:
        """RESUME has come; raises ResumeConflict and RemoteError."""
        if word.conversation != self.outbox.conversation:
            raise RemoteError("RESUME of another conversation")
        self.inbox.announce(word.generation)
        try:
            self.outbox.resume(word)
        except PeerForgot:
            self._begin_generation()
        self._secure = True

    def _begin_generation(self) -> None:
        former, self.outbox = self.outbox, self.outbox.renewed()
        for one in former.undelivered():
            if one.signed:
                self.outbox.add(one.text, one.ref, one.claimed_ms, Seen())
            else:
                self.outbox.add_unsigned(one.text, one.ref, one.claimed_ms)
        self.greeted()

    def _check_seen(self, seen: Seen) -> None:
        self.outbox.check_seen(seen)

    def receive(self, payload: Payload) -> None:
        """Take content; raises a RemoteError for what breaks a rule."""
        self._ack_due = self._ack_due or isinstance(payload, Signed | Unsigned | Gone)
        match payload:
            case Signature():
                self.inbox.signature(payload)
            case Signed():
                self.inbox.signed(payload)
            case Unsigned():
                self.inbox.unsigned(payload)
            case Gone():
                self.inbox.gone(payload)
            case Acknowledgement():
                self.outbox.acknowledge(payload)
            case _:
                pass

    def acknowledge(self) -> None:
        """Say what has arrived, where something has."""
        if self._ack_due and self._secure:
            self._ack_due = False
            self._say(self.inbox.acknowledgement())
