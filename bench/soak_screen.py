"""An hour with the screen: a burst of 100,000 messages, then chat, round after round.

The real program (engine, protocol, screen) at 120x40 before a terminal of glass; the other person is a
real engine too, in a process of its own, over loopback, and answers as the practice peer does. Each
minute gives one line of JSON: resident memory of both processes, key latency, loop lag. At the end the
first minutes after the burst are compared with the last ones.

Run it with ``make soak-screen`` (an hour), ``make soak-screen MINUTES=5``, or from the project's folder
with ``python -m bench.soak_screen [MINUTES [MESSAGES]]``.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from bench.glass import SIZE, Glass
from bench.other_person import other_person
from bench.probes import LagProbe, Spread, Typist, resident_mib, until
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.openings import JoinTarget
from securechat_tui.chat.profiles import new_identity
from securechat_tui.storage.profile import Profile
from securechat_tui.tui.app import SETTLED_SECONDS, ChatApp, settle_memory

_MINUTE: Final = 60.0
_COMPARED: Final = 5
"""Minutes at the beginning and at the end that are compared."""
_BREATH_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 1200.0
_PAGES_EVERY: Final = 10


class Soak:
    """One long run."""

    def __init__(self, app: ChatApp, glass: Glass, peer: int, minutes: float, messages: int) -> None:
        self._app = app
        self._glass = glass
        self._peer = peer
        self._minutes = minutes
        self._messages = messages
        self._typist = Typist(glass)
        self.samples: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Meet, take the burst, and chat until the time is over."""
        try:
            await until(lambda: self._app.state.ever_secure, _PATIENCE_SECONDS)
            await asyncio.sleep(SETTLED_SECONDS)
            settle_memory()
            await self._burst()
            begun = time.monotonic()
            for minute in range(1, 1 + round(self._minutes)):
                await self._chat_until(begun + minute * _MINUTE, minute)
        finally:
            self._app.exit()

    async def _burst(self) -> None:
        before = self._received
        async with LagProbe() as probe:
            await self._typist.write(f"burst {self._messages}")
            self._typist.send()
            begun = time.monotonic()
            while self._received < before + self._messages:
                await self._typist.key()
                await asyncio.sleep(0.05)
        self._note("burst", probe, seconds=round(time.monotonic() - begun, 1))
        await self._typist.write(" end")
        self._typist.send()

    async def _chat_until(self, end: float, minute: int) -> None:
        rounds = 0
        async with LagProbe() as probe:
            while time.monotonic() < end:
                await self._round()
                rounds += 1
        self._note(minute, probe, rounds=rounds)

    async def _round(self) -> None:
        """Write a message, send it, and read the answer."""
        answered = self._received + 1
        for _ in range(16):
            await self._typist.key()
            await asyncio.sleep(0.02)
        self._typist.send()
        await until(lambda: self._received >= answered, _PATIENCE_SECONDS)
        if self._received % _PAGES_EVERY == 0:
            for key in ("pageup", "pageup", "pagedown", "ctrl+end"):
                self._glass.strike(key)
                await asyncio.sleep(0.1)
        await asyncio.sleep(_BREATH_SECONDS)

    @property
    def _received(self) -> int:
        return self._app.state.counters.received

    def _note(self, when: int | str, probe: LagProbe, **more: object) -> None:
        sample = {
            "when": when,
            "resident_mib": round(resident_mib(), 1),
            "peer_mib": round(resident_mib(self._peer), 1),
            "key_ms": _rounded(self._typist.latencies),
            "lag_ms": _rounded(probe.lags),
            "received": self._received,
            **more,
        }
        self._typist.latencies.clear()
        self.samples.append(sample)
        # Standard output belongs to the app while it runs.
        print(json.dumps(sample), file=sys.__stderr__, flush=True)


def _rounded(seconds: list[float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in Spread.of(seconds)._asdict().items()}


def summary(samples: list[dict[str, Any]]) -> str:
    """Compare the minutes after the burst with the last ones."""
    minutes = [sample for sample in samples if sample["when"] != "burst"]
    count = min(_COMPARED, len(minutes) // 2)
    if not count:
        return "Too short a run to compare its beginning with its end."
    early, late = minutes[:count], minutes[-count:]
    lines = [f"{count} minutes after the burst, and the last {count} of {len(minutes)}:"]
    for name, of in (
        ("resident MiB", lambda one: one["resident_mib"]),
        ("key p50 ms", lambda one: one["key_ms"]["p50"]),
        ("key p99 ms", lambda one: one["key_ms"]["p99"]),
        ("loop lag p99 ms", lambda one: one["lag_ms"]["p99"]),
    ):
        first, last = (sum(map(of, part)) / count for part in (early, late))
        lines.append(f"{name:>16}: {first:8.2f} -> {last:8.2f}  ({last / first:.2f} x)")
    return "\n".join(lines)


async def soak(minutes: float, messages: int, folder: Path) -> list[dict[str, Any]]:
    """Run the program for as long, with throw-away profiles below ``folder``."""
    own = Profile("soak", folder / "soak")
    new_identity(own, "alice", 3072)
    with other_person(folder) as (peer, address):
        async with Engine(own) as engine:
            app, glass = ChatApp(engine, JoinTarget(address, new=False)), Glass()
            glass.stand_before(app)
            run = Soak(app, glass, peer, minutes, messages)
            screen = asyncio.create_task(app.run_async(size=SIZE, mouse=False))
            await run.run()
            await screen
    return run.samples


def main() -> None:
    """Soak, and say what came of it."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    with tempfile.TemporaryDirectory(prefix="securechat-tui-soak-") as folder:
        samples = asyncio.run(soak(minutes, messages, Path(folder)))
    print(summary(samples))


if __name__ == "__main__":
    main()
