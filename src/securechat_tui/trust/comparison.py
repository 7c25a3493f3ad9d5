"""One comparison run: two people see the same short code, or somebody is in between.

Theory of operation. Both persons ask. Then the guest commits to a random value, the host answers with
one of its own, the guest reveals: neither can choose its value after having seen the other's, so
somebody in between cannot search for a pair of codes that look alike (RFC 6189, 4.4; Matrix SAS). The
code also covers the session and both identity keys.

A machine stands in one state, and a run is only ever started by persons. Whoever gives up says STOP and
takes nothing more until the other has answered it with a STOP of its own: what was on its way belongs to
the old run, and no wish or commitment of that can be taken for one of the next.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import ComparisonFailure
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Payload,
    StopReason,
)
from securechat_tui.protocol.primitives import hash_of, hkdf_expand, hkdf_extract
from securechat_tui.protocol.records import Direction
from securechat_tui.trust.codes import ShortAuthenticationString

__all__ = ["Comparison", "Stage"]


class Stage(Enum):
    """Where a run stands."""

    IDLE = auto()
    ASKED = auto()
    """Our person has asked."""
    WANTED = auto()
    """The peer's person has asked."""
    COMMITTED = auto()
    """Guest: the commitment is sent."""
    AGREED = auto()
    """Host: both have asked; the commitment is due."""
    REPLIED = auto()
    """Host: its value is sent."""
    SHOWN = auto()
    """The code is there, and a person compares."""
    STOPPING = auto()
    """We have said STOP; the peer's answer is due."""


_UNDER_WAY = frozenset({Stage.COMMITTED, Stage.AGREED, Stage.REPLIED, Stage.SHOWN})


@dataclass(slots=True)
class Comparison:
    """The runs of one session. Methods return what is to be sent."""

    role: Direction
    session_id: bytes
    guest: Fingerprint
    host: Fingerprint
    stage: Stage = Stage.IDLE
    _again: bool = False
    """Whether our person has asked again while the last run was being stopped."""
    _own: bytes = field(default=b"", repr=False)
    _commitment: bytes = b""
    _code: ShortAuthenticationString | None = field(default=None, repr=False)

    @property
    def code(self) -> ShortAuthenticationString | None:
        """What a person has to compare; None unless the run stands at :attr:`Stage.SHOWN`."""
        return self._code if self.stage is Stage.SHOWN else None

    @property
    def under_way(self) -> bool:
        """Whether both persons have asked, and nobody has given up or decided yet."""
        return self.stage in _UNDER_WAY

    def ask(self) -> list[Payload]:
        """Our person wants to compare; does nothing where a run is under way."""
        match self.stage:
            case Stage.IDLE:
                self.stage = Stage.ASKED
                return [ComparisonAsk()]
            case Stage.WANTED:
                return [ComparisonAsk(), *self._begin()]
            case Stage.STOPPING:
                self._again = True
                return []
            case _:
                return []

    def stop(self, reason: StopReason) -> list[Payload]:
        """End a run, or a wish for one; nothing is sent where there is none."""
        self._again = False
        if self.stage in {Stage.IDLE, Stage.STOPPING}:
            return []
        return self._give_up(reason)

    def conclude(self) -> None:
        """Our person has compared: the run is over, and the peer's person decides by itself."""
        self._reset()

    def receive(self, payload: ComparisonAsk | ComparisonStep | ComparisonStop) -> list[Payload]:
        """Take a payload of the peer; raises ComparisonFailure where it does not open its commitment."""
        match payload:
            case ComparisonStop():
                return self._stopped()
            case _ if self.stage is Stage.STOPPING:
                return []
            case ComparisonAsk():
                return self._asked()
            case _:
                return self._step(payload)

    def _stopped(self) -> list[Payload]:
        answer: list[Payload] = [] if self.stage is Stage.STOPPING else [ComparisonStop(StopReason.DECLINED)]
        again = self._again
        self._reset()
        return [*answer, *(self.ask() if again else [])]

    def _asked(self) -> list[Payload]:
        match self.stage:
            case Stage.IDLE | Stage.SHOWN:
                self._reset()
                self.stage = Stage.WANTED
                return []
            case Stage.ASKED:
                return self._begin()
            case _:
                return self._give_up(StopReason.DECLINED)

    def _step(self, step: ComparisonStep) -> list[Payload]:
        match self.stage, step.kind:
            case Stage.AGREED, Kind.COMPARISON_COMMIT:
                return self._reply(step.value)
            case Stage.COMMITTED, Kind.COMPARISON_REPLY:
                return self._reveal(step.value)
            case Stage.REPLIED, Kind.COMPARISON_REVEAL:
                return self._check(step.value)
            case _:
                return self._give_up(StopReason.DECLINED)

    def _begin(self) -> list[Payload]:
        if self.role is Direction.HOST:
            self.stage = Stage.AGREED
            return []
        self._own = primitives.random_bytes(c.HASH_LENGTH)
        self.stage = Stage.COMMITTED
        return [ComparisonStep(Kind.COMPARISON_COMMIT, self._commit(self._own))]

    def _reply(self, commitment: bytes) -> list[Payload]:
        self._commitment = commitment
        self._own = primitives.random_bytes(c.HASH_LENGTH)
        self.stage = Stage.REPLIED
        return [ComparisonStep(Kind.COMPARISON_REPLY, self._own)]

    def _reveal(self, of_host: bytes) -> list[Payload]:
        of_guest = self._own
        self._show(of_guest, of_host)
        return [ComparisonStep(Kind.COMPARISON_REVEAL, of_guest)]

    def _check(self, of_guest: bytes) -> list[Payload]:
        if not primitives.equal(self._commit(of_guest), self._commitment):
            self._reset()
            raise ComparisonFailure("what was revealed is not what was committed to")
        self._show(of_guest, self._own)
        return []

    def _commit(self, of_guest: bytes) -> bytes:
        return hash_of(c.LABEL_COMPARISON_COMMIT, self.session_id, of_guest)

    def _show(self, of_guest: bytes, of_host: bytes) -> None:
        secret = hkdf_extract(self.session_id, of_guest + of_host)
        self._code = ShortAuthenticationString.of(
            hkdf_expand(secret, c.LABEL_COMPARISON_CODE, self.guest, self.host)
        )
        self.stage = Stage.SHOWN

    def _give_up(self, reason: StopReason) -> list[Payload]:
        self._reset()
        self.stage = Stage.STOPPING
        return [ComparisonStop(reason)]

    def _reset(self) -> None:
        self.stage, self._own, self._commitment, self._code = Stage.IDLE, b"", b"", None
        self._again = False
