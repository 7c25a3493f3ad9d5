"""Rekeying between honest peers: when, by whom, and what flows meanwhile."""

import math

import pytest
from protocol_peers import Pair
from protocol_rekeying import (
    begin,
    ended_by,
    epochs,
    message,
    rekeyed,
    settle,
    signature,
    spend,
)

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.errors import RekeyFailure
from securechat_tui.protocol.events import End, Rekeyed
from securechat_tui.protocol.liveness import RekeyBudget
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Payload,
    Ping,
)
from securechat_tui.protocol.records import Chain, Direction


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
    ended_by(pair.guest, "in time", End.LOST)


def test_the_host_closes_after_twenty_minutes_without_a_rekey() -> None:
    pair = Pair.open()
    settle(pair, 1199.9)
    pair.host.tick()
    assert pair.host.ended is None
    settle(pair, 0.1)
    assert pair.host.session.next_timeout() == pair.clock.monotonic
    pair.host.tick()
    ended_by(pair.host, "in time", End.LOST)


def test_the_host_closes_after_two_million_records() -> None:
    pair = Pair.open()
    settle(pair, 1)
    spend(pair.host, c.REKEY_MAX_RECORDS - 1)
    pair.host.tick()
    assert pair.host.ended is None
    pair.guest.send(message(1))
    pair.run()
    pair.host.tick()
    ended_by(pair.host, "in time", End.LOST)


def test_a_completed_rekey_sets_the_hosts_patience_back() -> None:
    pair = Pair.open()
    settle(pair, 1100)
    pair.guest.tick()
    pair.run()
    settle(pair, 1100)
    pair.host.tick()
    assert pair.host.ended is None


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
    assert (budget._records, budget._signatures) == (0, 0)
    with pytest.raises(RekeyFailure):
        budget.started(100.9)
    budget.started(101.0)
    with pytest.raises(RekeyFailure):
        budget.started(101.9)
    budget.started(102.0)


def test_content_before_a_rekeys_end_is_acknowledged_after_it() -> None:
    pair = Pair.open()
    settle(pair)
    pair.guest.send(message(1))
    begin(pair)
    pair.run()
    pair.host.send(Acknowledgement(b"g" * 16, 1, b"h" * 32))
    pair.run()
    assert pair.guest.payloads == [Acknowledgement(b"g" * 16, 1, b"h" * 32)]
