"""One conversation on disk: where both directions stand, what waits, and every message that was shown.

A write is one transaction, durable when it returns; a write that fails has changed nothing, and the next
one succeeds as soon as the fault has ended. The methods block, for one thread at a time; all raise
:class:`~securechat_tui.storage.errors.StoreError`.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, Self

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.payloads import Signature, read_content
from securechat_tui.protocol.signing import Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.database import Database
from securechat_tui.storage.errors import DamagedConversation
from securechat_tui.storage.messages import (
    Change,
    ExportedMessage,
    Leftover,
    Receiving,
    Sending,
    StoredMessage,
    Tick,
    Unreceived,
    Waiting,
)
from securechat_tui.storage.writing import LastBatch, Writing
from securechat_tui.trust.states import Trust

__all__ = ["ConversationStore"]

_MAX_WORDS: Final = 32
"""Words of one search; what is typed beyond them is not looked for."""
_PAGE: Final = 500
_COLUMNS: Final = """SELECT m.row, m.mine, m.generation, m.number, m.content, m.name, m.claimed_ms, m.time,
    m.age, m.fresh, m.trust, length(m.header), m.gone, m.ref"""
_BEFORE: Final = f"{_COLUMNS} FROM message AS m WHERE m.row < ? ORDER BY m.row DESC LIMIT ?"
_FROM_ROW: Final = f"{_COLUMNS} FROM message AS m WHERE m.row >= ? ORDER BY m.row LIMIT ?"
_AT_ROW: Final = f"{_COLUMNS} FROM message AS m WHERE m.row = ?"
_EXPORT: Final = f"""{_COLUMNS}, m.header, m.salt, m.place, m.path, i.item, b.count, b.root, b.signature
    FROM message AS m JOIN item AS i ON i.generation = m.generation AND i.number = m.number
    LEFT JOIN batch AS b ON b.id = m.batch WHERE m.row > ? ORDER BY m.row LIMIT ?"""
_WAITING: Final = """SELECT i.row, g.generation, i.number, m.header, m.salt, m.content, i.item, i.running,
    m.claimed_ms, m.ref, i.signed, i.gone, m.place, m.path, b.count, b.root, b.signature
    FROM conversation AS c JOIN generation AS g ON g.id = c.sending
    JOIN item AS i ON i.generation = g.id AND i.number > g.acknowledged
    LEFT JOIN message AS m ON m.row = i.row LEFT JOIN batch AS b ON b.id = m.batch ORDER BY i.number"""
_LAST: Final = 2**63 - 1
_WIDTH: Final = 14
"""How many columns `_COLUMNS` has."""
_TRUST: Final = {trust.value: trust for trust in Trust}


class ConversationStore:
    """The history of one conversation, and what its delivery needs to go on after any crash."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last_batch: LastBatch | None = None

    @classmethod
    def begin(cls, database: Database, conversation: bytes, peer: bytes) -> Self:
        """Fill an empty file: ``peer`` is the SPKI of the other one's key."""
        database.run(
            """INSERT INTO conversation (id, peer, next_row, read_row, unread, draft)
            VALUES (?, ?, 1, 0, 0, '')""",
            (conversation, peer),
        )
        return cls(database)

    @classmethod
    def resume(cls, database: Database, conversation: bytes, peer: bytes) -> Self:
        """Take a filled file; raises :class:`DamagedConversation` where it is another conversation's."""
        if database.rows("SELECT id, peer FROM conversation") != [(conversation, peer)]:
            raise DamagedConversation(path=database.path, reason="it is that of another conversation")
        return cls(database)

    def write(
        self,
        changes: Sequence[Change],
        sending: Sending | None = None,
        receiving: Receiving | None = None,
    ) -> None:
        """Store changes, in their order, and where the directions stand then: all of it or nothing."""
        with self._database.transaction():
            writing = Writing(self._database, self._last_batch)
            if sending is not None:
                writing.sending(sending)
            if receiving is not None:
                writing.receiving(receiving)
            for change in changes:
                writing.apply(change)
        self._last_batch = writing.last_batch

    # Delivery.

    def position(self) -> tuple[Sending | None, Receiving | None, int]:
        """Where both directions stand, and the row that comes next."""
        sending = self._database.row(
            """SELECT g.generation, high, running, previous, acknowledged, running_acknowledged
            FROM conversation AS c JOIN generation AS g ON g.id = c.sending"""
        )
        peer: bytes | None = self._database.value(
            "SELECT g.generation FROM conversation AS c JOIN generation AS g ON g.id = c.receiving"
        )
        next_row = self._database.value(
            "SELECT max(c.next_row, coalesce((SELECT max(row) FROM message) + 1, 1)) FROM conversation AS c"
        )
        receiving = None if peer is None else self.receiving(peer)
        return (None if sending is None else Sending(*sending)), receiving, int(next_row)

    def receiving(self, generation: bytes) -> Receiving | None:
        """Where a generation of the peer stands, the current one or an earlier one."""
        found = self._database.row(
            """SELECT generation, high, running, previous, seen_generation, seen_number, seen_hash
            FROM generation WHERE mine = 0 AND generation = ?""",
            (generation,),
        )
        if found is None:
            return None
        _, high, running, previous, *seen = found
        return Receiving(generation, high, running, previous, Seen(*seen))

    def waiting(self) -> list[Waiting]:
        """The own messages of the current generation that are not acknowledged, oldest first."""
        batches = _Batches()
        return [_waiting(row, batches) for row in self._database.rows(_WAITING)]

    def item(self, mine: bool, generation: bytes, number: int) -> bytes | None:
        """What the running hash took for a number; None for one that is not held."""
        found: bytes | None = self._database.value(
            """SELECT i.item FROM generation AS g JOIN item AS i ON i.generation = g.id AND i.number = ?
            WHERE g.mine = ? AND g.generation = ?""",
            (number, mine, generation),
        )
        return found

    def header_hash(self, generation: bytes, number: int) -> bytes | None:
        """The hash of one's own signed header under a number; None where there is none."""
        found: bytes | None = self._database.value(
            """SELECT i.item FROM generation AS g JOIN item AS i ON i.generation = g.id AND i.number = ?
            WHERE g.mine = 1 AND g.generation = ? AND i.signed""",
            (number, generation),
        )
        return found

    def running(self, generation: bytes, number: int) -> bytes | None:
        """The running hash at an own number, acknowledged or not; None for one that is not held."""
        found: bytes | None = self._database.value(
            """SELECT i.running FROM generation AS g JOIN item AS i ON i.generation = g.id AND i.number = ?
            WHERE g.mine = 1 AND g.generation = ?""",
            (number, generation),
        )
        return found

    def sent_after(self, generation: bytes, number: int, limit: int) -> list[Unreceived]:
        """The own messages above a number, oldest first, but for those that were cancelled."""
        found = self._database.rows(
            """SELECT m.row, m.number, m.content, m.claimed_ms, i.signed, m.ref FROM generation AS g
            JOIN item AS i ON i.generation = g.id AND i.number > ? AND NOT i.gone
            JOIN message AS m ON m.row = i.row WHERE g.mine = 1 AND g.generation = ?
            ORDER BY i.number LIMIT ?""",
            (number, generation, limit),
        )
        return [
            Unreceived(row, place, content[1:].decode(), claimed, bool(signed), ref)
            for row, place, content, claimed, signed, ref in found
        ]

    def salts_among(self, salts: Set[bytes]) -> set[bytes]:
        """Those of ``salts`` that one's own messages have; it reads them all."""
        found = self._database.each("SELECT salt FROM message WHERE mine = 1")
        return {salt for (salt,) in found if salt in salts}

    # Reading.

    def page(self, limit: int, before: int | None = None) -> list[StoredMessage]:
        """The last ``limit`` messages, or the last below the row ``before``; oldest first."""
        found = self._database.rows(_BEFORE, (_LAST if before is None else before, limit))
        found.reverse()
        return self._stored(found)

    def around(self, row: int, limit: int = 200) -> list[StoredMessage]:
        """As many messages before a row as from it on, ``limit`` together; oldest first."""
        after = self._database.rows(_FROM_ROW, (row, limit - limit // 2))
        return self.page(limit // 2, row) + self._stored(after)

    def search(self, text: str, limit: int, before: int | None = None) -> list[StoredMessage]:
        """The last ``limit`` messages that have all the words, below the row ``before``; oldest first.

        Case and the accents of Latin letters make no difference, and of the last word the beginning is
        enough. Nothing in ``text`` is an operator.
        """
        words = SafeText.multi(text).split()[:_MAX_WORDS]  # as the messages were when they were indexed
        if not words:
            return []
        query = " ".join('"' + word.replace('"', '""') + '"' for word in words) + " *"
        found = self._database.rows(
            "SELECT rowid FROM word WHERE word MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
            (query, _LAST if before is None else before, limit),
        )
        return self._stored([one for row in reversed(found) for one in self._database.rows(_AT_ROW, row)])

    def messages_for_export(self) -> Iterator[ExportedMessage]:
        """Every message with what proves its author, oldest first; read a page at a time."""
        last, batches = 0, _Batches()
        while found := self._database.rows(_EXPORT, (last, _PAGE)):
            for message, row in zip(self._stored([row[:_WIDTH] for row in found]), found, strict=True):
                header, salt, place, path, item, *batch = row[_WIDTH:]
                signature = batches.of(*batch)
                yield ExportedMessage(message, item, header, salt, row[4], signature, place, _hashes(path))
            last = found[-1][0]

    def leftovers(self, mine: bool, generation: bytes, above: int) -> Iterator[Leftover]:
        """The numbers of a generation above ``above`` whose message is not kept, in their order."""
        found = self._database.each(
            """SELECT i.number, i.item, i.signed FROM generation AS g
            JOIN item AS i ON i.generation = g.id AND i.number > ? AND i.row IS NULL
            WHERE g.mine = ? AND g.generation = ? ORDER BY i.number""",
            (above, mine, generation),
        )
        return (Leftover(number, item, bool(signed)) for number, item, signed in found)

    def last_time(self) -> float | None:
        """When the newest message came or was written, in Unix seconds; None where there is none."""
        found: float | None = self._database.value("SELECT time FROM message ORDER BY row DESC LIMIT 1")
        return found

    def _stored(self, rows: list[tuple[Any, ...]]) -> list[StoredMessage]:
        """Make messages of what ``_COLUMNS`` names."""
        generations = self._generations()
        names = {name: SafeText.name(name) for name in {row[5] for row in rows}}
        return [
            StoredMessage(
                row=row,
                mine=bool(mine),
                generation=generations[generation].generation,
                number=number,
                text=read_content(content),
                name=names[name],
                claimed_ms=claimed_ms,
                time=time,
                age=age,
                fresh=None if fresh is None else bool(fresh),
                trust=_TRUST[trust],
                signed=bool(header_length),
                tick=generations[generation].tick(number, gone) if mine else "",
                ref=ref,
            )
            for row, mine, generation, number, content, name, claimed_ms, time, *rest in rows
            for age, fresh, trust, header_length, gone, ref in (rest,)
        ]

    def _generations(self) -> dict[int, "_Generation"]:
        found = self._database.rows(
            """SELECT g.id, generation, acknowledged, g.id IS c.sending
            FROM generation AS g CROSS JOIN conversation AS c"""
        )
        return {place: _Generation(*rest) for place, *rest in found}

    # What a person has seen and begun.

    def unread(self) -> int:
        """How many of the peer's messages are above the last row that was read."""
        return int(self._database.value("SELECT unread FROM conversation"))

    def mark_read(self, row: int) -> None:
        """Note that everything up to a row has been read; what has been read stays so."""
        with self._database.transaction():
            self._database.run(
                """UPDATE conversation SET read_row = ?1,
                unread = (SELECT count(*) FROM message WHERE row > ?1 AND mine = 0) WHERE read_row < ?1""",
                (row,),
            )

    def draft(self) -> str:
        """What was typed and not sent."""
        return str(self._database.value("SELECT draft FROM conversation"))

    def keep_draft(self, text: str) -> None:
        """Keep what is typed and not sent, in the place of the draft before."""
        draft = text.encode(errors="replace").decode()  # a terminal may have given half a character
        with self._database.transaction():
            self._database.run("UPDATE conversation SET draft = ? WHERE draft <> ?", (draft, draft))

    # For the store that has opened it.

    def replace(self, database: Database) -> None:
        """Go on with another file of the same conversation."""
        before, self._database, self._last_batch = self._database, database, None
        before.close()

    def copy_positions(self, target: Database) -> None:
        """Write to an empty file what delivery needs and no more: no text, no name, no proof.

        What is not acknowledged is cancelled there, since its content is gone.
        """
        _, _, next_row = self.position()
        source = self._database
        own = source.rows(
            "SELECT id, peer, ?, max(read_row, ? - 1), 0, '', sending, receiving FROM conversation",
            (next_row, next_row),
        )
        kept = "IN (SELECT sending FROM conversation UNION SELECT receiving FROM conversation)"
        with target.transaction():
            target.run_many("INSERT INTO conversation VALUES (?, ?, ?, ?, ?, ?, ?, ?)", own)
            rows = source.rows(f"SELECT * FROM generation WHERE id {kept}")  # noqa: S608 - ours
            target.run_many("INSERT INTO generation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            target.run_many(
                "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, NULL)",
                source.each(
                    f"""SELECT i.generation, i.number, i.item, i.running, i.signed,
                    i.gone OR (g.mine AND i.number > g.acknowledged)
                    FROM item AS i JOIN generation AS g ON g.id = i.generation WHERE g.id {kept}"""  # noqa: S608
                ),
            )

    def close(self) -> None:
        """Let the file go."""
        self._database.close()


@dataclass(frozen=True, slots=True)
class _Generation:
    """What a message's generation says of it."""

    generation: bytes
    acknowledged: int
    is_current: bool

    def tick(self, number: int, gone: bool) -> Tick:
        """Where an own message of this generation stands."""
        if gone:
            return "cancelled"
        if number <= self.acknowledged:
            return "delivered"
        return "queued" if self.is_current else ""


class _Batches:
    """Equal batches become one object, as they were when they were stored."""

    def __init__(self) -> None:
        self._last: Signature | None = None

    def of(self, count: int | None, root: bytes, signature: bytes) -> Signature | None:
        if count is None:
            return None
        batch = Signature(count, root, signature)
        if batch != self._last:
            self._last = batch
        return self._last


def _hashes(path: bytes | None) -> tuple[bytes, ...]:
    joined = path or b""
    return tuple(joined[at : at + c.HASH_LENGTH] for at in range(0, len(joined), c.HASH_LENGTH))


def _waiting(row: Sequence[Any], batches: _Batches) -> Waiting:
    place, generation, number, header, salt, content, item, running, claimed, ref, signed, gone = row[:12]
    index, path, *batch = row[12:]
    return Waiting(
        row=place,
        generation=generation,
        number=number,
        header=header or b"",
        salt=salt or b"",
        content=content or b"",
        item=item,
        running=running,
        claimed_ms=claimed or 0,
        ref=ref,
        signed=bool(signed),
        gone=bool(gone),
        batch=batches.of(*batch),
        index=index or 0,
        path=_hashes(path),
    )
