"""One line from standard input, before anything begins: whom to join, or that something is meant.

An invite is a secret; what is typed or piped here stands in no shell's history and no list of
processes, as an argument would.
"""

import os
import sys

import click

__all__ = ["MAX_TARGET_BYTES", "ask_target", "confirmed", "read_target"]

MAX_TARGET_BYTES = 4096
"""More than the longest invite has, and no more than a terminal hands over as one line."""

_STANDARD_INPUT = 0
_PROMPT = "Whom to join (an address, a contact's name, or an invite): "


def ask_target(*, may_prompt: bool) -> str:
    """Ask a person at the terminal. Raises :class:`click.UsageError` where there is none, or no answer."""
    if not may_prompt or not all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)
    ):
        raise click.UsageError("Say whom to join: ADDRESS[:PORT], a contact's NAME, INVITE, or - to read it.")
    sys.stderr.write(_PROMPT)
    sys.stderr.flush()
    return read_target()


def confirmed(explanation: str, word: str) -> bool:
    """Whether somebody types ``word``, having been told what it means."""
    sys.stderr.write(f"{explanation}\nType {word} to go on: ")
    sys.stderr.flush()
    return _read_line() == word


def read_target() -> str:
    """Read one line, and not a byte beyond it: what follows are messages.

    Raises :class:`click.UsageError` where it is empty.
    """
    target = _read_line()
    if not target:
        raise click.UsageError("There was no target to read, so nobody was called.")
    return target


def _read_line() -> str:
    line = bytearray()
    while len(line) < MAX_TARGET_BYTES:
        byte = b"" if sys.stdin is None else os.read(_STANDARD_INPUT, 1)
        if byte in (b"", b"\n"):
            break
        line += byte
    return line.decode("utf-8", "replace").strip()
