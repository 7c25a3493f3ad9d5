"""Section 13 of docs/protocol.md: what an author keeps, what a receiver keeps and checks."""

import os
import time
from dataclasses import dataclass

from reference_crypto import (
    PREFIX,
    Fields,
    Identity,
    PublicIdentity,
    Violation,
    hash_of,
    lp16,
    sha256,
    u,
)

RESUME, SIGNED, UNSIGNED, SIGNATURE, ACKNOWLEDGEMENT, GONE = 2, 3, 4, 5, 6, 7
HEADER_LABEL = PREFIX + b"message header"
NOTHING_SEEN = bytes(56)
MOST_CONTENT = 1 + 32768


class Reject(Violation):
    """Section 13.6: content that only the peer can have made; answered with GOODBYE(rejected)."""


class Gated(Exception):
    """Section 13.5, 3: a person has to decide."""


def conversation_of(one: PublicIdentity, other: PublicIdentity) -> bytes:
    """Section 13.1."""
    return hash_of(b"conversation", *sorted((one.fp, other.fp)))


# Section 13.4: the tree


def leaf_of(header: bytes) -> bytes:
    """The leaf of a header."""
    return sha256(b"\0" + header)


def node(left: bytes, right: bytes) -> bytes:
    """The node over two others."""
    return sha256(b"\1" + left + right)


def split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def tree_root(leaves: list[bytes]) -> bytes:
    """The root of the leaves."""
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node(tree_root(leaves[:k]), tree_root(leaves[k:]))


def tree_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """The siblings from the leaf up."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*tree_path(index, leaves[:k]), tree_root(leaves[k:])]
    return [*tree_path(index - k, leaves[k:]), tree_root(leaves[:k])]


def steps(index: int, count: int) -> int:
    """How many entries a path has."""
    if count == 1:
        return 0
    k = split(count)
    return 1 + (steps(index, k) if index < k else steps(index - k, count - k))


def climb(leaf: bytes, index: int, count: int, path: list[bytes]) -> bytes:
    """The root that leaf and path lead to."""
    if count == 1:
        return leaf
    k = split(count)
    if index < k:
        return node(climb(leaf, index, k, path[:-1]), path[-1])
    return node(path[-1], climb(leaf, index - k, count - k, path[:-1]))


class Running:
    """Section 13.5: the running hash of one author's generation, at every number so far."""

    def __init__(self, conversation: bytes, author: bytes, generation: bytes) -> None:
        self.items: list[bytes] = []
        self.hashes = [hash_of(b"running hash start", conversation, author, generation)]

    def add(self, item: bytes) -> None:
        """Number the next item."""
        self.items.append(item)
        self.hashes.append(hash_of(b"running hash", self.hashes[-1], item))

    @property
    def high(self) -> int:
        """The last number."""
        return len(self.items)


def content_of(text: str) -> bytes:
    """Section 13.2."""
    return b"\1" + text.encode()


def text_of(content: bytes) -> str:
    """Section 13.2: the text of well-formed content."""
    try:
        text = content[1:].decode()
    except UnicodeDecodeError:
        text = ""
    if content[:1] != b"\1" or not text:
        raise Reject("malformed payload: content")
    return text


def unsigned_item(generation: bytes, number: bytes, claimed: bytes, content: bytes) -> bytes:
    """Section 13.5: the item of an UNSIGNED message."""
    return hash_of(b"unsigned message", generation + number + claimed, content)


@dataclass
class Entry:
    """A numbered message: its bytes, and the SIGNATURE that must stand before them."""

    text: str
    payload: bytes
    signature: bytes | None
    header_hash: bytes | None
    was_written: bool = False


class Outbox:
    """What we have written to one peer in the present generation."""

    def __init__(self, me: Identity, peer: PublicIdentity) -> None:
        self.me, self.peer, self.conversation = me, peer, conversation_of(me, peer)
        self.begin()

    def begin(self) -> None:
        """Section 13.1: a new generation."""
        self.generation = os.urandom(16)
        self.running = Running(self.conversation, self.me.fp, self.generation)
        self.entries: list[Entry] = []
        self.previous = bytes(32)
        self.acknowledged = 0

    @property
    def written(self) -> int:
        """The last number ever written."""
        return max((n for n, entry in enumerate(self.entries, 1) if entry.was_written), default=0)

    def write(self, texts: list[str], seen: bytes) -> None:
        """Sections 13.3 and 13.4: number and sign ``texts``, 128 at most under one signature."""
        while texts:
            batch, texts = texts[:128], texts[128:]
            self._write_batch(batch, seen)

    def _write_batch(self, texts: list[str], seen: bytes) -> None:
        headers, contents, hashes = [], [], []
        for text in texts:
            salt, content = os.urandom(32), content_of(text)
            number, now = u(self.running.high + 1, 8), u(int(time.time() * 1000), 8)
            names = HEADER_LABEL + self.conversation + self.me.fp + self.peer.fp + self.generation + number
            header = names + self.previous + seen + now + hash_of(b"content", salt, content)
            self.previous = hash_of(b"header hash", header)
            self.running.add(self.previous)
            headers.append(header)
            contents.append((salt, content))
            hashes.append(self.previous)
        leaves, count = [leaf_of(header) for header in headers], u(len(headers), 1)
        root = tree_root(leaves)
        signature = self.me.sign(b"message signature", self.conversation, count, root)
        first = u(SIGNATURE, 1) + count + root + lp16(signature)
        for index, (salt, content) in enumerate(contents):
            path = b"".join(tree_path(index, leaves))
            payload = u(SIGNED, 1) + headers[index] + salt + u(index, 1) + count + path + content
            self.entries.append(Entry(texts[index], payload, first, hashes[index]))

    def write_unsigned(self, text: str) -> None:
        """Section 12, UNSIGNED."""
        number, now = u(self.running.high + 1, 8), u(int(time.time() * 1000), 8)
        self.running.add(unsigned_item(self.generation, number, now, content_of(text)))
        payload = u(UNSIGNED, 1) + self.generation + number + now + content_of(text)
        self.entries.append(Entry(text, payload, None, None))

    def cancel(self, number: int) -> None:
        """Section 13.6, GONE: nothing but the item of the message is left."""
        entry, item = self.entries[number - 1], self.running.items[number - 1]
        signed = u(entry.header_hash is not None, 1)
        entry.payload = u(GONE, 1) + self.generation + u(number, 8) + signed + item
        entry.text, entry.signature = "", None

    def names(self, seen: bytes) -> bool:
        """Section 13.6, 6: whether the peer may have seen this."""
        number, header_hash = int.from_bytes(seen[16:24], "big"), seen[24:]
        if seen == NOTHING_SEEN or seen[:16] != self.generation:
            return True
        return 1 <= number <= self.written and self.entries[number - 1].header_hash == header_hash

    def acknowledge(self, generation: bytes, high: int, running: bytes) -> None:
        """Section 13.5, ACKNOWLEDGEMENT."""
        if generation != self.generation or high < self.acknowledged:
            return
        if high > self.written or running != self.running.hashes[high]:
            raise Reject("out of order: an acknowledgement of what was not written")
        self.acknowledged = high

    def resume(self, generation: bytes, high: int, running: bytes, seen: bytes) -> bool:
        """Section 13.5, RESUME 3 and 4: whether a new generation was begun and has to be announced."""
        if generation == self.generation and (high > 0 or not self.acknowledged):
            if not self.acknowledged <= high <= self.written or running != self.running.hashes[high]:
                raise Gated
            self.acknowledged = high
        elif self.acknowledged:
            texts = [entry.text for entry in self.entries[self.acknowledged :] if entry.text]
            self.begin()
            self.write(texts, seen)
            return True
        return False


class Inbox:
    """What we have of one peer in its present generation."""

    def __init__(self, me: Identity, peer: PublicIdentity) -> None:
        self.me, self.peer, self.conversation = me, peer, conversation_of(me, peer)
        self.texts: list[str] = []
        self.begin(bytes(16))

    def begin(self, generation: bytes) -> None:
        """Section 13.5, RESUME 2: a generation that is new to us."""
        self.generation = generation
        self.running = Running(self.conversation, self.peer.fp, generation)
        self.previous, self.seen = bytes(32), NOTHING_SEEN

    def state(self) -> bytes:
        """The generation, the last number and the running hash, as RESUME and ACKNOWLEDGEMENT carry them."""
        if self.generation == bytes(16):
            return bytes(56)
        return self.generation + u(self.running.high, 8) + self.running.hashes[-1]

    def accept_signed(self, body: bytes, batch: tuple[int, bytes] | None, outbox: Outbox) -> None:
        """Section 13.6, SIGNED: the six rules. ``batch`` is count and root of the last SIGNATURE."""
        fields = Fields(body)
        header, salt, index, count = fields.take(279), fields.take(32), fields.number(1), fields.number(1)
        fields.need(index < count <= 128)
        path = [fields.take(32) for _ in range(steps(index, count))]
        content = fields.rest()
        fields.need(len(content) <= MOST_CONTENT)
        # 1
        if batch is None or batch != (count, climb(leaf_of(header), index, count, path)):
            raise Reject("signature failure: no signature over this header")
        # 2, 3
        if header[:31] != HEADER_LABEL:
            raise Reject("malformed payload: the label of a header")
        if header[31:127] != self.conversation + self.peer.fp + self.me.fp:
            raise Reject("signature failure: another conversation, author or recipient")
        if header[127:143] != self.generation:
            raise Reject("out of order: another generation")
        if header[247:] != hash_of(b"content", salt, content):
            raise Reject("signature failure: other content")
        text, number = text_of(content), int.from_bytes(header[143:151], "big")
        # 4
        item = hash_of(b"header hash", header)
        if self._is_repeated(number, item):
            return
        # 5, 6
        if header[151:183] != self.previous or not outbox.names(header[183:239]):
            raise Reject("out of order: previous or seen")
        self._accept(item, text)
        self.previous, self.seen = item, self.generation + u(number, 8) + item

    def accept_unsigned(self, body: bytes) -> None:
        """Section 13.6, UNSIGNED."""
        fields = Fields(body)
        generation, number, claimed, content = fields.take(16), fields.take(8), fields.take(8), fields.rest()
        fields.need(len(content) <= MOST_CONTENT)
        if generation != self.generation:
            raise Reject("out of order: another generation")
        text, item = text_of(content), unsigned_item(generation, number, claimed, content)
        if not self._is_repeated(int.from_bytes(number, "big"), item):
            self._accept(item, text)

    def accept_gone(self, body: bytes) -> None:
        """Section 13.6, GONE."""
        fields = Fields(body)
        generation, number, signed, item = (
            fields.take(16),
            fields.number(8),
            fields.number(1),
            fields.take(32),
        )
        fields.need(signed <= 1)
        fields.end()
        if generation != self.generation:
            raise Reject("out of order: another generation")
        if not self._is_repeated(number, item):
            self.running.add(item)
            self.previous = item if signed else self.previous

    def _is_repeated(self, number: int, item: bytes) -> bool:
        high = self.running.high
        if number == high + 1:
            return False
        if not 1 <= number <= high or self.running.items[number - 1] != item:
            raise Reject("out of order: a number that is not due, or another message under an old one")
        return True

    def _accept(self, item: bytes, text: str) -> None:
        self.running.add(item)
        self.texts.append(text)


def read_signature(body: bytes, peer: PublicIdentity, conversation: bytes) -> tuple[int, bytes]:
    """Section 13.6, SIGNATURE: count and root of a batch whose signature verifies."""
    fields = Fields(body)
    count, root, signature = fields.number(1), fields.take(32), fields.lp16(512)
    fields.need(1 <= count <= 128)
    fields.end()
    try:
        peer.verify("signature failure", signature, b"message signature", conversation, u(count, 1), root)
    except Violation as failure:
        raise Reject(str(failure)) from None
    return count, root
