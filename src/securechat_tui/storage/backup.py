"""A backup of who one is, in one file under a passphrase: identity key and its change, contacts, name.

The file is text, so that it survives being mailed or printed::

    securechat-tui backup 1
    $argon2id$v=19$m=65536,t=3,p=4$SALT
    sha256 CHECKSUM
    BASE64 ...

The last part is JSON under AES-256-GCM. The key is that of the second line, made for this one file; the
associated data are the first two lines. The checksum proves nothing, and tells a damaged file from a
wrong passphrase. Reconnect secrets stay out: of an old backup they would have been replaced long since,
and whoever has the key is known by the key. The history stays out, and with it the key of the message store,
which would open nothing elsewhere; a restored profile begins a store of its own.
"""

import base64
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import msgspec

from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.text import MAX_NAME, SafeText
from securechat_tui.storage.book import old_book
from securechat_tui.storage.config import load_config, save_config
from securechat_tui.storage.contacts import NewerFormat, decode_contacts, encode_contacts
from securechat_tui.storage.database import is_filled
from securechat_tui.storage.errors import (
    BadBackup,
    FileExists,
    NewerBackup,
    NoBackup,
    ProfileNotEmpty,
    WrongBackupPassphrase,
)
from securechat_tui.storage.files import read_file, write_private
from securechat_tui.storage.keystore import Keys, save_keys
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase, Stretch, checksum_line
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import decode_statements, encode_statements, save_statements, shown
from securechat_tui.storage.store import Store, prepare_index
from securechat_tui.trust.pins import Pins

__all__ = ["Backup", "SealedBackup", "check_empty", "check_target", "restore", "write_backup"]

_MAX_BYTES: Final = 32 * 1024 * 1024
"""More than the largest book of contacts needs."""
_MAGIC: Final = b"securechat-tui backup "
_FORMAT: Final = 1
_FILE: Final = re.compile(
    rb"(securechat-tui backup 1\n([!-~]{1,100})\n)(sha256 [0-9a-f]{64}\n)([A-Za-z0-9+/=\n]+)"
)
_NO_BACKUP: Final = "its first lines are not those of a backup"
_DAMAGED: Final = "it is damaged or cut short: its checksum is another one"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds; ``made`` is in Unix seconds. The pins have no reconnect secrets.

    ``rotations`` are the statements by which former keys name this one.
    """

    made: float
    name: SafeText
    identity: IdentityKey
    pins: Pins
    rotations: tuple[Rotation, ...] = ()


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    format: Literal[1]
    made: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    identity: str
    contacts: msgspec.Raw
    rotation: str = ""
    """What rotation.json holds; left out where there is none."""

    def __repr__(self) -> str:
        return "_Content(...)"


def check_target(path: Path) -> None:
    """Raise :class:`FileExists` where a backup would overwrite something."""
    if os.path.lexists(path):
        raise FileExists(path=path)


def write_backup(path: Path, backup: Backup, passphrase: Passphrase, cost: Cost = USUAL_COST) -> None:
    """Write a backup with mode 0600; raises :class:`FileExists`, :class:`CannotWrite`."""
    check_target(path)
    stretch = Stretch(cost)
    head = _MAGIC + f"{_FORMAT}\n{stretch}\n".encode()
    sealed = primitives.seal(stretch.key(passphrase), _encode(backup), head)
    body = base64.encodebytes(sealed)
    write_private(path, head + checksum_line(head + body) + body)


def _encode(backup: Backup) -> bytes:
    contacts = tuple(replace(one, newest=None, confirmed=None) for one in backup.pins.contacts)
    rotations = shown(backup.rotations, backup.identity.public)
    content = _Content(
        format=_FORMAT,
        made=backup.made,
        name=str(backup.name),
        identity=backup.identity.to_pem().decode(),
        contacts=msgspec.Raw(encode_contacts(Pins(contacts))),
        rotation=encode_statements(rotations).decode() if rotations else "",
    )
    return msgspec.json.encode(content)


@dataclass(frozen=True, slots=True)
class SealedBackup:
    """A backup that has not been opened yet."""

    path: Path
    head: bytes
    stretch: Stretch
    sealed: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file as far as that goes without its passphrase.

        Raises :class:`NoBackup`, :class:`NewerBackup`, :class:`BadBackup` and what reading raises.
        """
        data = read_file(path, _MAX_BYTES, private=False)  # modes mean little on another medium
        if data is None:
            raise NoBackup(path=path)
        try:
            return cls(path, *_parse(path, data))
        except ValueError as error:
            raise BadBackup(path=path, reason=str(error)) from None

    def open(self, passphrase: Passphrase) -> Backup:
        """Decrypt it and check all of it; raises WrongBackupPassphrase, BadBackup and NewerBackup."""
        try:
            plain = primitives.unseal(self.stretch.key(passphrase), self.sealed, self.head)
        except primitives.CryptoFailure:
            raise WrongBackupPassphrase(path=self.path) from None
        return _decode(self.path, plain)


def _parse(path: Path, data: bytes) -> tuple[bytes, Stretch, bytes]:
    """Return head, key derivation and sealed content; raises :class:`ValueError`, :class:`NewerBackup`."""
    if not data.startswith(_MAGIC):
        raise ValueError(_NO_BACKUP)
    number = data.removeprefix(_MAGIC).split(b"\n")[0]
    if number.isdigit() and number.lstrip(b"0") != b"%d" % _FORMAT:
        raise NewerBackup(path=path)
    found = _FILE.fullmatch(data)
    if found is None:
        raise ValueError(_DAMAGED)
    head, stretch, checksum, body = found.groups()
    if checksum != checksum_line(head + body):
        raise ValueError(_DAMAGED)
    return head, Stretch.parse(stretch.decode()), base64.b64decode(body)


def _decode(path: Path, plain: bytes) -> Backup:
    try:
        content = msgspec.json.decode(plain, type=_Content)
        return Backup(
            made=content.made,
            name=SafeText.name(content.name),
            identity=IdentityKey.from_pem(content.identity.encode()),
            pins=_without_secrets(decode_contacts(bytes(content.contacts))),
            rotations=decode_statements(content.rotation.encode()) if content.rotation else (),
        )
    except NewerFormat:
        raise NewerBackup(path=path) from None
    except msgspec.MsgspecError:  # its words may quote what stands there, and so the key
        raise BadBackup(path=path, reason="what is inside is not what a backup holds") from None
    except (BadKey, ValueError, RecursionError) as error:
        raise BadBackup(path=path, reason=f"inside it: {error}") from None


def _without_secrets(pins: Pins) -> Pins:
    """Refuse reconnect secrets: whoever put them there could call as that contact.

    Raises :class:`ValueError`.
    """
    if any(one.newest or one.confirmed for one in pins.contacts):
        raise ValueError("a contact has a reconnect secret, which no backup holds")
    return pins


def check_empty(profile: Profile, *, but_for: Pins | None = None) -> None:
    """Raise :class:`ProfileNotEmpty` where there is an identity, a contact or a history.

    Contacts that an earlier version has kept may be ``but_for``. Raises the ProfileError family.
    """
    if os.path.lexists(profile.identity_path) or old_book(profile) not in (None, Pins(), but_for):
        raise ProfileNotEmpty(name=profile.name, path=profile.folder)
    if is_filled(profile.index_path) or any(profile.conversations_folder.glob("*.db")):
        raise ProfileNotEmpty(name=profile.name, path=profile.data_folder)


def restore(profile: Profile, backup: Backup, passphrase: Passphrase, cost: Cost = USUAL_COST) -> None:
    """Put a backup into an empty profile, the key under the backup's passphrase; the profile is open.

    The key completes it: the index with the contacts has been prepared for it by then. What was interrupted
    before can be done again. Raises :class:`ProfileNotEmpty`, before anything is changed, and ProfileError.
    """
    check_empty(profile, but_for=backup.pins)
    config = msgspec.structs.replace(load_config(profile), name=str(backup.name))
    save_config(profile, config)
    if backup.rotations:
        save_statements(profile, backup.rotations)
    keys = Keys.fresh(backup.identity)
    prepare_index(profile, keys.store, backup.pins)
    save_keys(profile, keys, passphrase, cost)
    Store(profile, keys.store).open().close()
