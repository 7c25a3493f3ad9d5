"""Whatever fails to open leaves the state as it was, down to the last byte that can be reached."""

from collections.abc import Callable
from functools import partial

import pytest
from man_in_the_middle import NAMES, ROLES, Line, Points, Side, checkpoints, other
from meddling import some_flips
from protocol_peers import QUESTIONS, payload_of
from session_state import snapshot

from securechat_tui.protocol.errors import RecordFailure, RemoteError
from securechat_tui.protocol.frames import FrameType

STEP = 7
HANDSHAKE = [("host", 0), ("guest", 1), ("host", 1), ("guest", 2)]
FRAMES = [("guest", 0), *HANDSHAKE]
RECORDS = [
    (role, index) for role in ROLES for index in range(len(NAMES[role])) if (role, index) not in FRAMES
]
TRANSIENT = ("/closed", "/_frames")
"""What an end changes: that the session is over, and what of the stream has been cut into frames."""


def name(frame: tuple[str, int]) -> str:
    role, index = frame
    return f"{role}-{NAMES[role][index]}-{index}"


def lasting(side: Side) -> tuple[tuple[str, object], ...]:
    """Return the state of a session without what its end changes."""
    return tuple(part for part in snapshot(side.session) if not part[0].startswith(TRANSIENT))


def attempts(line: Line, role: str, index: int) -> tuple[bytes, list[bytes]]:
    """Return a frame, and changed ones of its length and type."""
    frame = line.sides[role].frames[index]
    changed = [b"".join(flip.change(frame)) for flip in some_flips(role, index, frame)]
    return frame, [one for one in changed if one[:5] == frame[:5]][::STEP]


@pytest.mark.parametrize("place", [*FRAMES, *RECORDS], ids=name)
def test_a_session_that_was_fed_a_changed_frame(points: Points, place: tuple[str, int]) -> None:
    role, index = place
    frame, changed = attempts(points[place], role, index)
    ended = 0
    for one in changed:
        line = points[place].clone()
        receiver = line.sides[other(role)]
        receiver.holding = QUESTIONS
        before = lasting(receiver)
        receiver.feed(one)
        if receiver.ended is not None:
            ended += 1
            assert lasting(receiver) == before
    assert ended == len(changed) or place == ("guest", 0), "only the host does not know which K1 it should be"
    receiver = points[place].clone().sides[other(role)]
    before = lasting(receiver)
    receiver.feed(frame)
    assert lasting(receiver) != before


def refused(action: Callable[[], object], state: object, kind: type[RemoteError]) -> None:
    """Check that an action fails and that the state has not changed."""
    before = snapshot(state)
    with pytest.raises(kind):
        action()
    assert snapshot(state) == before


@pytest.mark.parametrize("place", HANDSHAKE, ids=name)
def test_a_machine_of_the_handshake(points: Points, place: tuple[str, int]) -> None:
    role, index = place
    frame, changed = attempts(points[place], role, index)
    machine = points[place].clone().sides[other(role)].machine
    for one in changed:
        refused(partial(machine.receive, FrameType(one[0]), payload_of(one)), machine, RemoteError)
    before = snapshot(machine)
    assert machine.receive(FrameType(frame[0]), payload_of(frame))
    assert snapshot(machine) != before


@pytest.mark.parametrize("versions", [b"\0", b"\2\0\1\0\2", b"\1\0\2", b"\1\0\1"], ids=bytes.hex)
def test_the_hosts_machine_at_a_first_frame_that_it_refuses(points: Points, versions: bytes) -> None:
    machine = points["guest", 0].clone().sides["host"].machine
    refused(lambda: machine.receive(FrameType.KEY, versions), machine, RemoteError)


@pytest.mark.parametrize("place", RECORDS, ids=name)
def test_the_record_layer(points: Points, place: tuple[str, int]) -> None:
    """Around a rekey too, where two chains of a direction coexist."""
    role, index = place
    frame, changed = attempts(points[place], role, index)
    layer = points[place].clone().sides[other(role)].records
    strange = [earlier for earlier in points[place].sides[role].frames[:index] if earlier[:1] == b"M"]
    for one in (*changed, *strange, frame[:-1], frame + b"\0"):
        refused(partial(layer.open, payload_of(one)), layer, RecordFailure)
    before = snapshot(layer)
    assert layer.open(payload_of(frame))
    assert snapshot(layer) != before


def test_a_snapshot_reaches_every_secret_and_a_clone_is_one() -> None:
    """Otherwise two equal snapshots would prove nothing."""
    points = checkpoints(Line.between("alice", "bob"))
    line = points["guest", 9]
    for side in line.sides.values():
        values = [value for _, value in snapshot(side.session)]
        sender, receiver = side.records._sender, side.records._receiver
        for secret in (side.records._root, sender.chain.key, receiver.chain.key):
            assert secret in values
        assert snapshot(side.clone(line.clock).session) == snapshot(side.session)
    guest = points["host", 0].sides["guest"]
    ways = [way for way, value in snapshot(guest.session) if way.endswith("_private") and value]
    assert ways == ["/_handshake/_exchange/_private", "/_handshake/_encapsulation/_private"]


def test_a_clone_goes_its_own_way() -> None:
    line = checkpoints(Line.between("alice", "bob"))["host", 0]
    side = line.sides["guest"]
    before = snapshot(side.session)
    twin = side.clone(line.clock)
    twin.feed(line.sides["host"].frames[0])
    assert len(twin.frames) == len(side.frames) + 1
    assert snapshot(side.session) == before
