"""A new key in the place of the old one: signed by it, and at every moment one identity that can be used."""

import pytest

from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.storage import rotation as rotation_module
from securechat_tui.storage.errors import BadRotation, CannotWrite
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import Keys, create_identity, create_keys, load_identity, open_keys
from securechat_tui.storage.passphrase import Cost, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import load_rotation, rotate_identity, shown


def loaded(profile: Profile, passphrase: Passphrase | None = None) -> IdentityKey:
    key = load_identity(profile, passphrase)
    assert key is not None
    return key


def test_the_old_key_signs_the_new_one(profile: Profile) -> None:
    keys = create_keys(profile, 3072)
    old = keys.identity
    assert load_rotation(profile) is None
    new = rotate_identity(profile, keys, 3072)
    assert loaded(profile).public == new.public != old.public
    statement = load_rotation(profile)
    assert statement is not None
    assert (statement.old, statement.new, statement.counter) == (
        old.public.fingerprint,
        new.public.fingerprint,
        1,
    )
    statement.verify(old.public)
    assert shown(statement, new.public) == (statement,)
    newest = rotate_identity(profile, Keys(new, keys.store), 3072)
    after = load_rotation(profile)
    assert after is not None
    assert (after.old, after.new, after.counter) == (new.public.fingerprint, newest.public.fingerprint, 2)


def test_the_new_key_is_under_the_same_passphrase_and_the_stores_key_stays(profile: Profile) -> None:
    cost, passphrase = Cost(8, 1, 1), Passphrase("correct horse")
    old = create_keys(profile, 3072, passphrase, cost)
    new = rotate_identity(profile, old, 3072, passphrase, cost)
    assert loaded(profile, passphrase).public == new.public
    after = open_keys(profile, passphrase)
    assert after is not None
    assert after.store == old.store
    assert b"BEGIN PRIVATE KEY" not in profile.identity_path.read_bytes()


@pytest.mark.parametrize("step", ["write_private", "save_keys"])
def test_a_step_that_fails_leaves_the_old_key_and_shows_nothing(
    profile: Profile, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = create_keys(profile, 3072)
    old = keys.identity

    def full(*_: object) -> None:
        raise CannotWrite(path=profile.folder, reason="the disk is full")

    monkeypatch.setattr(rotation_module, step, full)
    with pytest.raises(CannotWrite):
        rotate_identity(profile, keys, 3072)
    assert loaded(profile).public == old.public
    assert shown(load_rotation(profile), old.public) == ()
    monkeypatch.undo()
    new = rotate_identity(profile, keys, 3072)
    assert len(shown(load_rotation(profile), new.public)) == 1


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b"[" * 4000, b'{"format":2}', b'{"format":1,"old":"","new":"","counter":1,"signature":""}'],
    ids=["empty", "nothing in it", "deep", "newer", "short"],
)
def test_damage_is_told_and_left_alone(profile: Profile, damage: bytes) -> None:
    write_private(profile.rotation_path, damage)
    with pytest.raises(BadRotation, match="left as it is"):
        load_rotation(profile)
    assert profile.rotation_path.read_bytes() == damage


def test_nothing_is_shown_to_others_of_a_key_that_never_was(profile: Profile) -> None:
    own, other = create_identity(profile, 3072), IdentityKey.generate(3072)
    assert shown(None, own.public) == ()
    assert shown(Rotation.sign(own, other.public, 1), own.public) == ()
