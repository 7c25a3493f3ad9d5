"""When to ping, when a peer counts as dead, when to rekey: bookkeeping without a clock."""

import math

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import RekeyFailure


class Pings:
    """One question at a time; its answer gives the round trip. ``due`` is infinite before the first."""

    __slots__ = ("_asked_at", "_heard", "_token", "due")

    def __init__(self, now: float) -> None:
        self.due = math.inf
        self._heard = now
        self._token = 0
        self._asked_at: float | None = None

    def ask(self, now: float) -> int:
        """Return the token of a new question."""
        self.due = now + c.PING_SECONDS
        self._token += 1
        self._asked_at = now
        return self._token

    def answered(self, token: int, now: float) -> float | None:
        """Return the round trip in seconds; None for an answer to no open question."""
        if self._asked_at is None or token != self._token:
            return None
        seconds, self._asked_at = now - self._asked_at, None
        return seconds

    def heard(self, now: float) -> None:
        """Note that a record of the peer has opened."""
        self._heard = now

    @property
    def dead_at(self) -> float:
        """The moment from which silence means that the peer is gone."""
        return self._heard + c.DEAD_PEER_SECONDS


class RekeyBudget:
    """What has been used since the last rekey, and what that allows or demands."""

    __slots__ = ("_completed", "_records", "_signatures", "_started")

    def __init__(self, now: float) -> None:
        self._started = now
        self.completed(now)

    def completed(self, now: float) -> None:
        """Begin anew: a rekey is complete."""
        self._completed = now
        self._records = 0
        self._signatures = 0

    def record(self, *, signature: bool) -> None:
        """Count a record of either direction."""
        self._records += 1
        self._signatures += signature

    @property
    def due(self) -> float:
        """The moment at which the guest starts a rekey."""
        if self._records >= c.REKEY_RECORDS:
            return self._completed
        pause = c.REKEY_PAUSE_SECONDS if self._signatures >= c.REKEY_SIGNATURES else c.REKEY_SECONDS
        return self._completed + pause

    @property
    def overdue(self) -> float:
        """The moment at which a side gives up on a peer that does not do its part of a rekey."""
        return self._completed + (0.0 if self._records >= c.REKEY_MAX_RECORDS else c.REKEY_MAX_SECONDS)

    def started(self, now: float) -> None:
        """Host: note that the guest starts a rekey; raises :class:`RekeyFailure` right after another.

        Measured from start to start: the end of the last one and the start of the next may come
        together, held up on the way.
        """
        if now - self._started < c.REKEY_MIN_SECONDS:
            raise RekeyFailure("too soon after the last one")
        self._started = now
