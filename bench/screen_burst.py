"""Keys, drawing and the loop while messages come in as fast as they are taken, over the real protocol.

The real program stands before a terminal that takes everything and shows nothing; the other person is a
real engine in another process. Rounds of quiet and bursts of 4,000 messages take turns. Somebody types
into the composer all the while: a key's latency is the time from the key to its character in what is
painted. The loop's lag is by how much a task that sleeps 5 ms is late.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench.glass import SIZE, Glass
from bench.measure import Figures, Result, interleave, publish
from bench.other_person import other_person
from bench.probes import LagProbe, Spread, Typist, resident_mib, until
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.openings import JoinTarget
from securechat_tui.chat.profiles import new_identity
from securechat_tui.storage.profile import Profile
from securechat_tui.tui.app import SETTLED_SECONDS, ChatApp, settle_memory

_ROUNDS: Final = 5
_MESSAGES: Final = 4_000
_KEYS: Final = 100
_KEY_PAUSE_SECONDS: Final = 0.03
_PATIENCE_SECONDS: Final = 60.0
_WHY: Final = """
A key waited for the next frame above all: Textual paints every 17 ms at the most, and where a paint is
late, 33 ms pass. What was changed, on a busy machine, where a key took 8 times as long as in quiet and
2,250 messages came in a second: what is typed is painted at once, beside the frames (5 times); in a burst
events gather for 50 ms, so that the log is drawn less often, and a key has the screen laid out anew no
more, which a hint beneath the composer did that stayed the same (2 to 3.5 times); events gather for 100 ms
(1.6 times, 3,100 messages a second). With events gathered, but what is typed left to the frames, it was 8
times again.
"""


class _Person:
    """Somebody at the screen of the real program, and the probes."""

    def __init__(self, runner: asyncio.Runner, engine: Engine, address: str) -> None:
        self._runner = runner
        self._app = ChatApp(engine, JoinTarget(address))
        self._glass = Glass()
        self._glass.stand_before(self._app)
        self._typist = Typist(self._glass)
        self._running = runner.run(self._come())

    async def _come(self) -> "asyncio.Task[int | None]":
        running = asyncio.create_task(self._app.run_async(size=SIZE, mouse=False))
        await until(lambda: self._app.state.ever_secure, _PATIENCE_SECONDS)
        await asyncio.sleep(SETTLED_SECONDS)
        settle_memory()
        return running

    def quiet(self) -> Figures:
        """Type, while nothing comes."""
        return self._runner.run(self._probed(self._type_some))

    def burst(self) -> Figures:
        """Type, while messages come as fast as they are taken."""
        return {**self._runner.run(self._probed(self._burst)), "resident MiB": resident_mib()}

    async def _type_some(self) -> int:
        for _ in range(_KEYS):
            await self._key()
        return 0

    async def _burst(self) -> int:
        wanted = self._app.state.counters.received + _MESSAGES
        self._glass.strike("ctrl+u")
        self._typist.draft = ""
        await self._typist.write(f"burst {_MESSAGES}")
        self._typist.send()
        while self._app.state.counters.received < wanted:
            await self._key()
        return _MESSAGES

    async def _key(self) -> None:
        await self._typist.key()
        await asyncio.sleep(_KEY_PAUSE_SECONDS)

    async def _probed(self, work: Callable[[], Awaitable[int]]) -> Figures:
        self._typist.latencies.clear()
        paints, begun = self._glass.paints, time.perf_counter()
        async with LagProbe() as probe:
            messages = await work()
        seconds = time.perf_counter() - begun
        keys, lag = Spread.of(self._typist.latencies), Spread.of(probe.lags)
        return {
            "key p50 ms": keys.p50,
            "key p99 ms": keys.p99,
            "lag p50 ms": lag.p50,
            "lag p99 ms": lag.p99,
            "messages/s": messages / seconds,
            "paints/s": (self._glass.paints - paints) / seconds,
        }

    async def leave(self) -> None:
        """Go."""
        self._app.exit()
        with suppress(asyncio.CancelledError):
            await self._running


def _measure(folder: Path) -> Result:
    own = Profile("bench", folder / "bench")
    new_identity(own, "alice", 3072)
    with other_person(folder) as (_, address), asyncio.Runner() as runner:
        engine = runner.run(_entered(Engine(own)))
        person = _Person(runner, engine, address)
        result = interleave({"quiet": person.quiet, "burst": person.burst}, rounds=_ROUNDS, warm_up=0)
        runner.run(person.leave())
        runner.run(engine.close())
    return result


async def _entered(engine: Engine) -> Engine:
    return await engine.__aenter__()


def main() -> None:
    """Measure, and publish."""
    with tempfile.TemporaryDirectory(prefix="securechat-tui-bench-") as folder:
        result = _measure(Path(folder))
    first, last = (result.values("burst", "resident MiB")[at] for at in (0, -1))
    ratios = "\n".join(
        f"* {name}: {_median(result, name):.3g} x as long in a burst as in quiet"
        for name in ("key p50 ms", "key p99 ms", "lag p99 ms")
    )
    grown = f"Memory: {first:.0f} MiB after {_MESSAGES:,} messages,"
    grown += f" {last:.0f} MiB after {result.rounds * _MESSAGES:,}."
    grown += f" Load of the machine meanwhile (processes that want to run): {os.getloadavg()[2]:.1f}."
    publish("Screen: a burst", f"{__doc__}\n{result.table()}\n{ratios}\n\n{grown}\n{_WHY}")


def _median(result: Result, figure: str) -> float:
    ratios = sorted(result.ratios("burst", "quiet", figure))
    return ratios[len(ratios) // 2]


if __name__ == "__main__":
    main()
