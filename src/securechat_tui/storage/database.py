"""One encrypted database file (SQLCipher): opened, keyed, brought to the newest form, its errors told.

The key is 32 random bytes and is used as it is; SQLCipher encrypts and authenticates each page under it. A
file begins with a salt, in clear, which here is a hash of the key: so a file that belongs to another key
is told from a damaged one. A transaction is on the disk when it returns (write-ahead log,
``synchronous=FULL``), what is deleted is overwritten, temporary tables stay in memory.

A file is locked for as long as it is open, which spares the shared-memory file beside it; other programs
can hold us up at the opening only.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from sqlcipher3 import dbapi2 as sqlcipher

from securechat_tui.protocol import primitives
from securechat_tui.storage.errors import (
    DamagedStore,
    DiskFull,
    NewerStore,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreReadOnly,
)
from securechat_tui.storage.files import check_entry, sync_folder

__all__ = ["KEY_LENGTH", "Database", "Schema", "companions", "is_filled", "is_under"]

KEY_LENGTH: Final = 32
_SALT_LENGTH: Final = 16
_LABEL_SALT: Final = b"securechat-tui/1 database salt"
_BUSY_SECONDS: Final = 1.0
_CACHE_KIB: Final = 2048
_CREATE: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PRIMARY_CODE: Final = 0xFF
_ERRORS: Final[dict[int, type[StoreError]]] = {
    sqlcipher.SQLITE_FULL: DiskFull,
    sqlcipher.SQLITE_BUSY: StoreBusy,
    sqlcipher.SQLITE_LOCKED: StoreBusy,
    sqlcipher.SQLITE_READONLY: StoreReadOnly,
    sqlcipher.SQLITE_PERM: StoreReadOnly,
    sqlcipher.SQLITE_CANTOPEN: StoreReadOnly,
    sqlcipher.SQLITE_IOERR: StoreFailed,
    sqlcipher.SQLITE_CORRUPT: DamagedStore,
    sqlcipher.SQLITE_NOTADB: DamagedStore,
}


@dataclass(frozen=True, slots=True)
class Schema:
    """What is in a kind of file, and what its reader is told where it cannot be used.

    ``steps`` lead from nothing to the newest form; a file's ``user_version`` says how many it has taken.
    """

    steps: tuple[tuple[str, ...], ...]
    damaged: type[StoreError]
    wrong_key: type[StoreError]


def companions(path: Path) -> tuple[Path, ...]:
    """Return a database file and the files that may lie beside it."""
    return tuple(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal"))


def is_filled(path: Path) -> bool:
    """Whether there is a file with anything in it; a crash may leave an empty one. Raises StoreError."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreReadOnly(path=path, reason=_reason(error)) from None


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _salt(key: bytes) -> bytes:
    return primitives.hash_of(_LABEL_SALT, key)[:_SALT_LENGTH]


def is_under(path: Path, key: bytes) -> bool:
    """Whether a file was made under this key, as its first bytes say. Raises StoreError."""
    try:
        with path.open("rb") as file:
            return file.read(_SALT_LENGTH) == _salt(key)
    except OSError as error:
        raise StoreReadOnly(path=path, reason=_reason(error)) from None


def _check(path: Path, key: bytes, schema: Schema) -> None:
    """Look at a file and what lies beside it before they are opened. Raises ProfileError.

    Where the file was made under another key, that is what ``schema`` has for it.
    """
    for one in companions(path):
        if os.path.lexists(one):
            check_entry(one)
    if not is_under(path, key) and is_filled(path):
        raise schema.wrong_key(path=path, reason="it was made under another key")


@contextmanager
def _telling(path: Path, schema: Schema, connection: Any = None) -> Iterator[None]:  # noqa: ANN401 - no types
    """Turn the library's errors about a file into :class:`StoreError`; a caller's mistakes stay."""
    try:
        yield
    except sqlcipher.Error as error:
        kind = _ERRORS.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE)
        if kind is None:
            raise
        if kind is not DamagedStore:
            raise kind(path=path, reason=str(error)) from None
        raise schema.damaged(path=path, reason=_damage(connection) or str(error)) from None


def _damage(connection: Any) -> str:  # noqa: ANN401
    """What SQLite finds wrong first, where it still can look."""
    with suppress(sqlcipher.Error):
        found = connection.execute("PRAGMA quick_check(1)").fetchone() if connection else None
        return str(found[0]).rpartition("\n")[2] if found else ""
    return ""


class Database:
    """One open file, for one thread at a time. Everything raises :class:`StoreError`."""

    __slots__ = ("_connection", "_schema", "path")

    def __init__(self, path: Path, schema: Schema, connection: Any) -> None:  # noqa: ANN401 - no types
        self.path = path
        self._schema = schema
        self._connection = connection

    @classmethod
    def create(cls, path: Path, key: bytes, schema: Schema) -> Self:
        """Make a file with mode 0600, durably; an empty one that is there already is filled."""
        try:
            os.close(os.open(path, _CREATE, stat.S_IRUSR | stat.S_IWUSR))
            sync_folder(path.parent)
        except OSError as error:
            full = error.errno in _NO_SPACE
            raise (DiskFull if full else StoreReadOnly)(path=path, reason=_reason(error)) from None
        return cls.open(path, key, schema)

    @classmethod
    def open(cls, path: Path, key: bytes, schema: Schema) -> Self:
        """Open a file and take the steps of ``schema`` that it lacks; raises ProfileError."""
        _check(path, key, schema)
        with _telling(path, schema):
            connection = sqlcipher.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        database = cls(path, schema, connection)
        with database._closed_if_it_fails():
            database._unlock(key)
            database._prepare()
            database._migrate(schema.steps)
        return database

    @classmethod
    def look(cls, path: Path, key: bytes, schema: Schema) -> Self:
        """Open a file for reading as it lies there: nothing is locked, written or made, and its log not read.

        Nobody else may have it open. It may lack steps of ``schema``. Raises ProfileError.
        """
        _check(path, key, schema)
        with _telling(path, schema):
            connection = sqlcipher.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        database = cls(path, schema, connection)
        with database._closed_if_it_fails():
            database._unlock(key)
            if database.steps > len(schema.steps):
                raise NewerStore(path=path)
        return database

    @contextmanager
    def _closed_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _unlock(self, key: bytes) -> None:
        self.run("PRAGMA cipher_log_level = NONE")  # it would write to the terminal
        self.run(f"PRAGMA key = \"x'{key.hex()}{_salt(key).hex()}'\"")

    def _prepare(self) -> None:
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "temp_store = MEMORY",
            f"cache_size = -{_CACHE_KIB}",
        ):
            self.run(f"PRAGMA {pragma}")

    @property
    def steps(self) -> int:
        """How many steps of its schema the file has taken."""
        return int(self.value("PRAGMA user_version"))

    def _migrate(self, steps: tuple[tuple[str, ...], ...]) -> None:
        version = self.steps
        if version > len(steps):
            raise NewerStore(path=self.path)
        if version == len(steps):
            return
        with self.transaction():
            for step in steps[version:]:
                for statement in step:
                    self.run(statement)
            self.run(f"PRAGMA user_version = {len(steps)}")

    def _telling(self) -> AbstractContextManager[None]:
        return _telling(self.path, self._schema, self._connection)

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Carry out one statement; return the rowid of what it has inserted."""
        with self._telling():
            return int(self._connection.execute(statement, values).lastrowid or 0)

    def run_many(self, statement: str, rows: Iterator[Sequence[object]] | Sequence[Sequence[object]]) -> None:
        """Carry out one statement for each of ``rows``."""
        with self._telling():
            self._connection.executemany(statement, rows)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._telling():
            found: list[tuple[Any, ...]] = self._connection.execute(query, values).fetchall()
            return found

    def each(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a query one after the other; nothing may be written to this file meanwhile."""
        with self._telling():
            yield from self._connection.execute(query, values)

    def row(self, query: str, values: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """Return the first row of a query; None where there is none."""
        with self._telling():
            found: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
            return found

    def value(self, query: str, values: Sequence[object] = ()) -> Any:  # noqa: ANN401 - whatever the column holds
        """Return the first column of a query's first row; None where there is none."""
        found = self.row(query, values)
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is on the disk when it ends, or nothing of it ever was."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite has not taken it back by itself
                with suppress(StoreError):
                    self.run("ROLLBACK")
            raise

    def settle(self) -> None:
        """Move the log into the file and cut it off, so that nothing deleted is left in it."""
        self.run("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let the file go; closing twice does nothing."""
        with suppress(sqlcipher.Error):
            self._connection.close()
