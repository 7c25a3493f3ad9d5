"""The encrypted history: what a transaction costs, and what a million messages cost.

The rival of a transaction is Python's own `sqlite3` with the same tables, the same full-text index and the
same durability, in clear: the difference is the encryption. Messages are signed ones of a dozen words. "CPU"
is processor time; the clock waits for the disk, at least once for each transaction.

Then a file with a million messages beside one with a thousand, each opened anew in every round. Most of
the million are unsigned and of six words, so that the file is made in a bearable time; the newest 1,024 are
signed ones as above. "page" is the last 200 messages as objects; "its rows" is what the database does of
that. "word" finds the last 100 messages with one of 2,048 words, "two words" the last 100 with both.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from bench.measure import Figures, Sample, Target, interleave, publish, targets_table
from bench.million import GENERATION, WORDS, fill
from bench.probes import resident_mib
from securechat_tui.protocol.payloads import Signature, text_content
from securechat_tui.protocol.signing import Header, Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.database import Database
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Received, Receiving
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.schemas import CONVERSATION
from securechat_tui.storage.store import Store
from securechat_tui.trust.states import Trust

_SIZES: Final = (1, 32, 128)
_COUNTS: Final = {"a million messages": 1_000_000, "a thousand": 1_000}
_NEWEST: Final = 1024
_CONVERSATION: Final = bytes(32)
_PEER: Final = b"SPKI"
_KEY: Final = b"k" * 32
_TRANSACTIONS: Final = 20
_LOOKS: Final = 20
_OPEN: Final = "open"
_ROWS: Final = "SELECT row, name, time, content FROM message ORDER BY row DESC LIMIT 200"
_FOUND: Final = "SELECT rowid FROM word WHERE word MATCH ? ORDER BY rowid DESC LIMIT 100"


class _Writer:
    """Somebody whose messages come in batches, each stored in one transaction."""

    def __init__(self, history: ConversationStore, high: int = 0) -> None:
        self.history = history
        self.high = high
        self._chance = random.Random(6)

    def batch(self, count: int) -> list[Received]:
        """Make the next messages, under one signature."""
        batch = Signature(count, os.urandom(32), os.urandom(384))
        made = [self._message(batch, index, count) for index in range(count)]
        self.high += count
        return made

    def _message(self, batch: Signature, index: int, count: int) -> Received:
        text = SafeText(" ".join(self._chance.choices(WORDS, k=12)))
        number = self.high + index + 1
        return Received(
            row=number,
            generation=GENERATION,
            number=number,
            header=self._chance.randbytes(Header.LENGTH),
            salt=self._chance.randbytes(32),
            content=text_content(text),
            text=text,
            item=self._chance.randbytes(32),
            batch=batch,
            index=index,
            path=(self._chance.randbytes(32),) * (count.bit_length() - 1),
            claimed_ms=number,
            time=float(number),
            age=0.1,
            fresh=True,
            trust=Trust.PINNED,
            name="bob",
        )

    def store(self, messages: list[Received]) -> None:
        """Write them in one transaction."""
        last = messages[-1].number
        self.history.write(messages, None, Receiving(GENERATION, last, bytes(32), bytes(32), Seen()))


def _transactions(writer: _Writer, size: int) -> Figures:
    """Store some batches; return milliseconds of one transaction, and of one message in it."""
    batches = [writer.batch(size) for _ in range(_TRANSACTIONS)]
    clock, processor = time.perf_counter(), time.process_time()
    for batch in batches:
        writer.store(batch)
    spent = (time.process_time() - processor) / _TRANSACTIONS * 1e3
    taken = (time.perf_counter() - clock) / _TRANSACTIONS * 1e3
    return {"ms": taken, "CPU ms": spent, "CPU ms a message": spent / size}


def _in_clear(path: Path) -> ConversationStore:
    """Begin the same file without encryption, through the standard library."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in (
        "journal_mode = WAL",
        "locking_mode = EXCLUSIVE",
        "synchronous = FULL",
        "secure_delete = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    for statement in CONVERSATION.steps[0]:  # older versions of SQLite have not the option, nor need it here
        connection.execute(statement.replace("contentless_delete=1,", ""))
    return ConversationStore.begin(Database(path, CONVERSATION, connection), _CONVERSATION, _PEER)


def _writing(folder: Path) -> str:
    with Profile("writing", folder / "writing") as profile, Store(profile, _KEY) as store:
        clear = _in_clear(folder / "clear.db")
        writers = {"ours": _Writer(store.conversation(_CONVERSATION, _PEER)), "in clear": _Writer(clear)}
        samples: dict[str, Sample] = {
            f"{name}, {size} a transaction": partial(_transactions, writer, size)
            for size in _SIZES
            for name, writer in writers.items()
        }
        result = interleave(samples, rounds=7, within=8.0)
        clear.close()
    pairs = [(f"ours, {size} a transaction", f"in clear, {size} a transaction") for size in _SIZES]
    targets = [Target("CPU ms", *pair, 2.0, at_least=False) for pair in pairs]
    return f"{result.table()}\n{targets_table(result, targets)}"


def _filled(folder: Path, count: int) -> None:
    """Make a profile with so many messages of one person."""
    with Profile("many", folder) as profile, Store(profile, _KEY) as store:
        history = store.conversation(_CONVERSATION, _PEER)
        writer = _Writer(history, count - min(_NEWEST, count // 2))
        fill(history, writer.high)
    with Profile("many", folder) as profile, Store(profile, _KEY) as store:
        writer.history = store.conversation(_CONVERSATION, _PEER)
        while writer.high < count:
            writer.store(writer.batch(min(128, count - writer.high)))


def _fastest(look: Callable[[], object]) -> float:
    times = []
    for _ in range(_LOOKS):
        start = time.perf_counter()
        look()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def _look(folder: Path) -> Figures:
    """Open a history in this process and look at it, in milliseconds."""
    with Profile("many", folder) as profile:
        before, start = resident_mib(), time.perf_counter()
        with Store(profile, _KEY) as store:
            history = store.conversation(_CONVERSATION, _PEER)
            history.position()
            history.waiting()
            page = history.page(200)
            opened = (time.perf_counter() - start) * 1e3
            chance, database = random.Random(1), history._database  # noqa: SLF001
            older = page[0].row
            return {
                "open with its page ms": opened,
                "page ms": _fastest(lambda: history.page(200)),
                "its rows ms": _fastest(lambda: database.rows(_ROWS)),
                "page up ms": _fastest(lambda: history.page(200, older)),
                "word ms": _fastest(lambda: history.search(chance.choice(WORDS), 100)),
                "rows of a word ms": _fastest(lambda: database.rows(_FOUND, (f'"{chance.choice(WORDS)}"',))),
                "two words ms": _fastest(lambda: history.search(" ".join(chance.choices(WORDS, k=2)), 100)),
                "unread ms": _fastest(history.unread),
                "resident MiB": resident_mib() - before,
            }


def _looked_at(folder: Path) -> Figures:
    command = [sys.executable, "-m", "bench.store", _OPEN, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _reading(folder: Path) -> str:
    samples: dict[str, Sample] = {}
    for name, count in _COUNTS.items():
        place = folder / str(count)
        start = time.monotonic()
        _filled(place, count)
        print(f"{name}: made in {time.monotonic() - start:.0f} s", file=sys.stderr)
        samples[name] = partial(_looked_at, place)
    result = interleave(samples, rounds=5, within=10.0)
    many, few = _COUNTS
    figures = ("open with its page ms", "page ms", "its rows ms")
    targets = [Target(figure, many, few, 1.5, at_least=False) for figure in figures]
    return f"{result.table()}\n{targets_table(result, targets)}"


def main() -> None:
    """Look at one history in this process, if arguments name it; else measure all, and publish."""
    if sys.argv[1:2] == [_OPEN]:
        print(json.dumps(_look(Path(sys.argv[2]))))
        return
    with tempfile.TemporaryDirectory(prefix="securechat-tui-bench-") as folder:
        body = f"{__doc__}\n{_writing(Path(folder))}\n{_reading(Path(folder))}"
    publish("History", body, packages=["sqlcipher3"])


if __name__ == "__main__":
    main()
