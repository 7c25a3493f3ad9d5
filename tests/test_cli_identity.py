"""The commands that protect an identity and carry it elsewhere, and the doctor: words and exit codes."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from passphrases import CANARY, Give, protect, traces
from protocol_peers import identity_key
from stored_identities import put_identity

from securechat_tui import cli
from securechat_tui.headless import asking
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import decode_clear, read_sealed
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.rotation import load_statements

FINGERPRINT = str(identity_key("alice").public.fingerprint)


@pytest.fixture(autouse=True)
def at_home(home: Path) -> Path:
    """Nothing here touches the home of whoever runs the tests."""
    return home


@pytest.fixture
def alice() -> Profile:
    with Profile.named() as profile:
        write_private(profile.identity_path, identity_key("alice").to_pem())
        save_config(profile, Config(name="Alice", bind="127.0.0.1:0"))
    return profile


@pytest.fixture
def locked(alice: Profile) -> Profile:
    protect(alice.folder, identity_key("alice"))
    return alice


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command, and return what it said, on the stream where that belongs."""
    assert cli.main(arguments) == code
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    if code in (0, ExitCode.FAILED) and said.out:
        return said.out
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def commands(command: click.Command) -> Iterator[click.Command]:
    """Give a command and all below it."""
    yield command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            one = command.get_command(context, name)
            assert one is not None
            yield from commands(one)


def test_no_command_has_a_place_for_a_passphrase() -> None:
    """The words of a command line are there for everybody to see."""
    every = list(commands(cli._root))
    assert {"passphrase", "export", "import", "host", "join"} <= {one.name for one in every}
    names = {name for one in every for parameter in one.params for name in [parameter.name, *parameter.opts]}
    assert "remove" in names
    in_a_file = {"secret_file", "--secret-file"}  # the lab's, which names where its secret stands
    assert not [name for name in names - in_a_file if name and ("pass" in name or "secret" in name)]
    (setting,) = (one for one in every if one.name == "passphrase")
    assert not [one for one in setting.params if isinstance(one, click.Argument)]


def test_setting_changing_and_removing(
    alice: Profile, give: Give, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    put_identity(alice, identity_key("alice"))
    _, before = decode_clear(alice.identity_path.read_bytes())
    assert before is not None
    give(CANARY)
    assert "every start asks for it" in told(capsys, "identity", "passphrase")
    first = alice.identity_path.read_bytes()
    give(CANARY, f"{CANARY} 2")
    assert msgspec.json.decode(told(capsys, "identity", "passphrase", "--json")) == {"passphrase": True}
    assert alice.identity_path.read_bytes() != first
    assert traces(home) == []
    give(f"{CANARY} 2")
    assert msgspec.json.decode(told(capsys, "identity", "passphrase", "--remove", "--json")) == {
        "passphrase": False
    }
    identity, after = decode_clear(alice.identity_path.read_bytes())
    assert (identity.public, after) == (identity_key("alice").public, before)
    assert "no passphrase now" in told(capsys, "identity", "passphrase", "--remove")


@pytest.mark.parametrize(
    "lines", [["wrong", "new"], [CANARY], [CANARY, ""], []], ids=["wrong", "none", "empty", "end"]
)
def test_whatever_is_given_in_vain_changes_nothing(
    locked: Profile, give: Give, capsys: pytest.CaptureFixture[str], lines: list[str]
) -> None:
    before = locked.identity_path.read_bytes()
    give(*lines)
    told(capsys, "identity", "passphrase", code=ExitCode.PROFILE)
    assert locked.identity_path.read_bytes() == before
    with Profile("default", locked.folder):
        pass  # the lock has been let go


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(
    "command", [["show"], ["show", "--pem"], ["passphrase"], ["export", "file"]], ids=" ".join
)
def test_without_a_terminal_the_sentence_says_what_to_set(
    capsys: pytest.CaptureFixture[str],
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "SECURECHAT_TUI_PASSPHRASE_FD" in told(capsys, "identity", *command, code=ExitCode.PROFILE)


@pytest.mark.usefixtures("locked")
def test_who_one_is_is_told_with_the_passphrase(give: Give, capsys: pytest.CaptureFixture[str]) -> None:
    give(CANARY)
    assert FINGERPRINT in told(capsys, "identity", "show")
    give(CANARY)
    assert told(capsys, "identity", "show", "--pem") == identity_key("alice").public.pem()


@pytest.mark.parametrize(
    "command", [["passphrase"], ["passphrase", "--remove"], ["export", "file"]], ids=" ".join
)
def test_nobody_has_nothing_to_protect(
    home: Path, give: Give, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    give(CANARY)
    assert "identity new" in told(capsys, "identity", *command, code=ExitCode.FAILED)
    assert not home.exists()


@pytest.mark.usefixtures("locked")
def test_a_backup_there_and_back(give: Give, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "alice.backup"
    give(CANARY, f"{CANARY} 2")
    said = told(capsys, "identity", "export", str(file))
    assert FINGERPRINT in said
    assert "Not in it: messages" in said
    assert "never overwritten" in told(capsys, "identity", "export", str(file), code=ExitCode.PROFILE)
    assert "never overwrites" in told(capsys, "identity", "import", str(file), code=ExitCode.PROFILE)
    new = ("--profile", "new", "identity", "import", str(file))
    give(CANARY)
    assert "passphrase of this backup" in told(capsys, *new, code=ExitCode.PROFILE)
    give(f"{CANARY} 2")
    said = told(capsys, *new)
    assert FINGERPRINT in said
    assert "Not restored: messages" in said
    restored = Profile.named("new")
    assert read_sealed(restored) is not None
    assert 'name = "Alice"' in restored.config_path.read_text()


@pytest.mark.usefixtures("alice")
def test_a_backup_for_programs(give: Give, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "alice.backup"
    give(CANARY)
    assert msgspec.json.decode(told(capsys, "identity", "export", str(file), "--json")) == {
        "file": str(file),
        "fingerprint": FINGERPRINT,
        "contacts": 0,
    }
    give(CANARY)
    assert msgspec.json.decode(
        told(capsys, "--profile", "new", "identity", "import", str(file), "--json")
    ) == {"name": "Alice", "fingerprint": FINGERPRINT, "contacts": 0}


def test_a_file_that_is_no_backup_asks_for_nothing_and_makes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("hello")
    for name, words in (("file", "no backup"), ("nothing", "no file")):
        said = told(capsys, "identity", "import", str(tmp_path / name), code=ExitCode.PROFILE)
        assert words in said
    assert not home.exists()


def test_a_name_makes_no_second_identity_where_one_is_locked(
    locked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    before = locked.identity_path.read_bytes()
    assert cli.main(["identity", "new", "--name", "Mallory"]) == ExitCode.FAILED
    assert "Nothing was changed" in capsys.readouterr().err
    assert locked.identity_path.read_bytes() == before


def answer(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Let somebody type this when asked whether a new key is meant."""
    reading, writing = os.pipe()
    os.write(writing, f"{line}\n".encode())
    os.close(writing)
    monkeypatch.setattr(asking, "_STANDARD_INPUT", reading)


def test_a_new_key_in_the_place_of_the_present_one(
    alice: Profile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "yes")
    assert cli.main(["identity", "new"]) == ExitCode.FAILED
    assert "Nothing was changed" in capsys.readouterr().err
    assert FINGERPRINT in told(capsys, "identity", "show")
    answer(monkeypatch, "replace")
    assert "has a new key" in told(capsys, "identity", "new")
    assert FINGERPRINT not in told(capsys, "identity", "show")
    present = msgspec.json.decode(told(capsys, "identity", "--json"))["fingerprint"]
    answer(monkeypatch, "replace")
    made = msgspec.json.decode(told(capsys, "identity", "new", "--json"))
    assert (made["name"], made["former"]) == ("Alice", present)
    _, statement = load_statements(alice)
    assert (str(Fingerprint(statement.new)), statement.counter) == (made["fingerprint"], 2)


@pytest.mark.parametrize("named", ["", "Ada"])
def test_a_first_key_leaves_every_setting_but_the_name_as_it_is(
    capsys: pytest.CaptureFixture[str], named: str
) -> None:
    made_before = Config(
        name="Alice",
        bind="127.0.0.1:0",
        theme="light",
        notify="bell",
        sign_messages=False,
        require_signatures=True,
        keys={"find": "ctrl+g"},
    )
    profile = Profile.named()
    with profile:
        save_config(profile, made_before)
    told(capsys, "identity", "new", *(("--name", named) if named else ()))
    expected = msgspec.structs.replace(made_before, name=named or "Alice")
    assert load_config(profile) == expected


def test_the_new_key_stays_under_the_passphrase(
    locked: Profile, give: Give, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(CANARY)
    answer(monkeypatch, "replace")
    told(capsys, "identity", "new")
    assert read_sealed(locked) is not None
    give(CANARY)
    assert FINGERPRINT not in told(capsys, "identity", "show")


def test_the_doctor_and_its_exit_codes(alice: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing is wrong." in told(capsys, "doctor")
    alice.identity_path.chmod(0o644)
    assert "chmod 600" in told(capsys, "doctor", code=ExitCode.FAILED)
    objects = [msgspec.json.decode(line) for line in told(capsys, "doctor", "--json", code=1).splitlines()]
    assert {"files", "identity"} <= {one["check"] for one in objects if one["state"] == "wrong"}
    assert "cannot be a profile's name" in told(capsys, "--profile", "../x", "doctor", code=ExitCode.PROFILE)


def test_the_doctor_makes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["doctor"])
    assert "the first start makes" in capsys.readouterr().out
    assert not home.exists()
