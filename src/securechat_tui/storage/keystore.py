"""The identity key on disk: one file, readable by its owner alone.

Without a passphrase it is a PKCS#8 PEM file. With one, four lines stand before the PEM block (text that
readers of PEM pass over, RFC 7468), and the block is encrypted under what they describe::

    securechat-tui identity 1
    $argon2id$v=19$m=65536,t=3,p=4$SALT
    RSA 3072
    sha256 CHECKSUM
    -----BEGIN ENCRYPTED PRIVATE KEY-----

The block's password is the Argon2id key (32 bytes) in hexadecimal. The checksum runs over all other
lines: it proves nothing, and tells a damaged file from a wrong passphrase. Whatever the passphrase shall open
stays in this one file, so that one atomic write changes the passphrase of all of it and no crash can
leave two passphrases. The key of a message store is meant to join it so: random, in a block of its own
after this one, sealed under a labelled derivation of the same Argon2id key (in clear where there is no
passphrase), with the format's number raised, which makes this version refuse the file with a sentence.

Making, opening and sealing a key take from a tenth of a second to a few seconds: call them in a thread.
"""

import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

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

__all__ = ["SealedIdentity", "create_identity", "load_identity", "read_sealed", "save_identity"]

_MAX_BYTES: Final = 16 * 1024
_FORMAT: Final = 1
_MAGIC: Final = b"securechat-tui identity "
_SEALED: Final = re.compile(
    rb"(securechat-tui identity 1\n([!-~]{1,100})\nRSA (\d{4})\n)(sha256 [0-9a-f]{64}\n)"
    rb"(-----BEGIN ENCRYPTED PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END ENCRYPTED PRIVATE KEY-----\n)"
)


@dataclass(frozen=True, slots=True)
class SealedIdentity:
    """An identity under a passphrase, as far as it can be read without it."""

    stretch: Stretch
    bits: int
    pem: bytes = field(repr=False)

    @classmethod
    def seal(cls, identity: IdentityKey, passphrase: Passphrase, cost: Cost) -> Self:
        """Encrypt a key under a passphrase, with a fresh salt."""
        stretch = Stretch(cost)
        password = stretch.key(passphrase).hex().encode()
        return cls(stretch, identity.public.bits, identity.to_pem(password))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read what :meth:`encode` wrote; raises :class:`ValueError`."""
        found = _SEALED.fullmatch(data)
        if found is None:
            raise ValueError("its first lines or its end are damaged")
        head, stretch, bits, checksum, pem = found.groups()
        if checksum != checksum_line(head + pem):
            raise ValueError("it is damaged: its checksum is another one")
        return cls(Stretch.parse(stretch.decode()), int(bits), pem)

    def encode(self) -> bytes:
        """The whole file."""
        head = _MAGIC + f"{_FORMAT}\n{self.stretch}\nRSA {self.bits}\n".encode()
        return head + checksum_line(head + self.pem) + self.pem

    def open(self, passphrase: Passphrase) -> IdentityKey:
        """Decrypt the key and check it; raises CryptoFailure for a wrong passphrase, and BadKey."""
        password = self.stretch.key(passphrase).hex().encode()
        identity = IdentityKey.from_encrypted_pem(self.pem, password)
        if identity.public.bits != self.bits:
            raise BadKey(f"{identity.public.bits} bits, where its first lines say {self.bits}")
        return identity


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
    if number.isdigit() and number.lstrip(b"0") != b"%d" % _FORMAT:
        raise NewerIdentity(path=profile.identity_path)
    try:
        return SealedIdentity.parse(data)
    except ValueError as error:
        raise BadIdentity(path=profile.identity_path, reason=str(error)) from None


def load_identity(profile: Profile, passphrase: Passphrase | None = None) -> IdentityKey | None:
    """Load and check the profile's key; None where it has none yet. Raises :class:`ProfileError`.

    Among them :class:`PassphraseNeeded` and :class:`WrongPassphrase`. A key without a passphrase
    opens with any.
    """
    path = profile.identity_path
    data = read_file(path, _MAX_BYTES)
    if data is None:
        return None
    sealed = _parse(profile, data)
    try:
        if sealed is None:
            return IdentityKey.from_pem(data)
        if passphrase is None:
            raise PassphraseNeeded
        return sealed.open(passphrase)
    except BadKey as error:
        raise BadIdentity(path=path, reason=str(error)) from None
    except CryptoFailure:
        raise WrongPassphrase(path=path) from None


def save_identity(
    profile: Profile, identity: IdentityKey, passphrase: Passphrase | None = None, cost: Cost = USUAL_COST
) -> None:
    """Put a key in place of what is there, under a passphrase or without; the profile is open.

    Raises :class:`ProfileError` where it cannot be stored; the old file stays then.
    """
    if passphrase is None:
        data = identity.to_pem()
    else:
        data = SealedIdentity.seal(identity, passphrase, cost).encode()
    write_private(profile.identity_path, data)


def create_identity(
    profile: Profile, bits: int, passphrase: Passphrase | None = None, cost: Cost = USUAL_COST
) -> IdentityKey:
    """Make a key of 3072 or 4096 bits and store it; the profile is open.

    Raises :class:`IdentityExists` before any work where there is a file already, whatever it
    holds, :class:`BadKey` for another size and :class:`ProfileError` where it cannot be stored.
    """
    path = profile.identity_path
    if os.path.lexists(path):
        raise IdentityExists(path=path)
    identity = IdentityKey.generate(bits)
    save_identity(profile, identity, passphrase, cost)
    return identity
