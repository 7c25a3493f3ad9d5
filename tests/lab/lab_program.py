"""The installed program, driven over pipes with its JSON face."""

import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any, Self

import msgspec

PROGRAM = [sys.executable, "-m", "securechat_tui", "lab"]
SECONDS = 60


class Program:
    """One run of a command of the lab; it is killed if it outlives the test."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments, "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "SECURECHAT_TUI_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []
        self._waiting: deque[dict[str, Any]] = deque()
        self._guard = threading.Timer(SECONDS, self.process.kill)
        self._guard.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._guard.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def do(self, **command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(command) + b"\n")
        self.process.stdin.flush()

    def say(self, text: str) -> None:
        self.do(cmd="send", text=text)

    def see(self, word: str) -> dict[str, Any]:
        """Read on until the next event of this name."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self.events.append(msgspec.json.decode(line))
            if self.events[-1]["event"] == word:
                return self.events[-1]
        raise AssertionError((word, self.events, self.process.communicate()))

    def heard(self) -> str:
        """The text of the next message."""
        return str(self.see("message")["text"])

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        found = self.see("listening")
        return str(found["address"]), int(found["port"])

    def finish(self) -> int:
        """End the input, read what is left, and return the exit code."""
        out, _ = self.process.communicate(timeout=SECONDS)
        self.events += [msgspec.json.decode(line) for line in out.splitlines()]
        return self.process.returncode
