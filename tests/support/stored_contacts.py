"""Contacts in a profile's store: put there, and read as they lie on the disk at any time."""

import shutil
import tempfile
from pathlib import Path

from securechat_tui.storage.book import load_book
from securechat_tui.storage.database import Database, companions, is_filled
from securechat_tui.storage.keystore import clear_store_key
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.schemas import INDEX
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import Pins


def store_key(profile: Profile) -> bytes:
    """The key of the store, which no passphrase covers."""
    key = clear_store_key(profile)
    assert key is not None
    return key


def put_contacts(profile: Profile, pins: Pins, key: bytes | None = None) -> None:
    """Keep contacts in the place of those before; the profile is open, its store is not."""
    with Store(profile, key or store_key(profile)) as store:
        store.keep_pins(pins)


def contacts_on_disk(profile: Profile, key: bytes | None = None) -> Pins:
    """What would be there if everything were killed now."""
    if not is_filled(profile.index_path):
        return Pins()
    with tempfile.TemporaryDirectory() as folder:
        for path in companions(profile.index_path):
            if path.exists():
                shutil.copy(path, folder)
        index = Database.open(Path(folder, profile.index_path.name), key or store_key(profile), INDEX)
        try:
            return load_book(index) or Pins()
        finally:
            index.close()
