"""What a conversation's record proves to somebody who was not there: the rules, line by line.

For each author it is checked that each signed message is that author's, meant for the other one, and stands
in its place: its header names the one before it, and so no signed message is missing between the first
and the last. Each header names what its author had seen of the other. Nothing here reads a file; memory
stays the same however long the record is. The format is that of appendix E of ``docs/protocol.md``.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import MalformedPayload, ProtocolError, SignatureFailure
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.payloads import Signature, read_content
from securechat_tui.protocol.signing import Header, Seen

__all__ = ["Check", "Gap", "Proof", "Said", "Stretch", "Transcript", "Unproved"]

_RECENT: Final = 16_384
"""How far back a header that is named as seen is looked for, in signed messages of one author."""
MAX_GENERATIONS: Final = 1024
"""Of one author; a generation begins after a restore or a loss, not in daily use."""


class Check(StrEnum):
    """What failed, in the words of appendix E."""

    FORMAT = "format"
    IDENTITY = "identity"
    FINGERPRINT = "fingerprint"
    ROW = "row"
    NUMBER = "number"
    PARTIES = "parties"
    CONTENT = "content"
    CLAIMED = "claimed"
    PREVIOUS = "previous"
    SEEN = "seen"
    PATH = "path"
    SIGNATURE = "signature"


class Unproved(ProtocolError):
    """A check has failed; the text is a sentence about it."""

    def __init__(self, check: Check, sentence: str) -> None:
        super().__init__(sentence)
        self.check = check


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves a signed message; no ``batch`` where its author's program had not signed it yet."""

    header: bytes
    salt: bytes = field(repr=False)
    batch: Signature | None
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A message; without a ``proof`` it is unsigned."""

    generation: bytes
    number: int
    claimed_ms: int
    content: bytes = field(repr=False)
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A number whose message is not here: cancelled, or wiped. ``item`` is what the running hash took for it.

    ``signed`` says that it is a header hash; then the ``header`` may be here, or empty.
    """

    generation: bytes
    number: int
    item: bytes
    signed: bool
    header: bytes


@dataclass(slots=True)
class Stretch:
    """What is here of one generation of an author: everything from ``first`` to ``last``."""

    generation: bytes
    first: int
    last: int
    first_signed: int = 0
    """The first and the last number whose signature was verified; 0 for none."""
    last_signed: int = 0
    signed: int = 0
    unsigned: int = 0
    waiting: int = 0
    """Meant to be signed, and not signed yet."""
    withheld: int = 0
    loose: int = 0
    """Hashes of signed messages without a header: what they follow on is not shown."""
    previous: bytes | None = None
    """Hash of the signed header before; None where that is not known."""


class _Author:
    """One of the two, and what is known so far of what it has said."""

    def __init__(self, identity: PublicIdentity, other: PublicIdentity) -> None:
        self.identity = identity
        self.parties = (
            signing.conversation_id(identity.fingerprint, other.fingerprint),
            bytes(identity.fingerprint),
            bytes(other.fingerprint),
        )
        self.stretches: dict[bytes, Stretch] = {}
        self.named: dict[bytes, int] = {}
        """The highest number that the other has named as seen before it stood here, by generation."""
        self.unknown = 0
        """How many headers of this author name a message that is not here."""
        self._batch: Signature | None = None
        self._recent: dict[tuple[bytes, int], bytes] = {}
        self._order: deque[tuple[bytes, int]] = deque()

    def place(self, generation: bytes, number: int) -> Stretch:
        """Take the next number of a generation, or begin one; raises :class:`Unproved`."""
        stretch = self.stretches.get(generation)
        if stretch is None:
            stretch = self._begin(generation, number)
        elif number != stretch.last + 1:
            raise Unproved(Check.NUMBER, f"It has number {number}, where {stretch.last + 1} should stand.")
        if number <= self.named.get(generation, 0):
            sentence = f"The other author had seen number {number} before it stands here."
            raise Unproved(Check.SEEN, sentence)
        stretch.last = number
        return stretch

    def _begin(self, generation: bytes, number: int) -> Stretch:
        if generation == signing.NO_GENERATION or len(self.stretches) >= MAX_GENERATIONS:
            raise Unproved(Check.NUMBER, "Its generation is none, or one too many.")
        previous = signing.NO_HASH if number == 1 else None
        stretch = self.stretches[generation] = Stretch(generation, number, number, previous=previous)
        return stretch

    def remember(self, generation: bytes, number: int, item: bytes) -> None:
        """Note a signed header, which the other may name."""
        if len(self._order) == _RECENT:
            del self._recent[self._order.popleft()]
        self._order.append((generation, number))
        self._recent[generation, number] = item

    def was_seen(self, seen: Seen) -> bool:
        """Hold what the other says it has seen against what stands here; False for what is not here.

        Raises :class:`Unproved` where something else stands there.
        """
        stretch = self.stretches.get(seen.generation)
        if stretch is None or seen.number > stretch.last:
            if len(self.named) < MAX_GENERATIONS or seen.generation in self.named:
                known = self.named.get(seen.generation, 0)
                self.named[seen.generation] = max(known, seen.number)
            return False
        found = self._recent.get((seen.generation, seen.number))
        if found is None and (seen.number < stretch.first or self._is_beyond(seen)):
            return False
        if found != seen.header_hash:
            sentence = f"It names another message under number {seen.number} than the one that stands here."
            raise Unproved(Check.SEEN, sentence)
        return True

    def _is_beyond(self, seen: Seen) -> bool:
        """Whether it stands too far back to be remembered."""
        if len(self._order) < _RECENT:
            return False
        generation, number = self._order[0]
        return generation != seen.generation or seen.number < number

    def verify(self, batch: Signature) -> None:
        """Check the signature over a batch; the one checked last costs nothing."""
        if batch == self._batch:
            return
        try:
            signing.verify_batch(self.identity, self.parties[0], batch.count, batch.root, batch.signature)
        except SignatureFailure:
            raise Unproved(Check.SIGNATURE, "Its signature is not that of its author's key.") from None
        self._batch = batch


class Transcript:
    """Takes the messages of two authors in their order. The ``by`` of each is 0 or 1."""

    def __init__(self, authors: tuple[PublicIdentity, PublicIdentity]) -> None:
        """Raises :class:`Unproved` for one key twice."""
        first, second = authors
        if first == second:
            raise Unproved(Check.IDENTITY, "Both authors have the same key.")
        self._authors = (_Author(first, second), _Author(second, first))

    @property
    def conversation(self) -> bytes:
        """The conversation's id, 32 bytes."""
        return self._authors[0].parties[0]

    def stretches(self, by: int) -> tuple[Stretch, ...]:
        """What is here of an author, one for each generation, in their order."""
        return tuple(self._authors[by].stretches.values())

    def unknown_seen(self, by: int) -> int:
        """How many headers of an author name a message of the other's that is not here."""
        return self._authors[by].unknown

    def fingerprint(self, by: int) -> Fingerprint:
        """Whose key an author's is."""
        return self._authors[by].identity.fingerprint

    def said(self, by: int, message: Said) -> None:
        """Check the next message; raises :class:`Unproved`."""
        author = self._authors[by]
        _check_content(message.content)
        stretch = author.place(message.generation, message.number)
        proof = message.proof
        if proof is None:
            stretch.unsigned += 1
            return
        header = self._check_header(by, proof.header, message.generation, message.number)
        if header.claimed_ms != message.claimed_ms:
            raise Unproved(Check.CLAIMED, "Its claimed time is not the one that its header has.")
        if signing.content_hash(proof.salt, message.content) != header.content_hash:
            raise Unproved(Check.CONTENT, "Its content is not the one that its header names.")
        if proof.batch is None:
            stretch.waiting += 1
        else:
            _check_path(proof, proof.batch)
            author.verify(proof.batch)
            stretch.signed += 1
            stretch.first_signed = stretch.first_signed or message.number
            stretch.last_signed = message.number
        self._follow(by, stretch, header, signing.header_hash(proof.header))

    def withheld(self, by: int, gap: Gap) -> None:
        """Take the next number, whose message is not here; raises :class:`Unproved`."""
        stretch = self._authors[by].place(gap.generation, gap.number)
        stretch.withheld += 1
        if not gap.signed:
            return
        if gap.header:
            if signing.header_hash(gap.header) != gap.item:
                raise Unproved(Check.CONTENT, "Its header does not have the hash that stands beside it.")
            header = self._check_header(by, gap.header, gap.generation, gap.number)
            self._follow(by, stretch, header, gap.item)
            return
        stretch.loose += 1
        stretch.previous = gap.item
        self._authors[by].remember(gap.generation, gap.number, gap.item)

    def _check_header(self, by: int, encoded: bytes, generation: bytes, number: int) -> Header:
        try:
            header = Header.decode(encoded)
        except MalformedPayload:
            raise Unproved(Check.FORMAT, "Its header does not have the layout of one.") from None
        if (header.conversation, header.author, header.recipient) != self._authors[by].parties:
            raise Unproved(Check.PARTIES, "Its header is of another author, recipient or conversation.")
        if (header.generation, header.number) != (generation, number):
            raise Unproved(Check.NUMBER, "Its number is not the one that its header has.")
        return header

    def _follow(self, by: int, stretch: Stretch, header: Header, item: bytes) -> None:
        """Hold a header against the one before it, and against what the other has said."""
        author = self._authors[by]
        if stretch.previous is not None and header.previous != stretch.previous:
            raise Unproved(Check.PREVIOUS, "It does not follow the signed message that stands before it.")
        if header.seen != Seen() and not self._authors[1 - by].was_seen(header.seen):
            author.unknown += 1
        stretch.previous = item
        author.remember(header.generation, header.number, item)


def _check_content(content: bytes) -> None:
    if len(content) > 1 + c.MAX_TEXT_LENGTH:
        raise Unproved(Check.FORMAT, f"Its text has more than {c.MAX_TEXT_LENGTH} bytes.")
    try:
        read_content(content)
    except MalformedPayload:
        raise Unproved(Check.FORMAT, "Its content does not have the layout of one.") from None


def _check_path(proof: Proof, batch: Signature) -> None:
    fits = proof.index < batch.count and len(proof.path) == signing.path_length(proof.index, batch.count)
    leaf = signing.leaf_hash(proof.header)
    if not fits or signing.path_root(leaf, proof.index, batch.count, proof.path) != batch.root:
        raise Unproved(Check.PATH, "Its path does not lead from its header to what was signed.")
