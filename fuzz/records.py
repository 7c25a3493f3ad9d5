"""Records and what is inside of them: padding, payloads, headers, contents."""

from functools import cache, partial

from fuzz import recorded
from fuzz.harness import Harness, refused
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.content import Hello, HelloFlag
from securechat_tui.protocol.encoding import u32, u64
from securechat_tui.protocol.errors import MalformedPayload, RecordFailure
from securechat_tui.protocol.payloads import (
    FIRST_IGNORED_KIND,
    Acknowledgement,
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Empty,
    Gone,
    Goodbye,
    GoodbyeReason,
    Kind,
    Payload,
    Ping,
    RekeyFirst,
    RekeySecond,
    Resume,
    Signature,
    Signed,
    StopReason,
    Unsigned,
    decode_payload,
    decode_utf8,
    read_content,
    text_content,
)
from securechat_tui.protocol.records import Chain, Direction, Receiver, Sender, pad, unpad
from securechat_tui.protocol.signing import Header, Seen
from securechat_tui.protocol.text import SafeText

_SESSION = bytes(32)
_LONGEST_PAYLOAD = 2048
_LONGEST_RECORD = 5000


def check_padding(data: bytes) -> bool:
    """The plaintext of a record, at least as long as the shortest one."""
    plaintext = data.ljust(c.RECORD_SIZES[0], b"\0")
    payload = refused(lambda: unpad(plaintext), RecordFailure)
    assert payload is None or pad(payload) == plaintext
    return payload is not None


def _paddings() -> list[bytes]:
    return [
        b"",
        pad(b"x" * 252),
        pad(b"x" * 253),
        pad(b"x" * 1020),
        pad(b"x" * 1021),
        pad(b"")[:-1] + b"\1",
        u32(252) + bytes(1020),
        b"\xff" * 256,
        *(plaintext.rstrip(b"\0") for plaintext in recorded.plaintexts() if len(plaintext) < _LONGEST_RECORD),
    ]


@cache
def _chain() -> Chain:
    return Chain.start(bytes(32), Direction.GUEST, 0)


def check_record(data: bytes) -> bool:
    """A record; or, behind a first byte from 128 up, a plaintext sealed with the right key."""
    if not data:
        return False
    receiver = Receiver(_SESSION, Direction.GUEST, _chain())
    if data[0] & 0x40:
        receiver.expect(Chain(1, b"n" * 32))
    record = data[1:] if data[0] < 0x80 else _sealed(data[1:].ljust(c.RECORD_SIZES[0], b"\0"))
    before = (receiver.chain, receiver.sequence, receiver.upcoming)
    payload = refused(lambda: receiver.open(record), RecordFailure)
    if payload is None:
        assert (receiver.chain, receiver.sequence, receiver.upcoming) == before
        return False
    assert receiver.sequence == 1
    assert Sender(_SESSION, Direction.GUEST, _chain()).seal(payload) == record
    return True


def _sealed(plaintext: bytes) -> bytes:
    """Seal a plaintext as the first record, whether or not it is one that a sender makes."""
    sender = Sender(_SESSION, Direction.GUEST, _chain())
    _, key = sender.chain.step()
    return u32(0) + primitives.seal(key, plaintext, sender._binding + u32(0) + u64(0))


def _records() -> list[bytes]:
    sealed = Sender(_SESSION, Direction.GUEST, _chain()).seal(b"\x10")
    return [
        b"\0" + sealed,
        b"\x40" + sealed,
        b"\x40" + u32(1) + sealed[4:],
        b"\0" + u32(1) + sealed[4:],
        b"\0" + sealed[:-1],
        *(b"\x80" + plaintext for plaintext in _paddings()),
    ]


def check_payload(data: bytes) -> bool:
    """A payload: what is decoded is encoded to the same bytes, but for a name that was made harmless."""
    try:
        payload = decode_payload(data)
    except MalformedPayload:
        return False
    if payload is None:
        assert data[0] >= FIRST_IGNORED_KIND
        return True
    again = payload.encode()
    if isinstance(payload, Hello):
        assert decode_payload(again) == payload
    else:
        assert again == data
    return True


HEADER = Header(
    b"c" * 32, b"a" * 32, b"r" * 32, b"g" * 16, 7, b"p" * 32, Seen(b"s" * 16, 3, b"h" * 32), 9, b"x" * 32
)

_PAYLOADS: tuple[Payload, ...] = (
    Hello(SafeText("Zoë"), 1_700_000_000_000, HelloFlag.DURABLE),
    Resume(b"c" * 32, b"g" * 16, bytes(16), 0, bytes(32)),
    Signed(HEADER.encode(), b"s" * 32, 0, 1, (), text_content("hi")),
    Signed(HEADER.encode(), b"s" * 32, 5, 6, (b"1" * 32, b"2" * 32), text_content("hi")),
    Unsigned(b"g" * 16, 1, 2, text_content("hi")),
    Signature(3, b"r" * 32, b"s" * 384),
    Acknowledgement(b"g" * 16, 4, b"r" * 32),
    Gone(b"g" * 16, 4, signed=True, item=b"i" * 32),
    ComparisonAsk(),
    *(
        ComparisonStep(kind, b"v" * 32)
        for kind in (Kind.COMPARISON_COMMIT, Kind.COMPARISON_REPLY, Kind.COMPARISON_REVEAL)
    ),
    *map(ComparisonStop, StopReason),
    RekeyFirst(1, b"x" * 32, b"e" * c.MLKEM_KEY_LENGTH, b"s" * 384),
    RekeySecond(1, b"x" * 32, b"c" * c.MLKEM_CIPHERTEXT_LENGTH, b"s" * 512),
    Ping(answer=False, token=1),
    Empty(),
    *map(Goodbye, GoodbyeReason),
)


def _payloads() -> list[bytes]:
    """One of each kind, each also cut short and too long."""
    whole = [payload.encode() for payload in _PAYLOADS]
    broken = [*(one[:-1] for one in whole), *(one + b"\0" for one in whole), b"\x12"]
    return [*whole, *broken, *(one for one in recorded.payloads() if len(one) <= _LONGEST_PAYLOAD)]


def check_header(data: bytes) -> bool:
    """A message's header."""
    header = refused(lambda: Header.decode(data), MalformedPayload)
    assert header is None or header.encode() == data
    return header is not None


def _headers() -> list[bytes]:
    good = HEADER.encode()
    kept = [one[1 : 1 + Header.LENGTH] for one in recorded.payloads() if one[0] == Kind.SIGNED]
    return [good, good[:-1], good + b"\0", b"x" + good[1:], *kept]


def check_content(data: bytes) -> bool:
    """A message's content."""
    text = refused(lambda: read_content(data), MalformedPayload)
    if text is None:
        return False
    assert type(text) is SafeText
    assert text_content(decode_utf8(data[1:])) == data
    return True


def _contents() -> list[bytes]:
    texts = ("hi", "one\r\ntwo", "\x1b[31m\u202e", "\U0001f468\u200d\U0001f469", "a" + "\u0301" * 9)
    hand_made = [*map(text_content, texts), b"\1", b"\2hi", b"\1\xff", b"\1\xed\xa0\x80", b""]
    bodies = (refused(partial(decode_payload, one), MalformedPayload) for one in recorded.payloads())
    return [*hand_made, *(body.content[:1024] for body in bodies if isinstance(body, Signed | Unsigned))]


HARNESSES = (
    Harness("padding", check_padding, _paddings, _LONGEST_RECORD),
    Harness("payload", check_payload, _payloads, _LONGEST_PAYLOAD),
    Harness("header", check_header, _headers, 400),
    Harness("content", check_content, _contents, 1024),
    Harness("record", check_record, _records, _LONGEST_RECORD),
)
