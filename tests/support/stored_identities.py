"""A known identity in a profile, in the place of the one it has."""

from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import Keys, decode_clear, encode_clear
from securechat_tui.storage.profile import Profile


def put_identity(profile: Profile, identity: IdentityKey) -> None:
    """Write the key without a passphrase; the store's key stays, and with it the history."""
    place = profile.identity_path
    kept = decode_clear(place.read_bytes())[1] if place.exists() else None
    place.unlink(missing_ok=True)
    keys = Keys.fresh(identity) if kept is None else Keys(identity, kept)
    write_private(place, encode_clear(keys))
