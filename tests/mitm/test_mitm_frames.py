"""A man in the middle who changes bits, or drops, repeats, swaps, cuts, holds and inserts frames."""

import pytest
from man_in_the_middle import NAMES, ROLES, Line, Points, accepted
from meddling import Flip, Tally, deeds_to, frames_of, insertions, some_flips

from securechat_tui.protocol import events
from securechat_tui.protocol.events import End

FRAMES = [(role, index) for role in ROLES for index in range(len(NAMES[role]))]
IDS = [f"{role}-{index}-{NAMES[role][index]}" for role, index in FRAMES]
every_frame = pytest.mark.parametrize(("role", "index"), FRAMES, ids=IDS)


def test_left_alone_everything_is_accepted() -> None:
    line = Line.held("alice", "bob")
    guest, host = line.sides["guest"], line.sides["host"]
    assert [len(side.frames) for side in (guest, host)] == [len(NAMES[role]) for role in ROLES]
    assert [len(side.accepted) for side in (guest, host)] == [7, 8], "FIN, payloads, the new epoch"
    assert [payload.encode() for payload in host.payloads] == guest.said
    assert [payload.encode() for payload in guest.payloads] == host.said
    assert guest.ended is not None
    assert host.ended is not None
    assert (guest.ended.how, host.ended.how) == (End.LEFT, End.GOODBYE)
    assert accepted(line) == []


@every_frame
def test_no_byte_of_any_frame_can_be_changed(points: Points, role: str, index: int) -> None:
    point = points[role, index]
    frame = point.sides[role].frames[index]
    tally = Tally()
    for deed in some_flips(role, index, frame):
        tally.attempt(point, deed)
    assert tally.findings == []
    assert tally.tried == len(frame)


@every_frame
def test_no_frame_can_be_dropped_repeated_swapped_cut_held_or_inserted(
    points: Points, role: str, index: int
) -> None:
    point = points[role, index]
    tally = Tally()
    for deed in deeds_to(role, index, point):
        tally.attempt(point, deed)
    assert tally.findings == []
    assert tally.tried > 100


@pytest.mark.parametrize(
    "people", [("alice", "bob"), ("alice", "mallory"), ("mallory", "bob"), ("bob", "alice")], ids="-".join
)
def test_no_frame_of_another_conversation_can_be_put_in(points: Points, people: tuple[str, str]) -> None:
    """Neither one of the same two, nor one that the man in the middle holds with either of them."""
    foreign = frames_of(Line.held(*people))
    tally = Tally()
    for (role, index), point in points.items():
        for deed in insertions(role, index, point.sides[role].frames[index], foreign):
            tally.attempt(point, deed)
    assert tally.findings == []
    assert tally.tried == 2 * len(points) * len(foreign)


@pytest.mark.parametrize("place", [1288 - 64, 1288 - 33, 1288 - 32, 1288 - 1])
def test_a_changed_tag_shows_though_the_host_cannot_know_it(points: Points, place: int) -> None:
    """The host takes a K1 with any tags; the guest then finds that the transcript is not its own."""
    line = points["guest", 0].clone()
    line.play(Flip("guest", 0, 8 * place))
    assert line.sides["host"].events_of(events.Called)
    assert len(line.sides["host"].frames) == 1, "it has answered"
    assert not line.sides["guest"].events_of(events.HostIdentified)
    assert len(line.sides["guest"].frames) == 1, "the guest has not named itself"
