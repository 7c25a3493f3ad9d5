"""Files and folders that nobody else may read, written whole or not at all.

Where a system has no POSIX owners and permission bits (Windows), those are not checked; the profile
then lies in the user's own application folder.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from securechat_tui.storage.errors import (
    CannotRead,
    CannotWrite,
    FileExists,
    NotAFile,
    NotAFolder,
    OthersCanEnter,
    OthersCanRead,
    ProfileError,
    SomebodyElses,
    SymbolicLink,
    TooLarge,
)

__all__ = [
    "NewFile",
    "check_entry",
    "leftovers",
    "make_private_folder",
    "others_can_replace",
    "read_file",
    "remove_file",
    "remove_leftovers",
    "sync_folder",
    "write_pieces",
    "write_private",
]

_HAS_OWNERS: Final = hasattr(os, "geteuid")
_SYNCS_FOLDERS: Final = os.name == "posix"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_PRIVATE_FOLDER: Final = stat.S_IRWXU
_LEFTOVER: Final = ".tmp"
_CHUNK: Final = 1 << 16
_OPEN_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a named pipe in the file's place must not hold us up
)
_NAMELESS: Final = getattr(os, "O_TMPFILE", 0)
_RENAMES_OVER: Final = os.name == "posix"
"""Whether a rename puts a file in the place of another; on Windows it fails there."""
_WITHOUT_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""How a file system says that it knows no hard links."""
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


def make_private_folder(path: Path) -> None:
    """Create a folder with mode 0700, its missing parents too, or check the one that is there.

    Raises :class:`ProfileError` where it is not a folder, somebody else's, open to others or a
    symbolic link.
    """
    try:
        _create_folders(path)
        info = path.lstat()
    except (FileExistsError, NotADirectoryError):
        raise NotAFolder(path=path) from None
    except OSError as error:
        raise CannotWrite(path=path, reason=_reason(error)) from None
    if stat.S_ISLNK(info.st_mode):
        raise SymbolicLink(path=path)
    if not stat.S_ISDIR(info.st_mode):
        raise NotAFolder(path=path)
    _check_owner(path, info, OthersCanEnter)


def _create_folders(path: Path) -> None:
    """Create what is missing from the top down; ``Path.mkdir(parents=True)`` leaves parents open."""
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another process was faster; what it made is checked next
            folder.mkdir(_PRIVATE_FOLDER)


def _check_owner(path: Path, info: os.stat_result, when_open: type[ProfileError]) -> None:
    if not _HAS_OWNERS:
        return
    if info.st_uid != os.geteuid():
        raise SomebodyElses(path=path)
    if info.st_mode & _OTHERS:
        raise when_open(path=path)


def check_entry(path: Path, *, private: bool = True) -> None:
    """Look at one entry of a profile without opening it; raises :class:`ProfileError`.

    Raises for a link, for what is neither file nor folder, for somebody else's, and for what others
    can look into (where it is ``private``) or write to.
    """
    try:
        info = path.lstat()
    except OSError as error:
        raise CannotRead(path=path, reason=_reason(error)) from None
    if stat.S_ISLNK(info.st_mode):
        raise SymbolicLink(path=path)
    if stat.S_ISDIR(info.st_mode):
        _check_owner(path, info, OthersCanEnter)
    elif not stat.S_ISREG(info.st_mode):
        raise NotAFile(path=path)
    elif private or info.st_mode & _OTHERS_WRITE:
        _check_owner(path, info, OthersCanRead)


def others_can_replace(folder: Path) -> bool:
    """Whether any user of the machine may rename what lies in a folder, as only /tmp prevents."""
    if not _HAS_OWNERS:
        return False
    mode = folder.stat().st_mode
    return bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def leftovers(folder: Path) -> list[Path]:
    """What an interrupted :func:`write_private` has left, oldest name first."""
    return sorted(folder.glob(f".*{_LEFTOVER}"))


def read_file(path: Path, limit: int, *, private: bool = True) -> bytes | None:
    """Return what a file holds, at most ``limit`` bytes; None where there is no file.

    A private file must be one's own, closed to others and no symbolic link. Raises
    :class:`ProfileError`.
    """
    if private and path.is_symlink():
        raise SymbolicLink(path=path)
    try:
        descriptor = os.open(path, _OPEN_FLAGS | (_NO_LINK if private else 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_dir():  # what Windows says of a folder is "permission denied"
            raise NotAFile(path=path) from None
        raise CannotRead(path=path, reason=_reason(error)) from None
    try:
        return _read_checked(path, descriptor, limit, private=private)
    except OSError as error:
        raise CannotRead(path=path, reason=_reason(error)) from None
    finally:
        os.close(descriptor)


def _read_checked(path: Path, descriptor: int, limit: int, *, private: bool) -> bytes:
    """Check the open file itself, not whatever its name stands for by now, and read it."""
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        raise NotAFile(path=path)
    if private:
        _check_owner(path, info, OthersCanRead)
    data = bytearray()
    while chunk := os.read(descriptor, _CHUNK):
        data += chunk
        if len(data) > limit:
            raise TooLarge(path=path, limit=limit)
    return bytes(data)


def write_private(path: Path, data: bytes) -> None:
    """Put a file with mode 0600 in place of whatever is there, atomically and durably.

    A crash leaves either the old content or the new. Raises :class:`CannotWrite`.
    """
    write_pieces(path, (data,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """Do as :func:`write_private` does, with what comes piece by piece; what making them raises passes."""
    try:
        _replace(path, pieces)
    except OSError as error:
        raise CannotWrite(path=path, reason=_reason(error)) from None


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    # mkstemp opens with O_EXCL and 0600 whatever the umask; the same folder is the same file system.
    descriptor, temporary = tempfile.mkstemp(_LEFTOVER, f".{path.name}.", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 - as the other calls on the same name
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    sync_folder(path.parent)


class NewFile:
    """A file with mode 0600 that is being written where there is none, whole or not at all.

    Where the system knows files without a name (Linux, in most file systems), it gets its name with the last
    step, and goes with a program that is killed before that. Elsewhere it has another name till then, beside
    the one it will have (:func:`leftovers`). Nothing is put in the place of another file; only where a file
    system knows no hard links either, of one that is made in the very moment of the last step.
    """

    def __init__(self, path: Path) -> None:
        """Begin to write; raises :class:`FileExists`, :class:`CannotWrite`."""
        self._path = path
        with _writing(path):
            if os.path.lexists(path):
                raise FileExistsError
            descriptor, self._temporary = _nameless(path.parent), ""
            if descriptor is None:
                descriptor, self._temporary = tempfile.mkstemp(_LEFTOVER, f".{path.name}.", path.parent)
            self._file = os.fdopen(descriptor, "wb")

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write on; what making the pieces raises passes. Raises :class:`CannotWrite`."""
        with _writing(self._path):
            self._file.writelines(pieces)

    def finish(self) -> None:
        """Let it be there, durably; raises :class:`FileExists`, :class:`CannotWrite`."""
        with _writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            if self._temporary:
                self._file.close()
                _rename_to_new(self._temporary, self._path)
            else:
                _give_name(self._file.fileno(), self._path)
                self._file.close()
            sync_folder(self._path.parent)

    def abandon(self) -> None:
        """Leave nothing of it; after :meth:`finish` this does nothing."""
        with suppress(OSError):
            self._file.close()
        if self._temporary:
            with suppress(OSError):
                Path(self._temporary).unlink()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise FileExists(path=path) from None
    except OSError as error:
        raise CannotWrite(path=path, reason=_reason(error)) from None


def _nameless(folder: Path) -> int | None:
    """Open a file that has no name yet; None where that cannot be, or could not get one."""
    if not _NAMELESS:
        return None
    try:
        descriptor = os.open(folder, _NAMELESS | os.O_WRONLY | os.O_CLOEXEC, stat.S_IRUSR | stat.S_IWUSR)
    except OSError:  # where another file cannot be made here either, that says why
        return None
    if os.path.lexists(_by_descriptor(descriptor)):
        return descriptor
    os.close(descriptor)  # /proc is not there
    return None


def _by_descriptor(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _rename_to_new(temporary: str, path: Path) -> None:
    """Rename a file; raises OSError, FileExistsError where there is one at ``path``."""
    if not _RENAMES_OVER:
        os.rename(temporary, path)  # noqa: PTH104 - as the other calls on the same name
        return
    try:
        os.link(temporary, path)  # it alone fails where something is in the way
    except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
            raise
        if os.path.lexists(path):
            raise FileExistsError from None
        os.replace(temporary, path)  # noqa: PTH105
    else:
        os.unlink(temporary)  # noqa: PTH108


def _give_name(descriptor: int, path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # with a folder given, Python takes the call that follows the link to the file
        os.link(
            _by_descriptor(descriptor), path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True
        )
    finally:
        os.close(folder)


def sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system can open folders."""
    if not _SYNCS_FOLDERS:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot, and need not
            raise
    finally:
        os.close(descriptor)


def remove_file(path: Path) -> None:
    """Remove a file, durably; where there is none, nothing happens. Raises :class:`CannotWrite`."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise CannotWrite(path=path, reason=_reason(error)) from None


def remove_leftovers(folder: Path) -> None:
    """Delete what an interrupted :func:`write_private` left; call it while nobody else can write."""
    for leftover in leftovers(folder):
        with suppress(OSError):
            leftover.unlink()


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
