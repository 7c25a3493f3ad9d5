"""A conversation with a million kept messages on the screen of the real program, beside shorter ones.

Each run is a fresh process, the program at 120x40 before a terminal that takes everything and shows nothing.
It starts, and `/go bob` opens the conversation: "opened" is when its newest message is painted, counted from
the start of the process; "processor" is what it has taken by then. Then 200 pages up; to the oldest message
(Ctrl+Home) and back to the newest (Ctrl+End); and a find of a word that stands in the oldest message alone.
"entries" are the messages and notices that the log holds at the most. Memory is what the operating system
counts, after a collection, when the conversation is open and at the end of all that.
"""

import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.glass import SIZE, Glass
from bench.measure import Figures, Sample, Target, interleave, publish, targets_table
from bench.million import fill
from bench.probes import resident_mib, until
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.profiles import new_identity, stored_keys
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.signing import conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.tui.app import SETTLED_SECONDS, ChatApp, settle_memory
from securechat_tui.tui.opening import StartScreen

_COUNTS: Final = {"one message": 1, "a thousand": 1_000, "a million": 1_000_000}
_PAGES: Final = 200
_NEEDLE: Final = "haystack"
_LONG: Final = 1000
"""Messages of more than one page up."""
_PATIENCE_SECONDS: Final = 60.0


def _profile(folder: Path, count: int) -> Profile:
    return Profile("pages", folder / str(count))


def _make(folder: Path, count: int) -> None:
    """Make a profile that knows bob, and so many messages of his."""
    profile = _profile(folder, count)
    new_identity(profile, "alice", 3072)
    bob = IdentityKey.generate(3072).public
    with profile:
        keys = stored_keys(profile)
        contact = replace(Contact.met(bob, 1.0, 1), name=SafeText.name("bob"), named=True)
        own = keys.identity.public
        with Store(profile, keys.store) as store:
            store.keep_pins(Pins((contact,)))
            history = store.conversation(
                conversation_id(own.fingerprint, bob.fingerprint), bob.spki, own.spki
            )
            fill(history, count, f"the {_NEEDLE}")


class _Walk:
    """Somebody at the screen, who opens the conversation and goes about in it."""

    def __init__(self, engine: Engine, begun: float) -> None:
        self._app = ChatApp(engine, StartScreen())
        self._glass = Glass()
        self._glass.stand_before(self._app)
        self._begun = begun
        self._entries = 0
        self.figures: dict[str, float] = {}

    async def run(self, count: int) -> None:
        """Open the conversation, and look around in it where it is long."""
        screen = asyncio.create_task(self._app.run_async(size=SIZE, mouse=False))
        await self._glass.painted_after(0)
        await until(lambda: self._app.is_begun and not self._app.is_in_chat, _PATIENCE_SECONDS)
        self._glass.strike("escape")
        await until(lambda: self._app.is_in_chat, _PATIENCE_SECONDS)
        self._app.chat.composer.put("/go bob")
        await self._glass.press("enter", until=f"{count}.")
        self.figures["opened ms"] = (time.monotonic() - self._begun) * 1e3
        self.figures["processor ms"] = time.process_time() * 1e3
        await asyncio.sleep(SETTLED_SECONDS)
        settle_memory()
        self.figures["open MiB"] = _weighed()
        if count > _LONG:
            await self._look_around(count)
        self.figures["entries"] = max(self._entries, self._app.chat.log_view.entry_count)
        self.figures["after all MiB"] = _weighed()
        self._app.exit()
        await screen

    async def _look_around(self, count: int) -> None:
        begun = time.process_time()
        for _ in range(_PAGES):
            self._glass.strike("pageup")
            await self._quiet()
        self.figures["page up ms"] = (time.process_time() - begun) / _PAGES * 1e3
        self.figures["to the oldest ms"] = await self._glass.press("ctrl+home", until=_NEEDLE) * 1e3
        self.figures["to the newest ms"] = await self._glass.press("ctrl+end", until=f"{count}.") * 1e3
        self._app.chat.open_find(_NEEDLE)
        await self._glass.painted_after(self._glass.paints)
        await self._quiet()
        self.figures["find ms"] = await self._glass.press("enter", until=" 1.") * 1e3
        await self._quiet()

    async def _quiet(self) -> None:
        """Wait until nothing more is painted."""
        seen = -1
        while seen != self._glass.paints:
            seen = self._glass.paints
            await asyncio.sleep(0.01)
        self._entries = max(self._entries, self._app.chat.log_view.entry_count)


def _weighed() -> float:
    gc.collect()
    return resident_mib()


async def _run(folder: Path, count: int, begun: float) -> Figures:
    async with Engine(_profile(folder, count)) as engine:
        walk = _Walk(engine, begun)
        await walk.run(count)
    return walk.figures


def _ran(folder: Path, count: int) -> Figures:
    command = [sys.executable, "-m", "bench.screen_pages", str(folder), str(count), str(time.monotonic())]
    figures: Figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return figures


def main() -> None:
    """Run once in this process, if arguments say what; else measure all, and publish."""
    if len(sys.argv) > 3:
        gc.disable()
        figures = asyncio.run(_run(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
        print(json.dumps(figures), file=sys.__stdout__)
        return
    with tempfile.TemporaryDirectory(prefix="securechat-tui-bench-") as folder:
        for count in _COUNTS.values():
            _make(Path(folder), count)
        samples: dict[str, Sample] = {
            name: partial(_ran, Path(folder), count) for name, count in _COUNTS.items()
        }
        result = interleave(samples, rounds=2, warm_up=0)
    million, thousand, one = "a million", "a thousand", "one message"
    targets = [
        Target("opened ms", million, thousand, 1.1, at_least=False),
        Target("processor ms", million, thousand, 1.1, at_least=False),
        Target("open MiB", million, one, 1.1, at_least=False),
        Target("after all MiB", million, one, 1.6, at_least=False),
    ]
    wall, spent = (
        statistics.median(run[figure] for run in result.samples[million]) / 1e3
        for figure in ("opened ms", "processor ms")
    )
    publish(
        "Screen: a million messages kept",
        f"{__doc__}\n{result.table()}\n{targets_table(result, targets)}\n"
        f"Of a million, the last page is there {wall:.2f} s after the process began, with {spent:.2f} s of\n"
        "processor time (target: 1 s; the clock also counts what others do on the machine).\n",
        packages=["sqlcipher3"],
    )


if __name__ == "__main__":
    main()
