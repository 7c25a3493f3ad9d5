"""What a person has chosen for their own screen: kept with the profile, of no concern to any peer."""

from dataclasses import dataclass, field

from securechat_tui.storage.config import Notify, ThemeName

__all__ = ["Notify", "Preferences", "ThemeName"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """The settings of the screen; ``path`` is the file that holds them, for sentences about it."""

    notify: Notify = "all"
    theme: ThemeName = "dark"
    sign_messages: bool = True
    """Whether what is typed is signed where nothing else is said."""
    keys: dict[str, str] = field(default_factory=dict)
    """An action's id to its keys, with commas between them."""
    path: str = ""
