"""A whole profile in one file: everything comes back, and nothing of a file that is not whole."""

import stat
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept_people import Keeper
from passphrases import CANARY, CHEAP
from protocol_peers import identity_key
from stored_contacts import contacts_on_disk, put_contacts

from securechat_tui.protocol import primitives
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import files as files_module
from securechat_tui.storage import whole_backup
from securechat_tui.storage.backup import Backup, write_backup
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.contacts import encode_contacts
from securechat_tui.storage.errors import (
    BadBackup,
    CannotWrite,
    DiskFull,
    FileExists,
    NewerBackup,
    NoBackup,
    ProfileError,
    ProfileNotEmpty,
    WrongBackupPassphrase,
)
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import Keys, load_identity, open_keys, save_keys
from securechat_tui.storage.passphrase import Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.sealed_stream import PIECE_LENGTH, BrokenStream, sealed, unsealed
from securechat_tui.storage.store import Store
from securechat_tui.storage.whole_backup import Contents, SealedProfile, back_up
from securechat_tui.trust.pins import Contact, Pins

ALICE, BOB = identity_key("alice"), identity_key("bob")
KEYS = Keys(ALICE, bytes(32))
RIGHT = Passphrase(CANARY)
CONTENTS = Contents(
    format=1, made=1.8e9, name="Zoë", fingerprint=str(ALICE.public.fingerprint), contacts=0, conversations=1
)
KEY, HEAD = b"k" * 32, b"head"
PINS = Pins((Contact.met(BOB.public, 1000.0, 1),))


@pytest.fixture
def full(profile: Profile) -> Profile:
    """A profile with a history of some length, and with every file that one can have."""
    save_keys(profile, KEYS)
    save_config(profile, Config(name="Zoë"))
    put_contacts(profile, PINS)
    write_private(profile.rotation_path, b"{}")
    keeper = Keeper(profile.folder, ALICE, BOB.public)
    for number in range(300):
        keeper.say(f"message {number} " + "x" * 900, signed=False)
    keeper.close()
    return profile


@pytest.fixture
def file(full: Profile, tmp_path: Path) -> Path:
    path = tmp_path / "zoe.backup"
    back_up(full, KEYS, path, CONTENTS, RIGHT, cost=CHEAP)
    return path


@pytest.fixture
def other(home: Path) -> Profile:
    del home
    return Profile.named("other")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file() and one.name != "lock"
    }


def test_everything_comes_back(file: Path, full: Profile, other: Profile) -> None:
    backup = SealedProfile.read(file).open(RIGHT)
    assert backup.contents == CONTENTS
    with other:
        backup.restore(other)
        assert files(other.folder) == files(full.folder)
        keys = open_keys(other)
        assert keys is not None
        with Store(other, keys.store) as store:
            (known,) = store.conversations()
            history = store.conversation(known.id, known.peer)
            assert [one.number for one in history.page(1000)] == list(range(1, 301))
            assert len(history.search("17 xxx", 10)) == 1
    for path in other.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert load_config(other).name == "Zoë"
    assert contacts_on_disk(other) == PINS


def test_a_backup_of_an_earlier_version_brings_its_contacts(
    full: Profile, other: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has them in clear, and an index without them."""
    with Store(full, KEYS.store) as store:
        assert store._index is not None
        store._index.run("DROP TABLE book")
        store._index.run("PRAGMA user_version = 1")
    path = tmp_path / "old.backup"
    with monkeypatch.context() as earlier:
        earlier.setattr(whole_backup, "_SMALL", ("rotation.json", "contacts.json", "config.toml"))
        earlier.setattr(whole_backup, "Store", lambda *_: nullcontext(Mock()))
        write_private(full.contacts_path, encode_contacts(PINS))
        back_up(full, KEYS, path, CONTENTS, RIGHT, cost=CHEAP)
    with other:
        SealedProfile.read(path).open(RIGHT).restore(other)
        assert other.contacts_path.exists()
        with Store(other, KEYS.store) as store:
            assert store.pins() == PINS
            assert len(store.conversations()) == 1
        assert not other.contacts_path.exists()


def test_nothing_of_it_is_in_clear(file: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" not in file.read_bytes()
    assert b"message 17" not in file.read_bytes()
    assert not [one for one in tmp_path.iterdir() if one.suffix == ".tmp"]


def refusals() -> dict[str, tuple[Callable[[bytes], bytes], type[ProfileError]]]:
    return {
        "empty": (lambda _: b"", BadBackup),
        "other": (lambda _: b"something else\n" * 40, BadBackup),
        "newer": (lambda data: data.replace(b"backup 1\n", b"backup 2\n", 1), NewerBackup),
        "head": (lambda data: data.replace(b"check ", b"check A", 1), BadBackup),
        "costs": (lambda data: data.replace(b"m=8", b"m=9", 1), BadBackup),
        "first": (lambda data: data[:400] + bytes([data[400] ^ 1]) + data[401:], BadBackup),
        "late": (lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], BadBackup),
        "short": (lambda data: data[:-1], BadBackup),
        "no last piece": (lambda data: data[: cut(data, -1)], BadBackup),
        "head only": (lambda data: data[: cut(data, 0)], BadBackup),
        "longer": (lambda data: data + b"x", BadBackup),
        "swapped": (swapped, BadBackup),
        "left out": (lambda data: data[: cut(data, 1)] + data[cut(data, 2) :], BadBackup),
    }


def cut(data: bytes, piece: int) -> int:
    """Where a piece begins; -1 is the last one."""
    start, length = data.index(b"\n", data.index(b"\nsha256 ") + 1) + 1, PIECE_LENGTH + 16
    count = -(-(len(data) - start) // length)
    return start + (piece if piece >= 0 else count - 1) * length


def swapped(data: bytes) -> bytes:
    first, second, third = (cut(data, piece) for piece in (0, 1, 2))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


@pytest.mark.parametrize("kind", refusals())
def test_a_file_that_is_not_whole_is_refused_and_nothing_written(
    file: Path, other: Profile, kind: str
) -> None:
    damage, error = refusals()[kind]
    assert len(file.read_bytes()) > 4 * PIECE_LENGTH
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(error, match="nothing was changed"):
        SealedProfile.read(file).open(RIGHT)
    assert not other.folder.exists()


def test_a_wrong_passphrase_is_told_from_damage(file: Path) -> None:
    with pytest.raises(WrongBackupPassphrase, match="not the passphrase"):
        SealedProfile.read(file).open(Passphrase("another"))


def test_the_two_kinds_of_backup_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "identity.backup"
    write_backup(path, Backup(1.8e9, SafeText.name("Zoë"), ALICE, Pins()), RIGHT, CHEAP)
    with pytest.raises(BadBackup, match="identity import"):
        SealedProfile.read(path)
    with pytest.raises(NoBackup):
        SealedProfile.read(tmp_path / "nothing")


def test_nothing_is_overwritten(file: Path, full: Profile, other: Profile) -> None:
    with pytest.raises(FileExists):
        back_up(full, KEYS, file, CONTENTS, RIGHT, cost=CHEAP)
    before = files(full.folder)
    backup = SealedProfile.read(file).open(RIGHT)
    with pytest.raises(ProfileNotEmpty):
        backup.restore(full)
    assert files(full.folder) == before
    with other:
        Store(other, bytes(32)).open().close()
        with pytest.raises(ProfileNotEmpty):
            backup.restore(other)


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_restore_that_fails_leaves_nothing(
    file: Path, other: Profile, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = files_module.write_pieces
    calls: list[Path] = []

    def failing(path: Path, pieces: object) -> None:
        calls.append(path)
        if len(calls) > at:
            raise CannotWrite(path=path, reason="the disk is full")
        written(path, pieces)  # type: ignore[arg-type]

    monkeypatch.setattr(whole_backup, "write_pieces", failing)
    backup = SealedProfile.read(file).open(RIGHT)
    with other, pytest.raises(CannotWrite):
        backup.restore(other)
    assert not files(other.folder)
    monkeypatch.undo()
    with other:
        backup.restore(other)
        assert load_identity(other) is not None


def test_a_backup_that_fails_leaves_no_file(
    full: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> bytes:
        raise DiskFull(path=tmp_path)

    monkeypatch.setattr(primitives, "seal", failing)
    with pytest.raises(DiskFull):
        back_up(full, KEYS, tmp_path / "x.backup", CONTENTS, RIGHT, cost=CHEAP)
    assert not [one for one in tmp_path.iterdir() if "x.backup" in one.name]


def test_what_a_crash_has_left_in_the_log_is_in_it(profile: Profile, other: Profile, tmp_path: Path) -> None:
    """The files are copied after their logs have gone into them."""
    save_keys(profile, KEYS)
    keeper = Keeper(profile.folder, ALICE, BOB.public)
    for number in range(20):
        keeper.say(f"message {number}", signed=False)
    copies = files(profile.folder)
    assert any(name.endswith("-wal") for name in copies)
    keeper.close()
    for name, data in copies.items():  # as if the program had died before
        (profile.folder / name).write_bytes(data)
        (profile.folder / name).chmod(0o600)
    back_up(profile, KEYS, tmp_path / "x.backup", CONTENTS, RIGHT, cost=CHEAP)
    with other:
        SealedProfile.read(tmp_path / "x.backup").open(RIGHT).restore(other)
        assert not [name for name in files(other.folder) if name.endswith("-wal")]
        with Store(other, bytes(32)) as store:
            (known,) = store.conversations()
            assert len(store.conversation(known.id, known.peer).page(100)) == 20


def test_no_secret_is_in_what_is_shown(file: Path) -> None:
    sealed_profile = SealedProfile.read(file)
    backup = sealed_profile.open(RIGHT)
    assert CANARY not in repr((sealed_profile, backup, backup.contents))
    assert repr(sealed_profile.check) not in repr(sealed_profile)


@given(
    parts=st.lists(st.integers(0, 3 * PIECE_LENGTH).map(bytes), max_size=5),
    exact=st.sampled_from([0, PIECE_LENGTH, 2 * PIECE_LENGTH]),
)
def test_a_stream_of_any_length_comes_back(parts: list[bytes], exact: int) -> None:
    content = [*parts, bytes(-sum(map(len, parts)) % PIECE_LENGTH), bytes(exact)]
    stream = b"".join(sealed(KEY, HEAD, content))
    assert b"".join(unsealed(KEY, HEAD, BytesIO(stream))) == b"".join(content)
    for shorter in (stream[:-1], stream[: -PIECE_LENGTH - 16]):
        with pytest.raises(BrokenStream):
            list(unsealed(KEY, HEAD, BytesIO(shorter)))


def test_memory_does_not_grow_with_the_stream() -> None:
    def read(megabytes: int) -> int:
        tracemalloc.start()
        pieces = sealed(KEY, HEAD, (bytes(1 << 20) for _ in range(megabytes)))
        for _ in pieces:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert read(24) < read(4) + (1 << 20)
