"""What a person has chosen for their own screen: kept with the profile, of no concern to any peer."""

from pathlib import Path
from typing import Self

import msgspec

from securechat_tui.storage.config import Config, Notify, ThemeName

__all__ = ["Notify", "Preferences", "ThemeName"]


class Preferences(msgspec.Struct, frozen=True):
    """The settings of the screen; ``path`` is the file that holds them, for sentences about it."""

    notify: Notify = "all"
    theme: ThemeName = "dark"
    sign_messages: bool = True
    """Whether what is typed is signed where nothing else is said."""
    keys: dict[str, str] = {}
    """An action's id to its keys, with commas between them."""
    path: str = ""

    @classmethod
    def of(cls, config: Config, path: Path) -> Self:
        """Those of the settings that concern the screen, kept at ``path``."""
        return cls(config.notify, config.theme, config.sign_messages, dict(config.keys), str(path))
