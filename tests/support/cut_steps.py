"""An operation on a profile that is cut at each of its steps, as by kill -9, and what is found after each.

A test gives a script, which is run by an interpreter of its own: it says what counts as a step, how the
profile is prepared, what is done to it, and how one looks at what is left.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = ["Cuts", "found_after_each_step"]

_CUT: Final = 9
_SUPPORT: Final = Path(__file__).parent


class Cuts:
    """Within the script: counts the steps, and ends a child before the one whose turn it is."""

    def __init__(self) -> None:
        self._calls = 0
        self._fatal = 0

    def count(self, owner: object, *names: str) -> None:
        """Let the calls of these functions be steps from here on."""
        for name in names:
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever is called
            self._calls += 1
            if self._calls == self._fatal:
                os._exit(_CUT)
            return real(*arguments, **named)

        return call

    def play(
        self,
        folder: Path,
        prepare: Callable[[Path], object],
        act: Callable[[Path], object],
        look: Callable[[Path], object],
    ) -> None:
        """Act on a copy of what was prepared until nothing is left to be cut; print what each look finds."""
        original, status = folder / "original", _CUT
        prepare(original)
        while status:
            self._fatal += 1
            place = folder / str(self._fatal)
            shutil.copytree(original, place)
            status = _exit_code(act, place)
            print(json.dumps([status, look(place)]), flush=True)
            shutil.rmtree(place)


def _exit_code(act: Callable[[Path], object], place: Path) -> int:
    child = os.fork()
    if child == 0:
        act(place)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def found_after_each_step(script: str, folder: Path, operation: str, *modules: Path) -> list[Any]:
    """Run a script, which is given a folder and an operation's name, and may import from ``modules`` too."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (_SUPPORT, *modules)))}
    command = [sys.executable, "-c", script, str(folder), operation]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    codes = [code for code, _ in outcomes]
    assert codes == [_CUT] * (len(codes) - 1) + [0]
    return [found for _, found in outcomes]
