"""One person's open profile: name, key and contacts, kept in memory and on disk alike."""

import asyncio
import getpass
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.views import IdentityView
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.contacts import load_contacts, save_contacts
from securechat_tui.storage.keystore import create_identity, load_identity
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Pins


def login_name() -> str:
    """Return the name this person has at this machine, for a first proposal."""
    try:
        return SafeText.name(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return SafeText.name("")


@dataclass(frozen=True, slots=True)
class _Loaded:
    config: Config
    key: IdentityKey | None
    pins: Pins


def _load(profile: Profile) -> _Loaded:
    profile.open()
    try:
        return _Loaded(load_config(profile), load_identity(profile), load_contacts(profile))
    except BaseException:
        profile.close()
        raise


class Account:
    """What the engine knows of its own person; everything that blocks runs in a thread."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.config = Config()
        self.pins = Pins()
        self.key: IdentityKey | None = None
        self._saving = asyncio.Lock()

    async def open(self) -> None:
        """Lock the profile and read it; raises the ProfileError family."""
        loaded = await asyncio.to_thread(_load, self.profile)
        self.config, self.key, self.pins = loaded.config, loaded.key, loaded.pins

    async def close(self) -> None:
        """Let others use the profile."""
        await asyncio.to_thread(self.profile.close)

    @property
    def name(self) -> str:
        """The name told to peers."""
        return self.config.name or login_name()

    @property
    def view(self) -> IdentityView | None:
        """Describe the identity; None where there is none yet."""
        if self.key is None:
            return None
        return IdentityView.of(self.name, self.key.public, str(self.profile.folder))

    async def create(self, name: str, bits: int) -> None:
        """Make the identity and keep the name."""
        if self.key is not None:
            raise CommandError("exists", "This profile has an identity already: use another --profile.")
        chosen = str(SafeText.name(name))
        self.key = await asyncio.to_thread(create_identity, self.profile, bits)
        self.config = msgspec.structs.replace(self.config, name=chosen)
        await asyncio.to_thread(save_config, self.profile, self.config)

    async def change_pins(self, change: Callable[[Pins], Pins]) -> None:
        """Change the contacts, on disk first; raises the ProfileError family, nothing changed then."""
        async with self._saving:
            pins = change(self.pins)
            if pins is not self.pins:
                await asyncio.to_thread(save_contacts, self.profile, pins)
                self.pins = pins
