"""The installed program with hooks: it kills itself at a chosen call, notes what it seals, has another clock.

    python hooked_program.py HOOKS PROGRAM ARGUMENT ...     HOOKS is JSON; the rest is what a person types

The hooks take the place of names in loaded modules; the files of the program are as they are installed.
"""

import itertools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

P = ParamSpec("P")
R = TypeVar("R")

QUICK_PAUSES: Final = (0.02, 0.2)
"""The first and the longest pause between two calls of a guest, in seconds."""
ON_THE_NETWORK: Final = (socket.AF_INET, socket.AF_INET6)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is different from the program as people run it, besides the shorter pauses of its calls."""

    seals: str = ""
    """A file that is given SHA-256(key || nonce) of everything that is sealed."""
    point: Literal["", "commit", "send"] = ""
    """At which kind of call it kills itself: a transaction of a conversation, or a write to a socket."""
    after: bool = False
    """Whether it dies when the call has returned, or before it is made."""
    count: int = 1
    """At the how-many-eth call."""
    clock: float = 0.0
    """Seconds by which its clock on the wall is ahead."""
    rekey: float = 0.0
    """Seconds between two renewals of the keys; 0 as they are."""

    def encode(self) -> str:
        return json.dumps(asdict(self))

    def command(self) -> tuple[str, ...]:
        """What is put before the program's own command, to run it with these hooks."""
        return sys.executable, str(Path(__file__)), self.encode()

    def install(self) -> None:
        """Put the hooks in this process."""
        _call_quickly()
        if self.seals:
            _note_seals(self.seals)
        if self.point:
            _die_at(self)
        if self.clock:
            _shift_clock(self.clock)
        if self.rekey:
            _rekey_every(self.rekey)


def _call_quickly() -> None:
    from securechat_tui.network import backoff  # noqa: PLC0415 - loaded where the program is

    backoff.FIRST_PAUSE, backoff.LONGEST_PAUSE = QUICK_PAUSES


def _note_seals(path: str) -> None:
    from securechat_tui.protocol import primitives  # noqa: PLC0415

    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    class Noted:
        def __init__(self, key: bytes) -> None:
            self._cipher, self._key = AESGCM(key), key

        def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
            os.write(file, sha256(self._key + nonce).digest())
            return self._cipher.encrypt(nonce, data, associated_data)

        def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
            return self._cipher.decrypt(nonce, data, associated_data)

    module: Any = primitives
    module.AESGCM = Noted


def _die_at(hooks: Hooks) -> None:
    from securechat_tui.storage.history import ConversationStore  # noqa: PLC0415

    calls = itertools.count(1)

    def counted(call: Callable[P, R], counts: Callable[..., bool]) -> Callable[P, R]:
        def instead(*arguments: P.args, **named: P.kwargs) -> R:
            is_last = counts(*arguments) and next(calls) == hooks.count
            if is_last and not hooks.after:
                _die()
            result = call(*arguments, **named)
            if is_last:
                _die()
            return result

        return instead

    def on_network(sock: socket.socket, *_: object) -> bool:
        return sock.family in ON_THE_NETWORK

    if hooks.point == "commit":
        ConversationStore.write = counted(ConversationStore.write, lambda *_: True)  # type: ignore[method-assign]
    else:
        socket.socket.send = counted(socket.socket.send, on_network)  # type: ignore[method-assign]
        socket.socket.sendmsg = counted(socket.socket.sendmsg, on_network)  # type: ignore[method-assign]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _shift_clock(seconds: float) -> None:
    real = time.time
    time.time = lambda: real() + seconds
    time.time_ns = lambda: round(time.time() * 1_000_000_000)


def _rekey_every(seconds: float) -> None:
    from securechat_tui.protocol import constants  # noqa: PLC0415

    changed: Any = constants
    changed.REKEY_SECONDS = seconds


def main() -> int:
    from securechat_tui import cli  # noqa: PLC0415

    Hooks(**json.loads(sys.argv[1])).install()
    return cli.main(sys.argv[3:])


if __name__ == "__main__":
    sys.exit(main())
