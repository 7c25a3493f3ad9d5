"""A history against a plain list in memory: whatever is done in whatever order, both say the same."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from histories import BOB, SPKI, STORE_KEY, batch, queued, received, receiving, sending
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from securechat_tui.protocol.payloads import Signature
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.messages import (
    Abandoned,
    BatchSigned,
    Cancelled,
    Change,
    Dropped,
    Queued,
    Received,
    Skipped,
    StoredMessage,
)
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

WORDS = ("apple", "Ärger", "zebra", "zebras", "x")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
PLAIN = {"Ärger": "arger"}


@dataclass
class Entry:
    """What the model knows of a row."""

    change: Queued | Received
    batch: Signature | None = None
    path: tuple[bytes, ...] = ()
    cancelled: bool = False

    @property
    def mine(self) -> bool:
        return isinstance(self.change, Queued)

    @property
    def words(self) -> list[str]:
        text = self.change.content[1:].decode()
        return [PLAIN.get(word, word) for word in text.split()]


@dataclass
class Model:
    """What should be on the disk."""

    rows: dict[int, Entry] = field(default_factory=dict)
    items: dict[tuple[bool, bytes, int], bytes] = field(default_factory=dict)
    gone: dict[int, bool] = field(default_factory=dict)
    """Own numbers of the current generation: whether each has been cancelled."""
    mine: bytes = b"m0".ljust(16)
    theirs: bytes = b"t0".ljust(16)
    acknowledged: int = 0
    acknowledged_before: dict[bytes, int] = field(default_factory=dict)
    last: int = 0
    high: int = 0
    read: int = 0
    next_row: int = 1
    generations: int = 0
    spoken: bool = False
    heard: bool = False

    def row_of(self, number: int) -> int | None:
        for row, entry in self.rows.items():
            if entry.mine and (entry.change.generation, entry.change.number) == (self.mine, number):
                return row
        return None

    def forget_above_the_last_message(self, generation: bytes) -> None:
        """An own generation has been given up."""
        own = (one.change for one in self.rows.values() if one.mine)
        last = max((one.number for one in own if one.generation == generation), default=0)
        for key in [one for one in self.items if one[:2] == (True, generation) and one[2] > last]:
            del self.items[key]

    def tick(self, entry: Entry) -> str:
        if not entry.mine:
            return ""
        if entry.cancelled:
            return "cancelled"
        generation, number = entry.change.generation, entry.change.number
        if generation == self.mine:
            return "delivered" if number <= self.acknowledged else "queued"
        return "delivered" if number <= self.acknowledged_before[generation] else ""


class HistoryMachine(RuleBasedStateMachine):
    """Writes to both; the invariants compare."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="history-")
        self.profile = Profile("p", Path(self.folder.name) / "p").open()
        self.model = Model()
        self.open()

    def open(self) -> None:
        self.store = Store(self.profile, STORE_KEY).open()
        self.history = self.store.conversation(BOB, SPKI)
        self.history._database.run("PRAGMA synchronous = OFF")  # no power fails in this test

    def teardown(self) -> None:
        self.store.close()
        self.profile.close()
        self.folder.cleanup()

    def own(self, text: str, *, signed: bool) -> Queued:
        model = self.model
        model.last += 1
        made = queued(model.next_row, model.last, text, generation=model.mine, signed=signed)
        model.next_row += 1
        model.rows[made.row] = Entry(made)
        model.items[True, model.mine, made.number] = made.item
        model.gone[made.number] = False
        model.spoken = True
        return made

    def stand(self) -> None:
        """Write where the own direction stands, with nothing else."""
        self.history.write([], sending(self.model.last, self.model.acknowledged, self.model.mine))

    @rule(texts=st.lists(TEXTS, min_size=1, max_size=3), signed=st.booleans())
    def send(self, texts: list[str], signed: bool) -> None:
        made = [self.own(text, signed=signed) for text in texts]
        model = self.model
        self.history.write(made, sending(model.last, model.acknowledged, model.mine))

    @rule(many=st.integers(1, 4))
    def sign(self, many: int) -> None:
        model = self.model
        numbers = [
            entry.change.number
            for entry in model.rows.values()
            if entry.mine
            and entry.change.header
            and not entry.cancelled
            and entry.batch is None
            and entry.change.generation == model.mine
        ][:many]
        if not numbers:
            return
        signature = batch(len(numbers), (model.mine, tuple(numbers)))
        paths = tuple((bytes([number % 256]) * 32,) * 2 for number in numbers)
        for number, path in zip(numbers, paths, strict=True):
            row = model.row_of(number)
            assert row is not None
            model.rows[row].batch, model.rows[row].path = signature, path
        self.history.write([BatchSigned(model.mine, signature, tuple(numbers), paths)])

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        model = self.model
        if model.last > model.acknowledged:
            model.acknowledged = data.draw(st.integers(model.acknowledged, model.last))
            self.stand()

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        model = self.model
        pending = [number for number in model.gone if number > model.acknowledged and not model.gone[number]]
        if not pending:
            return
        number = data.draw(st.sampled_from(pending))
        row = model.row_of(number)
        assert row is not None
        model.gone[number] = model.rows[row].cancelled = True
        self.history.write([Cancelled(model.mine, number)])

    @precondition(lambda self: self.model.spoken)
    @rule()
    def begin_a_generation(self) -> None:
        """What is pending goes under new numbers, as after a peer that has lost its memory."""
        model = self.model
        old = [
            (row, entry)
            for row, entry in model.rows.items()
            if model.tick(entry) == "queued" and entry.change.generation == model.mine
        ]
        former = model.mine
        model.acknowledged_before[former] = model.acknowledged
        model.generations += 1
        model.mine = f"m{model.generations}".encode().ljust(16)
        model.acknowledged = model.last = 0
        model.gone = {}
        changes: list[Change] = []
        for row, entry in old:
            del model.rows[row]
            text = entry.change.content[1:].decode()
            changes += [Dropped(row), self.own(text, signed=bool(entry.change.header))]
        changes.append(Abandoned(former))
        model.forget_above_the_last_message(former)
        self.history.write(changes, sending(model.last, 0, model.mine))
        last = max((number for *key, number in model.items if key == [True, former]), default=0)
        assert self.history.item(True, former, last + 1) is None

    @rule(texts=st.lists(TEXTS, min_size=1, max_size=3), signed=st.booleans())
    def receive(self, texts: list[str], signed: bool) -> None:
        model = self.model
        signature = batch(len(texts), (model.theirs, model.high)) if signed else None
        made = []
        for index, text in enumerate(texts):
            model.high += 1
            path = (bytes([index]) * 32,) if signed else ()
            one = received(
                model.next_row, model.high, text, generation=model.theirs, batch=signature, path=path
            )
            model.next_row += 1
            model.rows[one.row] = Entry(one, signature, path)
            model.items[False, model.theirs, one.number] = one.item
            made.append(one)
        model.heard = True
        self.history.write(made, None, receiving(model.high, model.theirs))

    @rule()
    def skip(self) -> None:
        model = self.model
        model.high += 1
        model.heard = True
        item = bytes([model.high % 256]) * 32
        model.items[False, model.theirs, model.high] = item
        self.history.write(
            [Skipped(model.theirs, model.high, True, item)], None, receiving(model.high, model.theirs)
        )

    @rule()
    def hear_a_new_generation(self) -> None:
        model = self.model
        model.generations += 1
        model.theirs, model.high, model.heard = f"t{model.generations}".encode().ljust(16), 0, True
        self.history.write([], None, receiving(0, model.theirs))

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        row = data.draw(st.integers(0, self.model.next_row))
        self.model.read = max(self.model.read, row)
        self.history.mark_read(row)

    @rule(text=TEXTS)
    def fail(self, text: str) -> None:
        """The disk is full: nothing changes, and the same object goes on."""
        database = self.history._database
        database.run(f"PRAGMA max_page_count = {database.value('PRAGMA page_count')}")
        model = self.model
        made = queued(model.next_row, model.last + 1, text * 20_000, generation=model.mine)
        try:
            with pytest.raises(DiskFull):
                self.history.write([made], sending(model.last + 1, model.acknowledged, model.mine))
        finally:
            database.run("PRAGMA max_page_count = 4294967294")

    @rule()
    def start_again(self) -> None:
        self.store.close()
        self.open()

    @rule()
    def wipe(self) -> None:
        model = self.model
        self.store.wipe(BOB)
        kept = {(True, model.mine) if model.spoken else None, (False, model.theirs) if model.heard else None}
        model.items = {key: item for key, item in model.items.items() if key[:2] in kept}
        model.rows = {}
        model.gone = {number: gone or number > model.acknowledged for number, gone in model.gone.items()}
        model.read = max(model.read, model.next_row - 1)

    @invariant()
    def stands_where_it_should(self) -> None:
        model = self.model
        own, peer, next_row = self.history.position()
        assert own == (sending(model.last, model.acknowledged, model.mine) if model.spoken else None)
        assert peer == (receiving(model.high, model.theirs) if model.heard else None)
        assert next_row >= max(model.rows, default=0) + 1
        for (mine, generation, number), item in model.items.items():
            assert self.history.item(mine, generation, number) == item

    @invariant()
    def waits_for_what_it_should(self) -> None:
        model = self.model
        found = self.history.waiting()
        assert [one.number for one in found] == list(range(model.acknowledged + 1, model.last + 1))
        for one in found:
            row = model.row_of(one.number)
            assert (one.row, one.gone) == (row, model.gone[one.number])
            assert one.item == model.items[True, model.mine, one.number]
            if row is not None:
                entry = model.rows[row]
                assert (one.batch, one.path) == (entry.batch, entry.path)
                assert (one.content, one.header) == (entry.change.content, entry.change.header)

    def _same(self, found: list[StoredMessage], rows: list[int]) -> None:
        assert [one.row for one in found] == rows
        for one in found:
            entry = self.model.rows[one.row]
            assert one.text == entry.change.content[1:].decode()
            assert (one.mine, one.number, one.tick) == (
                *(entry.mine, entry.change.number, self.model.tick(entry)),
            )

    @invariant()
    def shows_what_it_should(self) -> None:
        rows = sorted(self.model.rows)
        self._same(self.history.page(1000), rows)
        self._same(self.history.page(2, 7), [row for row in rows if row < 7][-2:])
        theirs = [row for row in rows if not self.model.rows[row].mine and row > self.model.read]
        assert self.history.unread() == len(theirs)
        exported = list(self.history.messages_for_export())
        assert [(one.message.row, one.batch) for one in exported] == [
            (row, self.model.rows[row].batch) for row in rows
        ]

    @invariant()
    def finds_what_it_should(self) -> None:
        rows = sorted(self.model.rows)
        for words in (["apple"], ["arger", "zebra"], ["x", "zeb"]):
            *whole, beginning = words
            expected = [
                row
                for row in rows
                if set(whole) <= set(self.model.rows[row].words)
                and any(word.startswith(beginning) for word in self.model.rows[row].words)
            ]
            self._same(self.history.search(" ".join(words), 3), expected[-3:])


TestHistory = HistoryMachine.TestCase
TestHistory.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
