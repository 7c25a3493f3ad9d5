"""The store's files: nothing readable in them, closed to others, and damage told with what to do."""

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from histories import BOB, SPKI, STORE_KEY, batch, chatted, queued, received, receiving, sending
from passphrases import CANARY, traces
from sqlcipher3 import dbapi2 as sqlcipher

from securechat_tui.storage import database as database_module
from securechat_tui.storage import schemas
from securechat_tui.storage.database import Database, Schema, companions
from securechat_tui.storage.errors import (
    DamagedConversation,
    DamagedStore,
    DiskFull,
    NewerStore,
    NotAFolder,
    OthersCanEnter,
    OthersCanRead,
    StoreBusy,
    StoreError,
    StoreReadOnly,
    SymbolicLink,
    WrongStoreKey,
)
from securechat_tui.storage.files import check_entry
from securechat_tui.storage.messages import BatchSigned
from securechat_tui.storage.profile import HOME_VARIABLE, Profile
from securechat_tui.storage.store import Store

POSIX = pytest.mark.skipif(os.name != "posix", reason="the system has no POSIX permissions")
NOT_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="for root nothing is read-only"
)


@pytest.fixture
def kept(profile: Profile) -> Profile:
    """A profile in which somebody has talked with bob; the store is closed."""
    with Store(profile, STORE_KEY) as store:
        chatted(store.conversation(BOB, SPKI), 20)
    return profile


@pytest.fixture
def store(kept: Profile) -> Iterator[Store]:
    with Store(kept, STORE_KEY) as store:
        yield store


def file_of(profile: Profile) -> Path:
    (path,) = profile.conversations_folder.glob("*.db")
    return path


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def other_program(path: Path, key: bytes) -> Any:  # noqa: ANN401 - sqlcipher3 has no types
    """A connection of somebody else to a file."""
    connection = sqlcipher.connect(path, timeout=0, isolation_level=None)
    salt = database_module._salt(key)
    connection.execute(f"PRAGMA key = \"x'{key.hex()}{salt.hex()}'\"")
    return connection


def test_the_history_lies_where_the_platform_keeps_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    apart = Profile.named("ada")
    assert apart.index_path.is_relative_to(apart.data_folder)
    assert apart.conversations_folder.is_relative_to(apart.data_folder)
    if os.uname().sysname == "Linux":
        assert apart.data_folder == tmp_path / "data" / "securechat-tui" / "profiles" / "ada"
        with apart, Store(apart, STORE_KEY) as store:
            chatted(store.conversation(BOB, SPKI))
        assert stat.S_IMODE((tmp_path / "data" / "securechat-tui").stat().st_mode) == 0o700
        assert not (apart.folder / "index.db").exists()
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    together = Profile.named("ada")
    assert together.data_folder == together.folder == tmp_path / "home" / "profiles" / "ada"


def test_the_same_object_until_it_is_forgotten(store: Store) -> None:
    history = store.conversation(BOB, SPKI)
    assert store.conversation(BOB, SPKI) is history
    (known,) = store.conversations()
    assert (known.id, known.peer) == (BOB, SPKI)
    store.forget(BOB)
    assert store.conversation(BOB, SPKI) is not history


def test_a_closed_store_is_a_mistake_of_the_caller(profile: Profile) -> None:
    store = Store(profile, STORE_KEY)
    with pytest.raises(RuntimeError, match="not open"):
        store.conversations()
    store.close()


@POSIX
@pytest.mark.usefixtures("no_umask")
def test_everything_is_closed_to_others(profile: Profile) -> None:
    with Store(profile, STORE_KEY) as store:
        for mark in (b"1", b"2"):
            chatted(store.conversation(mark * 32, SPKI))
        store.wipe(b"1" * 32)
        there = list(profile.data_folder.rglob("*"))
        assert [path for path in there if path.name.endswith("-wal")]
        assert not [path for path in there if path.name.endswith("-shm")]
        for path in there:
            check_entry(path)
            expected = 0o700 if path.is_dir() else 0o600
            assert path.name == "lock" or stat.S_IMODE(path.stat().st_mode) == expected


@POSIX
@pytest.mark.parametrize("which", ["index", "conversation", "folder", "link"])
def test_what_others_could_reach_is_refused(kept: Profile, which: str, tmp_path: Path) -> None:
    expected: type[Exception] = OthersCanRead
    match which:
        case "index":
            kept.index_path.chmod(0o640)
        case "conversation":
            file_of(kept).chmod(0o604)
        case "folder":
            kept.conversations_folder.chmod(0o755)
            expected = OthersCanEnter
        case _:
            kept.index_path.rename(tmp_path / "elsewhere")
            kept.index_path.symlink_to(tmp_path / "elsewhere")
            expected = SymbolicLink
    with pytest.raises(expected), Store(kept, STORE_KEY) as store:
        store.conversation(BOB, SPKI)


def test_nothing_is_readable_in_any_file(profile: Profile, home: Path, tmp_path: Path) -> None:
    spki = f"SPKI {CANARY}".encode()
    with Store(profile, STORE_KEY) as store:
        history = store.conversation(BOB, spki)
        said = f"before {CANARY} after"
        history.write([queued(1, 1, said, ref=CANARY)], sending(1))
        history.write([BatchSigned(b"m" * 16, batch(1), (1,), ((),))])
        history.write([received(2, 1, said, name=CANARY)], None, receiving(1))
        history.keep_draft(CANARY)
        assert [one.row for one in history.search(CANARY, 5)] == [1, 2]
        keys = [row[0] for row in store._index.rows("SELECT key FROM conversation")] if store._index else []
        assert len(keys) == 1

        def looked() -> None:
            assert traces(tmp_path) == []
            files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
            assert len(files) >= 2
            for secret in (*keys, STORE_KEY, b"SPKI", BOB, b"header 1", b"SQLite format"):
                assert not [data for data in files if secret in data]

        looked()
        store.wipe(BOB)
        looked()
        store.forget(BOB)
        looked()
    looked()


def test_a_wiped_key_is_in_the_index_no_more(kept: Profile) -> None:
    """Whoever has the store's key, and the index before it was closed, finds the new key alone."""
    with Store(kept, STORE_KEY) as store:
        assert store._index is not None
        old = bytes(store._index.value("SELECT key FROM conversation"))
        store.wipe(BOB)
        copy = kept.folder / "copy.db"
        wal = kept.index_path.with_name("index.db-wal").read_bytes()
        copy.write_bytes(kept.index_path.read_bytes())
        copy.with_name("copy.db-wal").write_bytes(wal)
    plain = kept.folder / "plain.db"
    connection = other_program(copy, STORE_KEY)
    connection.execute("ATTACH DATABASE ? AS plain KEY ''", (str(plain),))
    connection.execute("SELECT sqlcipher_export('plain')")
    new = bytes(connection.execute("SELECT key FROM conversation").fetchone()[0])
    connection.close()
    assert len(wal) < 20_000  # cut off when the key was struck out
    data = plain.read_bytes()
    assert new in data
    assert old not in data


def test_a_file_is_never_taken_for_another_conversations(kept: Profile) -> None:
    with Store(kept, STORE_KEY) as store, pytest.raises(DamagedConversation, match="another conversation"):
        store.conversation(BOB, b"another key")
    with Store(kept, STORE_KEY) as store:
        chatted(store.conversation(b"c" * 32, b"carol"))
    one, other = sorted(kept.conversations_folder.glob("*.db"))
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    with Store(kept, STORE_KEY) as store:
        for known in store.conversations():
            with pytest.raises(DamagedConversation, match="under another key"):
                store.conversation(known.id, known.peer)


def test_a_key_that_is_not_that_of_the_index(kept: Profile) -> None:
    before = kept.index_path.read_bytes()
    with pytest.raises(WrongStoreKey, match=r"Put back the identity\.pem"):
        Store(kept, b"other key".ljust(32)).open()
    assert kept.index_path.read_bytes() == before
    with Store(kept, STORE_KEY) as store:
        assert store.conversation(BOB, SPKI).page(1)


@pytest.mark.parametrize(
    "place", [20, 3000, 4096 + 100, -50], ids=["header", "page 1", "page 2", "last page"]
)
def test_damage_to_the_index_is_told_and_left_alone(kept: Profile, place: int) -> None:
    size = kept.index_path.stat().st_size
    flip(kept.index_path, place % size)
    before = kept.index_path.read_bytes()

    def use() -> None:
        with Store(kept, STORE_KEY) as store:
            store.conversation(BOB, SPKI)
            store.forget(BOB)

    with pytest.raises(DamagedStore, match="left as it is") as refused:
        use()
    assert str(kept.index_path) in str(refused.value)
    assert not isinstance(refused.value, DamagedConversation)
    assert kept.index_path.read_bytes() == before


@pytest.mark.parametrize("rest", [b"", b"x", None], ids=["empty", "one byte", "missing"])
def test_a_lost_index_is_not_begun_anew_over_what_it_had(kept: Profile, rest: bytes | None) -> None:
    if rest is None:
        kept.index_path.unlink()
    else:
        kept.index_path.write_bytes(rest)
    with pytest.raises((DamagedStore, WrongStoreKey)):
        Store(kept, STORE_KEY).open()
    assert file_of(kept).stat().st_size > 0


def test_every_damaged_page_of_a_conversation_is_noticed(kept: Profile) -> None:
    path = file_of(kept)
    whole = path.read_bytes()
    noticed = 0
    pages = len(whole) // 4096
    assert pages > 8
    for page in range(pages):
        path.write_bytes(whole)
        flip(path, page * 4096 + 2000)
        try:
            with Store(kept, STORE_KEY) as store:
                history = store.conversation(BOB, SPKI)
                history.position()
                history.waiting()
                assert len(list(history.messages_for_export())) == 40
                assert history.unread() == 20
                history.search("mine", 100)
                history.write([received(41, 21, "more")], None, receiving(21))
        except DamagedConversation:
            noticed += 1
    assert noticed >= pages - 2  # a page on the free list is read by nobody


def test_a_damaged_conversation_can_be_begun_anew(kept: Profile) -> None:
    flip(file_of(kept), 3000)
    with Store(kept, STORE_KEY) as store:
        with pytest.raises(DamagedConversation, match="Put your copy back, or wipe"):
            store.conversation(BOB, SPKI)
        chatted(store.conversation(b"c" * 32, b"carol"))  # the others go on
        store.wipe(BOB)
        assert store.conversation(BOB, SPKI).position() == (None, None, 1)


def test_a_missing_conversation_is_told(kept: Profile) -> None:
    for path in companions(file_of(kept)):
        path.unlink(missing_ok=True)
    with Store(kept, STORE_KEY) as store:
        with pytest.raises(DamagedConversation, match="missing"):
            store.conversation(BOB, SPKI)
        store.wipe_everything()
        assert store.conversations() == ()


def test_what_an_interrupted_change_left_goes_and_nothing_else(kept: Profile) -> None:
    mine = kept.conversations_folder / "holiday pictures.db"
    mine.write_bytes(b"not ours")
    with Store(kept, STORE_KEY) as store:
        assert store._index is not None
        store._index.run("INSERT INTO leftover (file) VALUES ('gone.db')")
    left = companions(kept.conversations_folder / "gone.db")
    for path in left:
        path.write_bytes(b"x")
    with Store(kept, STORE_KEY) as store:
        assert not [path for path in left if path.exists()]
        assert store._index is not None
        assert store._index.rows("SELECT * FROM leftover") == []
        assert len(store.conversation(BOB, SPKI).page(99)) == 40
    assert mine.read_bytes() == b"not ours"


def test_a_file_in_the_way_of_a_folder(profile: Profile) -> None:
    profile.conversations_folder.touch()
    with pytest.raises(NotAFolder):
        Store(profile, STORE_KEY).open()


# Forms of the tables.

KEY = b"s" * 32
FIRST = ("CREATE TABLE note (text TEXT NOT NULL)", "INSERT INTO note VALUES ('first')")
SECOND = ("ALTER TABLE note ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody'",)


def schema(*steps: tuple[str, ...]) -> Schema:
    return replace(schemas.INDEX, steps=steps)


def test_a_new_file_takes_every_step(tmp_path: Path) -> None:
    database = Database.create(tmp_path / "f.db", KEY, schema(FIRST, SECOND))
    assert database.value("PRAGMA user_version") == 2
    assert database.rows("SELECT * FROM note") == [("first", "nobody")]
    database.close()


def test_an_older_file_takes_the_steps_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    Database.create(path, KEY, schema(FIRST)).close()
    for _ in range(2):
        database = Database.open(path, KEY, schema(FIRST, SECOND))
        assert database.rows("SELECT * FROM note") == [("first", "nobody")]
        assert database.value("PRAGMA user_version") == 2
        database.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    Database.create(path, KEY, schema(FIRST)).close()
    with pytest.raises(sqlcipher.Error, match="nonsense"):
        Database.open(path, KEY, schema(FIRST, SECOND, ("nonsense",)))
    database = Database.open(path, KEY, schema(FIRST))
    assert database.rows("SELECT * FROM note") == [("first",)]
    database.close()


def test_a_newer_file_is_left_as_it_is(kept: Profile) -> None:
    database = Database.open(file_of(kept), key_of(kept), schemas.CONVERSATION)
    database.run("PRAGMA user_version = 99")
    database.close()
    before = file_of(kept).read_bytes()
    with Store(kept, STORE_KEY) as store, pytest.raises(NewerStore, match="newer securechat-tui"):
        store.conversation(BOB, SPKI)
    assert file_of(kept).read_bytes() == before


def key_of(profile: Profile) -> bytes:
    """The key of the only conversation."""
    with Store(profile, STORE_KEY) as store:
        assert store._index is not None
        return bytes(store._index.value("SELECT key FROM conversation"))


@pytest.mark.parametrize("form", [schemas.INDEX, schemas.CONVERSATION], ids=["index", "conversation"])
def test_the_first_step_begins_with_an_empty_file(tmp_path: Path, form: Schema) -> None:
    path = tmp_path / "f.db"
    Database.create(path, KEY, replace(form, steps=())).close()
    database = Database.open(path, KEY, form)
    assert database.value("PRAGMA user_version") == len(form.steps)
    assert database.value("SELECT count(*) FROM conversation") == 0
    assert database.value("PRAGMA integrity_check") == "ok"
    database.close()


# Faults.


def test_a_full_disk_loses_nothing_and_the_next_write_succeeds(store: Store) -> None:
    history = store.conversation(BOB, SPKI)
    database = history._database
    database.run(f"PRAGMA max_page_count = {database.value('PRAGMA page_count')}")
    before, page = history.position(), history.page(99)
    many = [queued(row, row, "x" * 30_000) for row in range(41, 60)]
    for _ in range(3):
        with pytest.raises(DiskFull, match="no space left"):
            history.write(many, sending(59), receiving(99))
        assert (history.position(), history.page(99)) == (before, page)
    database.run("PRAGMA max_page_count = 4294967294")
    history.write(many, sending(59))
    assert [one.row for one in history.page(19)] == list(range(41, 60))


def test_a_full_disk_stops_a_wipe_before_it_has_begun(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    history = store.conversation(BOB, SPKI)
    page = history.page(99)
    real = Database.create.__func__  # type: ignore[attr-defined]

    def small(kind: type[Database], path: Path, key: bytes, schema: Schema) -> Database:
        made: Database = real(kind, path, key, schema)
        made.run(f"PRAGMA max_page_count = {made.value('PRAGMA page_count')}")
        return made

    history.write([queued(row, row) for row in range(41, 400)], sending(399))
    with monkeypatch.context() as patched:
        patched.setattr(Database, "create", classmethod(small))
        with pytest.raises(DiskFull):
            store.wipe(BOB)
    assert history.page(99, 41) == page
    assert len([path for path in file_of_all(store) if path.suffix == ".db"]) == 1
    store.wipe(BOB)
    assert history.page(99) == []


def file_of_all(store: Store) -> list[Path]:
    return list(store._folder.iterdir())


def test_another_program_at_the_index(kept: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0)
    other = other_program(kept.index_path, STORE_KEY)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusy, match="locked by another program"):
        Store(kept, STORE_KEY).open()
    other.execute("ROLLBACK")
    other.close()
    with Store(kept, STORE_KEY) as store:
        assert store.conversation(BOB, SPKI).page(1)


def test_another_program_at_a_conversation(kept: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0)
    other = other_program(file_of(kept), key_of(kept))
    other.execute("BEGIN IMMEDIATE")
    with Store(kept, STORE_KEY) as store:
        with pytest.raises(StoreBusy):
            store.conversation(BOB, SPKI)
        with pytest.raises(StoreBusy):
            store.wipe(BOB)
        other.close()
        history = store.conversation(BOB, SPKI)
        assert len(history.page(99)) == 40
        late = other_program(file_of(kept), STORE_KEY)  # we hold it: nobody can be in the way of a write
        with pytest.raises(sqlcipher.Error):
            late.execute("BEGIN IMMEDIATE")
        late.close()
        history.write([received(41, 21)], None, receiving(21))


def test_what_cannot_be_written_is_told_and_goes_on_later(store: Store) -> None:
    history = store.conversation(BOB, SPKI)
    history._database.run("PRAGMA query_only = ON")
    before = history.position()
    with pytest.raises(StoreReadOnly, match="Check its permissions"):
        history.write([received(41, 21)], None, receiving(21))
    with pytest.raises(StoreError):
        history.keep_draft("d")
    assert history.position() == before
    history._database.run("PRAGMA query_only = OFF")
    history.write([received(41, 21)], None, receiving(21))


@POSIX
@NOT_ROOT
def test_a_read_only_folder(kept: Profile) -> None:
    kept.conversations_folder.chmod(0o500)
    try:
        with Store(kept, STORE_KEY) as store:
            with pytest.raises(StoreReadOnly):
                store.conversation(b"c" * 32, b"carol")
            kept.conversations_folder.chmod(0o700)
            chatted(store.conversation(b"c" * 32, b"carol"))
    finally:
        kept.conversations_folder.chmod(0o700)


def test_an_error_never_says_what_was_written(store: Store) -> None:
    history = store.conversation(BOB, SPKI)
    with pytest.raises(sqlcipher.IntegrityError) as refused:
        history.write([received(1, 99, CANARY)], None, receiving(99))
    assert CANARY not in repr(refused.value) + str(refused.value)
    assert history.position()[1] == receiving(20)
    history.write([received(41, 21)], None, receiving(21))
