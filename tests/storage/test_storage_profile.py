"""Where a profile is, who may use it, and that one process does at a time."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from securechat_tui.storage.errors import (
    BadHome,
    BadProfileName,
    CannotWrite,
    NotAFolder,
    OthersCanEnter,
    ProfileInUse,
)
from securechat_tui.storage.profile import DEFAULT_PROFILE, HOME_VARIABLE, Profile


def test_one_variable_moves_everything(home: Path) -> None:
    assert Profile.named().folder == home / "profiles" / DEFAULT_PROFILE
    bob = Profile.named("bob")
    assert {one.parent for one in (bob.identity_path, bob.index_path, bob.config_path)} == {
        home / "profiles" / "bob"
    }
    assert not home.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="where it is differs")
def test_the_platforms_folder_and_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert Profile.named("a").folder == tmp_path / ".config" / "securechat-tui" / "profiles" / "a"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert Profile.named("a").folder == tmp_path / "xdg" / "securechat-tui" / "profiles" / "a"


def test_a_home_may_be_relative_or_begin_with_a_tilde(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, "here")
    assert Profile.named().folder.parent.parent == tmp_path / "here"
    monkeypatch.setenv(HOME_VARIABLE, "~/there")
    assert Profile.named().folder.parent.parent == Path.home() / "there"
    monkeypatch.setenv(HOME_VARIABLE, "~nobody-of-this-name/there")
    with pytest.raises(BadHome, match="nobody-of-this-name"):
        Profile.named()


@pytest.mark.parametrize("name", ["default", "bob", "Bob-2", "a", "0", "a.b_c", "x" * 40])
@pytest.mark.usefixtures("home")
def test_good_names(name: str) -> None:
    with Profile.named(name) as profile:
        assert profile.folder.is_dir()
        assert repr(profile) == f"Profile('{name}')"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../bob",
        "a/b",
        "a\\b",
        ".bob",
        "-bob",
        "bob.",
        "bob\n",
        "b b",
        "x" * 41,
        "é",
        "con",
        "NUL.txt",
    ],
)
def test_bad_names(home: Path, name: str) -> None:
    with pytest.raises(BadProfileName, match="letters, digits"):
        Profile.named(name)
    assert not home.exists()


@pytest.mark.usefixtures("no_umask")
def test_everything_made_is_private(home: Path) -> None:
    with Profile.named() as profile:
        made = [home, home / "profiles", profile.folder, profile.folder / "lock"]
    if os.name == "posix":
        assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o700, 0o700, 0o700, 0o600]


@pytest.mark.usefixtures("home")
def test_an_open_folder_is_refused_and_not_locked() -> None:
    with Profile.named() as profile:
        pass
    profile.folder.chmod(0o755)
    with pytest.raises(OthersCanEnter):
        profile.open()
    profile.folder.chmod(0o700)
    with profile:
        pass


def test_a_home_that_is_a_file_is_refused(home: Path) -> None:
    home.write_text("")
    with pytest.raises(NotAFolder):
        Profile.named().open()


@pytest.mark.usefixtures("home")
def test_a_lock_that_cannot_be_made() -> None:
    with Profile.named() as profile:
        pass
    (profile.folder / "lock").unlink()
    (profile.folder / "lock").mkdir()
    with pytest.raises(CannotWrite, match="lock"):
        profile.open()


HOLD = """
from securechat_tui.storage.profile import Profile
with Profile.named("bob"):
    print("held", flush=True)
    input()
"""


@pytest.mark.usefixtures("home")
def test_one_process_for_a_profile() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ProfileInUse, match=r"'bob' is in use.*--profile NAME"):
            Profile.named("bob").open()
        with Profile.named("alice"):
            pass
        other.communicate("\n")
    assert other.returncode == 0
    with Profile.named("bob"):
        pass


def test_one_engine_for_a_profile_within_a_process(profile: Profile) -> None:
    twin = Profile.named()
    profile.open()
    with pytest.raises(ProfileInUse):
        twin.open()
    profile.close()
    profile.close()
    with twin:
        pass


@pytest.mark.usefixtures("home")
def test_a_profile_opened_in_one_thread_is_closed_in_another() -> None:
    opened = Profile.named()
    thread = threading.Thread(target=opened.open)
    thread.start()
    thread.join()
    with pytest.raises(ProfileInUse):
        Profile.named().open()
    opened.close()
    with Profile.named():
        pass


def test_what_a_crash_left_goes_at_the_next_start(profile: Profile) -> None:
    leftover = profile.folder / ".config.toml.abc.tmp"
    leftover.write_bytes(b"secret")
    profile.close()
    profile.open()
    assert not leftover.exists()
