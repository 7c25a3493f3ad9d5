"""Everybody who takes part, by name; and how their figures are taken."""

import asyncio
import statistics
import time
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from bench import buffered, certificates, channel, noise_xx, olm, ours, records, signed, streams
from bench.channel import Open
from bench.classic import ClassicGuest
from bench.measure import Figures
from bench.peer import Peer, Peers
from securechat_tui.protocol.identity import IdentityKey

T = TypeVar("T")

RAW = "raw streams"
TLS_ONE = "TLS, one write each"
TLS = "TLS"
TLS_BUFFERED = "TLS without streams"
NOISE = "Noise XX"
OLM = "Olm"
RECORDS = "our record layer"
OURS = "ours"
CLASSIC = "classic"
NO_DELAY = "classic + TCP_NODELAY"

RATE, CPU = "messages/s", "CPU us each"
HANDSHAKE = "ms"
HANDSHAKES = 5
"""In each sample: one alone is too short to measure what the processors did."""
P50, P99 = "p50 us", "p99 us"


@dataclass(frozen=True, slots=True)
class Contestant:
    """Somebody on asyncio, and the peer at the other end."""

    peer: Peer
    open: Open


class Field(ExitStack):
    """The contestants, their peers, and the one event loop on this side."""

    def __init__(self) -> None:
        super().__init__()
        self.peers = self.enter_context(Peers())
        self.runner = self.enter_context(asyncio.Runner())
        self._key = IdentityKey.generate(3072)
        for name in ("host", "guest"):
            certificates.certify(self.peers.folder, name)
        self._context = certificates.context(self.peers.folder, "guest", "host")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out a coroutine."""
        return self.runner.run(work)

    def streams(self) -> dict[str, Contestant]:
        """Return those without a protection of their own, and TLS."""
        raw, tls = self.peers.start("streams.serve_raw"), self.peers.start("streams.serve_tls")
        tight = self.peers.start("buffered.serve_tls")
        secure = partial(streams.connect, tls.port, context=self._context)
        return {
            RAW: Contestant(raw, partial(streams.connect, raw.port, coalesced=True)),
            TLS_ONE: Contestant(tls, partial(secure, coalesced=False)),
            TLS: Contestant(tls, partial(secure, coalesced=True)),
            TLS_BUFFERED: Contestant(
                tight, partial(buffered.connect, tight.port, coalesced=True, context=self._context)
            ),
        }

    def others(self) -> dict[str, Contestant]:
        """Return Noise and Olm."""
        noise, double = self.peers.start("noise_xx.serve"), self.peers.start("olm.serve")
        return {
            NOISE: Contestant(noise, partial(noise_xx.connect, noise.port)),
            OLM: Contestant(double, partial(olm.connect, double.port)),
        }

    def record_layer(self) -> Contestant:
        """Return our record layer alone."""
        peer = self.peers.start("records.serve")
        return Contestant(peer, partial(records.connect, peer.port))

    def ours(self) -> Contestant:
        """Return our session, messages unsigned."""
        peer = self.peers.start("ours.serve")
        return Contestant(peer, partial(ours.connect, peer.port, partial(ours.OurChannel, self._key)))

    def signed(self) -> Contestant:
        """Return our session, messages signed."""
        peer = self.peers.start("signed.serve")
        return Contestant(peer, partial(ours.connect, peer.port, partial(signed.SignedChannel, self._key)))

    def classic(self) -> dict[str, tuple[Peer, ClassicGuest]]:
        """Return the ancestors' protocol, without and with TCP_NODELAY."""
        plain, quick = self.peers.start("classic.serve"), self.peers.start("classic.serve_no_delay")
        return {
            CLASSIC: (plain, ClassicGuest(plain.port, no_delay=False)),
            NO_DELAY: (quick, ClassicGuest(quick.port, no_delay=True)),
        }

    def flood(self, one: Contestant, size: int, count: int, burst: int) -> Figures:
        """Return the rate of messages sent in bursts."""
        return costed(one.peer, count, lambda: {RATE: self.run(channel.flood(one.open, size, count, burst))})

    def round_trips(self, one: Contestant, size: int, count: int) -> Figures:
        """Return how long answers take."""
        return costed(
            one.peer, count, lambda: percentiles(self.run(channel.round_trips(one.open, size, count)))
        )

    def handshakes(self, one: Contestant) -> Figures:
        """Return the middle one of some handshakes."""
        return costed(one.peer, HANDSHAKES, lambda: middle(lambda: self.run(channel.handshake(one.open))))


def classic_flood(peer: Peer, guest: ClassicGuest, size: int, count: int) -> Figures:
    """Return the rate of messages, which are sent one by one."""
    return costed(peer, count, lambda: {RATE: guest.flood(size, count)})


def classic_round_trips(peer: Peer, guest: ClassicGuest, size: int, count: int) -> Figures:
    """Return how long answers take."""
    return costed(peer, count, lambda: percentiles(guest.round_trips(size, count)))


def classic_handshakes(peer: Peer, guest: ClassicGuest) -> Figures:
    """Return the middle one of some handshakes."""
    return costed(peer, HANDSHAKES, lambda: middle(guest.handshake))


def costed(peer: Peer, count: int, work: Callable[[], Figures]) -> Figures:
    """Do something ``count`` times; return its figures and the processor time of both sides for each."""
    used = time.process_time() + peer.cpu_seconds()
    figures = work()
    used = time.process_time() + peer.cpu_seconds() - used
    return {**figures, CPU: used / count * 1e6}


def middle(work: Callable[[], float]) -> Figures:
    """Return the middle one of some handshakes."""
    return {HANDSHAKE: statistics.median(work() for _ in range(HANDSHAKES)) * 1e3}


def percentiles(seconds: list[float]) -> Figures:
    """Return the middle and the slowest but one in a hundred of many round trips."""
    times = sorted(seconds)
    return {P50: times[len(times) // 2] * 1e6, P99: times[len(times) * 99 // 100] * 1e6}
