"""A connection that is dead in one direction, and machines that have slept; the clock is the test's."""

import pytest
from protocol_peers import Pair, Peer
from protocol_rekeying import ended_by, message

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.events import End

HOURS = 5 * 3600.0


def swallow(pair: Pair, *roles: str) -> None:
    """Let nothing pass any more that these sides write."""
    pair.alter = lambda role, data: b"" if role in roles else data


def next_tick(pair: Pair) -> None:
    """Go to the next moment that either side waits for, and carry what they write then."""
    moments = [moment for peer in pair.peers if (moment := peer.session.next_timeout()) is not None]
    pair.clock.monotonic = min(moments)
    for peer in pair.peers:
        peer.tick()
    pair.run()


def lost_at(pair: Pair, peer: Peer) -> float:
    """Let time pass until this side gives up; return when that was."""
    while peer.ended is None:
        next_tick(pair)
    ended_by(peer, "nothing heard", End.LOST)
    return pair.clock.monotonic


@pytest.mark.parametrize("silent", ["guest", "host"])
def test_one_silent_direction_is_noticed_by_the_ping_rule(silent: str) -> None:
    """The side that hears nothing gives up after 45 s; the other hears pings, and waits for answers."""
    pair = Pair.open()
    deaf = pair.other(pair.by_role(silent))
    began = pair.clock.monotonic
    swallow(pair, silent)
    assert lost_at(pair, deaf) == began + c.DEAD_PEER_SECONDS
    heard = pair.by_role(silent)
    assert heard.ended is None, "the other direction was alive until now"
    assert lost_at(pair, heard) <= began + 2 * c.DEAD_PEER_SECONDS
    assert not heard.events_of(events.RoundTripMeasured), "no ping was answered"


@pytest.mark.parametrize("silent", ["guest", "host"])
def test_silence_is_noticed_in_time_though_no_ping_is_due_then(silent: str) -> None:
    pair = Pair.open()
    deaf = pair.other(pair.by_role(silent))
    pair.clock.advance(c.PING_SECONDS / 2)
    pair.by_role(silent).send(message(1))
    pair.run()
    heard = pair.clock.monotonic
    swallow(pair, silent)
    assert lost_at(pair, deaf) == heard + c.DEAD_PEER_SECONDS


def test_both_directions_silent_end_both_sides_at_once() -> None:
    pair = Pair.open()
    began = pair.clock.monotonic
    swallow(pair, "guest", "host")
    assert lost_at(pair, pair.guest) == lost_at(pair, pair.host) == began + c.DEAD_PEER_SECONDS


def test_two_quiet_people_stay_connected() -> None:
    pair = Pair.open()
    began = pair.clock.monotonic
    while pair.clock.monotonic < began + HOURS:
        next_tick(pair)
    assert [peer.ended for peer in pair.peers] == [None, None]
    assert pair.guest.session.epoch == pair.host.session.epoch == HOURS // c.REKEY_SECONDS


@pytest.mark.parametrize("sleeper", ["guest", "host"])
def test_a_machine_whose_clock_ran_on_in_its_sleep_counts_the_other_as_gone(sleeper: str) -> None:
    pair = Pair.open()
    pair.clock.advance(HOURS)
    asleep = pair.by_role(sleeper)
    asleep.tick()
    ended_by(asleep, "nothing heard", End.LOST)
    assert asleep.session.data_to_send() == b"", "nothing is written to whom it leads"


@pytest.mark.parametrize("sleeper", ["guest", "host"])
def test_what_waited_during_a_sleep_is_delivered_and_nobody_is_blamed(sleeper: str) -> None:
    """What had come before the sleep is read before the clock is looked at: the peer seems alive.

    A rekey is overdue by then; that is the sleep's doing, and no breach of the protocol.
    """
    pair = Pair.open()
    asleep = pair.by_role(sleeper)
    awake = pair.other(asleep)
    awake.send(message(1))
    pair.collect(awake)
    pair.clock.advance(HOURS)
    pair.deliver(awake)
    assert asleep.payloads == [message(1)]
    asleep.tick()
    if sleeper == "guest":
        assert asleep.ended is None
        assert asleep.events_of(events.SignatureNeeded), "it starts the rekey that is due"
    else:
        ended_by(asleep, "did not do its part in time", End.LOST)


def test_two_machines_that_slept_together_and_find_each_other_awake_go_on() -> None:
    """Their clocks stood still: nothing is due, whatever the clock on the wall says."""
    pair = Pair.open()
    for peer in pair.peers:
        peer.tick()
        peer.send(message(1))
    pair.run()
    assert [peer.payloads for peer in pair.peers] == [[message(1)], [message(1)]]
    assert [peer.ended for peer in pair.peers] == [None, None]
