"""A paste is text, whatever is in it.

Textual 8.2 reads what follows an ESC within a bracketed paste as keys: a line end in it is Enter, and
sends. Terminals take ESC out of a paste, but not all of them, and tmux's paste-buffer does not.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Final

from textual._xterm_parser import XTermParser
from textual.message import Message

__all__ = ["PasteParser", "guard_pastes"]

_START: Final = "\x1b[200~"
_END: Final = "\x1b[201~"
_ESCAPE: Final = "\x1b"
_PICTURE: Final = "\u241b"


class PasteParser(XTermParser):
    """Textual's parser of what a terminal sends, to which no ESC within a paste is shown."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._is_pasting = False
        self._tail = ""
        """Outside of a paste what was read last, which may begin one; inside what may end it, and waits."""

    def feed(self, data: str) -> Iterable[Message]:
        """Parse more; an empty string is the end."""
        shown = self._guarded(data)
        return super().feed(shown) if shown or not data else ()

    def _guarded(self, data: str) -> str:
        parts = []
        while data:
            part, data = self._inside(data) if self._is_pasting else self._outside(data)
            parts.append(part)
        return "".join(parts)

    def _outside(self, data: str) -> tuple[str, str]:
        """What goes on unchanged, up to the beginning of a paste, and the rest."""
        known = len(self._tail)
        seen = self._tail + data
        start = seen.find(_START)
        if start < 0:
            self._tail = seen[-len(_START) + 1 :]
            return data, ""
        self._is_pasting, self._tail = True, ""
        end = start + len(_START) - known
        return data[:end], data[end:]

    def _inside(self, data: str) -> tuple[str, str]:
        """What of a paste goes on without ESC, its end if that is here, and the rest."""
        seen = self._tail + data
        text, end, rest = seen.partition(_END)
        if end:
            self._is_pasting, self._tail = False, ""
        else:
            begun = next(size for size in range(len(_END) - 1, -1, -1) if seen.endswith(_END[:size]))
            text, self._tail = seen[: len(seen) - begun], seen[len(seen) - begun :]
        return text.replace(_ESCAPE, _PICTURE) + end, rest


def guard_pastes() -> None:
    """Let Textual read the terminal with :class:`PasteParser` from now on."""
    driver = "win32" if sys.platform == "win32" else "linux_driver"
    vars(import_module(f"textual.drivers.{driver}"))["XTermParser"] = PasteParser
