"""One's own identity and the contacts, as lines for people or as JSON objects, one on a line."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from securechat_tui.chat.events import SafeText
from securechat_tui.chat.profiles import (
    block_contact,
    forget_contact,
    list_contacts,
    new_identity,
    open_profile,
    show_contact,
    show_identity,
)
from securechat_tui.chat.views import ContactView, IdentityView
from securechat_tui.headless.passphrases import open_identity

__all__ = [
    "block",
    "contact",
    "contacts",
    "forget",
    "identity",
    "json_object",
    "make_first_identity",
    "make_identity",
    "minute",
    "pem",
]

DEFAULT_BITS = 3072
"""The size of a key that nobody chose."""


def identity(profile: str | None, *, as_json: bool) -> list[str]:
    """One's own identity. Raises ``CommandError`` where there is none."""
    opened = open_profile(profile)
    return _identity(show_identity(opened, open_identity(opened)), as_json=as_json)


def make_identity(profile: str | None, name: str | None, bits: int, *, as_json: bool) -> list[str]:
    """The identity just made with a key of ``bits``; without a ``name``, the login name is taken."""
    return _identity(new_identity(open_profile(profile), name or "", bits), as_json=as_json)


def has_identity(profile: str | None) -> bool:
    """Whether there is an identity, whatever state it is in."""
    return os.path.lexists(open_profile(profile).identity_path)


def make_first_identity(profile: str | None, name: str) -> None:
    """Make an identity if there is none yet: ``name`` answers what the screen would ask."""
    opened = open_profile(profile)
    if not opened.identity_path.exists():
        new_identity(opened, name, DEFAULT_BITS)


def pem(profile: str | None) -> list[str]:
    """One's own public key."""
    return open_identity(open_profile(profile)).public.pem().splitlines()


def contacts(profile: str | None, *, as_json: bool) -> list[str]:
    """Everybody pinned, a line each."""
    if as_json:
        return [_contact_object(one) for one in list_contacts(open_profile(profile))]
    return _columns(list_contacts(open_profile(profile))) or ["Nobody is pinned here yet."]


def contact(profile: str | None, name: str, *, as_json: bool) -> list[str]:
    """One contact in full. Raises ``CommandError`` where nobody has that name."""
    found = show_contact(open_profile(profile), name)
    return [_contact_object(found)] if as_json else _contact_in_full(found)


def forget(profile: str | None, name: str, *, as_json: bool) -> list[str]:
    """Drop a contact's pin and say so, and that the history stays."""
    fingerprint = forget_contact(open_profile(profile), name)
    if as_json:
        return [json_object({"forgotten": name, "fingerprint": fingerprint})]
    return [
        f"{SafeText.line(name)} is forgotten: the next meeting is a first one.",
        "What is kept of your conversation stays. To destroy it:",
        f"  securechat-tui wipe {fingerprint}",
    ]


def block(profile: str | None, name: str, *, blocked: bool, as_json: bool) -> list[str]:
    """Block a contact, or take that back, and say so."""
    trust = block_contact(open_profile(profile), name, blocked=blocked)
    if as_json:
        return [json_object({"name": name, "trust": trust.value})]
    return [SafeText.line(f"{name} is {trust.value}.")]


def _identity(view: IdentityView, *, as_json: bool) -> list[str]:
    if as_json:
        fields = {
            "name": str(view.name),
            "fingerprint": view.fingerprint,
            "key_bits": view.key_bits,
            "folder": view.folder,
        }
        return [json_object(fields)]
    return [
        f"name         {view.name}",
        f"fingerprint  {view.fingerprint}",
        f"key          RSA {view.key_bits}",
        f"folder       {view.folder}",
        *view.randomart,
    ]


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


def json_object(fields: Mapping[str, object]) -> str:
    """Facts as one JSON object on one line."""
    return msgspec.json.encode(fields).decode()


_LAST_TIME = 253_000_000_000.0
"""Unix seconds: later ones have no date."""


def minute(time: float) -> str:
    """A time in Unix seconds as people here write it."""
    return f"{datetime.fromtimestamp(min(max(time, 0.0), _LAST_TIME), tz=UTC).astimezone():%Y-%m-%d %H:%M}"
