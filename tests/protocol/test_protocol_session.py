"""An established session: pings, silence, goodbye and cut, what is delivered before an end, canaries."""

import math

import pytest
from protocol_peers import STANDINGS, Pair, Peer, flip, hello, pair_in, resume, split_frames

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.errors import LocalError
from securechat_tui.protocol.events import End, Ended, PayloadReceived, RoundTripMeasured
from securechat_tui.protocol.handshake import State
from securechat_tui.protocol.liveness import Pings
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    Empty,
    Goodbye,
    GoodbyeReason,
    Payload,
    Ping,
    Unsigned,
)


def message(number: int, content: bytes = b"\1text") -> Unsigned:
    return Unsigned(b"g" * 16, number, 0, content)


def quiet(peer: Peer) -> None:
    """Check that a session has nothing left to say or to wait for."""
    assert peer.session.closed
    assert peer.session.next_timeout() is None
    assert peer.session.data_to_send() == b""


def test_a_message_travels_both_ways() -> None:
    pair = Pair.open()
    for peer in pair.peers:
        peer.send(message(1))
        peer.send(message(2))
        pair.run()
        assert pair.other(peer).payloads == [message(1), message(2)]


def test_the_first_pings_follow_the_hellos_and_measure_the_way() -> None:
    pair = Pair.established()
    for peer in pair.peers:
        assert peer.session.next_timeout() == pair.clock.monotonic + 10.0
        peer.send(hello(peer))
    assert pair.deliver(pair.guest)
    assert pair.deliver(pair.host)
    pair.clock.advance(0.042)
    pair.run()
    assert [round(peer.one(RoundTripMeasured).seconds, 6) for peer in pair.peers] == [0.042, 0.042]
    assert [peer.payloads for peer in pair.peers] == [[hello_of(pair.host)], [hello_of(pair.guest)]]


@pytest.mark.parametrize("first", ["guest", "host"])
def test_who_answers_a_hello_pings_with_it(first: str) -> None:
    pair = Pair.established()
    greeting = pair.by_role(first)
    answering = pair.other(greeting)
    greeting.send(hello(greeting))
    assert pair.deliver(greeting)
    assert answering.session.next_timeout() == pair.clock.monotonic + 10.0
    answering.send(hello(answering))
    assert answering.session.next_timeout() == pair.clock.monotonic + 15.0
    pair.run()
    assert [len(peer.events_of(RoundTripMeasured)) for peer in pair.peers] == [1, 1]


def test_what_comes_while_the_pin_is_being_stored_is_taken_when_it_is() -> None:
    pair = pair_in("host", State.DECIDE_PIN)
    pair.guest.send(hello(pair.guest))
    pair.run()
    assert pair.host.payloads == []
    pair.host.answer_held()
    assert pair.host.payloads == [hello(pair.guest)]
    assert pair.host.session._pings.dead_at == pair.clock.monotonic + 45.0


def hello_of(peer: Peer) -> Payload:
    """The HELLO that was sent before the clock moved."""
    now, peer.clock.monotonic = peer.clock.monotonic, 1000.0
    said = hello(peer)
    peer.clock.monotonic = now
    return said


def test_a_ping_leaves_every_fifteen_seconds_and_the_answer_is_timed() -> None:
    pair = Pair.open()
    for _ in range(3):
        pair.clock.advance(15.0)
        for peer in pair.peers:
            assert peer.session.next_timeout() == pair.clock.monotonic
            peer.tick()
        pair.clock.advance(0.25)
        pair.run()
        for peer in pair.peers:
            assert peer.events_of(RoundTripMeasured)[-1].seconds == 0.25
            peer.session._pings.due = pair.clock.monotonic + 15.0
    assert [len(peer.events_of(RoundTripMeasured)) for peer in pair.peers] == [3, 3]


@pytest.mark.parametrize("token", [0, 2, 2**64 - 1])
def test_an_answer_to_no_question_measures_nothing(token: int) -> None:
    pair = Pair.open()
    pair.guest.smuggle(Ping(answer=True, token=token))
    pair.guest.smuggle(Ping(answer=True, token=1))
    pair.run()
    assert pair.host.seen == []


def test_a_ping_is_answered_with_its_token() -> None:
    pair = Pair.open()
    pair.guest.smuggle(Ping(answer=False, token=77))
    pair.guest.session._pings._token = 77
    pair.guest.session._pings._asked_at = pair.clock.monotonic
    pair.run()
    assert pair.guest.one(RoundTripMeasured).seconds == 0.0


def test_pings_bookkeeping() -> None:
    pings = Pings(10.0)
    assert pings.due == math.inf
    assert pings.answered(0, 10.5) is None, "nothing was asked yet"
    assert pings.dead_at == 55.0
    first, second = pings.ask(11.0), pings.ask(12.0)
    assert pings.answered(first, 13.0) is None
    assert pings.answered(second, 13.5) == 1.5
    assert pings.answered(second, 14.0) is None
    assert pings.due == 27.0
    pings.heard(20.0)
    assert pings.dead_at == 65.0


def test_a_peer_that_is_silent_for_45_seconds_is_gone() -> None:
    pair = Pair.open()
    pair.clock.advance(44.9)
    pair.guest.tick()
    assert pair.guest.ended is None
    pair.clock.advance(0.1)
    pair.guest.tick()
    assert pair.guest.one(Ended) == Ended(End.LOST, "nothing heard for 45 seconds")
    assert pair.guest.session.next_timeout() is None


def test_any_record_keeps_a_peer_alive() -> None:
    pair = Pair.open()
    pair.clock.advance(40.0)
    pair.guest.send(message(1))
    pair.run()
    assert pair.host.session._pings.dead_at == pair.clock.monotonic + 45.0
    pair.clock.advance(44.0)
    pair.host.tick()
    assert pair.host.ended is None


def test_a_peer_that_never_says_hello_is_gone_with_the_time_for_the_handshake() -> None:
    pair = Pair.established()
    pair.clock.advance(9.9)
    for peer in pair.peers:
        peer.tick()
        assert peer.ended is None
    pair.clock.advance(0.1)
    for peer in pair.peers:
        peer.tick()
        assert peer.one(Ended).how is End.HANDSHAKE


def test_a_timeout_that_comes_early_does_nothing() -> None:
    pair = Pair.open()
    for peer in pair.peers:
        assert peer.session.handle_timeout(pair.clock.now) == []
        assert peer.session.data_to_send() == b""


@pytest.mark.parametrize("reason", list(GoodbyeReason))
def test_a_goodbye_is_told_apart_from_a_cut(reason: GoodbyeReason) -> None:
    pair = Pair.open()
    pair.guest.send(message(1))
    pair.guest.absorb(pair.guest.session.goodbye(reason, pair.clock.now))
    assert pair.guest.one(Ended) == Ended(End.LEFT, reason.name)
    pair.run()
    assert pair.host.payloads == [message(1), Goodbye(reason)]
    assert pair.host.one(Ended) == Ended(End.GOODBYE, reason.name)
    assert pair.host.session.receive_eof(pair.clock.now) == []
    quiet(pair.guest)
    quiet(pair.host)
    assert pair.guest.session.goodbye(reason, pair.clock.now) == []


def test_a_cut_is_no_goodbye() -> None:
    pair = Pair.open()
    pair.guest.send(message(1))
    pair.guest.absorb(pair.guest.session.goodbye(GoodbyeReason.LEAVING, pair.clock.now))
    data = pair.guest.session.data_to_send()
    pair.host.feed(data[:-1])
    pair.host.absorb(pair.host.session.receive_eof(pair.clock.now))
    assert pair.host.payloads == [message(1)]
    assert pair.host.one(Ended) == Ended(End.LOST, "the connection was cut")


def test_a_goodbye_can_be_said_as_soon_as_hello_was() -> None:
    pair = Pair.established()
    pair.guest.send(hello(pair.guest))
    pair.guest.absorb(pair.guest.session.goodbye(GoodbyeReason.GATED, pair.clock.now))
    pair.run()
    assert pair.host.one(Ended) == Ended(End.GOODBYE, "GATED")


def test_a_rejection_says_goodbye_and_counts_as_the_peers_fault() -> None:
    pair = Pair.open()
    pair.guest.absorb(pair.guest.session.reject("number 7 twice", pair.clock.now))
    pair.run()
    assert pair.guest.one(Ended) == Ended(End.VIOLATION, "number 7 twice")
    assert pair.host.one(Ended) == Ended(End.GOODBYE, "REJECTED")
    assert pair.guest.session.reject("again", pair.clock.now) == []
    quiet(pair.guest)


def test_everything_after_the_end_is_ignored() -> None:
    pair = Pair.open()
    pair.guest.send(message(1))
    late = pair.guest.session.data_to_send()
    pair.host.absorb(pair.host.session.abort("enough"))
    session, now = pair.host.session, pair.clock.now
    assert session.receive(late, now) == []
    assert session.receive_eof(now) == []
    assert session.handle_timeout(now) == []
    assert session.signed(b"", now) == []
    assert session.goodbye(GoodbyeReason.LEAVING, now) == []
    assert session.reject("no", now) == []
    assert session.abort("no") == []
    with pytest.raises(LocalError):
        session.send(message(1), now)
    quiet(pair.host)


def test_what_came_before_a_bad_record_in_the_same_piece_is_delivered() -> None:
    pair = Pair.open()
    for number in (1, 2, 3):
        pair.guest.send(message(number))
    first, second, third = split_frames(pair.guest.session.data_to_send())
    pair.host.feed(first + second + flip(third, 100))
    assert pair.host.seen == [
        PayloadReceived(message(1)),
        PayloadReceived(message(2)),
        Ended(End.LOST, "record failure: does not open"),
    ]
    quiet(pair.host)


def test_what_comes_behind_a_goodbye_in_the_same_piece_is_not_delivered() -> None:
    pair = Pair.open()
    pair.guest.smuggle(Goodbye(GoodbyeReason.LEAVING))
    pair.guest.smuggle(message(1))
    pair.run()
    assert pair.host.payloads == [Goodbye(GoodbyeReason.LEAVING)]


def test_what_comes_behind_a_bad_frame_is_not_delivered() -> None:
    pair = Pair.open()
    pair.guest.send(message(1))
    pair.host.feed(b"X" + pair.guest.session.data_to_send())
    assert pair.host.one(Ended).how is End.LOST
    assert pair.host.payloads == []


def test_however_much_comes_behind_a_goodbye_is_not_looked_at() -> None:
    pair = Pair.open()
    pair.guest.smuggle(Goodbye(GoodbyeReason.LEAVING))
    pair.host.feed(pair.guest.session.data_to_send() + bytes(3 * c.RECORD_CAP))
    assert pair.host.one(Ended).how is End.GOODBYE


def test_a_record_reflected_to_its_author_does_not_open() -> None:
    pair = Pair.open()
    pair.guest.send(message(1))
    pair.guest.feed(pair.guest.session.data_to_send())
    assert pair.guest.one(Ended) == Ended(End.LOST, "record failure: does not open")


def test_a_record_of_another_session_does_not_open() -> None:
    one, other = Pair.open(), Pair.open()
    one.guest.send(message(1))
    other.host.feed(one.guest.session.data_to_send())
    assert other.host.one(Ended).how is End.LOST


@pytest.mark.parametrize("change", ["drop", "repeat", "swap"])
def test_records_dropped_repeated_or_swapped_end_the_session(change: str) -> None:
    pair = Pair.open()
    for number in (1, 2, 3):
        pair.guest.send(message(number))
    one, two, three = split_frames(pair.guest.session.data_to_send())
    arriving = {"drop": [one, three], "repeat": [one, one, two], "swap": [one, three, two]}[change]
    pair.host.feed(b"".join(arriving))
    assert pair.host.payloads == [message(1)]
    assert pair.host.one(Ended) == Ended(End.LOST, "record failure: does not open")


def test_the_sessions_own_payloads_are_not_passed_on() -> None:
    pair = Pair.open()
    pair.guest.send(Empty())
    pair.guest.send(Ping(answer=False, token=3))
    pair.guest.send(ComparisonAsk())
    pair.run()
    assert pair.host.payloads == [ComparisonAsk()]


def test_a_payload_that_is_too_long_for_a_record_is_refused_and_the_session_stands() -> None:
    pair = Pair.open()
    with pytest.raises(LocalError):
        pair.guest.send(message(1, bytes(70_000)))
    pair.guest.send(message(1))
    pair.run()
    assert pair.host.payloads == [message(1)]


def test_both_know_the_session_by_one_id() -> None:
    pair = Pair.open()
    assert pair.guest.session.session_id == pair.host.session.session_id
    assert len(pair.guest.session.session_id) == 32


def test_a_resume_passes_on_what_it_says() -> None:
    pair = Pair.greeted()
    pair.host.send(resume(pair))
    pair.run()
    assert pair.guest.payloads[-1] == resume(pair)


def test_the_inner_layer_is_not_there_before_the_handshake() -> None:
    with pytest.raises(LocalError):
        Pair.connect().guest.session._established()


def parts_of(thing: object) -> list[object]:
    """Return the objects that hang from one, without the bytes that its repr does not show."""
    names = getattr(thing, "__slots__", None) or vars(thing)
    held = [getattr(thing, name) for name in names]
    return [one for one in held if type(one) not in (type(None), bytes, int, str, tuple, list)]


def objects_of(peer: Peer) -> list[object]:
    """Return a session and what it is made of, down to the chains and keys, and all its events."""
    layer = peer.records
    inner = [peer.session, peer.remembered, layer, peer.remembered.master, layer._sender, layer._receiver]
    return [*peer.seen, *inner, *(part for one in inner for part in parts_of(one))]


def test_no_secret_shows_in_the_repr_of_any_event_or_object() -> None:
    canary = b"\1CANARY"
    pair = pair_in("host", State.COMPLETE)
    machine = pair.guest.remembered
    for peer in pair.peers:
        peer.holding = ()
        peer.send(hello(peer))
    pair.run()
    for peer in pair.peers:
        peer.send(resume(pair))
    pair.run()
    pair.guest.send(message(1, canary))
    pair.clock.advance(11)
    pair.guest.records.budget._records = 1_000_000
    pair.guest.tick()
    pair.run()
    assert pair.host.session.epoch == 1
    master = machine.master
    secrets = {
        "message": canary,
        "reconnect": master.reconnect_secret(),
        "root": master.root,
        "new root": pair.guest.records._root,
        "exporter": master.exporter,
        "fins": master.fin_guest,
        "fallback": pair.host.one(events.UnwrapNeeded).fallback,
        "contribution": vars(machine)["_contribution"],
        "kem": vars(machine)["_secrets"][0],
        "chain": pair.guest.records._sender.chain.key,
    }
    shown = "".join(repr(one) for peer in pair.peers for one in objects_of(peer))
    for name in ("Authenticated(", "UnwrapNeeded(", "Unsigned(", "Master", "HandshakeKeys", "Chain"):
        assert name in shown
    for name, secret in secrets.items():
        assert repr(secret)[2:-1] not in shown, name
        assert secret.hex() not in shown, name


def test_no_event_quotes_a_secret_when_a_handshake_fails() -> None:
    for role, state in STANDINGS:
        subject = pair_in(role, state).by_role(role)
        subject.feed(b"?")
        subject.tick()
        if subject.ended:
            assert subject.ended.detail == "frame refused: this type has no place here"
