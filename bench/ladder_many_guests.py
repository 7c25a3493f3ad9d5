"""Sixteen guests at one host, and what two bad ones cost the fourteen others.

One guest reads nothing (its process is stopped) while the host sends it a megabyte; another sends short
signed texts as fast as it can. The others take turns with one short text each, which comes back. Each engine
has its profile on disk; the fourteen are in one process, and everybody else is in one of its own. "idle" is
the same with the flooding guest stopped and nothing for the deaf one. What a flood takes from everybody on
this machine, whoever it is for, the neighbours show: "a busy neighbour" computes and talks with nobody; "a
flooded neighbour" is another host that another guest floods, on the same processors and the same disk. It
has no other guest, and so gives this one all its time; the host of the fourteen gives the flooding one little
of it while they talk. What a flooding guest computes and keeps for itself no host can prevent.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from bench.measure import Figures, Target, interleave, publish, targets_table
from bench.peer import ECHO, SWALLOW, text
from bench.whole import Person, join
from securechat_tui.chat import events
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Event

_OTHERS: Final = 14
_ROUNDS: Final = 5
_TRIPS: Final = 28
"""Round trips of a sample: two of each guest."""
_SIZE: Final = 100
_DEAF: Final = "deaf"
_TO_THE_DEAF: Final = 64
_LARGE: Final = 16_000
_ATTACK: Final = "attack"
"""What the host is told when it is to send to the deaf one."""
_WITHIN: Final = 30.0
"""Seconds after which no further round begins."""
_QUIET_SECONDS: Final = 0.2


class _Host(Person):
    """Sends everything back to whom it is from, but what is to be swallowed."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        self._deaf = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def _take(self, event: Event) -> None:
        if isinstance(event, events.Peer) and event.name == _DEAF:
            self._deaf = event.conversation
        if not isinstance(event, events.Message):
            await super()._take(event)
        elif event.text == _ATTACK:
            for _ in range(_TO_THE_DEAF):
                self._send(text(SWALLOW, _LARGE).decode(), self._deaf)
        elif not event.text.startswith(SWALLOW.decode()):
            self._send(event.text, event.conversation)

    def _send(self, message: str, conversation: str) -> None:
        task = asyncio.create_task(self.engine.send(message, conversation=conversation))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _serve(folder: Path) -> None:
    host = _Host(folder, "host")
    await host.begin()
    await host.engine.host("127.0.0.1:0")
    await host.came.wait()
    print(host.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await host.end()


async def _be_deaf(folder: Path, port: int) -> None:
    await join(folder, port, _DEAF)
    print(flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def _flood(folder: Path, port: int) -> None:
    guest = await join(folder, port, "flood")
    print(flush=True)
    message = text(SWALLOW, _SIZE).decode()
    while True:
        with suppress(CommandError):  # ten thousand wait: there is no sending faster
            await asyncio.gather(*(guest.engine.send(message) for _ in range(64)))
        await asyncio.sleep(0)


def _start(started: ExitStack, *words: object) -> "subprocess.Popen[str]":
    """Start one of the processes and wait until it is ready; it is killed when the measurement is over."""
    command = [sys.executable, "-m", "bench.ladder_many_guests", *map(str, words)]
    pipe = subprocess.PIPE
    process = started.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))
    started.callback(process.kill)
    return process


def _answer(process: "subprocess.Popen[str]") -> str:
    if process.stdout is None:
        raise ValueError
    return process.stdout.readline()


def _stopped(process: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    """Stop a process that has said that it is ready."""
    _answer(process)
    process.send_signal(signal.SIGSTOP)
    return process


async def _others(folder: Path, port: int) -> list[Person]:
    return [await join(folder, port, f"guest-{number}") for number in range(_OTHERS)]


async def _trips(guests: list[Person]) -> Figures:
    """Let the guests take turns with a round trip each."""
    message, times = text(ECHO, _SIZE).decode(), []
    for number in range(_TRIPS):
        start = time.perf_counter()
        await guests[number % len(guests)].echoed(message)
        times.append(time.perf_counter() - start)
    return {"p50 ms": statistics.median(times) * 1e3, "p90 ms": sorted(times)[_TRIPS * 9 // 10] * 1e3}


async def _beside(
    guests: list[Person],
    other: "subprocess.Popen[str]",
    host: "subprocess.Popen[str]",
    *,
    attack: bool = False,
) -> Figures:
    """The same while another process runs; ``attack``: and the host sends to the deaf one.

    What is left for ``host`` when the other process stops belongs to no other sample.
    """
    if attack:
        await guests[0].engine.send(_ATTACK)
    other.send_signal(signal.SIGCONT)
    try:
        return await _trips(guests)
    finally:
        other.send_signal(signal.SIGSTOP)
        _until_quiet(host)


def _until_quiet(process: "subprocess.Popen[str]") -> None:
    used = -1.0
    while (now := _processor_seconds(process)) != used:
        used = now
        time.sleep(_QUIET_SECONDS)


def _processor_seconds(process: "subprocess.Popen[str]") -> float:
    """Return the processor time that a process has used, as far as its system tells: Linux."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _be(kind: str, folder: Path, *port: int) -> None:
    """Be one of the other processes."""
    if kind == "host":
        asyncio.run(_serve(folder))
    elif kind == "burn":
        while True:
            pass
    else:
        asyncio.run((_be_deaf if kind == "deaf" else _flood)(folder, *port))


def main() -> None:
    """Start the others, and measure."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as started, asyncio.Runner() as runner:
        folder = Path(name)
        host, neighbour = (_start(started, "host", folder / name) for name in ("here", "next door"))
        port, next_door = int(_answer(host)), int(_answer(neighbour))
        _deaf, flood, other_flood = (
            _stopped(_start(started, word, folder / who, where))
            for word, who, where in (
                (_DEAF, "here", port),
                ("flood", "here", port),
                ("flood", "next door", next_door),
            )
        )
        burner = _start(started, "burn", folder)
        burner.send_signal(signal.SIGSTOP)
        guests = runner.run(_others(folder, port))
        contestants = {
            "idle": lambda: runner.run(_trips(guests)),
            "a busy neighbour": lambda: runner.run(_beside(guests, burner, host)),
            "a flooded neighbour": lambda: runner.run(_beside(guests, other_flood, neighbour)),
            "two bad guests": lambda: runner.run(_beside(guests, flood, host, attack=True)),
        }
        result = interleave(contestants, _ROUNDS, within=_WITHIN)
        runner.run(_end(guests))
    targets = [
        Target(figure, "two bad guests", rival, bound, at_least=False)
        for rival, bound in (("idle", 2.0), ("a flooded neighbour", 1.25))
        for figure in ("p50 ms", "p90 ms")
    ]
    body = (
        f"{(__doc__ or '').partition('.')[2].strip()}\n\n{result.table()}\n{targets_table(result, targets)}"
    )
    publish("Sixteen guests, two of them bad", body)


async def _end(guests: list[Person]) -> None:
    for guest in guests:
        await guest.end()


if __name__ == "__main__":
    if sys.argv[1:]:
        _be(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
    else:
        main()
