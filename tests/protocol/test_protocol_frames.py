"""Frames: types and lengths by state, split headers, refusal before storing, bounds while deciding."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_peers import QUESTIONS, STANDINGS, Pair, pair_in

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import FrameError
from securechat_tui.protocol.events import End
from securechat_tui.protocol.frames import (
    HEADER_LENGTH,
    MAX_BACKLOG,
    Admitted,
    Bounds,
    FrameReader,
    FrameType,
    decode_hint,
    encode_hint,
    frame,
)
from securechat_tui.protocol.handshake import State

ADMITTED: Admitted = {FrameType.KEY: Bounds(2, 40), FrameType.FIN: Bounds.exactly(3)}
LARGEST_LENGTH = 0xFFFFFFFF

EXPECTED: dict[tuple[str, State], dict[int, tuple[int, int]]] = {
    ("guest", State.AWAIT_K2): {ord("K"): (3698, 3698), ord("H"): (2, 64)},
    ("guest", State.AWAIT_FIN): {ord("F"): (32, 32)},
    ("guest", State.COMPLETE): {ord("M"): (276, 65556)},
    ("host", State.AWAIT_K1): {ord("K"): (1, 2048)},
    ("host", State.AWAIT_S): {ord("S"): (2832, 2832)},
    ("host", State.AWAIT_FIN): {ord("F"): (32, 32)},
    ("host", State.COMPLETE): {ord("M"): (276, 65556)},
}
"""Type, least and greatest length per state, written out; every other state admits nothing."""


def header(kind: int, length: int) -> bytes:
    return bytes((kind,)) + length.to_bytes(4, "big")


def refused(pair: Pair, role: str, data: bytes) -> bool:
    """Feed bytes to one side; tell whether they ended its session, silently."""
    subject = pair.by_role(role)
    subject.feed(data)
    assert subject.session.data_to_send() == b""
    if subject.ended is not None:
        expected = End.LOST if subject.state is State.COMPLETE else End.HANDSHAKE
        assert subject.ended.how is expected
        assert subject.ended.detail.startswith("frame refused")
    return subject.ended is not None


def test_a_frame_is_its_letter_four_bytes_of_length_and_the_payload() -> None:
    assert frame(FrameType.KEY, b"abc") == b"K\x00\x00\x00\x03abc"
    assert [kind.value for kind in FrameType] == [ord(letter) for letter in "KSFMH"]


@pytest.mark.parametrize("cut", range(HEADER_LENGTH + 4))
def test_a_frame_may_be_cut_at_every_byte(cut: int) -> None:
    reader = FrameReader()
    data = frame(FrameType.KEY, b"abc") + frame(FrameType.FIN, b"xyz")
    reader.feed(data[:cut])
    before = reader.next(ADMITTED)
    reader.feed(data[cut:])
    found = [one for one in (before, reader.next(ADMITTED), reader.next(ADMITTED)) if one]
    assert found == [(FrameType.KEY, b"abc"), (FrameType.FIN, b"xyz")]
    assert reader.next(ADMITTED) is None


@pytest.mark.parametrize("length", [41, LARGEST_LENGTH])
def test_a_length_over_the_cap_is_refused_at_the_header_alone(length: int) -> None:
    reader = FrameReader()
    reader.feed(header(FrameType.KEY, length))
    with pytest.raises(FrameError, match="too long"):
        reader.next(ADMITTED)


def test_a_length_under_the_least_is_refused() -> None:
    reader = FrameReader()
    reader.feed(header(FrameType.KEY, 1))
    with pytest.raises(FrameError, match="too short"):
        reader.next(ADMITTED)


def test_a_type_that_is_not_admitted_is_refused_at_its_first_byte() -> None:
    reader = FrameReader()
    reader.feed(b"S")
    with pytest.raises(FrameError, match="no place"):
        reader.next(ADMITTED)


def test_a_header_cut_short_waits() -> None:
    reader = FrameReader()
    reader.feed(header(FrameType.KEY, LARGEST_LENGTH)[:4])
    assert reader.next(ADMITTED) is None


def test_the_reader_takes_a_memoryview_and_does_not_hold_on_to_it() -> None:
    buffer = bytearray(frame(FrameType.FIN, b"xyz"))
    reader = FrameReader()
    reader.feed(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    assert reader.next(ADMITTED) == (FrameType.FIN, b"xyz")


def test_frames_wait_while_none_is_admitted_and_the_backlog_is_bounded() -> None:
    reader = FrameReader()
    reader.feed(frame(FrameType.FIN, b"xyz") + bytes(MAX_BACKLOG - 8))
    assert reader.next({}) is None
    with pytest.raises(FrameError, match="too many"):
        reader.feed(b"\0")
    assert reader.next(ADMITTED) == (FrameType.FIN, b"xyz")


@pytest.mark.parametrize(("role", "state"), STANDINGS)
def test_each_state_admits_exactly_the_frames_of_the_specification(role: str, state: State) -> None:
    admitted = pair_in(role, state).by_role(role).machine.admitted
    found = {int(kind): (bounds.least, bounds.most) for kind, bounds in admitted.items()}
    assert found == EXPECTED.get((role, state), {})


@pytest.mark.parametrize(("role", "state"), list(EXPECTED))
@pytest.mark.parametrize("kind", [*b"KSFMHG", 0, 255])
def test_a_frame_at_a_wrong_time_ends_the_session_silently(role: str, state: State, kind: int) -> None:
    if kind not in EXPECTED[role, state]:
        assert refused(pair_in(role, state), role, bytes((kind,)))


@pytest.mark.parametrize(("role", "state"), list(EXPECTED))
def test_a_frame_of_a_wrong_length_ends_the_session_before_its_payload_comes(role: str, state: State) -> None:
    for kind, (least, most) in EXPECTED[role, state].items():
        for length in (0, least - 1, most + 1, LARGEST_LENGTH):
            assert refused(pair_in(role, state), role, header(kind, length)), length
        assert not refused(pair_in(role, state), role, header(kind, least))
        assert not refused(pair_in(role, state), role, header(kind, most))


@pytest.mark.parametrize(("role", "state"), [one for one in STANDINGS if one not in EXPECTED])
def test_what_comes_while_a_side_decides_waits_and_is_bounded(role: str, state: State) -> None:
    pair = pair_in(role, state)
    assert not refused(pair, role, bytes(MAX_BACKLOG))
    assert refused(pair, role, b"\0")


def test_a_waiting_frame_is_taken_once_the_side_has_decided() -> None:
    pair = Pair.connect()
    pair.host.holding = QUESTIONS
    data = pair.guest.session.data_to_send()
    pair.host.feed(data + b"S" + b"\xff\xff\xff\xff")
    assert pair.host.ended is None
    pair.host.answer_held()
    assert pair.host.ended is None
    pair.host.answer_held()
    assert pair.host.ended is not None
    assert pair.host.ended.how is End.HANDSHAKE


@pytest.mark.parametrize("size", [1, 7, 1000, 65536])
def test_many_records_in_any_pieces_pass_the_backlog_bound(size: int) -> None:
    pair = Pair.open()
    for _ in range(5):
        pair.guest.smuggle(b"\xff" + bytes(c.MAX_PAYLOAD_LENGTH - 1))
    pair.chunks = lambda data: (data[at : at + size] for at in range(0, len(data), size))
    if size == 1:
        pair.chunks = lambda data: (data[at : at + 1] for at in range(len(data) // 64))
    pair.run()
    assert pair.host.ended is None


def test_one_piece_of_any_size_passes_once_records_flow() -> None:
    pair = Pair.open()
    for _ in range(5):
        pair.guest.smuggle(b"\xff" + bytes(c.MAX_PAYLOAD_LENGTH - 1))
    pair.run()
    assert pair.host.ended is None


@given(st.integers(0, 255), st.lists(st.integers(0, 65535), max_size=c.MAX_OFFERED_VERSIONS))
def test_hints_round_trip(code: int, versions: list[int]) -> None:
    payload = encode_hint(code, tuple(versions))
    assert 2 <= len(payload) <= c.HINT_CAP
    assert decode_hint(payload) == (code, tuple(versions))


@pytest.mark.parametrize(
    "payload", [b"\1\1", b"\1\0\0", b"\1\2\0\1", b"\1\x11" + bytes(34), b"\2\xff" + bytes(62)]
)
def test_a_malformed_hint_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        decode_hint(payload)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=40))
def test_the_reader_yields_nothing_but_admitted_frames(data: bytes) -> None:
    reader = FrameReader()
    reader.feed(data)
    try:
        while found := reader.next(ADMITTED):
            kind, payload = found
            assert ADMITTED[kind].least <= len(payload) <= ADMITTED[kind].most
    except FrameError:
        pass
