"""Records: padding, and that nothing but the next record of a direction opens, or changes anything."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_peers import flip

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives, records
from securechat_tui.protocol.encoding import lp
from securechat_tui.protocol.errors import LocalError, RecordFailure
from securechat_tui.protocol.records import Chain, Direction, Receiver, Sender, pad, unpad

ROOT, SESSION_ID = b"r" * 32, b"i" * 32
ReceiverState = tuple[int, bytes, tuple[int, bytes] | None, int]


def sender(direction: Direction = Direction.GUEST, epoch: int = 0, session_id: bytes = SESSION_ID) -> Sender:
    return Sender(session_id, direction, Chain.start(ROOT, direction, epoch))


def receiver(
    direction: Direction = Direction.GUEST, epoch: int = 0, session_id: bytes = SESSION_ID
) -> Receiver:
    return Receiver(session_id, direction, Chain.start(ROOT, direction, epoch))


def state_of(one: Receiver) -> ReceiverState:
    upcoming = (one.upcoming.epoch, one.upcoming.key) if one.upcoming else None
    return one.chain.epoch, one.chain.key, upcoming, one.sequence


def refuse(one: Receiver, record: bytes) -> None:
    """Check that a record is refused and that the receiver is the same to the byte."""
    before = state_of(one)
    with pytest.raises(RecordFailure):
        one.open(record)
    assert state_of(one) == before


def padded(size: int, payload: bytes, monkeypatch: pytest.MonkeyPatch, *, fill: bytes = b"\0") -> bytes:
    """Return a record whose plaintext has any size."""
    with monkeypatch.context() as patched:
        patched.setattr(records, "pad", lambda given: lp(given).ljust(size, fill))
        return sender().seal(payload)


@pytest.mark.parametrize(
    ("length", "size"),
    [
        *((0, 256), (252, 256), (253, 1024), (1020, 1024), (1021, 4096), (4092, 4096)),
        *((4093, 16384), (16380, 16384), (16381, 65536), (65532, 65536)),
    ],
)
def test_a_payload_is_padded_to_the_smallest_size_that_holds_it(length: int, size: int) -> None:
    payload = b"\xff" * length
    plaintext = pad(payload)
    assert plaintext == length.to_bytes(4, "big") + payload + bytes(size - 4 - length)
    assert unpad(plaintext) == payload
    record = sender().seal(payload)
    assert len(record) == 4 + size + 16
    assert receiver().open(record) == payload


def test_the_greatest_record_is_the_cap_of_the_frame() -> None:
    assert len(sender().seal(bytes(c.MAX_PAYLOAD_LENGTH))) == c.RECORD_CAP == 65556


@pytest.mark.parametrize("length", [c.MAX_PAYLOAD_LENGTH + 1, 100_000])
def test_too_long_a_payload_is_refused_and_uses_no_key(length: int) -> None:
    one = sender()
    before = one.chain
    with pytest.raises(LocalError):
        one.seal(bytes(length))
    assert (one.chain, one.sequence) == (before, 0)


@pytest.mark.parametrize(
    ("size", "length"), [(1024, 252), (4096, 0), (65536, 16380), (255, 100), (257, 200), (5, 1), (1000, 900)]
)
def test_another_size_than_the_smallest_is_refused(
    size: int, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(receiver(), padded(size, bytes(length), monkeypatch))


@pytest.mark.parametrize("plaintext", [b"", b"\0\0", b"\0\0\0\x01", b"\xff\xff\xff\xff" + bytes(252)])
def test_a_length_that_runs_over_the_plaintext_is_refused(plaintext: bytes) -> None:
    with pytest.raises(RecordFailure, match="length"):
        unpad(plaintext)


def test_padding_that_is_not_zero_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(receiver(), padded(256, b"payload", monkeypatch, fill=b"\1"))
    for position in (4 + 7, 100, 255):
        with pytest.raises(RecordFailure, match="zero"):
            unpad(flip(pad(b"payload"), position))


def test_every_flipped_bit_of_a_record_is_refused() -> None:
    record, one = sender().seal(b"payload"), receiver()
    for position in range(len(record)):
        refuse(one, flip(record, position, 1 << position % 8))
    for bit in range(8):
        refuse(one, flip(record, 3, 1 << bit))
    assert one.open(record) == b"payload"


def test_every_truncation_of_a_record_is_refused() -> None:
    record, one = sender().seal(b"payload"), receiver()
    for length in range(len(record)):
        refuse(one, record[:length])
    refuse(one, record + b"\0")
    assert one.open(record) == b"payload"


def test_a_record_opens_once() -> None:
    out, one = sender(), receiver()
    first, second = out.seal(b"first"), out.seal(b"second")
    assert one.open(first) == b"first"
    refuse(one, first)
    assert one.open(second) == b"second"
    refuse(one, second)
    refuse(one, first)


def test_records_open_in_their_order_alone() -> None:
    out, one = sender(), receiver()
    first, second, third = (out.seal(bytes((n,))) for n in range(3))
    refuse(one, second)
    refuse(one, third)
    assert [one.open(record) for record in (first, second, third)] == [b"\0", b"\1", b"\2"]


def test_directions_are_not_interchangeable() -> None:
    refuse(receiver(Direction.HOST), sender(Direction.GUEST).seal(b"payload"))
    refuse(receiver(Direction.GUEST), sender(Direction.HOST).seal(b"payload"))
    reflected = Sender(SESSION_ID, Direction.HOST, Chain.start(ROOT, Direction.GUEST, 0))
    refuse(receiver(Direction.GUEST), reflected.seal(b"payload"))


def test_a_record_is_bound_to_its_session() -> None:
    refuse(receiver(), sender(session_id=b"j" * 32).seal(b"payload"))


def test_a_record_is_bound_to_its_sequence_number() -> None:
    out = sender()
    out.sequence = 1
    refuse(receiver(), out.seal(b"payload"))


@pytest.mark.parametrize("epoch", [1, 2, 0xFFFFFFFF])
def test_a_record_of_another_epoch_is_refused(epoch: int) -> None:
    refuse(receiver(), sender(epoch=epoch).seal(b"payload"))


def test_the_epoch_in_clear_is_bound() -> None:
    """A chain that claims another epoch than its own makes nothing that opens."""
    out = sender()
    out.switch(Chain(1, out.chain.key))
    one = receiver()
    one.expect(Chain.start(ROOT, Direction.GUEST, 1))
    refuse(one, out.seal(b"payload"))
    refuse(one, b"\0\0\0\0" + out.seal(b"payload")[4:])


def test_two_chains_coexist_until_the_first_record_of_the_new_epoch() -> None:
    out, one = sender(), receiver()
    following = Chain.start(b"n" * 32, Direction.GUEST, 1)
    one.expect(following)
    assert one.open(out.seal(b"old")) == b"old"
    left_over = out.seal(b"never opened")
    out.switch(following)
    out.sequence -= 1
    new = out.seal(b"new")
    refuse(one, flip(new, 20))
    assert one.upcoming is following
    assert one.open(new) == b"new"
    assert one.upcoming is None
    refuse(one, left_over)


def test_a_badly_padded_first_record_of_a_new_epoch_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    out, one = sender(epoch=1), receiver()
    one.expect(out.chain)
    with monkeypatch.context() as patched:
        patched.setattr(records, "pad", lambda given: lp(given).ljust(1024, b"\0"))
        bad = out.seal(b"payload")
    refuse(one, bad)
    assert one.upcoming is not None


def test_the_sequence_number_runs_on_across_epochs() -> None:
    out, one = sender(), receiver()
    for epoch in range(4):
        assert one.open(out.seal(b"payload")) == b"payload"
        assert out.sequence == one.sequence == epoch + 1
        following = Chain.start(b"n" * 32, Direction.GUEST, epoch + 1)
        out.switch(following)
        one.expect(following)
    fresh = sender()
    fresh.switch(out.chain)
    refuse(one, fresh.seal(b"sequence began anew"))


def test_a_switch_with_nothing_to_come_keeps_the_chain() -> None:
    one = receiver()
    before = state_of(one)
    one.switch()
    assert state_of(one) == before


def test_every_step_gives_other_keys() -> None:
    chain, seen = Chain.start(ROOT, Direction.HOST, 0), set()
    for _ in range(50):
        chain, key = chain.step()
        seen |= {chain.key, key}
    assert len(seen) == 100
    starts = {Chain.start(ROOT, direction, epoch).key for direction in Direction for epoch in range(3)}
    assert len(starts) == 6


def test_no_chain_shows_its_key() -> None:
    chain = Chain.start(ROOT, Direction.HOST, 0)
    out = sender()
    shown = repr(chain) + repr(out) + repr(receiver())
    assert repr(chain.key)[2:-1] not in shown
    assert "key=" not in shown


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.binary(max_size=600), st.booleans()), max_size=12), st.randoms())
def test_what_was_sealed_opens_and_nothing_between_disturbs_it(
    sent: list[tuple[bytes, bool]], random: Random
) -> None:
    out, one = sender(), receiver()
    epoch = 0
    for payload, rekey in sent:
        record = out.seal(payload)
        refuse(one, flip(record, random.randrange(len(record))))
        assert one.open(record) == payload
        if rekey:
            epoch += 1
            following = Chain.start(primitives.sha256(bytes((epoch,))), Direction.GUEST, epoch)
            one.expect(following)
            out.switch(following)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=700))
def test_no_bytes_open(data: bytes) -> None:
    refuse(receiver(), data)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300) | st.binary(max_size=250).map(pad))
def test_unpad_takes_what_pad_makes_and_nothing_else(plaintext: bytes) -> None:
    try:
        payload = unpad(plaintext)
    except RecordFailure:
        return
    assert pad(payload) == plaintext
