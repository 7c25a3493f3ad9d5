"""Properties of whole sessions: any chunks, any walk, any bytes."""

from collections.abc import Callable, Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_peers import QUESTIONS, STANDINGS, Pair, Peer, hello, pair_in, resume

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.events import Ended, PayloadReceived, Rekeyed, SessionEvent
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.handshake import State
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Goodbye,
    GoodbyeReason,
    Payload,
    Signature,
    Unsigned,
)

BETWEEN = settings(deadline=None, max_examples=40)


def dice(seed: int) -> Random:
    """Return a generator whose choices Hypothesis can repeat."""
    return Random(seed)  # noqa: S311 - no secret is made of it


def cut(data: bytes, random: Random) -> Iterator[bytes]:
    """Cut bytes into pieces of every kind of size."""
    while data:
        size = random.choice((1, 2, 5, 17, 300, 5000, 100_000))
        yield data[:size]
        data = data[size:]


def conversation(random: Random | None) -> tuple[list[type[SessionEvent]], ...]:
    """Run one whole session with fixed content; return the types of both sides' events."""
    pair = Pair.connect()
    if random is not None:
        pair.chunks = lambda data: cut(data, random)
    pair.run()
    for make in (hello, lambda _: resume(pair)):
        for peer in pair.peers:
            peer.send(make(peer))
        pair.run()
    for number in range(1, 4):
        for peer in pair.peers:
            peer.send(message(number, 20_000))
    pair.clock.advance(11)
    pair.guest.records.budget._records = c.REKEY_RECORDS
    pair.guest.tick()
    pair.run()
    pair.host.absorb(pair.host.session.goodbye(GoodbyeReason.LEAVING, pair.clock.now))
    pair.run()
    return tuple([type(event) for event in peer.seen] for peer in pair.peers)


def message(number: int, length: int = 4) -> Unsigned:
    return Unsigned(b"g" * 16, number, 0, b"\1" + b"x" * length)


IN_ONE_PIECE = conversation(None)


@BETWEEN
@given(st.integers(0, 2**32))
def test_the_events_are_the_same_whatever_the_chunks(seed: int) -> None:
    assert conversation(dice(seed)) == IN_ONE_PIECE


def test_the_conversation_of_that_property_is_a_whole_one() -> None:
    guest, host = IN_ONE_PIECE
    assert guest[-1] is host[-1] is Ended
    assert Rekeyed in guest
    assert Rekeyed in host
    assert guest.count(PayloadReceived) == 1 + 1 + 3 + 1
    assert host.count(PayloadReceived) == 1 + 1 + 3


class Walk:
    """Two peers that do things in any order, and the lists of what each has said: the oracle."""

    def __init__(self, random: Random) -> None:
        self.pair = Pair.open()
        self.pair.chunks = lambda data: cut(data, random)
        self.random = random
        self.said: dict[str, list[Payload]] = {"guest": [], "host": []}

    def say(self, role: str, payload: Payload) -> None:
        self.pair.by_role(role).send(payload)
        self.said[role].append(payload)

    def act(self, action: str, role: str, size: int) -> None:
        peer = self.pair.by_role(role)
        acts: dict[str, Callable[[], None]] = {
            "message": lambda: self.say(role, message(len(self.said[role]), size)),
            "signature": lambda: self.say(
                role, Signature(1, b"r" * 32, len(self.said[role]).to_bytes(4, "big"))
            ),
            "acknowledge": lambda: self.say(role, Acknowledgement(b"g" * 16, size, b"h" * 32)),
            "deliver": lambda: self.deliver(peer),
            "wait": self.wait,
            "rekey": self.rekey,
            "sign slowly": lambda: self.sign_slowly(peer),
            "sign": lambda: self.sign(peer),
        }
        acts[action]()

    def deliver(self, peer: Peer) -> None:
        self.pair.deliver(peer)

    def sign_slowly(self, peer: Peer) -> None:
        peer.holding = (events.SignatureNeeded,)

    def wait(self) -> None:
        self.pair.clock.advance(5)
        for peer in self.pair.peers:
            peer.tick()
        self.pair.run()

    def rekey(self) -> None:
        self.pair.clock.advance(2)
        self.pair.guest.records.budget._records = c.REKEY_RECORDS
        self.pair.guest.tick()

    def sign(self, peer: Peer) -> None:
        peer.holding = ()
        while peer.held:
            peer.answer_held()

    def finish(self) -> None:
        for peer in self.pair.peers:
            self.sign(peer)
        self.pair.run()
        for peer in self.pair.peers:
            assert peer.ended is None
            assert peer.payloads == self.said[self.pair.role_of(self.pair.other(peer))]
            seen = [event.epoch for event in peer.events_of(Rekeyed)]
            assert seen == [*range(1, len(seen) + 1)]
        guest, host = (peer.records for peer in self.pair.peers)
        assert (guest.epoch, guest._root) == (host.epoch, host._root)
        assert guest._sender.sequence == host._receiver.sequence
        assert host._sender.sequence == guest._receiver.sequence


ACTIONS = ["message", "message", "signature", "acknowledge", "deliver", "deliver", "wait"]
ACTIONS += ["rekey", "rekey", "sign slowly", "sign"]
steps = st.tuples(
    st.sampled_from(ACTIONS), st.sampled_from(["guest", "host"]), st.sampled_from([0, 1, 240, 2000, 32768])
)


@settings(deadline=None, max_examples=80)
@given(st.lists(steps, max_size=40), st.integers(0, 2**32))
def test_what_is_said_arrives_once_and_in_order_whatever_happens_between(
    actions: list[tuple[str, str, int]], seed: int
) -> None:
    walk = Walk(dice(seed))
    for action in actions:
        walk.act(*action)
    walk.finish()


seeds = st.integers(0, 2**32)
garbage = st.binary(max_size=200)
some_frames = st.builds(frame, st.sampled_from(FrameType), st.binary(max_size=100))
FULL_LENGTHS = [
    *((FrameType.KEY, 1283), (FrameType.KEY, c.K2_LENGTH), (FrameType.SESSION, c.S_LENGTH)),
    *((FrameType.FIN, c.FIN_LENGTH), (FrameType.RECORD, 276), (FrameType.RECORD, 1044), (FrameType.HINT, 4)),
]
full_frames = st.builds(
    lambda kind, seed: frame(kind[0], dice(seed).randbytes(kind[1])), st.sampled_from(FULL_LENGTHS), seeds
)
k1_frames = seeds.map(
    lambda seed: frame(FrameType.KEY, b"\1\0\1" + dice(seed).randbytes(32) + bytes(1184 + 64))
)


@pytest.mark.parametrize(("role", "state"), STANDINGS)
@settings(deadline=None, max_examples=15)
@given(pieces=st.lists(garbage | some_frames | full_frames | k1_frames, min_size=1, max_size=4))
def test_no_bytes_raise_in_any_state(role: str, state: State, pieces: list[bytes]) -> None:
    pair = pair_in(role, state)
    subject = pair.by_role(role)
    before = len(subject.seen)
    for piece in pieces:
        subject.feed(piece)
        while subject.held:
            subject.answer_held()
    for event in subject.seen[before:]:
        assert isinstance(event, (Ended, *QUESTIONS))
        assert not isinstance(event, events.Authenticated) or state is State.DECIDE_PIN
    if subject.ended is not None:
        assert subject.session.receive(b"more", pair.clock.now) == []


smuggled = garbage | st.builds(lambda kind, rest: bytes((kind,)) + rest, st.integers(0, 20), garbage)


@pytest.mark.parametrize("stage", ["established", "greeted", "open"])
@pytest.mark.parametrize("role", ["guest", "host"])
@settings(deadline=None, max_examples=25)
@given(payloads=st.lists(smuggled, min_size=1, max_size=5))
def test_no_payload_of_an_authenticated_peer_raises(stage: str, role: str, payloads: list[bytes]) -> None:
    pair = {"established": Pair.established, "greeted": Pair.greeted, "open": Pair.open}[stage]()
    liar = pair.by_role(role)
    for payload in payloads:
        liar.smuggle(payload)
    pair.run()
    victim = pair.other(liar)
    assert not any(isinstance(event, Ended) for event in victim.seen[:-1])
    assert not any(isinstance(payload, Goodbye) for payload in victim.payloads[:-1])
    assert victim.ended is None or victim.session.next_timeout() is None
