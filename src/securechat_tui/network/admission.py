"""Who may begin a handshake: bounded places, so that nobody shuts out the others.

Theory of operation. A handshake that is not finished costs memory and signatures, so there are
few places. Callers are told apart by *origin*: an IPv4 address, an IPv6 /64 (one machine owns a
whole one), or the loopback as one origin.

* One origin holds at most a few places and is admitted at most so often a minute.
* The loopback is exempt from both: everyone who comes through an SSH tunnel or a relay on this
  machine looks like 127.0.0.1, so one bad guest must not use up the allowance of all. Only the
  total binds it.
* When every place is taken, the oldest one of the origin that holds most gives way to a newcomer
  of another origin. Among loopback guests it gives way too, once it has had its fair time: a real
  guest needs a fraction of that, a peer of one byte a second never gets done.

Refused callers cost one closed socket. Pure: the time is an argument.
"""

import ipaddress
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from securechat_tui.network.addresses import Address

__all__ = ["LOOPBACK", "Admission", "Limits", "origin_of"]

Holder = TypeVar("Holder", bound=Hashable)

LOOPBACK = "loopback"
MINUTE = 60.0
MAX_REMEMBERED_ORIGINS = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the listener gives to callers who have not proved who they are."""

    unfinished: int = 16
    """Handshakes under way at once, all origins together."""
    unfinished_per_origin: int = 4
    accepted_per_minute: int = 30
    """For one origin."""
    loopback_fair_time: float = 3.0
    """Seconds after which a loopback caller gives way to another loopback caller."""
    pause: float = 1.0
    """Seconds without accepting when the system is out of sockets or memory."""


@dataclass(frozen=True, slots=True)
class _Place:
    origin: str
    since: float


def origin_of(peer: Address) -> str:
    """Name the group of callers that ``peer`` is counted with; ``peer`` must be numeric."""
    if peer.is_loopback:
        return LOOPBACK
    number = ipaddress.ip_address(peer.host)
    if isinstance(number, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(number) >> 64 << 64, 64)))
    return str(number)


class Admission(Generic[Holder]):
    """The places of unfinished handshakes; ``drop`` is told whom to disconnect for a newcomer."""

    def __init__(self, limits: Limits, drop: Callable[[Holder], None]) -> None:
        self._limits = limits
        self._drop = drop
        self._places: dict[Holder, _Place] = {}
        self._arrivals: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def holders(self) -> tuple[Holder, ...]:
        """Those whose handshake is under way, the oldest first."""
        return tuple(self._places)

    def admits(self, origin: str, now: float) -> bool:
        """Whether a caller from ``origin`` may begin; makes room for it where the rules say so."""
        if origin != LOOPBACK and not self._is_moderate(origin, now):
            return False
        if len(self._places) < self._limits.unfinished:
            return True
        victim = self._give_way(origin, now)
        if victim is None:
            return False
        self.leave(victim)
        self._drop(victim)
        return True

    def enter(self, holder: Holder, origin: str, now: float) -> None:
        """Give ``holder`` its place; call it right after :meth:`admits` has said yes."""
        self._places[holder] = _Place(origin, now)
        if origin != LOOPBACK:
            self._remember(origin, now)

    def leave(self, holder: Holder) -> None:
        """Take the place back: the handshake is finished or over. Harmless when repeated."""
        self._places.pop(holder, None)

    def _is_moderate(self, origin: str, now: float) -> bool:
        held = sum(place.origin == origin for place in self._places.values())
        if held >= self._limits.unfinished_per_origin:
            return False
        arrivals = self._arrivals.get(origin)
        if arrivals is None or len(arrivals) < self._limits.accepted_per_minute:
            return True
        return now - arrivals[0] >= MINUTE

    def _remember(self, origin: str, now: float) -> None:
        arrivals = self._arrivals.setdefault(origin, deque(maxlen=self._limits.accepted_per_minute))
        arrivals.append(now)
        self._arrivals.move_to_end(origin)
        if len(self._arrivals) > MAX_REMEMBERED_ORIGINS:
            self._arrivals.popitem(last=False)

    def _give_way(self, newcomer: str, now: float) -> Holder | None:
        """Choose who leaves for ``newcomer``, if anyone has to."""
        held = Counter(place.origin for place in self._places.values())
        most = max(held.values())
        for holder, place in self._places.items():  # insertion order: the oldest comes first
            if held[place.origin] == most and self._yields(place, newcomer, now):
                return holder
        return None

    def _yields(self, place: _Place, newcomer: str, now: float) -> bool:
        if place.origin != newcomer:
            return True
        return newcomer == LOOPBACK and now - place.since >= self._limits.loopback_fair_time
