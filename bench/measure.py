"""Measure contestants side by side, compare them, and write the result down.

Absolute figures swing with whatever else a machine does. So the contestants take turns: a round runs
each of them once, in an order that rotates, and what counts is the median over the rounds of the
*ratio within one round*. Nothing here fails because of a clock.

    result = interleave({"ours": ours, "raw": raw}, rounds=9)
    publish("Title of the section", result.table())
"""

import gc
import os
import platform
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

Figures = Mapping[str, float]
"""What one sample measured, by the name of the figure, which says its unit: ``{"p50 us": 31.5}``."""
Sample = Callable[[], Figures]

_LEAST_ROUNDS = 3
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
_HEAD = """# Measured

Made by `make bench`; each benchmark replaces its own section. The contestants of a table took turns in
one run, both peers in processes of their own over loopback. Figures are medians over the rounds; a ratio
is the median of the ratios within each round, with the middle half of them in brackets, and then the
ratio of the two least disturbed rounds. "CPU us each" is the processor time of both peers together.

A load average above the number of cores means that the machine was busy with other things. Then the
clock, above all for whatever needs several turns of both peers, says little; processor time says what
the work costs, though caches that others have emptied make it dearer too.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the ratio of a contestant's figure to a rival's; ``at_least`` tells its direction."""

    figure: str
    contestant: str
    rival: str
    bound: float
    at_least: bool = True

    def reached(self, ratio: float) -> bool:
        """Tell whether a ratio keeps the bound."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound


@dataclass(frozen=True, slots=True)
class Result:
    """All samples of one run, in the order of the rounds."""

    samples: Mapping[str, Sequence[Figures]]

    @property
    def rounds(self) -> int:
        """How often each contestant had its turn."""
        return len(next(iter(self.samples.values())))

    def values(self, name: str, figure: str) -> list[float]:
        """Return a contestant's figure in each round; empty where it does not measure it."""
        return [sample[figure] for sample in self.samples[name] if figure in sample]

    def median(self, name: str, figure: str) -> float:
        """Return the median of a contestant's figure."""
        return statistics.median(self.values(name, figure))

    def best(self, name: str, target: Target) -> float:
        """Return a contestant's figure in the round that disturbed it least."""
        values = self.values(name, target.figure)
        return max(values) if target.at_least else min(values)

    def ratios(self, name: str, rival: str, figure: str) -> list[float]:
        """Return the ratio of two contestants' figures within each round."""
        pairs = zip(self.values(name, figure), self.values(rival, figure), strict=True)
        return [one / other for one, other in pairs]

    def table(self) -> str:
        """Return a Markdown table: a row for each contestant, a column for each figure."""
        figures = list(dict.fromkeys(figure for rows in self.samples.values() for figure in rows[0]))
        lines = ["| contestant | " + " | ".join(figures) + " |", "|---|" + "---:|" * len(figures)]
        for name in self.samples:
            cells = (self._cell(name, figure) for figure in figures)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def _cell(self, name: str, figure: str) -> str:
        return plain(self.median(name, figure)) if self.values(name, figure) else "-"


def plain(value: float) -> str:
    """Return a number with three digits that mean something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def interleave(
    contestants: Mapping[str, Sample], rounds: int, *, warm_up: int = 1, within: float = 45.0
) -> Result:
    """Run the contestants in turns; ``warm_up`` rounds before the first are not counted.

    On a machine that is busy with other things there are fewer rounds: after ``within`` seconds none
    begins any more, except that there are three at least.
    """
    names = list(contestants)
    end = time.monotonic() + within
    samples: dict[str, list[Figures]] = {name: [] for name in names}
    for turn in range(-warm_up, rounds):
        if turn >= _LEAST_ROUNDS and time.monotonic() > end:
            break
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            figures = contestants[name]()
            if turn >= 0:
                samples[name].append(figures)
    return Result(samples)


def targets_table(result: Result, targets: Iterable[Target]) -> str:
    """Return a Markdown table: each target, what was measured, and whether it is reached."""
    lines = ["| target | measured (middle half) | best against best | reached |", "|---|---|---|---|"]
    for target in targets:
        ratios = result.ratios(target.contestant, target.rival, target.figure)
        middle = statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        sign = ">=" if target.at_least else "<="
        what = f"{target.figure}: {target.contestant} {sign} {target.bound:.3g} x {target.rival}"
        reached = "yes" if target.reached(middle) else "**no**"
        best = result.best(target.contestant, target) / result.best(target.rival, target)
        lines.append(f"| {what} | {middle:.3g} x ({low:.3g} to {high:.3g}) | {best:.3g} x | {reached} |")
    return "\n".join(lines) + "\n"


def machine(packages: Iterable[str] = ()) -> str:
    """Describe the machine by kind, and the versions that matter; nothing that names it."""
    wanted = ("cryptography", "textual", *packages)
    versions = ", ".join(f"{name} {version(name)}" for name in dict.fromkeys(wanted))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    kind = f"{_processor()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} just after"
    return f"{kind}; {platform.system()}; {python}; {versions}."


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else platform.machine()


def publish(title: str, body: str, packages: Iterable[str] = ()) -> None:
    """Print a section and merge it into ``RESULTS.md``; ``packages`` are named with their versions."""
    section = f"Machine: {machine(packages)}\n\n{body.strip()}\n"
    sys.stdout.write(f"## {title}\n\n{section}\n")
    sys.stdout.flush()
    old = RESULTS.read_text() if RESULTS.exists() else _HEAD
    _replace(RESULTS, merged(old, title, section))


def merged(document: str, title: str, section: str) -> str:
    """Return a document in which the section under ``## title`` is replaced, or added at the end."""
    head, *parts = re.split(r"^## ", document, flags=re.MULTILINE)
    sections = {name: text for name, _, text in (part.partition("\n") for part in parts)}
    sections[title] = f"\n{section}"
    bodies = (f"## {name}\n\n{text.strip()}\n" for name, text in sections.items())
    return "\n".join([head.strip() + "\n", *bodies])


def _replace(path: Path, text: str) -> None:
    """Write the file in one step, so that a broken run leaves the old one."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
