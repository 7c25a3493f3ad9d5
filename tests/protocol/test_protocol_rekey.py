"""Rekeying: when, by whom, bound to what; and that a stolen root heals."""

import math
from dataclasses import replace

import pytest
from low_order import LOW_ORDER_ENCODINGS
from protocol_peers import Pair, Peer, flip, hello, identity_key
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events, rekey
from securechat_tui.protocol.errors import LocalError, RecordFailure, RekeyFailure
from securechat_tui.protocol.events import End, Rekeyed
from securechat_tui.protocol.liveness import RekeyBudget
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Payload,
    Ping,
    RekeyFirst,
    RekeySecond,
    Signature,
    Unsigned,
)
from securechat_tui.protocol.records import Chain, Direction, Receiver


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


def ended_by(peer: Peer, reason: str) -> None:
    assert peer.ended is not None
    assert peer.ended.how is End.VIOLATION
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


def test_a_rekey_brings_both_sides_to_the_same_new_epoch_and_root() -> None:
    pair = Pair.open()
    roots = {pair.guest.records._root}
    for epoch in (1, 2, 3):
        rekeyed(pair)
        assert epochs(pair) == [epoch, epoch]
        assert pair.guest.records._root == pair.host.records._root
        roots.add(pair.guest.records._root)
        assert not pair.guest.records.rekeying
        assert not pair.host.records.rekeying
    assert len(roots) == 4
    for peer in pair.peers:
        assert peer.events_of(Rekeyed) == [Rekeyed(1), Rekeyed(2), Rekeyed(3)]


def test_after_a_rekey_content_flows_both_ways() -> None:
    pair = Pair.open()
    rekeyed(pair)
    pair.guest.send(message(1))
    pair.host.send(message(2))
    pair.run()
    assert pair.host.payloads == [message(1)]
    assert pair.guest.payloads == [message(2)]


def test_fifty_signatures_of_either_side_start_a_rekey_but_not_before_ten_seconds() -> None:
    pair = Pair.open()
    for _ in range(25):
        pair.guest.send(signature())
        pair.host.send(signature())
        pair.run()
        assert epochs(pair) == [0, 0]
    budget = pair.guest.records.budget
    started = pair.clock.monotonic
    assert budget.due == started + 10.0
    pair.clock.advance(9.9)
    pair.guest.tick()
    assert not pair.guest.events_of(events.SignatureNeeded)
    pair.clock.advance(0.1)
    assert pair.guest.session.next_timeout() == pair.clock.monotonic
    pair.guest.tick()
    pair.run()
    assert epochs(pair) == [1, 1]
    assert budget.due == pair.clock.monotonic + 600.0


def test_forty_nine_signatures_start_none() -> None:
    pair = Pair.open()
    for _ in range(49):
        pair.guest.send(signature())
    pair.run()
    settle(pair, 20)
    pair.guest.tick()
    pair.run()
    assert epochs(pair) == [0, 0]


def test_ten_minutes_without_traffic_start_a_rekey() -> None:
    pair = Pair.open()
    settle(pair, 599.9)
    pair.guest.tick()
    pair.run()
    assert epochs(pair) == [0, 0]
    settle(pair, 0.1)
    pair.guest.tick()
    pair.run()
    assert epochs(pair) == [1, 1]


def test_a_million_records_start_a_rekey_at_once() -> None:
    pair = Pair.open()
    settle(pair, 1.0)
    spend(pair.guest, c.REKEY_RECORDS - 1)
    assert pair.guest.records.budget.due > pair.clock.monotonic
    pair.guest.send(message(1))
    assert pair.guest.records.budget.due <= pair.clock.monotonic
    pair.guest.tick()
    pair.run()
    assert epochs(pair) == [1, 1]


def test_records_of_both_directions_count() -> None:
    pair = Pair.open()
    before = pair.guest.records.budget._records
    pair.guest.send(message(1))
    pair.host.send(message(1))
    pair.run()
    assert pair.guest.records.budget._records == before + 2
    assert pair.host.records.budget._records == before + 2


def test_the_host_never_starts_one() -> None:
    pair = Pair.open()
    spend(pair.host)
    settle(pair, 601)
    pair.host.tick()
    assert not pair.host.events_of(events.SignatureNeeded)
    assert pair.host.ended is None


def test_traffic_crosses_during_every_stage_of_a_rekey() -> None:
    pair = Pair.open()
    settle(pair)
    for peer in pair.peers:
        peer.holding = (events.SignatureNeeded,)
    spend(pair.guest)
    pair.guest.tick()
    number = 0

    def talk() -> None:
        nonlocal number
        number += 1
        for peer in pair.peers:
            peer.send(message(number))

    talk()  # the guest is signing
    pair.guest.answer_held()
    talk()
    assert pair.deliver(pair.guest)
    talk()  # the host is signing
    assert pair.deliver(pair.host)
    pair.host.answer_held()
    talk()  # the host writes in the new epoch, the guest still in the old
    assert pair.deliver(pair.guest)
    assert epochs(pair) == [0, 0]
    assert pair.deliver(pair.host)
    assert epochs(pair) == [1, 0]
    talk()
    pair.run()
    talk()
    pair.run()
    assert epochs(pair) == [1, 1]
    expected = [message(n) for n in range(1, number + 1)]
    assert pair.guest.payloads == expected
    assert pair.host.payloads == expected


def test_the_host_writes_in_the_new_epoch_right_after_its_half() -> None:
    pair = Pair.open()
    settle(pair)
    begin(pair)
    pair.deliver(pair.guest)
    pair.host.send(message(1))
    pair.deliver(pair.host)
    written = [data[5:9] for data in pair.wire["host"] if data[0] == ord("M")]
    assert written[-2:] == [bytes(4), b"\0\0\0\1"]


def test_the_guest_confirms_the_new_epoch_with_an_empty_record() -> None:
    pair = Pair.open()
    rekeyed(pair)
    last = pair.wire["guest"][-1]
    assert last[5:9] == b"\0\0\0\1"
    assert len(last) == 5 + 4 + 256 + 16
    assert pair.host.payloads == []


def test_a_rekey_too_soon_after_the_last_one_is_refused() -> None:
    pair = Pair.open()
    rekeyed(pair)
    settle(pair, 0.99)
    begin(pair)
    pair.run()
    ended_by(pair.host, "too soon")


def test_a_rekey_one_second_after_the_last_one_is_admitted() -> None:
    pair = Pair.open()
    rekeyed(pair)
    settle(pair, 1.0)
    begin(pair)
    pair.run()
    assert epochs(pair) == [2, 2]


def test_a_rekey_right_after_the_handshake_is_refused() -> None:
    pair = Pair.open()
    settle(pair, 0.5)
    begin(pair)
    pair.run()
    ended_by(pair.host, "too soon")


def test_an_honest_rekey_that_was_held_up_behind_the_last_one_is_admitted() -> None:
    """A stalled link brings the end of one and the start of the next in one piece."""
    pair = Pair.open()
    settle(pair)
    begin(pair)
    pair.deliver(pair.guest)
    pair.deliver(pair.host)
    assert epochs(pair) == [1, 0]
    settle(pair, 10)
    begin(pair)
    pair.run()
    assert epochs(pair) == [2, 2]


@pytest.mark.parametrize("epoch", [0, 2, 0xFFFFFFFF])
def test_a_first_half_for_another_epoch_is_refused(epoch: int) -> None:
    pair = Pair.open()
    half = first_half(pair)
    message = rekey.first_message(pair.guest.records._t3, epoch, half.x25519, half.encapsulation_key)
    pair.guest.smuggle(replace(half, epoch=epoch, signature=pair.guest.key.sign(message)))
    pair.run()
    ended_by(pair.host, "epoch")


def changed(half: RekeyFirst | RekeySecond, field: str) -> RekeyFirst | RekeySecond:
    value = getattr(half, field)
    return replace(half, **{field: flip(value, len(value) // 2)})


@pytest.mark.parametrize("field", ["signature", "x25519", "encapsulation_key"])
def test_a_changed_first_half_is_refused(field: str) -> None:
    pair = Pair.open()
    pair.guest.smuggle(changed(first_half(pair), field))
    pair.run()
    ended_by(pair.host, "signature")
    assert not pair.host.events_of(events.SignatureNeeded)


@pytest.mark.parametrize("field", ["signature", "x25519", "ciphertext"])
def test_a_changed_second_half_is_refused(field: str) -> None:
    pair = Pair.open()
    pair.host.smuggle(changed(second_half(pair), field))
    pair.run()
    ended_by(pair.guest, "signature")
    assert pair.guest.session.epoch == 0


def test_a_half_signed_by_another_key_is_refused() -> None:
    pair = Pair.open()
    half = first_half(pair)
    message = rekey.first_message(pair.guest.records._t3, 1, half.x25519, half.encapsulation_key)
    pair.guest.smuggle(replace(half, signature=identity_key("carol").sign(message)))
    pair.run()
    ended_by(pair.host, "signature")


def test_the_second_half_covers_the_first() -> None:
    """One signed over another first half, by the right key, is refused."""
    pair = Pair.open()
    half = second_half(pair)
    message = rekey.second_message(
        pair.host.records._t3, 1, b"another first half", half.x25519, half.ciphertext
    )
    pair.host.smuggle(replace(half, signature=pair.host.key.sign(message)))
    pair.run()
    ended_by(pair.guest, "signature")


def test_a_second_half_for_another_epoch_is_refused() -> None:
    pair = Pair.open()
    half = second_half(pair)
    pair.host.smuggle(replace(half, epoch=2))
    pair.run()
    ended_by(pair.guest, "out of place")


def test_a_second_half_without_a_first_is_refused() -> None:
    pair = Pair.open()
    pair.host.smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.guest, "without a first")


def test_a_second_half_before_the_first_was_sent_is_refused() -> None:
    pair = Pair.open()
    settle(pair)
    pair.guest.holding = (events.SignatureNeeded,)
    begin(pair)
    pair.host.smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.guest, "out of place")
    assert pair.guest.session.signed(b"too late", pair.clock.now) == []


def test_a_second_half_sent_to_the_host_is_refused() -> None:
    pair = Pair.open()
    pair.guest.smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.host, "without a first")


def test_a_rekey_started_by_the_host_is_refused() -> None:
    pair = Pair.open()
    settle(pair)
    pair.host.smuggle(RekeyFirst(1, bytes(32), bytes(1184), bytes(384)))
    pair.run()
    ended_by(pair.guest, "only the guest")


@pytest.mark.parametrize("stage", ["the host is signing", "the new epoch has not begun"])
def test_a_second_rekey_while_one_is_under_way_is_refused(stage: str) -> None:
    pair = Pair.open()
    settle(pair)
    if stage == "the host is signing":
        pair.host.holding = (events.SignatureNeeded,)
    begin(pair)
    pair.deliver(pair.guest)
    settle(pair, 30)
    pair.guest.smuggle(RekeyFirst(1, bytes(32), bytes(1184), bytes(384)))
    pair.deliver(pair.guest)
    ended_by(pair.host, "under way")


def test_the_guest_starts_no_second_one_while_one_is_under_way() -> None:
    pair = Pair.open()
    settle(pair)
    begin(pair)
    settle(pair, 1100)
    pair.guest.tick()
    assert len(pair.guest.events_of(events.SignatureNeeded)) == 1
    assert pair.guest.ended is None


def test_the_guest_gives_up_on_a_host_that_does_not_answer_within_twenty_minutes() -> None:
    pair = Pair.open()
    settle(pair)
    begin(pair)
    settle(pair, 1200.0 - 11.1)
    pair.guest.tick()
    assert pair.guest.ended is None
    settle(pair, 0.2)
    assert (pair.guest.session.next_timeout() or math.inf) <= pair.clock.monotonic
    pair.guest.tick()
    ended_by(pair.guest, "in time")


def test_the_host_closes_after_twenty_minutes_without_a_rekey() -> None:
    pair = Pair.open()
    settle(pair, 1199.9)
    pair.host.tick()
    assert pair.host.ended is None
    settle(pair, 0.1)
    assert pair.host.session.next_timeout() == pair.clock.monotonic
    pair.host.tick()
    ended_by(pair.host, "in time")


def test_the_host_closes_after_two_million_records() -> None:
    pair = Pair.open()
    settle(pair, 1)
    spend(pair.host, c.REKEY_MAX_RECORDS - 1)
    pair.host.tick()
    assert pair.host.ended is None
    pair.guest.send(message(1))
    pair.run()
    pair.host.tick()
    ended_by(pair.host, "in time")


def test_a_completed_rekey_sets_the_hosts_patience_back() -> None:
    pair = Pair.open()
    settle(pair, 1100)
    pair.guest.tick()
    pair.run()
    settle(pair, 1100)
    pair.host.tick()
    assert pair.host.ended is None


@pytest.mark.parametrize("point", LOW_ORDER_ENCODINGS)
def test_a_low_order_point_in_a_first_half_is_refused(point: bytes) -> None:
    pair = Pair.open()
    half = first_half(pair)
    message = rekey.first_message(pair.guest.records._t3, 1, point, half.encapsulation_key)
    pair.guest.smuggle(replace(half, x25519=point, signature=pair.guest.key.sign(message)))
    pair.run()
    ended_by(pair.host, "keys of the first half")


@pytest.mark.parametrize("point", LOW_ORDER_ENCODINGS)
def test_a_low_order_point_in_a_second_half_is_refused(point: bytes) -> None:
    pair = Pair.open()
    half = second_half(pair)
    assert pair.guest.records._guest_rekey is not None
    first = pair.guest.records._guest_rekey._first
    message = rekey.second_message(pair.host.records._t3, 1, first, point, half.ciphertext)
    pair.host.smuggle(replace(half, x25519=point, signature=pair.host.key.sign(message)))
    pair.run()
    ended_by(pair.guest, "keys of the second half")


def test_a_malformed_encapsulation_key_in_a_first_half_is_refused() -> None:
    pair = Pair.open()
    half = first_half(pair)
    malformed = b"\xff\xff\xff" + half.encapsulation_key[3:]
    message = rekey.first_message(pair.guest.records._t3, 1, half.x25519, malformed)
    pair.guest.smuggle(replace(half, encapsulation_key=malformed, signature=pair.guest.key.sign(message)))
    pair.run()
    ended_by(pair.host, "keys of the first half")


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_stolen_old_root_opens_nothing_of_the_new_epoch(role: str) -> None:
    pair = Pair.open()
    stolen = pair.guest.records._root
    direction = Direction.GUEST if role == "guest" else Direction.HOST
    session_id = pair.guest.machine.master.session_id
    rekeyed(pair)
    author = pair.by_role(role)
    sequence = author.records._sender.sequence
    author.send(message(1))
    record = author.session.data_to_send()[5:]
    thief = Receiver(session_id, direction, Chain.start(stolen, direction, 1))
    thief.sequence = sequence
    with pytest.raises(RecordFailure):
        thief.open(record)
    owner = Receiver(session_id, direction, author.records._sender.chain)
    assert owner.chain.epoch == 1


def test_the_new_root_is_bound_to_everything() -> None:
    root, shared, t3 = b"r" * 32, b"s" * 64, b"t" * 32
    base = rekey.next_root(root, shared, t3, 1, halves=(b"first", b"second"))
    others = {
        rekey.next_root(b"q" * 32, shared, t3, 1, halves=(b"first", b"second")),
        rekey.next_root(root, b"u" * 64, t3, 1, halves=(b"first", b"second")),
        rekey.next_root(root, shared, b"v" * 32, 1, halves=(b"first", b"second")),
        rekey.next_root(root, shared, t3, 2, halves=(b"first", b"second")),
        rekey.next_root(root, shared, t3, 1, halves=(b"worst", b"second")),
        rekey.next_root(root, shared, t3, 1, halves=(b"first", b"secund")),
        rekey.next_root(root, shared, t3, 1, halves=(b"second", b"first")),
    }
    assert len(others) == 7
    assert base not in others


@pytest.mark.parametrize("payload", [message(1), Ping(answer=False, token=9), signature()])
def test_the_first_record_of_the_new_epoch_may_carry_anything(payload: Payload) -> None:
    """A peer that sends something else than an empty record first is understood as well."""
    pair = Pair.open()
    settle(pair)
    begin(pair)
    pair.deliver(pair.guest)
    pair.collect(pair.host)
    second = bytes(pair.written["host"])
    pair.guest.feed(second)
    pair.guest.session.data_to_send()
    pair.guest.records._sender.sequence -= 1
    pair.guest.records._sender.chain = Chain.start(pair.guest.records._root, Direction.GUEST, 1)
    pair.guest.send(payload)
    pair.written["host"].clear()
    pair.run()
    assert pair.host.ended is None
    assert pair.host.session.epoch == 1


def test_a_record_of_the_old_epoch_after_the_first_of_the_new_is_refused() -> None:
    pair = Pair.open()
    old = pair.guest.records._sender.chain
    rekeyed(pair)
    pair.guest.records._sender.switch(old)
    pair.guest.send(message(1))
    pair.run()
    ended_by(pair.host, "another epoch")


def test_a_signature_that_nobody_asked_for_is_refused() -> None:
    pair = Pair.open()
    for peer in pair.peers:
        with pytest.raises(LocalError):
            peer.session.signed(b"signature", pair.clock.now)
        assert peer.session.data_to_send() == b""
        assert peer.ended is None


def test_the_record_layer_makes_no_half_that_was_not_begun() -> None:
    pair = Pair.open()
    with pytest.raises(RekeyFailure):
        pair.guest.records.first(b"signature")
    with pytest.raises(RekeyFailure):
        pair.host.records.second(b"signature")


def test_a_budget_counts_what_it_is_told() -> None:
    budget = RekeyBudget(100.0)
    assert (budget.due, budget.overdue) == (700.0, 1300.0)
    for _ in range(50):
        budget.record(signature=True)
    assert budget.due == 110.0
    budget._records = c.REKEY_RECORDS
    assert budget.due == 100.0
    budget._records = c.REKEY_MAX_RECORDS
    assert budget.overdue == 100.0
    budget.completed(200.0)
    assert (budget.due, budget.overdue) == (800.0, 1400.0)
    with pytest.raises(RekeyFailure):
        budget.started(100.9)
    budget.started(101.0)
    with pytest.raises(RekeyFailure):
        budget.started(101.9)
    budget.started(102.0)


def test_no_half_shows_a_shared_secret() -> None:
    pair = Pair.open()
    second_half(pair)
    host = pair.host.records._host_rekey
    assert host is not None
    assert repr(host.shared)[2:-1] not in repr(host)
    assert "shared" not in repr(host)


def test_content_before_a_rekeys_end_is_acknowledged_after_it() -> None:
    pair = Pair.open()
    settle(pair)
    pair.guest.send(message(1))
    begin(pair)
    pair.run()
    pair.host.send(Acknowledgement(b"g" * 16, 1, b"h" * 32))
    pair.run()
    assert pair.guest.payloads == [Acknowledgement(b"g" * 16, 1, b"h" * 32)]


def test_hello_is_no_part_of_a_rekey() -> None:
    pair = Pair.established()
    pair.guest.smuggle(RekeyFirst(1, bytes(32), bytes(1184), bytes(384)))
    pair.host.send(hello(pair.host))
    pair.deliver(pair.guest)
    ended_by(pair.host, "out of place")
