"""Seeds with a few edits, chosen by Hypothesis: the search in the tests, and where atheris is not."""

import time
from collections.abc import Callable, Sequence

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from fuzz.harness import Harness

__all__ = ["explore", "inputs", "try_some"]

Edit = tuple[int, int, bytes]
"""Where, in bytes from the front and round the end again; how many bytes go; what comes in their place."""

_ODD_NUMBERS = tuple(
    value.to_bytes(length, "big")
    for length in (1, 2, 4, 8)
    for value in (0, 1, (1 << 8 * length - 1) - 1, (1 << 8 * length) - 1)
)
_EDITS: st.SearchStrategy[list[Edit]] = st.lists(
    st.tuples(
        st.integers(0, 8191),
        st.integers(0, 4) | st.integers(0, 4096),
        st.binary(max_size=4) | st.sampled_from(_ODD_NUMBERS) | st.binary(max_size=64),
    ),
    max_size=5,
)


def _edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    for place, length, new in edits:
        start = place % (len(data) + 1)
        data = data[:start] + new + data[start + length :]
    return data


def inputs(harness: Harness) -> st.SearchStrategy[bytes]:
    """Inputs near a harness's seeds, none longer than it allows."""
    seeds = st.sampled_from([*harness.seeds()])
    return st.builds(_edited, seeds, _EDITS).map(lambda data: data[: harness.longest])


def try_some(harness: Harness, run: Callable[[bytes], object], *, count: int, start: int = 0) -> int:
    """Run inputs, the same ones for the same ``start``, up to ``count``; return how many it were.

    What ``run`` raises comes out, with the smallest input found that raises it.
    """
    tried = 0

    @seed(start)
    @settings(max_examples=count, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(inputs(harness))
    def attempt(data: bytes) -> None:
        nonlocal tried
        tried += 1
        run(data)

    attempt()
    return tried


def explore(harness: Harness, run: Callable[[bytes], object], *, seconds: float, runs: int) -> int:
    """Run inputs for some time or up to a number of them, whichever comes first; return how many it were."""
    end, tried = time.monotonic() + seconds, 0
    while time.monotonic() < end and tried < runs:
        tried += try_some(harness, run, count=min(500, runs - tried), start=tried)
    return tried
