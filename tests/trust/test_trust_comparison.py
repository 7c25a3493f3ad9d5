"""Comparison runs: two machines over a channel, and somebody in between."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat_tui.protocol.errors import ComparisonFailure
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Payload,
    StopReason,
)
from securechat_tui.protocol.primitives import hash_of, hkdf_expand, hkdf_extract
from securechat_tui.protocol.records import Direction
from securechat_tui.trust.codes import ShortAuthenticationString
from securechat_tui.trust.comparison import Comparison, Stage

GUEST, HOST, MALLORY = (Fingerprint(bytes([n]) * 32) for n in (1, 2, 3))
SESSION = b"s" * 32
DECLINED = [ComparisonStop(StopReason.DECLINED)]


def machine(role: Direction, session: bytes = SESSION, guest: Fingerprint = GUEST) -> Comparison:
    return Comparison(role, session, guest, HOST)


def guest() -> Comparison:
    return machine(Direction.GUEST)


def host() -> Comparison:
    return machine(Direction.HOST)


@dataclass
class Pair:
    """Two machines; what they send waits in two queues, as in two directions of one connection."""

    guest: Comparison = field(default_factory=guest)
    host: Comparison = field(default_factory=host)
    to_host: list[Payload] = field(default_factory=list)
    to_guest: list[Payload] = field(default_factory=list)

    def deliver_to_host(self) -> None:
        if self.to_host:
            self.to_guest += self.host.receive(comparison(self.to_host.pop(0)))

    def deliver_to_guest(self) -> None:
        if self.to_guest:
            self.to_host += self.guest.receive(comparison(self.to_guest.pop(0)))

    def run(self) -> None:
        while self.to_host or self.to_guest:
            self.deliver_to_host()
            self.deliver_to_guest()

    def ask(self) -> None:
        self.to_host += self.guest.ask()
        self.to_guest += self.host.ask()


def comparison(payload: Payload) -> ComparisonAsk | ComparisonStep | ComparisonStop:
    assert isinstance(payload, ComparisonAsk | ComparisonStep | ComparisonStop)
    return payload


def value(payloads: list[Payload]) -> bytes:
    (step,) = payloads
    assert isinstance(step, ComparisonStep)
    return step.value


def shown(side: Comparison) -> ShortAuthenticationString:
    assert side.code is not None
    return side.code


@pytest.mark.parametrize("first", ["guest", "host", "both"])
def test_both_see_the_same_code_whoever_asks_first(first: str) -> None:
    pair = Pair()
    if first == "both":
        pair.ask()
    elif first == "guest":
        pair.to_host += pair.guest.ask()
        pair.run()
        assert pair.host.stage is Stage.WANTED
        pair.to_guest += pair.host.ask()
    else:
        pair.to_guest += pair.host.ask()
        pair.run()
        assert pair.guest.stage is Stage.WANTED
        pair.to_host += pair.guest.ask()
    pair.run()
    assert pair.guest.stage is pair.host.stage is Stage.SHOWN
    assert pair.guest.under_way
    assert shown(pair.guest) == shown(pair.host)


def test_nothing_is_shown_before_both_have_asked() -> None:
    pair = Pair()
    pair.to_host += pair.guest.ask()
    pair.run()
    assert pair.guest.code is None
    assert pair.host.code is None


def test_the_code_is_derived_as_specified() -> None:
    side = guest()
    side.ask()
    commitment = value(side.receive(ComparisonAsk()))
    of_guest = value(side.receive(ComparisonStep(Kind.COMPARISON_REPLY, b"h" * 32)))
    assert commitment == hash_of(b"securechat-tui/1 comparison commit", SESSION, of_guest)
    secret = hkdf_extract(SESSION, of_guest + b"h" * 32)
    derived = hkdf_expand(secret, b"securechat-tui/1 comparison code", GUEST, HOST)
    assert shown(side).number == int.from_bytes(derived[:6]) >> 6


def test_two_runs_show_different_codes() -> None:
    pair = Pair()
    codes = set()
    for _ in range(3):
        pair.ask()
        pair.run()
        codes.add(shown(pair.guest))
        pair.guest.conclude()
        pair.host.conclude()
    assert len(codes) == 3


@pytest.mark.parametrize("stage", list(Stage), ids=lambda stage: stage.name)
def test_asking_while_a_run_is_under_way_does_nothing(stage: Stage) -> None:
    side = guest()
    side.stage = stage
    sent = side.ask()
    assert bool(sent) is (stage in {Stage.IDLE, Stage.WANTED})


def test_another_key_another_session_another_code() -> None:
    """With the same random values: the code covers the session and both keys."""
    codes = set()
    for session, caller in [(SESSION, GUEST), (b"t" * 32, GUEST), (SESSION, MALLORY)]:
        side = machine(Direction.HOST, session, caller)
        side._own = b"h" * 32
        side._show(b"g" * 32, b"h" * 32)
        codes.add(shown(side))
    assert len(codes) == 3


def test_a_revealed_value_that_was_not_committed_to() -> None:
    side = host()
    side.ask()
    side.receive(ComparisonAsk())
    side.receive(ComparisonStep(Kind.COMPARISON_COMMIT, b"c" * 32))
    with pytest.raises(ComparisonFailure, match="comparison failure"):
        side.receive(ComparisonStep(Kind.COMPARISON_REVEAL, b"r" * 32))
    assert side.code is None


BITS = 10
"""Bits of the code that the attacker below goes for: enough to tell chance from search."""


def short(side: Comparison) -> int:
    return shown(side).number >> ShortAuthenticationString.BITS - BITS


def search(target: int, derive: Callable[[bytes], int], tries: int = 1 << BITS + 4) -> bytes | None:
    """Look for a value of one's own that gives the code which the other victim sees."""
    candidates = (number.to_bytes(32) for number in range(tries))
    return next((one for one in candidates if derive(one) == target), None)


def test_without_the_commitment_somebody_in_between_finds_equal_codes() -> None:
    """What the commitment is for: who sees the other value first can search for his own."""
    victim = machine(Direction.HOST, b"1" * 32)
    victim._show(b"g" * 32, b"h" * 32)

    def derive(own: bytes) -> int:
        other = machine(Direction.GUEST, b"2" * 32)
        other._show(b"v" * 32, own)
        return short(other)

    assert search(short(victim), derive) is not None


def test_with_the_commitment_somebody_in_between_has_one_try() -> None:
    """Mallory is the host to the guest and the guest to the host; each time he must choose first."""
    hits = 0
    for _ in range(200):
        victim_guest, victim_host = machine(Direction.GUEST, b"1" * 32), machine(Direction.HOST, b"2" * 32)
        mallory = machine(Direction.GUEST, b"2" * 32)
        victim_guest.ask()
        victim_host.ask()
        mallory.ask()
        victim_host.receive(ComparisonAsk())
        (commit,) = mallory.receive(ComparisonAsk())
        (reply,) = victim_host.receive(comparison(commit))  # Mallory's value is fixed, the host's is known
        victim_guest.receive(ComparisonAsk())
        (reveal,) = mallory.receive(comparison(reply))
        victim_host.receive(comparison(reveal))
        # To the guest he must answer before the guest reveals: with any value, he cannot search.
        victim_guest.receive(ComparisonStep(Kind.COMPARISON_REPLY, b"m" * 32))
        hits += short(victim_guest) == short(victim_host)
    assert hits < 20  # by chance one in 2^BITS


@pytest.mark.parametrize("kind", [Kind.COMPARISON_COMMIT, Kind.COMPARISON_REPLY, Kind.COMPARISON_REVEAL])
@pytest.mark.parametrize("role", list(Direction), ids=lambda role: role.name)
def test_a_step_without_a_run_is_declined(kind: Kind, role: Direction) -> None:
    side = machine(role)
    assert side.receive(ComparisonStep(kind, b"x" * 32)) == DECLINED
    assert side.receive(ComparisonStop(StopReason.DECLINED)) == []
    assert side.stage is Stage.IDLE


def test_an_ask_in_the_middle_of_a_run_is_declined() -> None:
    side = guest()
    side.ask()
    side.receive(ComparisonAsk())
    assert side.receive(ComparisonAsk()) == DECLINED
    assert side.stage is Stage.STOPPING


def test_what_was_on_its_way_when_a_run_was_stopped_counts_for_nothing() -> None:
    side = host()
    side.ask()
    side.stop(StopReason.DECLINED)
    assert side.receive(ComparisonAsk()) == []
    assert side.receive(ComparisonStep(Kind.COMPARISON_COMMIT, b"c" * 32)) == []
    assert side.receive(ComparisonStop(StopReason.DECLINED)) == []
    assert side.stage is Stage.IDLE


def test_who_asks_again_while_a_run_is_being_stopped_has_asked_afterwards() -> None:
    side = host()
    side.ask()
    side.stop(StopReason.DECLINED)
    assert side.ask() == []
    assert side.receive(ComparisonStop(StopReason.DECLINED)) == [ComparisonAsk()]
    assert side.stage is Stage.ASKED


def test_who_stops_again_while_a_run_is_being_stopped_has_not_asked_afterwards() -> None:
    pair = Pair()
    pair.ask()
    assert pair.guest.stop(StopReason.DECLINED) == DECLINED
    assert pair.guest.ask() == []
    assert pair.guest.stop(StopReason.DECLINED) == []
    assert pair.guest.receive(ComparisonStop(StopReason.DECLINED)) == []
    assert pair.guest.stage is Stage.IDLE


def test_a_stop_without_a_run_is_answered_and_asks_for_nothing() -> None:
    side = guest()
    assert side.stop(StopReason.DECLINED) == []
    assert side.receive(ComparisonStop(StopReason.DECLINED)) == DECLINED
    assert side.stage is Stage.IDLE


def test_the_peer_asks_again_when_it_has_seen_the_code() -> None:
    pair = Pair()
    pair.ask()
    pair.run()
    pair.guest.conclude()
    pair.to_host += pair.guest.ask()
    pair.run()
    assert pair.host.stage is Stage.WANTED
    assert pair.host.code is None


def test_stopping() -> None:
    pair = Pair()
    assert pair.guest.stop(StopReason.DECLINED) == []
    pair.ask()
    pair.run()
    pair.to_host += pair.guest.stop(StopReason.MISMATCH)
    assert pair.to_host == [ComparisonStop(StopReason.MISMATCH)]
    pair.run()
    assert pair.guest.stage is pair.host.stage is Stage.IDLE


def test_secrets_do_not_show() -> None:
    side = guest()
    side.ask()
    side.receive(ComparisonAsk())
    assert repr(side._own) not in repr(side)


AT_REST = {
    (Stage.IDLE, Stage.IDLE),
    (Stage.ASKED, Stage.WANTED),
    (Stage.WANTED, Stage.ASKED),
    (Stage.SHOWN, Stage.SHOWN),
}


@settings(max_examples=500)
@given(st.lists(st.sampled_from(["ask", "host asks", "stop", "host stops", "to host", "to guest"])))
def test_whatever_crosses_nobody_is_stuck_and_both_see_one_code_when_both_ask(actions: list[str]) -> None:
    pair = Pair()
    for action in actions:
        match action:
            case "ask":
                pair.to_host += pair.guest.ask()
            case "host asks":
                pair.to_guest += pair.host.ask()
            case "stop":
                pair.to_host += pair.guest.stop(StopReason.DECLINED)
            case "host stops":
                pair.to_guest += pair.host.stop(StopReason.DECLINED)
            case "to host":
                pair.deliver_to_host()
            case _:
                pair.deliver_to_guest()
    pair.run()
    assert (pair.guest.stage, pair.host.stage) in AT_REST
    pair.ask()
    pair.run()
    assert shown(pair.guest) == shown(pair.host)
