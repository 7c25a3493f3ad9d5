"""One person's open profile: name, key and contacts, kept in memory and on disk alike."""

import asyncio
import getpass
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from securechat_tui import __version__
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Ready
from securechat_tui.chat.preferences import Notify, Preferences, ThemeName
from securechat_tui.chat.views import IdentityView
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.contacts import load_contacts, save_contacts
from securechat_tui.storage.errors import PassphraseNeeded, ProfileError
from securechat_tui.storage.keystore import create_identity, load_identity
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import load_rotation, shown
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
    locked: bool
    rotation: Rotation | None


def _load(profile: Profile, key: IdentityKey | None) -> _Loaded:
    profile.open()
    try:
        config, pins, locked = load_config(profile), load_contacts(profile), False
        try:
            key = key or load_identity(profile)
        except PassphraseNeeded:
            locked = True
        return _Loaded(config, key, pins, locked, load_rotation(profile))
    except BaseException:
        profile.close()
        raise


class Account:
    """What the engine knows of its own person; everything that blocks runs in a thread.

    ``key`` is the identity where a face has opened it already; ``cost`` is that of a passphrase.
    """

    def __init__(self, profile: Profile, key: IdentityKey | None = None, cost: Cost = USUAL_COST) -> None:
        self.profile = profile
        self.config = Config()
        self.pins = Pins()
        self.key = key
        self.locked = False
        """Whether there is an identity whose passphrase has not been given yet."""
        self._cost = cost
        self._rotation: Rotation | None = None
        self._saving = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Lock the profile and read it; raises the ProfileError family."""
        loaded = await asyncio.to_thread(_load, self.profile, self.key)
        self.config, self.key, self.pins = loaded.config, loaded.key, loaded.pins
        self.locked = loaded.locked
        self._rotation = loaded.rotation

    async def unlock(self, passphrase: Passphrase) -> None:
        """Open the identity; raises CommandError for a wrong passphrase, after which nothing has changed."""
        try:
            self.key = await asyncio.to_thread(load_identity, self.profile, passphrase)
        except ProfileError as error:
            raise CommandError("passphrase", str(error)) from None
        self.locked = False

    async def close(self) -> None:
        """Let others use the profile, once nothing is being written any more."""
        await asyncio.gather(*self._changes, return_exceptions=True)
        await asyncio.to_thread(self.profile.close)

    @property
    def name(self) -> str:
        """The name told to peers."""
        return self.config.name or login_name()

    @property
    def own_key(self) -> IdentityKey:
        """The identity key; raises CommandError while there is none, or its passphrase is not given."""
        if self.locked:
            raise CommandError("passphrase", "The identity is locked: give its passphrase first.")
        if self.key is None:
            raise CommandError("no-identity", "There is no identity yet: choose a name first.")
        return self.key

    @property
    def rotations(self) -> tuple[Rotation, ...]:
        """What peers are shown about a change of one's own key."""
        return shown(self._rotation, self.own_key.public)

    @property
    def view(self) -> IdentityView | None:
        """Describe the identity; None where there is none yet."""
        if self.key is None:
            return None
        return IdentityView.of(self.name, self.key.public, str(self.profile.folder))

    async def create(self, name: str, bits: int, passphrase: Passphrase | None = None) -> None:
        """Keep the name and make the identity, under a passphrase if there is one.

        Raises CommandError where there is one, or where it cannot be written; it can be tried again then.
        """
        if self.key is not None or self.locked:
            raise CommandError("exists", "This profile has an identity already: use another --profile.")
        config = msgspec.structs.replace(self.config, name=str(SafeText.name(name)))
        try:
            await asyncio.to_thread(save_config, self.profile, config)
            self.config = config
            self.key = await asyncio.to_thread(create_identity, self.profile, bits, passphrase, self._cost)
        except ProfileError as error:
            raise CommandError("profile", str(error)) from None

    def ready(self, key: IdentityKey) -> Ready:
        """Tell who is there, now that there is a key."""
        return Ready(
            time=time.time(),
            profile=self.profile.name,
            name=self.name,
            fingerprint=str(key.public.fingerprint),
            version=__version__,
        )

    @property
    def preferences(self) -> Preferences:
        """What the person has chosen for the screen."""
        config = self.config
        return Preferences(
            config.notify,
            config.theme,
            config.sign_messages,
            dict(config.keys),
            str(self.profile.config_path),
        )

    async def rename(self, name: str) -> None:
        """Take another name, on disk first. Raises CommandError for an empty one."""
        if not name.strip():
            raise CommandError("usage", "Type the name after it, such as: /nick alice")
        await self._change_config(name=str(SafeText.name(name)))

    async def prefer(self, *, notify: Notify | None = None, theme: ThemeName | None = None) -> None:
        """Keep a choice for the screen, on disk first; None leaves that one as it is."""
        chosen = {"notify": notify, "theme": theme}
        await self._change_config(**{key: value for key, value in chosen.items() if value is not None})

    async def _change_config(self, **changes: str) -> None:
        """Raises CommandError where the file cannot be written; nothing is changed then."""

        async def change() -> None:
            config = msgspec.structs.replace(self.config, **changes)
            await asyncio.to_thread(save_config, self.profile, config)
            self.config = config

        try:
            await self._to_the_end(change())
        except ProfileError as error:
            raise CommandError("cannot-save", str(error)) from None

    async def change_pins(self, change: Callable[[Pins], Pins]) -> None:
        """Change the contacts, on disk first; raises the ProfileError family, nothing changed then."""

        async def save() -> None:
            pins = change(self.pins)
            if pins is not self.pins:
                await asyncio.to_thread(save_contacts, self.profile, pins)
                self.pins = pins

        await self._to_the_end(save())

    async def _to_the_end(self, change: Coroutine[Any, Any, None]) -> None:
        """Make one change at a time, and finish it even if whoever asked for it has gone.

        A thread that writes cannot be cancelled: without this it could overwrite a later change.
        """

        async def alone() -> None:
            async with self._saving:
                await change

        task = asyncio.create_task(alone())
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        await asyncio.shield(task)
