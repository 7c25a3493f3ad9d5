"""Brings two peers to every stage of a rekey."""

import math

from protocol_peers import Pair, Peer

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.events import End
from securechat_tui.protocol.payloads import (
    RekeyFirst,
    RekeySecond,
    Signature,
    Unsigned,
)


def message(number: int) -> Unsigned:
    return Unsigned(b"g" * 16, number, 0, b"\1text")


def signature() -> Signature:
    return Signature(1, b"r" * 32, b"s" * 384)


def settle(pair: Pair, seconds: float = 11.0) -> None:
    """Let time pass without letting either side see it."""
    pair.clock.advance(seconds)
    for peer in pair.peers:
        peer.session._pings.heard(pair.clock.monotonic)
        peer.session._pings.due = math.inf


def spend(peer: Peer, records: int = c.REKEY_RECORDS) -> None:
    peer.records.budget._records = records


def begin(pair: Pair) -> None:
    """Have the guest start a rekey because of its records."""
    spend(pair.guest)
    pair.guest.tick()


def rekeyed(pair: Pair) -> None:
    """Carry out one whole rekey."""
    settle(pair)
    begin(pair)
    pair.run()


def epochs(pair: Pair) -> list[int]:
    return [peer.session.epoch for peer in pair.peers]


def ended_by(peer: Peer, reason: str, how: End = End.VIOLATION) -> None:
    assert peer.ended is not None
    assert peer.ended.how is how
    assert reason in peer.ended.detail


def first_half(pair: Pair) -> RekeyFirst:
    """Let the guest begin, and take its half from the wire instead of delivering it."""
    settle(pair)
    pair.guest.holding = (events.SignatureNeeded,)
    begin(pair)
    (needed,) = pair.guest.held
    assert isinstance(needed, events.SignatureNeeded)
    return pair.guest.records.first(pair.guest.key.sign(needed.message))


def second_half(pair: Pair) -> RekeySecond:
    """Let the host come to its half, and take it instead of sending it."""
    settle(pair)
    pair.host.holding = (events.SignatureNeeded,)
    begin(pair)
    pair.run()
    (needed,) = pair.host.held
    assert isinstance(needed, events.SignatureNeeded)
    assert pair.host.records._host_rekey is not None
    return pair.host.records._host_rekey.second(pair.host.key.sign(needed.message))
