"""Runs harnesses one after the other, with a line of figures for each.

Guided by coverage where atheris is installed, else by Hypothesis. What a guided search has found, and
an input that breaks a harness, is kept in ``.fuzz/``.
"""

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fuzz.harness import Harness
from fuzz.harnesses import HARNESSES
from fuzz.limits import Meter, peak
from fuzz.mutation import explore, hammer

_FOLDER: Final = Path(".fuzz")
_UNBOUNDED: Final = 1 << 31
_DONE: Final = re.compile(r"^Done (\d+) runs in (\d+) second", re.MULTILINE)
_TAIL: Final = 25


class Broken(Exception):
    """A harness found something; ``str(error)`` says what and where."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one harness did."""

    executions: int
    seconds: float
    corpus: int
    """Inputs that are kept: the seeds, and each that reached something that those before it did not."""
    peak: int
    """Most bytes that one of those had allocated at once."""

    def __str__(self) -> str:
        speed = f"{self.executions:>12,} executions in {self.seconds:6.0f} s"
        return f"{speed}, {self.corpus:>5} in the corpus, at most {self.peak // 1024:>5} KiB"


def _folder(harness: Harness) -> Path:
    folder = _FOLDER / harness.name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(harness: Harness) -> list[bytes]:
    """Return the seeds, and what a guided search has kept."""
    return [*harness.seeds(), *(path.read_bytes() for path in _folder(harness).glob("corpus/*"))]


def _guided(harness: Harness, seconds: int, runs: int) -> Report:
    """Run atheris in a process of its own; raises :class:`Broken`."""
    folder = _folder(harness)
    limits = [f"-max_total_time={seconds}", f"-runs={runs}", "-rss_limit_mb=1024", "-timeout=60"]
    child = [sys.executable, "-m", "fuzz.guided", harness.name, str(folder)]
    done = subprocess.run([*child, *limits], capture_output=True, text=True, errors="replace", check=False)
    figures = _DONE.search(done.stderr)
    if done.returncode or figures is None:
        raise Broken("\n".join([*(done.stdout + done.stderr).splitlines()[-_TAIL:], f"See {folder}/"]))
    kept = _kept(harness)
    return Report(int(figures[1]), int(figures[2]), len(kept), _greatest_peak(harness, kept))


def _hypothesis(harness: Harness, seconds: int, runs: int) -> Report:
    """Run Hypothesis here; raises :class:`Broken`."""
    meter = Meter(harness)
    return _here(harness, [*harness.seeds()], lambda: explore(harness, meter, seconds=seconds, runs=runs))


def _hammered(harness: Harness, seconds: int, runs: int) -> Report:
    """Run edits of what is kept, as fast as they can be made; raises :class:`Broken`."""
    meter, kept = Meter(harness), _kept(harness)
    return _here(harness, kept, lambda: hammer(harness, meter, kept, seconds=seconds, runs=runs))


def _here(harness: Harness, kept: Sequence[bytes], search: Callable[[], int]) -> Report:
    began = time.monotonic()
    try:
        executions = search()
    except Exception as error:
        notes = getattr(error, "__notes__", [])
        raise Broken("\n".join([f"{type(error).__name__}: {error}", *notes])) from error
    return Report(executions, time.monotonic() - began, len(kept), _greatest_peak(harness, kept))


def _greatest_peak(harness: Harness, inputs: Sequence[bytes]) -> int:
    return max((peak(harness, data) for data in inputs), default=0)


def _engine(*, hammering: bool) -> tuple[Callable[[Harness, int, int], Report], str]:
    if hammering:
        return _hammered, "edits of what is kept"
    if find_spec("atheris"):
        return _guided, "guided by coverage (atheris)"
    return _hypothesis, "not guided (Hypothesis)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line names; return 1 where something was found."""
    names = [harness.name for harness in HARNESSES]
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which ones; all by default: {', '.join(names)}")
    parser.add_argument("--seconds", type=int, default=10, help="for each (default: 10)")
    parser.add_argument("--hammer", action="store_true", help="only edit what is kept: more inputs, no guide")
    parser.add_argument("--runs", type=int, default=_UNBOUNDED, help="at most, for each")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.name) - set(names):
        parser.error(f"there is no harness {', '.join(sorted(unknown))}")
    run, how = _engine(hammering=chosen.hammer)
    print(how)
    broken = False
    for harness in HARNESSES:
        if harness.name in (chosen.name or names):
            try:
                print(f"{harness.name:<17}{run(harness, chosen.seconds, chosen.runs)}", flush=True)
            except Broken as found:
                broken = True
                print(f"{harness.name:<17}BROKEN\n{found}", flush=True)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
