"""Destroying what is kept, and carrying a whole profile elsewhere: as lines for people or as JSON objects."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from securechat_tui.chat.archive import KeptConversation, open_archive
from securechat_tui.chat.backups import (
    Contents,
    back_up_profile,
    check_target,
    find_profile_backup,
    restore_profile,
)
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import SafeText
from securechat_tui.chat.profiles import open_profile, require_identity
from securechat_tui.headless.passphrases import Source, open_keys, passphrase_source, tried
from securechat_tui.headless.records import json_object, minute

__all__ = ["EVERYTHING", "back_up", "restore", "wipe"]

EVERYTHING: Final = "everything"
"""What a person types before all histories are destroyed."""
_WIPING: Final = (
    "This destroys what is kept of {whom}: texts, proofs, verdicts, drafts, and the key to them. "
    "Nothing brings them back, but for copies of your disk from before. What is not delivered yet is "
    "cancelled. Your contacts, and what they keep, stay as they are."
)
_BACKED_UP: Final = (
    "In it: your key, contacts, settings and everything that is kept of your conversations.",
    "Whoever has the file and its passphrase can be you and read all of it, unless your key has a passphrase",
    "of its own, which is needed too. Nobody can open it without, you included.",
)
_RESTORED: Final = (
    "The key has the passphrase that it had then, if any. What was said since then is missing here. Where a",
    "conversation has gone on after the backup, the two accounts of it differ: your contact's program and",
    "yours notice that when you meet, and nothing is sent until each of you has decided to begin anew, with",
    "or without sending again what the other lacks (/resolve). Invites, and contacts made since, are gone.",
    "Use the profile in one place only: do not go on with the one that the backup was made of.",
)


def wipe(
    profile: str | None,
    name: str | None,
    *,
    as_json: bool,
    confirm: Callable[[str, str], bool],
    source: Source | None = None,
) -> list[str]:
    """Destroy the conversations with a contact, all without a ``name``, once a person has typed which.

    Raises ``CommandError``, ``ProfileError``.
    """
    opened = open_profile(profile)
    require_identity(opened)
    with opened, open_archive(opened, open_keys(opened, source)) as archive:
        found = archive.find(name)
        _confirm(found, name, confirm)
        archive.wipe(found)
    if as_json:
        return [json_object({"wiped": [one.id for one in found]})]
    return [SafeText.line(f"What was kept of {_whom(found, name)} is destroyed.")]


def _confirm(
    found: tuple[KeptConversation, ...], name: str | None, confirm: Callable[[str, str], bool]
) -> None:
    word = EVERYTHING if name is None else SafeText.line(name)
    if not confirm(_WIPING.format(whom=_whom(found, name)), word):
        raise CommandError("not-confirmed", f"Nothing was destroyed: to go on, type {word}.")


def _whom(found: tuple[KeptConversation, ...], name: str | None) -> str:
    return f"the conversation with {found[0].name}" if name is not None else f"all {len(found)} conversations"


def back_up(profile: str | None, path: Path, *, as_json: bool, source: Source | None = None) -> list[str]:
    """Write a backup of everything, and say what is in it. Raises ``CommandError``, ``ProfileError``."""
    opened = open_profile(profile)
    require_identity(opened)
    check_target(path)
    with opened:
        source = source or passphrase_source()
        keys = open_keys(opened, source)
        contents = back_up_profile(opened, keys, path, source.ask_new("the backup"))
    if as_json:
        return [json_object({"file": str(path), **_fields(contents)})]
    return [SafeText.line(f"{path} is a backup of {contents.name}, {contents.fingerprint}."), *_BACKED_UP]


def restore(profile: str | None, path: Path, *, as_json: bool, source: Source | None = None) -> list[str]:
    """Restore a backup of everything, and say what that breaks. Raises ``ProfileError``."""
    opened = open_profile(profile)
    sealed = find_profile_backup(opened, path)
    source = source or passphrase_source()
    contents = tried(source, "the backup", lambda typed: restore_profile(opened, sealed, typed))
    if as_json:
        return [json_object(_fields(contents))]
    restored = (
        f"Restored as of {minute(contents.made)}: {contents.name}, {contents.fingerprint}, "
        f"contacts: {contents.contacts}, conversations: {contents.conversations}."
    )
    return [SafeText.line(restored), *_RESTORED]


def _fields(contents: Contents) -> dict[str, object]:
    fields = msgspec.structs.asdict(contents)
    del fields["format"]
    return fields
