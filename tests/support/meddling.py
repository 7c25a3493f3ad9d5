"""What a man in the middle does to frames: each deed concerns one frame of one side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from man_in_the_middle import Line, Meddler, accepted, other
from protocol_peers import flip

from securechat_tui.protocol.frames import HEADER_LENGTH

FRAME_TYPES = b"KSFMH"


@dataclass
class Deed:
    """Does something to frame ``index`` of ``role``, and lets every other one pass."""

    role: str
    index: int

    def pass_on(self, role: str, index: int, frame: bytes) -> Iterable[bytes]:
        if (role, index) == (self.role, self.index):
            return self.change(frame)
        return self.leave(role, frame)

    def change(self, frame: bytes) -> Iterable[bytes]:
        """Return what arrives instead of the frame."""
        raise NotImplementedError

    def leave(self, role: str, frame: bytes) -> Iterable[bytes]:
        """Return what arrives instead of any other frame."""
        del role
        return (frame,)


@dataclass
class Flip(Deed):
    """Changes one bit, counted from the highest of the frame's first byte."""

    bit: int

    def change(self, frame: bytes) -> Iterable[bytes]:
        return (flip(frame, self.bit // 8, 0x80 >> self.bit % 8),)


@dataclass
class Instead(Deed):
    """Puts other pieces in the place of the frame: none at all, two of it, others before it."""

    pieces: tuple[bytes, ...]

    def change(self, frame: bytes) -> Iterable[bytes]:
        del frame
        return self.pieces


@dataclass
class Cutting(Deed):
    """Lets only the beginning of the frame pass; what comes behind it follows at once."""

    length: int

    def change(self, frame: bytes) -> Iterable[bytes]:
        return (frame[: self.length],)


@dataclass
class Swap(Deed):
    """Lets the frame pass after the next one of its side."""

    held: bytes = b""

    def change(self, frame: bytes) -> Iterable[bytes]:
        self.held = frame
        return ()

    def leave(self, role: str, frame: bytes) -> Iterable[bytes]:
        if role != self.role or not self.held:
            return (frame,)
        held, self.held = self.held, b""
        return frame, held


@dataclass
class Stall(Deed):
    """Lets nothing pass any more from the frame on, in its direction or in both."""

    both: bool
    begun: bool = False

    def change(self, frame: bytes) -> Iterable[bytes]:
        del frame
        self.begun = True
        return ()

    def leave(self, role: str, frame: bytes) -> Iterable[bytes]:
        return () if self.begun and (self.both or role == self.role) else (frame,)


@dataclass
class Tally:
    """How often a man in the middle has tried, and what came of it."""

    tried: int = 0
    findings: list[str] = field(default_factory=list)

    def attempt(self, point: Line, meddler: Meddler) -> None:
        """Go on from a checkpoint under a meddler's hands; keep what the judge finds."""
        line = point.clone()
        line.play(meddler)
        self.tried += 1
        self.findings += [f"{meddler}: {word}" for word in accepted(line)]


def flips(role: str, index: int, frame: bytes) -> Iterator[Flip]:
    """Change every bit of a frame."""
    return (Flip(role, index, bit) for bit in range(8 * len(frame)))


def some_flips(role: str, index: int, frame: bytes) -> Iterator[Flip]:
    """Change one bit in every byte of a frame: always the same one, but not the same in all bytes."""
    return (Flip(role, index, 8 * place + (5 * place + 3 * index) % 8) for place in range(len(frame)))


def deeds_to(role: str, index: int, line: Line) -> Iterator[Deed]:
    """Do to a frame what can be done to it as a whole; repeat and reflect what the line has carried."""
    own, theirs = line.sides[role].frames, line.sides[other(role)].frames
    frame = own[index]
    yield Instead(role, index, ())
    yield Instead(role, index, (frame, frame))
    yield Swap(role, index)
    yield Stall(role, index, both=False)
    yield Stall(role, index, both=True)
    lengths = {0, 1, HEADER_LENGTH - 1, HEADER_LENGTH, HEADER_LENGTH + 1, len(frame) // 2, len(frame) - 1}
    if frame[-1] in FRAME_TYPES:  # the next frame's first byte may be just the one that was cut away
        lengths.remove(len(frame) - 1)
    yield from (Cutting(role, index, length) for length in sorted(lengths))
    yield from insertions(role, index, frame, (*own[:index], *theirs, *made_frames()))


def insertions(role: str, index: int, frame: bytes, foreign: Iterable[bytes]) -> Iterator[Deed]:
    """Put each of some foreign frames before a frame, and in its place."""
    for one in foreign:
        yield Instead(role, index, (one, frame))
        yield Instead(role, index, (one,))


def frames_of(line: Line) -> list[bytes]:
    """Return every frame of a conversation."""
    return [frame for side in line.sides.values() for frame in side.frames]


def made_frames() -> Iterator[bytes]:
    """Give frames that anybody can make: of every type, of each length that some state admits."""
    for kind in FRAME_TYPES:
        for length in (0, 1, 2, 4, 32, 276, 1283, 2832, 3698, 65556, 65557):
            yield bytes((kind,)) + length.to_bytes(4, "big") + bytes(length)
    for code in range(4):
        yield b"H\x00\x00\x00\x04" + bytes((code, 1, 0, 2))
