"""Inputs near given ones: seeds with a few edits, chosen by a random generator or by Hypothesis.

Hypothesis takes the place of the generator in the tests, and where atheris is not: it repeats itself, and
makes small what it finds. A generator is for many inputs in little time.
"""

import time
from collections.abc import Callable, Sequence
from random import Random

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fuzz.harness import Harness

__all__ = ["explore", "hammer", "mutated", "try_some"]

Run = Callable[[bytes], object]
Edit = Callable[[Random, bytearray, Sequence[bytes]], None]

_ROUND = 500
_LONGEST_PIECE = 64
_MOST_EDITS = 4
_ODD_NUMBERS = tuple(
    value.to_bytes(length, "big")
    for length in (1, 2, 4, 8)
    for value in (0, 1, (1 << 8 * length - 1) - 1, 1 << 8 * length - 1, (1 << 8 * length) - 1)
)


def _span(random: Random, data: Sequence[int]) -> slice:
    """Choose a short piece."""
    start = random.randint(0, len(data))
    return slice(start, start + random.randint(0, _LONGEST_PIECE))


def _flip(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    if data:
        data[random.randint(0, len(data) - 1)] ^= 1 << random.randint(0, 7)


def _put_number(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    number, place = random.choice(_ODD_NUMBERS), random.randint(0, len(data))
    data[place : place + len(number)] = number


def _step(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    """Make a byte one larger or smaller: lengths and counts are seldom far off."""
    if data:
        place = random.randint(0, len(data) - 1)
        data[place] = (data[place] + random.choice((1, 255))) & 0xFF


def _insert(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    place = random.randint(0, len(data))
    data[place:place] = bytes((random.randint(0, 255),)) * random.randint(1, 4)


def _delete(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    del data[_span(random, data)]


def _repeat(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    place = random.randint(0, len(data))
    data[place:place] = data[_span(random, data)]


def _cut(random: Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    del data[random.randint(0, len(data)) :]


def _splice(random: Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = random.choice(seeds)
    data[_span(random, data)] = other[_span(random, other)]


_EDITS: tuple[Edit, ...] = (_flip, _flip, _put_number, _step, _insert, _delete, _repeat, _cut, _splice)


def mutated(random: Random, seeds: Sequence[bytes], longest: int) -> bytes:
    """Return one of the seeds after up to four edits, at most ``longest`` bytes of it."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(0, _MOST_EDITS)):
        random.choice(_EDITS)(random, data, seeds)
    return bytes(data[:longest])


def try_some(harness: Harness, run: Run, *, count: int, start: int = 0) -> int:
    """Run up to ``count`` inputs that Hypothesis chooses, the same for the same ``start``; return how many.

    What ``run`` raises comes out, with the smallest input found that raises it.
    """
    tried = 0
    near = st.builds(
        mutated, st.randoms(use_true_random=False), st.just([*harness.seeds()]), st.just(harness.longest)
    )

    @seed(start)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(near)
    def attempt(data: bytes) -> None:
        nonlocal tried
        tried += 1
        run(data)

    attempt()
    return tried


def explore(harness: Harness, run: Run, *, seconds: float, runs: int) -> int:
    """Let Hypothesis choose for some time or up to a number of inputs; return how many it were."""
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end and tried < runs:
        tried += try_some(harness, run, count=min(_ROUND, runs - tried), start=tried)
    return tried


def hammer(harness: Harness, run: Run, kept: Sequence[bytes], *, seconds: float, runs: int) -> int:
    """Run edits of what is kept for some time or up to a number of inputs; return how many it were.

    What ``run`` raises comes out, with a note that holds the input in hexadecimal.
    """
    random, end, tried = Random(), time.monotonic() + seconds, 0
    while time.monotonic() < end and tried < runs:
        for _ in range(min(_ROUND, runs - tried)):
            data = mutated(random, kept, harness.longest)
            try:
                run(data)
            except Exception as error:
                error.add_note(f"data=bytes.fromhex({data.hex()!r})")
                raise
            tried += 1
    return tried
