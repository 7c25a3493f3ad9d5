"""A known identity in a profile, in the place of the one it has."""

from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import Keys, decode_clear, encode_clear
from securechat_tui.storage.profile import Profile


def with_store_of(profile: Profile, identity: IdentityKey) -> Keys:
    """Put a key beside the one of the profile's store, if that can be read; else beside a fresh one."""
    place = profile.identity_path
    data = place.read_bytes() if place.exists() else b""
    kept = decode_clear(data)[1] if data.startswith(b"-----BEGIN PRIVATE KEY") else None
    return Keys.fresh(identity) if kept is None else Keys(identity, kept)


def put_identity(profile: Profile, identity: IdentityKey) -> None:
    """Write the key without a passphrase; the store's key stays, and with it the history."""
    keys = with_store_of(profile, identity)
    profile.identity_path.unlink(missing_ok=True)
    write_private(profile.identity_path, encode_clear(keys))
