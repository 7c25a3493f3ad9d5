"""Unpickling what a stranger sent: containers, bytes, text and numbers, and nothing else.

``pickle`` is a program for a small machine; some of its instructions call functions by name. They are
refused twice: the instructions are read without being run, and only those that build plain values are
let through; then a reader without a way to any global runs them. Reading first also bounds every length
by what is really there, before anything is allocated for it.
"""

import io
import pickle
import pickletools
from typing import Any, Final, NoReturn

from securechat_tui.lab.units import CheckFailed

__all__ = ["MAX_PICKLE", "loads_plain", "pickle_length"]

MAX_PICKLE: Final = 128 * 1024
_MAX_INSTRUCTIONS: Final = 4096
_ADMITTED: Final = frozenset(
    {
        *("PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "NONE", "NEWTRUE", "NEWFALSE"),
        *("BININT", "BININT1", "BININT2", "INT", "LONG1", "BINFLOAT", "FLOAT"),
        *(
            "BINBYTES",
            "SHORT_BINBYTES",
            "BINBYTES8",
            "BINUNICODE",
            "SHORT_BINUNICODE",
            "BINUNICODE8",
            "UNICODE",
        ),
        *("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "LIST", "APPEND", "APPENDS"),
        *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
        *("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET"),
    }
)
_MEMO: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})


class _PlainUnpickler(pickle.Unpickler):
    """Knows no global at all."""

    def find_class(self, module: str, name: str) -> NoReturn:
        del module, name
        raise CheckFailed("unpickler", "a global was asked for")

    def persistent_load(self, pid: object) -> NoReturn:
        del pid
        raise CheckFailed("unpickler", "a persistent object was asked for")


def _inspect(data: bytes) -> int:
    """Read the instructions up to STOP and return their length in bytes.

    Raises CheckFailed for one that is not admitted, and ValueError where the data ends too soon.
    """
    for count, (instruction, argument, position) in enumerate(pickletools.genops(data)):
        if instruction.name not in _ADMITTED:
            raise CheckFailed("unpickler", f"the instruction {instruction.name} is refused")
        if count >= _MAX_INSTRUCTIONS:
            raise CheckFailed("unpickler", "too many instructions")
        if instruction.name in _MEMO and int(argument or 0) > _MAX_INSTRUCTIONS:
            raise CheckFailed("unpickler", "a place in the memo that is far too high")
        if instruction.name == "STOP":
            return int(position or 0) + 1
    raise ValueError("no STOP")


def pickle_length(data: bytes) -> int | None:
    """Return the length of the pickle that ``data`` begins with, or None where it is not whole yet.

    Raises :class:`CheckFailed` for instructions that are not admitted.
    """
    try:
        return _inspect(data)
    except (ValueError, IndexError, OverflowError):
        return None


def loads_plain(data: bytes) -> dict[str, bytes]:
    """Return a pickled dictionary from text to bytes; raises :class:`CheckFailed` for anything else."""
    if len(data) > MAX_PICKLE:
        raise CheckFailed("unpickler", "longer than any message")
    try:
        if _inspect(data) != len(data):
            raise CheckFailed("unpickler", "bytes after the end")
        value: Any = _PlainUnpickler(io.BytesIO(data)).load()
    except CheckFailed:
        raise
    except Exception as error:  # noqa: BLE001 - a broken pickle can raise nearly anything
        raise CheckFailed("unpickler", f"not a pickle ({type(error).__name__})") from None
    if type(value) is not dict or not all(type(k) is str and type(v) is bytes for k, v in value.items()):
        raise CheckFailed("unpickler", "not a dictionary from text to bytes")
    return value
