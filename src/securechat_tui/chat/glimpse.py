"""What can be told of a profile without its keys: enough for a first screen while the engine is loaded."""

import msgspec

from securechat_tui.chat.preferences import Preferences
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import load_config
from securechat_tui.storage.profile import DEFAULT_PROFILE, Profile

__all__ = ["Glimpse", "glimpse"]


class Glimpse(msgspec.Struct, frozen=True):
    """Whose profile it is (empty where no name is set), and what they have chosen for their screen."""

    name: str
    preferences: Preferences


def glimpse(profile_name: str | None) -> Glimpse | None:
    """Look at a profile; raises :class:`ProfileError`.

    None where something else has to come first: there is no key yet, or a passphrase has to be asked for.
    It is the engine that decides that in the end; this only looks at how the file begins.
    """
    profile = Profile.named(DEFAULT_PROFILE if profile_name is None else profile_name)
    if not profile.has_open_identity():
        return None
    config = load_config(profile)
    name = str(SafeText.name(config.name)) if config.name else ""
    return Glimpse(name, Preferences.of(config, profile.config_path))
