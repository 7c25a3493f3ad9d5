"""A profile: the folder that holds one person's identity and settings.

It is ``profiles/NAME`` in the platform's folder for configuration, with contacts and history in
``profiles/NAME`` of the platform's folder for data; both are one folder in ``SECURECHAT_TUI_HOME`` where that
is set. Profiles are separate people: nothing is shared between them.
"""

import os
import re
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from platformdirs import user_config_path, user_data_path

from securechat_tui.storage.errors import BadHome, BadProfileName, CannotWrite, ProfileError, ProfileInUse
from securechat_tui.storage.files import make_private_folder, read_file, remove_leftovers

if TYPE_CHECKING:
    from securechat_tui.storage.lock import ProfileLock

__all__ = ["DEFAULT_PROFILE", "HOME_VARIABLE", "Profile"]

DEFAULT_PROFILE: Final = "default"
HOME_VARIABLE: Final = "SECURECHAT_TUI_HOME"
_APPLICATION: Final = "securechat-tui"
_PEM: Final = b"-----BEGIN "
"""How a file of keys in clear begins; one under a passphrase has a line of its own before that."""
_MAX_IDENTITY: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,38}[A-Za-z0-9_-])?")
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
"""Names that Windows takes for a device, with any extension."""


class Profile:
    """Where a profile's files are. Who writes them holds it open; reading does not need that.

    The methods block for as long as the file system takes.
    """

    def __init__(self, name: str, folder: Path, data_folder: Path | None = None) -> None:
        """``data_folder`` is where the history lies, if not in ``folder``."""
        self.name = name
        self.folder = folder
        self.data_folder = folder if data_folder is None else data_folder

    @cached_property
    def _lock(self) -> "ProfileLock":
        # Its library is loaded only now: where a profile is, the start screen wants to know at once.
        from securechat_tui.storage.lock import ProfileLock  # noqa: PLC0415

        return ProfileLock(self.folder / "lock")

    @classmethod
    def named(cls, name: str = DEFAULT_PROFILE) -> Self:
        """Find a profile's folder, without touching it; raises :class:`BadProfileName`, :class:`BadHome`."""
        if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name):
            raise BadProfileName(name=name)
        return cls(name, _home() / "profiles" / name, _data_home() / "profiles" / name)

    @property
    def identity_path(self) -> Path:
        """The private key."""
        return self.folder / "identity.pem"

    @property
    def rotation_path(self) -> Path:
        """The statement by which the former identity key names the present one."""
        return self.folder / "rotation.json"

    @property
    def contacts_path(self) -> Path:
        """The pins in clear, where an earlier version has left them; they are in the index now."""
        return self.folder / "contacts.json"

    @property
    def index_path(self) -> Path:
        """The contacts, and the list of the conversations that are kept; encrypted."""
        return self.data_folder / "index.db"

    @property
    def prepared_index_path(self) -> Path:
        """An index that waits for its key to be kept."""
        return self.data_folder / "index.db.new"

    @property
    def conversations_folder(self) -> Path:
        """One encrypted file for each conversation."""
        return self.data_folder / "conversations"

    @property
    def config_path(self) -> Path:
        """The settings, which people may edit."""
        return self.folder / "config.toml"

    def has_open_identity(self) -> bool:
        """Whether the private key seems to be there, and under no passphrase: by how its file begins."""
        try:
            data = read_file(self.identity_path, _MAX_IDENTITY, private=False)
        except ProfileError:  # whoever opens it will say so
            return False
        return data is not None and data.startswith(_PEM)

    def open(self) -> Self:
        """Make the folder if need be, check it, and keep every other process out of it.

        Raises :class:`ProfileError`, :class:`ProfileInUse` among them.
        """
        make_private_folder(self.folder)
        try:
            is_ours = self._lock.acquire()
        except OSError as error:
            raise CannotWrite(path=self.folder / "lock", reason=str(error.strerror)) from None
        if not is_ours:
            raise ProfileInUse(name=self.name)
        remove_leftovers(self.folder)
        return self

    def is_in_use(self) -> bool:
        """Whether another process holds the profile. Creates nothing."""
        return (self.folder / "lock").exists() and self._lock.is_held_elsewhere()

    def close(self) -> None:
        """Let others in again; closing twice does nothing."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"


def _home() -> Path:
    return _chosen_home() or user_config_path(_APPLICATION, appauthor=False)


def _data_home() -> Path:
    return _chosen_home() or user_data_path(_APPLICATION, appauthor=False)


def _chosen_home() -> Path | None:
    home = os.environ.get(HOME_VARIABLE)
    if not home:
        return None
    try:
        return Path(home).expanduser().absolute()
    except (RuntimeError, OSError):
        raise BadHome(home=home) from None
