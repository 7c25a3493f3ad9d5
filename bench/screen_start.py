"""From the start of the process to the first paint, and until it can be used, against bare Textual.

Each run is a fresh process in a pseudo-terminal of 120x40. The first paint is the first text after the
terminal has been taken over; the program can be used when the start screen's choices stand there. In that
moment the arrow key for the next choice is struck: "key" is how long it then takes until that choice is
painted anew. "complete" is when one's own fingerprint stands there: the engine is loaded, the key checked,
the profile locked. Processor time is that of all its threads at the same moments: on a busy machine it says
more. Both have their byte code, as an installation has it.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from bench.glass import SIZE
from bench.measure import Figures, Target, interleave, publish, targets_table
from securechat_tui.chat.profiles import new_identity
from securechat_tui.storage.profile import Profile

_ROUNDS: Final = 9
_PATIENCE_SECONDS: Final = 60.0
_ESCAPES: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[P_^][^\x1b]*\x1b\\|.)"
)
_TAKEN_OVER: Final = b"\x1b[?1049h"
_BARE: Final = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("ready")
Bare().run()
"""
_PARTS: Final = """
import asyncio, gc, json, time
gc.disable()
parts, last = {}, 0.0
def done(part):
    global last
    now = time.process_time() * 1e3
    parts[part], last = now - last, now
done("Python ms")
import textual.app, textual.widgets, textual.screen
done("Textual ms")
import click, securechat_tui.cli
done("command line ms")
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.profiles import open_profile
done("engine, protocol, cryptography ms")
import securechat_tui.tui.app, securechat_tui.tui.furniture
done("our screens ms")
async def enter():
    async with Engine(open_profile(None)):
        done("profile and key ms")
asyncio.run(enter())
print(json.dumps(parts))
"""
_WHY: Final = """
The first paint is the curtain, drawn before anything else is imported. The start screen's choices come with
little more than Textual itself: the settings are read, and the kind of the key's file; the engine, all other
screens and the cryptography are imported in a thread while the choices stand there, and what was chosen
early waits for them. What was changed before that: one's own key is checked by its numbers and by one pair
of operations, in 2 ms instead of 134; the product of the small primes is built in pairs (9.8 to 4.4 ms);
what draws QR codes is imported with the first of them (12 ms). The collector is off while loading (a
tenth); the theme is on before the first style sheet is parsed (4 ms); commands of the command line are
imported when they are called (4 ms). The parts of what is loaded, one after the other:
"""
_OURS: Final = [str(Path(sys.executable).with_name("securechat-tui"))]
_CHOICE: Final = b"Try it alone"
_KEY: Final = b"SHA256:"
_DOWN: Final = b"\x1b[B"
_NEXT: Final = b"Join"


def _environment(home: str) -> dict[str, str]:
    unwanted = ("SECURECHAT", "TEXTUAL", "PYTHON", "XDG_", "NO_COLOR", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**kept, "SECURECHAT_TUI_HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}


def _open_terminal() -> tuple[int, int]:
    ours, theirs = pty.openpty()
    width, height = SIZE
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    return ours, theirs


def _processor_ms(process: int) -> float:
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads) / 1e6


class _Watch:
    """A program in a terminal, from its start on: when it has painted what for the first time."""

    def __init__(self, process: int, terminal: int, begun: float) -> None:
        self.figures: dict[str, float] = {}
        self._process = process
        self._terminal = terminal
        self._begun = begun
        self._output = b""

    def until(self, name: str, painted: bytes) -> None:
        """Wait until ``painted`` stands there."""
        while painted not in _ESCAPES.sub(b"", self._output):
            self._read()
            if "first paint ms" not in self.figures and _is_painted(self._output):
                self._note("first paint")
        self._note(name)

    def strike(self, key: bytes, answer: bytes) -> None:
        """Press a key, and wait until ``answer`` is painted anew."""
        struck, seen = time.perf_counter(), len(self._output)
        os.write(self._terminal, key)
        while answer not in _ESCAPES.sub(b"", self._output[seen:]):
            self._read()
        self.figures["key ms"] = (time.perf_counter() - struck) * 1e3

    def _read(self) -> None:
        if not select.select([self._terminal], [], [], _PATIENCE_SECONDS)[0]:
            raise TimeoutError("it never came about")
        self._output += os.read(self._terminal, 65536)

    def _note(self, name: str) -> None:
        self.figures[f"{name} ms"] = (time.perf_counter() - self._begun) * 1e3
        self.figures[f"{name} processor ms"] = _processor_ms(self._process)


def _start(command: Sequence[str], usable: bytes, complete: bytes, home: str) -> Figures:
    """Start a program, and end it when it is complete."""
    ours, theirs = _open_terminal()
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=_environment(home))
    os.close(theirs)
    watch = _Watch(process.pid, ours, begun)
    try:
        watch.until("usable", usable)
        if complete:
            watch.strike(_DOWN, _NEXT)
            watch.until("complete", complete)
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):
            os.close(ours)
    return watch.figures


def _parts(home: str) -> Figures:
    """What is loaded, part by part, in a fresh process."""
    command = [sys.executable, "-c", _PARTS]
    run = subprocess.run(command, env=_environment(home), check=True, capture_output=True)
    figures: Figures = json.loads(run.stdout)
    return figures


def _is_painted(output: bytes) -> bool:
    _, taken, after = output.partition(_TAKEN_OVER)
    return bool(taken and _ESCAPES.sub(b"", after).strip())


def main() -> None:
    """Measure, and publish."""
    with tempfile.TemporaryDirectory(prefix="securechat-tui-bench-") as home:
        new_identity(Profile("default", Path(home) / "profiles" / "default"), "alice", 3072)
        bare = partial(_start, [sys.executable, "-c", _BARE], b"ready", b"", home)
        ours = partial(_start, _OURS, _CHOICE, _KEY, home)
        result = interleave({"bare Textual": bare, "ours": ours}, rounds=_ROUNDS)
        parts = interleave({"processor time": partial(_parts, home)}, rounds=_ROUNDS)
    targets = [
        Target("first paint ms", "ours", "bare Textual", 1.1, at_least=False),
        Target("first paint processor ms", "ours", "bare Textual", 1.1, at_least=False),
        Target("usable ms", "ours", "bare Textual", 1.35, at_least=False),
        Target("usable processor ms", "ours", "bare Textual", 1.35, at_least=False),
    ]
    publish(
        "Screen: start",
        f"{__doc__}\n{result.table()}\n{targets_table(result, targets)}\n{_WHY}\n{parts.table()}",
    )


if __name__ == "__main__":
    main()
