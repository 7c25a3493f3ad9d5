"""Protecting one's identity and carrying it elsewhere, as lines for people or as JSON objects."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from securechat_tui.chat.backups import check_target, export_backup, find_backup, import_backup
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import SafeText
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.profiles import (
    Keys,
    Profile,
    is_locked,
    open_profile,
    replace_identity,
    require_identity,
    stored_keys,
)
from securechat_tui.chat.profiles import change_passphrase as keep_under
from securechat_tui.headless.passphrases import Source, open_keys, passphrase_source, tried
from securechat_tui.headless.records import json_object, minute

__all__ = ["CONFIRMATION", "change_passphrase", "export_identity", "import_identity", "replace_key"]

CONFIRMATION: Final = "replace"
"""What a person types before the present key is given up."""
_REPLACING: Final = (
    "This makes a new key in the place of the present one, which signs it and is then destroyed. Your "
    "contacts are told and decide; until they compare codes, the new key is no more than pinned for them."
)
_REPLACED: Final = (
    "The former key has signed it and is gone from this profile. Copies of it, in backups of your disk, can",
    "still pass for you where the new key is not known yet. Make a new backup: identity export.",
)
_SET: Final = (
    "The key is under the passphrase now, with your contacts and history, and every start asks for it.",
    "Nobody can open the key without it, you included: 'identity export FILE' makes a backup.",
    "Copies of the file from before, in backups of your disk, open as they did then.",
)
_REMOVED: Final = (
    "The key has no passphrase now: whoever can read your files can be you, and read contacts and history.",
)
_EXPORTED: Final = (
    "In it: your key and its last change, your name, and your contacts with their keys, trust and history.",
    "Not in it: messages and the key to them, settings, and reconnect secrets; your contacts know you by",
    "your key.",
    "Whoever has the file and its passphrase can be you. Nobody can open it without, you included.",
)
_IMPORTED: Final = (
    "The key is under the backup's passphrase; 'identity passphrase' changes that.",
    "Not restored: messages, and contacts met or forgotten since then. Conversations begin anew,",
    "which your contacts may be shown. Use the identity in one place only: take it away at the other.",
)


def replace_key(
    profile: str | None,
    bits: int,
    *,
    as_json: bool,
    confirm: Callable[[str], bool],
    source: Source | None = None,
) -> list[str]:
    """Make a new key that the present one signs, once a person has said so. Raises as the others do."""
    opened = open_profile(profile)
    require_identity(opened)
    if not confirm(_REPLACING):
        raise CommandError("not-confirmed", f"Nothing was changed: to go on, type {CONFIRMATION}.")
    with opened:
        keys, passphrase = _opened(opened, source)
        view = replace_identity(opened, keys, bits, passphrase)
    if as_json:
        former = str(keys.identity.public.fingerprint)
        return [json_object({"name": view.name, "fingerprint": view.fingerprint, "former": former})]
    return [SafeText.line(f"{view.name} has a new key, {view.fingerprint}."), *_REPLACED]


def _opened(profile: Profile, source: Source | None) -> tuple[Keys, Passphrase | None]:
    """The keys, and the passphrase that they are under."""
    if not is_locked(profile):
        return stored_keys(profile), None
    what = f"the identity '{profile.name}'"
    return tried(source or passphrase_source(), what, lambda typed: (stored_keys(profile, typed), typed))


def change_passphrase(
    profile: str | None, *, remove: bool, as_json: bool, source: Source | None = None
) -> list[str]:
    """Set, change or remove the passphrase, and say so. Raises ``CommandError``, ``ProfileError``."""
    opened = open_profile(profile)
    require_identity(opened)
    with opened:
        keys = open_keys(opened, source)
        asked = None if remove else source or passphrase_source()
        new = asked.ask_new(f"the identity '{opened.name}'") if asked else None
        keep_under(opened, keys, new)
    return [json_object({"passphrase": not remove})] if as_json else [*(_REMOVED if remove else _SET)]


def export_identity(
    profile: str | None, path: Path, *, as_json: bool, source: Source | None = None
) -> list[str]:
    """Write a backup, and say what is in it. Raises ``CommandError``, ``ProfileError``."""
    opened = open_profile(profile)
    require_identity(opened)
    check_target(path)
    with opened:
        source = source or passphrase_source()
        keys = open_keys(opened, source)
        view = export_backup(opened, keys, path, source.ask_new("the backup"))
    if as_json:
        return [json_object({"file": str(path), "fingerprint": view.fingerprint, "contacts": view.contacts})]
    return [SafeText.line(f"{path} is a backup of {view.name}, {view.fingerprint}."), *_EXPORTED]


def import_identity(
    profile: str | None, path: Path, *, as_json: bool, source: Source | None = None
) -> list[str]:
    """Restore a backup, and say what came of it. Raises ``ProfileError``."""
    opened = open_profile(profile)
    sealed = find_backup(opened, path)
    source = source or passphrase_source()
    view = tried(source, "the backup", lambda typed: import_backup(opened, sealed, typed))
    if as_json:
        fields = {"name": str(view.name), "fingerprint": view.fingerprint, "contacts": view.contacts}
        return [json_object(fields)]
    restored = (
        f"Restored as of {minute(view.made)}: {view.name}, {view.fingerprint}, contacts: {view.contacts}."
    )
    return [restored, *_IMPORTED]
