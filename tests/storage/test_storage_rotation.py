"""A new key in the place of the old one: signed by it, and at every moment one identity that can be used."""

import msgspec
import pytest

from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.storage import rotation as rotation_module
from securechat_tui.storage.errors import BadRotation, CannotWrite
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import Keys, create_identity, create_keys, load_identity, open_keys
from securechat_tui.storage.passphrase import Cost, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import decode_statements, load_statements, rotate_identity, shown


def loaded(profile: Profile, passphrase: Passphrase | None = None) -> IdentityKey:
    key = load_identity(profile, passphrase)
    assert key is not None
    return key


def test_the_old_key_signs_the_new_one(profile: Profile) -> None:
    keys = create_keys(profile, 3072)
    old = keys.identity
    assert load_statements(profile) == ()
    new = rotate_identity(profile, keys, 3072)
    assert loaded(profile).public == new.public != old.public
    (statement,) = load_statements(profile)
    assert (statement.old, statement.new, statement.counter) == (
        old.public.fingerprint,
        new.public.fingerprint,
        1,
    )
    statement.verify(old.public)
    assert shown((statement,), new.public) == (statement,)
    newest = rotate_identity(profile, Keys(new, keys.store), 3072)
    former, after = load_statements(profile)
    assert former == statement
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
    assert shown(load_statements(profile), old.public) == ()
    monkeypatch.undo()
    new = rotate_identity(profile, keys, 3072)
    assert len(shown(load_statements(profile), new.public)) == 1


@pytest.mark.parametrize("step", ["write_private", "save_keys"])
def test_a_second_change_that_fails_loses_nothing_of_the_first(
    profile: Profile, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = create_keys(profile, 3072)
    second = Keys(rotate_identity(profile, keys, 3072), keys.store)
    (first,) = shown(load_statements(profile), second.identity.public)

    def full(*_: object) -> None:
        raise CannotWrite(path=profile.folder, reason="the disk is full")

    monkeypatch.setattr(rotation_module, step, full)
    for _ in range(3):
        with pytest.raises(CannotWrite):
            rotate_identity(profile, second, 3072)
        assert loaded(profile).public == second.identity.public
        assert shown(load_statements(profile), second.identity.public) == (first,)
    monkeypatch.undo()
    third = rotate_identity(profile, second, 3072)
    (statement,) = shown(load_statements(profile), third.public)
    assert (statement.old, statement.counter) == (second.identity.public.fingerprint, 2)
    assert loaded(profile).public == third.public


def test_the_file_of_an_older_version_is_read() -> None:
    old, new = IdentityKey.generate(3072), IdentityKey.generate(3072)
    statement = Rotation.sign(old, new.public, 7)
    fields = {
        "format": 1,
        "old": statement.old,
        "new": statement.new,
        "counter": 7,
        "signature": statement.signature,
    }
    assert decode_statements(msgspec.json.encode(fields)) == (statement,)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}",
        b"[" * 4000,
        b'{"format":3,"statements":[]}',
        b'{"format":1,"old":"","new":"","counter":1,"signature":""}',
    ],
    ids=["empty", "nothing in it", "deep", "newer", "short"],
)
def test_damage_is_told_and_left_alone(profile: Profile, damage: bytes) -> None:
    write_private(profile.rotation_path, damage)
    with pytest.raises(BadRotation, match="left as it is"):
        load_statements(profile)
    assert profile.rotation_path.read_bytes() == damage


def test_nothing_is_shown_to_others_of_a_key_that_never_was(profile: Profile) -> None:
    own, other = create_identity(profile, 3072), IdentityKey.generate(3072)
    assert shown((), own.public) == ()
    assert shown((Rotation.sign(own, other.public, 1),), own.public) == ()
