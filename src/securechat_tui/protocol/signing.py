"""Message headers, their hashes, and one signature over a batch of them.

A signed body is a header and a content. Everything that is hashed or signed runs over headers,
which name the content only by a salted hash, so that a message can be wiped without breaking a
proof. A batch is a Merkle tree (RFC 9162, section 2.1.1) whose root is signed once; each leaf
travels with its path, and a single message is the batch of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from struct import Struct
from typing import ClassVar, Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import Reader, encode, u8, u64
from securechat_tui.protocol.errors import MalformedPayload, SignatureFailure
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.primitives import CryptoFailure, hash_of, sha256

NO_HASH: Final = bytes(c.HASH_LENGTH)
"""Stands where there is no earlier header."""
NO_GENERATION: Final = bytes(c.GENERATION_LENGTH)
_PEOPLE: Final = Struct(f"{c.HASH_LENGTH}s" * 3)
_PLACE: Final = Struct(f">{c.GENERATION_LENGTH}sQ{c.HASH_LENGTH}s")
_CLAIM: Final = Struct(f">Q{c.HASH_LENGTH}s")
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def conversation_id(one: bytes, other: bytes) -> bytes:
    """Return the id of two people's conversation, 32 bytes, the same on both sides."""
    return hash_of(c.LABEL_CONVERSATION, *sorted((one, other)))


@dataclass(frozen=True, slots=True)
class Seen:
    """The recipient's last signed header that the author had seen; zeros for none."""

    generation: bytes = NO_GENERATION
    number: int = 0
    header_hash: bytes = NO_HASH


@dataclass(frozen=True, slots=True)
class Header:
    """The fixed binary header of a signed message; ``claimed_ms`` is Unix time in milliseconds."""

    conversation: bytes
    author: bytes
    recipient: bytes
    generation: bytes
    number: int
    previous: bytes
    """Hash of the author's previous signed header in this generation; zeros for none."""
    seen: Seen
    claimed_ms: int
    content_hash: bytes

    LENGTH: ClassVar[int] = len(c.LABEL_HEADER) + 6 * c.HASH_LENGTH + 2 * c.GENERATION_LENGTH + 3 * 8

    def encode(self) -> bytes:
        """Return the header's bytes; they are kept and never made anew."""
        return b"".join(
            (
                c.LABEL_HEADER,
                self.conversation,
                self.author,
                self.recipient,
                self.generation,
                u64(self.number),
                self.previous,
                self.seen.generation,
                u64(self.seen.number),
                self.seen.header_hash,
                u64(self.claimed_ms),
                self.content_hash,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Read a header; raises :class:`MalformedPayload`."""
        reader = Reader(data)
        if reader.take(len(c.LABEL_HEADER)) != c.LABEL_HEADER:
            raise MalformedPayload("header label")
        conversation, author, recipient = reader.fields(_PEOPLE)
        generation, number, previous = reader.fields(_PLACE)
        seen = Seen(*reader.fields(_PLACE))
        claimed_ms, content = reader.fields(_CLAIM)
        reader.end()
        return cls(conversation, author, recipient, generation, number, previous, seen, claimed_ms, content)


def header_hash(header: bytes) -> bytes:
    """Return what later headers and the running hash take for a header, 32 bytes."""
    return hash_of(c.LABEL_HEADER_HASH, header)


def content_hash(salt: bytes, content: bytes) -> bytes:
    """Return the salted hash by which a header names its content, 32 bytes."""
    return hash_of(c.LABEL_CONTENT, salt, content)


def unsigned_item(fields: bytes, content: bytes) -> bytes:
    """Return what the running hash takes for an unsigned message, 32 bytes."""
    return hash_of(c.LABEL_UNSIGNED, fields, content)


def running_start(conversation: bytes, author: bytes, generation: bytes) -> bytes:
    """Return the running hash before the first message of a generation, 32 bytes."""
    return hash_of(c.LABEL_RUNNING_START, conversation, author, generation)


def running_next(running: bytes, item: bytes) -> bytes:
    """Return the running hash after one more message, 32 bytes."""
    return hash_of(c.LABEL_RUNNING, running, item)


def leaf_hash(header: bytes) -> bytes:
    """Return a leaf of the tree."""
    return sha256(_LEAF + header)


@lru_cache(maxsize=2 * c.MAX_BATCH)
def node_hash(left: bytes, right: bytes) -> bytes:
    """Return an inner node of the tree; a recipient meets each of them in many paths."""
    return sha256(_NODE + left + right)


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def merkle_tree(leaves: Sequence[bytes]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
    """Return the root over at least one leaf, and every leaf's path, each node hashed once.

    A path names the siblings from the leaf up (RFC 9162, section 2.1.3.1). An odd node is not doubled
    but moves up.
    """
    if len(leaves) == 1:
        return leaves[0], ((),)
    middle = _split(len(leaves))
    left, left_paths = merkle_tree(leaves[:middle])
    right, right_paths = merkle_tree(leaves[middle:])
    paths = (*((*path, right) for path in left_paths), *((*path, left) for path in right_paths))
    return node_hash(left, right), paths


@cache
def _sides(index: int, count: int) -> tuple[bool, ...]:
    """From leaf ``index`` of ``count`` up to the root: whether the node is its parent's left child."""
    if count == 1:
        return ()
    middle = _split(count)
    if index < middle:
        return (*_sides(index, middle), True)
    return (*_sides(index - middle, count - middle), False)


def path_length(index: int, count: int) -> int:
    """Return how many siblings the path of leaf ``index`` of ``count`` has; at most seven."""
    return len(_sides(index, count))


def path_root(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its path lead to.

    ``path`` has :func:`path_length` entries; the decoder of the payload has seen to that.
    """
    node = leaf
    for is_left, sibling in zip(_sides(index, count), path, strict=True):
        node = node_hash(node, sibling) if is_left else node_hash(sibling, node)
    return node


def batch_message(conversation: bytes, count: int, root: bytes) -> bytes:
    """Return the bytes that a batch's signature covers."""
    return encode(c.LABEL_BATCH, conversation, u8(count), root)


def verify_batch(
    author: PublicIdentity, conversation: bytes, count: int, root: bytes, signature: bytes
) -> None:
    """Check a batch's signature; raises :class:`SignatureFailure`."""
    try:
        author.verify(signature, batch_message(conversation, count, root))
    except CryptoFailure:
        raise SignatureFailure("batch") from None
