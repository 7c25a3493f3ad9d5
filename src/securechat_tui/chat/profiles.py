"""A profile without an engine: what the command line shows and changes directly."""

import os
from typing import Final

import msgspec

from securechat_tui.chat.account import login_name
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.views import IdentityView
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import load_config, save_config
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.keystore import (
    Keys,
    create_identity,
    load_identity,
    open_keys,
    read_sealed,
    save_keys,
)
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase
from securechat_tui.storage.profile import DEFAULT_PROFILE, Profile
from securechat_tui.storage.rotation import rotate_identity

__all__ = [
    "IdentityKey",
    "Keys",
    "Profile",
    "ProfileError",
    "change_passphrase",
    "is_begun",
    "is_locked",
    "new_identity",
    "open_profile",
    "replace_identity",
    "require_identity",
    "show_identity",
    "stored_key",
    "stored_keys",
]

_NO_IDENTITY: Final = "This profile has no identity yet: make one with 'identity new'."


def open_profile(name: str | None) -> Profile:
    """Find a profile; nothing is read or locked yet. Raises :class:`ProfileError`."""
    return Profile.named(DEFAULT_PROFILE if name is None else name)


def require_identity(profile: Profile) -> None:
    """Raise CommandError where there is no identity; nothing is opened or made."""
    if not os.path.lexists(profile.identity_path):
        raise CommandError("no-identity", _NO_IDENTITY)


def is_begun(profile: Profile) -> bool:
    """Whether there is an identity, or anything of the contacts of one."""
    paths = (profile.identity_path, profile.index_path, profile.contacts_path)
    return any(map(os.path.lexists, paths))


def is_locked(profile: Profile) -> bool:
    """Whether there is an identity under a passphrase; raises :class:`ProfileError`."""
    return read_sealed(profile) is not None


def stored_key(profile: Profile, passphrase: Passphrase | None = None) -> IdentityKey:
    """Load the identity; raises CommandError where there is none, and :class:`ProfileError`."""
    key = load_identity(profile, passphrase)
    if key is None:
        raise CommandError("no-identity", _NO_IDENTITY)
    return key


def stored_keys(profile: Profile, passphrase: Passphrase | None = None) -> Keys:
    """Load all that the identity file holds; the profile is open. Raises as :func:`stored_key` does."""
    keys = open_keys(profile, passphrase)
    if keys is None:
        raise CommandError("no-identity", _NO_IDENTITY)
    return keys


def show_identity(profile: Profile, key: IdentityKey) -> IdentityView:
    """Describe the identity."""
    name = load_config(profile).name or login_name()
    return IdentityView.of(name, key.public, str(profile.folder))


def change_passphrase(
    profile: Profile, keys: Keys, passphrase: Passphrase | None, cost: Cost = USUAL_COST
) -> None:
    """Keep identity and store under another passphrase, or under none; the profile is open.

    Raises :class:`ProfileError` where it cannot be written; everything is as before then.
    """
    save_keys(profile, keys, passphrase, cost)


def new_identity(profile: Profile, name: str, bits: int) -> IdentityView:
    """Make the identity of a profile that has none yet; raises :class:`ProfileError`."""
    with profile:
        config = load_config(profile)
        key = create_identity(profile, bits)
        chosen = str(SafeText.name(name or config.name or login_name()))
        save_config(profile, msgspec.structs.replace(config, name=chosen))
    return IdentityView.of(chosen, key.public, str(profile.folder))


def replace_identity(
    profile: Profile, keys: Keys, bits: int, passphrase: Passphrase | None, cost: Cost = USUAL_COST
) -> IdentityView:
    """Make a new key that the present one signs, under the same passphrase; the profile is open.

    Raises :class:`ProfileError` where something cannot be written; the present key stays then.
    """
    return show_identity(profile, rotate_identity(profile, keys, bits, passphrase, cost))
