"""What the terminal can do, as far as it says so.

A terminal answers two questions: whether it knows the kitty keyboard protocol (``CSI ? u``), and what
it is (``CSI c``, primary device attributes, where 52 stands for access to the clipboard). The second
one is answered by every terminal, so nothing waits for those that do not know the first.
"""

import contextlib
import os
import re
import select
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Final

from securechat_tui.chat.examination import Finding, State, finding

__all__ = ["ask_terminal", "examine_terminal"]

_QUESTIONS: Final = b"\x1b[?u\x1b[c"
_ATTRIBUTES: Final = re.compile(rb"\x1b\[\?([0-9;]*)c")
_KITTY: Final = re.compile(rb"\x1b\[\?[0-9]+u")
_CLIPBOARD: Final = b"52"
_SECONDS: Final = 1.0
_MAX_ANSWER: Final = 1024
_SMALLEST: Final = (50, 20)


def examine_terminal(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the terminal of standard input and output."""
    yield _encoding()
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        sentence = "There is no terminal here to look at: run it in the one you chat in."
        yield finding("terminal", State.NOTE, sentence)
        return
    name = environ.get("TERM", "")
    if name in {"", "dumb"}:
        sentence = (
            f"The terminal calls itself '{name}' and may not show the full screen: set TERM, or use --plain."
        )
        yield finding("terminal", State.NOTE, sentence)
        return
    yield _size(*os.get_terminal_size(sys.stdout.fileno()))
    yield _colours(environ)
    answer = ask_terminal(sys.stdin.fileno(), sys.stdout.fileno())
    yield _keys(answer)
    yield _clipboard(answer, environ)


def _encoding() -> Finding:
    encoding = (sys.stdout.encoding if sys.stdout else None) or "unknown"
    if encoding.lower().replace("-", "") == "utf8":
        return finding("encoding", State.OK, "Text is UTF-8.")
    sentence = f"Text is {encoding}, which cannot show everything: set LANG to one that ends in .UTF-8."
    return finding("encoding", State.WRONG, sentence)


def _size(columns: int, rows: int) -> Finding:
    if not columns or not rows:
        return finding("terminal", State.NOTE, "The terminal does not say how large its window is.")
    fits = columns >= _SMALLEST[0] and rows >= _SMALLEST[1]
    advice = "" if fits else f" Enlarge it: {_SMALLEST[0]}x{_SMALLEST[1]} is the least that shows everything."
    return finding("terminal", State.OK if fits else State.NOTE, f"The window is {columns}x{rows}.{advice}")


def _colours(environ: Mapping[str, str]) -> Finding:
    if environ.get("NO_COLOR"):
        return finding(
            "colours", State.NOTE, "Colours are off, because NO_COLOR is set; unset it for colours."
        )
    if environ.get("COLORTERM") in {"truecolor", "24bit"}:
        return finding("colours", State.OK, "The terminal has 16 million colours.")
    if "256color" in environ.get("TERM", ""):
        return finding("colours", State.OK, "The terminal has at least 256 colours.")
    sentence = "The terminal names no more than 16 colours; '/theme terminal' in the chat suits it."
    return finding("colours", State.NOTE, sentence)


def _keys(answer: bytes) -> Finding:
    if _KITTY.search(answer):
        return finding("keys", State.OK, "Keys come in full: Shift+Enter is a new line.")
    sentence = "The terminal does not tell Shift+Enter from Enter: Ctrl+J is a new line everywhere."
    return finding("keys", State.NOTE, sentence)


def _clipboard(answer: bytes, environ: Mapping[str, str]) -> Finding:
    found = _ATTRIBUTES.search(answer)
    if found and _CLIPBOARD in found[1].split(b";"):
        return finding("clipboard", State.OK, "The terminal takes copies to the clipboard (OSC 52).")
    sentence = (
        "Whether copies reach the clipboard (OSC 52) the terminal does not say: copy something in the chat "
        "with Ctrl+C and paste it elsewhere."
    )
    if environ.get("TMUX"):
        sentence += " tmux passes copies on with 'set -g set-clipboard on'."
    return finding("clipboard", State.NOTE, sentence)


def ask_terminal(source: int, target: int, seconds: float = _SECONDS) -> bytes:
    """Ask a terminal what it can do and return its answers; empty where it gives none in time."""
    try:
        import termios  # noqa: PLC0415 - Windows has none
        import tty  # noqa: PLC0415
    except ImportError:
        return b""
    try:
        before = termios.tcgetattr(source)
    except termios.error:
        return b""
    try:
        tty.setcbreak(source)
        os.write(target, _QUESTIONS)
        return _answer(source, time.monotonic() + seconds)
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(source, termios.TCSAFLUSH, before)


def _answer(source: int, deadline: float) -> bytes:
    answer = b""
    while not _ATTRIBUTES.search(answer) and len(answer) < _MAX_ANSWER:
        ready, _, _ = select.select([source], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            break
        answer += os.read(source, _MAX_ANSWER) or b"\x1b[?c"
    return answer
