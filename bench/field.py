"""Everybody who takes part, by name; and how their figures are taken."""

import asyncio
import time
from collections.abc import Coroutine
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
        """Return the rate of messages sent in bursts, and what each costs both processors."""
        used = self._used(one.peer)
        rate = self.run(channel.flood(one.open, size, count, burst))
        return {RATE: rate, CPU: (self._used(one.peer) - used) / count * 1e6}

    def classic_flood(self, pair: tuple[Peer, ClassicGuest], size: int, count: int) -> Figures:
        """Do the same for the classic protocol, which sends one by one."""
        peer, guest = pair
        used = self._used(peer)
        rate = guest.flood(size, count)
        return {RATE: rate, CPU: (self._used(peer) - used) / count * 1e6}

    @staticmethod
    def _used(peer: Peer) -> float:
        return time.process_time() + peer.cpu_seconds()


def percentiles(seconds: list[float]) -> Figures:
    """Return the middle and the slowest but one in a hundred of many round trips."""
    times = sorted(seconds)
    return {P50: times[len(times) // 2] * 1e6, P99: times[len(times) * 99 // 100] * 1e6}
