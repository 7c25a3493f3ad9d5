"""Taking an identity, or a whole profile, elsewhere, and bringing it back."""

import time
from dataclasses import dataclass
from pathlib import Path

from securechat_tui.chat.account import login_name
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.backup import (
    Backup,
    SealedBackup,
    check_empty,
    check_target,
    restore,
    write_backup,
)
from securechat_tui.storage.config import load_config
from securechat_tui.storage.keystore import Keys
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import load_statements
from securechat_tui.storage.store import Store
from securechat_tui.storage.whole_backup import Contents, SealedProfile, back_up

__all__ = [
    "BackupView",
    "Contents",
    "back_up_profile",
    "check_target",
    "export_backup",
    "find_backup",
    "find_profile_backup",
    "import_backup",
    "restore_profile",
]


@dataclass(frozen=True, slots=True)
class BackupView:
    """What is in a backup; ``made`` is in Unix seconds."""

    made: float
    name: SafeText
    fingerprint: str
    contacts: int

    @classmethod
    def of(cls, backup: Backup) -> "BackupView":
        """Describe a backup."""
        fingerprint = str(backup.identity.public.fingerprint)
        return cls(backup.made, backup.name, fingerprint, len(backup.pins.contacts))


def export_backup(
    profile: Profile, keys: Keys, path: Path, passphrase: Passphrase, cost: Cost = USUAL_COST
) -> BackupView:
    """Write identity, contacts and name to a file; the profile is open. Raises :class:`ProfileError`."""
    name = SafeText.name(load_config(profile).name or login_name())
    with Store(profile, keys.store) as store:
        backup = Backup(time.time(), name, keys.identity, store.pins(), load_statements(profile))
    write_backup(path, backup, passphrase, cost)
    return BackupView.of(backup)


def find_backup(profile: Profile, path: Path) -> SealedBackup:
    """Read a backup that is to be restored into a profile, as far as that goes without its passphrase.

    Raises :class:`ProfileError` where the profile is not empty, and for every defect of the file.
    """
    if profile.folder.exists():
        check_empty(profile)
    return SealedBackup.read(path)


def import_backup(
    profile: Profile, sealed: SealedBackup, passphrase: Passphrase, cost: Cost = USUAL_COST
) -> BackupView:
    """Restore a backup into an empty profile, under its passphrase. Raises :class:`ProfileError`."""
    backup = sealed.open(passphrase)
    with profile:
        restore(profile, backup, passphrase, cost)
    return BackupView.of(backup)


def back_up_profile(
    profile: Profile, keys: Keys, path: Path, passphrase: Passphrase, cost: Cost = USUAL_COST
) -> Contents:
    """Write everything a profile has to a file; the profile is open. Raises :class:`ProfileError`."""
    with Store(profile, keys.store) as store:
        contacts, conversations = len(store.pins().contacts), len(store.conversations())
    contents = Contents(
        format=1,
        made=time.time(),
        name=str(SafeText.name(load_config(profile).name or login_name())),
        fingerprint=str(keys.identity.public.fingerprint),
        contacts=contacts,
        conversations=conversations,
    )
    back_up(profile, keys, path, contents, passphrase, cost=cost)
    return contents


def find_profile_backup(profile: Profile, path: Path) -> SealedProfile:
    """Read the backup of a whole profile, as :func:`find_backup` does."""
    if profile.folder.exists():
        check_empty(profile)
    return SealedProfile.read(path)


def restore_profile(profile: Profile, sealed: SealedProfile, passphrase: Passphrase) -> Contents:
    """Restore a whole profile into an unused one; nothing is written before all of it is checked.

    Raises :class:`ProfileError`.
    """
    backup = sealed.open(passphrase)
    with profile:
        backup.restore(profile)
    return backup.contents
