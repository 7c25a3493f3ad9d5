"""The tables of the store's files, as the steps that lead from nothing to the newest form.

A step that has been released is never changed; what comes later is a step of its own.
"""

from typing import Final

from securechat_tui.storage.database import Schema
from securechat_tui.storage.errors import DamagedConversation, DamagedStore, WrongStoreKey

__all__ = ["CONVERSATION", "INDEX"]

_INDEX: Final = (
    (
        # One row a conversation; the key is that of its file, 32 bytes.
        """CREATE TABLE conversation (
            id BLOB PRIMARY KEY, own BLOB NOT NULL, peer BLOB NOT NULL, file TEXT NOT NULL UNIQUE,
            key BLOB NOT NULL, created REAL NOT NULL) WITHOUT ROWID""",
        # Files that are being made or removed: whatever stands here at the next start goes.
        "CREATE TABLE leftover (file TEXT PRIMARY KEY) WITHOUT ROWID",
    ),
    (
        # All contacts as JSON, in one row; none before those of an earlier version have come.
        "CREATE TABLE book (id INTEGER PRIMARY KEY CHECK (id = 1), contacts BLOB NOT NULL)",
    ),
)

_CONVERSATION: Final = (
    (
        """CREATE TABLE conversation (
            id BLOB NOT NULL, peer BLOB NOT NULL, next_row INTEGER NOT NULL, read_row INTEGER NOT NULL,
            unread INTEGER NOT NULL, draft TEXT NOT NULL, sending INTEGER, receiving INTEGER)""",
        # The last four columns before the keys are of one direction each: acknowledged, or seen.
        """CREATE TABLE generation (
            id INTEGER PRIMARY KEY, mine INTEGER NOT NULL, generation BLOB NOT NULL,
            high INTEGER NOT NULL, running BLOB NOT NULL, previous BLOB NOT NULL,
            acknowledged INTEGER NOT NULL, running_acknowledged BLOB NOT NULL,
            seen_generation BLOB NOT NULL, seen_number INTEGER NOT NULL, seen_hash BLOB NOT NULL,
            UNIQUE (mine, generation))""",
        # What stands under each number, which outlives the message itself.
        """CREATE TABLE item (
            generation INTEGER NOT NULL, number INTEGER NOT NULL, item BLOB NOT NULL, running BLOB,
            signed INTEGER NOT NULL, gone INTEGER NOT NULL, row INTEGER,
            PRIMARY KEY (generation, number)) WITHOUT ROWID""",
        """CREATE TABLE batch (
            id INTEGER PRIMARY KEY, count INTEGER NOT NULL, root BLOB NOT NULL, signature BLOB NOT NULL)""",
        """CREATE TABLE message (
            row INTEGER PRIMARY KEY, mine INTEGER NOT NULL, generation INTEGER NOT NULL,
            number INTEGER NOT NULL, gone INTEGER NOT NULL, claimed_ms INTEGER NOT NULL,
            time REAL NOT NULL, age REAL, fresh INTEGER, trust TEXT NOT NULL, name TEXT NOT NULL,
            ref TEXT, content BLOB NOT NULL, header BLOB NOT NULL, salt BLOB NOT NULL,
            batch INTEGER, place INTEGER NOT NULL, path BLOB NOT NULL)""",
        """CREATE VIRTUAL TABLE word USING fts5(
            text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')""",
    ),
)

INDEX: Final = Schema(_INDEX, DamagedStore, WrongStoreKey)
CONVERSATION: Final = Schema(_CONVERSATION, DamagedConversation, DamagedConversation)
