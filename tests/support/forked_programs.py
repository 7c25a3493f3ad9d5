"""Programs that start at once: forks of an interpreter which has loaded the program and run nothing of it.

Each is a process of its own, with pipes, and ends as any other does, also under SIGKILL; what it is spared is
to load the modules, which is most of what a start takes. Linux and other systems with fork alone.

    python forked_programs.py FD     serve requests that come at this socket, until it is closed
"""

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

from hooked_program import Hooks

_MAX_REQUEST: Final = 16384
_STREAMS: Final = 3
_PATIENCE: Final = 60.0


class Nursery:
    """The interpreter that is forked; used in a ``with`` block."""

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, str(Path(__file__)), str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._socket.settimeout(_PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.wait()

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], hooks: Hooks, streams: Sequence[int]
    ) -> int:
        """Start the program with standard streams of one's own; return its process id."""
        request = {"arguments": list(arguments), "environment": dict(environment), "hooks": hooks.encode()}
        socket.send_fds(self._socket, [json.dumps(request).encode()], streams)
        return int(self._socket.recv(_MAX_REQUEST))

    def exit_code(self, pid: int) -> int:
        """Wait for the end of a program; negative for a signal. Its id is nobody's until then."""
        self._socket.send(json.dumps({"ended": pid}).encode())
        return int(self._socket.recv(_MAX_REQUEST))


def _serve(requests: socket.socket) -> None:
    while True:
        data, streams, _, _ = socket.recv_fds(requests, _MAX_REQUEST, _STREAMS)
        if not data:
            return
        request = json.loads(data)
        if "ended" in request:
            _, status = os.waitpid(request["ended"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if not answer:
                requests.close()
                _become(request, streams)
            for stream in streams:
                os.close(stream)
        requests.send(str(answer).encode())


def _become(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """Be the program, in a child of its own."""
    from securechat_tui import cli  # noqa: PLC0415 - loaded already

    code = 1
    try:
        for place, stream in enumerate(streams):
            os.dup2(stream, place)
            os.close(stream)
        # The parent's are of files of another kind, and cannot be used for pipes.
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.environ.clear()
        os.environ.update(request["environment"])
        Hooks(**json.loads(request["hooks"])).install()
        code = cli.main(request["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, nothing of the parent's may run in the child
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    # What a headless run loads. Nothing of it starts a thread or reads a key.
    from securechat_tui import cli  # noqa: F401, PLC0415
    from securechat_tui.chat import engine  # noqa: F401, PLC0415
    from securechat_tui.headless import faces  # noqa: F401, PLC0415
    from securechat_tui.storage import store  # noqa: F401, PLC0415

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        _serve(requests)


if __name__ == "__main__":
    main()
