"""A message's way whose bytes are the same in every run: real layouts, filled from a hash."""

import hashlib

from securechat_tui.chat.steps import Noted
from securechat_tui.chat.wire import way_of
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.content import text_content
from securechat_tui.protocol.encoding import u32
from securechat_tui.protocol.payloads import Payload, Signature, Signed
from securechat_tui.protocol.records import Trace, pad
from securechat_tui.protocol.signing import Header, Seen


def filled(name: str, length: int) -> bytes:
    """Bytes that look like any others, and are always these."""
    return hashlib.shake_256(name.encode()).digest(length)


def _trace(place: int, payload: Payload, *, opened: bool) -> Trace:
    data = payload.encode()
    plaintext = pad(data)
    record = u32(0) + filled(f"record {place}", len(plaintext) + c.AEAD_TAG_LENGTH)
    return Trace(opened, 0, place, data, plaintext, b"", record, filled(f"key {place}", 32))


def pinned_way(number: int, text: str, *, own: bool) -> tuple[Noted, ...]:
    """The steps of a signed message."""
    conversation, author, recipient, previous, content = (
        filled(name, c.HASH_LENGTH) for name in ("conversation", "author", "recipient", "previous", "content")
    )
    generation = filled("generation", c.GENERATION_LENGTH)
    when = 1_795_262_400_000
    header = Header(conversation, author, recipient, generation, number, previous, Seen(), when, content)
    signature = Signature(1, filled("root", c.HASH_LENGTH), filled("signature", 384))
    message = Signed(header.encode(), filled("salt", c.HASH_LENGTH), 0, 1, (), text_content(text))
    payloads: tuple[Payload, ...] = (signature, message)
    traces = [_trace(place, one, opened=not own) for place, one in enumerate(payloads, 4)]
    return way_of(traces, number, own=own)
