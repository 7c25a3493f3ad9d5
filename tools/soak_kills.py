"""Kill two programs that talk with each other, again and again, for as long as wanted, and miss nothing.

Run it from the project's folder: PYTHONPATH=tests/support python tools/soak_kills.py MINUTES

Host and guest (``--json``) say one thing after the other. One of them is killed with SIGKILL at a random
moment, half of the time once more before or after a commit or a write to the network, and lives again; then
the next. After so many kills all that waits is delivered, both end, and what must hold is looked for in both
histories. The programs are forks of an interpreter that has loaded them, and a guest's pauses between two
calls are shortened; nothing else differs from the program as people run it.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from forked_programs import Nursery
from killed_programs import Pair, repeated_seals
from terminal_programs import settle

KILLS_PER_ROUND = 100
LONGEST_LIFE = 1.0
LAST_CALL = 20
"""A program that kills itself does so at one of so many commits or writes, counted from its start."""


async def kill_one(pair: Pair, chance: random.Random) -> None:
    """Kill one of the two, perhaps twice."""
    side = chance.choice([pair.host, pair.guest])
    await asyncio.sleep(LONGEST_LIFE * chance.random())
    if not await pair.kill(side):
        return
    if chance.random() < 0.5:  # noqa: PLR2004
        point, count = chance.choice(["commit", "send"]), chance.randint(1, LAST_CALL)
        if not await pair.die_at(side, point=point, after=chance.random() < 0.5, count=count):  # noqa: PLR2004
            return
    pair.begin(side)


async def play(nursery: Nursery, home: Path, chance: random.Random, until: float) -> Pair:
    """Kill a pair until a round is full, or the time is up; it has ended by then."""
    for name in ("alice", "bob"):
        settle(home, name)
    async with Pair(nursery, home) as pair:
        while pair.kills < KILLS_PER_ROUND and time.monotonic() < until:
            await kill_one(pair, chance)
        await pair.finish()
    return pair


async def soak(minutes: float, seed: int) -> int:
    """Play rounds for so long; return 1 where anything was lost, doubled or out of order."""
    chance = random.Random(seed)  # noqa: S311 - what is killed when can be chosen again from its seed
    until = time.monotonic() + 60 * minutes
    kills = messages = seals = 0
    found: list[str] = []
    with Nursery() as nursery:
        while time.monotonic() < until and not found:
            with tempfile.TemporaryDirectory() as folder:
                pair = await play(nursery, Path(folder), chance, until)
                found = pair.complaints()
                kills += pair.kills
                messages += len(pair.host.history()[0]) + len(pair.guest.history()[0])
                seals += repeated_seals(pair.seals)[0]
            print(f"{kills} kills, {messages} messages, {seals} sealings", flush=True)
    print(f"{minutes:g} minutes, seed {seed}")
    print("\n".join(found) or "nothing lost, doubled or out of order, and no key and nonce used twice")
    return bool(found)


def main() -> int:
    """Read the arguments."""
    parser = argparse.ArgumentParser(description="Kill a conversation at random and miss nothing of it.")
    parser.add_argument("minutes", type=float)
    parser.add_argument(
        "--seed", type=int, default=time.time_ns(), help="choose the same again (default: anew)"
    )
    wanted = parser.parse_args()
    return asyncio.run(soak(wanted.minutes, wanted.seed))


if __name__ == "__main__":
    sys.exit(main())
