"""The installed program with pipes, and the people whose profiles it runs with."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from protocol_peers import identity_key
from stored_contacts import contacts_on_disk
from stored_identities import put_identity

from securechat_tui.storage.config import Config, save_config
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Contact

PROGRAM: Final = Path(sys.executable).with_name("securechat-tui")
"""The console script of the installation that runs these tests."""
SAFETY_SECONDS: Final = 12.0
"""A test that waits this long for something has failed; no test waits for time to pass."""

_CHUNK: Final = 65536
_UNWANTED: Final = ("SECURECHAT", "TEXTUAL", "XDG_", "NO_COLOR", "COLORTERM", "COLUMNS", "LINES", "PYTHON")


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a person whose files are all below ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_UNWANTED)}
    place = {"HOME": str(home), "SECURECHAT_TUI_HOME": str(home), "TERM": "xterm-256color"}
    return {**kept, **place, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TEXTUAL_ANIMATIONS": "none", **more}


def profile_folder(home: Path, profile: str) -> Path:
    """Where a profile's files are."""
    return home / "profiles" / profile


def settle(home: Path, profile: str, *, key: str = "", called: str = "") -> str:
    """Make a profile with an identity, by default the one of the same name; return its fingerprint."""
    place = Profile(profile, profile_folder(home, profile))
    identity = identity_key(key or profile)
    with place:
        put_identity(place, identity)
        save_config(place, Config(name=called or profile))
    return str(identity.public.fingerprint)


def contacts_of(home: Path, profile: str) -> tuple[Contact, ...]:
    """What is on disk of the people whom somebody knows."""
    return contacts_on_disk(Profile(profile, profile_folder(home, profile))).contacts


def replace_identity(home: Path, profile: str, key: str) -> None:
    """Put another key in a profile; everything else in it stays."""
    place = Profile(profile, profile_folder(home, profile))
    with place:
        put_identity(place, identity_key(key))


def forget_everything(home: Path, profile: str) -> None:
    """Take a profile away, pins and all."""
    shutil.rmtree(profile_folder(home, profile))


class _Pipe:
    """What comes out of one pipe, taken as it comes."""

    def __init__(self, fd: int, on_news: Callable[[], None]) -> None:
        self.data = bytearray()
        self.ended = False
        self._fd = fd
        self._on_news = on_news
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    def _read(self) -> None:
        data = os.read(self._fd, _CHUNK)
        self.data += data
        if not data:
            self.close()
        self._on_news()

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            asyncio.get_running_loop().remove_reader(self._fd)


class Piped:
    """One run of the program whose standard streams are pipes."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], before: Sequence[str] = ()
    ) -> None:
        """``before``: the command that runs the program, such as a tracer with its options."""
        self.process = subprocess.Popen(
            [*before, str(PROGRAM), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            bufsize=0,
        )
        self._news = asyncio.Event()
        self._out = self._pipe(self.process.stdout)
        self._err = self._pipe(self.process.stderr)
        self._seen = 0

    def _pipe(self, stream: IO[bytes] | None) -> _Pipe:
        assert stream is not None
        return _Pipe(stream.fileno(), self._news.set)

    @property
    def out(self) -> str:
        """All of standard output so far."""
        return self._out.data.decode(errors="surrogateescape")

    @property
    def err(self) -> str:
        """All of standard error so far."""
        return self._err.data.decode(errors="surrogateescape")

    @property
    def bytes_out(self) -> bytes:
        """All of standard output and standard error, as they are."""
        return bytes(self._out.data + self._err.data)

    @property
    def events(self) -> list[dict[str, Any]]:
        """With ``--json``: every event so far."""
        return [json.loads(line) for line in self._out.data.splitlines(keepends=True) if line.endswith(b"\n")]

    def type(self, line: str | bytes) -> None:
        """Write a line to standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write((line.encode() if isinstance(line, str) else line) + b"\n")

    def do(self, **command: object) -> None:
        """Give a command to ``--json``."""
        self.type(json.dumps(command))

    def end_input(self) -> None:
        """Close standard input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.process.send_signal(number)

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        try:
            async with asyncio.timeout(SAFETY_SECONDS):
                while not condition():
                    assert not (self._out.ended and self._err.ended), f"ended: {self.out}\n{self.err}"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"waited in vain: {self.out}\n{self.err}") from None

    async def wait_text(self, text: str) -> None:
        """Wait for a text on standard output."""
        await self.wait_for(lambda: text in self.out)

    async def see(self, word: str, **fields: object) -> dict[str, Any]:
        """Return the next event ``word`` with these fields, after the one that was last returned."""

        def matching() -> list[int]:
            return [
                place
                for place, event in enumerate(self.events)
                if place >= self._seen and event["event"] == word and event.items() >= fields.items()
            ]

        await self.wait_for(lambda: bool(matching()))
        self._seen = matching()[0] + 1
        return self.events[self._seen - 1]

    async def wait_exit(self) -> int:
        """Wait for the program's end and return its exit code; negative for a signal."""
        async with asyncio.timeout(SAFETY_SECONDS):
            while not (self._out.ended and self._err.ended):
                self._news.clear()
                await self._news.wait()
        return self.process.wait(SAFETY_SECONDS)

    def close(self) -> None:
        """End the process, if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self._out, self._err):
            pipe.close()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def address_of(listening: Mapping[str, Any]) -> str:
    """What a guest types to reach the socket of a ``listening`` event."""
    return f"{listening['address']}:{listening['port']}"
