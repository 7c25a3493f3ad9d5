"""Fail a network at every byte of a handshake, in every way it can fail, and miss nothing.

Run it from the project's folder: PYTHONPATH=tests/support python tools/soak_faults.py MINUTES

Two engines come back after a cut, each with something to say, and the new connection is reset, truncated,
stalled or silenced in one direction when one side has written so many bytes. The faults are taken in random
order, each once, until all have been tried or the time is up: it says how many there are.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import pytest
from chat_people import opened, person, secured
from cutting_proxy import wire_to
from driven_time import DrivenTime
from faulty_wire import KINDS, Fault, Trial

from securechat_tui.network import backoff
from securechat_tui.storage.profile import HOME_VARIABLE

PER_PAIR = 200
"""Faults that two people suffer before they are replaced by new ones, so that no history grows long."""


async def suffer(home: Path, faults: list[Fault], until: float) -> int:
    """Let two people suffer faults, taken from the end of the list; return how many."""
    tried = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        clock = DrivenTime(patch)
        async with (
            opened(person("alice")) as host,
            opened(person("bob")) as guest,
            wire_to(await host.host()) as wire,
        ):
            await secured(host, guest, wire.address)
            trial = Trial(host, guest, wire, clock)
            if not faults:
                written = await trial.handshake()
                places = [(role, at + 1) for role in written for at in range(written[role])]
                faults += [Fault(kind, role, at) for kind, (role, at) in product(KINDS, places)]
                return 0
            while faults and tried < PER_PAIR and time.monotonic() < until:
                if not await trial.suffer(fault := faults.pop()):
                    raise AssertionError(f"it never came to {fault}")
                tried += 1
            trial.check()
    return tried


def main() -> int:
    """Read the arguments, and try."""
    parser = argparse.ArgumentParser(description="Fail at every byte of a handshake and miss nothing.")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="take the same order again")
    wanted = parser.parse_args()
    backoff.FIRST_PAUSE, backoff.LONGEST_PAUSE = 0.0, 0.005
    until = time.monotonic() + 60 * wanted.minutes
    faults: list[Fault] = []
    tried = 0
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(suffer(Path(folder) / "first", faults, until))
        total = len(faults)
        random.Random(wanted.seed).shuffle(faults)  # noqa: S311 - the order can be taken again from its seed
        while faults and time.monotonic() < until:
            tried += asyncio.run(suffer(Path(folder) / str(tried), faults, until))
            print(f"{tried} of {total} faults", flush=True)
    print(f"{tried} of {total} faults, seed {wanted.seed}: nothing lost, doubled or out of order")
    return 0


if __name__ == "__main__":
    sys.exit(main())
