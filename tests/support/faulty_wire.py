"""Faults of a network at a chosen byte of one connection: reset, truncated, stalled, silent in one direction.

The next connection is untouched again. A connection's bytes are counted from its beginning, each way.
"""

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from chat_people import Face
from cutting_proxy import Cut, End, Passage, Untouched, Wire
from driven_time import DrivenTime
from protocol_peers import split_frames

from securechat_tui.chat.events import Delivered, Gate, Message, Rejected, Secure
from securechat_tui.protocol.frames import FrameType

P = TypeVar("P", bound=Passage)
Kind = Literal["reset", "truncate", "stall", "silence"]
KINDS: Final[tuple[Kind, ...]] = ("reset", "truncate", "stall", "silence")
SILENT: Final = ("stall", "silence")
"""Nobody is told of these: what ends them is a timer."""
STEP_SECONDS: Final = 16.0
"""A handshake may take ten seconds; a peer that says nothing is asked after 30 and gone after 45."""
PAUSES: Final = tuple(0.02 * 1.5**step for step in range(14))
"""Seconds after each leap for what a timer has begun to come to its end; a slow machine needs more."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens when the side of ``role`` has written ``at`` bytes."""

    kind: Kind
    role: str
    at: int


class Faulty:
    """One connection with one fault; ``struck`` is set when it has come to it."""

    def __init__(self, fault: Fault) -> None:
        self.struck = asyncio.Event()
        self._fault = fault
        self._passed = 0

    def take(self, role: str, data: bytes) -> bytes:
        fault = self._fault
        if self.struck.is_set():
            return data if self._passes_still(role) else b""
        if role != fault.role:
            return data
        passed = data[: fault.at - self._passed]
        self._passed += len(passed)
        if self._passed == fault.at:
            self.struck.set()
            if fault.kind == "reset":
                raise Cut
            if fault.kind == "truncate":
                raise End(passed)
        return passed

    def _passes_still(self, role: str) -> bool:
        return role != self._fault.role and self._fault.kind != "stall"


class Mute:
    """Lets everything pass until ``role`` is silenced."""

    def __init__(self) -> None:
        self.silenced = ""

    def take(self, role: str, data: bytes) -> bytes:
        return b"" if role == self.silenced else data


class Counting:
    """Lets everything pass, and knows how much each side has written."""

    def __init__(self) -> None:
        self.written = {"guest": 0, "host": 0}

    def take(self, role: str, data: bytes) -> bytes:
        self.written[role] += len(data)
        return data


class Frames:
    """Lets everything pass, and knows how much was the handshake: what comes before the first record."""

    def __init__(self) -> None:
        self._data = {"guest": b"", "host": b""}

    def take(self, role: str, data: bytes) -> bytes:
        self._data[role] += data
        return data

    @property
    def handshake(self) -> dict[str, int]:
        """How many bytes each side has written of it."""
        return {role: _before_records(data) for role, data in self._data.items()}


def _before_records(data: bytes) -> int:
    frames = itertools.takewhile(lambda frame: frame[0] != FrameType.RECORD, split_frames(data))
    return sum(len(frame) for frame in frames)


class Trial:
    """Two people who are connected by a wire, and what they have said by now."""

    def __init__(self, host: Face, guest: Face, wire: Wire, time: DrivenTime) -> None:
        self.host, self.guest = host, guest
        self._wire = wire
        self._time = time
        self.said = 0

    async def count(self) -> dict[str, int]:
        """Return how much each side writes when both come back with a message each."""
        counting = Counting()
        self._wire.passage = self._once(counting)
        self._wire.cut()
        await self._say()
        await self.arrived()
        return counting.written

    async def handshake(self) -> dict[str, int]:
        """Return how much each side writes of a handshake."""
        frames = Frames()
        self._wire.passage = self._once(frames)
        self._wire.cut()
        await self._say()
        await self.arrived()
        return frames.handshake

    async def come_back(self, passage: P) -> P:
        """Let both come back through a passage of one's own."""
        sessions = [len(face.all(Secure)) for face in (self.host, self.guest)]
        self._wire.passage = self._once(passage)
        self._wire.cut()
        for face, known in zip((self.host, self.guest), sessions, strict=True):
            await face.until_many(known + 1, Secure)
        return passage

    async def suffer(self, fault: Fault) -> bool:
        """Let both come back into a fault and out of it; all they say arrives. False: it never came to it."""
        faulty = Faulty(fault)
        self._wire.passage = self._once(faulty)
        self._wire.cut()
        await self._say()
        arrived = asyncio.create_task(self.arrived())
        struck = asyncio.create_task(faulty.struck.wait())
        await asyncio.wait({arrived, struck}, return_when=asyncio.FIRST_COMPLETED)
        if fault.kind in SILENT and struck.done():
            await self.wait_in_silence()
        await arrived
        struck.cancel()
        return faulty.struck.is_set()

    async def wait_in_silence(self) -> None:
        """Let time pass until the guest calls again; all other waits must be without a timeout meanwhile."""
        calls = self._wire.connections
        for pause in PAUSES:
            self._time.pass_by(STEP_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    while self._wire.connections == calls:
                        await self._wire.news.wait()
                return
        raise AssertionError("they wait for ever")

    async def _say(self) -> None:
        for face in (self.host, self.guest):
            await face.engine.send(str(self.said))
        self.said += 1

    async def arrived(self) -> None:
        """Wait until everything said so far is delivered."""
        for face in (self.host, self.guest):
            while len(face.all(Message)) < self.said or len(face.all(Delivered)) < self.said:
                await face.changed()

    def _once(self, passage: Passage) -> Callable[[], Passage]:
        """The next connection gets this passage, those after it are untouched."""
        passages = iter([passage])
        return lambda: next(passages, None) or Untouched()

    def check(self) -> None:
        """Everything has arrived once and in order, and nobody was alarmed."""
        for face in (self.host, self.guest):
            assert [one.text for one in face.all(Message)] == [str(number) for number in range(self.said)]
            assert not face.all(Gate)
            assert not face.all(Rejected)
