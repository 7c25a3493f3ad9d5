"""The keys of a run: made when they are first needed, thrown away at its end.

Only the host of *json-cbc-hmac* keeps its key in a file, as its ancestor does.
"""

from pathlib import Path
from typing import Final

from securechat_tui.lab import primitives as p
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.files import make_private_folder, read_file, write_private

__all__ = ["KeyRing"]

_MAX_FILE: Final = 16 * 1024
_IDENTITY_BITS: Final = 3072


class KeyRing:
    """Keys by their owner; one owner has the same key wherever it is asked for."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, int], p.PrivateKey] = {}
        self._identities: dict[str, IdentityKey] = {}

    def rsa(self, owner: str, bits: int = 2048) -> p.PrivateKey:
        """Return an ancestor's key; making one of 4096 bits takes seconds."""
        if (owner, bits) not in self._keys:
            self._keys[owner, bits] = p.generate(bits)
        return self._keys[owner, bits]

    def identity(self, owner: str) -> IdentityKey:
        """Return an identity key of the product's kind."""
        if owner not in self._identities:
            self._identities[owner] = IdentityKey.generate(_IDENTITY_BITS)
        return self._identities[owner]

    def keep(self, owner: str, path: Path) -> None:
        """Take an owner's key from a file, or make one and put it there.

        Raises :class:`~securechat_tui.storage.errors.ProfileError`, BadCrypto for a file without a key.
        """
        found = read_file(path, _MAX_FILE)
        if found is not None:
            self._keys[owner, 2048] = p.private_from_pem(found)
            return
        if not path.parent.exists():
            make_private_folder(path.parent)
        write_private(path, p.private_to_pem(self.rsa(owner)))
