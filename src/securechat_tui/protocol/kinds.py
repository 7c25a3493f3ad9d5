"""The first byte of every payload."""

from enum import IntEnum
from typing import Final

FIRST_IGNORED_KIND: Final = 128


class Kind(IntEnum):
    """The first byte of a payload."""

    HELLO = 1
    RESUME = 2
    SIGNED = 3
    UNSIGNED = 4
    SIGNATURE = 5
    ACKNOWLEDGEMENT = 6
    GONE = 7
    COMPARISON_ASK = 8
    COMPARISON_COMMIT = 9
    COMPARISON_REPLY = 10
    COMPARISON_REVEAL = 11
    COMPARISON_STOP = 12
    REKEY_FIRST = 13
    REKEY_SECOND = 14
    PING = 15
    EMPTY = 16
    GOODBYE = 17
