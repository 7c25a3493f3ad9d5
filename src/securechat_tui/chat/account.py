"""One person's open profile: name, key and contacts, kept in memory and on disk alike."""

import asyncio
import getpass
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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
from securechat_tui.storage.errors import PassphraseNeeded, ProfileError, WrongPassphrase
from securechat_tui.storage.keystore import Keys, create_keys, open_keys, read_sealed, save_keys
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import load_statements, shown
from securechat_tui.trust.pins import Pins

if TYPE_CHECKING:
    from securechat_tui.storage.store import Store

_NO_IDENTITY: Final = "There is no identity yet: choose a name first."
_PRESENT_MISSING: Final = "The key has a passphrase: give the present one too."
_KEY_GONE: Final = "The identity's file has gone: put your copy back."


def login_name() -> str:
    """Return the name this person has at this machine, for a first proposal."""
    try:
        return SafeText.name(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return SafeText.name("")


@dataclass(frozen=True, slots=True)
class _Loaded:
    config: Config
    rotations: tuple[Rotation, ...]
    unlocked: "_Unlocked | None"
    locked: bool
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class _Unlocked:
    key: IdentityKey
    store: "Store"
    pins: Pins


def _load(profile: Profile, keys: Keys | None) -> _Loaded:
    profile.open()
    try:
        config, rotations = load_config(profile), load_statements(profile)
        is_sealed = read_sealed(profile) is not None
        if is_sealed and keys is None:
            return _Loaded(config, rotations, None, locked=True, is_sealed=True)
        keys = keys or open_keys(profile)
        unlocked = _open_store(profile, keys) if keys else None
        return _Loaded(config, rotations, unlocked, locked=False, is_sealed=is_sealed)
    except BaseException:
        profile.close()
        raise


def _open_store(profile: Profile, keys: Keys) -> _Unlocked:
    """Open contacts and history; their library is loaded only now, in whatever thread this is."""
    from securechat_tui.storage.store import Store  # noqa: PLC0415 - the screen paints first

    store = Store(profile, keys.store).open()
    try:
        return _Unlocked(keys.identity, store, store.pins())
    except BaseException:
        store.close()
        raise


def _reseal(profile: Profile, present: Passphrase | None, new: Passphrase | None, cost: Cost) -> None:
    keys = open_keys(profile, present)
    if keys is None:
        raise CommandError("no-identity", _KEY_GONE)
    save_keys(profile, keys, new, cost)


class Account:
    """What the engine knows of its own person; everything that blocks runs in a thread.

    ``keys`` are the profile's where a face has opened them already; ``cost`` is that of a passphrase.
    """

    def __init__(self, profile: Profile, keys: Keys | None = None, cost: Cost = USUAL_COST) -> None:
        self.profile = profile
        self.config = Config()
        self.pins = Pins()
        self.key: IdentityKey | None = None
        self.locked = False
        """Whether there is an identity whose passphrase has not been given yet."""
        self.has_passphrase = False
        """Whether the identity's file is under one."""
        self._store: Store | None = None
        self._keys = keys
        self._cost = cost
        self._rotations: tuple[Rotation, ...] = ()
        self._saving = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Lock the profile and read it; raises the ProfileError family."""
        loaded = await asyncio.to_thread(_load, self.profile, self._keys)
        self.config, self._rotations = loaded.config, loaded.rotations
        self.locked, self.has_passphrase = loaded.locked, loaded.is_sealed
        if loaded.unlocked is not None:
            self._take(loaded.unlocked)

    async def unlock(self, passphrase: Passphrase) -> None:
        """Open identity, contacts and history; raises CommandError, after which nothing has changed."""
        try:
            keys = await asyncio.to_thread(open_keys, self.profile, passphrase)
        except ProfileError as error:
            raise CommandError("passphrase", str(error)) from None
        if keys is None:
            raise CommandError("no-identity", _KEY_GONE)
        await self._use(keys)
        self.locked = False

    async def _use(self, keys: Keys) -> None:
        """Open contacts and history under their key; raises CommandError where they cannot be used."""
        try:
            self._take(await asyncio.to_thread(_open_store, self.profile, keys))
        except ProfileError as error:
            raise CommandError("profile", str(error)) from None

    def _take(self, unlocked: _Unlocked) -> None:
        self.key, self._store, self.pins = unlocked.key, unlocked.store, unlocked.pins

    async def close(self) -> None:
        """Let others use the profile, once nothing is being written any more."""
        await asyncio.gather(*self._changes, return_exceptions=True)
        if self._store is not None:
            await asyncio.to_thread(self._store.close)
        await asyncio.to_thread(self.profile.close)

    @property
    def store(self) -> "Store":
        """Contacts and conversations on disk; raises as :attr:`own_key` does."""
        if self._store is None:
            self.own_key  # noqa: B018 - says why there is none
            raise CommandError("no-identity", _NO_IDENTITY)
        return self._store

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
            raise CommandError("no-identity", _NO_IDENTITY)
        return self.key

    @property
    def rotations(self) -> tuple[Rotation, ...]:
        """What peers are shown about a change of one's own key."""
        return shown(self._rotations, self.own_key.public)

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
            if self._keys is None:  # or made before, and the history could not be begun
                self._keys = await asyncio.to_thread(create_keys, self.profile, bits, passphrase, self._cost)
                self.has_passphrase = passphrase is not None
        except ProfileError as error:
            raise CommandError("profile", str(error)) from None
        await self._use(self._keys)

    async def change_passphrase(self, present: Passphrase | None, new: Passphrase | None) -> None:
        """Put key, contacts and history under another passphrase, or none; in a thread, as one write.

        Raises CommandError for another passphrase than the present one, and where it cannot be written;
        nothing has changed then.
        """
        self.own_key  # noqa: B018 - says why there is none

        async def change() -> None:
            await asyncio.to_thread(_reseal, self.profile, present, new, self._cost)
            self.has_passphrase = new is not None

        try:
            await self._to_the_end(change())
        except (PassphraseNeeded, WrongPassphrase) as error:
            missing = isinstance(error, PassphraseNeeded)
            raise CommandError("passphrase", _PRESENT_MISSING if missing else str(error)) from None
        except ProfileError as error:
            raise CommandError("cannot-save", str(error)) from None

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
        return Preferences.of(self.config, self.profile.config_path)

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

    async def block(self, name: str, *, blocked: bool) -> None:
        """Refuse a contact's key from now on, or take that back; raises as :meth:`change_pins` does."""

        def change(pins: Pins) -> Pins:
            contact = pins.by_name(name)
            if contact is None:  # forgotten meanwhile
                return pins
            moment = time.time()
            return pins.with_contact(contact.blocked(moment) if blocked else contact.unblocked(moment))

        await self.change_pins(change)

    async def change_pins(
        self, change: Callable[[Pins], Pins], undo: Callable[[], None] = lambda: None
    ) -> None:
        """Change the contacts, on disk first; raises the ProfileError family, nothing changed then.

        ``undo`` takes back what ``change`` has done besides, before any other change is made.
        """

        async def save() -> None:
            pins = change(self.pins)
            if pins is not self.pins:
                try:
                    await asyncio.to_thread(self.store.keep_pins, pins)
                except ProfileError:
                    undo()
                    raise
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
