"""No oracle in the unwrapping of the guest's contribution."""

from collections.abc import Callable

import pytest
from protocol_peers import (
    Pair,
    Peer,
    guest_machine,
    identity_key,
    pair_in,
)

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events, keyschedule
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.handshake import State
from securechat_tui.protocol.identity import PublicIdentity


def failed(peer: Peer, how: End = End.HANDSHAKE) -> bool:
    """Tell whether a session has ended so, and nothing is left to be written."""
    return peer.ended is not None and peer.ended.how is how and peer.session.data_to_send() == b""


def wrap_as(wrapper: Callable[[PublicIdentity, bytes, bytes], bytes]) -> Pair:
    """Return a pair, run to the end, whose guest wraps its contribution in its own way."""
    pair = pair_in("guest", State.DECIDE_PEER)
    for peer in pair.peers:
        peer.holding = ()
    guest = guest_machine(pair.guest)
    honest = guest.peer

    class Wrapper(PublicIdentity):
        __slots__ = ()

        def wrap(self, secret: bytes, label: bytes) -> bytes:
            return wrapper(honest, secret, label)

    guest.peer = Wrapper(honest.spki)
    pair.guest.answer_held()
    pair.run()
    return pair


WRAPPERS: dict[str, Callable[[PublicIdentity, bytes, bytes], bytes]] = {
    "wrong label": lambda host, secret, label: host.wrap(secret, label + b"!"),
    "no label": lambda host, secret, _: host.wrap(secret, b""),
    "wrong key": lambda _, secret, label: identity_key("carol").public.wrap(secret, label),
    "garbage": lambda _host, _secret, _label: b"\x17" * 384,
    "zeros": lambda _host, _secret, _label: bytes(384),
    "above the modulus": lambda _host, _secret, _label: b"\xff" * 384,
    "empty": lambda _host, _secret, _label: b"",
    "too long": lambda host, secret, label: b"\0" * 128 + host.wrap(secret, label),
    "short content": lambda host, secret, label: host.wrap(secret[:-1], label),
    "long content": lambda host, secret, label: host.wrap(secret + b"!", label),
    "empty content": lambda host, _, label: host.wrap(b"", label),
    "other content": lambda host, _, label: host.wrap(bytes(32), label),
}


def outward(pair: Pair) -> tuple[list[int], Ended | None, list[str]]:
    """Return what an observer, and the local log, can know of a host's handshake."""
    seen = [type(event).__name__ for event in pair.host.seen]
    return [len(one) for one in pair.wire["host"]], pair.host.ended, seen


@pytest.mark.parametrize("name", list(WRAPPERS))
def test_a_contribution_that_does_not_open_fails_at_fin_alone(name: str) -> None:
    pair = wrap_as(WRAPPERS[name])
    assert pair.host.one(events.GuestIdentified).identity == pair.guest.key.public
    (key, fin) = pair.wire["host"]
    assert (key[0], fin[0], len(fin)) == (FrameType.KEY, FrameType.FIN, 5 + c.FIN_LENGTH)
    assert failed(pair.guest)
    assert pair.host.state is State.AWAIT_FIN
    assert pair.host.ended is None


@pytest.mark.parametrize("name", list(WRAPPERS))
def test_a_contribution_that_does_not_open_looks_like_a_wrong_fin(name: str) -> None:
    forged = wrap_as(WRAPPERS[name])
    honest = pair_in("host", State.AWAIT_FIN)
    honest.deliver(honest.host)
    for pair in (forged, honest):
        pair.host.feed(frame(FrameType.FIN, b"\x2a" * c.FIN_LENGTH))
        pair.collect(pair.host)
        assert pair.written["host"] == b""
    assert outward(forged) == outward(honest)
    assert forged.host.ended == Ended(End.HANDSHAKE, "handshake failure: FIN")


def test_the_fallback_is_random_and_drawn_before_the_attempt() -> None:
    fallbacks = {pair_in("host", State.UNWRAP).host.one(events.UnwrapNeeded).fallback for _ in range(3)}
    assert len(fallbacks) == 3
    assert {len(fallback) for fallback in fallbacks} == {c.CONTRIBUTION_LENGTH}


def test_the_oaep_label_is_bound_to_the_transcript() -> None:
    one, other = (pair_in("host", State.UNWRAP).host.one(events.UnwrapNeeded) for _ in range(2))
    assert one.label != other.label
    assert keyschedule.oaep_label(b"t" * 32) != keyschedule.oaep_label(b"u" * 32)
