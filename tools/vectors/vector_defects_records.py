"""Cases for records, the layout and the order of payloads, and rekeys."""

from dataclasses import replace
from typing import Any

from low_order import LOW_ORDER_ENCODINGS
from vector_defects_handshake import flipped
from vector_forge import OTHER, Book, Pen

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import rekey
from securechat_tui.protocol.control import RekeyFirst, RekeySecond
from securechat_tui.protocol.encoding import lp, lp16, u8, u16, u32, u64
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import Empty, Ping

BASE = "first contact"
HOST, GUEST = (BASE, 13, "host"), (BASE, 16, "guest")
HELLO = (BASE, 5, "host")
RESUME = (BASE, 10, "host")
BAD_RECORD, BAD_PAYLOAD, BAD_PLACE, BAD_REKEY = (
    "record failure",
    "malformed payload",
    "out of place",
    "rekey failure",
)
Place = tuple[str, int, str]


def pen(book: Book, place: Place) -> Pen:
    """Return what seals the next record that the receiver of a place expects."""
    base, at, receiver = place
    return book.pen(base, at, OTHER[receiver])


def records(book: Book) -> None:
    """The record itself."""
    for place in (HOST, GUEST):
        record = book.frame(BASE, place[1])[5:]
        name = f"at the {place[2]}"
        for what, at in {"epoch": 0, "epoch's last byte": 3, "ciphertext": 4, "tag": -1}.items():
            data = frame(FrameType.RECORD, flipped(record, at))
            book.add("record", f"a bit of the {what} {name}", place, data, BAD_RECORD)
        sound = frame(FrameType.RECORD, record)
        book.add("record", f"as it was {name}", place, sound, "accepted")
        book.add("record", f"repeated {name}", place, 2 * sound, BAD_RECORD)
    binding(book)
    paddings(book)
    sizes(book)


def binding(book: Book) -> None:
    """Records of another place, and other associated data."""

    def add(what: str, data: bytes) -> None:
        book.add("record", what, HOST, data, BAD_RECORD)

    empty = Empty().encode()
    add("one left out", book.frame(BASE, 14))
    add("an earlier one", book.frame(BASE, 11))
    add("the receiver's own", book.frame(BASE, 12))
    add("of another session", book.frame("unsigned and gone", 13))
    add("cut to the smallest size", frame(FrameType.RECORD, book.frame(BASE, 13)[5 : 5 + 276]))
    add("sealed as record 0", replace(pen(book, HOST), sequence=0).write(empty))
    add(
        "sealed with the next sequence number",
        replace(pen(book, HOST), sequence=pen(book, HOST).sequence + 1).write(empty),
    )
    add(
        "sealed with the key after the next",
        replace(pen(book, HOST).skip(), sequence=pen(book, HOST).sequence).write(empty),
    )
    add("sealed for the other direction", replace(pen(book, HOST), direction=1).write(empty))
    add("sealed for another session", replace(pen(book, HOST), session_id=bytes(32)).write(empty))
    add("sealed under another label", replace(pen(book, HOST), label=c.LABEL_CONTENT).write(empty))
    add("of epoch 1, which has not begun", replace(pen(book, HOST), epoch=1).write(empty))
    other = pen(book, HOST).write(empty)
    add("sealed for epoch 0, marked as of epoch 1", other[:5] + u32(1) + other[9:])


def paddings(book: Book) -> None:
    """Plaintexts that are not padded as section 10 says."""
    one = lp(Empty().encode())
    ping = lp(Ping(answer=True, token=9).encode())
    bad = {
        "a size that is not listed": one.ljust(512, b"\0"),
        "a size one step too large": one.ljust(1024, b"\0"),
        "the largest size for a small payload": one.ljust(65536, b"\0"),
        "a payload of 253 bytes in 256": u32(253) + bytes(252),
        "a length beyond the plaintext": u32(65533).ljust(256, b"\0"),
        "the greatest length": b"\xff\xff\xff\xff".ljust(256, b"\0"),
        "the first byte of padding is 1": (one + b"\1").ljust(256, b"\0"),
        "the last byte of padding is 1": one.ljust(255, b"\0") + b"\1",
        "257 bytes": one.ljust(257, b"\0"),
        "a padded payload in front of another": (ping + ping).ljust(256, b"\0"),
    }
    for what, plaintext in bad.items():
        book.add("record", f"plaintext: {what}", HOST, pen(book, HOST).plaintext(plaintext), BAD_RECORD)


def sizes(book: Book) -> None:
    """The least and greatest payload of every size; a kind above 127 is ignored."""
    for size in c.RECORD_SIZES:
        for length in (size - 4, size - 3):
            if length <= c.MAX_PAYLOAD_LENGTH:
                data = pen(book, HOST).write(bytes((200,)) + bytes(length - 1))
                book.add("record", f"a payload of {length} bytes", HOST, data, "accepted")


def layouts(book: Book) -> None:
    """Payloads that do not follow their layout."""
    for kind, payload in sample_payloads(book).items():
        if kind in {Kind.SIGNED, Kind.UNSIGNED}:
            continue  # these end with their content
        for what, data in {"a byte short": payload[:-1], "a byte too many": payload + b"\0"}.items():
            if not data:
                continue
            place = HELLO if kind is Kind.HELLO else HOST
            book.add("payload", f"{kind.name}, {what}", place, pen(book, place).write(data), BAD_PAYLOAD)
    bad = {
        "no kind": b"",
        "kind 0": b"\0",
        "kind 18": b"\x12",
        "kind 127": b"\x7f",
        "SIGNED without its content's place": book.payload(BASE, 14)[:300],
        "UNSIGNED, cut in its number": u8(Kind.UNSIGNED) + bytes(20),
        "PING with answer 2": u8(Kind.PING) + u8(2) + bytes(8),
        "GONE with signed 2": u8(Kind.GONE) + bytes(16) + u64(1) + u8(2) + bytes(32),
        "GOODBYE with reason 0": u8(Kind.GOODBYE) + u8(0),
        "GOODBYE with reason 5": u8(Kind.GOODBYE) + u8(5),
        "COMPARISON_STOP with reason 0": u8(Kind.COMPARISON_STOP) + u8(0),
        "COMPARISON_STOP with reason 3": u8(Kind.COMPARISON_STOP) + u8(3),
        "SIGNATURE of no messages": u8(Kind.SIGNATURE) + u8(0) + bytes(32) + lp16(bytes(384)),
        "SIGNATURE of 129 messages": u8(Kind.SIGNATURE) + u8(129) + bytes(32) + lp16(bytes(384)),
        "SIGNATURE with 513 bytes": u8(Kind.SIGNATURE) + u8(1) + bytes(32) + lp16(bytes(513)),
        "REKEY_FIRST with a signature of 513 bytes": u8(13) + u32(1) + bytes(1216) + lp16(bytes(513)),
    }
    for what, payload in bad.items():
        book.add("payload", what, HOST, pen(book, HOST).write(payload), BAD_PAYLOAD)
    good = {
        "kind 128 alone": b"\x80",
        "kind 255 with anything behind": b"\xff" + bytes(range(200)),
        "PING": Ping(answer=False, token=2**64 - 1).encode(),
        "PING, an answer to no question": Ping(answer=True, token=77).encode(),
        "EMPTY": Empty().encode(),
    }
    for what, payload in good.items():
        book.add("payload", what, HOST, pen(book, HOST).write(payload), "accepted")
    for reason in range(1, 5):
        data = pen(book, HOST).write(u8(Kind.GOODBYE) + u8(reason))
        book.add("payload", f"GOODBYE with reason {reason}", HOST, data, "accepted")


def sample_payloads(book: Book) -> dict[Kind, bytes]:
    """Return a well-formed payload of every kind."""
    rekeys = {
        kind: book.payload("rekeys", book.find("rekeys", kind, role))
        for kind, role in (("REKEY_FIRST", "guest"), ("REKEY_SECOND", "host"))
    }
    return {
        Kind.HELLO: book.payload(BASE, 5),
        Kind.RESUME: book.payload(BASE, 10),
        Kind.SIGNED: book.payload(BASE, 14),
        Kind.UNSIGNED: book.payload("unsigned and gone", 15),
        Kind.SIGNATURE: book.payload(BASE, 13),
        Kind.ACKNOWLEDGEMENT: book.payload(BASE, 15),
        Kind.GONE: book.payload("unsigned and gone", 16),
        Kind.COMPARISON_ASK: u8(Kind.COMPARISON_ASK),
        Kind.COMPARISON_COMMIT: u8(Kind.COMPARISON_COMMIT) + bytes(32),
        Kind.COMPARISON_REPLY: u8(Kind.COMPARISON_REPLY) + bytes(32),
        Kind.COMPARISON_REVEAL: u8(Kind.COMPARISON_REVEAL) + bytes(32),
        Kind.COMPARISON_STOP: u8(Kind.COMPARISON_STOP) + u8(1),
        Kind.REKEY_FIRST: rekeys["REKEY_FIRST"],
        Kind.REKEY_SECOND: rekeys["REKEY_SECOND"],
        Kind.PING: Ping(answer=True, token=1).encode(),
        Kind.EMPTY: Empty().encode(),
        Kind.GOODBYE: u8(Kind.GOODBYE) + u8(1),
    }


def hellos(book: Book) -> None:
    """The first payload of a side."""

    def hello(name: bytes, flags: int = 0) -> bytes:
        return u8(Kind.HELLO) + lp16(name) + u64(1) + u8(flags)

    good = {
        "without a name": hello(b""),
        "with a name of 256 bytes": hello(b"n" * 256),
        "with every flag": hello(b"alice", 255),
        "with control characters in its name": hello(b"a\x1b[31m\0"),
    }
    for what, payload in good.items():
        book.add("payload", f"HELLO {what}", HELLO, pen(book, HELLO).write(payload), "accepted")
    bad = {
        "with a name of 257 bytes": hello(b"n" * 257),
        "with a name that is not UTF-8": hello(b"\xff"),
        "with half a surrogate pair in its name": hello(b"\xed\xa0\x80"),
        "with a name longer than itself": u8(Kind.HELLO) + u16(200) + bytes(9),
    }
    for what, payload in bad.items():
        book.add("payload", f"HELLO {what}", HELLO, pen(book, HELLO).write(payload), BAD_PAYLOAD)


def order(book: Book) -> None:
    """Payloads where they have no place."""
    samples = sample_payloads(book)
    content = (Kind.SIGNED, Kind.UNSIGNED, Kind.SIGNATURE, Kind.ACKNOWLEDGEMENT, Kind.GONE)
    for kind, payload in samples.items():
        if kind is not Kind.HELLO:
            data = pen(book, HELLO).write(payload)
            book.add("order", f"{kind.name} before HELLO", HELLO, data, BAD_PLACE)
    book.add("order", "kind 200 before HELLO", HELLO, pen(book, HELLO).write(b"\xc8"), BAD_PLACE)
    for kind in content:
        data = pen(book, RESUME).write(samples[kind])
        book.add("order", f"{kind.name} before RESUME", RESUME, data, BAD_PLACE)
    for place in (RESUME, HOST):
        again = pen(book, place).write(samples[Kind.HELLO])
        book.add("order", f"a second HELLO at frame {place[1]}", place, again, BAD_PLACE)
    for kind in (Kind.COMPARISON_ASK, Kind.PING, Kind.EMPTY, Kind.GOODBYE):
        data = pen(book, RESUME).write(samples[kind])
        book.add("order", f"{kind.name} before RESUME", RESUME, data, "accepted")


FIRST, SECOND = ("rekeys", 16, "host"), ("rekeys", 19, "guest")
SWITCH, LATER = ("rekeys", 21, "host"), ("rekeys", 25, "host")


def first_half(book: Book, name: str = "alice", t3: bytes = b"", **fields: Any) -> RekeyFirst:
    """Return the recorded first half with other fields, signed anew by ``name``."""
    sound = RekeyFirst(*_half(book, 16, c.MLKEM_KEY_LENGTH))
    half = replace(sound, **fields)
    message = rekey.first_message(
        t3 or book.value("rekeys", "t3"), half.epoch, half.x25519, half.encapsulation_key
    )
    return half if "signature" in fields else replace(half, signature=book.sign(name, message))


def second_half(
    book: Book, name: str = "bob", t3: bytes = b"", first: bytes = b"", **fields: Any
) -> RekeySecond:
    """Return the recorded second half with other fields, signed anew by ``name``."""
    sound = RekeySecond(*_half(book, 19, c.MLKEM_CIPHERTEXT_LENGTH))
    half = replace(sound, **fields)
    answered = first or book.payload("rekeys", 16)
    message = rekey.second_message(
        t3 or book.value("rekeys", "t3"), half.epoch, answered, half.x25519, half.ciphertext
    )
    return half if "signature" in fields else replace(half, signature=book.sign(name, message))


def _half(book: Book, at: int, length: int) -> tuple[int, bytes, bytes, bytes]:
    payload = book.payload("rekeys", at)
    return (
        int.from_bytes(payload[1:5], "big"),
        payload[5:37],
        payload[37 : 37 + length],
        payload[39 + length :],
    )


def rekeys(book: Book) -> None:
    """Both halves of a rekey, and the records around it."""
    first_halves(book)
    second_halves(book)
    epochs(book)


def first_halves(book: Book) -> None:
    """What the host refuses."""

    def add(what: str, half: RekeyFirst, outcome: str = BAD_REKEY) -> None:
        book.add("rekey", f"first half {what}", FIRST, pen(book, FIRST).write(half), outcome)

    sound = first_half(book)
    add("signed anew", sound, "accepted")
    for epoch in (0, 2, 2**32 - 1):
        add(f"for epoch {epoch}", first_half(book, epoch=epoch))
    add("with one bit of its signature changed", first_half(book, signature=flipped(sound.signature, 7)))
    add("without a signature", first_half(book, signature=b""))
    add("signed by another", first_half(book, "carol"))
    add("signed for another session", first_half(book, t3=book.value(BASE, "t3")))
    add("with another key than signed", replace(sound, x25519=flipped(sound.x25519, 0)))
    for number, point in enumerate(LOW_ORDER_ENCODINGS[::2]):
        add(f"with an X25519 key of low order, {number}", first_half(book, x25519=point))
    wrong = b"\xff\xff\xff" + sound.encapsulation_key[3:]
    add("with ML-KEM coefficients above q", first_half(book, encapsulation_key=wrong))
    twice = pen(book, FIRST).write(sound, sound)
    book.add("rekey", "first half twice", FIRST, twice, BAD_REKEY)
    t3 = book.value(BASE, "t3")
    other = first_half(book, t3=t3)
    data = pen(book, HOST).write(other)
    book.add("rekey", "first half in the second of the first record", HOST, data, BAD_REKEY)
    book.add("rekey", "first half after 999 ms", HOST, data, BAD_REKEY, ms=999)
    book.add("rekey", "first half after 1000 ms", HOST, data, "accepted", ms=1000)
    early = pen(book, LATER).write(first_half(book, epoch=2))
    book.add("rekey", "first half right after a rekey", LATER, early, BAD_REKEY)
    book.add("rekey", "first half a second after a rekey", LATER, early, "accepted", ms=1000)
    at_guest = pen(book, ("rekeys", 15, "guest")).write(sound)
    book.add("rekey", "first half at the guest", ("rekeys", 15, "guest"), at_guest, BAD_REKEY)


def second_halves(book: Book) -> None:
    """What the guest refuses."""

    def add(what: str, half: RekeySecond, outcome: str = BAD_REKEY) -> None:
        book.add("rekey", f"second half {what}", SECOND, pen(book, SECOND).write(half), outcome)

    sound = second_half(book)
    add("signed anew", sound, "accepted")
    for epoch in (0, 2):
        add(f"for epoch {epoch}", second_half(book, epoch=epoch))
    add("with one bit of its signature changed", second_half(book, signature=flipped(sound.signature, 7)))
    add("signed by another", second_half(book, "carol"))
    add("signed for another session", second_half(book, t3=book.value(BASE, "t3")))
    add("signed for another first half", second_half(book, first=first_half(book).encode() + b"\0"))
    add("with another ciphertext than signed", replace(sound, ciphertext=flipped(sound.ciphertext, 0)))
    for number, point in enumerate(LOW_ORDER_ENCODINGS[::2]):
        add(f"with an X25519 key of low order, {number}", second_half(book, x25519=point))
    place = ("rekeys", 15, "guest")
    book.add("rekey", "second half that answers none", place, pen(book, place).write(sound), BAD_REKEY)
    at_host = pen(book, FIRST).write(sound)
    book.add("rekey", "second half at the host", FIRST, at_host, BAD_REKEY)
    again = pen(book, SECOND).write(sound, sound)
    book.add("rekey", "second half twice, in the old epoch", SECOND, again, BAD_RECORD)


def epochs(book: Book) -> None:
    """Records of the old, the new and other epochs."""
    old, new = book.pen("rekeys", 18, "guest").skip(), book.pen("rekeys", 21, "guest")
    empty = Empty().encode()

    def add(what: str, data: bytes, outcome: str, place: Place = SWITCH) -> None:
        book.add("rekey", what, place, data, outcome)

    add("one more record of the guest in the old epoch", replace(old).write(empty), "accepted")
    add("the guest's first record in the new epoch", replace(new).write(empty), "accepted")
    after = replace(old, sequence=new.sequence + 1)
    both = replace(new).write(empty) + after.write(empty)
    add("the old epoch after the new one", both, BAD_RECORD)
    add("the epoch after the next", replace(new, epoch=2).write(empty), BAD_RECORD)
    add("the new epoch with a sequence that starts anew", replace(new, sequence=0).write(empty), BAD_RECORD)
    add("the new epoch with the key of the old", replace(old, epoch=1).write(empty), BAD_RECORD)
    late = book.pen("rekeys", 15, "host").skip()
    place = ("rekeys", 22, "guest")
    stale = replace(late.skip(), sequence=book.pen("rekeys", 22, "host").sequence)
    add("the host's old epoch after its second half", stale.write(empty), BAD_RECORD, place)


def record_cases(book: Book) -> None:
    """Add all of them."""
    for part in (records, layouts, hellos, order, rekeys):
        part(book)
