"""Resident memory with many messages, against an app with nothing in it: each in a fresh process.

The figure is what the operating system counts, after a collection. It hardly differs between runs. "Ours"
is the log by itself, made to hold all of them; the program lets it have two thousand ("a million messages
kept").
"""

import asyncio
import gc
import subprocess
import sys
from functools import partial
from typing import Final

from bench.glass import SIZE
from bench.measure import Figures, Sample, Target, interleave, publish, targets_table
from bench.message_lists import Contestant, Nothing, Options, Ours, Rich, WidgetEach, quiet
from bench.probes import resident_mib

_KINDS: Final = {kind.__name__: kind for kind in (Nothing, Ours, WidgetEach, Rich, Options)}
_CONTESTANTS: Final = {
    "empty app": (Nothing, 0),
    "a widget each, 1,000": (WidgetEach, 1_000),
    "RichLog, 10,000": (Rich, 10_000),
    "OptionList, 100,000": (Options, 100_000),
    "ours, 100,000": (Ours, 100_000),
    "ours, 1,000,000": (Ours, 1_000_000),
}
_FIGURE: Final = "resident MiB"


async def _weigh(app: Contestant, count: int) -> float:
    running = asyncio.create_task(app.run_async(size=SIZE, mouse=False))
    await app.glass.painted_after(0)
    await app.fill(count)
    await quiet(app)
    gc.collect()
    weight = resident_mib()
    app.exit()
    await running
    return weight


def _weighed(kind: type[Contestant], count: int) -> Figures:
    command = [sys.executable, "-m", "bench.screen_memory", kind.__name__, str(count)]
    return {_FIGURE: float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)}


def main() -> None:
    """Weigh one contestant in this process, if arguments name it; else all, and publish."""
    if len(sys.argv) > 2:
        print(asyncio.run(_weigh(_KINDS[sys.argv[1]](), int(sys.argv[2]))))
        return
    samples: dict[str, Sample] = {
        name: partial(_weighed, kind, count) for name, (kind, count) in _CONTESTANTS.items()
    }
    result = interleave(samples, rounds=1, warm_up=0)
    targets = [Target(_FIGURE, "ours, 100,000", "empty app", 1.6, at_least=False)]
    publish("Screen: memory", f"{__doc__}\n{result.table()}\n{targets_table(result, targets)}")


if __name__ == "__main__":
    main()
