"""The messages received, as they came from the engine: for their details, and to be copied."""

import zlib
from typing import Final

import msgspec

from securechat_tui.chat.events import Message, SafeText
from securechat_tui.tui.widgets.log_store import PackedStore

__all__ = ["MessageArchive"]

_FASTEST: Final = 1


def _decoded(kind: type, value: object) -> object:
    if kind is SafeText:
        return SafeText(str(value))
    raise TypeError(f"nothing of the kind {kind.__name__} is in a message")


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=str)
_DECODER: Final = msgspec.msgpack.Decoder(list[Message], dec_hook=_decoded)


def _pack(messages: list[Message]) -> bytes:
    """Pack messages. Conversation, author and name are much the same in all: hence the compression."""
    return zlib.compress(_ENCODER.encode(messages), _FASTEST)


def _unpack(data: bytes) -> list[Message]:
    return _DECODER.decode(zlib.decompress(data))


class MessageArchive(PackedStore[Message]):
    """Messages in the order in which they came; the older ones take little room."""

    def __init__(self) -> None:
        super().__init__(_pack, _unpack)
