"""Payloads: round trips of every kind, strict decoding, bounds."""

from dataclasses import fields
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_peers import Pair

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import payloads as p
from securechat_tui.protocol.encoding import Reader, encode, lp
from securechat_tui.protocol.errors import LocalError, MalformedPayload
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.payloads import Kind, Payload, decode_payload
from securechat_tui.protocol.signing import Header, path_length
from securechat_tui.protocol.text import SafeText

b16 = st.binary(min_size=16, max_size=16)
b32 = st.binary(min_size=32, max_size=32)
u32 = st.integers(0, 2**32 - 1)
u64 = st.integers(0, 2**64 - 1)
signatures = st.binary(max_size=512)
contents = st.binary(max_size=100) | st.just(b"\1" + b"x" * c.MAX_TEXT_LENGTH)
names = st.text(max_size=60).map(SafeText.name)


@st.composite
def signed(draw: st.DrawFn) -> p.Signed:
    count = draw(st.integers(1, 128))
    index = draw(st.integers(0, count - 1))
    length = path_length(index, count)
    path = tuple(draw(st.lists(b32, min_size=length, max_size=length)))
    header = draw(st.binary(min_size=Header.LENGTH, max_size=Header.LENGTH))
    return p.Signed(header, draw(b32), index, count, path, draw(contents))


STEPS = [Kind.COMPARISON_COMMIT, Kind.COMPARISON_REPLY, Kind.COMPARISON_REVEAL]
STRATEGIES: dict[type[Payload], st.SearchStrategy[Payload]] = {
    p.Hello: st.builds(p.Hello, names, u64, st.integers(0, 3).map(p.HelloFlag)),
    p.Resume: st.builds(p.Resume, b32, b16, b16, u64, b32),
    p.Signed: signed(),
    p.Unsigned: st.builds(p.Unsigned, b16, u64, u64, contents),
    p.Signature: st.builds(p.Signature, st.integers(1, 128), b32, signatures),
    p.Acknowledgement: st.builds(p.Acknowledgement, b16, u64, b32),
    p.Gone: st.builds(p.Gone, b16, u64, st.booleans(), b32),
    p.ComparisonAsk: st.builds(p.ComparisonAsk),
    p.ComparisonStep: st.builds(p.ComparisonStep, st.sampled_from(STEPS), b32),
    p.ComparisonStop: st.builds(p.ComparisonStop, st.sampled_from(p.StopReason)),
    p.RekeyFirst: st.builds(p.RekeyFirst, u32, b32, st.binary(min_size=1184, max_size=1184), signatures),
    p.RekeySecond: st.builds(p.RekeySecond, u32, b32, st.binary(min_size=1088, max_size=1088), signatures),
    p.Ping: st.builds(p.Ping, st.booleans(), u64),
    p.Empty: st.builds(p.Empty),
    p.Goodbye: st.builds(p.Goodbye, st.sampled_from(p.GoodbyeReason)),
}
EXAMPLES: list[Payload] = [
    p.Hello(SafeText.line("bøb"), 1, p.HelloFlag.DURABLE),
    p.Resume(b"c" * 32, b"g" * 16, b"p" * 16, 7, b"r" * 32),
    p.Signed(b"h" * Header.LENGTH, b"s" * 32, 2, 5, (b"p" * 32,) * 3, b"\1text"),
    p.Unsigned(b"g" * 16, 9, 1, b"\1text"),
    p.Signature(128, b"r" * 32, b"s" * 384),
    p.Acknowledgement(b"g" * 16, 9, b"r" * 32),
    p.Gone(b"g" * 16, 9, signed=True, item=b"i" * 32),
    p.ComparisonAsk(),
    p.ComparisonStep(Kind.COMPARISON_COMMIT, b"v" * 32),
    p.ComparisonStep(Kind.COMPARISON_REPLY, b"v" * 32),
    p.ComparisonStep(Kind.COMPARISON_REVEAL, b"v" * 32),
    p.ComparisonStop(p.StopReason.MISMATCH),
    p.RekeyFirst(1, b"x" * 32, b"k" * 1184, b"s" * 384),
    p.RekeySecond(1, b"x" * 32, b"k" * 1088, b"s" * 512),
    p.Ping(answer=True, token=5),
    p.Empty(),
    p.Goodbye(p.GoodbyeReason.REPLACED),
]
CONTENT_LENGTH = len(b"\1text")


def named(payload: Payload) -> str:
    return Kind(payload.encode()[0]).name


def strategy_name(kind: type[Payload]) -> str:
    return kind.__name__


def refuse(data: bytes) -> None:
    with pytest.raises(MalformedPayload):
        decode_payload(data)


def test_every_kind_is_tried() -> None:
    assert set(STRATEGIES) == set(get_args(Payload))
    assert {payload.encode()[0] for payload in EXAMPLES} == set(Kind)


@pytest.mark.parametrize("kind", list(STRATEGIES), ids=strategy_name)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_payload_is_decoded_as_it_was_encoded(kind: type[Payload], data: st.DataObject) -> None:
    payload = data.draw(STRATEGIES[kind])
    encoded = payload.encode()
    assert decode_payload(encoded) == payload
    assert len(encoded) <= c.MAX_PAYLOAD_LENGTH


@pytest.mark.parametrize("payload", EXAMPLES, ids=named)
def test_every_truncation_is_refused(payload: Payload) -> None:
    encoded = payload.encode()
    fixed = len(encoded) - (CONTENT_LENGTH if isinstance(payload, p.Signed | p.Unsigned) else 0)
    for length in range(fixed):
        refuse(encoded[:length])


@pytest.mark.parametrize("payload", EXAMPLES, ids=named)
def test_one_more_byte_is_refused(payload: Payload) -> None:
    if not isinstance(payload, p.Signed | p.Unsigned):
        refuse(payload.encode() + b"\0")


@pytest.mark.parametrize("payload", [p.Signed, p.Unsigned], ids=strategy_name)
def test_content_over_the_bound_is_refused(payload: type[p.Signed | p.Unsigned]) -> None:
    (example,) = (one for one in EXAMPLES if type(one) is payload)
    head = example.encode()[:-CONTENT_LENGTH]
    full = b"\1" + b"x" * (32 * 1024)
    assert decode_payload(head + full) is not None
    refuse(head + full + b"x")


def test_no_payload_at_all_is_refused() -> None:
    refuse(b"")


def test_every_unknown_kind_below_128_is_refused() -> None:
    for kind in set(range(128)) - set(Kind):
        refuse(bytes((kind,)))
        refuse(bytes((kind,)) + bytes(100))


def test_every_unknown_kind_from_128_up_is_ignored() -> None:
    for kind in range(128, 256):
        assert decode_payload(bytes((kind,))) is None
        assert decode_payload(bytes((kind,)) + b"\xff" * 100) is None


def test_a_session_ignores_an_unknown_kind_and_refuses_a_forbidden_one() -> None:
    pair = Pair.open()
    pair.guest.smuggle(b"\xc8later")
    pair.run()
    assert pair.host.seen == []
    pair.guest.smuggle(b"\x63later")
    pair.run()
    assert pair.host.one(Ended) == Ended(End.VIOLATION, "malformed payload: unknown kind")


@pytest.mark.parametrize(
    ("payload", "position", "bad"),
    [
        (p.Gone(b"g" * 16, 9, signed=True, item=b"i" * 32), 1 + 16 + 8, (2, 255)),
        (p.Ping(answer=True, token=5), 1, (2, 255)),
        (p.Goodbye(p.GoodbyeReason.LEAVING), 1, (0, 5, 255)),
        (p.ComparisonStop(p.StopReason.DECLINED), 1, (0, 3, 255)),
        (p.Signature(1, b"r" * 32, b""), 1, (0, 129, 255)),
        (p.Signed(bytes(Header.LENGTH), bytes(32), 0, 1, (), b"\1x"), 1 + Header.LENGTH + 32, (1, 2, 255)),
        (p.Signed(bytes(Header.LENGTH), bytes(32), 0, 1, (), b"\1x"), 1 + Header.LENGTH + 33, (0, 129, 255)),
    ],
)
def test_a_value_outside_its_bounds_is_refused(payload: Payload, position: int, bad: tuple[int, ...]) -> None:
    encoded = bytearray(payload.encode())
    for value in bad:
        encoded[position] = value
        refuse(bytes(encoded))


@pytest.mark.parametrize("length", [513, 0xFFFF])
def test_a_signature_longer_than_any_key_makes_is_refused(length: int) -> None:
    body = length.to_bytes(2, "big") + bytes(length)
    refuse(bytes((Kind.SIGNATURE, 1)) + bytes(32) + body)
    refuse(bytes((Kind.REKEY_FIRST,)) + bytes(4 + 32 + 1184) + body)
    refuse(bytes((Kind.REKEY_SECOND,)) + bytes(4 + 32 + 1088) + body)


def hello_bytes(name: bytes, flags: int = 0) -> bytes:
    return bytes((Kind.HELLO,)) + len(name).to_bytes(2, "big") + name + bytes(8) + bytes((flags,))


@pytest.mark.parametrize(
    "name", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"x" * 257]
)
def test_a_name_that_is_not_utf8_or_too_long_is_refused(name: bytes) -> None:
    refuse(hello_bytes(name))


def test_a_name_is_made_safe_where_it_is_decoded() -> None:
    payload = decode_payload(hello_bytes("a\x1b[31m\u202eb".encode()))
    assert isinstance(payload, p.Hello)
    assert type(payload.name) is SafeText
    assert "\x1b" not in payload.name
    assert "\u202e" not in payload.name


def test_a_name_over_the_bound_is_not_sent() -> None:
    longest = SafeText.line("x" * c.MAX_NAME_LENGTH, c.MAX_NAME_LENGTH)
    assert decode_payload(p.Hello(longest, 0, p.HelloFlag(0)).encode()) is not None
    with pytest.raises(LocalError):
        p.Hello(SafeText.line("é" * 129), 0, p.HelloFlag(0)).encode()


def test_every_safe_name_fits() -> None:
    name = SafeText.name("\U0001f600" * 1000)
    assert len(p.Hello(name, 0, p.HelloFlag(0)).encode()) <= 1 + 2 + c.MAX_NAME_LENGTH + 9


def test_unknown_flags_of_a_hello_are_ignored() -> None:
    payload = decode_payload(hello_bytes(b"bob", 0xFD))
    assert isinstance(payload, p.Hello)
    assert payload.flags == p.HelloFlag.SIGNATURES_REQUIRED


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "unknown content"),
        (b"\0text", "unknown content"),
        (b"\2text", "unknown content"),
        (b"text", "unknown content"),
        (b"\1", "empty"),
        (b"\1\xff", "UTF-8"),
        (b"\1ok\xc3", "UTF-8"),
        (b"\1\xed\xa0\x80", "UTF-8"),
    ],
)
def test_content_that_is_no_text_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(MalformedPayload, match=reason):
        p.read_content(content)


@given(st.text(st.characters(categories=["L", "N", "Zs"], max_codepoint=0x24F), min_size=1))
def test_a_plain_text_survives_its_content(text: str) -> None:
    assert p.read_content(p.text_content(text)) == text


def test_a_text_is_made_safe_where_it_is_read() -> None:
    text = p.read_content(p.text_content("a\x1b]52;c;x\x07\u202e"))
    assert type(text) is SafeText
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=600))
def test_no_bytes_raise_anything_but_malformed(data: bytes) -> None:
    try:
        payload = decode_payload(data)
    except MalformedPayload:
        return
    if payload is not None and not isinstance(payload, p.Hello):
        assert payload.encode() == data


def test_what_people_wrote_is_in_no_repr() -> None:
    canary = b"\1CANARY-of-a-message"
    shown = repr(p.Unsigned(b"g" * 16, 1, 0, canary)) + repr(
        p.Signed(bytes(Header.LENGTH), b"SALT" * 8, 0, 1, (), canary)
    )
    assert "CANARY" not in shown
    assert "SALT" not in shown


def test_payloads_are_frozen_values() -> None:
    for example in EXAMPLES:
        assert hash(example) == hash(decode_payload(example.encode()))
        for field in fields(example):
            with pytest.raises(AttributeError):
                setattr(example, field.name, None)


@given(st.lists(st.binary(max_size=5)), st.lists(st.binary(max_size=5)))
def test_the_encoding_of_a_list_is_injective(one: list[bytes], other: list[bytes]) -> None:
    assert (encode(*one) == encode(*other)) == (one == other)
    assert encode(*one) == b"".join(map(lp, one))


def test_a_reader_keeps_to_its_bounds() -> None:
    assert Reader.whole(memoryview(b"ab")).take(2) == b"ab"
    assert Reader(b"abc").rest(3) == b"abc"
    for read in (
        lambda: Reader(b"abc").take(4),
        lambda: Reader(b"abc").rest(2),
        lambda: Reader(b"\3abc").bounded(1, 2),
        lambda: Reader(b"\4abc").bounded(1, 9),
        lambda: Reader(b"a").end(),
        lambda: Reader(b"\0\1\0").zeros(),
        lambda: Reader(b"a").number(2),
    ):
        with pytest.raises(MalformedPayload):
            read()
    Reader(bytes(5)).zeros()
    Reader(b"").end()


@pytest.mark.parametrize("place", [0, 2, 4])
def test_no_byte_but_zero_passes_for_padding(place: int) -> None:
    for value in range(1, 256):
        data = bytearray(5)
        data[place] = value
        with pytest.raises(MalformedPayload):
            Reader(bytes(data)).zeros()
