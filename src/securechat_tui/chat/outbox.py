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

_HASH: Final = c.HASH_LENGTH
_NO_HEADER: Final = b"\xff" * _HASH
"""Stands where an unsigned message has no header that the peer could name."""


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
    """One message on its way; ``item`` is what the running hash takes for it, ``running`` what that gives."""

    generation: bytes
    number: int
    ref: str | None
    text: str = field(repr=False)
    claimed_ms: int
    header: bytes
    """Empty where it is unsigned."""
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    item: bytes
    running: bytes
    batch: Batch | None = None
    index: int = 0
    gone: bool = False
    """Whether it has been cancelled: its number stays, its content is never written again."""
    written: bool = False
    """Whether any session has written it."""

    @property
    def signed(self) -> bool:
        """Whether its author vouches for it, and not the session alone."""
        return bool(self.header)

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
        path = self.batch.paths[self.index]
        return Signed(self.header, self.salt, self.index, len(self.batch.paths), path, self.content)


class Outbox:
    """One direction of one conversation, as its author sees it."""

    def __init__(self, own: bytes, peer: bytes) -> None:
        """``own`` and ``peer`` are fingerprints; numbering begins with a new generation."""
        self.conversation = signing.conversation_id(own, peer)
        self._own, self._peer = own, peer
        self._pending: deque[Outgoing] = deque()
        self._gone = 0
        self._begin_generation()

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
        """How many messages are to be delivered: what has been cancelled is not."""
        return len(self._pending) - self._gone

    def add(self, text: str, ref: str | None, claimed_ms: int, seen: Seen) -> Outgoing:
        """Number a message that will be signed, and fix its bytes."""
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
        item = self._previous = signing.header_hash(header)
        self._headers += item
        return self._append(Outgoing(*self._place(ref, text, claimed_ms), header, salt, content, item, b""))

    def add_unsigned(self, text: str, ref: str | None, claimed_ms: int) -> Outgoing:
        """Number a message that the session alone vouches for: no header ever names it."""
        content = text_content(text)
        fields = Unsigned(self.generation, self._last + 1, claimed_ms, content).fields()
        item = signing.unsigned_item(fields, content)
        self._headers += _NO_HEADER
        return self._append(Outgoing(*self._place(ref, text, claimed_ms), b"", b"", content, item, b""))

    def _place(self, ref: str | None, text: str, claimed_ms: int) -> tuple[bytes, int, str | None, str, int]:
        return self.generation, self._last + 1, ref, text, claimed_ms

    def _append(self, message: Outgoing) -> Outgoing:
        self._last += 1
        self._running = message.running = signing.running_next(self._running, message.item)
        self._pending.append(message)
        return message

    def unsigned(self) -> list[Outgoing]:
        """Return the unsigned messages that are to be delivered."""
        return [one for one in self._pending if not one.signed and not one.gone]

    def cancel(self, message: Outgoing) -> None:
        """Let a message go that this session has not written: the peer is told that its number is empty."""
        message.gone = True
        self._gone += 1

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

    def signed(self, messages: Sequence[Outgoing], signature: bytes) -> None:
        """Take the signature over these messages."""
        root, paths = _tree(tuple(message.header for message in messages))
        batch = Batch(root, paths, signature)
        for index, message in enumerate(messages):
            message.batch, message.index = batch, index

    def next_to_write(self) -> tuple[Outgoing, list[Payload]] | None:
        """Return the next message not written in this session, and its records.

        None too where it waits for its signature: nothing that was typed later overtakes it.
        """
        position = self._written - self.acknowledged
        if position >= len(self._pending):
            return None
        message = self._pending[position]
        if message.waits_for_signature:
            return None
        payloads: list[Payload] = [message.payload()]
        if message.batch is not None and message.batch is not self._announced and not message.gone:
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
        self._gone -= sum(one.gone for one in dropped)
        self.acknowledged = high
        self._written = max(self._written, high)
        return dropped

    def _renumber(self) -> list[Outgoing]:
        old, self._pending, self._gone = self._pending, deque(), 0
        self._begin_generation()
        return [self._again(one) for one in old if not one.gone]

    def _again(self, old: Outgoing) -> Outgoing:
        if old.signed:
            return self.add(old.text, old.ref, old.claimed_ms, Seen())
        return self.add_unsigned(old.text, old.ref, old.claimed_ms)

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
