"""Sections 10 and 11 of docs/protocol.md: the record chain and the rekey."""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from reference_crypto import (
    PREFIX,
    Chance,
    Fields,
    Identity,
    Violation,
    encode,
    expand,
    extract,
    lp16,
    seal,
    sha256,
    u,
    unseal,
)
from reference_handshake import Agreed, encapsulate, exchange

SIZES = (256, 1024, 4096, 16384, 65536)
REKEY_FIRST, REKEY_SECOND = 13, 14
BAD_RECORD, BAD_REKEY = "record failure", "rekey failure"


class Direction:
    """Section 10: what one side writes. The epochs it may be written in each have a chain."""

    def __init__(self, session_id: bytes, by_host: bool, root: bytes) -> None:
        self.session_id, self.number = session_id, 1 if by_host else 2
        self.label = b"host chain" if by_host else b"guest chain"
        self.sequence = 0
        self.chains: dict[int, bytes] = {}
        self.admit(0, root)

    def admit(self, epoch: int, root: bytes) -> None:
        """Begin the chain of ``epoch``."""
        self.chains[epoch] = expand(root, self.label, u(epoch, 4))

    def drop_before(self, epoch: int) -> None:
        """Refuse what is older than ``epoch``."""
        self.chains = {e: chain for e, chain in self.chains.items() if e >= epoch}

    def seal(self, payload: bytes) -> bytes:
        """The next record, in the newest epoch."""
        epoch = max(self.chains)
        key, after = self.step_of(self.chains[epoch])
        size = next(size for size in SIZES if 4 + len(payload) <= size)
        plaintext = (u(len(payload), 4) + payload).ljust(size, b"\0")
        record = u(epoch, 4) + seal(key, plaintext, self._ad(epoch))
        self._advance(epoch, after)
        return record

    def open(self, record: bytes) -> tuple[int, bytes]:
        """Epoch and payload of the next record; the chain moves only if all of it is right."""
        epoch = int.from_bytes(record[:4], "big")
        if epoch not in self.chains:
            raise Violation(f"{BAD_RECORD}: epoch {epoch}")
        key, after = self.step_of(self.chains[epoch])
        plaintext = unseal(key, record[4:], self._ad(epoch), BAD_RECORD)
        fields = Fields(plaintext, BAD_RECORD)
        payload = fields.take(fields.number(4))
        fields.need(len(plaintext) == next(size for size in SIZES if fields.at <= size))
        fields.need(not any(fields.rest()))
        self._advance(epoch, after)
        return epoch, payload

    @staticmethod
    def step_of(chain: bytes) -> tuple[bytes, bytes]:
        """A record's key, and the chain after it."""
        block = hmac.digest(chain, encode(PREFIX + b"chain step"), hashlib.sha512)
        return block[32:], block[:32]

    def _advance(self, epoch: int, after: bytes) -> None:
        self.chains[epoch] = after
        self.sequence += 1

    def _ad(self, epoch: int) -> bytes:
        names = encode(PREFIX + b"record", self.session_id, u(self.number, 1))
        return names + u(epoch, 4) + u(self.sequence, 8)


@dataclass(frozen=True)
class Asked:
    """What the guest keeps of its first half."""

    x: X25519PrivateKey
    kem: MLKEM768PrivateKey
    first: bytes


class Records:
    """Both directions of a session, and its rekeys (section 11)."""

    def __init__(self, me: Identity, agreed: Agreed, chance: Chance) -> None:
        self.me, self.agreed, self.root, self.epoch, self.chance = me, agreed, agreed.root, 0, chance
        self.sending = Direction(agreed.session_id, agreed.is_host, agreed.root)
        self.receiving = Direction(agreed.session_id, not agreed.is_host, agreed.root)
        self.asked: Asked | None = None
        self.is_answered = False  # the host: its second half is out, no record of the new epoch has come
        self.completed = self.last_first = self.chance.now()
        self.records = self.signatures = 0  # of both directions since the last rekey was completed

    def seal(self, payload: bytes) -> bytes:
        """The record of ``payload``."""
        self.records += 1
        return self.sending.seal(payload)

    def open(self, record: bytes) -> bytes:
        """The payload of a record; the guest's first one in a new epoch completes the rekey at the host."""
        self.records += 1
        epoch, payload = self.receiving.open(record)
        if self.is_answered and epoch == self.epoch:
            self.is_answered = False
            self._complete()
        return payload

    def is_due(self) -> bool:
        """Section 11: whether the guest starts a rekey. Either side closes when one is overdue."""
        seconds = self.chance.now() - self.completed
        if self.records >= 2_000_000 or seconds >= 1200:
            raise Violation(f"{BAD_REKEY}: overdue")
        due = seconds >= 600 or self.records >= 1_000_000 or (self.signatures >= 50 and seconds >= 10)
        return due and not self.agreed.is_host and self.asked is None

    def ask(self) -> bytes:
        """The guest's REKEY_FIRST."""
        x, kem = self.chance.x25519(), self.chance.mlkem()
        epoch = u(self.epoch + 1, 4)
        public, ek = x.public_key().public_bytes_raw(), kem.public_key().public_bytes_raw()
        signature = self.me.sign(b"rekey first", self.agreed.t3, epoch, public, ek)
        self.asked = Asked(x, kem, u(REKEY_FIRST, 1) + epoch + public + ek + lp16(signature))
        return self.asked.first

    def answer(self, first: bytes) -> bytes:
        """The record with the host's REKEY_SECOND, the last one of the old epoch."""
        epoch, public, ek, signature = self._read(first, 1184)
        early = self.chance.now() - self.last_first < 1
        self.last_first = self.chance.now()
        if not self.agreed.is_host or self.is_answered or early:
            raise Violation(f"{BAD_REKEY}: a first half at the guest, during a rekey, or too early")
        t3 = self.agreed.t3
        self.agreed.contact.key.verify(BAD_REKEY, signature, b"rekey first", t3, epoch, public, ek)
        x = self.chance.x25519()
        ss_mlkem, ct = encapsulate(self.chance, ek, BAD_REKEY)
        shared = ss_mlkem + exchange(x, public, BAD_REKEY)
        own = x.public_key().public_bytes_raw()
        signature = self.me.sign(b"rekey second", t3, epoch, sha256(first), own, ct)
        second = u(REKEY_SECOND, 1) + epoch + own + ct + lp16(signature)
        record = self.seal(second)
        self._switch(shared, first, second)
        self.is_answered = True
        return record

    def finish(self, second: bytes) -> None:
        """The guest has REKEY_SECOND: both chains switch; its caller sends EMPTY at once."""
        epoch, public, ct, signature = self._read(second, 1088)
        if self.asked is None:
            raise Violation(f"{BAD_REKEY}: a second half that answers none")
        digest = sha256(self.asked.first)
        names = (self.agreed.t3, epoch, digest, public, ct)
        self.agreed.contact.key.verify(BAD_REKEY, signature, b"rekey second", *names)
        shared = self.asked.kem.decapsulate(ct) + exchange(self.asked.x, public, BAD_REKEY)
        self._switch(shared, self.asked.first, second)
        self.asked = None
        self._complete()

    def _read(self, half: bytes, size: int) -> tuple[bytes, bytes, bytes, bytes]:
        fields = Fields(half[1:])
        epoch, public, kem, signature = fields.take(4), fields.take(32), fields.take(size), fields.lp16(512)
        fields.end()
        if epoch != u(self.epoch + 1, 4):
            raise Violation(f"{BAD_REKEY}: another epoch than the next")
        return epoch, public, kem, signature

    def _switch(self, shared: bytes, first: bytes, second: bytes) -> None:
        self.epoch += 1
        epoch = u(self.epoch, 4)
        secret = extract(self.root, shared)
        self.root = expand(secret, b"rekey root", self.agreed.t3, epoch, sha256(first), sha256(second))
        self.sending.admit(self.epoch, self.root)
        self.sending.drop_before(self.epoch)
        self.receiving.admit(self.epoch, self.root)

    def _complete(self) -> None:
        self.receiving.drop_before(self.epoch)
        self.completed = self.chance.now()
        self.records = self.signatures = 0
