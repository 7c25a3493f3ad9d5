"""The two chains of an established session and the rekeys between their epochs."""

from securechat_tui.protocol.errors import RekeyFailure
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.keyschedule import Master
from securechat_tui.protocol.liveness import RekeyBudget
from securechat_tui.protocol.payloads import Payload, RekeyFirst, RekeySecond, Signature
from securechat_tui.protocol.records import Chain, Direction, Receiver, Sender, Watch
from securechat_tui.protocol.rekey import GuestRekey, HostRekey


def _other(direction: Direction) -> Direction:
    return Direction.GUEST if direction is Direction.HOST else Direction.HOST


class RecordLayer:
    """Seals and opens payloads, and carries out rekeys, for the side named by ``direction``."""

    def __init__(self, master: Master, peer: PublicIdentity, direction: Direction, now: float) -> None:
        self.epoch = 0
        """The epoch that both directions have reached."""
        self.budget = RekeyBudget(now)
        self.session_id = master.session_id
        """The id of the session, 32 bytes; it is no secret."""
        self._t3 = master.t3
        self._root = master.root
        self._peer = peer
        self._direction = direction
        own, other = direction, _other(direction)
        self._sender = Sender(master.session_id, own, Chain.start(master.root, own, 0))
        self._receiver = Receiver(master.session_id, other, Chain.start(master.root, other, 0))
        self._guest_rekey: GuestRekey | None = None
        self._host_rekey: HostRekey | None = None

    def watch(self, watch: Watch | None) -> None:
        """Tell ``watch`` of every record of both directions from now on; with None, of none."""
        self._sender.watch = self._receiver.watch = watch

    def seal(self, payload: Payload) -> bytes:
        """Return the record that carries a payload."""
        record = self._sender.seal(payload.encode())
        self.budget.record(signature=isinstance(payload, Signature))
        return record

    def open(self, record: bytes) -> bytes:
        """Return a record's payload; raises :class:`RecordFailure`, changing nothing."""
        return self._receiver.open(record)

    def count(self, payload: Payload | None) -> None:
        """Count a record of the peer."""
        self.budget.record(signature=isinstance(payload, Signature))

    @property
    def rekeying(self) -> bool:
        """Whether a rekey is under way."""
        return bool(self._guest_rekey or self._host_rekey or self._receiver.upcoming)

    def arrived(self, now: float) -> bool:
        """Tell, once, that the peer's first record of the new epoch has opened."""
        if self._receiver.chain.epoch == self.epoch:
            return False
        self.epoch = self._receiver.chain.epoch
        self.budget.completed(now)
        return True

    def begin(self) -> bytes:
        """Guest: start a rekey; return what is to be signed."""
        self._guest_rekey = GuestRekey(self._t3, self.epoch + 1)
        return self._guest_rekey.message()

    def first(self, signature: bytes) -> RekeyFirst:
        """Guest: return the first half."""
        if self._guest_rekey is None:
            raise RekeyFailure("none begun")
        return self._guest_rekey.first(signature)

    def finish(self, second: RekeySecond, now: float) -> None:
        """Guest: take the second half, the last record of the host's old epoch, and go on in the new one."""
        if self._guest_rekey is None:
            raise RekeyFailure("second half without a first")
        root = self._guest_rekey.finish(self._root, self._peer, second)
        self._guest_rekey = None
        self._enter(root, second.epoch)
        self._receiver.switch()
        self.arrived(now)

    def answer(self, first: RekeyFirst, now: float) -> bytes:
        """Host: check the first half; return what is to be signed; raises :class:`RekeyFailure`."""
        if self._direction is not Direction.HOST:
            raise RekeyFailure("only the guest starts one")
        if self.rekeying:
            raise RekeyFailure("while one is under way")
        if first.epoch != self.epoch + 1:
            raise RekeyFailure("epoch")
        answer = HostRekey.answer(self._t3, self._peer, first)
        self.budget.started(now)
        self._host_rekey = answer
        return answer.message()

    def second(self, signature: bytes) -> bytes:
        """Host: return the record of the second half, the last one of its epoch."""
        if self._host_rekey is None:
            raise RekeyFailure("none to answer")
        half = self._host_rekey.second(signature)
        record = self.seal(half)
        self._enter(self._host_rekey.root(self._root, half), half.epoch)
        self._host_rekey = None
        return record

    def _enter(self, root: bytes, epoch: int) -> None:
        self._root = root
        self._sender.switch(Chain.start(root, self._direction, epoch))
        self._receiver.expect(Chain.start(root, _other(self._direction), epoch))
