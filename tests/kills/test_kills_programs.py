"""Programs that are killed with SIGKILL, before and after every commit and every send, and at random."""

import asyncio
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from forked_programs import Nursery
from killed_programs import Pair
from terminal_programs import settle

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="programs are forked here")

POINTS = range(1, 12)
"""A life of a program commits and sends a few times until its session stands, then for each message."""
MOMENTS = 6
SEED = 1
LONGEST_LIFE = 0.6
"""Seconds; a session stands after about a third of it."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


@pytest.fixture
def people(tmp_path: Path) -> Path:
    for name in ("alice", "bob"):
        settle(tmp_path, name)
    return tmp_path


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("point", ["commit", "send"])
@pytest.mark.parametrize("victim", ["host", "guest"])
async def test_killed_at_every_commit_and_send(
    nursery: Nursery, people: Path, victim: str, point: str, after: bool
) -> None:
    async with Pair(nursery, people) as pair:
        side = pair.host if victim == "host" else pair.guest
        await pair.kill(side)
        for count in POINTS:
            assert await pair.die_at(side, point=point, after=after, count=count)
        pair.begin(side)
        await pair.finish()
    assert pair.complaints() == []
    assert pair.kills == 1 + len(POINTS)


async def test_killed_at_random_moments(nursery: Nursery, people: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - whom it strikes is the same every time
    async with Pair(nursery, people) as pair:
        for _ in range(MOMENTS):
            side = chance.choice([pair.host, pair.guest])
            await asyncio.sleep(LONGEST_LIFE * chance.random())  # the moment itself is what is chosen
            await pair.kill_and_begin(side)
        await pair.finish()
    assert pair.complaints() == []
    assert pair.kills >= MOMENTS - 1
