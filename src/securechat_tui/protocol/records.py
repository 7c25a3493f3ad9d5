"""Records: one AES-256-GCM key each, from a one-way chain per direction and epoch.

Plaintext: the payload behind its length, padded with zeros to one of a few sizes. Record: the
epoch in clear, then the ciphertext. Associated data: label, session id, direction, epoch, sequence
number. The sequence number is not sent; it runs on across epochs.

An open is computed aside and committed last: one that fails leaves the state as it was.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import encode, u8, u32
from securechat_tui.protocol.errors import LocalError, RecordFailure
from securechat_tui.protocol.primitives import CryptoFailure

_LENGTH_PREFIX: Final = 4
_PLACE: Final = Struct(">IQ")
"""Epoch and sequence number, as the associated data ends."""


class Direction(IntEnum):
    """Who wrote a record."""

    HOST = 1
    GUEST = 2


_CHAIN_LABELS = {Direction.HOST: c.LABEL_HOST_CHAIN, Direction.GUEST: c.LABEL_GUEST_CHAIN}


class Chain(NamedTuple):
    """The state of one direction in one epoch; ``key`` (32 bytes) is the key of the next step."""

    epoch: int
    key: bytes

    @classmethod
    def start(cls, root: bytes, direction: Direction, epoch: int) -> "Chain":
        """Derive a direction's first chain key from an epoch's root."""
        return cls(epoch, primitives.hkdf_expand(root, _CHAIN_LABELS[direction], u32(epoch)))

    def step(self) -> tuple["Chain", bytes]:
        """Return the chain after this record, and this record's key."""
        following, record_key = primitives.chain_step(self.key)
        return Chain(self.epoch, following), record_key

    def __repr__(self) -> str:
        return f"Chain(epoch={self.epoch})"


def _size_for(length: int) -> int:
    """Return the smallest size of a plaintext that holds ``length`` bytes."""
    return c.RECORD_SIZES[bisect_left(c.RECORD_SIZES, length)]


def pad(payload: bytes) -> bytes:
    """Return the payload behind its length, with zeros up to the smallest size that holds it."""
    if len(payload) > c.MAX_PAYLOAD_LENGTH:
        raise LocalError("payload too long for a record")
    whole = len(payload).to_bytes(_LENGTH_PREFIX, "big") + payload
    return whole.ljust(_size_for(len(whole)), b"\0")


def unpad(plaintext: bytes) -> bytes:
    """Undo :func:`pad`; raises :class:`RecordFailure` for anything that ``pad`` does not make."""
    length = int.from_bytes(plaintext[:_LENGTH_PREFIX], "big")
    end = _LENGTH_PREFIX + length
    if end > len(plaintext):
        raise RecordFailure("payload length")
    if len(plaintext) != _size_for(end):
        raise RecordFailure("padded to a wrong size")
    if plaintext.count(0, end) != len(plaintext) - end:
        raise RecordFailure("padding is not zero")
    return plaintext[_LENGTH_PREFIX:end]


def _binding(session_id: bytes, direction: Direction) -> bytes:
    """The part of the associated data that stays the same for a whole session."""
    return encode(c.LABEL_RECORD, session_id, u8(direction))


@dataclass(frozen=True, slots=True)
class Trace:
    """How one record was sealed or has opened, for a person who looks."""

    opened: bool
    """Whether it came from the peer."""
    epoch: int
    sequence: int
    payload: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)
    """The payload behind its length, padded."""
    associated: bytes
    record: bytes
    key: bytes = field(repr=False)
    """The record's key, 32 bytes; it was used once and opens nothing else."""


Watch = Callable[[Trace], None]


class Sender:
    """Seals one direction's records; ``watch``, where there is one, is told of each."""

    __slots__ = ("_binding", "chain", "sequence", "watch")

    def __init__(self, session_id: bytes, direction: Direction, chain: Chain) -> None:
        self._binding = _binding(session_id, direction)
        self.chain = chain
        self.sequence = 0
        self.watch: Watch | None = None

    def seal(self, payload: bytes) -> bytes:
        """Return the record that carries ``payload``."""
        following, key = self.chain.step()
        plaintext = pad(payload)
        place = _PLACE.pack(following.epoch, self.sequence)
        associated = self._binding + place
        record = place[: c.EPOCH_LENGTH] + primitives.seal(key, plaintext, associated)
        if self.watch is not None:
            self.watch(
                Trace(False, following.epoch, self.sequence, payload, plaintext, associated, record, key)
            )
        self.chain = following
        self.sequence += 1
        return record

    def switch(self, chain: Chain) -> None:
        """Go on in a new epoch."""
        self.chain = chain


class Receiver:
    """Opens one direction's records; around a rekey the old and the new chain coexist.

    ``watch``, where there is one, is told of each that has opened.
    """

    __slots__ = ("_binding", "chain", "sequence", "upcoming", "watch")

    def __init__(self, session_id: bytes, direction: Direction, chain: Chain) -> None:
        self._binding = _binding(session_id, direction)
        self.chain = chain
        self.upcoming: Chain | None = None
        self.sequence = 0
        self.watch: Watch | None = None

    def open(self, record: bytes) -> bytes:
        """Return the payload of the next record; raises :class:`RecordFailure`, changing nothing."""
        chain = self._chain_of(int.from_bytes(record[: c.EPOCH_LENGTH], "big"))
        following, key = chain.step()
        try:
            associated = self._binding + _PLACE.pack(following.epoch, self.sequence)
            plaintext = primitives.unseal(key, memoryview(record)[c.EPOCH_LENGTH :], associated)
        except CryptoFailure:
            raise RecordFailure("does not open") from None
        payload = unpad(plaintext)
        if self.watch is not None:
            self.watch(Trace(True, chain.epoch, self.sequence, payload, plaintext, associated, record, key))
        if chain is self.upcoming:
            self.switch()
        self.chain = following
        self.sequence += 1
        return payload

    def expect(self, chain: Chain) -> None:
        """Admit records of a new epoch beside those of the present one."""
        self.upcoming = chain

    def switch(self) -> None:
        """Drop the old chain: the peer has gone on in the new epoch."""
        if self.upcoming is not None:
            self.chain, self.upcoming = self.upcoming, None

    def _chain_of(self, epoch: int) -> Chain:
        if epoch == self.chain.epoch:
            return self.chain
        if self.upcoming is not None and epoch == self.upcoming.epoch:
            return self.upcoming
        raise RecordFailure("of another epoch")
