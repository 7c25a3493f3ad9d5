"""A backup of a whole profile: key, contacts, settings and history, in one file under a passphrase.

::

    securechat-tui profile backup 1
    $argon2id$v=19$m=65536,t=3,p=4$SALT
    check TAG
    sha256 CHECKSUM

Then binary: the stream of :mod:`~securechat_tui.storage.sealed_stream`, behind the first three lines. TAG is
nothing, sealed under another key made of the same passphrase, with the first two lines: it tells a wrong
passphrase from a damaged file, as the checksum of the lines above does for those. In the stream stands each
file as ``lp16(name) u64(size) bytes``, and an empty name at the end. ``backup.json`` comes first and says
what it is; ``identity.pem`` comes last, as it is, under whatever passphrase it has: the databases are
encrypted under the key in it.

Restoring reads a backup twice. Before its end is known to be authentic, nothing is written.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal, Self

import msgspec

from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import lp16, u64
from securechat_tui.protocol.text import MAX_NAME
from securechat_tui.storage.backup import check_empty, check_target
from securechat_tui.storage.database import companions, is_filled
from securechat_tui.storage.errors import (
    BadBackup,
    CannotRead,
    NewerBackup,
    NoBackup,
    ProfileError,
    StoreBusy,
    WrongBackupPassphrase,
)
from securechat_tui.storage.files import make_private_folder, write_pieces
from securechat_tui.storage.keystore import Keys
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase, Stretch, checksum_line
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.sealed_stream import BrokenStream, sealed, unsealed
from securechat_tui.storage.store import Store

__all__ = ["Contents", "SealedProfile", "back_up"]

_MAGIC: Final = b"securechat-tui profile backup "
_FORMAT: Final = 1
_LABEL_CHECK: Final = b"securechat-tui/1 backup check"
_LABEL_STREAM: Final = b"securechat-tui/1 backup stream"
_HEAD: Final = re.compile(
    rb"((securechat-tui profile backup 1\n([!-~]{1,100})\n)check ([A-Za-z0-9+/]{22}==)\n)"
    rb"(sha256 [0-9a-f]{64}\n)"
)
_MAX_HEAD: Final = 512
_HEAD_LINES: Final = 4
_CONTENTS: Final = "backup.json"
_IDENTITY: Final = "identity.pem"
_SMALL: Final = ("rotation.json", "config.toml")
_OLD: Final = "contacts.json"
"""What earlier versions had besides, and with them their backups: the first start takes it over."""
_INDEX: Final = "index.db"
_CONVERSATION: Final = re.compile(r"conversations/[0-9a-f]{32}\.db")
_MAX_CONTENTS: Final = 4096
_READ: Final = 1 << 16
_DAMAGED: Final = "it is damaged or cut short"


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup says of itself; ``made`` is in Unix seconds."""

    format: Literal[1]
    made: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    fingerprint: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    contacts: Annotated[int, msgspec.Meta(ge=0)]
    conversations: Annotated[int, msgspec.Meta(ge=0)]


# Making one.


def back_up(
    profile: Profile,
    keys: Keys,
    path: Path,
    contents: Contents,
    passphrase: Passphrase,
    *,
    cost: Cost = USUAL_COST,
) -> None:
    """Write everything a profile has to a new file with mode 0600; the profile is open, its store is not.

    Raises the ProfileError family, FileExists among it; then there is no file.
    """
    check_target(path)
    with Store(profile, keys.store) as store:
        store.settle()
    stretch = Stretch(cost)
    key = stretch.key(passphrase)
    first = _MAGIC + f"{_FORMAT}\n{stretch}\n".encode()
    head = first + b"check " + base64.b64encode(_check(key, first)) + b"\n"
    write_pieces(path, _whole(head, sealed(_stream_key(key), head, _content(profile, contents))))


def _check(key: bytes, first: bytes) -> bytes:
    return primitives.seal(primitives.hkdf_expand(key, _LABEL_CHECK), b"", first)


def _stream_key(key: bytes) -> bytes:
    return primitives.hkdf_expand(key, _LABEL_STREAM)


def _whole(head: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    yield head + checksum_line(head)
    yield from stream


def _content(profile: Profile, contents: Contents) -> Iterator[bytes]:
    encoded = msgspec.json.encode(contents)
    yield lp16(_CONTENTS.encode()) + u64(len(encoded)) + encoded
    for name in _names(profile):
        yield from _file(name, _path(profile, name))
    yield lp16(b"")


def _names(profile: Profile) -> list[str]:
    """What there is, the key last: with it a restored profile is complete."""
    conversations = sorted(f"conversations/{one.name}" for one in profile.conversations_folder.glob("*.db"))
    names = [*_SMALL, _INDEX, *filter(_CONVERSATION.fullmatch, conversations), _IDENTITY]
    return [name for name in names if _path(profile, name).exists()]


def _path(profile: Profile, name: str) -> Path:
    in_data = name == _INDEX or _CONVERSATION.fullmatch(name)
    return (profile.data_folder if in_data else profile.folder) / name


def _file(name: str, path: Path) -> Iterator[bytes]:
    if any(is_filled(one) for one in companions(path)[1:]):
        raise StoreBusy(path=path)
    try:
        with path.open("rb") as file:
            left = path.stat().st_size
            yield lp16(name.encode()) + u64(left)
            while left:
                part = file.read(min(left, _READ))
                if not part:
                    raise CannotRead(path=path, reason="it became shorter meanwhile")
                left -= len(part)
                yield part
    except OSError as error:
        raise CannotRead(path=path, reason=(error.strerror or "failed").lower()) from None


# Restoring one.


@dataclass(frozen=True, slots=True)
class SealedProfile:
    """A backup that has not been opened yet."""

    path: Path
    head: bytes
    stretch: Stretch
    check: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file as far as that goes without its passphrase; raises the ProfileError family."""
        with _opened(path) as file:
            return cls.parse(path, b"".join(file.readline(_MAX_HEAD) for _ in range(_HEAD_LINES)))

    @classmethod
    def parse(cls, path: Path, head: bytes) -> Self:
        """Take the first lines of a file, in clear; raises NewerBackup and BadBackup."""
        number = head.removeprefix(_MAGIC).split(b"\n")[0]
        if head.startswith(_MAGIC) and number.isdigit() and number.lstrip(b"0") != b"%d" % _FORMAT:
            raise NewerBackup(path=path)
        found = _HEAD.fullmatch(head)
        if found is None or found[5] != checksum_line(found[1]):
            raise BadBackup(path=path, reason=_reason(head))
        try:
            return cls(path, found[1], Stretch.parse(found[3].decode()), base64.b64decode(found[4]))
        except ValueError as error:
            raise BadBackup(path=path, reason=str(error)) from None

    def open(self, passphrase: Passphrase) -> "OpenBackup":
        """Check the passphrase and every byte; raises WrongBackupPassphrase and BadBackup."""
        key = self.stretch.key(passphrase)
        try:
            first = b"".join(self.head.splitlines(keepends=True)[:2])
            primitives.unseal(primitives.hkdf_expand(key, _LABEL_CHECK), self.check, first)
        except primitives.CryptoFailure:
            raise WrongBackupPassphrase(path=self.path) from None
        backup = OpenBackup(self, _stream_key(key))
        backup.check()
        return backup


def _reason(head: bytes) -> str:
    if head.startswith(_MAGIC):
        return f"{_DAMAGED}: its checksum is another one"
    if head.startswith(b"securechat-tui backup "):
        return "it holds an identity alone, for 'identity import'"
    return "its first lines are not those of a backup"


class OpenBackup:
    """A backup and its key; every byte of it has been seen to be authentic."""

    def __init__(self, sealed_profile: SealedProfile, key: bytes) -> None:
        self._sealed = sealed_profile
        self._key = key
        self.contents: Contents

    def check(self) -> None:
        """Read all of it; raises BadBackup."""
        names = []
        for name, body in self._files():
            names.append(name)
            if name == _CONTENTS:
                self.contents = self._contents(b"".join(body))
            for _ in body:
                pass
        if names[:1] != [_CONTENTS] or names[-1] != _IDENTITY or len(set(names)) != len(names):
            raise self._bad("its files are not those of a profile")

    def restore(self, profile: Profile) -> None:
        """Write it into an unused profile, which is open; what fails leaves nothing behind.

        Raises the ProfileError family, :class:`ProfileNotEmpty` before anything is changed.
        """
        check_empty(profile)
        written: list[Path] = []
        try:
            for folder in (profile.data_folder, profile.conversations_folder):
                make_private_folder(folder)
            for name, body in self._files():
                if name != _CONTENTS:
                    written.append(_path(profile, name))
                    write_pieces(written[-1], body)
        except BaseException:
            for path in written:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            raise

    def _contents(self, encoded: bytes) -> Contents:
        try:
            return msgspec.json.decode(encoded, type=Contents)
        except ValueError as error:
            raise self._bad(f"inside it: {error}") from None

    def _bad(self, reason: str) -> BadBackup:
        return BadBackup(path=self._sealed.path, reason=reason)

    def _files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Give each file's name and bytes; what is not taken of one is passed over."""
        with _opened(self._sealed.path) as file:
            file.seek(len(self._sealed.head) + len(checksum_line(b"")))
            yield from self._entries(_Stream(self._pieces(file), self._bad(_DAMAGED)))

    def _entries(self, stream: "_Stream") -> Iterator[tuple[str, Iterator[bytes]]]:
        while name := self._name(stream):
            size = int.from_bytes(stream.take(8))
            if name == _CONTENTS and size > _MAX_CONTENTS:
                raise self._bad(_DAMAGED)
            body = stream.body(size)
            yield name, body
            for _ in body:
                pass
        stream.end()

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        try:
            yield from unsealed(self._key, self._sealed.head, file)
        except BrokenStream:
            raise self._bad(_DAMAGED) from None

    def _name(self, stream: "_Stream") -> str:
        name = stream.take(int.from_bytes(stream.take(2))).decode("ascii", "replace")
        allowed = ("", _CONTENTS, _IDENTITY, _INDEX, *_SMALL, _OLD)
        if name not in allowed and not _CONVERSATION.fullmatch(name):
            raise self._bad("it holds a file that no profile has")
        return name


class _Stream:
    """Takes bytes from pieces; raises ``broken`` where they end too soon, or too late."""

    def __init__(self, pieces: Iterator[bytes], broken: ProfileError) -> None:
        self._pieces = pieces
        self._broken = broken
        self._ahead = b""

    def take(self, count: int) -> bytes:
        return b"".join(self.body(count))

    def body(self, count: int) -> Iterator[bytes]:
        while count:
            if not self._ahead:
                self._ahead = next(self._pieces, b"")
            if not self._ahead:
                raise self._broken
            part, self._ahead = self._ahead[:count], self._ahead[count:]
            count -= len(part)
            yield part

    def end(self) -> None:
        if self._ahead or any(self._pieces):
            raise self._broken


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NoBackup(path=path) from None
    except OSError as error:
        raise CannotRead(path=path, reason=(error.strerror or "failed").lower()) from None
    with file:
        yield file
