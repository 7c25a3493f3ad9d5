"""The peer's messages: only the next number, only with its signature, each exactly once."""

from collections.abc import Callable
from dataclasses import dataclass

from securechat_tui.chat.items import Items, Lookup
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import OutOfOrder, SignatureFailure
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.payloads import Acknowledgement, Gone, Signature, Signed, Unsigned, read_content
from securechat_tui.protocol.signing import Header, Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.messages import Receiving

_NOTHING = Receiving(signing.NO_GENERATION, 0, signing.NO_HASH, signing.NO_HASH, Seen())
"""Where one stands who has never heard of the peer's generation."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that has passed every check."""

    number: int
    text: SafeText
    claimed_ms: int
    item: bytes
    """What the running hash took for it, 32 bytes."""
    leaf: Signed | None
    """What proves its authorship, as it came; None where the session alone vouches for it."""
    batch: Signature | None
    content: bytes

    @property
    def signed(self) -> bool:
        """Whether its author vouches for it."""
        return self.leaf is not None


class Inbox:
    """One direction of one conversation, as its recipient sees it."""

    def __init__(
        self,
        own: bytes,
        peer: PublicIdentity,
        check_seen: Callable[[Seen], None],
        older: Lookup | None = None,
        kept: Receiving | None = None,
    ) -> None:
        """``own`` is the recipient's fingerprint; ``kept`` is where an earlier run has come to.

        ``check_seen`` raises OutOfOrder where the peer claims to have seen what was never sent; ``older``
        finds items of numbers that are long past.
        """
        self._check_seen = check_seen
        self.conversation = signing.conversation_id(own, peer.fingerprint)
        self._peer = peer
        self._parties = (self.conversation, bytes(peer.fingerprint), bytes(own))
        self._batch: Signature | None = None
        self._items = Items(older)
        self._take(kept or _NOTHING)

    def _take(self, kept: Receiving) -> None:
        self.generation = kept.generation
        self.high = kept.high
        self.running = kept.running
        self.seen = kept.seen
        """The peer's last signed header, for one's own next header to name."""
        self._previous = kept.previous
        self._items.begin(kept.generation, kept.high)

    @property
    def position(self) -> Receiving:
        """Where this direction stands."""
        return Receiving(self.generation, self.high, self.running, self._previous, self.seen)

    def take_back(self, position: Receiving) -> None:
        """Forget what came since ``position``, which is all that is on disk."""
        self._take(position)

    def begin_session(self) -> None:
        """Wait for a signature before the first leaf: the session is a new one."""
        self._batch = None

    @property
    def account(self) -> tuple[bytes, int, bytes]:
        """What RESUME says of this direction: its generation, the last number held, the running hash."""
        return self.generation, self.high, self.running

    def announce(self, generation: bytes, earlier: Receiving | None = None) -> None:
        """Take the peer's generation from its RESUME; a new one starts at number 1.

        ``earlier`` is what is held of it, where the peer comes back to one that it had before.
        """
        if generation == signing.NO_GENERATION:
            raise OutOfOrder("no generation announced")
        if generation != self.generation:
            running = signing.running_start(self.conversation, self._peer.fingerprint, generation)
            self._take(earlier or Receiving(generation, 0, running, signing.NO_HASH, Seen()))

    def acknowledgement(self) -> Acknowledgement:
        """Return what is held now."""
        return Acknowledgement(self.generation, self.high, self.running)

    def signature(self, batch: Signature) -> None:
        """Check a batch's signature and keep it for its leaves; raises :class:`SignatureFailure`."""
        signing.verify_batch(self._peer, self.conversation, batch.count, batch.root, batch.signature)
        self._batch = batch

    def signed(self, leaf: Signed) -> Accepted | None:
        """Check a leaf against its batch and its place; None for one that is here already.

        Raises :class:`SignatureFailure`, :class:`OutOfOrder` or MalformedPayload, and NotAtHand for what
        has to be looked up; nothing has changed then.
        """
        self._check_leaf(leaf)
        header = Header.decode(leaf.header)
        item = signing.header_hash(leaf.header)
        if (header.conversation, header.author, header.recipient) != self._parties:
            raise SignatureFailure("written for another conversation")
        if signing.content_hash(leaf.salt, leaf.content) != header.content_hash:
            raise SignatureFailure("content")
        text = read_content(leaf.content)
        if not self._is_next(header.generation, header.number, item):
            return None
        if header.previous != self._previous:
            raise OutOfOrder("does not follow the message before it")
        self._check_seen(header.seen)
        self._advance(item)
        self._previous = item
        self.seen = Seen(header.generation, header.number, item)
        return Accepted(header.number, text, header.claimed_ms, item, leaf, self._batch, leaf.content)

    def unsigned(self, message: Unsigned) -> Accepted | None:
        """Take a message that only the session vouches for; None for one that is here already."""
        item = signing.unsigned_item(message.fields(), message.content)
        text = read_content(message.content)
        if not self._is_next(message.generation, message.number, item):
            return None
        self._advance(item)
        return Accepted(message.number, text, message.claimed_ms, item, None, None, message.content)

    def gone(self, message: Gone) -> bool:
        """Take note that a number will never be filled; False if it is past already."""
        if not self._is_next(message.generation, message.number, message.item):
            return False
        self._advance(message.item)
        if message.signed:
            self._previous = message.item
        return True

    def _check_leaf(self, leaf: Signed) -> None:
        if self._batch is None or leaf.count != self._batch.count:
            raise SignatureFailure("leaf without its batch")
        root = signing.path_root(signing.leaf_hash(leaf.header), leaf.index, leaf.count, leaf.path)
        if root != self._batch.root:
            raise SignatureFailure("path")

    def _is_next(self, generation: bytes, number: int, item: bytes) -> bool:
        """Tell the next number from one that is here already; raises :class:`OutOfOrder`."""
        if generation != self.generation:
            raise OutOfOrder("of a generation that was not announced")
        if 1 <= number <= self.high:
            if self._items[number] != item:
                raise OutOfOrder("another message under a number already taken")
            return False
        if number != self.high + 1:
            raise OutOfOrder("a number was left out")
        return True

    def _advance(self, item: bytes) -> None:
        self.high += 1
        self.running = signing.running_next(self.running, item)
        self._items.append(item)
