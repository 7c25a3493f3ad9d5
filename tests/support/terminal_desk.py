"""Where the end-to-end tests stand: a folder of people who have met, and a desk that starts programs."""

from dataclasses import dataclass
from pathlib import Path

from terminal_programs import Piped, environment
from terminal_screen import Terminal

ALICE = "default"
"""The profile of the one who hosts."""
BOB = "bob"


@dataclass(frozen=True)
class World:
    """A folder with everybody's profiles; the address at which alice and bob have met."""

    home: Path
    address: str
    alice: str
    """Her fingerprint."""
    bob: str

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


class Desk:
    """Starts programs, and ends those that still run after the test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._started: list[Terminal | Piped] = []

    def terminal(self, *arguments: str, size: tuple[int, int] = (80, 24), **more: str) -> Terminal:
        """Start the program in a terminal of ``size`` (columns, rows)."""
        terminal = Terminal(arguments, environment(self.home, **more), *size)
        self._started.append(terminal)
        return terminal

    def piped(self, *arguments: str) -> Piped:
        """Start the program with pipes."""
        program = Piped(arguments, environment(self.home))
        self._started.append(program)
        return program

    def close(self) -> None:
        for one in self._started:
            one.close()
