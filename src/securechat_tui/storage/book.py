"""The contacts in the store's index: one row that holds the whole book, and where that comes from.

Earlier versions kept the book in clear, in ``contacts.json``. The first opening of the store commits it to
the index and only then removes the file. A crash between the two leaves both, and they say the same: the next
opening removes the file. Once there is a row, it alone counts. A file that says something else then has been
put there: taken, it could bring back whom a person has forgotten, or unblock somebody; removed, it might have
been the only copy of something. So the store does not open until a person has moved it away.
"""

import os
from pathlib import Path
from typing import Final

from securechat_tui.storage.contacts import NewerFormat, decode_contacts, encode_contacts
from securechat_tui.storage.database import Database, companions, is_filled
from securechat_tui.storage.errors import DamagedContacts, NewerContacts, OtherContacts, ProfileError
from securechat_tui.storage.files import read_file, remove_file
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.schemas import INDEX
from securechat_tui.trust.pins import Pins

__all__ = ["keep_book", "load_book", "look_at_book", "old_book", "take_over"]

_MAX_BYTES: Final = 16 * 1024 * 1024
"""More than the largest book needs."""
_IS_KEPT: Final = "SELECT count(*) FROM book"
_LOAD: Final = "SELECT contacts FROM book"
_KEEP: Final = """INSERT INTO book (id, contacts) VALUES (1, ?)
    ON CONFLICT DO UPDATE SET contacts = excluded.contacts"""


def load_book(index: Database) -> Pins | None:
    """Read all contacts; None before any were kept. Raises DamagedContacts, NewerContacts, StoreError."""
    data: bytes | None = index.value(_LOAD)
    return None if data is None else _decoded(index.path, data)


def keep_book(index: Database, pins: Pins) -> None:
    """Put all contacts in the place of those before, as one commit. Raises StoreError."""
    data = encode_contacts(pins)
    with index.transaction():
        index.run(_KEEP, (data,))


def old_book(profile: Profile) -> Pins | None:
    """Read what an earlier version has left; None where there is nothing. Raises :class:`ProfileError`."""
    data = read_file(profile.contacts_path, _MAX_BYTES)
    return None if data is None else _decoded(profile.contacts_path, data)


def take_over(index: Database, profile: Profile) -> None:
    """See to it that the index has a book, and nothing else has. Raises :class:`ProfileError`."""
    is_kept, path = bool(index.value(_IS_KEPT)), profile.contacts_path
    if is_kept and not os.path.lexists(path):
        return
    kept = load_book(index)
    book = _chosen(profile, kept)
    if kept is None:
        keep_book(index, book)
    remove_file(path)


def look_at_book(profile: Profile, key: bytes | None) -> Pins | None:
    """Read all contacts without changing, making or locking anything, however the profile was left.

    ``key`` is the store's key. None where the index cannot be looked at: without its key, while another
    process has the profile, or where that was killed and the index's log is not in it yet. Raises the
    ProfileError family.
    """
    path = profile.index_path
    if not is_filled(path):
        return old_book(profile) or Pins()
    if key is None or _is_unsettled(profile):
        return None
    try:
        return _chosen(profile, _looked_up(path, key))
    except ProfileError:
        if _is_unsettled(profile):  # by now
            return None
        raise


def _is_unsettled(profile: Profile) -> bool:
    return profile.is_in_use() or any(map(is_filled, companions(profile.index_path)[1:]))


def _looked_up(path: Path, key: bytes) -> Pins | None:
    index = Database.look(path, key, INDEX)
    try:
        return load_book(index) if index.steps == len(INDEX.steps) else None
    finally:
        index.close()


def _chosen(profile: Profile, kept: Pins | None) -> Pins:
    """The contacts of a profile that has ``kept`` these; raises OtherContacts where a file says otherwise."""
    if kept is None:
        return old_book(profile) or Pins()
    try:
        is_same = old_book(profile) in (None, Pins(), kept)
    except (DamagedContacts, NewerContacts):
        is_same = False
    if not is_same:
        raise OtherContacts(path=profile.contacts_path)
    return kept


def _decoded(path: Path, data: bytes) -> Pins:
    try:
        return decode_contacts(data)
    except NewerFormat:
        raise NewerContacts(path=path) from None
    except ValueError as error:  # msgspec's errors are ValueErrors
        raise DamagedContacts(path=path, reason=str(error)) from None
