"""Passphrases at a terminal and from a descriptor."""

import getpass
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from passphrases import CANARY, protect
from protocol_peers import identity_key

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.passphrases import (
    BadDescriptor,
    LongPassphrase,
    OddPassphrase,
    Passphrase,
    PassphraseNeeded,
)
from securechat_tui.chat.profiles import Profile
from securechat_tui.headless import passphrases
from securechat_tui.headless.passphrases import (
    DescriptorSource,
    TerminalSource,
    open_identity,
    passphrase_source,
)
from securechat_tui.storage.errors import EmptyPassphrase, WrongPassphrase

RIGHT = Passphrase(CANARY)


class Desk:
    """A person at a terminal who types the lines given, and the pauses that they had to wait."""

    def __init__(self, *lines: str) -> None:
        self.prompts: list[str] = []
        self.pauses: list[float] = []
        self._lines = iter(lines)
        self.source = TerminalSource(self._read, self.pauses.append)

    def _read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return next(self._lines)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return protect(tmp_path / "alice", identity_key("alice"))


@pytest.fixture
def pipe() -> Iterator[Callable[[bytes], str]]:
    """The number of a descriptor that gives the bytes and ends."""
    opened: list[int] = []

    def make(data: bytes) -> str:
        reading, writing = os.pipe()
        opened.append(reading)
        os.write(writing, data)
        os.close(writing)
        return str(reading)

    yield make
    for descriptor in opened:
        os.close(descriptor)


def test_wrong_ones_are_said_and_cost_growing_pauses(
    profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk("no", "", "nor this", "x" * 2000, CANARY)
    key = open_identity(profile, desk.source)
    assert key.public == identity_key("alice").public
    assert desk.pauses == [1, 2, 4, 8]
    assert set(desk.prompts) == {"Passphrase of the identity 'alice': "}
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("That is not the passphrase.") == 2
    assert "cannot be empty" in told.err
    assert CANARY not in told.err
    assert "nor this" not in told.err


def test_there_is_no_last_try(profile: Profile) -> None:
    desk = Desk(*["wrong"] * 40, CANARY)
    open_identity(profile, desk.source)
    assert len(desk.pauses) == 40
    assert max(desk.pauses) == 30


def test_an_identity_without_one_is_not_asked_about(tmp_path: Path) -> None:
    desk = Desk()
    with Profile("bob", tmp_path / "bob") as bob:
        with pytest.raises(CommandError) as refused:
            open_identity(bob, desk.source)
        assert refused.value.code == "no-identity"
        bob.identity_path.touch(0o600)
        bob.identity_path.write_bytes(identity_key("bob").to_pem())
        assert open_identity(bob, desk.source).public == identity_key("bob").public
    assert desk.prompts == []


def test_a_new_one_is_typed_twice_until_both_agree(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk("", CANARY, "another", CANARY, "", "Äpfel", "A\u0308pfel")
    assert desk.source.ask_new("the backup") == Passphrase("Äpfel")
    assert desk.prompts[0] == "New passphrase for the backup: "
    assert desk.prompts.count("The same again: ") == 3
    assert desk.pauses == []
    told = capsys.readouterr().err
    assert told.count("The two differ") == 2
    assert CANARY not in told


def test_a_descriptor_gives_a_line_for_each(pipe: Callable[[bytes], str]) -> None:
    source = DescriptorSource(pipe(f"{CANARY}\r\nanother\nthe rest".encode()))
    assert source.ask("this") == RIGHT
    assert source.ask_new("that") == Passphrase("another")
    assert source.ask("a last line without an end") == Passphrase("the rest")
    with pytest.raises(BadDescriptor):
        source.ask("more than there is")


def test_no_byte_beyond_the_line_is_taken(pipe: Callable[[bytes], str]) -> None:
    number = pipe(b"secret\nhello, this is a message\n")
    DescriptorSource(number).ask("it")
    assert os.read(int(number), 100) == b"hello, this is a message\n"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", BadDescriptor),
        (b"\n", EmptyPassphrase),
        (b"\xff\xfe\n", OddPassphrase),
        (b"x" * 5000, LongPassphrase),
        (b"x" * 1025 + b"\n", LongPassphrase),
    ],
    ids=["ended", "empty line", "no UTF-8", "no end of line", "long"],
)
def test_what_a_descriptor_may_give_instead(
    pipe: Callable[[bytes], str], data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        DescriptorSource(pipe(data)).ask("it")


@pytest.mark.parametrize("name", ["x", "-1", "9999", "1" * 30, "3.0", " "])
def test_a_descriptor_that_is_none(name: str) -> None:
    with pytest.raises(BadDescriptor, match="SECURECHAT_TUI_PASSPHRASE_FD"):
        DescriptorSource(name).ask("it")


def test_a_descriptor_gives_one_try(profile: Profile, pipe: Callable[[bytes], str]) -> None:
    number = pipe(f"wrong\n{CANARY}\n".encode())
    with pytest.raises(WrongPassphrase):
        open_identity(profile, DescriptorSource(number))
    assert os.read(int(number), 100).decode() == f"{CANARY}\n"


def test_the_descriptor_goes_before_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrases, "_has_terminal_device", lambda: True)
    monkeypatch.delenv("SECURECHAT_TUI_PASSPHRASE_FD", raising=False)
    assert isinstance(passphrase_source(), TerminalSource)
    monkeypatch.setenv("SECURECHAT_TUI_PASSPHRASE_FD", "3")
    assert isinstance(passphrase_source(), DescriptorSource)


def test_without_either_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECURECHAT_TUI_PASSPHRASE_FD", raising=False)
    monkeypatch.setattr(passphrases, "_TERMINAL", "/nowhere/tty")
    with pytest.raises(PassphraseNeeded, match="SECURECHAT_TUI_PASSPHRASE_FD"):
        passphrase_source()


def test_what_would_be_shown_is_not_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library falls back to an echoing prompt with a warning: here that is refused."""

    def echoing(prompt: str) -> str:
        warnings.warn(f"Can not control echo: {prompt}", getpass.GetPassWarning, stacklevel=2)
        return CANARY

    monkeypatch.setattr(getpass, "getpass", echoing)
    with pytest.raises(PassphraseNeeded):
        TerminalSource().ask("it")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EOFError(), KeyboardInterrupt),
        (UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, "odd"), OddPassphrase),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
    ids=["end of input", "no UTF-8", "interrupt"],
)
def test_what_may_come_of_a_prompt(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, expected: type[BaseException]
) -> None:
    def fail(_prompt: str) -> str:
        raise error

    monkeypatch.setattr(getpass, "getpass", fail)
    with pytest.raises(expected) as raised:
        TerminalSource().ask("it")
    assert CANARY not in str(raised.value)
