"""Passphrases where there is no screen: typed at the terminal, or read from a descriptor.

They never come from arguments or the environment, which other programs can see. Where
``SECURECHAT_TUI_PASSPHRASE_FD`` names a descriptor, somebody has decided so, and nothing prompts.
"""

import getpass
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from securechat_tui.chat.passphrases import (
    UNUSABLE,
    WRONG,
    BadDescriptor,
    LongPassphrase,
    OddPassphrase,
    Passphrase,
    PassphraseNeeded,
    pause_after,
)
from securechat_tui.chat.profiles import IdentityKey, Keys, Profile, is_locked, stored_key, stored_keys
from securechat_tui.headless.interruption import as_interrupts
from securechat_tui.headless.run import say

__all__ = [
    "DescriptorSource",
    "Source",
    "TerminalSource",
    "open_identity",
    "open_keys",
    "passphrase_source",
    "tried",
]

_VARIABLE: Final = "SECURECHAT_TUI_PASSPHRASE_FD"
_TERMINAL: Final = "/dev/tty"
_MAX_LINE: Final = 4096
_DIFFERENT: Final = "The two differ. Type the new one, and then the same again."
_Opened = TypeVar("_Opened")


class Source(Protocol):
    """Where passphrases come from."""

    def ask(self, what: str) -> Passphrase:
        """The passphrase of ``what``."""

    def ask_new(self, what: str) -> Passphrase:
        """A new passphrase for ``what``, never empty."""

    def may_try_again(self, failures: int, sentence: str) -> bool:
        """Whether another one can be asked for; says what was wrong and pauses before it if so."""


class TerminalSource:
    """Asks at the terminal, whatever the standard streams are. What is typed is not shown."""

    def __init__(
        self, read: Callable[[str], str] | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._read = read or _read_hidden
        self._sleep = sleep

    def ask(self, what: str) -> Passphrase:
        """The passphrase of ``what``. Raises what a text that can be none raises."""
        return Passphrase(self._read(f"Passphrase of {what}: "))

    def ask_new(self, what: str) -> Passphrase:
        """A new passphrase, typed twice, until both times agree."""
        while True:
            try:
                new = Passphrase(self._read(f"New passphrase for {what}: "))
            except UNUSABLE as error:
                say(str(error))
                continue
            if self._is_repeated(new):
                return new
            say(_DIFFERENT)

    def _is_repeated(self, new: Passphrase) -> bool:
        try:
            return Passphrase(self._read("The same again: ")) == new
        except UNUSABLE:
            return False

    def may_try_again(self, failures: int, sentence: str) -> bool:
        """After a pause that grows, always."""
        say(sentence)
        self._sleep(pause_after(failures))
        return True


def _read_hidden(prompt: str) -> str:
    """Read a line from the terminal device without echo; a signal restores the terminal first."""
    with as_interrupts(), warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would go on and echo
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise KeyboardInterrupt from None
        except UnicodeDecodeError:
            raise OddPassphrase from None
        except getpass.GetPassWarning:
            raise PassphraseNeeded from None


class DescriptorSource:
    """Reads one line of UTF-8 for each passphrase from a descriptor. There is one try."""

    def __init__(self, name: str) -> None:
        """``name`` is what the environment says: the descriptor's number."""
        self._name = name

    def ask(self, what: str) -> Passphrase:
        """The next line. Raises :class:`BadDescriptor` where there is none."""
        del what
        try:
            return Passphrase(self._line().decode())
        except UnicodeDecodeError:
            raise OddPassphrase from None

    ask_new = ask

    def may_try_again(self, failures: int, sentence: str) -> bool:
        """Never."""
        del failures, sentence
        return False

    def _line(self) -> bytes:
        """Read up to the line's end, and no byte beyond: what follows may be meant for somebody else."""
        line = bytearray()
        try:
            while (byte := os.read(int(self._name), 1)) not in {b"", b"\n"}:
                line += byte
                if len(line) > _MAX_LINE:
                    raise LongPassphrase(limit=_MAX_LINE)
        except (ValueError, OverflowError, OSError):
            raise BadDescriptor(name=self._name) from None
        if not line and not byte:
            raise BadDescriptor(name=self._name)
        return bytes(line.removesuffix(b"\r"))


def passphrase_source() -> Source:
    """The descriptor, where one is named; else the terminal. Raises :class:`PassphraseNeeded`."""
    name = os.environ.get(_VARIABLE)
    if name:
        return DescriptorSource(name)
    if not _has_terminal_device():
        raise PassphraseNeeded
    return TerminalSource()


def _has_terminal_device() -> bool:
    if os.name == "nt":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def tried(source: Source, what: str, use: Callable[[Passphrase], _Opened]) -> _Opened:
    """Ask until ``use`` accepts the passphrase, and return what it opened.

    Raises what ``use`` raised where the source gives no other try.
    """
    failures = 0
    while True:
        try:
            return use(source.ask(what))
        except WRONG as error:
            failures += 1
            if not source.may_try_again(failures, str(error)):
                raise


def open_identity(profile: Profile, source: Source | None = None) -> IdentityKey:
    """Load the identity, and ask for its passphrase where it has one.

    Raises ``CommandError`` where there is no identity, and ``ProfileError``.
    """
    return _opened(profile, source, stored_key)


def open_keys(profile: Profile, source: Source | None = None) -> Keys:
    """Load all that the identity file holds, as :func:`open_identity` does; the profile is open."""
    return _opened(profile, source, stored_keys)


def _opened(
    profile: Profile, source: Source | None, load: Callable[[Profile, Passphrase | None], _Opened]
) -> _Opened:
    if not is_locked(profile):
        return load(profile, None)
    source = source or passphrase_source()
    return tried(source, f"the identity '{profile.name}'", lambda typed: load(profile, typed))
