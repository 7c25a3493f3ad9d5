"""A passphrase that must turn up nowhere, and a cost that tests can afford."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from stored_identities import with_store_of

from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.keystore import save_keys
from securechat_tui.storage.passphrase import Cost, Passphrase
from securechat_tui.storage.profile import Profile

CANARY: Final = "kanarienvogel-Äpfel"
"""What is looked for everywhere afterwards."""
Give = Callable[..., None]
"""Puts lines at the descriptor from which a passphrase is read."""
CHEAP: Final = Cost(memory=8, passes=1, lanes=1)


def protect(folder: Path, identity: IdentityKey, text: str = CANARY) -> Profile:
    """Put an identity under a passphrase into the profile in ``folder``."""
    profile = Profile(folder.name, folder)
    with profile:
        save_keys(profile, with_store_of(profile, identity), Passphrase(text), CHEAP)
    return profile


def traces(folder: Path, text: str = CANARY) -> list[str]:
    """The files below ``folder`` that hold the text, in UTF-8 or the forms that tools make of it."""
    forms = (text.encode(), text.encode().hex().encode(), text.encode("utf-16-le"), repr(text).encode())
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(form in path.read_bytes() for form in forms)]
