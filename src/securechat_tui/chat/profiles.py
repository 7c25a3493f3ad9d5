"""A profile without an engine: what the command line shows and changes directly."""

from securechat_tui.chat.account import login_name
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.views import ContactView, IdentityView
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.contacts import load_contacts, save_contacts
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.keystore import create_identity, load_identity
from securechat_tui.storage.profile import DEFAULT_PROFILE, Profile

__all__ = [
    "Profile",
    "ProfileError",
    "forget_contact",
    "list_contacts",
    "new_identity",
    "open_profile",
    "public_pem",
    "show_identity",
]


def open_profile(name: str | None) -> Profile:
    """Find a profile; nothing is read or locked yet. Raises :class:`ProfileError`."""
    return Profile.named(DEFAULT_PROFILE if name is None else name)


def _identity(profile: Profile) -> IdentityKey:
    key = load_identity(profile)
    if key is None:
        raise CommandError("no-identity", "This profile has no identity yet: make one with 'identity new'.")
    return key


def show_identity(profile: Profile) -> IdentityView:
    """Describe the identity; raises CommandError where there is none."""
    name = load_config(profile).name or login_name()
    return IdentityView.of(name, _identity(profile).public, str(profile.folder))


def public_pem(profile: Profile) -> str:
    """Return the public key as PEM; raises CommandError where there is none."""
    return _identity(profile).public.pem()


def new_identity(profile: Profile, name: str, bits: int) -> IdentityView:
    """Make the identity of a profile that has none yet; raises :class:`ProfileError`."""
    with profile:
        config = load_config(profile)
        key = create_identity(profile, bits)
        chosen = str(SafeText.name(name or config.name or login_name()))
        save_config(profile, Config(name=chosen, bind=config.bind))
    return IdentityView.of(chosen, key.public, str(profile.folder))


def list_contacts(profile: Profile) -> tuple[ContactView, ...]:
    """Describe all contacts."""
    return tuple(map(ContactView.of, load_contacts(profile).contacts))


def forget_contact(profile: Profile, name: str) -> None:
    """Drop a contact's pin; raises CommandError where there is none of that name."""
    with profile:
        pins = load_contacts(profile)
        contact = pins.by_name(name)
        if contact is None:
            raise CommandError("unknown-contact", f"No contact is called {SafeText.line(name)}.")
        save_contacts(profile, pins.without(contact.fingerprint))
