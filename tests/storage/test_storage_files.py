"""Files are written whole, for their owner alone, and read only if that is still so."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import files
from securechat_tui.storage.errors import (
    CannotRead,
    CannotWrite,
    DamagedConversation,
    FileExists,
    NotAFile,
    NotAFolder,
    OthersCanEnter,
    OthersCanRead,
    ProfileError,
    SomebodyElses,
    StoreError,
    SymbolicLink,
    TooLarge,
)
from securechat_tui.storage.files import (
    NewFile,
    make_private_folder,
    read_file,
    remove_leftovers,
    write_private,
)

posix = pytest.mark.skipif(os.name != "posix", reason="the system has no POSIX permissions")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    write_private(path, b"old")
    return path


def test_what_was_written_is_read(secret: Path) -> None:
    assert read_file(secret, 3) == b"old"
    write_private(secret, b"")
    assert read_file(secret, 3) == b""
    assert [one.name for one in secret.parent.iterdir()] == ["secret"]


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_file(tmp_path / "nothing", 10) is None
    assert read_file(tmp_path / "no folder" / "nothing", 10) is None


def test_a_large_file_is_read_in_full_up_to_the_limit(secret: Path) -> None:
    data = os.urandom(200_000)
    write_private(secret, data)
    assert read_file(secret, 200_000) == data
    with pytest.raises(TooLarge, match="199999 bytes"):
        read_file(secret, 199_999)


@posix
@pytest.mark.usefixtures("no_umask")
def test_files_and_folders_are_private_without_a_umask(tmp_path: Path) -> None:
    folder = tmp_path / "one" / "two" / "three"
    make_private_folder(folder)
    write_private(folder / "file", b"x")
    assert [mode(one) for one in (folder.parent.parent, folder.parent, folder)] == [0o700] * 3
    assert mode(folder / "file") == 0o600


@posix
def test_rewriting_closes_what_was_open(secret: Path) -> None:
    secret.chmod(0o644)
    write_private(secret, b"new")
    assert mode(secret) == 0o600


@posix
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_a_file_open_to_others_is_refused(secret: Path, bits: int) -> None:
    secret.chmod(bits)
    with pytest.raises(OthersCanRead, match="chmod 600") as refused:
        read_file(secret, 10)
    assert str(secret) in str(refused.value)
    assert read_file(secret, 10, private=False) == b"old"


@posix
@pytest.mark.parametrize("bits", [0o750, 0o705, 0o777])
def test_a_folder_open_to_others_is_refused(tmp_path: Path, bits: int) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(bits)
    with pytest.raises(OthersCanEnter, match="chmod 700"):
        make_private_folder(folder)


@posix
def test_somebody_elses_is_refused(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = secret.parent / "folder"
    make_private_folder(folder)
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(SomebodyElses, match="another user"):
        read_file(secret, 10)
    with pytest.raises(SomebodyElses):
        make_private_folder(folder)


def test_a_system_without_owners_does_not_ask_for_them(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_HAS_OWNERS", False)
    monkeypatch.setattr(files, "_SYNCS_FOLDERS", False)
    write_private(secret, b"old")
    secret.chmod(0o644)
    assert read_file(secret, 10) == b"old"


@posix
def test_symbolic_links_are_refused_where_it_matters(secret: Path) -> None:
    link = secret.with_name("link")
    link.symlink_to(secret)
    with pytest.raises(SymbolicLink):
        read_file(link, 10)
    assert read_file(link, 10, private=False) == b"old"
    folder, link = secret.with_name("folder"), secret.with_name("folder link")
    make_private_folder(folder)
    link.symlink_to(folder)
    with pytest.raises(SymbolicLink):
        make_private_folder(link)


@posix
def test_a_link_that_appears_after_the_look_is_not_followed(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = secret.with_name("link")
    link.symlink_to(secret)
    monkeypatch.setattr(Path, "is_symlink", lambda _: False)
    with pytest.raises(CannotRead):
        read_file(link, 10)


@posix
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(NotAFile):
            read_file(tmp_path / name, 10)


def test_what_is_no_folder_is_refused(secret: Path) -> None:
    for path in (secret, secret / "below", secret / "far" / "below"):
        with pytest.raises(NotAFolder):
            make_private_folder(path)


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_that_cannot_be_opened(secret: Path, is_folder: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    path = secret.parent if is_folder else secret
    with pytest.raises(NotAFile if is_folder else CannotRead):
        read_file(path, 10)


def test_a_file_that_cannot_be_read(secret: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(CannotRead, match="input/output error"):
        read_file(secret, 10)


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    secret: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(CannotWrite, match="no space left"):
        write_private(secret, b"new")
    assert read_file(secret, 10) == b"old"
    assert [one.name for one in secret.parent.iterdir()] == ["secret"]


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(CannotWrite, match="read-only"):
        make_private_folder(tmp_path / "folder")


@posix
@pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_rename_is_made_durable_where_the_file_system_can(
    secret: Path, number: int, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, []

    def fsync(descriptor: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        if synced[-1]:
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if fails:
        with pytest.raises(CannotWrite):
            write_private(secret, b"new")
    else:
        write_private(secret, b"new")
    assert synced == [False, True]


CRASH = """
import os, pathlib, sys
from securechat_tui.storage.files import write_private
os.replace = lambda *_: os._exit(9)
write_private(pathlib.Path(sys.argv[1]), b"new")
"""


def test_a_crash_before_the_rename_leaves_the_old_file(secret: Path) -> None:
    crashed = subprocess.run([sys.executable, "-c", CRASH, secret], check=False)
    assert crashed.returncode == 9
    assert read_file(secret, 10) == b"old"
    (leftover,) = (one for one in secret.parent.iterdir() if one != secret)
    assert leftover.read_bytes() == b"new"
    if os.name == "posix":
        assert mode(leftover) == 0o600
    remove_leftovers(secret.parent)
    assert list(secret.parent.iterdir()) == [secret]


def test_a_leftover_that_cannot_go_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / ".folder.tmp").mkdir()
    remove_leftovers(tmp_path)
    assert (tmp_path / ".folder.tmp").is_dir()


def test_every_sentence_can_be_said_in_one_line_and_says_what_to_do() -> None:
    facts = dict.fromkeys(
        ["name", "home", "path", "reason", "limit", "key", "allowed", "expected", "example", "size"],
        "x\x1b{y}\nz",
    )
    kinds = [*ProfileError.__subclasses__(), *StoreError.__subclasses__(), DamagedConversation]
    kinds.remove(StoreError)  # which is never raised itself
    assert len(kinds) > 40
    for kind in kinds:
        sentence = str(kind(**facts))
        assert sentence == SafeText.line(sentence, 1000)
        assert ("␛{y} z" in sentence) == ("{" in (kind.__doc__ or ""))
        assert len(sentence.split(". ")) >= 2, sentence


@pytest.fixture(params=[True, False], ids=["nameless", "named"])
def nameless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system knows files without a name."""
    if request.param and not files._NAMELESS:
        pytest.skip("the system knows no files without a name")
    if not request.param:
        monkeypatch.setattr(files, "_NAMELESS", 0)
    return bool(request.param)


@pytest.mark.usefixtures("nameless", "no_umask")
def test_a_new_file_is_there_with_the_last_step(tmp_path: Path) -> None:
    path = tmp_path / "new"
    file = NewFile(path)
    file.write([b"one", b"two"])
    assert not path.exists()
    file.finish()
    file.abandon()
    assert path.read_bytes() == b"onetwo"
    assert [one.name for one in tmp_path.iterdir()] == ["new"]
    if os.name == "posix":
        assert mode(path) == 0o600


@pytest.mark.usefixtures("nameless")
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_new_file_never_takes_the_place_of_another(tmp_path: Path, when: str) -> None:
    path = tmp_path / "mine"
    if when == "before":
        path.symlink_to(tmp_path / "nowhere")
        with pytest.raises(FileExists, match="never overwritten"):
            NewFile(path)
        return
    file = NewFile(path)
    file.write([b"new"])
    path.write_bytes(b"mine")
    with pytest.raises(FileExists, match="never overwritten"):
        file.finish()
    file.abandon()
    assert path.read_bytes() == b"mine"
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_made_in_the_last_moment_is_kept_where_that_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    """Without files that have no name: a hard link is not made where something is in the way."""
    path, link = tmp_path / "mine", os.link

    def late(source: str, target: Path) -> None:
        if not has_links:
            raise OSError(errno.EPERM, "Operation not permitted")
        path.write_bytes(b"mine")
        link(source, target)

    monkeypatch.setattr(files, "_NAMELESS", 0)
    monkeypatch.setattr(os, "link", late)
    file = NewFile(path)
    file.write([b"new"])
    if has_links:
        with pytest.raises(FileExists, match="never overwritten"):
            file.finish()
        file.abandon()
        assert path.read_bytes() == b"mine"
    else:
        file.finish()
        assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["mine"]


@pytest.mark.usefixtures("nameless")
def test_what_is_abandoned_leaves_nothing(tmp_path: Path) -> None:
    file = NewFile(tmp_path / "new")
    file.write([b"text"])
    file.abandon()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CannotWrite, match="no such file or directory"):
        NewFile(tmp_path / "no folder" / "new")


@pytest.mark.usefixtures("nameless")
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = NewFile(tmp_path / "new")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="no space left"):
        file.finish()
    file.abandon()
    assert list(tmp_path.iterdir()) == []


def test_where_no_name_could_be_given_it_has_one_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_by_descriptor", lambda _: str(tmp_path / "no proc"))
    file = NewFile(tmp_path / "new")
    file.write([b"text"])
    assert len(list(tmp_path.iterdir())) == 1
    file.finish()
    assert (tmp_path / "new").read_bytes() == b"text"


KILLED = """
import os, pathlib, signal, sys
from securechat_tui.storage import files
if sys.argv[2] == "named":
    files._NAMELESS = 0
file = files.NewFile(pathlib.Path(sys.argv[1]))
file.write([b"secret"] * 100_000)
os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_a_program_that_is_killed_leaves_no_text(tmp_path: Path, nameless: bool) -> None:
    how = "nameless" if nameless else "named"
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "new", how], check=False)
    assert killed.returncode == -signal.SIGKILL
    left = list(tmp_path.iterdir())
    assert len(left) == (0 if nameless else 1)
    for one in left:
        assert one.name.startswith(".new.")
        assert mode(one) == 0o600
