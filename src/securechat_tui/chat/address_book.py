"""The contacts of a profile without an engine: what the command line shows and changes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from securechat_tui.chat.comparing import DIFFERENT_NUMBER, SAME_NUMBER
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.views import ContactView
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.keystore import Keys
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.codes import SafetyNumber
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.states import Trust

__all__ = ["AddressBook", "open_address_book"]


@contextmanager
def open_address_book(profile: Profile, keys: Keys) -> Iterator["AddressBook"]:
    """Open the contacts; the profile is open. Raises the ProfileError family."""
    with Store(profile, keys.store) as store:
        yield AddressBook(keys, store)


class AddressBook:
    """All contacts; it is open. The methods block.

    They raise CommandError where no contact has the name given, and the ProfileError family.
    """

    def __init__(self, keys: Keys, store: Store) -> None:
        self._own = keys.identity.public
        self._store = store
        self._pins = store.pins()

    def all(self) -> tuple[ContactView, ...]:
        """Describe everybody."""
        return tuple(map(ContactView.of, self._pins.contacts))

    def show(self, name: str) -> ContactView:
        """Describe one contact."""
        return ContactView.of(self._known(name))

    def forget(self, name: str) -> str:
        """Drop a contact's pin, and nothing else; return the fingerprint."""
        fingerprint = self._known(name).fingerprint
        self._save(self._pins.without(fingerprint))
        return str(fingerprint)

    def block(self, name: str, *, blocked: bool) -> Trust:
        """Block a contact, or take that back; return what the key is worth then."""
        contact, now = self._known(name), time.time()
        return self._keep(contact.blocked(now) if blocked else contact.unblocked(now))

    def safety_number(self, name: str) -> SafetyNumber:
        """Derive what one's own key and a contact's have in common; takes a good part of a second."""
        return SafetyNumber.of(self._own.fingerprint, self._known(name).fingerprint)

    def keep_comparison(self, name: str, *, same: bool) -> Trust:
        """Keep what a person has found; return what the key is worth then."""
        trust, how = (Trust.VERIFIED, SAME_NUMBER) if same else (Trust.CHANGED, DIFFERENT_NUMBER)
        contact = self._known(name)
        if contact.trust is Trust.BLOCKED:
            raise CommandError("blocked", f"{contact.name} is blocked: contacts unblock first.")
        return self._keep(contact.with_trust(trust, time.time(), how))

    def _keep(self, contact: Contact) -> Trust:
        self._save(self._pins.with_contact(contact))
        return contact.trust

    def _save(self, pins: Pins) -> None:
        self._store.keep_pins(pins)
        self._pins = pins

    def _known(self, name: str) -> Contact:
        contact = self._pins.by_name(name)
        if contact is None:
            raise CommandError(
                "unknown-contact",
                f"No contact is called {SafeText.line(name)}: 'contacts list' shows them all.",
            )
        return contact
