"""Cut the connection between two running programs at random, for as long as wanted, and miss nothing.

Run it from the project's folder: PYTHONPATH=tests/support python tools/soak.py MINUTES

Two processes of the installed program (``--json``) write to each other all the time through a proxy
that resets each connection after a random number of bytes, in the middle of a handshake or of a
record, or, now and then, swallows everything from some byte on. Every message that one side was given
must come out at the other exactly once and in order. The guest's pauses between two attempts are
shortened, or most of the time would be spent waiting; nothing else differs from the program as
people run it.
"""

import argparse
import asyncio
import itertools
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from cutting_proxy import Cut, Untouched, Wire
from terminal_programs import PROGRAM, environment, settle

LINE_LIMIT = 1024 * 1024
ON_THE_WAY = 64
"""So many messages of each side may wait for their delivery."""
LONGEST_TEXT = 4000
FIRST_BYTES, LAST_BYTES = 100, 300_000
"""A connection lives for a number of bytes between these, the small ones as likely as the large."""
SWALLOWED = 0.02
"""The share of connections that fall silent instead of being reset: they take the 45 s of the ping rule."""
QUICK_GUEST = (
    "from securechat_tui.network import backoff\n"
    "backoff.FIRST_PAUSE, backoff.LONGEST_PAUSE = 0.05, 0.5\n"
    "from securechat_tui.cli import main\n"
    "main()\n"
)
EXPECTED = re.compile(rb"securechat-tui: The connection to \w+ was cut: ")
PATIENCE = 120.0
"""Seconds without any delivery after which the run has failed."""


Pipe = TypeVar("Pipe")


def given(pipe: Pipe | None) -> Pipe:
    """Return a pipe that was asked for at the start of the process."""
    if pipe is None:
        raise RuntimeError("the process was started without this pipe")
    return pipe


class Limited:
    """One connection, of a random length."""

    def __init__(self, chance: random.Random) -> None:
        self._left = round(FIRST_BYTES * (LAST_BYTES / FIRST_BYTES) ** chance.random())
        self._swallows = chance.random() < SWALLOWED

    def take(self, role: str, data: bytes) -> bytes:
        del role
        passed = data[: self._left]
        self._left -= len(passed)
        if self._left or self._swallows:
            return passed
        raise Cut


class Program:
    """One side: what it was given to say, and what it has heard."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self.said: list[str] = []
        self.heard: list[str] = []
        self.delivered: list[int] = []
        self.surprises: list[str] = []
        """What stood on standard error and is not the line that tells of a cut."""
        self.events: Counter[str] = Counter()
        self.news = asyncio.Event()
        self._chance = chance
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def start(self, command: Sequence[str], home: Path) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *command,
            env=environment(home),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        self.reading = asyncio.gather(self._read(), self._read_diagnostics())

    async def _read(self) -> None:
        async for line in given(self.process.stdout):
            self._take(json.loads(line))

    async def _read_diagnostics(self) -> None:
        async for line in given(self.process.stderr):
            if not EXPECTED.match(line):
                self.surprises.append(line.decode().rstrip())

    def _take(self, event: dict[str, Any]) -> None:
        word = event["event"]
        self.events[word if word != "closed" else f"closed {event['reason']}"] += 1
        if word == "message":
            self.heard.append(event["text"])
        elif word == "delivered":
            self.delivered.append(int(event["ref"]))
        elif word == "listening":
            self._port.set_result(event["port"])
        self.news.set()

    async def listening(self) -> int:
        """Return the port at which this host can be reached."""
        return await self._port

    async def do(self, **command: object) -> None:
        pipe = given(self.process.stdin)
        pipe.write(json.dumps(command).encode() + b"\n")
        await pipe.drain()

    async def talk(self, until: float) -> None:
        """Say one thing after the other, with no more than ``ON_THE_WAY`` undelivered."""
        while time.monotonic() < until:
            while len(self.said) - len(self.delivered) >= ON_THE_WAY:
                await self.changed()
            number = len(self.said)
            self.said.append(f"{self.name} {number} " + "ü" * self._chance.randrange(LONGEST_TEXT // 2))
            await self.do(cmd="send", text=self.said[-1], ref=str(number))
            await asyncio.sleep(self._chance.expovariate(20.0))

    async def changed(self) -> None:
        """Wait for the next event."""
        self.news.clear()
        async with asyncio.timeout(PATIENCE):
            await self.news.wait()

    async def all_delivered(self) -> None:
        """Wait until everything said is acknowledged."""
        while len(self.delivered) < len(self.said):
            await self.changed()


def complaints(speaker: Program, listener: Program) -> list[str]:
    """Compare what was said with what was heard and acknowledged."""
    found = []
    if listener.heard != speaker.said:
        place = next(
            place
            for place, (said, heard) in enumerate(itertools.zip_longest(speaker.said, listener.heard))
            if said != heard
        )
        found.append(f"{listener.name} did not hear what {speaker.name} said, from message {place} on")
    if speaker.delivered != list(range(len(speaker.said))):
        found.append(f"{speaker.name} was not told of each delivery once and in order")
    return found


async def soak(minutes: float, seed: int, home: Path) -> int:
    chance = random.Random(seed)  # noqa: S311 - the run can be repeated from its seed
    for name in ("alice", "bob"):
        settle(home, name)
    host, guest = Program("alice", chance), Program("bob", chance)
    await host.start([str(PROGRAM), "--profile", "alice", "host", "--bind", "127.0.0.1:0", "--json"], home)
    wire = Wire(await host.listening())
    await wire.start()
    guest_command = [sys.executable, "-c", QUICK_GUEST, "--profile", "bob", "join", wire.address, "--json"]
    await guest.start(guest_command, home)
    while not guest.events["secure"]:
        await guest.changed()
    wire.passage = lambda: Limited(chance)
    wire.cut()
    until = time.monotonic() + 60 * minutes
    await asyncio.gather(host.talk(until), guest.talk(until))
    cuts = wire.connections
    wire.passage = Untouched
    wire.cut()
    await asyncio.gather(host.all_delivered(), guest.all_delivered())
    for program in (guest, host):
        await program.do(cmd="quit")
        await program.process.wait()
        await program.reading
    await wire.stop()
    found = complaints(host, guest) + complaints(guest, host) + host.surprises + guest.surprises
    sessions = guest.events["secure"]
    print(
        f"{minutes:g} minutes, seed {seed}: {cuts} connections cut, {sessions} sessions in which words flowed"
    )
    for program in (host, guest):
        print(f"{program.name}: {len(program.said)} said, {len(program.heard)} heard, {dict(program.events)}")
    print("\n".join(found) or "nothing lost, doubled or out of order")
    return bool(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="Cut a conversation at random and miss nothing of it.")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="repeat a run (default: a new one)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(soak(wanted.minutes, wanted.seed, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
