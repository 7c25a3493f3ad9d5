"""A history with as many messages as are wanted, made in a bearable time."""

import random
from typing import Final

from mnemonic import Mnemonic

from securechat_tui.protocol.payloads import text_content
from securechat_tui.protocol.signing import Seen
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Receiving

__all__ = ["GENERATION", "WORDS", "fill"]

WORDS: Final = Mnemonic("english").wordlist
GENERATION: Final = b"g" * 16
_POOL: Final = 4096
_COUNTED: Final = """CREATE TEMP VIEW series AS WITH RECURSIVE counted (n) AS (
    SELECT 1 UNION ALL SELECT n + 1 FROM counted LIMIT (SELECT count FROM size))
    SELECT n, text FROM counted JOIN pool ON place = (n * 2654435761) % (SELECT count(*) FROM pool)"""
"""Every number from 1 on with one of the texts, in no order that could be told."""


def fill(history: ConversationStore, count: int, oldest: str = "the oldest") -> None:
    """Put ``count`` received messages of six words and their number into a new history.

    The first of them is ``oldest``. They are unsigned, and made as fast as SQLite makes rows of rows: no
    power may fail meanwhile, and the store is to be opened anew. The number is not in the index.
    """
    history.write([], None, Receiving(GENERATION, 0, bytes(32), bytes(32), Seen()))
    chance = random.Random(count)
    texts = [(place, " ".join(chance.choices(WORDS, k=6))) for place in range(_POOL)]
    database = history._database  # noqa: SLF001 - nothing else writes a million so fast
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"):
        database.run(f"PRAGMA {pragma}")
    database.run("CREATE TEMP TABLE pool (place INTEGER PRIMARY KEY, text TEXT)")
    database.run("CREATE TEMP TABLE size AS SELECT ? AS count", (count,))
    with database.transaction():
        database.run_many("INSERT INTO pool VALUES (?, ?)", texts)
        database.run(_COUNTED)
        database.run("INSERT INTO item SELECT 1, n, randomblob(32), NULL, 0, 0, n FROM series")
        database.run(
            """INSERT INTO message SELECT n, 0, 1, n, 0, n, n, 0.1, 1, 'pinned', 'bob', NULL,
            CAST(x'01' || text || ' ' || n || '.' AS BLOB), x'', x'', NULL, 0, x'' FROM series"""
        )
        database.run("UPDATE message SET content = ? WHERE row = 1", (text_content(f"{oldest} 1."),))
        database.run(
            "INSERT INTO word (rowid, text) SELECT n, CASE n WHEN 1 THEN ? ELSE text END FROM series",
            (oldest,),
        )
