"""The contacts in the store: kept at once or not at all, taken over from an earlier version, looked at."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cut_steps import found_after_each_step
from histories import BOB, SPKI, STORE_KEY, chatted
from passphrases import traces
from protocol_peers import identity_key
from stored_contacts import contacts_on_disk, put_contacts

from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import book as module
from securechat_tui.storage import files
from securechat_tui.storage.book import look_at_book
from securechat_tui.storage.contacts import encode_contacts
from securechat_tui.storage.database import Database
from securechat_tui.storage.errors import (
    CannotWrite,
    DamagedContacts,
    DamagedStore,
    DiskFull,
    NewerContacts,
    NewerStore,
    OtherContacts,
    OthersCanRead,
    ProfileError,
    SymbolicLink,
    TooLarge,
    WrongStoreKey,
)
from securechat_tui.storage.files import write_private
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.schemas import INDEX
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import Contact, Pins

POSIX = pytest.mark.skipif(os.name != "posix", reason="the test forks, or looks at permission bits")
NAME = "wendehals-Ärger"


def pinned(*names: str) -> Pins:
    pins = Pins()
    for name in names:
        met = Contact.met(identity_key(name).public, 1000.0, 1).seen(2000.0, 1, ("192.0.2.7", 8000))
        pins = pins.with_contact(met).christened(met.fingerprint, SafeText.name(f"{NAME} {name}"))
    return pins


PINS, OTHERS = pinned("bob"), pinned("bob", "carol")


def as_earlier(profile: Profile, data: bytes | None) -> None:
    """Leave a profile as an earlier version would: an index without contacts, and a file with them."""
    with Store(profile, STORE_KEY) as store:
        chatted(store.conversation(BOB, SPKI))
        assert store._index is not None
        store._index.run("DROP TABLE book")
        store._index.run("PRAGMA user_version = 1")
    if data is not None:
        write_private(profile.contacts_path, data)


def opened(profile: Profile) -> Pins:
    with Store(profile, STORE_KEY) as store:
        assert len(store.conversations()) <= 1
        return store.pins()


# Kept.


def test_what_is_kept_is_there_again(profile: Profile) -> None:
    assert opened(profile) == Pins()
    with Store(profile, STORE_KEY) as store:
        for pins in (PINS, OTHERS, Pins(), OTHERS):
            store.keep_pins(pins)
            assert store.pins() == pins
            assert contacts_on_disk(profile, STORE_KEY) == pins
    assert opened(profile) == OTHERS


def test_nobody_can_be_read_in_any_file(profile: Profile) -> None:
    def found() -> list[Path]:
        spki = identity_key("bob").public.spki
        every = [path for path in profile.folder.rglob("*") if path.is_file()]
        return [path for path in every if spki[40:80] in path.read_bytes()]

    with Store(profile, STORE_KEY) as store:
        store.keep_pins(PINS)
        assert traces(profile.folder, NAME) == []
        assert found() == []
    assert traces(profile.folder, NAME) == []
    assert found() == []
    write_private(profile.contacts_path, NAME.encode())
    assert traces(profile.folder, NAME) == ["contacts.json"], "what is there is found"


def test_a_full_disk_leaves_what_was_kept(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    real = Database.run

    def full(database: Database, statement: str, values: object = ()) -> int:
        if statement == "COMMIT":
            raise DiskFull(path=database.path)
        return real(database, statement, values)  # type: ignore[arg-type]

    with Store(profile, STORE_KEY) as store:
        with monkeypatch.context() as broken:
            broken.setattr(Database, "run", full)
            with pytest.raises(DiskFull):
                store.keep_pins(OTHERS)
        assert store.pins() == PINS
        store.keep_pins(OTHERS)
    assert opened(profile) == OTHERS


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", DamagedContacts), (b"[]", DamagedContacts), (b'{"format":2}', NewerContacts)],
    ids=["empty", "another shape", "newer"],
)
def test_a_book_that_cannot_be_read_is_told_and_left_alone(
    profile: Profile, data: bytes, error: type[ProfileError]
) -> None:
    with Store(profile, STORE_KEY) as store:
        assert store._index is not None
        store._index.run("UPDATE book SET contacts = ?", (data,))
        with pytest.raises(error, match=r"index\.db.*left as it is"):
            store.pins()
        assert store._index.value("SELECT contacts FROM book") == data


# Taken over from contacts.json.


def test_what_an_earlier_version_has_kept_is_taken_over_once(profile: Profile) -> None:
    as_earlier(profile, encode_contacts(PINS))
    assert opened(profile) == PINS
    assert not profile.contacts_path.exists()
    assert opened(profile) == PINS
    assert traces(profile.folder, NAME) == []


@pytest.mark.parametrize("shape", ["no file", "no index"])
def test_an_earlier_version_may_have_kept_less(profile: Profile, shape: str) -> None:
    if shape == "no file":
        as_earlier(profile, None)
        assert opened(profile) == Pins()
    else:
        write_private(profile.contacts_path, encode_contacts(PINS))
        assert opened(profile) == PINS


def indented(data: bytes) -> bytes:
    return json.dumps(json.loads(data), indent=1).encode()


@pytest.mark.parametrize("form", [bytes, indented])
def test_the_same_contacts_in_both_places_are_those_of_a_crash(
    profile: Profile, form: Callable[[bytes], bytes]
) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    write_private(profile.contacts_path, form(encode_contacts(PINS)))
    assert opened(profile) == PINS
    assert not profile.contacts_path.exists()


def test_a_file_with_nobody_in_it_goes(profile: Profile) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    write_private(profile.contacts_path, encode_contacts(Pins()))
    assert opened(profile) == PINS
    assert not profile.contacts_path.exists()


@pytest.mark.parametrize(
    ("kept", "data"),
    [
        (PINS, encode_contacts(OTHERS)),
        (OTHERS, encode_contacts(PINS)),
        (Pins(), encode_contacts(PINS)),
        (PINS, b"damaged"),
        (PINS, b'{"format":2}'),
    ],
    ids=["more", "less", "whom a person has forgotten", "damaged", "newer"],
)
def test_other_contacts_in_a_file_are_neither_taken_nor_removed(
    profile: Profile, kept: Pins, data: bytes
) -> None:
    put_contacts(profile, kept, STORE_KEY)
    write_private(profile.contacts_path, data)
    with pytest.raises(OtherContacts, match=r"contacts\.json.*Move the file away"):
        opened(profile)
    assert profile.contacts_path.read_bytes() == data
    assert contacts_on_disk(profile, STORE_KEY) == kept
    profile.contacts_path.unlink()
    assert opened(profile) == kept


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", DamagedContacts),
        (b'{"format": 1, "contacts": [', DamagedContacts),
        (b'{"format":2}', NewerContacts),
    ],
    ids=["empty", "cut", "newer"],
)
def test_a_file_that_cannot_be_read_ends_the_start_and_stays(
    profile: Profile, data: bytes, error: type[ProfileError]
) -> None:
    as_earlier(profile, data)
    for _ in range(2):
        with pytest.raises(error, match=r"contacts\.json.*left as it is"):
            opened(profile)
        assert profile.contacts_path.read_bytes() == data
    write_private(profile.contacts_path, encode_contacts(PINS))
    assert opened(profile) == PINS


@POSIX
def test_a_file_of_somebody_elses_making_is_not_taken(profile: Profile, tmp_path: Path) -> None:
    as_earlier(profile, encode_contacts(PINS))
    profile.contacts_path.chmod(0o640)
    with pytest.raises(OthersCanRead):
        opened(profile)
    profile.contacts_path.chmod(0o600)
    profile.contacts_path.rename(tmp_path / "elsewhere")
    profile.contacts_path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SymbolicLink):
        opened(profile)
    profile.contacts_path.unlink()
    with profile.contacts_path.open("wb") as file:
        file.truncate(module._MAX_BYTES + 1)
    profile.contacts_path.chmod(0o600)
    with pytest.raises(TooLarge):
        opened(profile)


def test_a_file_that_cannot_be_removed_ends_the_start_and_loses_nothing(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a change would follow, and what stands in the file would be old."""
    as_earlier(profile, encode_contacts(PINS))

    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as broken:
        broken.setattr(files, "sync_folder", fail)
        with pytest.raises(CannotWrite, match="permission denied"):
            opened(profile)
    assert opened(profile) == PINS


# Each step of an operation is the last one of a child, which then is gone as after kill -9.
STEPS = """
import os, pathlib, sys
from cut_steps import Cuts
from histories import STORE_KEY
from passphrases import CANARY, CHEAP
from protocol_peers import identity_key
from test_storage_book import OTHERS, PINS, as_earlier, put_contacts
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import database, files
from securechat_tui.storage.backup import Backup, restore
from securechat_tui.storage.contacts import encode_contacts
from securechat_tui.storage.keystore import open_keys
from securechat_tui.storage.passphrase import Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

folder, operation = pathlib.Path(sys.argv[1]), sys.argv[2]
cuts = Cuts()
right, backup = Passphrase(CANARY), Backup(1.0, SafeText.name("Zoe"), identity_key("alice"), OTHERS)

def arm():
    cuts.count(database.Database, "run", "run_many", "close")
    cuts.count(os, "open", "close", "replace", "fsync")
    cuts.count(pathlib.Path, "unlink", "replace")

def prepare(place):
    with Profile("p", place) as profile:
        match operation:
            case "keep": put_contacts(profile, PINS, STORE_KEY)
            case "take over": as_earlier(profile, encode_contacts(PINS))
            case "restore": pass

def act(place):
    with Profile("p", place) as profile:
        match operation:
            case "keep":
                with Store(profile, STORE_KEY) as store:
                    arm()
                    store.keep_pins(OTHERS)
            case "take over":
                arm()
                Store(profile, STORE_KEY).open().close()
            case "restore":
                arm()
                restore(profile, backup, right, CHEAP)

def look(place):
    with Profile("p", place) as profile:
        lay, there = profile.contacts_path.exists(), profile.identity_path.exists()
        if operation == "restore" and not there:
            restore(profile, backup, right, CHEAP)
        key = open_keys(profile, right).store if operation == "restore" else STORE_KEY
        with Store(profile, key) as store:
            pins, kept = store.pins(), len(store.conversations())
        left = [path.name for path in place.rglob("*.new*")] + [path.name for path in place.glob("contacts*")]
        return [[PINS, OTHERS].index(pins), kept, left, lay, there]

cuts.play(folder, prepare, act, look)
"""


def steps(tmp_path: Path, operation: str) -> list[list[object]]:
    """What was found after a crash at each step: which pins, how many conversations, what else is left."""
    return found_after_each_step(STEPS, tmp_path, operation, Path(__file__).parent)


@POSIX
def test_keeping_that_is_cut_has_happened_or_has_not(tmp_path: Path) -> None:
    found = steps(tmp_path, "keep")
    which = [one[0] for one in found]
    assert which == sorted(which)  # type: ignore[type-var]
    assert set(which) == {0, 1}


@POSIX
def test_no_contact_is_lost_whenever_the_take_over_is_cut(tmp_path: Path) -> None:
    found = steps(tmp_path, "take over")
    assert len(found) > 20
    assert {json.dumps(one[:3]) for one in found} == {"[0, 1, []]"}
    lay = [one[3] for one in found]
    assert lay == sorted(lay, reverse=True)  # type: ignore[type-var]
    assert set(lay) == {True, False}


@POSIX
def test_a_restore_that_is_cut_is_complete_or_can_be_done_again(tmp_path: Path) -> None:
    found = steps(tmp_path, "restore")
    assert len(found) > 40
    assert {json.dumps(one[:3]) for one in found} == {"[1, 0, []]"}
    complete = [one[4] for one in found]
    assert complete == sorted(complete)  # type: ignore[type-var]
    assert set(complete) == {True, False}


# Looked at.


def test_looking_changes_nothing(profile: Profile) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    profile.close()
    before = {path: path.read_bytes() for path in profile.folder.rglob("*") if path.is_file()}
    assert look_at_book(profile, STORE_KEY) == PINS
    assert {path: path.read_bytes() for path in profile.folder.rglob("*") if path.is_file()} == before


def test_looking_where_an_earlier_version_was_last(profile: Profile) -> None:
    as_earlier(profile, encode_contacts(PINS))
    profile.close()
    before = profile.index_path.read_bytes()
    assert look_at_book(profile, STORE_KEY) == PINS
    assert profile.index_path.read_bytes() == before
    profile.contacts_path.unlink()
    assert look_at_book(profile, STORE_KEY) == Pins()
    profile.index_path.unlink()
    assert look_at_book(profile, None) == Pins()
    write_private(profile.contacts_path, encode_contacts(PINS))
    assert look_at_book(profile, None) == PINS


def test_what_cannot_be_looked_at(profile: Profile) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    other = Profile(profile.name, profile.folder)
    assert look_at_book(other, STORE_KEY) is None, "the profile is in use"
    profile.close()
    assert look_at_book(other, None) is None, "there is no key"
    log = profile.index_path.with_name("index.db-wal")
    write_private(log, b"of a program that was killed")
    assert look_at_book(other, STORE_KEY) is None
    log.unlink()
    assert look_at_book(other, STORE_KEY) == PINS


def test_what_is_wrong_is_told_to_who_looks(profile: Profile) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    profile.close()
    with pytest.raises(WrongStoreKey):
        look_at_book(profile, bytes(32))
    write_private(profile.contacts_path, encode_contacts(OTHERS))
    with pytest.raises(OtherContacts):
        look_at_book(profile, STORE_KEY)
    profile.contacts_path.unlink()
    whole = profile.index_path.read_bytes()
    write_private(profile.index_path, whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:])
    with pytest.raises(DamagedStore):
        look_at_book(profile, STORE_KEY)
    write_private(profile.index_path, whole)
    index = Database.open(profile.index_path, STORE_KEY, INDEX)
    index.run("PRAGMA user_version = 99")
    index.close()
    with pytest.raises(NewerStore):
        look_at_book(profile, STORE_KEY)


def test_who_begins_meanwhile_is_not_taken_for_damage(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_contacts(profile, PINS, STORE_KEY)
    profile.close()
    other = Profile(profile.name, profile.folder)

    def begins(path: Path, key: bytes) -> None:
        del key
        profile.open()
        raise DamagedStore(path=path, reason="half of it is new")

    monkeypatch.setattr(module, "_looked_up", begins)
    assert look_at_book(other, STORE_KEY) is None
