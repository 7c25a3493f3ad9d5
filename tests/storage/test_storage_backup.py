"""Backups: what they hold and do not hold, and a sentence for every defect."""

import base64
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from passphrases import CANARY, CHEAP, traces
from stored_contacts import contacts_on_disk, put_contacts

from securechat_tui.protocol import primitives
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import backup as backups
from securechat_tui.storage.backup import (
    Backup,
    SealedBackup,
    check_empty,
    check_target,
    restore,
    write_backup,
)
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.contacts import encode_contacts
from securechat_tui.storage.errors import (
    BadBackup,
    CannotWrite,
    DamagedContacts,
    FileExists,
    NewerBackup,
    NoBackup,
    NotAFile,
    PassphraseNeeded,
    ProfileError,
    ProfileNotEmpty,
    TooLarge,
    WrongBackupPassphrase,
)
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import load_identity, open_keys
from securechat_tui.storage.passphrase import Passphrase, Stretch, checksum_line
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import load_statements, shown
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.states import Trust

RIGHT = Passphrase(CANARY)
MADE = 1_795_262_400.0
SECRET = b"s" * 32


@pytest.fixture(scope="session")
def contact() -> Contact:
    peer = IdentityKey.generate(3072).public
    met = Contact.met(PublicIdentity.from_spki(peer.spki), 1000.0, 1).seen(2000.0, 1, ("192.0.2.7", 8000))
    verified = met.with_trust(Trust.VERIFIED, 3000.0, "compared")
    return replace(
        verified, name=SafeText.name("bob the backed-up"), named=True, newest=SECRET, confirmed=SECRET
    )


@pytest.fixture
def backup(identity: IdentityKey, contact: Contact) -> Backup:
    return Backup(MADE, SafeText.name("Zoë"), identity, Pins((contact,)))


@pytest.fixture
def file(tmp_path: Path, backup: Backup) -> Path:
    path = tmp_path / "zoe.backup"
    write_backup(path, backup, RIGHT, CHEAP)
    return path


def kept(profile: Profile) -> Pins:
    """The contacts of a restored profile."""
    keys = open_keys(profile, RIGHT)
    assert keys is not None
    return contacts_on_disk(profile, keys.store)


def test_what_was_exported_is_there_again(file: Path, backup: Backup, profile: Profile) -> None:
    save_config(profile, Config(bind="127.0.0.1:9000", theme="light"))
    opened = SealedBackup.read(file).open(RIGHT)
    restore(profile, opened, RIGHT, CHEAP)
    key = load_identity(profile, RIGHT)
    assert key is not None
    assert key.public == backup.identity.public
    assert load_config(profile) == Config(name="Zoë", bind="127.0.0.1:9000", theme="light")
    (before,), (after,) = backup.pins.contacts, kept(profile).contacts
    assert after == replace(before, newest=None, confirmed=None)
    assert after.history == before.history
    assert (opened.made, opened.name) == (MADE, "Zoë")


def test_the_statement_that_leads_to_the_key_comes_along(
    tmp_path: Path, backup: Backup, profile: Profile
) -> None:
    former, never = IdentityKey.generate(3072), IdentityKey.generate(3072)
    leading = Rotation.sign(former, backup.identity.public, 1)
    failed = Rotation.sign(backup.identity, never.public, 2)
    path = tmp_path / "changed.backup"
    write_backup(path, replace(backup, rotations=(leading, failed)), RIGHT, CHEAP)
    restore(profile, SealedBackup.read(path).open(RIGHT), RIGHT, CHEAP)
    assert load_statements(profile) == (leading,)
    assert shown(load_statements(profile), backup.identity.public) == (leading,)


def test_without_a_change_of_keys_there_is_no_statement(file: Path, profile: Profile) -> None:
    restore(profile, SealedBackup.read(file).open(RIGHT), RIGHT, CHEAP)
    assert not profile.rotation_path.exists()


def test_the_key_comes_back_under_the_backups_passphrase(file: Path, profile: Profile) -> None:
    restore(profile, SealedBackup.read(file).open(RIGHT), RIGHT, CHEAP)
    with pytest.raises(PassphraseNeeded):
        load_identity(profile)


def test_nothing_of_it_is_in_clear(file: Path, backup: Backup, contact: Contact) -> None:
    data = file.read_bytes()
    assert data.startswith(b"securechat-tui backup 1\n$argon2id$v=19$m=8,t=1,p=1$")
    raw = data + base64.b64decode(data.split(b"\n", 3)[3])
    for secret in (
        b"bob the backed-up",
        "Zoë".encode(),
        contact.spki,
        backup.identity.public.spki,
        b"PRIVATE",
        b"192.0.2.7",
    ):
        assert secret not in raw
        assert base64.b64encode(secret) not in raw
    assert traces(file.parent) == []


def test_reconnect_secrets_stay_out(file: Path) -> None:
    sealed = SealedBackup.read(file)
    plain = primitives.unseal(sealed.stretch.key(RIGHT), sealed.sealed, sealed.head)
    assert base64.b64encode(SECRET) not in plain
    assert b"bob the backed-up" in plain


@pytest.mark.skipif(os.name != "posix", reason="the system has no POSIX permissions")
def test_the_file_is_closed_to_others_and_read_with_any_mode(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)  # as it is on a memory stick
    assert SealedBackup.read(file).open(RIGHT).name == "Zoë"


def test_an_existing_file_is_never_overwritten(file: Path, backup: Backup) -> None:
    before = file.read_bytes()
    with pytest.raises(FileExists, match="never overwritten"):
        check_target(file)
    with pytest.raises(FileExists):
        write_backup(file, backup, RIGHT, CHEAP)
    assert file.read_bytes() == before


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path, backup: Backup) -> None:
    with pytest.raises(CannotWrite, match="no such file"):
        write_backup(tmp_path / "nowhere" / "file", backup, RIGHT, CHEAP)


def test_every_file_has_a_key_of_its_own(tmp_path: Path, backup: Backup) -> None:
    """The nonce is constant: two files under one passphrase must not share the key."""
    sealed = []
    for name in ("one", "two"):
        write_backup(tmp_path / name, backup, RIGHT, CHEAP)
        sealed.append(SealedBackup.read(tmp_path / name))
    assert sealed[0].stretch.key(RIGHT) != sealed[1].stretch.key(RIGHT)


def test_another_passphrase_opens_nothing(file: Path) -> None:
    with pytest.raises(WrongBackupPassphrase, match="nothing was changed"):
        SealedBackup.read(file).open(Passphrase("another"))


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def test_every_flipped_byte_is_told_before_a_passphrase_is_asked_for(file: Path) -> None:
    data = file.read_bytes()
    body = data.index(b"\n", data.index(b"sha256 "))
    for place in [*range(body), *range(body, len(data), 101), len(data) - 1]:
        file.write_bytes(flipped(data, place))
        with pytest.raises((BadBackup, NewerBackup)):
            SealedBackup.read(file)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda _: b"", BadBackup, "not those of a backup"),
        (lambda _: b"-----BEGIN PRIVATE KEY-----\n", BadBackup, "not those of a backup"),
        (lambda _: os.urandom(5000), BadBackup, "not those of a backup"),
        (lambda data: data[:-100], BadBackup, "damaged or cut short"),
        (lambda data: data[:60], BadBackup, "damaged or cut short"),
        (lambda data: data.replace(b"backup 1", b"backup 2"), NewerBackup, "newer securechat-tui"),
        (lambda _: b"x" * (32 * 1024 * 1024 + 1), TooLarge, "larger than"),
    ],
    ids=["empty", "a key", "noise", "cut", "cut early", "newer", "huge"],
)
def test_a_defect_has_its_sentence(
    file: Path, make: Callable[[bytes], bytes], error: type[ProfileError], words: str
) -> None:
    file.write_bytes(make(file.read_bytes()))
    with pytest.raises(error, match=words):
        SealedBackup.read(file)


def test_no_file_and_no_plain_file(tmp_path: Path) -> None:
    with pytest.raises(NoBackup, match="Check the name"):
        SealedBackup.read(tmp_path / "nothing")
    with pytest.raises(NotAFile):
        SealedBackup.read(tmp_path)


def forge(path: Path, plain: bytes, phc: str = "") -> SealedBackup:
    """A file made by somebody who knows the passphrase and the format."""
    stretch = Stretch(CHEAP)
    head = f"securechat-tui backup 1\n{phc or stretch}\n".encode()
    body = base64.encodebytes(primitives.seal(stretch.key(RIGHT), plain, head))
    path.write_bytes(head + checksum_line(head + body) + body)
    return SealedBackup.read(path)


def test_a_hostile_file_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    phc = str(Stretch(CHEAP)).replace("m=8,", "m=4194304,")
    with pytest.raises(BadBackup, match="KiB, not 4194304"):
        forge(tmp_path / "file", b"", phc)


def content(owner: IdentityKey, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "format": 1,
        "made": MADE,
        "name": "zoe",
        "identity": owner.to_pem().decode(),
        "contacts": msgspec.Raw(encode_contacts(Pins())),
    }
    return msgspec.json.encode(fields | changes)


def test_what_is_forged_well_is_accepted(tmp_path: Path, identity: IdentityKey) -> None:
    assert forge(tmp_path / "file", content(identity)).open(RIGHT).identity.public == identity.public


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"format": 2}, BadBackup),
        ({"made": -1}, BadBackup),
        ({"name": ""}, BadBackup),
        ({"name": 7}, BadBackup),
        ({"extra": 7}, BadBackup),
        ({"identity": "no key"}, BadBackup),
        ({"contacts": {"format": 1}}, BadBackup),
        ({"contacts": {"format": 99}}, NewerBackup),
        ({"contacts": None}, BadBackup),
    ],
    ids=str,
)
def test_what_is_inside_is_checked_too(
    tmp_path: Path, identity: IdentityKey, changes: dict[str, object], error: type[ProfileError]
) -> None:
    sealed = forge(tmp_path / "file", content(identity, **changes))
    with pytest.raises(error) as refused:
        sealed.open(RIGHT)
    assert "nothing was changed" in str(refused.value)
    assert "PRIVATE" not in str(refused.value)


def test_what_is_inside_is_not_quoted(tmp_path: Path, identity: IdentityKey) -> None:
    """A key in the place of a field's name, say, is not shown with the complaint about that name."""
    sealed = forge(tmp_path / "file", content(identity, **{identity.to_pem().decode(): 7}))
    with pytest.raises(BadBackup) as refused:
        sealed.open(RIGHT)
    assert "PRIVATE" not in str(refused.value)
    assert "BEGIN" not in str(refused.value)


@pytest.mark.parametrize("secrets", [(SECRET, None), (None, SECRET)], ids=["newest", "confirmed"])
def test_reconnect_secrets_do_not_come_in(
    tmp_path: Path, identity: IdentityKey, contact: Contact, secrets: tuple[bytes | None, bytes | None]
) -> None:
    """Whoever made such a backup could call as that contact."""
    kept = replace(contact, newest=secrets[0], confirmed=secrets[1])
    book = msgspec.Raw(encode_contacts(Pins((kept,))))
    with pytest.raises(BadBackup, match="reconnect secret"):
        forge(tmp_path / "file", content(identity, contacts=book)).open(RIGHT)


@pytest.mark.parametrize(
    "plain", [b"", b"\xff", b"[]", b"[" * 100_000], ids=["none", "noise", "list", "deep"]
)
def test_what_is_inside_may_be_no_json(tmp_path: Path, plain: bytes) -> None:
    with pytest.raises(BadBackup):
        forge(tmp_path / "file", plain).open(RIGHT)


def snapshot(profile: Profile) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in profile.folder.iterdir()}


def test_an_identity_is_never_overwritten(profile: Profile, backup: Backup) -> None:
    write_private(profile.identity_path, b"whatever it is")
    before = snapshot(profile)
    with pytest.raises(ProfileNotEmpty, match="never overwrites"):
        restore(profile, backup, RIGHT, CHEAP)
    assert snapshot(profile) == before


def test_nor_are_contacts(profile: Profile, backup: Backup, contact: Contact) -> None:
    carol = Pins((replace(contact, name=SafeText.name("carol")),))
    write_private(profile.contacts_path, encode_contacts(carol))
    before = snapshot(profile)
    with pytest.raises(ProfileNotEmpty):
        restore(profile, backup, RIGHT, CHEAP)
    assert snapshot(profile) == before
    write_private(profile.contacts_path, b"damaged")
    with pytest.raises(DamagedContacts):
        check_empty(profile)
    profile.contacts_path.unlink()
    put_contacts(profile, carol, bytes(32))
    with pytest.raises(ProfileNotEmpty):
        restore(profile, backup, RIGHT, CHEAP)
    assert contacts_on_disk(profile, bytes(32)) == carol


@pytest.mark.parametrize("same", [True, False], ids=["the same", "nobody"])
def test_contacts_that_an_earlier_version_has_restored_are_in_nobodys_way(
    profile: Profile, backup: Backup, same: bool
) -> None:
    write_private(profile.contacts_path, encode_contacts(backup.pins if same else Pins()))
    restore(profile, backup, RIGHT, CHEAP)
    assert kept(profile) == backup.pins
    assert not profile.contacts_path.exists()


def restore_without_room(monkeypatch: pytest.MonkeyPatch, profile: Profile, opened: Backup) -> None:
    """Restore onto a disk that is full when the key is to be written."""

    def fail(*_: object) -> None:
        raise CannotWrite(path=profile.identity_path, reason="no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(backups, "save_keys", fail)
        with pytest.raises(CannotWrite):
            restore(profile, opened, RIGHT, CHEAP)


def test_what_was_interrupted_can_be_done_again(
    file: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = SealedBackup.read(file).open(RIGHT)
    restore_without_room(monkeypatch, profile, opened)
    assert load_identity(profile) is None
    restore(profile, opened, RIGHT, CHEAP)
    assert load_identity(profile, RIGHT) is not None
    assert kept(profile) == opened.pins
    assert not profile.prepared_index_path.exists()


def test_a_restore_that_was_killed_behind_its_key_is_completed_by_the_next_start(
    file: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = SealedBackup.read(file).open(RIGHT)

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(backups, "Store", kill)
        with pytest.raises(Killed):
            restore(profile, opened, RIGHT, CHEAP)
    keys = open_keys(profile, RIGHT)
    assert keys is not None
    with Store(profile, keys.store) as store:
        assert store.pins() == opened.pins
    assert not profile.prepared_index_path.exists()


def test_an_index_whose_key_was_never_kept_goes_at_the_next_start(
    file: Path, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = SealedBackup.read(file).open(RIGHT)
    restore_without_room(monkeypatch, profile, opened)
    assert profile.prepared_index_path.exists()
    with Store(profile, bytes(32)) as store:  # of an identity that was made instead
        assert store.pins() == Pins()
    assert not list(profile.data_folder.glob("index.db.new*"))


def test_nothing_of_it_is_in_a_representation(backup: Backup, file: Path) -> None:
    assert "PRIVATE" not in repr(backup)
    assert "sealed=b" not in repr(SealedBackup.read(file))
