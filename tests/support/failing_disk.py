"""A disk that fails at one commit of a conversation, or from one on, as SQLite tells it."""

import errno
import os
import threading
from collections.abc import Sequence
from typing import Literal

import pytest

from securechat_tui.storage.database import Database
from securechat_tui.storage.errors import DiskFull, StoreBusy

Kind = Literal["full", "busy"]
STATEMENT = {"full": "COMMIT", "busy": "BEGIN IMMEDIATE"}
"""What fails: a full disk shows when the log is written, a lock when a transaction begins."""


class FailingDisk:
    """Stands in the way of the transactions of conversations whose file lies in one folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: object) -> None:
        self.commits = 0
        """Transactions begun so far, of those files."""
        self.failed = 0
        self.free = threading.Event()
        """While it is not set, transactions wait before they begin."""
        self.free.set()
        self.kind: Kind = "full"
        self._folder = os.fspath(str(folder))
        self._first = self._last = 0
        self._run = Database.run
        monkeypatch.setattr(Database, "run", self._instead())

    def fail(self, kind: Kind, first: int, count: int = 1) -> None:
        """Let ``count`` transactions fail, the ``first`` one from now on (counted from 1) and those after."""
        self.kind = kind
        self._first = self.commits + first
        self._last = self._first + count - 1

    def heal(self) -> None:
        """Let everything succeed."""
        self._first = self._last = 0

    @property
    def is_failing(self) -> bool:
        """Whether the next transaction fails."""
        return self._first <= self.commits + 1 <= self._last

    def _instead(self) -> object:
        def run(database: Database, statement: str, values: Sequence[object] = ()) -> int:
            if str(database.path.parent) == self._folder:
                if statement == "BEGIN IMMEDIATE":
                    self.free.wait(10)
                    self.commits += 1
                if statement == STATEMENT[self.kind] and self._first <= self.commits <= self._last:
                    self.failed += 1
                    kinds = {"full": DiskFull, "busy": StoreBusy}
                    raise kinds[self.kind](path=database.path, reason=os.strerror(errno.ENOSPC))
            return self._run(database, statement, values)

        return run
