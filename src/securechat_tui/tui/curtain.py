"""What stands on the terminal while the program is still being loaded.

The screen, the engine and the identity take a good part of a second to load. So the first paint comes
before all that, without Textual: the program's name in the middle of an otherwise empty screen. Textual
takes the terminal over as it is; where it never comes to that, the terminal is given back.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["Curtain", "loading"]

_NAME: Final = "securechat-tui"
_ALTERNATE_SCREEN, _HIDE_CURSOR, _CLEAR = "\x1b[?1049h", "\x1b[?25l", "\x1b[2J"
_NORMAL_SCREEN, _SHOW_CURSOR = "\x1b[?1049l", "\x1b[?25h"


class Curtain:
    """One curtain; it is drawn once, and either lifted or taken down."""

    def __init__(self) -> None:
        self._is_drawn = False

    def draw(self) -> None:
        """Take the terminal over. Elsewhere than on POSIX a terminal need not understand that yet."""
        if os.name != "posix" or not sys.stdout.isatty():
            return
        width, height = os.get_terminal_size(sys.stdout.fileno())
        place = f"\x1b[{height // 2 + 1};{max(1, (width - len(_NAME)) // 2 + 1)}H"
        sys.stdout.write(f"{_ALTERNATE_SCREEN}{_HIDE_CURSOR}{_CLEAR}{place}{_NAME[:width]}")
        sys.stdout.flush()
        self._is_drawn = True

    def lift(self) -> None:
        """Leave the terminal to Textual, which gives it back itself."""
        self._is_drawn = False

    def take_down(self) -> None:
        """Give the terminal back, unless Textual has it or had it."""
        if self._is_drawn:
            self._is_drawn = False
            sys.stdout.write(f"{_NORMAL_SCREEN}{_SHOW_CURSOR}")
            sys.stdout.flush()


@contextmanager
def loading(curtain: Curtain) -> Iterator[None]:
    """Draw the curtain, and load without the garbage collector, which would find nothing to collect.

    Looking through what is being imported, again and again, takes a tenth of the time to start.
    """
    curtain.draw()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        curtain.take_down()
