"""The store of a profile: an encrypted list of conversations, and an encrypted file for each.

The list (``index.db``) is under the store's key, which lies in the identity file; each conversation's file
(``conversations/NAME.db``) is under a key of its own that stands in the list alone. So a conversation is
wiped by striking its key out, whatever the disk keeps of the file. A file's name says nothing.

A file that is being made or removed stands among the list's leftovers; those go at the next opening. A crash
at any moment so leaves a conversation with its old file or with its new one, and nothing else.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Final, Self

from securechat_tui.protocol.primitives import random_bytes
from securechat_tui.storage.database import KEY_LENGTH, Database, companions, is_filled
from securechat_tui.storage.errors import DamagedConversation, DamagedStore, ProfileError, StoreReadOnly
from securechat_tui.storage.files import make_private_folder
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.resting import RestingDatabase
from securechat_tui.storage.schemas import CONVERSATION, INDEX

__all__ = ["KnownConversation", "Store"]

_NAME_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class KnownConversation:
    """A conversation that is kept: its id, the SPKIs of both keys, and since when (Unix seconds)."""

    id: bytes
    own: bytes
    """One's own key in it, which may be a former one."""
    peer: bytes
    created: float


@dataclass(frozen=True, slots=True)
class _File:
    """A conversation's file and its key."""

    path: Path
    key: bytes = field(repr=False)

    @classmethod
    def fresh(cls, folder: Path) -> Self:
        return cls(folder / f"{random_bytes(_NAME_LENGTH).hex()}.db", random_bytes(KEY_LENGTH))

    def create(self) -> Database:
        return RestingDatabase.create(self.path, self.key, CONVERSATION)

    def open(self) -> Database:
        if not is_filled(self.path):
            raise DamagedConversation(path=self.path, reason="it is missing or empty")
        return RestingDatabase.open(self.path, self.key, CONVERSATION)


class Store:
    """All conversations of a profile; the profile is open. Everything raises ProfileError.

    Its methods block and may be called from several threads; a conversation's own ones may not.
    """

    def __init__(self, profile: Profile, key: bytes) -> None:
        """``key`` is the store's key, 32 bytes."""
        self._path = profile.index_path
        self._folder = profile.conversations_folder
        self._key = key
        self._index: Database | None = None
        self._open: dict[bytes, ConversationStore] = {}
        self._lock = RLock()

    def open(self) -> Self:
        """Open the list, or begin one; remove what an interrupted change has left."""
        make_private_folder(self._path.parent)
        make_private_folder(self._folder)
        if is_filled(self._path):
            self._index = Database.open(self._path, self._key, INDEX)
        else:
            self._index = self._begin()
        try:
            self._remove_leftovers()
        except BaseException:
            self.close()
            raise
        return self

    def _begin(self) -> Database:
        if any(self._folder.glob("*.db")):
            reason = "it is missing or empty, and holds the keys of your conversations"
            raise DamagedStore(path=self._path, reason=reason)
        return Database.create(self._path, self._key, INDEX)

    def close(self) -> None:
        """Let all files go; closing twice does nothing."""
        with self._lock:
            for conversation in self._open.values():
                conversation.close()
            self._open.clear()
            if self._index is not None:
                self._index.close()
                self._index = None

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self._path)!r})"

    def conversations(self) -> tuple[KnownConversation, ...]:
        """Everything that is kept, oldest first; none of it is opened."""
        with self._listed() as index:
            found = index.rows("SELECT id, own, peer, created FROM conversation ORDER BY created, id")
        return tuple(KnownConversation(*row) for row in found)

    def conversation(self, conversation: bytes, peer: bytes, own: bytes = b"") -> ConversationStore:
        """Open a conversation, or begin one; the same object until it is forgotten.

        ``conversation`` is its id, ``peer`` the SPKI of the other one's key, ``own`` that of one's own, which
        is kept where it begins.
        """
        with self._listed() as index:
            if conversation not in self._open:
                file = self._find(index, conversation)
                self._open[conversation] = (
                    self._make(index, conversation, own, peer)
                    if file is None
                    else _resume(file.open(), conversation, peer)
                )
            return self._open[conversation]

    def forget(self, conversation: bytes) -> None:
        """Remove a conversation with everything that delivery needs; forgetting twice does nothing."""
        with self._listed() as index:
            file = self._find(index, conversation)
            if file is None:
                return
            with index.transaction():
                index.run("INSERT INTO leftover (file) VALUES (?)", (file.path.name,))
                index.run("DELETE FROM conversation WHERE id = ?", (conversation,))
            if opened := self._open.pop(conversation, None):
                opened.close()
            self._clear_away()

    def wipe(self, conversation: bytes) -> None:
        """Destroy a conversation's history and its key; positions and hashes stay, under a new key.

        What was not acknowledged is cancelled. The conversation's object goes on with what is left; call
        this where nothing else uses it meanwhile. A conversation that is not kept is left alone, and one
        whose file is damaged is forgotten: :meth:`conversation` then begins it anew.
        """
        try:
            self._wipe(conversation)
        except DamagedConversation:
            self.forget(conversation)

    def _wipe(self, conversation: bytes) -> None:
        with self._listed() as index:
            file = self._find(index, conversation)
            if file is None:
                return
            peer = index.value("SELECT peer FROM conversation WHERE id = ?", (conversation,))
            history = self.conversation(conversation, peer)
            with self._new_file(index) as (target, database):
                history.copy_positions(database)
                with index.transaction():
                    index.run("DELETE FROM leftover WHERE file = ?", (target.path.name,))
                    index.run("INSERT INTO leftover (file) VALUES (?)", (file.path.name,))
                    index.run(
                        "UPDATE conversation SET file = ?, key = ? WHERE id = ?",
                        (target.path.name, target.key, conversation),
                    )
            history.replace(database)
            self._clear_away()

    def wipe_everything(self) -> None:
        """Wipe every conversation."""
        for known in self.conversations():
            self.wipe(known.id)

    def settle(self) -> None:
        """Open and close every file once: each is whole then, without a log beside it.

        Call this where nothing else uses the conversations. Raises :class:`DamagedConversation` for one that
        cannot be opened.
        """
        with self._listed() as index:
            for known in self.conversations():
                self.conversation(known.id, known.peer).close()
                del self._open[known.id]
            index.settle()

    @contextlib.contextmanager
    def _listed(self) -> Iterator[Database]:
        """The open list, for one thread at a time."""
        with self._lock:
            if self._index is None:
                raise RuntimeError("the store is not open")
            yield self._index

    def _find(self, index: Database, conversation: bytes) -> _File | None:
        found = index.row("SELECT file, key FROM conversation WHERE id = ?", (conversation,))
        return None if found is None else _File(self._folder / found[0], found[1])

    def _make(self, index: Database, conversation: bytes, own: bytes, peer: bytes) -> ConversationStore:
        with self._new_file(index) as (file, database):
            history = ConversationStore.begin(database, conversation, peer)
            with index.transaction():
                index.run("DELETE FROM leftover WHERE file = ?", (file.path.name,))
                index.run(
                    "INSERT INTO conversation (id, own, peer, file, key, created) VALUES (?, ?, ?, ?, ?, ?)",
                    (conversation, own, peer, file.path.name, file.key, time.time()),
                )
        return history

    @contextlib.contextmanager
    def _new_file(self, index: Database) -> Iterator[tuple[_File, Database]]:
        """Make a file that stands among the leftovers; the body takes it from there with its last step.

        Where that fails the file goes again: on a full disk its space is wanted.
        """
        file = _File.fresh(self._folder)
        index.run("INSERT INTO leftover (file) VALUES (?)", (file.path.name,))
        try:
            with contextlib.ExitStack() as if_it_fails:
                database = file.create()
                if_it_fails.callback(database.close)
                yield file, database
                if_it_fails.pop_all()
        except BaseException:
            with contextlib.suppress(ProfileError):  # else the next opening does it
                self._remove_leftovers()
            raise

    def _clear_away(self) -> None:
        """Make a key that was struck out unreadable, and remove the files that nothing opens now."""
        with self._listed() as index:
            try:
                index.settle()
            finally:
                self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        with self._listed() as index:
            names = [name for (name,) in index.rows("SELECT file FROM leftover")]
            for name in names:
                for path in companions(self._folder / name):
                    _remove(path)
            with index.transaction():
                index.run_many("DELETE FROM leftover WHERE file = ?", [(name,) for name in names])


def _resume(database: Database, conversation: bytes, peer: bytes) -> ConversationStore:
    try:
        return ConversationStore.resume(database, conversation, peer)
    except BaseException:
        database.close()
        raise


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StoreReadOnly(path=path, reason=reason) from None
