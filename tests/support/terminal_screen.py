"""The installed program in a pseudo-terminal, watched through a terminal emulator.

Everything runs in the test's own loop, without threads: what the program writes is taken as it comes,
kept byte for byte, and drawn by the emulator. Nothing waits for time to pass; a wait that has no end
fails after a safety net of seconds and shows the screen as it was.
"""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pexpect
import pyte
from terminal_programs import PROGRAM, SAFETY_SECONDS

ALT_ENTER: Final = b"\x1b\r"
CTRL_C: Final = b"\x03"
CTRL_END: Final = b"\x1b[1;5F"
CTRL_J: Final = b"\n"
ENTER: Final = b"\r"
ESCAPE: Final = b"\x1b"
F1: Final = b"\x1bOP"
F2: Final = b"\x1bOQ"
F3: Final = b"\x1bOR"
F4: Final = b"\x1bOS"
PAGE_UP: Final = b"\x1b[5~"
SHIFT_ENTER: Final = b"\x1b[13;2u"
"""As terminals with the kitty protocol (CSI u) send it."""
XTERM_SHIFT_ENTER: Final = b"\x1b[27;2;13~"
"""As xterm sends it with modifyOtherKeys, and tmux with extended keys of that format."""
UP: Final = b"\x1b[A"

_CHUNK: Final = 65536
_UNKNOWN_TO_EMULATOR: Final = re.compile(rb"\x1b\[<[0-9;]*u")
"""The end of the kitty protocol's mode, of which the emulator would draw the last letter."""

Wanted = str | Callable[["Terminal"], bool]


def paste(text: str) -> bytes:
    """What a terminal sends for a paste where the program has asked for brackets around it."""
    return b"\x1b[200~" + text.encode().replace(b"\n", b"\r") + b"\x1b[201~"


class Terminal:
    """One run of the program on a screen of ``columns`` by ``rows``."""

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], columns: int, rows: int
    ) -> None:
        self.raw = bytearray()
        """Every byte the program has written to its terminal."""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._news = asyncio.Event()
        self._ended = False
        self._child = pexpect.spawn(
            str(PROGRAM),
            list(arguments),
            env=dict(environment),
            dimensions=(rows, columns),
            timeout=SAFETY_SECONDS,
            encoding=None,
        )
        self._fd = self._child.child_fd
        os.set_blocking(self._fd, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._read)

    # What is there.

    @property
    def pid(self) -> int:
        """The program's process."""
        assert self._child.pid is not None
        return self._child.pid

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def title(self) -> str:
        """The window's title, which the program has no business to set from what a peer writes."""
        return str(self._screen.title)

    def row(self, words: str) -> str:
        """Return the first line with ``words`` in it; empty where there is none."""
        return next((line for line in self.text.splitlines() if words in line), "")

    def find(self, pattern: str) -> str:
        """Return the first group of the first match of ``pattern`` on the screen."""
        found = re.search(pattern, self.text)
        assert found, f"no {pattern!r} on the screen:\n{self.text}"
        return found[1]

    # What is done.

    async def send(self, *keys: bytes | str) -> None:
        """Type: bytes as a terminal would send them, or text."""
        data = memoryview(b"".join(key.encode() if isinstance(key, str) else key for key in keys))
        async with asyncio.timeout(SAFETY_SECONDS):
            while data:
                try:
                    data = data[os.write(self._fd, data) :]
                except BlockingIOError:
                    await self._writable()

    async def enter(self, text: str) -> None:
        """Type a text, see it on the screen, and press Enter."""
        await self.send(text)
        await self.wait_for(text)
        await self.send(ENTER)

    def resize(self, columns: int, rows: int) -> None:
        """Drag the window's corner."""
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        os.kill(self.pid, number)

    async def wait_for(self, *wanted: Wanted) -> None:
        """Wait until all of these are on the screen at once: texts, or conditions that hold."""
        try:
            async with asyncio.timeout(SAFETY_SECONDS):
                while not all(self._shows(one) for one in wanted):
                    assert not self._ended, f"the program has ended instead of showing {wanted}:\n{self.text}"
                    await self._change()
        except TimeoutError:
            raise AssertionError(f"never saw {wanted}:\n{self.text}") from None

    async def wait_gone(self, text: str) -> None:
        """Wait until a text is no longer on the screen."""
        await self.wait_for(lambda terminal: text not in terminal.text)

    async def wait_exit(self) -> int:
        """Wait for the program's end and return its exit code; negative for a signal."""
        try:
            async with asyncio.timeout(SAFETY_SECONDS):
                while not self._ended:
                    await self._change()
        except TimeoutError:
            raise AssertionError(f"the program does not end:\n{self.text}") from None
        self._child.wait()
        return (
            self._child.exitstatus if self._child.exitstatus is not None else -(self._child.signalstatus or 0)
        )

    def close_window(self) -> None:
        """Close the terminal under the program, as closing its window does."""
        self._loop.remove_reader(self._fd)
        vars(self._child)["ptyproc"].fileobj.close()  # its own way to close waits and sends signals
        self._child.closed = True

    def close(self) -> None:
        """End the process, if it still runs, and let go of the terminal."""
        self._loop.remove_reader(self._fd)
        if self._child.isalive():
            os.kill(self.pid, signal.SIGKILL)
            self._child.wait()
        if not self._child.closed:
            self.close_window()

    # The inside.

    def _shows(self, wanted: Wanted) -> bool:
        return wanted in self.text if isinstance(wanted, str) else wanted(self)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # the last program has closed its end
            data = b""
        if data:
            self.raw += data
            self._stream.feed(_UNKNOWN_TO_EMULATOR.sub(b"", data))
        else:
            self._ended = True
            self._loop.remove_reader(self._fd)
        self._news.set()

    async def _change(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _writable(self) -> None:
        ready = asyncio.Event()
        self._loop.add_writer(self._fd, ready.set)
        try:
            await ready.wait()
        finally:
            self._loop.remove_writer(self._fd)


RESTORED: Final = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[<u")
"""What a full-screen program owes its terminal: the other screen left, the cursor shown, the mouse,
bracketed paste and the kitty protocol off."""


def is_restored(raw: bytes | bytearray) -> bool:
    """Whether the last word on every mode that was switched on is that it is off."""
    switched = ((b"\x1b[?1049h", RESTORED[0]), (b"\x1b[?25l", RESTORED[1]), (b"\x1b[?1000h", RESTORED[2]))
    return all(end in raw for end in RESTORED) and all(raw.rfind(on) < raw.rfind(off) for on, off in switched)
