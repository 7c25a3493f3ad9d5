"""The contacts, as lines for people or as JSON objects, one on a line."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from securechat_tui.chat.address_book import AddressBook, open_address_book
from securechat_tui.chat.events import SafeText
from securechat_tui.chat.profiles import Profile, is_begun, open_profile, require_identity
from securechat_tui.chat.views import ContactView
from securechat_tui.headless.passphrases import open_keys
from securechat_tui.headless.records import json_object, minute

__all__ = ["address_book", "block", "contact", "contacts", "forget"]


@contextmanager
def address_book(profile: Profile) -> Iterator[AddressBook]:
    """Open the contacts, and ask for the passphrase of the key to them where there is one.

    Raises ``CommandError`` where there is no identity, and ``ProfileError``.
    """
    require_identity(profile)
    with profile, open_address_book(profile, open_keys(profile)) as book:
        yield book


def contacts(profile: str | None, *, as_json: bool) -> list[str]:
    """Everybody pinned, a line each."""
    views = _everybody(open_profile(profile))
    if as_json:
        return [_contact_object(one) for one in views]
    return _columns(views) or ["Nobody is pinned here yet."]


def _everybody(profile: Profile) -> tuple[ContactView, ...]:
    if not is_begun(profile):
        return ()
    with address_book(profile) as book:
        return book.all()


def contact(profile: str | None, name: str, *, as_json: bool) -> list[str]:
    """One contact in full. Raises ``CommandError`` where nobody has that name."""
    with address_book(open_profile(profile)) as book:
        found = book.show(name)
    return [_contact_object(found)] if as_json else _contact_in_full(found)


def forget(profile: str | None, name: str, *, as_json: bool) -> list[str]:
    """Drop a contact's pin and say so, and that the history stays."""
    with address_book(open_profile(profile)) as book:
        fingerprint = book.forget(name)
    if as_json:
        return [json_object({"forgotten": name, "fingerprint": fingerprint})]
    return [
        f"{SafeText.line(name)} is forgotten: the next meeting is a first one.",
        "What is kept of your conversation stays. To destroy it:",
        f"  securechat-tui wipe {fingerprint}",
    ]


def block(profile: str | None, name: str, *, blocked: bool, as_json: bool) -> list[str]:
    """Block a contact, or take that back, and say so."""
    with address_book(open_profile(profile)) as book:
        trust = book.block(name, blocked=blocked)
    if as_json:
        return [json_object({"name": name, "trust": trust.value})]
    return [SafeText.line(f"{name} is {trust.value}.")]


def _columns(views: Iterable[ContactView]) -> list[str]:
    return ["  ".join((one.name, one.trust.value, one.fingerprint, *one.addresses)) for one in views]


def _contact_in_full(view: ContactView) -> list[str]:
    return [
        f"name         {view.name}",
        f"trust        {view.trust.value}",
        f"fingerprint  {view.fingerprint}",
        f"key          RSA {view.key_bits}",
        f"addresses    {', '.join(view.addresses) or 'none'}",
        f"first seen   {minute(view.first_seen)}",
        f"last seen    {minute(view.last_seen)}",
        *(
            f"{'history' if index == 0 else '':<12} {minute(one.when)}  "
            f"{one.before.value} -> {one.after.value}, {SafeText.line(one.how)} (key {one.fingerprint.short})"
            for index, one in enumerate(view.history)
        ),
        *view.randomart,
    ]


def _contact_object(view: ContactView) -> str:
    fields = {
        "name": str(view.name),
        "trust": view.trust.value,
        "fingerprint": view.fingerprint,
        "key_bits": view.key_bits,
        "addresses": view.addresses,
        "first_seen": view.first_seen,
        "last_seen": view.last_seen,
        "history": [
            {
                "time": one.when,
                "before": one.before.value,
                "after": one.after.value,
                "how": one.how,
                "fingerprint": str(one.fingerprint),
            }
            for one in view.history
        ],
    }
    return json_object(fields)
