"""Files of which there may be thousands: few are open at once, whichever are wanted.

An open one takes two places in the system's table, and up to 2 MiB of memory. Opening one again takes a few
milliseconds.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Final, Self

from securechat_tui.storage.database import Database, Schema, is_filled

__all__ = ["MOST_OPEN", "RestingDatabase"]

MOST_OPEN: Final = 32
"""Files that this program has open at once; more only while all of them are in use."""


class RestingDatabase(Database):
    """A file that is let go while others are wanted, and opened again by the next statement.

    As far as one statement reaches, it serves several threads.
    """

    __slots__ = ("_key", "_lock", "_users")

    def __init__(self, path: Path, schema: Schema, connection: Any) -> None:  # noqa: ANN401 - no types
        super().__init__(path, schema, connection)
        self._key = b""
        """Empty before it has been opened and after it is closed for good."""
        self._lock = RLock()
        self._users = 0
        """What is under way and reaches beyond one statement."""

    @classmethod
    def open(cls, path: Path, key: bytes, schema: Schema) -> Self:
        """Open a file as any other; the one that was opened longest ago is let go."""
        database = super().open(path, key, schema)
        database._key = key  # noqa: SLF001 - its own class
        _open.add(database)
        return database

    def rest(self) -> bool:
        """Let the file go until something is wanted of it; False where it is in use."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._users:
                return False
            super().close()
            self._connection = None
            return True
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let the file go for good; closing twice does nothing."""
        with self._lock:
            if self._connection is not None:
                super().close()
            self._connection, self._key = None, b""
        _open.remove(self)

    def _wake(self) -> None:
        if self._connection is not None:
            return
        if not self._key:
            raise RuntimeError("the file is closed")
        if not is_filled(self.path):
            raise self._schema.damaged(path=self.path, reason="it is missing or empty")
        opened = Database.open(self.path, self._key, self._schema)
        self._connection = opened._connection  # noqa: SLF001 - which is given over
        _open.add(self)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Carry out one statement."""
        with self._lock:
            self._wake()
            return super().run(statement, values)

    def run_many(self, statement: str, rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> None:
        """Carry out one statement for each of ``rows``."""
        with self._lock:
            self._wake()
            super().run_many(statement, rows)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._lock:
            self._wake()
            return super().rows(query, values)

    def row(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query."""
        with self._lock:
            self._wake()
            return super().row(query, values)

    def each(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a query; the file stays open until the last."""
        with self._in_use():
            with self._lock:
                self._wake()
            yield from super().each(query, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the file open for a transaction."""
        with self._in_use(), super().transaction():
            yield


class _Open:
    """The files that are open, in the order in which they were opened."""

    def __init__(self) -> None:
        self._files: dict[RestingDatabase, None] = {}
        self._lock = Lock()

    def add(self, database: RestingDatabase) -> None:
        """Take note of one, and let others go where there are too many."""
        with self._lock:
            self._files[database] = None
            for one in list(self._files)[:-1]:
                if len(self._files) <= MOST_OPEN:
                    break
                if one.rest():
                    del self._files[one]

    def remove(self, database: RestingDatabase) -> None:
        """One is closed."""
        with self._lock:
            self._files.pop(database, None)


_open: Final = _Open()
