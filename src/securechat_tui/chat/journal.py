"""What is to be kept of one conversation, on its way to the disk: one transaction for all that waits.

Whoever has changed something in memory notes it here and awaits :meth:`Journal.commit`; when that returns
it is on disk, and may be shown, written or acknowledged. While one transaction is being written, what is
noted meanwhile gathers for the next. If one fails, what gathered behind it fails with it, and the owner
takes its memory back to what is on disk.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from securechat_tui.chat.shelf import Standing
from securechat_tui.chat.turns import Turns
from securechat_tui.storage.errors import ProfileError, StoreFailed
from securechat_tui.storage.messages import Change

if TYPE_CHECKING:
    from securechat_tui.storage.history import ConversationStore

__all__ = ["Journal", "Ledger"]


T = TypeVar("T")


class Ledger(Protocol):
    """The memory whose changes are noted."""

    def standing(self) -> Standing:
        """Where both directions stand, with everything that has been noted."""

    def kept(self, standing: Standing) -> None:
        """Everything up to here is on disk."""

    def take_back(self, error: ProfileError) -> None:
        """Nothing is on disk that came after the last :meth:`kept`."""


class _Transaction:
    """Changes that go to disk together, and what came of that."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.undo: list[Callable[[], None]] = []
        self.is_due = False
        self.done = asyncio.Event()
        self.failure: ProfileError | None = None

    def end(self, failure: ProfileError | None = None) -> None:
        self.failure = failure
        if failure is not None:
            for undo in reversed(self.undo):
                undo()
        self.done.set()


class Journal:
    """Group commit over the store of one conversation."""

    def __init__(self, store: "ConversationStore", ledger: Ledger, turns: Turns) -> None:
        """``turns`` is told while something is being written."""
        self.store = store
        self._ledger = ledger
        self._turns = turns
        self._current = self._next = _Transaction()
        self.is_writing = False
        """Whether something is being written, or is due."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._alone = asyncio.Lock()
        """The store serves one thread at a time."""

    def note(self, *changes: Change) -> None:
        """Add to what goes to disk next."""
        self._next.changes.extend(changes)

    async def commit(self, *undo: Callable[[], None]) -> None:
        """Wait until everything noted so far is on disk; raises the :class:`ProfileError` of a failure.

        Then ``undo`` has been called already, before anybody could note anything else.
        """
        transaction = self._next
        transaction.undo.extend(undo)
        self.commit_soon()
        await transaction.done.wait()
        if transaction.failure is not None:
            raise transaction.failure

    async def settled(self) -> None:
        """Wait until what was noted by now is on disk, or has failed to be."""
        for transaction in (self._current, self._next):
            if transaction.is_due:
                await transaction.done.wait()

    def abandon(self, error: ProfileError) -> None:
        """Let nothing go to disk that has been noted: whoever waits for it hears ``error``.

        Call this while the answer of a :meth:`read` is taken note of: nothing is being written then.
        """
        behind, self._next = self._next, _Transaction()
        behind.end(error)
        if not self._current.done.is_set():
            self._current.failure = error

    def commit_soon(self) -> None:
        """Let what is noted, and where both directions stand, go to disk without waiting for it."""
        self._next.is_due = True
        self._turns.write(self)
        if not self.is_writing:
            self.is_writing = True
            self._start(self._write())

    async def read(self, question: Callable[[], T], take: Callable[[T], None] = lambda _: None) -> T:
        """Ask the store something, in a thread, while nothing is being written.

        ``take`` is called with the answer before anything else is written. Whoever asks may go away: a thread
        cannot be stopped, so that the store is its own until it is done, and ``take`` is called all the same.
        """
        return await asyncio.shield(self._start(self._ask(question, take)))

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="journal")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # who asked hears it, unless they have gone

    async def _ask(self, question: Callable[[], T], take: Callable[[T], None]) -> T:
        async with self._alone:
            answer = await asyncio.to_thread(question)
            take(answer)
            return answer

    async def close(self) -> None:
        """Wait until nothing is being written or asked any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _write(self) -> None:
        try:
            while await self._write_next():
                self._turns.write(self)
        finally:
            self.is_writing = False

    async def _write_next(self) -> bool:
        """Write what has gathered; return whether another is due by then."""
        transaction, self._next = self._next, _Transaction()
        self._current = transaction
        standing = self._ledger.standing()
        try:
            async with self._alone:
                if transaction.failure is not None:
                    raise transaction.failure
                await asyncio.to_thread(
                    self.store.write, transaction.changes, standing.sending, standing.receiving
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits must hear of it
            self._fail(transaction, error if isinstance(error, ProfileError) else _internal(error))
        else:
            self._ledger.kept(standing)
            transaction.end()
        finally:
            self._turns.end(self)  # who waits for this transaction waits for none behind it
        return self._next.is_due

    def _fail(self, transaction: _Transaction, error: ProfileError) -> None:
        behind, self._next = self._next, _Transaction()
        self._ledger.take_back(error)
        behind.end(error)  # the later one first: what is undone comes before what that has undone
        transaction.end(error)


def _internal(error: Exception) -> ProfileError:
    return StoreFailed(path="the history", reason=f"an internal error, {type(error).__name__}")
