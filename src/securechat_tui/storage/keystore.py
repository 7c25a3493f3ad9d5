"""The identity key on disk: one unencrypted PKCS#8 PEM file, readable by its owner alone.

Making and loading a key take from a tenth of a second to a few seconds: call them in a thread.
"""

import os
from typing import Final

from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.errors import BadIdentity, IdentityExists
from securechat_tui.storage.files import read_file, write_private
from securechat_tui.storage.profile import Profile

__all__ = ["create_identity", "load_identity"]

_MAX_BYTES: Final = 16 * 1024


def load_identity(profile: Profile) -> IdentityKey | None:
    """Load and check the profile's key; None where it has none yet. Raises :class:`ProfileError`."""
    pem = read_file(profile.identity_path, _MAX_BYTES)
    if pem is None:
        return None
    try:
        return IdentityKey.from_pem(pem)
    except BadKey as error:
        raise BadIdentity(path=profile.identity_path, reason=str(error)) from None


def create_identity(profile: Profile, bits: int) -> IdentityKey:
    """Make a key of 3072 or 4096 bits and store it; the profile is open.

    Raises :class:`IdentityExists` before any work where there is a file already, whatever it
    holds, :class:`BadKey` for another size and :class:`ProfileError` where it cannot be stored.
    """
    path = profile.identity_path
    if os.path.lexists(path):
        raise IdentityExists(path=path)
    identity = IdentityKey.generate(bits)
    write_private(path, identity.to_pem())
    return identity
