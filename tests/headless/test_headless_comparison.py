"""``contacts verify``: the safety number shown, compared and kept."""

from pathlib import Path

import msgspec
import pytest
from chat_people import contacts, person
from protocol_peers import identity_key
from stored_contacts import put_contacts

from securechat_tui import cli
from securechat_tui.headless import comparison
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.profile import HOME_VARIABLE, Profile
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.states import Trust

VERIFY = ("--profile", "alice", "contacts", "verify", "bob")


@pytest.fixture(autouse=True)
def alice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Alice and bob, each with the other pinned."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    alice, bob = person("alice"), person("bob")
    pin(alice, bob, "bob")
    pin(bob, alice, "alice")
    return alice


def pin(whose: Profile, other: Profile, name: str) -> None:
    with whose:
        met = Contact.met(identity_key(other.name).public, 1.0, 1)
        put_contacts(whose, Pins((met,)).christened(met.fingerprint, SafeText.name(name)))


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(arguments) == ExitCode.DONE
    return capsys.readouterr().out


def trust(profile: Profile) -> tuple[Trust, str]:
    (contact,) = contacts(profile).contacts
    return contact.trust, contact.history[-1].how


def test_both_sides_show_the_same(capsys: pytest.CaptureFixture[str], alice: Profile) -> None:
    hers = run(*VERIFY, capsys=capsys)
    assert run("--profile", "bob", "contacts", "verify", "alice", capsys=capsys) == hers
    words = hers.split("\n")[:2]
    assert [len(line.split()) for line in words] == [6, 6]
    assert trust(alice) == (Trust.PINNED, "first contact"), "showing decides nothing"
    shown = msgspec.json.decode(run(*VERIFY, "--json", capsys=capsys))
    assert " ".join(shown["words"]) == " ".join(words)
    assert shown["digits"] == "".join(hers.split("\n")[2:]).replace(" ", "")


def test_the_program_compares_digits(capsys: pytest.CaptureFixture[str], alice: Profile) -> None:
    digits = msgspec.json.decode(run(*VERIFY, "--json", capsys=capsys))["digits"]
    wrong = str((int(digits[0]) + 1) % 10) + digits[1:]
    assert cli.main([*VERIFY, "--digits", wrong]) == ExitCode.DISTRUSTED
    assert "Nothing was decided" in capsys.readouterr().err
    assert trust(alice)[0] is Trust.PINNED
    assert "VERIFIED" in run(*VERIFY, "--digits", f"{digits[:20]} {digits[20:]}", capsys=capsys)
    assert trust(alice) == (Trust.VERIFIED, "safety numbers compared: the same")
    answer = run(*VERIFY, "--digits", digits, "--json", capsys=capsys)
    assert msgspec.json.decode(answer) == {"name": "bob", "trust": "verified"}


@pytest.mark.parametrize(
    "answer",
    [
        ("yes", ExitCode.DONE, (Trust.VERIFIED, "safety numbers compared: the same")),
        ("no", ExitCode.DISTRUSTED, (Trust.CHANGED, "safety numbers compared: different")),
        ("", ExitCode.DONE, (Trust.PINNED, "first contact")),
    ],
    ids=["yes", "no", "not now"],
)
def test_a_person_at_a_terminal_is_asked(
    answer: tuple[str, ExitCode, tuple[Trust, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    alice: Profile,
) -> None:
    typed, code, expected = answer
    monkeypatch.setattr(comparison, "_is_attended", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: typed)
    assert cli.main(VERIFY) == code
    assert capsys.readouterr().out.count("\n") >= 4, "what is asked about has been shown"
    assert trust(alice) == expected
