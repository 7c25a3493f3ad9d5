"""One's own messages on their way: numbered, signed in batches, written, acknowledged.

Putting a message here fixes its number and its bytes; it stays the same however often it is sent.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import OutOfOrder
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Payload,
    Resume,
    Signature,
    Signed,
    text_content,
)
from securechat_tui.protocol.primitives import random_bytes
from securechat_tui.protocol.signing import Header, Seen

_HASH: Final = c.HASH_LENGTH


class ResumeConflict(Exception):
    """The peer's account of this conversation and ours cannot both be true: a person must decide."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages under one signature; a message's place is its index in ``paths``."""

    root: bytes
    paths: tuple[tuple[bytes, ...], ...]
    signature: bytes

    def payload(self) -> Signature:
        """Return the record that goes before the leaves."""
        return Signature(len(self.paths), self.root, self.signature)


@dataclass(slots=True, eq=False)
class Outgoing:
    """One message on its way; ``running`` is the running hash that includes it."""

    number: int
    ref: str | None
    text: str = field(repr=False)
    claimed_ms: int
    header: bytes
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    running: bytes
    batch: Batch | None = None
    index: int = 0
    written: bool = False
    """Whether any session has written it."""

    def payload(self, batch: Batch) -> Signed:
        """Return the leaf."""
        return Signed(
            self.header, self.salt, self.index, len(batch.paths), batch.paths[self.index], self.content
        )


class Outbox:
    """One direction of one conversation, as its author sees it."""

    def __init__(self, own: bytes, peer: bytes) -> None:
        """``own`` and ``peer`` are fingerprints; numbering begins with a new generation."""
        self.conversation = signing.conversation_id(own, peer)
        self._own, self._peer = own, peer
        self._begin_generation()
        self._pending: deque[Outgoing] = deque()

    def _begin_generation(self) -> None:
        self.generation = random_bytes(c.GENERATION_LENGTH)
        self.acknowledged = 0
        self._last = 0
        self._running = signing.running_start(self.conversation, self._own, self.generation)
        self._running_acknowledged = self._running
        self._previous = signing.NO_HASH
        self._headers = bytearray()
        self._ever_written = 0
        self.begin_session()

    def begin_session(self) -> None:
        """Write everything again that has not been acknowledged: the session is a new one."""
        self._written = self.acknowledged
        self._announced: Batch | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, text: str, ref: str | None, claimed_ms: int, seen: Seen) -> Outgoing:
        """Number a message and fix its bytes."""
        salt, content = random_bytes(_HASH), text_content(text)
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
        item = signing.header_hash(header)
        self._last += 1
        self._previous = item
        self._headers += item
        self._running = signing.running_next(self._running, item)
        message = Outgoing(self._last, ref, text, claimed_ms, header, salt, content, self._running)
        self._pending.append(message)
        return message

    def to_sign(self) -> list[Outgoing]:
        """Return the oldest messages without a signature, as many as one signature may cover."""
        waiting: list[Outgoing] = []
        for message in self._pending:
            if message.batch is None:
                waiting.append(message)
                if len(waiting) == c.MAX_BATCH:
                    break
        return waiting

    def signing_input(self, messages: Sequence[Outgoing]) -> bytes:
        """Return the bytes that sign these messages."""
        root, _ = _tree(tuple(message.header for message in messages))
        return signing.batch_message(self.conversation, len(messages), root)

    def signed(self, messages: Sequence[Outgoing], signature: bytes) -> None:
        """Take the signature over these messages."""
        root, paths = _tree(tuple(message.header for message in messages))
        batch = Batch(root, paths, signature)
        for index, message in enumerate(messages):
            message.batch, message.index = batch, index

    def next_to_write(self) -> tuple[Outgoing, list[Payload]] | None:
        """Return the next signed message not written in this session, and its records."""
        position = self._written - self.acknowledged
        if position >= len(self._pending):
            return None
        message = self._pending[position]
        if message.batch is None:
            return None
        payloads: list[Payload] = [message.payload(message.batch)]
        if message.batch is not self._announced:
            payloads.insert(0, message.batch.payload())
            self._announced = message.batch
        self._written += 1
        self._ever_written = max(self._ever_written, self._written)
        return message, payloads

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

    def resume(self, word: Resume) -> tuple[list[Outgoing], list[Outgoing]]:
        """Take the peer's account; return the messages it has and those that were numbered anew.

        Raises :class:`ResumeConflict`. A peer that holds nothing of this generation after having
        acknowledged some of it has lost its memory: a new generation begins.
        """
        if word.peer_generation != self.generation or word.high == 0 < self.acknowledged:
            return [], (self._renumber() if self.acknowledged else [])
        if not self.acknowledged <= word.high <= self._last or self._running_at(word.high) != word.running:
            raise ResumeConflict
        return self._drop(word.high), []

    def _running_at(self, number: int) -> bytes:
        if number == self.acknowledged:
            return self._running_acknowledged
        return self._pending[number - self.acknowledged - 1].running

    def _drop(self, high: int) -> list[Outgoing]:
        self._running_acknowledged = self._running_at(high)
        dropped = [self._pending.popleft() for _ in range(high - self.acknowledged)]
        self.acknowledged = high
        self._written = max(self._written, high)
        return dropped

    def _renumber(self) -> list[Outgoing]:
        old, self._pending = self._pending, deque()
        self._begin_generation()
        return [self.add(one.text, one.ref, one.claimed_ms, Seen()) for one in old]

    def check_seen(self, seen: Seen) -> None:
        """Check that the peer has seen what it says it has seen; raises :class:`OutOfOrder`."""
        if seen.generation != self.generation:
            return  # of an earlier run of this program, or nothing yet
        place = seen.number * _HASH
        if not 1 <= seen.number <= self._last or self._headers[place - _HASH : place] != seen.header_hash:
            raise OutOfOrder("names a message that was never sent")


@lru_cache(maxsize=1)
def _tree(headers: tuple[bytes, ...]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Root and paths, which are wanted before signing and after it."""
    return signing.merkle_tree(tuple(map(signing.leaf_hash, headers)))
