"""One person's two boxes for one conversation, driven by hand: no session, no network, no clock."""

from collections.abc import Callable, Sequence
from typing import cast

from securechat_tui.chat.inbox import Accepted, Inbox
from securechat_tui.chat.items import NotAtHand
from securechat_tui.chat.outbox import Outbox, Outgoing, PeerForgot
from securechat_tui.chat.shelf import Marks, Shelf
from securechat_tui.protocol import signing
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import Payload, Resume, Signature, Signed
from securechat_tui.protocol.signing import NO_GENERATION, Header, Seen
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Change, Receiving, Sending

CLAIMED_MS = 1_700_000_000_000


class Forgetful:
    """A store that keeps nothing and fails at nothing."""

    def write(self, changes: Sequence[Change], sending: Sending | None, receiving: Receiving | None) -> None:
        del changes, sending, receiving

    def item(self, mine: bool, generation: bytes, number: int) -> bytes | None:
        del mine, generation, number
        return None

    def receiving(self, generation: bytes) -> Receiving | None:
        del generation
        return None

    def header_hash(self, generation: bytes, number: int) -> bytes | None:
        del generation, number
        return None


def empty_shelf() -> Shelf:
    """What there is of a conversation that nobody has begun, and whose messages are not kept."""
    return Shelf(cast("ConversationStore", Forgetful()), None, None, 1, (), Marks())


def looked_up(take: Callable[[], None]) -> None:
    """Take something, however much of it has to be looked up."""
    while True:
        try:
            return take()
        except NotAtHand as lack:
            lack.learn(lack.ask())


class Boxes:
    """What one side of a conversation keeps."""

    def __init__(self, key: IdentityKey, peer: PublicIdentity) -> None:
        self.key = key
        self.outbox = Outbox(key.public.fingerprint, peer.fingerprint)
        self.inbox = Inbox(key.public.fingerprint, peer, self._check_seen)

    def _check_seen(self, seen: Seen) -> None:
        self.outbox.check_seen(seen)

    def write(self, text: str, ref: str | None = None) -> Outgoing:
        return self._kept(self.outbox.add(text, ref, CLAIMED_MS, self.inbox.seen))

    def write_unsigned(self, text: str, ref: str | None = None) -> Outgoing:
        return self._kept(self.outbox.add_unsigned(text, ref, CLAIMED_MS))

    def _kept(self, message: Outgoing) -> Outgoing:
        """Let it be on disk, where nothing waits for the disk."""
        self.outbox.kept(self.outbox.position)
        return message

    def sign(self) -> int:
        """Sign what one signature may cover; return how many messages that are."""
        messages = self.outbox.to_sign()
        if messages:
            batch = self.outbox.batch(messages, self.key.sign(self.outbox.signing_input(messages)))
            assert batch is not None
            self.outbox.signed(messages, batch)
        return len(messages)

    def next_payloads(self) -> list[Payload]:
        """Return the records of the next message; none where nothing is ready."""
        found = self.outbox.next_to_write()
        return found[1] if found else []

    def pour(self) -> list[Payload]:
        """Sign everything and return all records that are to be written now."""
        while self.sign():
            pass
        payloads: list[Payload] = []
        while more := self.next_payloads():
            payloads += more
        return payloads

    def resume(self) -> Resume:
        known = self.inbox.generation != NO_GENERATION
        high = self.inbox.high if known else 0
        return Resume(
            self.outbox.conversation, self.outbox.generation, self.inbox.generation, high, self.inbox.running
        )

    def take_resume(self, word: Resume) -> tuple[list[Outgoing], list[Outgoing]]:
        """Return what the peer has, and what was numbered anew for one that has lost its memory."""
        try:
            return self.outbox.resume(word), []
        except PeerForgot:
            old, self.outbox = self.outbox, self.outbox.renewed()
            return [], [self._again(one) for one in old.undelivered()]

    def _again(self, old: Outgoing) -> Outgoing:
        if old.signed:
            return self._kept(self.outbox.add(old.text, old.ref, old.claimed_ms, Seen()))
        return self.write_unsigned(old.text, old.ref)

    def one(self, text: str) -> tuple[Signature, Signed]:
        """Write a text and return its two records."""
        self.write(text)
        signature, leaf = self.pour()
        assert isinstance(signature, Signature)
        assert isinstance(leaf, Signed)
        return signature, leaf

    def accept(self, signature: Signature, leaf: Signed) -> Accepted | None:
        self.inbox.signature(signature)
        return self.inbox.signed(leaf)


def introduced(one: IdentityKey, other: IdentityKey) -> tuple[Boxes, Boxes]:
    """Return both sides of a conversation, each knowing the other's generation."""
    first, second = Boxes(one, other.public), Boxes(other, one.public)
    first.inbox.announce(second.outbox.generation)
    second.inbox.announce(first.outbox.generation)
    return first, second


def forged(author: IdentityKey, header: Header, salt: bytes, content: bytes) -> tuple[Signature, Signed]:
    """Return the records of any header at all, properly signed by ``author`` as a batch of one."""
    data = header.encode()
    root = signing.leaf_hash(data)
    signature = author.sign(signing.batch_message(header.conversation, 1, root))
    return Signature(1, root, signature), Signed(data, salt, 0, 1, (), content)
