"""The typed messages inside records: one schema, strict decoding, every field bounded.

A payload is one byte of kind and its fields. Kinds below 128 that are not listed are refused;
kinds from 128 up are room for later additions and are ignored where they are not known.
"""

from collections.abc import Callable, Mapping

from securechat_tui.protocol.content import (
    Acknowledgement,
    Gone,
    Hello,
    HelloFlag,
    Resume,
    Signature,
    Signed,
    Unsigned,
    decode_utf8,
    read_content,
    text_content,
)
from securechat_tui.protocol.control import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Empty,
    Goodbye,
    GoodbyeReason,
    Ping,
    RekeyFirst,
    RekeySecond,
    StopReason,
)
from securechat_tui.protocol.encoding import Reader
from securechat_tui.protocol.errors import MalformedPayload
from securechat_tui.protocol.kinds import FIRST_IGNORED_KIND, Kind

__all__ = [
    "FIRST_IGNORED_KIND",
    "Acknowledgement",
    "ComparisonAsk",
    "ComparisonStep",
    "ComparisonStop",
    "Empty",
    "Gone",
    "Goodbye",
    "GoodbyeReason",
    "Hello",
    "HelloFlag",
    "Kind",
    "Payload",
    "Ping",
    "RekeyFirst",
    "RekeySecond",
    "Resume",
    "Signature",
    "Signed",
    "StopReason",
    "Unsigned",
    "decode_payload",
    "decode_utf8",
    "read_content",
    "text_content",
]

Payload = (
    Hello
    | Resume
    | Signed
    | Unsigned
    | Signature
    | Acknowledgement
    | Gone
    | ComparisonAsk
    | ComparisonStep
    | ComparisonStop
    | RekeyFirst
    | RekeySecond
    | Ping
    | Empty
    | Goodbye
)

_DECODERS: Mapping[int, Callable[[Reader], Payload]] = {
    Kind.HELLO: Hello.decode,
    Kind.RESUME: Resume.decode,
    Kind.SIGNED: Signed.decode,
    Kind.UNSIGNED: Unsigned.decode,
    Kind.SIGNATURE: Signature.decode,
    Kind.ACKNOWLEDGEMENT: Acknowledgement.decode,
    Kind.GONE: Gone.decode,
    Kind.COMPARISON_ASK: lambda _: ComparisonAsk(),
    Kind.COMPARISON_COMMIT: ComparisonStep.decoder(Kind.COMPARISON_COMMIT),
    Kind.COMPARISON_REPLY: ComparisonStep.decoder(Kind.COMPARISON_REPLY),
    Kind.COMPARISON_REVEAL: ComparisonStep.decoder(Kind.COMPARISON_REVEAL),
    Kind.COMPARISON_STOP: ComparisonStop.decode,
    Kind.REKEY_FIRST: RekeyFirst.decode,
    Kind.REKEY_SECOND: RekeySecond.decode,
    Kind.PING: Ping.decode,
    Kind.EMPTY: lambda _: Empty(),
    Kind.GOODBYE: Goodbye.decode,
}


def decode_payload(data: bytes) -> Payload | None:
    """Read a payload; None for an unknown kind that is to be ignored.

    Raises :class:`MalformedPayload` for an empty payload, an unknown kind below 128, and fields that
    are cut off, out of bounds or followed by more bytes.
    """
    if not data:
        raise MalformedPayload("no kind")
    decoder = _DECODERS.get(data[0])
    if decoder is None:
        if data[0] >= FIRST_IGNORED_KIND:
            return None
        raise MalformedPayload("unknown kind")
    reader = Reader(data, 1)
    payload = decoder(reader)
    reader.end()
    return payload
