"""The book of contacts as bytes: what goes in comes out, and damage is noticed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import book
from securechat_tui.storage import contacts as module
from securechat_tui.storage.contacts import NewerFormat, decode_contacts, encode_contacts
from securechat_tui.trust.pins import (
    MAX_ADDRESSES,
    MAX_CONTACTS,
    MAX_FORMER,
    MAX_HISTORY,
    MAX_OFFSET_MS,
    MAX_REFUSED,
    Change,
    ClockOffset,
    Contact,
    Pins,
)
from securechat_tui.trust.states import Trust

times = st.floats(0, 1e11)
digests = st.binary(min_size=32, max_size=32).map(Fingerprint)
secrets = st.none() | st.binary(min_size=32, max_size=32)
stored = st.sampled_from([Trust.PINNED, Trust.INVITED, Trust.VERIFIED, Trust.BLOCKED])


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    contact = Contact(
        name=SafeText.name(draw(st.text(max_size=50))),
        named=draw(st.booleans()),
        spki=draw(st.binary(min_size=1, max_size=550)),
        bits=draw(st.sampled_from([3072, 4096])),
        trust=draw(stored),
        history=(),
        first_seen=draw(times),
        last_seen=draw(times),
        version=draw(st.integers(1, 65535)),
        addresses=tuple(
            draw(
                st.lists(
                    st.tuples(st.text(min_size=1, max_size=300), st.integers(1, 65535)),
                    max_size=MAX_ADDRESSES,
                )
            )
        ),
        announced=draw(st.none() | digests),
        former=tuple(draw(st.lists(digests, max_size=MAX_FORMER))),
        refused=tuple(draw(st.lists(digests, max_size=MAX_REFUSED))),
        clock=draw(st.none() | st.builds(ClockOffset, st.integers(-MAX_OFFSET_MS, MAX_OFFSET_MS), times)),
        newest=draw(secrets),
        confirmed=draw(secrets),
    )
    changes = st.builds(
        Change,
        times,
        st.sampled_from(Trust),
        st.sampled_from(Trust),
        st.text(max_size=100),
        st.just(contact.fingerprint),
    )
    return replace(contact, history=tuple(draw(st.lists(changes, max_size=MAX_HISTORY))))


@st.composite
def books(draw: st.DrawFn) -> Pins:
    pins = Pins()
    for contact in draw(st.lists(contacts(), max_size=5)):
        pins = pins.with_contact(contact)
    return pins


def somebody(number: int = 1) -> Contact:
    return Contact(
        name=SafeText.name(f"person {number}"),
        spki=number.to_bytes(4, "big"),
        bits=3072,
        trust=Trust.PINNED,
        history=(),
        first_seen=1.0,
        last_seen=2.0,
        version=1,
        newest=b"N" * 32,
        confirmed=b"C" * 32,
    )


@given(pins=books())
def test_what_is_encoded_is_decoded(pins: Pins) -> None:
    assert decode_contacts(encode_contacts(pins)) == pins


def test_the_largest_book_fits() -> None:
    def largest(number: int) -> Contact:
        contact = replace(
            somebody(number),
            name=SafeText.name(chr(0x20000 + number) * 40),
            spki=number.to_bytes(550, "big"),
            addresses=tuple(("x" * 253, port) for port in range(65000, 65000 + MAX_ADDRESSES)),
            announced=Fingerprint(bytes(32)),
            former=(Fingerprint(bytes(32)),) * MAX_FORMER,
            refused=(Fingerprint(bytes(32)),) * MAX_REFUSED,
            clock=ClockOffset(-MAX_OFFSET_MS, 1234567890.1234567),
        )
        change = Change(1234567890.1234567, Trust.INVITED, Trust.VERIFIED, "h" * 100, contact.fingerprint)
        return replace(contact, history=(change,) * MAX_HISTORY)

    pins = Pins(tuple(map(largest, range(MAX_CONTACTS))))
    data = encode_contacts(pins)
    assert len(data) < book._MAX_BYTES
    assert decode_contacts(data) == pins


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def edit(data: bytes) -> bytes:
        book = json.loads(data)
        change(book["contacts"][0])
        return json.dumps(book).encode()

    return edit


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda data: data[: len(data) // 2],
    "not UTF-8": lambda data: data.replace(b"person", b"\xff\xfe"),
    "deep": lambda _: b"[" * 100_000,
    "another shape": lambda _: b"[]",
    "no format": lambda data: data.replace(b'"format"', b'"forms"'),
    "format 0": lambda data: data.replace(b'"format":1', b'"format":0'),
    "unknown field": edited(lambda one: one.update(more=1)),
    "missing field": edited(lambda one: one.pop("trust")),
    "wrong type": edited(lambda one: one.update(named="yes")),
    "short secret": edited(lambda one: one.update(newest="AAAA")),
    "no base64": edited(lambda one: one.update(spki="%%")),
    "unknown trust": edited(lambda one: one.update(trust="great")),
    "trust of a session": edited(lambda one: one.update(trust="new")),
    "bits": edited(lambda one: one.update(bits=1024)),
    "port": edited(lambda one: one.update(addresses=[["h", 65536]])),
    "time": edited(lambda one: one.update(last_seen=1e300)),
    "version": edited(lambda one: one.update(version=0)),
    "a short fingerprint": edited(lambda one: one.update(refused=["AAAA"])),
    "too many fingerprints": edited(lambda one: one.update(refused=["A" * 43 + "="] * (MAX_REFUSED + 1))),
    "offset of a clock": edited(lambda one: one.update(clock={"milliseconds": 10**15 + 1, "when": 1.0})),
    "half a clock": edited(lambda one: one.update(clock={"milliseconds": 1})),
    "name": edited(lambda one: one.update(name="x" * 41)),
    "twice": lambda data: data.replace(
        b'"contacts":[', b'"contacts":[' + json.dumps(json.loads(data)["contacts"][0]).encode() + b","
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_noticed(damage: str) -> None:
    good = encode_contacts(Pins((somebody(),)))
    damaged = DAMAGE[damage](good)
    assert damaged != good
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - msgspec's words are its own
        decode_contacts(damaged)
    assert not isinstance(refused.value, NewerFormat)


def test_a_name_edited_into_it_is_made_safe() -> None:
    data = edited(lambda one: one.update(name="e\x1bve"))(encode_contacts(Pins((somebody(),))))
    assert decode_contacts(data).contacts[0].name == "e␛ve"


def test_a_newer_format_is_no_damage() -> None:
    with pytest.raises(NewerFormat):
        decode_contacts(b'{"format": 2, "people": {}}')


def test_no_secret_is_in_what_is_shown() -> None:
    contact = somebody()
    record = module._ContactRecord.of(contact)
    whole = module._Book(format=1, contacts=(record,))
    for shown in (repr(contact), repr(Pins((contact,))), repr(record), str(record), repr(whole)):
        assert "NNNN" not in shown
        assert "CCCC" not in shown
    data = encode_contacts(Pins((contact,)))
    assert b"Tk5OTk5O" in data
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        decode_contacts(edited(lambda one: one.update(newest=one["newest"] + "AAAA"))(data))
    assert "Tk5OTk5O" not in str(refused.value)
