"""What the doctor finds: files, key, network, clock, terminal."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from passphrases import CANARY, CHEAP, protect
from protocol_peers import identity_key
from stored_contacts import put_contacts, store_key

from securechat_tui.chat import examination
from securechat_tui.chat.examination import Finding, State, examine
from securechat_tui.headless import terminal_abilities
from securechat_tui.headless.doctor import run_doctor
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.terminal_abilities import ask_terminal, examine_terminal
from securechat_tui.network.addresses import Address
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import Keys, save_keys
from securechat_tui.storage.passphrase import USUAL_COST, Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import ClockOffset, Contact, Pins

NOW = 1_795_262_400.0
POSIX = pytest.mark.skipif(os.name != "posix", reason="the system has no POSIX permissions")


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A profile with everything, whose host listens at a free port of this machine alone."""
    monkeypatch.setenv("SECURECHAT_TUI_HOME", str(tmp_path / "home"))
    with Profile.named() as profile:
        save_config(profile, Config(name="alice", bind="127.0.0.1:0"))
        save_keys(profile, Keys.fresh(identity_key("alice")))
        met = Contact.met(identity_key("bob").public, NOW - 60, 1)
        put_contacts(profile, Pins((replace(met, name=SafeText.name("bob"), named=True),)))
    return profile


def findings(profile: Profile, check: str, now: float = NOW) -> list[Finding]:
    return [found for found in examine(profile, now) if found.check == check]


def only(profile: Profile, check: str, now: float = NOW) -> Finding:
    (found,) = findings(profile, check, now)
    return found


def test_where_all_is_well_nothing_is_wrong(profile: Profile) -> None:
    assert State.WRONG not in {found.state for found in examine(profile, NOW)}
    assert only(profile, "contacts").message == "Contacts: 1 with RSA 3072."
    assert "RSA 3072" in only(profile, "identity").message
    assert only(profile, "lock").state is State.OK


def test_without_a_profile_nothing_is_wrong_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURECHAT_TUI_HOME", str(tmp_path / "home"))
    profile = Profile.named("nobody")
    monkeypatch.setattr(examination, "open_sockets", lambda *_: [])
    assert State.WRONG not in {found.state for found in examine(profile, NOW)}
    assert only(profile, "identity").state is State.NOTE
    assert list(tmp_path.iterdir()) == []


@POSIX
@pytest.mark.parametrize("name", ["identity.pem", "contacts.json", "lock", "something.else", "sub/deep"])
def test_every_file_that_others_can_read_is_found(profile: Profile, name: str) -> None:
    path = profile.folder / name
    path.parent.mkdir(0o700, exist_ok=True)
    path.touch()
    path.chmod(0o640)
    found = only(profile, "files")
    assert found.state is State.WRONG
    assert str(path) in found.message
    assert "chmod 600" in found.message


@POSIX
def test_folders_links_and_pipes_are_found(profile: Profile) -> None:
    (profile.folder / "sub").mkdir(0o755)
    (profile.folder / "sub").chmod(0o755)
    (profile.folder / "link").symlink_to("/")
    os.mkfifo(profile.folder / "pipe", 0o600)
    assert [found.state for found in findings(profile, "files")] == [State.WRONG] * 3
    profile.folder.chmod(0o755)
    assert "chmod 700" in findings(profile, "files")[0].message


@POSIX
def test_settings_may_be_read_by_others_and_not_written(profile: Profile) -> None:
    profile.config_path.chmod(0o644)
    assert only(profile, "files").state is State.OK
    profile.config_path.chmod(0o664)
    assert only(profile, "files").state is State.WRONG


@POSIX
def test_a_folder_above_that_anybody_may_change_is_found(profile: Profile) -> None:
    parent = profile.folder.parent
    parent.chmod(0o777)
    assert "chmod o-w" in only(profile, "files").message
    parent.chmod(0o1777)
    assert only(profile, "files").state is State.OK


def test_a_file_that_is_gone_in_the_meantime_is_a_sentence(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "_below", lambda folder: [folder / "gone"])
    assert "cannot be read" in only(profile, "files").message


def test_an_absurd_number_of_files_is_not_walked(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "_MAX_ENTRIES", 2)
    assert "the 2 entries" in only(profile, "files").message


def test_what_an_interruption_left_is_named(profile: Profile) -> None:
    (profile.folder / ".identity.pem.x.tmp").touch(0o600)
    assert [found.state for found in findings(profile, "files")] == [State.OK, State.NOTE]


def test_a_key_without_a_passphrase_is_worth_a_note(profile: Profile) -> None:
    found = only(profile, "passphrase")
    assert found.state is State.NOTE
    assert "identity passphrase" in found.message


def test_a_passphrase_is_neither_needed_nor_asked_for(profile: Profile) -> None:
    with profile:
        save_keys(profile, Keys.fresh(identity_key("alice")), Passphrase(CANARY), USUAL_COST)
    assert "RSA 3072" in only(profile, "identity").message
    found = only(profile, "passphrase")
    assert (found.state, found.message) == (
        State.OK,
        "The key is under a passphrase (Argon2id, 64 MiB, 3 passes, 4 lanes).",
    )
    protect(profile.folder, identity_key("alice"))
    assert only(profile, "passphrase").state is State.NOTE
    assert f"{CHEAP.memory / 1024:g} MiB" in only(profile, "passphrase").message


def test_contacts_behind_a_passphrase_are_not_looked_at(profile: Profile) -> None:
    assert "later than every session" in only(profile, "clock").message
    protect(profile.folder, identity_key("alice"))
    before = profile.index_path.read_bytes()
    found = only(profile, "contacts")
    assert (found.state, "passphrase" in found.message) == (State.NOTE, True)
    assert "session" not in only(profile, "clock").message, "what was not looked at is not spoken of"
    assert profile.index_path.read_bytes() == before


def test_contacts_that_a_program_has_are_not_looked_at(profile: Profile) -> None:
    other = Profile("default", profile.folder)
    with profile, Store(profile, store_key(profile)) as store:
        store.keep_pins(Pins())
        assert "another securechat-tui has them" in only(other, "contacts").message
        log = profile.index_path.with_name("index.db-wal").read_bytes()
    assert "none yet" in only(other, "contacts").message
    write_private(profile.index_path.with_name("index.db-wal"), log)  # as if it had been killed
    assert "was killed" in only(other, "contacts").message
    assert State.WRONG not in {found.state for found in examine(other, NOW)}


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("identity.pem", "identity"),
        ("index.db", "contacts"),
        ("contacts.json", "contacts"),
        ("config.toml", "settings"),
    ],
)
def test_damage_is_wrong_and_the_rest_is_looked_at(profile: Profile, name: str, check: str) -> None:
    write_private(profile.folder / name, b"\xff damaged")
    found = only(profile, check)
    assert found.state is State.WRONG
    assert name in found.message
    assert {"network", "clock", "lock"} <= {one.check for one in examine(profile, NOW)}


def test_another_process_that_has_the_profile_is_named(profile: Profile) -> None:
    with Profile("default", profile.folder):
        assert only(profile, "lock").state is State.NOTE
    assert only(profile, "lock").state is State.OK
    with Profile("default", profile.folder):
        pass  # looking has left no lock behind


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser can open everything")
def test_a_lock_that_cannot_be_opened_is_nobodys(profile: Profile) -> None:
    (profile.folder / "lock").chmod(0)
    assert only(profile, "lock").state is State.OK


def test_where_a_guest_can_come_in(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    assert only(profile, "network").state is State.NOTE
    assert "this machine alone" in only(profile, "network").message
    monkeypatch.setattr(examination, "reachable_addresses", lambda _: (Address("192.0.2.7", 8000),))
    found = only(profile, "network")
    assert found.state is State.OK
    assert "192.0.2.7:8000" in found.message
    assert "cannot be known from here" in found.message


def test_a_port_that_is_taken(profile: Profile) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, profile:
        save_config(profile, Config(bind=f"127.0.0.1:{taken.getsockname()[1]}"))
        other = Profile("default", profile.folder)
        assert only(other, "network").state is State.NOTE  # most likely by the host that has the profile
        profile.close()
        assert only(other, "network").state is State.WRONG


def test_a_place_to_listen_that_is_none(profile: Profile) -> None:
    with profile:
        save_config(profile, Config(bind="nonsense:port"))
    found = only(profile, "network")
    assert found.state is State.WRONG
    assert "'bind'" in found.message


def test_a_name_to_listen_at_is_not_resolved(profile: Profile) -> None:
    with profile:
        save_config(profile, Config(bind="somewhere.invalid:8000"))
    found = only(profile, "network")
    assert found.state is State.NOTE
    assert "somewhere.invalid:8000" in found.message


def test_a_clock_behind_the_last_session_is_wrong(profile: Profile) -> None:
    assert only(profile, "clock", NOW).state is State.OK
    found = only(profile, "clock", NOW - 3600)
    assert found.state is State.WRONG
    assert "set the clock" in found.message


def test_what_is_printed(profile: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_doctor(None, as_json=False) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Nothing is wrong."
    assert max(len(line) for line in lines if str(profile.folder) not in line) <= 100
    write_private(profile.contacts_path, b"damaged")
    assert run_doctor(None, as_json=False) == ExitCode.FAILED
    assert capsys.readouterr().out.splitlines()[-1] == "Things that are wrong: 1."
    assert run_doctor(None, as_json=True) == ExitCode.FAILED
    objects = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(one) == {"check", "state", "message"} for one in objects)
    assert {one["state"] for one in objects} == {"ok", "note", "wrong"}


# The terminal.


@pytest.fixture
def terminal() -> Iterator[Callable[[bytes], bytes]]:
    """Ask a terminal that answers with the bytes given."""
    ours, theirs = os.openpty()
    asked = bytearray()

    def ask(answer: bytes) -> bytes:
        def play() -> None:
            while b"\x1b[c" not in asked:
                asked.extend(os.read(ours, 100))
            os.write(ours, answer)

        player = threading.Thread(target=play)
        player.start()
        found = ask_terminal(theirs, theirs, 5.0 if b"c" in answer else 0.0)
        player.join()
        return found

    yield ask
    os.close(ours)
    os.close(theirs)


def test_a_terminal_is_asked_and_left_as_it_was(terminal: Callable[[bytes], bytes]) -> None:
    assert terminal(b"\x1b[?1u\x1b[?62;52;22c") == b"\x1b[?1u\x1b[?62;52;22c"


def test_a_terminal_that_is_silent_or_talks_nonsense(terminal: Callable[[bytes], bytes]) -> None:
    assert b"\x1b[?" not in terminal(b"x")


def test_what_is_no_terminal_is_not_asked() -> None:
    reading, writing = os.pipe()
    assert ask_terminal(reading, writing) == b""
    os.close(writing)
    assert os.read(reading, 10) == b""
    os.close(reading)


class Screen:
    """Stands in for a standard stream that is a terminal."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.encoding = encoding

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 0


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Finding]]:
    """What is found at a terminal with this environment, size and answer."""

    def look(
        answer: bytes = b"", size: tuple[int, int] = (80, 24), encoding: str = "utf-8", **environ: str
    ) -> dict[str, Finding]:
        monkeypatch.setattr(sys, "stdin", Screen())
        monkeypatch.setattr(sys, "stdout", Screen(encoding))
        monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size(size))
        monkeypatch.setattr(terminal_abilities, "ask_terminal", lambda *_: answer)
        return {found.check: found for found in examine_terminal({"TERM": "xterm"} | environ)}

    return look


def test_an_able_terminal(seen: Callable[..., dict[str, Finding]]) -> None:
    found = seen(b"\x1b[?0u\x1b[?62;52c", COLORTERM="truecolor")
    assert {one.state for one in found.values()} == {State.OK}
    assert set(found) == {"encoding", "terminal", "colours", "keys", "clipboard"}
    assert "256" in seen(TERM="xterm-256color")["colours"].message


def test_a_plain_terminal(seen: Callable[..., dict[str, Finding]]) -> None:
    found = seen(b"\x1b[?6c", size=(40, 10), encoding="latin-1", TMUX="socket")
    assert found["encoding"].state is State.WRONG
    assert {found[check].state for check in ("terminal", "colours", "keys", "clipboard")} == {State.NOTE}
    assert "50x20" in found["terminal"].message
    assert "Ctrl+J" in found["keys"].message
    assert "set-clipboard" in found["clipboard"].message
    assert "NO_COLOR" in seen(NO_COLOR="1", COLORTERM="truecolor")["colours"].message
    assert "does not say" in seen(size=(0, 0))["terminal"].message


@pytest.mark.parametrize("name", ["", "dumb"])
def test_a_dumb_terminal_is_asked_nothing(seen: Callable[..., dict[str, Finding]], name: str) -> None:
    assert set(seen(TERM=name)) == {"encoding", "terminal"}


@POSIX
def test_the_history_is_looked_at_wherever_it_lies(profile: Profile, tmp_path: Path) -> None:
    apart = Profile("default", profile.folder, tmp_path / "data" / "default")
    assert len(findings(apart, "files")) == 1  # it is not there yet
    with apart, Store(apart, b"k" * 32) as store:
        store.conversation(b"b" * 32, b"SPKI")
        _, data = findings(apart, "files")
        assert data.state is State.OK
        assert str(apart.data_folder) in data.message
        for path in (apart.index_path, *apart.conversations_folder.glob("*.db-wal")):
            path.chmod(0o644)
        wrong = [found.message for found in findings(apart, "files") if found.state is State.WRONG]
    assert len(wrong) == 2
    assert "index.db" in wrong[0]
    assert ".db-wal" in wrong[1]


@POSIX
def test_a_history_beside_the_identity_is_looked_at_once(profile: Profile) -> None:
    with profile, Store(profile, store_key(profile)):
        assert only(profile, "files").state is State.OK
        profile.conversations_folder.chmod(0o755)
        assert "conversations" in only(profile, "files").message
        profile.conversations_folder.chmod(0o700)


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (-60_000, ""),
        (60_000, ""),
        (60_001, "bob's clock was 1 min behind yours"),
        (-90_000, "bob's clock was 1 min 30 s ahead of yours"),
        (7_380_000, "bob's clock was 2 h 3 min behind yours"),
        (-(10**15), "bob's clock was 11574074 d 1 h ahead of yours"),
    ],
    ids=["a minute ahead", "a minute behind", "more", "ahead", "hours", "absurd"],
)
def test_a_clock_far_from_a_contact_s_is_told_with_what_to_do(
    profile: Profile, capsys: pytest.CaptureFixture[str], milliseconds: int, told: str
) -> None:
    met = Contact.met(identity_key("bob").public, NOW - 60, 1)
    bob = replace(met, name=SafeText.name("bob"), named=True, clock=ClockOffset(milliseconds, NOW - 60))
    with profile:
        put_contacts(profile, Pins((bob,)))
    found = findings(profile, "clock")[1:]
    assert [one.state for one in found] == [State.NOTE] * bool(told)
    assert all(told in one.message and "set it, or tell bob to set theirs" in one.message for one in found)
    run_doctor(profile.name, as_json=True)
    lines = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert [one for one in lines if one["check"] == "clock" and told and told in one["message"]] == [
        {"check": "clock", "state": "note", "message": str(one.message)} for one in found
    ]
