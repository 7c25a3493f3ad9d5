"""Frames, hints, and a whole host's session: streams of bytes in whatever pieces."""

from collections.abc import Iterable, Iterator

from fuzz.harness import Harness, refused
from fuzz.people import HOST, k1_payload
from fuzz.recorded import defects, transcript
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import FrameError
from securechat_tui.protocol.events import Ended, Instant, SessionEvent
from securechat_tui.protocol.frames import (
    HEADER_LENGTH,
    Admitted,
    FrameReader,
    FrameType,
    decode_hint,
    encode_hint,
    frame,
)
from securechat_tui.protocol.handshake import ADMITTED
from securechat_tui.protocol.session import Session

_STATES = tuple(ADMITTED.values())
_MOST_PIECES = 12
_LONGEST = 12_000
_NOW = Instant(0.0, 0.0)


def _pieces(stream: bytes, size: int) -> Iterator[bytes]:
    """Cut a stream; never into more pieces than an execution has time for."""
    step = max(1, size, len(stream) // _MOST_PIECES)
    return (stream[start : start + step] for start in range(0, len(stream), step))


def _cut(pieces: Iterable[bytes], admitted: Admitted) -> tuple[list[tuple[FrameType, bytes]], bool]:
    """Return the frames and whether the stream was refused."""
    reader = FrameReader()
    found = []
    try:
        for piece in pieces:
            reader.feed(piece)
            while one := reader.next(admitted):
                found.append(one)
    except FrameError:
        return found, True
    return found, False


def check_frames(data: bytes) -> bool:
    """Two bytes choose the state and the size of the pieces; the rest is the stream."""
    if len(data) < 2:
        return False
    admitted, stream = _STATES[data[0] % len(_STATES)], data[2:]
    found, broken = _cut((stream,), admitted)
    assert _cut(_pieces(stream, data[1]), admitted) == (found, broken)
    assert all(admitted[kind].least <= len(payload) <= admitted[kind].most for kind, payload in found)
    whole = b"".join(frame(kind, payload) for kind, payload in found)
    assert stream.startswith(whole)
    assert broken == _is_refused(stream[len(whole) :], admitted)
    return bool(found)


def _is_refused(rest: bytes, admitted: Admitted) -> bool:
    """Tell by the specification whether what is left can never become an admitted frame."""
    if not rest:
        return False
    bounds = admitted.get(rest[0])
    if bounds is None or len(rest) < HEADER_LENGTH:
        return bounds is None
    return not bounds.least <= int.from_bytes(rest[1:HEADER_LENGTH], "big") <= bounds.most


def _frames() -> list[bytes]:
    fitting = [
        bytes((state, 7)) + frame(FrameType(kind), bytes(bounds.least)) * 2
        for state, admitted in enumerate(_STATES)
        for kind, bounds in admitted.items()
    ]
    broken = [*(seed[:-1] for seed in fitting), *(seed + b"\xff" for seed in fitting), b"\0\1"]
    handshake = (bytes.fromhex(one["frame"]) for one in transcript("first contact")["frames"][:5])
    recorded = [
        bytes((state, 99)) + one
        for one in (*handshake, *defects("frame"), *defects("record"))
        for state, admitted in enumerate(_STATES)
        if one and one[0] in admitted and len(one) < _LONGEST
    ]
    long = b"".join(frame(FrameType.RECORD, bytes(length)) for length in (300, 9000, 700))
    return [*fitting, *broken, *recorded, bytes((len(_STATES) - 1, 255)) + long]


def check_hint(data: bytes) -> bool:
    """A hint within the bounds of its frame."""
    if not 2 <= len(data) <= c.HINT_CAP:
        return False
    hint = refused(lambda: decode_hint(data), FrameError)
    assert hint is None or encode_hint(*hint) == data
    return hint is not None


def _hints() -> list[bytes]:
    hand_made = [encode_hint(2, (3, 2, 1)), b"\1\x21" + bytes(66), b"\1"]
    return [*hand_made, *(frame[HEADER_LENGTH:] for frame in defects("hint"))]


def _told(pieces: Iterable[bytes]) -> list[SessionEvent]:
    """Return what a waiting host tells about a stream that a caller sends it."""
    host = Session.host(HOST.public, _NOW)
    told = [event for piece in pieces for event in host.receive(piece, _NOW)]
    assert host.closed == any(isinstance(event, Ended) for event in told)
    assert len(told) <= 2
    return told


def check_session(data: bytes) -> bool:
    """One byte is the size of the pieces; the rest is what comes before the call is decided on."""
    if not data:
        return False
    told = _told(_pieces(data[1:], data[0]))
    assert _told((data[1:],)) == told
    return bool(told) and not isinstance(told[0], Ended)


def _calls() -> list[bytes]:
    call = frame(FrameType.KEY, k1_payload())
    return [
        b"\x40" + call,
        b"\xff" + call + b"S",
        b"\1" + call[:40],
        b"\1" + frame(FrameType.KEY, b"\1\0\2"),
        b"\2" + frame(FrameType.FIN, bytes(32)),
        *(b"\xff" + one for one in defects("K1")),
    ]


HARNESSES = (
    Harness("frames", check_frames, _frames, _LONGEST),
    Harness("hint", check_hint, _hints, 80),
    Harness("session", check_session, _calls, 1400),
)
