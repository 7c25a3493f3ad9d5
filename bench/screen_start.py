"""From the start of the process to the first paint, and until it can be used, against bare Textual.

Each run is a fresh process in a pseudo-terminal of 120x40. The first paint is the first text after the
terminal has been taken over; the program can be used when the start screen's choices stand there.
Processor time is that of all its threads at the same moments: on a busy machine it says more. Both have
their byte code, as an installation has it.
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
import securechat_tui.tui.app
done("our screens ms")
async def enter():
    async with Engine(open_profile(None)):
        done("profile and key ms")
asyncio.run(enter())
print(json.dumps(parts))
"""
_WHY: Final = """
The first paint is the curtain, drawn before anything else is imported. The start screen shows the identity
and the contacts, so that it waits for all of these. Missed: of what a bare app does not do, two thirds are
imports (up to half of that the making of 119 dataclasses), the rest the style sheets of the chat and the
start screen, parsed once more when the theme is put on, and their widgets. What was changed: one's own key
is checked by its numbers and by one pair of operations, in 2 ms instead of 134; the product of the small
primes is built in pairs (9.8 to 4.4 ms); what draws QR codes is imported with the first of them (12 ms); the
start screen's sheet no longer has all others parsed again (10 ms); the collector is off while loading (a
tenth). Next: the events and other small records as msgspec structs, which are made in a fraction of the
time; screens imported with their first use; a start screen that does without an engine at first.
"""
_OURS: Final = [str(Path(sys.executable).with_name("securechat-tui"))]
_CHOICE: Final = b"Try it alone"


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


def _start(command: Sequence[str], usable: bytes, home: str) -> Figures:
    """Start a program, and end it when it can be used."""
    ours, theirs = _open_terminal()
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=_environment(home))
    os.close(theirs)
    figures: dict[str, float] = {}
    output = b""
    try:
        while "usable ms" not in figures:
            if not select.select([ours], [], [], _PATIENCE_SECONDS)[0]:
                raise TimeoutError(f"{command[0]} never came about")
            output += os.read(ours, 65536)
            seen = {"first paint": _is_painted(output), "usable": usable in _ESCAPES.sub(b"", output)}
            for name, is_there in seen.items():
                if is_there and f"{name} ms" not in figures:
                    figures[f"{name} ms"] = (time.perf_counter() - begun) * 1e3
                    figures[f"{name} processor ms"] = _processor_ms(process.pid)
    finally:
        process.kill()
        process.wait()
        with suppress(OSError):
            os.close(ours)
    return figures


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
        bare = partial(_start, [sys.executable, "-c", _BARE], b"ready", home)
        ours = partial(_start, _OURS, _CHOICE, home)
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
