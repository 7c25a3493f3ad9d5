"""One's own change of identity keys: the statement by which the old key names the new one, on disk.

The statement is written first and the key then takes the old one's place, each by one atomic write. So a
crash at any moment leaves one identity: with the old key, a statement that leads to another key and is
never shown; with the new one, the statement that leads to it. The old private key is gone then, as far as
a file system forgets what it has written.
"""

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

__all__ = ["load_rotation", "rotate_identity", "save_statement", "shown"]

_MAX_BYTES: Final = 4096
_MAX_COUNTER: Final = 2**32 - 1
_Digest = Annotated[bytes, msgspec.Meta(min_length=c.HASH_LENGTH, max_length=c.HASH_LENGTH)]


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes are base64."""

    format: Literal[1]
    old: _Digest
    new: _Digest
    counter: Annotated[int, msgspec.Meta(ge=1, le=_MAX_COUNTER)]
    signature: Annotated[bytes, msgspec.Meta(min_length=1, max_length=c.MAX_SIGNATURE_LENGTH)]


def load_rotation(profile: Profile) -> Rotation | None:
    """Read the last statement; None where the identity is the first. Raises :class:`ProfileError`."""
    path = profile.rotation_path
    data = read_file(path, _MAX_BYTES)
    if data is None:
        return None
    try:
        record = msgspec.json.decode(data, type=_Record)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise BadRotation(path=path, reason=str(error)) from None
    return Rotation(record.old, record.new, record.counter, record.signature)


def shown(rotation: Rotation | None, own: PublicIdentity) -> tuple[Rotation, ...]:
    """What peers are shown of it: nothing where it leads to another key than one's own."""
    return (rotation,) if rotation is not None and rotation.new == own.fingerprint else ()


def save_statement(profile: Profile, statement: Rotation) -> None:
    """Put a statement in the place of the last one; the profile is open. Raises :class:`ProfileError`."""
    record = _Record(1, statement.old, statement.new, statement.counter, statement.signature)
    write_private(profile.rotation_path, msgspec.json.encode(record))


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
    before = load_rotation(profile)
    new = IdentityKey.generate(bits)
    statement = Rotation.sign(old.identity, new.public, before.counter + 1 if before else 1)
    save_statement(profile, statement)
    save_keys(profile, Keys(new, old.store), passphrase, cost)
    return new
