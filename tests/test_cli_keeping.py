"""What is kept, at the command line: exported, verified, wiped, backed up and restored."""

import io
import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kept_people import Keeper, keepers
from passphrases import CANARY, CHEAP, Give
from protocol_peers import identity_key
from stored_contacts import put_contacts

from securechat_tui import cli
from securechat_tui.headless import asking
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.keystore import Keys, save_keys
from securechat_tui.storage.passphrase import Passphrase
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Contact, Pins

ALICE, BOB, CAROL = identity_key("alice"), identity_key("bob"), identity_key("carol")
PRINTS = {name: str(identity_key(name).public.fingerprint) for name in ("alice", "bob", "carol")}


@pytest.fixture(autouse=True)
def at_home(home: Path) -> Path:
    """Nothing here touches the home of whoever runs the tests."""
    return home


def answer(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{line}\n".encode())
    os.close(writing)
    monkeypatch.setattr(asking, "_STANDARD_INPUT", reading)


def pinned(name: str) -> Contact:
    met = Contact.met(identity_key(name).public, 1000.0, 1)
    return replace(met, name=SafeText.name(name), named=True)


@pytest.fixture
def alice(home: Path) -> Profile:
    """She knows bob, has talked with him, and with somebody whom she has not pinned."""
    with Profile.named() as profile:
        save_keys(profile, Keys(ALICE, bytes(32)))
        save_config(profile, Config(name="Alice"))
        put_contacts(profile, Pins((pinned("bob"),)))
        with_bob, bob = (
            Keeper(profile.folder, ALICE, BOB.public),
            Keeper(home.parent / "b", BOB, ALICE.public),
        )
        with_bob.say("hello bob")
        with_bob.write_to(bob)
        bob.say("hello alice")
        bob.write_to(with_bob)
        with_bob.say("not for the record", signed=False)
        for person in (with_bob, bob):
            person.close()
        with_carol = Keeper(profile.folder, ALICE, CAROL.public)
        with_carol.say("hello carol")
        with_carol.close()
    return profile


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    assert cli.main(arguments) == code
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    return said.out, said.err


@pytest.mark.usefixtures("alice")
def test_an_export_verifies_where_there_is_no_profile(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bob.jsonl"
    run(capsys, "export", "bob", "--output", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("SECURECHAT_TUI_HOME", str(tmp_path / "nowhere"))
    out, _ = run(capsys, "transcript", "verify", str(file), "--fingerprint", PRINTS["bob"])
    assert f"{PRINTS['bob']} (the peer; as given)" in out
    assert f"{PRINTS['alice']} (who has exported it; named by the file alone" in out
    assert "#1 to #1: 1 signed, none of theirs missing between; besides 1 unsigned" in out
    assert "Not proved: when" in out
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("alice")
def test_a_transcript_in_json_and_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = run(capsys, "export", PRINTS["bob"])
    assert [json.loads(line)["line"] for line in out.splitlines()] == ["transcript", *["message"] * 3]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(out.encode())))
    view = json.loads(run(capsys, "transcript", "verify", "-", "--json")[0])
    assert view["proved"] is True
    me, peer = view["authors"]
    assert (me["by"], me["fingerprint"], me["given"]) == ("me", PRINTS["alice"], False)
    (generation,) = me["generations"]
    assert (generation["signed"], generation["unsigned"], generation["last"]) == (1, 1, 2)
    assert peer["generations"][0]["last_signed"] == 1


@pytest.mark.parametrize("as_json", [False, True], ids=["lines", "json"])
@pytest.mark.usefixtures("alice")
def test_what_is_not_proved_says_where(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, as_json: bool
) -> None:
    file, option = tmp_path / "forged.jsonl", ["--json"] if as_json else []
    out, _ = run(capsys, "export", "bob")
    file.write_text(out.replace("hello alice", "hello Alice"))
    told, _ = run(capsys, "transcript", "verify", str(file), *option, code=ExitCode.FAILED)
    if as_json:
        answer = json.loads(told)
        assert (answer["proved"], answer["line"], answer["check"]) == (False, 3, "content")
    else:
        assert told.startswith("NOT proved (line 3, content): ")
    file.write_text(out)
    told, _ = run(
        capsys, "transcript", "verify", str(file), "--fingerprint", PRINTS["carol"], *option,
        code=ExitCode.DISTRUSTED,
    )  # fmt: skip
    assert PRINTS["carol"] in told
    file.write_text(out.splitlines(keepends=True)[0])
    told, _ = run(capsys, "transcript", "verify", str(file), *option, code=ExitCode.FAILED)
    assert "no signed message" in told


def test_what_cannot_be_verified_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, err = run(capsys, "transcript", "verify", str(tmp_path / "none"), code=ExitCode.FAILED)
    assert "cannot be read" in err
    _, err = run(
        capsys, "transcript", "verify", str(tmp_path / "none"), "--fingerprint", "x", code=ExitCode.USAGE
    )
    assert "in full" in err


def test_an_export_says_which_conversation_it_needs(
    alice: Profile, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, err = run(capsys, "export", code=ExitCode.FAILED)
    assert f"say with whom: bob, {PRINTS['carol']}" in err
    _, err = run(capsys, "export", "dave", code=ExitCode.FAILED)
    assert "No conversation is kept with dave" in err
    (tmp_path / "there").write_text("mine")
    _, err = run(capsys, "export", "bob", "--output", str(tmp_path / "there"), code=ExitCode.PROFILE)
    assert "never overwritten" in err
    assert (tmp_path / "there").read_text() == "mine"
    with alice:
        _, err = run(capsys, "export", "bob", code=ExitCode.PROFILE)
    assert "in use" in err


def test_a_conversation_under_a_former_key_is_not_passed_off_as_ones_own(
    alice: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    with alice:
        save_keys(alice, Keys(identity_key("mallory"), bytes(32)))
    _, err = run(capsys, "export", "bob", code=ExitCode.FAILED)
    assert "former key" in err


def test_an_export_needs_the_passphrase(
    alice: Profile, capsys: pytest.CaptureFixture[str], give: Give
) -> None:
    with alice:
        save_keys(alice, Keys(ALICE, bytes(32)), Passphrase(CANARY), CHEAP)
    run(capsys, "export", "bob", code=ExitCode.PROFILE)
    give(CANARY)
    assert "hello bob" in run(capsys, "export", "bob")[0]


def kept(capsys: pytest.CaptureFixture[str], name: str) -> int:
    """How many messages are kept of a conversation."""
    return len(run(capsys, "export", name)[0].splitlines()) - 1


@pytest.mark.usefixtures("alice")
def test_a_wipe_wants_the_name_and_takes_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "Bob")
    _, err = run(capsys, "wipe", "bob", code=ExitCode.FAILED)
    assert "Nothing was destroyed" in err
    assert kept(capsys, "bob") == 3
    answer(monkeypatch, "bob")
    out, err = run(capsys, "wipe", "bob")
    assert "key to them" in err
    assert "is destroyed" in out
    assert kept(capsys, "bob") == 0
    assert kept(capsys, PRINTS["carol"]) == 1
    assert "bob" in run(capsys, "contacts")[0]


def test_everything_is_wiped_at_a_word(
    alice: Profile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "yes")
    run(capsys, "wipe", "--everything", code=ExitCode.FAILED)
    assert kept(capsys, "bob") == 3
    answer(monkeypatch, "everything")
    wiped = json.loads(run(capsys, "wipe", "--everything", "--json")[0])["wiped"]
    assert len(wiped) == 2
    assert kept(capsys, "bob") == kept(capsys, PRINTS["carol"]) == 0
    for arguments in (["wipe"], ["wipe", "bob", "--everything"]):
        run(capsys, *arguments, code=ExitCode.USAGE)
    with alice:
        answer(monkeypatch, "bob")
        _, err = run(capsys, "wipe", "bob", code=ExitCode.PROFILE)
    assert "in use" in err


@pytest.mark.usefixtures("alice")
def test_forgetting_keeps_what_was_said_and_says_how_to_destroy_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = run(capsys, "contacts", "forget", "bob")
    assert f"securechat-tui wipe {PRINTS['bob']}" in out
    assert kept(capsys, PRINTS["bob"]) == 3
    answer(monkeypatch, PRINTS["bob"])
    run(capsys, "wipe", PRINTS["bob"])
    assert kept(capsys, PRINTS["bob"]) == 0


@pytest.mark.usefixtures("alice")
def test_a_whole_profile_goes_elsewhere(
    capsys: pytest.CaptureFixture[str], give: Give, tmp_path: Path, home: Path
) -> None:
    file = str(tmp_path / "alice.backup")
    give(CANARY)
    out, _ = run(capsys, "backup", file)
    assert PRINTS["alice"] in out
    before = kept(capsys, "bob")
    give(CANARY)
    out, _ = run(capsys, "--profile", "new", "restore", file)
    assert "contacts: 1, conversations: 2" in out
    assert "/resolve" in out
    assert len(run(capsys, "--profile", "new", "export", "bob")[0].splitlines()) == before + 1
    give(CANARY)
    _, err = run(capsys, "--profile", "new", "restore", file, code=ExitCode.PROFILE)
    assert "never overwrites" in err
    give("wrong")
    _, err = run(capsys, "--profile", "third", "restore", file, code=ExitCode.PROFILE)
    assert "not the passphrase of this backup" in err
    assert not (home / "profiles" / "third").exists()
    give(CANARY)
    made = json.loads(run(capsys, "backup", str(tmp_path / "again.backup"), "--json")[0])
    assert (made["conversations"], made["fingerprint"]) == (2, PRINTS["alice"])


def test_a_backup_asks_for_the_passphrase_of_the_key_and_for_its_own(
    alice: Profile, capsys: pytest.CaptureFixture[str], give: Give, tmp_path: Path
) -> None:
    with alice:
        save_keys(alice, Keys(ALICE, bytes(32)), Passphrase(CANARY), CHEAP)
    file = str(tmp_path / "alice.backup")
    give("wrong", "its own")
    run(capsys, "backup", file, code=ExitCode.PROFILE)
    give(CANARY, "its own")
    run(capsys, "backup", file)
    give("its own")
    run(capsys, "--profile", "new", "restore", file)
    give(CANARY)
    assert "hello bob" in run(capsys, "--profile", "new", "export", "bob")[0]


def test_two_people_export_the_same_story(tmp_path: Path) -> None:
    """Both transcripts name the same keys and the same conversation."""
    alice, bob = keepers(tmp_path, ALICE, BOB)
    alice.say("hello")
    alice.write_to(bob)
    mine, theirs = (json.loads(one.export()[0]) for one in (alice, bob))
    assert mine["conversation"] == theirs["conversation"]
    assert mine["me"]["spki"] == theirs["peer"]["spki"]
    alice.close()
    bob.close()
