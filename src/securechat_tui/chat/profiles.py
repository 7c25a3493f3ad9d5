"""A profile without an engine: what the command line shows and changes directly."""

import os
import time
from typing import Final

from securechat_tui.chat.account import login_name
from securechat_tui.chat.comparing import DIFFERENT_NUMBER, SAME_NUMBER
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.views import ContactView, IdentityView
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.contacts import load_contacts, save_contacts
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
from securechat_tui.trust.codes import SafetyNumber
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.states import Trust

__all__ = [
    "IdentityKey",
    "Keys",
    "Profile",
    "ProfileError",
    "block_contact",
    "change_passphrase",
    "forget_contact",
    "is_locked",
    "keep_comparison",
    "list_contacts",
    "new_identity",
    "open_profile",
    "replace_identity",
    "require_identity",
    "safety_number",
    "show_contact",
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
        save_config(profile, Config(name=chosen, bind=config.bind))
    return IdentityView.of(chosen, key.public, str(profile.folder))


def replace_identity(
    profile: Profile, keys: Keys, bits: int, passphrase: Passphrase | None, cost: Cost = USUAL_COST
) -> IdentityView:
    """Make a new key that the present one signs, under the same passphrase; the profile is open.

    Raises :class:`ProfileError` where something cannot be written; the present key stays then.
    """
    return show_identity(profile, rotate_identity(profile, keys, bits, passphrase, cost))


def list_contacts(profile: Profile) -> tuple[ContactView, ...]:
    """Describe all contacts."""
    return tuple(map(ContactView.of, load_contacts(profile).contacts))


def show_contact(profile: Profile, name: str) -> ContactView:
    """Describe one contact; raises CommandError where there is none of that name."""
    return ContactView.of(_known(load_contacts(profile), name))


def forget_contact(profile: Profile, name: str) -> str:
    """Drop a contact's pin, and nothing else; return the fingerprint.

    Raises CommandError where there is none of that name.
    """
    with profile:
        pins = load_contacts(profile)
        fingerprint = _known(pins, name).fingerprint
        save_contacts(profile, pins.without(fingerprint))
    return str(fingerprint)


def block_contact(profile: Profile, name: str, *, blocked: bool) -> Trust:
    """Block a contact, or take that back; return what the key is worth then.

    Raises CommandError where there is no contact of that name.
    """
    with profile:
        pins = load_contacts(profile)
        contact, now = _known(pins, name), time.time()
        contact = contact.blocked(now) if blocked else contact.unblocked(now)
        save_contacts(profile, pins.with_contact(contact))
    return contact.trust


def safety_number(profile: Profile, key: IdentityKey, name: str) -> SafetyNumber:
    """Derive what one's own key and a contact's have in common; takes a good part of a second.

    Raises CommandError where there is no contact of that name.
    """
    contact = _known(load_contacts(profile), name)
    return SafetyNumber.of(key.public.fingerprint, contact.fingerprint)


def keep_comparison(profile: Profile, name: str, *, same: bool) -> Trust:
    """Keep what a person has found; raises CommandError where there is no contact of that name."""
    trust, how = (Trust.VERIFIED, SAME_NUMBER) if same else (Trust.CHANGED, DIFFERENT_NUMBER)
    with profile:
        pins = load_contacts(profile)
        contact = _known(pins, name)
        if contact.trust is Trust.BLOCKED:
            raise CommandError("blocked", f"{contact.name} is blocked: contacts unblock first.")
        save_contacts(profile, pins.with_contact(contact.with_trust(trust, time.time(), how)))
    return trust


def _known(pins: Pins, name: str) -> Contact:
    contact = pins.by_name(name)
    if contact is None:
        raise CommandError(
            "unknown-contact", f"No contact is called {SafeText.line(name)}: 'contacts list' shows them all."
        )
    return contact
