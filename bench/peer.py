"""The other end of a benchmark: a process of its own, and what is asked of it.

Every kind of peer keeps the same bargain. A message that begins with ``SWALLOW`` is received, checked and
dropped; any other is sent back the same way. So a flood is timed up to the echo of a last message, by
which everything before it has been received and checked.

    python -m bench.peer KIND FOLDER     serve until standard input ends; the port goes to standard output
"""

import importlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SWALLOW = b"s"
ECHO = b"e"
Announce = Callable[[int], None]


def text(kind: bytes, size: int) -> bytes:
    """Return a message of ``size`` bytes."""
    return kind.ljust(size, b"x")


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer process that serves at ``port``."""

    port: int
    _process: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def running(cls, kind: str, folder: Path) -> Iterator[Self]:
        """Start what ``bench.KIND`` serves, say ``streams.serve_tls``, and end it afterwards."""
        command = [sys.executable, "-m", "bench.peer", kind, str(folder)]
        root, pipe = Path(__file__).resolve().parent.parent, subprocess.PIPE
        with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe, text=True) as process:
            if process.stdout is None:
                raise ValueError
            yield cls(int(process.stdout.readline()), process)
            process.communicate()

    def cpu_seconds(self) -> float:
        """Return the processor time that the peer has used so far."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError
        self._process.stdin.write("cpu\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


class Peers(ExitStack):
    """Peers that run until the end of a ``with`` block, and a folder for what they share with us."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory()))

    def start(self, kind: str) -> Peer:
        """Start one more."""
        return self.enter_context(Peer.running(kind, self.folder))


def connected(port: int, *, no_delay: bool = True) -> socket.socket:
    """Return a blocking socket to a peer."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)
    return sock


def main() -> None:
    """Serve until the parent closes our standard input or is gone; tell it our processor time."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    module, _, function = kind.partition(".")
    serve: Callable[[Path, Announce], None] = getattr(importlib.import_module(f"bench.{module}"), function)
    threading.Thread(target=serve, args=(folder, lambda port: print(port, flush=True)), daemon=True).start()
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


if __name__ == "__main__":
    main()
