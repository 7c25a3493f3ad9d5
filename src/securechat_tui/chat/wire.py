"""The steps of a message on its way through records, from what the session has recorded of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from securechat_tui.chat.steps import Field, Noted, Step, laid_out
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import frames
from securechat_tui.protocol.errors import RemoteError
from securechat_tui.protocol.frames import FrameType
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import Payload, Signature, Signed, Unsigned, decode_payload
from securechat_tui.protocol.records import Trace
from securechat_tui.protocol.signing import Header

__all__ = ["opened", "sealed", "way_of"]

_BOTH: Final = frozenset({"input", "output"})
_INPUT: Final = frozenset({"input"})
_OUTPUT: Final = frozenset({"output"})
_FRAME_HEADER: Final = (("type", 1), ("length", 4))
_HEADER: Final = (
    ("label", len(c.LABEL_HEADER)),
    ("conversation", c.HASH_LENGTH),
    ("author", c.HASH_LENGTH),
    ("recipient", c.HASH_LENGTH),
    ("generation", c.GENERATION_LENGTH),
    ("number", 8),
    ("previous header's hash", c.HASH_LENGTH),
    ("seen generation", c.GENERATION_LENGTH),
    ("seen number", 8),
    ("seen header's hash", c.HASH_LENGTH),
    ("claimed time", 8),
    ("content's hash", c.HASH_LENGTH),
)
_UNSIGNED: Final = (("generation", c.GENERATION_LENGTH), ("number", 8), ("claimed time", 8))


def _framed(trace: Trace) -> bytes:
    return frames.frame(FrameType.RECORD, trace.record)


def _record_fields(frame: bytes) -> tuple[Field, ...]:
    inner = len(frame) - sum(size for _, size in _FRAME_HEADER) - c.EPOCH_LENGTH - c.AEAD_TAG_LENGTH
    parts = (("epoch", c.EPOCH_LENGTH), ("ciphertext", inner), ("tag", c.AEAD_TAG_LENGTH))
    return laid_out(*_FRAME_HEADER, *parts)


def _key_name(trace: Trace) -> str:
    return f"record key {trace.sequence} of epoch {trace.epoch}, used once"


def sealed(trace: Trace) -> tuple[Step, ...]:
    """How a payload became a frame."""
    frame = _framed(trace)
    padding = Step("pad to a fixed size", trace.payload, trace.plaintext, "", "the length", reads=_BOTH)
    sealing = Step(
        "seal the record (AES-256-GCM)",
        trace.plaintext,
        frame,
        _key_name(trace),
        "everything, with its place, direction and session",
        _record_fields(frame),
        trace.key,
        _INPUT,
    )
    return padding, sealing


def opened(trace: Trace) -> tuple[Step, ...]:
    """How a frame became a payload."""
    frame = _framed(trace)
    fields = _record_fields(frame)
    arrival = Step("receive the record", frame, frame, "", "nothing: anybody can write a frame", fields)
    opening = Step(
        "open the record (AES-256-GCM)",
        frame,
        trace.plaintext,
        _key_name(trace),
        "fails for another bit, place, direction or session",
        secret=trace.key,
        reads=_OUTPUT,
    )
    bare = Step("take the padding off", trace.plaintext, trace.payload, "", "nothing more", reads=_BOTH)
    return arrival, opening, bare


def way_of(traces: Sequence[Trace], number: int, *, own: bool) -> tuple[Noted, ...]:
    """Return the steps of the latest message of this number; none where it was not recorded.

    ``own``: whether it is one's own message, else the peer's.
    """
    mine = [trace for trace in traces if trace.opened is not own]
    for place in range(len(mine) - 1, -1, -1):
        trace = mine[place]
        payload = _read(trace)
        if _number(payload) == number:
            signature = _signature_before(mine[:place]) if isinstance(payload, Signed) else ()
            way = _sent if own else _received
            return tuple(step for one in (*signature, trace) for step in way(one))
    return ()


def _signature_before(traces: Sequence[Trace]) -> tuple[Trace, ...]:
    """The signature of a batch goes before its messages."""
    latest = next((trace for trace in reversed(traces) if isinstance(_read(trace), Signature)), None)
    return () if latest is None else (latest,)


def _read(trace: Trace) -> Payload | None:
    """The payload; None for what a peer may have written that is none."""
    try:
        return decode_payload(trace.payload)
    except RemoteError:
        return None


def _number(payload: Payload | None) -> int:
    """The number of a message; 0, which none has, for everything else."""
    if isinstance(payload, Unsigned):
        return payload.number
    if not isinstance(payload, Signed):
        return 0
    try:
        return Header.decode(payload.header).number
    except RemoteError:
        return 0


def _sent(trace: Trace) -> Iterator[Noted]:
    key = "own identity key" if trace.payload[0] == Kind.SIGNATURE else ""
    for step in (_composed(trace.payload, key), *sealed(trace)):
        yield Noted("sending", step)


def _received(trace: Trace) -> Iterator[Noted]:
    key = "" if trace.payload[0] == Kind.UNSIGNED else "the peer's identity key"
    for step in (*opened(trace), _checked(trace.payload, key)):
        yield Noted("receiving", step)


def _composed(data: bytes, key: str) -> Step:
    payload = decode_payload(data)
    if isinstance(payload, Signature):
        name, protects = "sign the batch (RSA-PSS)", "who wrote it, to whom, as which message"
        return Step(name, payload.root, data, key, protects, _signature_fields(payload))
    fields = _message_fields(data, payload)
    content = data[fields[-1].start :]
    if isinstance(payload, Signed):
        name, protects = "write header, path and content", "its place and addressee, once it is signed"
    else:
        name, protects = "write number, time and content", "nothing yet: the session alone vouches for it"
    return Step(name, content, data, key, protects, fields, reads=_BOTH)


def _checked(data: bytes, key: str) -> Step:
    payload = decode_payload(data)
    if isinstance(payload, Signature):
        name, fields = "check the signature of the batch (RSA-PSS)", _signature_fields(payload)
        return Step(name, data, data, key, "fails by ending the session", fields)
    signed = isinstance(payload, Signed)
    name = "check path, addressee, number and previous hash" if signed else "check the number"
    return Step(
        name, data, data, key, "fails by ending the session", _message_fields(data, payload), reads=_BOTH
    )


def _signature_fields(payload: Signature) -> tuple[Field, ...]:
    parts = (("count", 1), ("root", c.HASH_LENGTH), ("signature's length", 2))
    return laid_out(("kind", 1), *parts, ("signature", len(payload.signature)))


def _message_fields(data: bytes, payload: Payload | None) -> tuple[Field, ...]:
    if isinstance(payload, Signed):
        path = ("path", c.HASH_LENGTH * len(payload.path))
        before: tuple[tuple[str, int], ...] = (*_HEADER, ("salt", c.HASH_LENGTH), ("place", 2), path)
    else:
        before = _UNSIGNED
    content = len(data) - 1 - sum(size for _, size in before)
    present = [(name, size) for name, size in before if size]
    return laid_out(("kind", 1), *present, ("content's kind", 1), ("text", content - 1))
