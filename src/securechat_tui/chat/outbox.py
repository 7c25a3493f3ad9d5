"""One's own messages on their way: numbered, kept, signed in batches, written, acknowledged.

Putting a message here fixes its number and its bytes; it stays the same however often it is sent. Nothing
is written before :meth:`Outbox.kept` has said that it is on disk.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from securechat_tui.chat.items import Items, Lookup
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import OutOfOrder
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
    text_content,
)
from securechat_tui.protocol.primitives import random_bytes
from securechat_tui.protocol.signing import Header, Seen
from securechat_tui.storage.messages import Sending, Tick

_HASH: Final = c.HASH_LENGTH
_NO_HEADER: Final = b"\xff" * _HASH
"""Stands where an unsigned message has no header that the peer could name."""


class ResumeConflict(Exception):
    """The peer's account of this conversation and ours cannot both be true: a person must decide."""


class PeerForgot(Exception):
    """The peer holds nothing of what it has acknowledged: a new generation is due."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages under one signature: the record that goes before the leaves, and the path of each leaf."""

    record: Signature
    paths: tuple[tuple[bytes, ...], ...]


@dataclass(slots=True, eq=False)
class Outgoing:
    """One message on its way; ``item`` is what the running hash takes for it, ``running`` what that gives."""

    generation: bytes
    number: int
    ref: str | None
    text: str = field(repr=False)
    claimed_ms: int
    signed: bool
    """Whether its author vouches for it, and not the session alone."""
    header: bytes
    """Empty where it is unsigned."""
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    item: bytes
    running: bytes
    row: int = 0
    """Its place in what is kept of the conversation."""
    batch: Signature | None = None
    """The record that goes before it and the others under the same signature."""
    index: int = 0
    path: tuple[bytes, ...] = ()
    gone: bool = False
    """Whether it has been cancelled: its number stays, its content is never written again."""
    written: bool = False
    """Whether any session has written it."""

    @property
    def waits_for_signature(self) -> bool:
        """Whether it cannot be written yet."""
        return self.signed and self.batch is None and not self.gone

    def payload(self) -> Signed | Unsigned | Gone:
        """Return the record that fills its number."""
        if self.gone:
            return Gone(self.generation, self.number, self.signed, self.item)
        if self.batch is None:
            return Unsigned(self.generation, self.number, self.claimed_ms, self.content)
        return Signed(self.header, self.salt, self.index, self.batch.count, self.path, self.content)


class Outbox:
    """One direction of one conversation, as its author sees it."""

    def __init__(
        self,
        own: bytes,
        peer: bytes,
        older: Lookup | None = None,
        *,
        kept: Sending | None = None,
        waiting: Sequence[Outgoing] = (),
    ) -> None:
        """``own`` and ``peer`` are fingerprints; ``older`` finds header hashes of numbers that are long gone.

        ``kept`` and ``waiting`` are what an earlier run has left; without them a new generation begins.
        """
        self.conversation = signing.conversation_id(own, peer)
        self._own, self._peer, self._older = own, peer, older
        self._items = Items(older)
        self._pending: deque[Outgoing] = deque()
        self._gone = 0
        self._go_on(kept or self._new_generation())
        for message in waiting:
            self._restore(message)
        self._kept_to = self._ever_written = self._last

    def _new_generation(self) -> Sending:
        generation = random_bytes(c.GENERATION_LENGTH)
        running = signing.running_start(self.conversation, self._own, generation)
        return Sending(generation, 0, running, signing.NO_HASH, 0, running)

    def _go_on(self, kept: Sending) -> None:
        self.generation = kept.generation
        self.acknowledged = kept.acknowledged
        self._running_acknowledged = kept.running_acknowledged
        self._take_position(kept)
        self._items.begin(kept.generation, kept.acknowledged)
        self.begin_session()

    def _take_position(self, kept: Sending) -> None:
        self._last, self._running, self._previous = kept.last, kept.running, kept.previous

    def _restore(self, message: Outgoing) -> None:
        self._pending.append(message)
        self._items.append(message.item if message.signed else _NO_HEADER)
        self._gone += message.gone

    def begin_session(self) -> None:
        """Write everything again that has not been acknowledged: the session is a new one."""
        self._written = self.acknowledged
        self._announced: Signature | None = None
        self.is_announced = False
        """Whether the peer of this session has been told the generation."""

    def __len__(self) -> int:
        """How many messages are to be delivered: what has been cancelled is not."""
        return len(self._pending) - self._gone

    # What is on disk.

    @property
    def position(self) -> Sending:
        """Where this direction stands."""
        return Sending(
            self.generation,
            self._last,
            self._running,
            self._previous,
            self.acknowledged,
            self._running_acknowledged,
        )

    @property
    def is_kept(self) -> bool:
        """Whether every message is on disk."""
        return self._kept_to == self._last

    def kept(self, position: Sending) -> None:
        """Everything up to this position is on disk, and may be written."""
        if position.generation == self.generation:
            self._kept_to = max(self._kept_to, position.last)

    def take_back(self, position: Sending) -> None:
        """Forget what was numbered since ``position``, which is all that is on disk."""
        while self._pending and self._pending[-1].number > position.last:
            self._gone -= self._pending.pop().gone
        self._take_position(position)
        self._items.cut(position.last)

    # Numbering.

    def add(
        self, text: str, ref: str | None, claimed_ms: int, seen: Seen, row: int = 0, *, salt: bytes = b""
    ) -> Outgoing:
        """Number a message that will be signed, and fix its bytes; without ``salt`` it gets a random one."""
        salt, content = salt or random_bytes(_HASH), text_content(text)
        header = Header(
            self.conversation,
            self._own,
            self._peer,
            self.generation,
            self._last + 1,
            self._previous,
            seen,
            claimed_ms,
            signing.content_hash(salt, content),
        ).encode()
        item = self._previous = signing.header_hash(header)
        place = self._place(ref, text, claimed_ms)
        return self._append(Outgoing(*place, True, header, salt, content, item, b"", row))

    def add_unsigned(
        self, text: str, ref: str | None, claimed_ms: int, row: int = 0, *, salt: bytes = b""
    ) -> Outgoing:
        """Number a message that the session alone vouches for: no header ever names it.

        A ``salt`` is kept with it and never written to the peer.
        """
        content = text_content(text)
        fields = Unsigned(self.generation, self._last + 1, claimed_ms, content).fields()
        item = signing.unsigned_item(fields, content)
        place = self._place(ref, text, claimed_ms)
        return self._append(Outgoing(*place, False, b"", salt, content, item, b"", row))

    def _place(self, ref: str | None, text: str, claimed_ms: int) -> tuple[bytes, int, str | None, str, int]:
        return self.generation, self._last + 1, ref, text, claimed_ms

    def _append(self, message: Outgoing) -> Outgoing:
        self._last += 1
        self._running = message.running = signing.running_next(self._running, message.item)
        self._restore(message)
        return message

    def renewed(self) -> "Outbox":
        """Return an empty box that begins a new generation in this one's place."""
        return Outbox(self._own, self._peer, self._older)

    def undelivered(self) -> list[Outgoing]:
        """Return the messages that are to be delivered."""
        return [one for one in self._pending if not one.gone]

    def unsigned(self) -> list[Outgoing]:
        """Return the unsigned messages that are to be delivered."""
        return [one for one in self.undelivered() if not one.signed]

    def cancel(self, message: Outgoing) -> None:
        """Let a message go that the peer does not have: it is told that its number is empty."""
        self._gone += self._waits(message) and not message.gone
        message.gone = True

    def tick(self, generation: bytes, number: int) -> Tick:
        """Return how far a numbered message has come, at this moment; nothing of another generation."""
        if generation != self.generation:
            return ""
        place = number - self.acknowledged - 1
        if place < 0:
            return "delivered"
        return "cancelled" if place < len(self._pending) and self._pending[place].gone else "queued"

    def _waits(self, message: Outgoing) -> bool:
        """Whether this very message is to be delivered: not one that was taken back, or has arrived."""
        place = message.number - self.acknowledged - 1
        return 0 <= place < len(self._pending) and self._pending[place] is message

    # Signing.

    def to_sign(self) -> list[Outgoing]:
        """Return the oldest messages without a signature, as many as one signature may cover."""
        waiting: list[Outgoing] = []
        for message in self._pending:
            if message.waits_for_signature:
                waiting.append(message)
                if len(waiting) == c.MAX_BATCH:
                    break
        return waiting

    def signing_input(self, messages: Sequence[Outgoing]) -> bytes:
        """Return the bytes that sign these messages."""
        root, _ = _tree(tuple(message.header for message in messages))
        return signing.batch_message(self.conversation, len(messages), root)

    def batch(self, messages: Sequence[Outgoing], signature: bytes) -> Batch | None:
        """Make a batch of these messages; None where some have been taken back since they were signed."""
        if not all(map(self._waits, messages)) or messages[-1].number > self._kept_to:
            return None
        root, paths = _tree(tuple(message.header for message in messages))
        return Batch(Signature(len(paths), root, signature), paths)

    def signed(self, messages: Sequence[Outgoing], batch: Batch) -> None:
        """Take the batch of these messages, once it is on disk: they may be written now."""
        for index, (message, path) in enumerate(zip(messages, batch.paths, strict=True)):
            message.batch, message.index, message.path = batch.record, index, path

    # Writing.

    def next_to_write(self) -> tuple[Outgoing, list[Payload]] | None:
        """Return the next message not written in this session, and its records.

        None too where it waits for its signature or the disk: nothing that was typed later overtakes it.
        """
        position = self._written - self.acknowledged
        if position >= len(self._pending):
            return None
        message = self._pending[position]
        if message.waits_for_signature or message.number > self._kept_to:
            return None
        payloads: list[Payload] = [message.payload()]
        if message.batch is not None and message.batch is not self._announced and not message.gone:
            payloads.insert(0, message.batch)
            self._announced = message.batch
        self._written += 1
        self._ever_written = max(self._ever_written, self._written)
        return message, payloads

    # What the peer says.

    def acknowledge(self, word: Acknowledgement) -> list[Outgoing]:
        """Return the messages that the peer now says it has; raises :class:`OutOfOrder`."""
        if word.generation != self.generation:
            return []
        if word.high > self._ever_written:
            raise OutOfOrder("acknowledges what was never written")
        if word.high < self.acknowledged:
            return []
        if self._running_at(word.high) != word.running:
            raise OutOfOrder("acknowledges another history")
        return self._drop(word.high)

    def resume(self, word: Resume) -> list[Outgoing]:
        """Take the peer's account; return the messages that it has.

        Raises :class:`ResumeConflict`, or :class:`PeerForgot` where it holds nothing of this generation
        after having acknowledged some of it; nothing has changed then.
        """
        self.judge(word)
        if word.peer_generation != self.generation or not word.high:
            return []
        self._ever_written = max(self._ever_written, word.high)
        return self._drop(word.high)

    def judge(self, word: Resume) -> None:
        """Raise what :meth:`resume` would raise; change nothing."""
        if word.peer_generation != self.generation or word.high == 0 < self.acknowledged:
            if self.acknowledged:
                raise PeerForgot
            return
        is_possible = self.acknowledged <= word.high <= self._kept_to
        if not is_possible or self._running_at(word.high) != word.running:
            raise ResumeConflict

    def _running_at(self, number: int) -> bytes:
        if number == self.acknowledged:
            return self._running_acknowledged
        return self._pending[number - self.acknowledged - 1].running

    def _drop(self, high: int) -> list[Outgoing]:
        self._running_acknowledged = self._running_at(high)
        dropped = [self._pending.popleft() for _ in range(high - self.acknowledged)]
        self._gone -= sum(one.gone for one in dropped)
        self.acknowledged = high
        self._written = max(self._written, high)
        return dropped

    def check_seen(self, seen: Seen) -> None:
        """Check that the peer has seen what it says it has seen; raises :class:`OutOfOrder` and NotAtHand."""
        if seen.generation != self.generation:
            return  # of an earlier one, or nothing yet
        if not 1 <= seen.number <= self._last or self._items[seen.number] != seen.header_hash:
            raise OutOfOrder("names a message that was never sent")


@lru_cache(maxsize=1)
def _tree(headers: tuple[bytes, ...]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Root and paths, which are wanted before signing and after it."""
    return signing.merkle_tree(tuple(map(signing.leaf_hash, headers)))
