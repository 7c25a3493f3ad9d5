"""A stream of any length under one key, in pieces that are each authentic in their place.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizar, 2015): each piece is sealed with its number
and whether it is the last, so that none can be left out, doubled, moved, or cut off the end. Every piece has
a key of its own, derived with its number, for AES-256-GCM with the zero nonce. Memory stays that of two
pieces.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import encode, u8, u64

__all__ = ["PIECE_LENGTH", "BrokenStream", "sealed", "unsealed"]

PIECE_LENGTH: Final = 64 * 1024
"""Bytes of every piece but the last, before sealing."""
_SEALED_LENGTH: Final = PIECE_LENGTH + 16
_LABEL_PIECE: Final = b"securechat-tui/1 backup piece"


class BrokenStream(Exception):
    """A piece is damaged, missing or in another place."""


def sealed(key: bytes, head: bytes, content: Iterable[bytes]) -> Iterator[bytes]:
    """Seal a stream under a key that is used for nothing else; ``head`` is what it must stand behind."""
    buffer, number = bytearray(), 0
    for part in content:
        buffer += part
        while len(buffer) > PIECE_LENGTH:
            yield primitives.seal(
                _key(key, number), bytes(buffer[:PIECE_LENGTH]), _place(head, number, False)
            )
            del buffer[:PIECE_LENGTH]
            number += 1
    yield primitives.seal(_key(key, number), bytes(buffer), _place(head, number, True))


def unsealed(key: bytes, head: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Open what :func:`sealed` made, from here to the file's end; raises :class:`BrokenStream`.

    Nothing is known to be complete before the end is reached.
    """
    piece, number, is_last = file.read(_SEALED_LENGTH), 0, False
    while not is_last:
        following = file.read(_SEALED_LENGTH)
        is_last = not following
        try:
            yield primitives.unseal(_key(key, number), piece, _place(head, number, is_last))
        except primitives.CryptoFailure:
            raise BrokenStream from None
        piece, number = following, number + 1


def _key(key: bytes, number: int) -> bytes:
    return primitives.hkdf_expand(key, _LABEL_PIECE, u64(number))


def _place(head: bytes, number: int, is_last: bool) -> bytes:
    return encode(head, u64(number), u8(is_last))
