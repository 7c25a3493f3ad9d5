"""The identity key and the store's key on disk: one file, readable by its owner alone.

Without a passphrase it is a PKCS#8 PEM file, followed by a block of its own with the key of the message
store: 32 random bytes, in base64. With a passphrase, four lines stand before the PEM block (text that
readers of PEM pass over, RFC 7468), and both blocks are encrypted under what they describe::

    securechat-tui identity 2
    $argon2id$v=19$m=65536,t=3,p=4$SALT
    RSA 3072
    sha256 CHECKSUM
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    ...
    -----BEGIN SECURECHAT-TUI SEALED STORE KEY-----

The first block's password is the Argon2id key (32 bytes) in hexadecimal. The second block is AES-256-GCM
under a labelled derivation of the same key, with the first three lines as associated data; each sealing has a
salt, and so a key, of its own. The checksum runs over all other lines: it proves nothing, and tells a damaged
file from a wrong passphrase. Whatever the passphrase shall open stays in this one file, so that one atomic
write changes the passphrase of all of it and no crash can leave two passphrases.

Files from before there was a store (format 1, or the PEM block alone) lack the second block and gain it when
they are opened for writing. A new identity key keeps the store's key.

Making, opening and sealing a key take from a tenth of a second to a few seconds: call them in a thread.
"""

import base64
import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.primitives import CryptoFailure
from securechat_tui.storage.errors import (
    BadIdentity,
    IdentityExists,
    NewerIdentity,
    PassphraseNeeded,
    WrongPassphrase,
)
from securechat_tui.storage.files import read_file, write_private
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase, Stretch, checksum_line
from securechat_tui.storage.profile import Profile

__all__ = [
    "Keys",
    "SealedIdentity",
    "clear_store_key",
    "create_identity",
    "create_keys",
    "decode_clear",
    "encode_clear",
    "load_identity",
    "open_keys",
    "read_sealed",
    "save_keys",
]

STORE_KEY_LENGTH: Final = 32
_MAX_BYTES: Final = 16 * 1024
_FORMAT: Final = 2
_WITHOUT_STORE: Final = 1
"""The format from before there was a store."""
_MAGIC: Final = b"securechat-tui identity "
_LABEL_STORE: Final = b"securechat-tui/1 store key"
_CLEAR_NAME: Final = b"SECURECHAT-TUI STORE KEY"
_SEALED_NAME: Final = b"SECURECHAT-TUI SEALED STORE KEY"
_CLEAR_BLOCK: Final = re.compile(
    rb"-----BEGIN %b-----\n([A-Za-z0-9+/]{43}=)\n-----END %b-----\n" % (_CLEAR_NAME, _CLEAR_NAME)
)
_SEALED: Final = re.compile(
    rb"(securechat-tui identity ([12])\n([!-~]{1,100})\nRSA (\d{4})\n)(sha256 [0-9a-f]{64}\n)"
    rb"(-----BEGIN ENCRYPTED PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END ENCRYPTED PRIVATE KEY-----\n)"
    rb"((?:-----BEGIN %b-----\n([A-Za-z0-9+/]{64})\n-----END %b-----\n)?)" % (_SEALED_NAME, _SEALED_NAME)
)


def _block(name: bytes, content: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (name, base64.b64encode(content), name)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the identity file holds: the identity key, and the key of the message store (32 bytes)."""

    identity: IdentityKey
    store: bytes = field(repr=False)

    @classmethod
    def fresh(cls, identity: IdentityKey) -> Self:
        """Draw the key of a store that does not exist yet."""
        return cls(identity, primitives.random_bytes(STORE_KEY_LENGTH))


@dataclass(frozen=True, slots=True)
class SealedIdentity:
    """An identity file under a passphrase, as far as it can be read without it.

    ``store`` is the sealed key of the message store; empty in a file from before there was one.
    """

    stretch: Stretch
    bits: int
    pem: bytes = field(repr=False)
    store: bytes = field(repr=False)

    @classmethod
    def seal(cls, keys: Keys, passphrase: Passphrase, cost: Cost) -> Self:
        """Encrypt the keys under a passphrase, with a fresh salt."""
        stretch, bits = Stretch(cost), keys.identity.public.bits
        key = stretch.key(passphrase)
        store = primitives.seal(_store_sealing_key(key), keys.store, _head(_FORMAT, stretch, bits))
        return cls(stretch, bits, keys.identity.to_pem(key.hex().encode()), store)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what :meth:`encode` wrote; raises :class:`ValueError`."""
        found = _SEALED.fullmatch(data)
        if found is None:
            raise ValueError("its first lines or its end are damaged")
        head, number, stretch, bits, checksum, pem, block, store = found.groups()
        if checksum != checksum_line(head + pem + block):
            raise ValueError("it is damaged: its checksum is another one")
        if (int(number) == _WITHOUT_STORE) != (not block):
            raise ValueError("its blocks are not those of its format")
        return cls(Stretch.parse(stretch.decode()), int(bits), pem, base64.b64decode(store or b""))

    def encode(self) -> bytes:
        """The whole file."""
        head = self._head()
        blocks = self.pem + (_block(_SEALED_NAME, self.store) if self.store else b"")
        return head + checksum_line(head + blocks) + blocks

    def _head(self) -> bytes:
        return _head(_FORMAT if self.store else _WITHOUT_STORE, self.stretch, self.bits)

    def open(self, passphrase: Passphrase) -> tuple[IdentityKey, bytes | None]:
        """Decrypt the keys and check them; no store's key where the file has none.

        Raises CryptoFailure for a wrong passphrase, and BadKey.
        """
        key = self.stretch.key(passphrase)
        identity = IdentityKey.from_encrypted_pem(self.pem, key.hex().encode())
        if identity.public.bits != self.bits:
            raise BadKey(f"{identity.public.bits} bits, where its first lines say {self.bits}")
        return identity, self._open_store(key) if self.store else None

    def _open_store(self, key: bytes) -> bytes:
        try:
            return primitives.unseal(_store_sealing_key(key), self.store, self._head())
        except CryptoFailure:
            raise BadKey("the key of the message store does not open with the identity's") from None


def _head(number: int, stretch: Stretch, bits: int) -> bytes:
    return _MAGIC + f"{number}\n{stretch}\nRSA {bits}\n".encode()


def _store_sealing_key(key: bytes) -> bytes:
    return primitives.hkdf_expand(key, _LABEL_STORE)


def encode_clear(keys: Keys) -> bytes:
    """The file without a passphrase: both keys for everybody who can read it."""
    return keys.identity.to_pem() + _block(_CLEAR_NAME, keys.store)


def decode_clear(data: bytes) -> tuple[IdentityKey, bytes | None]:
    """Read a file without a passphrase; no store's key where it has none. Raises :class:`BadKey`."""
    blocks = _CLEAR_BLOCK.findall(data)
    rest = _CLEAR_BLOCK.sub(b"", data)
    if len(blocks) > 1 or _CLEAR_NAME in rest:
        raise BadKey("the block with the key of the message store is damaged")
    return IdentityKey.from_pem(rest), base64.b64decode(blocks[0]) if blocks else None


def read_sealed(profile: Profile) -> SealedIdentity | None:
    """Read the identity where it has a passphrase; None where it has none, or is not there.

    Raises :class:`ProfileError`.
    """
    data = read_file(profile.identity_path, _MAX_BYTES)
    return None if data is None else _parse(profile, data)


def _parse(profile: Profile, data: bytes) -> SealedIdentity | None:
    if not data.startswith(_MAGIC):
        return None
    number = data.removeprefix(_MAGIC).split(b"\n")[0]
    if number.isdigit() and number.lstrip(b"0") not in {b"%d" % _WITHOUT_STORE, b"%d" % _FORMAT}:
        raise NewerIdentity(path=profile.identity_path)
    try:
        return SealedIdentity.parse(data)
    except ValueError as error:
        raise BadIdentity(path=profile.identity_path, reason=str(error)) from None


@dataclass(frozen=True, slots=True)
class _Loaded:
    identity: IdentityKey
    store: bytes | None = field(repr=False)
    cost: Cost | None
    """That of the passphrase; None where there is none."""


def _load(profile: Profile, passphrase: Passphrase | None) -> _Loaded | None:
    path = profile.identity_path
    data = read_file(path, _MAX_BYTES)
    if data is None:
        return None
    sealed = _parse(profile, data)
    try:
        if sealed is None:
            return _Loaded(*decode_clear(data), cost=None)
        if passphrase is None:
            raise PassphraseNeeded
        return _Loaded(*sealed.open(passphrase), cost=sealed.stretch.cost)
    except BadKey as error:
        raise BadIdentity(path=path, reason=str(error)) from None
    except CryptoFailure:
        raise WrongPassphrase(path=path) from None


def load_identity(profile: Profile, passphrase: Passphrase | None = None) -> IdentityKey | None:
    """Load and check the profile's key; None where it has none yet. Raises :class:`ProfileError`.

    Among them :class:`PassphraseNeeded` and :class:`WrongPassphrase`. A key without a passphrase
    opens with any.
    """
    loaded = _load(profile, passphrase)
    return None if loaded is None else loaded.identity


def clear_store_key(profile: Profile) -> bytes | None:
    """Read the store's key where no passphrase covers it; None else. Checks, makes and writes nothing.

    Raises :class:`ProfileError`.
    """
    blocks = _CLEAR_BLOCK.findall(read_file(profile.identity_path, _MAX_BYTES) or b"")
    return base64.b64decode(blocks[0]) if len(blocks) == 1 else None


def open_keys(profile: Profile, passphrase: Passphrase | None = None) -> Keys | None:
    """Load both keys, as :func:`load_identity` does; the profile is open.

    A file without a store's key gains one, under the same passphrase at the same cost.
    """
    loaded = _load(profile, passphrase)
    if loaded is None:
        return None
    if loaded.store is not None:
        return Keys(loaded.identity, loaded.store)
    keys = Keys.fresh(loaded.identity)
    if loaded.cost is None:  # a passphrase given in vain protects nothing
        save_keys(profile, keys)
    else:
        save_keys(profile, keys, passphrase, loaded.cost)
    return keys


def save_keys(
    profile: Profile, keys: Keys, passphrase: Passphrase | None = None, cost: Cost = USUAL_COST
) -> None:
    """Put the keys in place of what is there, under a passphrase or without; the profile is open.

    Raises :class:`ProfileError` where they cannot be stored; the old file stays then.
    """
    sealed = None if passphrase is None else SealedIdentity.seal(keys, passphrase, cost)
    write_private(profile.identity_path, encode_clear(keys) if sealed is None else sealed.encode())


def create_keys(
    profile: Profile, bits: int, passphrase: Passphrase | None = None, cost: Cost = USUAL_COST
) -> Keys:
    """Make an identity key of 3072 or 4096 bits and a store's key, and store both; the profile is open.

    Raises :class:`IdentityExists` before any work where there is a file already, whatever it
    holds, :class:`BadKey` for another size and :class:`ProfileError` where it cannot be stored.
    """
    path = profile.identity_path
    if os.path.lexists(path):
        raise IdentityExists(path=path)
    keys = Keys.fresh(IdentityKey.generate(bits))
    save_keys(profile, keys, passphrase, cost)
    return keys


def create_identity(
    profile: Profile, bits: int, passphrase: Passphrase | None = None, cost: Cost = USUAL_COST
) -> IdentityKey:
    """Do as :func:`create_keys` does, where only the identity is of interest."""
    return create_keys(profile, bits, passphrase, cost).identity
