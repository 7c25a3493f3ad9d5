"""One's own change of identity keys: the statement by which the old key names the new one, on disk.

The statement is written first and the key then takes the old one's place, each by one atomic write. The
statement that leads to the old key stays beside the new one in the file. So a crash or a full disk at any
moment leaves one identity, and what leads to it: with the old key, the former statement, and one that leads
to another key and is never shown; with the new key, the new statement. The old private key is gone then, as
far as a file system forgets what it has written.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.storage.errors import BadRotation
from securechat_tui.storage.files import read_file, write_private
from securechat_tui.storage.keystore import Keys, save_keys
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase
from securechat_tui.storage.profile import Profile

__all__ = [
    "decode_statements",
    "encode_statements",
    "load_statements",
    "rotate_identity",
    "save_statements",
    "shown",
]

_MAX_BYTES: Final = 4096
_MAX_STATEMENTS: Final = 2
"""The one that leads to the present key, and the one that a failed change may have left."""
_MAX_COUNTER: Final = 2**32 - 1
_Digest = Annotated[bytes, msgspec.Meta(min_length=c.HASH_LENGTH, max_length=c.HASH_LENGTH)]


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes are base64."""

    old: _Digest
    new: _Digest
    counter: Annotated[int, msgspec.Meta(ge=1, le=_MAX_COUNTER)]
    signature: Annotated[bytes, msgspec.Meta(min_length=1, max_length=c.MAX_SIGNATURE_LENGTH)]

    @classmethod
    def of(cls, statement: Rotation) -> "_Statement":
        return cls(statement.old, statement.new, statement.counter, statement.signature)

    def rotation(self) -> Rotation:
        return Rotation(self.old, self.new, self.counter, self.signature)


class _Single(_Statement, frozen=True, forbid_unknown_fields=True):
    """The file as it was when it held the last statement alone."""

    format: Literal[1]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest statement is the last."""

    format: Literal[2]
    statements: Annotated[tuple[_Statement, ...], msgspec.Meta(min_length=1, max_length=_MAX_STATEMENTS)]


def load_statements(profile: Profile) -> tuple[Rotation, ...]:
    """Read the statements, the newest last; none where the identity is the first. Raises ProfileError."""
    path = profile.rotation_path
    data = read_file(path, _MAX_BYTES)
    if data is None:
        return ()
    try:
        return decode_statements(data)
    except ValueError as error:
        raise BadRotation(path=path, reason=str(error)) from None


def decode_statements(data: bytes) -> tuple[Rotation, ...]:
    """Read what :func:`encode_statements` wrote, or an older version; raises :class:`ValueError`."""
    try:
        if b'"statements"' not in data:
            return (msgspec.json.decode(data, type=_Single).rotation(),)
        record = msgspec.json.decode(data, type=_Record)
    except RecursionError as error:
        raise ValueError(str(error)) from None
    return tuple(one.rotation() for one in record.statements)


def encode_statements(statements: Sequence[Rotation]) -> bytes:
    """The file's content."""
    return msgspec.json.encode(_Record(2, tuple(map(_Statement.of, statements))))


def shown(statements: Sequence[Rotation], own: PublicIdentity) -> tuple[Rotation, ...]:
    """What peers are shown of them: the one that leads to one's own key, if any does."""
    return tuple(one for one in statements if one.new == own.fingerprint)[-1:]


def save_statements(profile: Profile, statements: Sequence[Rotation]) -> None:
    """Put statements in the place of those before; the profile is open. Raises :class:`ProfileError`."""
    write_private(profile.rotation_path, encode_statements(statements))


def rotate_identity(
    profile: Profile,
    old: Keys,
    bits: int,
    passphrase: Passphrase | None = None,
    cost: Cost = USUAL_COST,
) -> IdentityKey:
    """Make a key of 3072 or 4096 bits in the place of ``old``, which signs it; the profile is open.

    ``passphrase`` is the present one. The store's key stays as it is. Raises :class:`ProfileError` where
    something cannot be stored: the old key stays then.
    """
    before = shown(load_statements(profile), old.identity.public)
    new = IdentityKey.generate(bits)
    statement = Rotation.sign(old.identity, new.public, before[0].counter + 1 if before else 1)
    save_statements(profile, (*before, statement))
    save_keys(profile, Keys(new, old.store), passphrase, cost)
    return new
