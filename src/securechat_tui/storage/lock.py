"""The lock that keeps every other process out of a profile."""

from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["ProfileLock"]


class ProfileLock:
    """An advisory lock on a file, held by a process; the file itself stays."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(
            path,
            blocking=False,
            mode=0o600,
            thread_local=False,  # opened in one thread, closed in another
        )

    def acquire(self) -> bool:
        """Take the lock; False where somebody else has it. Raises OSError where it cannot be opened."""
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def is_held_elsewhere(self) -> bool:
        """Whether another process has the lock. Nobody holds what cannot be opened."""
        try:
            self._lock.acquire()
        except Timeout:
            return True
        except OSError:
            return False
        self._lock.release()
        return False

    def release(self) -> None:
        """Let others in again, however often it was taken; releasing twice does nothing."""
        self._lock.release(force=True)
