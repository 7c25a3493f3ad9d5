"""One transaction of a conversation: its changes as rows."""

from securechat_tui.protocol.payloads import Signature, read_content
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH
from securechat_tui.storage.database import Database
from securechat_tui.storage.messages import (
    Abandoned,
    BatchSigned,
    Cancelled,
    Change,
    Dropped,
    Queued,
    Received,
    Receiving,
    Sending,
    Skipped,
)

__all__ = ["LastBatch", "Writing"]

LastBatch = tuple[Signature, int]
"""The batch that was stored last, and its id: its leaves come one after the other."""

_NEW_GENERATION = """INSERT INTO generation (mine, generation, high, running, previous, acknowledged,
    running_acknowledged, seen_generation, seen_number, seen_hash) VALUES (?, ?, 0, ?, ?, 0, ?, ?, 0, ?)"""
_ITEM = "INSERT INTO item (generation, number, item, running, signed, gone, row) VALUES (?, ?, ?, ?, ?, ?, ?)"
_MESSAGE = """INSERT INTO message (row, mine, generation, number, gone, claimed_ms, time, age, fresh,
    trust, name, ref, content, header, salt, batch, place, path)
    VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_WORDS = "INSERT INTO word (rowid, text) VALUES (?, ?)"


class Writing:
    """What happens inside one transaction; the ids it remembers are void if that is taken back."""

    def __init__(self, database: Database, last_batch: LastBatch | None) -> None:
        self._database = database
        self._ids: dict[tuple[bool, bytes], int] = {}
        self.last_batch = last_batch

    def apply(self, change: Change) -> None:
        """Carry out one change."""
        match change:
            case Queued():
                self._queued(change)
            case Received():
                self._received(change)
            case BatchSigned():
                self._signed(change)
            case Cancelled():
                self._cancelled(change)
            case Skipped():
                self._skipped(change)
            case Dropped():
                self._dropped(change)
            case Abandoned():
                self._abandoned(change)

    def sending(self, word: Sending) -> None:
        """Note where the own direction stands; its generation is the current one from now on."""
        place = self._generation(True, word.generation)
        self._database.run(
            """UPDATE generation SET high = ?, running = ?, previous = ?, acknowledged = ?,
            running_acknowledged = ? WHERE id = ?""",
            (word.last, word.running, word.previous, word.acknowledged, word.running_acknowledged, place),
        )
        self._database.run("UPDATE conversation SET sending = ?", (place,))

    def receiving(self, word: Receiving) -> None:
        """Note where the peer's direction stands; its generation is the current one from now on."""
        place, seen = self._generation(False, word.generation), word.seen
        self._database.run(
            """UPDATE generation SET high = ?, running = ?, previous = ?, seen_generation = ?,
            seen_number = ?, seen_hash = ? WHERE id = ?""",
            (word.high, word.running, word.previous, seen.generation, seen.number, seen.header_hash, place),
        )
        self._database.run("UPDATE conversation SET receiving = ?", (place,))

    def _generation(self, mine: bool, generation: bytes) -> int:
        key = (mine, generation)
        if key not in self._ids:
            found: int | None = self._database.value(
                "SELECT id FROM generation WHERE mine = ? AND generation = ?", key
            )
            blank = (NO_HASH, NO_HASH, NO_HASH, NO_GENERATION, NO_HASH)
            self._ids[key] = found or self._database.run(_NEW_GENERATION, (*key, *blank))
        return self._ids[key]

    def _queued(self, change: Queued) -> None:
        place = self._generation(True, change.generation)
        item = (place, change.number, change.item, change.running, bool(change.header), False, change.row)
        self._database.run(_ITEM, item)
        self._database.run(
            _MESSAGE,
            (
                *(change.row, True, place, change.number, change.claimed_ms, change.time, None, None),
                *(change.trust, change.name, change.ref, change.content, change.header, change.salt),
                *(None, 0, b""),
            ),
        )
        self._database.run(_WORDS, (change.row, read_content(change.content)))

    def _received(self, change: Received) -> None:
        place = self._generation(False, change.generation)
        item = (place, change.number, change.item, None, bool(change.header), False, change.row)
        self._database.run(_ITEM, item)
        batch = None if change.batch is None else self._batch(change.batch)
        self._database.run(
            _MESSAGE,
            (
                *(change.row, False, place, change.number, change.claimed_ms, change.time),
                *(change.age, change.fresh, change.trust, change.name, None, change.content),
                *(change.header, change.salt, batch, change.index, b"".join(change.path)),
            ),
        )
        self._database.run(_WORDS, (change.row, change.text))
        self._database.run("UPDATE conversation SET unread = unread + 1 WHERE read_row < ?", (change.row,))

    def _batch(self, batch: Signature) -> int:
        if self.last_batch is None or self.last_batch[0] != batch:
            values = (batch.count, batch.root, batch.signature)
            place = self._database.run("INSERT INTO batch (count, root, signature) VALUES (?, ?, ?)", values)
            self.last_batch = (batch, place)
        return self.last_batch[1]

    def _signed(self, change: BatchSigned) -> None:
        generation, batch = self._generation(True, change.generation), self._batch(change.batch)
        leaves = enumerate(zip(change.numbers, change.paths, strict=True))
        self._database.run_many(
            """UPDATE message SET batch = ?, place = ?, path = ?
            WHERE row = (SELECT row FROM item WHERE generation = ? AND number = ?)""",
            [(batch, index, b"".join(path), generation, number) for index, (number, path) in leaves],
        )

    def _cancelled(self, change: Cancelled) -> None:
        key = (self._generation(True, change.generation), change.number)
        self._database.run(
            """UPDATE message SET gone = 1
            WHERE row = (SELECT row FROM item WHERE generation = ? AND number = ?)""",
            key,
        )
        self._database.run("UPDATE item SET gone = 1 WHERE generation = ? AND number = ?", key)

    def _skipped(self, change: Skipped) -> None:
        place = self._generation(False, change.generation)
        self._database.run(_ITEM, (place, change.number, change.item, None, change.signed, True, None))

    def _dropped(self, change: Dropped) -> None:
        self._database.run(
            """UPDATE item SET row = NULL WHERE (generation, number) =
            (SELECT generation, number FROM message WHERE row = ?)""",
            (change.row,),
        )
        self._database.run("DELETE FROM message WHERE row = ?", (change.row,))
        self._database.run("DELETE FROM word WHERE rowid = ?", (change.row,))

    def _abandoned(self, change: Abandoned) -> None:
        """What has no message after it proves nothing, and would grow with each generation."""
        self._database.run(
            """DELETE FROM item WHERE generation = ?1 AND number >
            (SELECT coalesce(max(number), 0) FROM item WHERE generation = ?1 AND row IS NOT NULL)""",
            (self._generation(True, change.generation),),
        )
