"""A man in the middle without a plan: any number of things done to any frames of both directions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from man_in_the_middle import Line, Points, accepted
from meddling import frames_of
from protocol_peers import flip

from securechat_tui.protocol import events


class What(Enum):
    """What can be done to a frame."""

    PASS = auto()
    DROP = auto()
    REPEAT = auto()
    FLIP = auto()
    CUT = auto()
    HOLD = auto()
    RELEASE = auto()
    INSERT = auto()


Whim = tuple[What, int]
"""What to do to a frame, and a number that says where or with what."""


@dataclass
class Whims:
    """Does to each frame, as it comes, what the next whim says; then lets everything pass."""

    whims: list[Whim]
    foreign: list[bytes]
    held: list[bytes] = field(default_factory=list)

    def pass_on(self, role: str, index: int, frame: bytes) -> Iterable[bytes]:
        del role, index
        what, number = self.whims.pop(0) if self.whims else (What.PASS, 0)
        match what:
            case What.HOLD:
                self.held.append(frame)
                return ()
            case What.RELEASE:
                released, self.held = self.held, []
                return (*released, frame)
            case What.INSERT:
                return (self.foreign[number % len(self.foreign)], frame)
        return changed(what, number, frame)


def changed(what: What, number: int, frame: bytes) -> tuple[bytes, ...]:
    """Do what needs nothing but the frame itself."""
    match what:
        case What.DROP:
            return ()
        case What.REPEAT:
            return (frame,) * (2 + number % 3)
        case What.FLIP:
            return (flip(frame, number % len(frame), 1 << number % 8),)
        case What.CUT:
            return (frame[: number % len(frame)],)
    return (frame,)


whims = st.lists(
    st.tuples(st.one_of(st.just(What.PASS), st.sampled_from(What)), st.integers(0, 1 << 16)), max_size=24
)


@pytest.fixture(scope="module")
def foreign() -> list[bytes]:
    """What he has overheard, and what he has written himself."""
    return frames_of(Line.held("alice", "bob")) + frames_of(Line.held("mallory", "bob"))


@settings(max_examples=200)
@given(start=st.integers(0, 22), plan=whims)
def test_nothing_is_accepted_whatever_he_does(
    points: Points, foreign: list[bytes], start: int, plan: list[Whim]
) -> None:
    line = points[list(points)[start]].clone()
    line.play(Whims(list(plan), foreign))
    assert accepted(line) == []
    if all(what is What.PASS for what, _ in plan):
        assert all(side.events_of(events.Rekeyed) for side in line.sides.values())
