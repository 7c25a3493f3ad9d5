"""One's own identity, as lines for people or as a JSON object on one line."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from securechat_tui.chat.profiles import new_identity, open_profile, show_identity
from securechat_tui.chat.views import IdentityView
from securechat_tui.headless.passphrases import open_identity

__all__ = [
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


def json_object(fields: Mapping[str, object]) -> str:
    """Facts as one JSON object on one line."""
    return msgspec.json.encode(fields).decode()


_LAST_TIME = 253_000_000_000.0
"""Unix seconds: later ones have no date."""


def minute(time: float) -> str:
    """A time in Unix seconds as people here write it."""
    return f"{datetime.fromtimestamp(min(max(time, 0.0), _LAST_TIME), tz=UTC).astimezone():%Y-%m-%d %H:%M}"
