"""The commands about contacts: what they ask for, and what they say where they cannot be had."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from passphrases import CANARY, Give, protect
from protocol_peers import identity_key
from stored_contacts import contacts_on_disk, put_contacts, store_key
from stored_identities import put_identity

from securechat_tui import cli
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.contacts import encode_contacts
from securechat_tui.storage.files import write_private
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.states import Trust

BOB = Pins(
    (replace(Contact.met(identity_key("bob").public, 1000.0, 1), name=SafeText.name("bob"), named=True),)
)
FINGERPRINT = str(BOB.contacts[0].fingerprint)
EVERY = [
    ["list"],
    ["show", "bob"],
    ["verify", "bob"],
    ["block", "bob"],
    ["unblock", "bob"],
    ["forget", "bob"],
]


@pytest.fixture(autouse=True)
def at_home(home: Path) -> Path:
    """Nothing here touches the home of whoever runs the tests."""
    return home


@pytest.fixture
def alice() -> Profile:
    """She knows bob."""
    with Profile.named() as profile:
        put_identity(profile, identity_key("alice"))
        put_contacts(profile, BOB)
    return profile


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert cli.main(["contacts", *arguments]) == code
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    return said.err if code else said.out


def test_without_a_passphrase_nothing_is_asked(alice: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    assert FINGERPRINT in told(capsys, "list")
    assert msgspec.json.decode(told(capsys, "show", "bob", "--json"))["fingerprint"] == FINGERPRINT
    assert "blocked" in told(capsys, "block", "bob")
    assert contacts_on_disk(alice).contacts[0].trust is Trust.BLOCKED
    assert "pinned" in told(capsys, "unblock", "bob")
    assert FINGERPRINT in told(capsys, "forget", "bob")
    assert contacts_on_disk(alice) == Pins()
    assert told(capsys, "list") == "Nobody is pinned here yet.\n"


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_with_one_it_is_asked_for(
    alice: Profile, give: Give, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    key = store_key(alice)
    protect(alice.folder, identity_key("alice"))
    assert "SECURECHAT_TUI_PASSPHRASE_FD" in told(capsys, *command, code=ExitCode.PROFILE)
    give("another")
    assert "That is not the passphrase" in told(capsys, *command, code=ExitCode.PROFILE)
    assert contacts_on_disk(alice, key) == BOB
    give(CANARY)
    told(capsys, *command)
    with Profile("default", alice.folder):
        pass  # the lock has been let go


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_while_a_program_has_them_that_is_said(
    alice: Profile, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with Profile("default", alice.folder):
        sentence = told(capsys, *command, code=ExitCode.PROFILE)
    assert "'default' is in use by another securechat-tui" in sentence
    assert sentence.count("\n") == 1


def test_where_there_is_nobody_nothing_is_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "list") == "Nobody is pinned here yet.\n"
    assert told(capsys, "list", "--json") == ""
    assert "identity new" in told(capsys, "show", "bob", code=ExitCode.FAILED)
    assert not home.exists()


@pytest.mark.parametrize("left", ["index", "file of an earlier version"])
def test_contacts_without_an_identity_are_not_nobody(
    alice: Profile, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    alice.identity_path.unlink()
    if left != "index":
        alice.index_path.unlink()
        write_private(alice.contacts_path, encode_contacts(BOB))
    assert "no identity" in told(capsys, "list", code=ExitCode.FAILED)


def test_what_an_earlier_version_has_kept_is_taken_over_by_whoever_comes_first(
    alice: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    alice.index_path.unlink()
    write_private(alice.contacts_path, encode_contacts(BOB))
    assert FINGERPRINT in told(capsys, "list")
    assert not alice.contacts_path.exists()
    assert FINGERPRINT in told(capsys, "list")
