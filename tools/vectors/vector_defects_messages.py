"""Cases for signed and unsigned messages, GONE, acknowledgements and RESUME."""

from dataclasses import replace

from vector_defects_handshake import flipped
from vector_defects_records import Place
from vector_forge import OTHER, Book, Letter
from vector_identities import identity

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.encoding import encode, u8
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
    decode_payload,
    text_content,
)
from securechat_tui.protocol.primitives import sha256
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, Seen

BASE = "first contact"
FIRST, SECOND = (BASE, 13, "host"), (BASE, 19, "host")
ACKNOWLEDGED = (BASE, 15, "guest")
MIXED = ("unsigned and gone", 22, "host")
BATCH = ("batches", 27, "host")
UNSIGNED, ORDER, MALFORMED = "signature failure", "out of order", "malformed payload"


def due(book: Book, place: Place = FIRST) -> Letter:
    """Return the message that is due at a place."""
    return Letter.due(book, place[0], place[1], OTHER[place[2]])


def recorded(book: Book, place: Place) -> tuple[Signature, Signed]:
    """Return the SIGNATURE and the first SIGNED that were recorded there."""
    base, at, _ = place
    fields, leaf = book.transcripts[base]["frames"][at]["signature"], book.transcripts[base]["frames"][at + 1]
    signature = Signature(fields["count"], bytes.fromhex(fields["root"]), bytes.fromhex(fields["signature"]))
    parts = {name: leaf["message"][name] for name in ("header", "salt", "index", "count", "path", "content")}
    header, salt, content = (bytes.fromhex(parts[name]) for name in ("header", "salt", "content"))
    path = tuple(map(bytes.fromhex, parts["path"]))
    return signature, Signed(header, salt, parts["index"], parts["count"], path, content)


def signatures(book: Book) -> None:
    """SIGNATURE."""
    sound, leaf = recorded(book, FIRST)

    def add(what: str, signature: Signature, outcome: str = UNSIGNED) -> None:
        book.say("SIGNATURE", what, FIRST, (signature,), outcome)

    letter = due(book)
    conversation, root = letter.header.conversation, sound.root
    add("as it was", sound, "accepted")
    add("with one bit changed", replace(sound, signature=flipped(sound.signature, 100)))
    add("over another root", replace(sound, root=flipped(sound.root, 0)))
    add("for another count", replace(sound, count=2))
    add("that is empty", replace(sound, signature=b""))
    add("that is one byte short", replace(sound, signature=sound.signature[:-1]))
    message = signing.batch_message(conversation, 1, root)
    add("of another", replace(sound, signature=book.sign("carol", message)))
    add("of the recipient", replace(sound, signature=book.sign("bob", message)))
    other = signing.batch_message(bytes(32), 1, root)
    add("for another conversation", replace(sound, signature=book.sign("alice", other)))
    label = encode(c.LABEL_ROTATION, conversation, u8(1), root)
    add("under another label", replace(sound, signature=book.sign("alice", label)))
    salted = book.sign_with_salt("alice", message, 20)
    add("with a salt of 20 bytes", replace(sound, signature=salted))
    twice = (sound, sound, leaf)
    book.say("SIGNATURE", "twice, then its leaf", FIRST, twice, "accepted")


def leaves(book: Book) -> None:
    """SIGNED against its SIGNATURE."""
    sound, leaf = recorded(book, FIRST)

    def add(what: str, payloads: tuple[bytes | Payload, ...], outcome: str = UNSIGNED) -> None:
        book.say("SIGNED", what, FIRST, payloads, outcome)

    add("as it was", (sound, leaf), "accepted")
    add("without a SIGNATURE", (leaf,))
    for what, at in HEADER_FIELDS.items():
        add(f"with a bit of its {what} changed", (sound, replace(leaf, header=flipped(leaf.header, at))))
    add("with a bit of its salt changed", (sound, replace(leaf, salt=flipped(leaf.salt, 0))))
    add("with a bit of its text changed", (sound, replace(leaf, content=flipped(leaf.content, -1))))
    add("with a text cut short", (sound, replace(leaf, content=leaf.content[:-1])))
    longer = replace(leaf, count=2, path=(bytes(32),))
    add("with another count than its SIGNATURE", (sound, longer))
    later = due(book).payloads(book)[0]
    add("behind another SIGNATURE than its own", (sound, later, leaf))
    places(book, sound, leaf)


HEADER_FIELDS = {
    "label": 0,
    "conversation": 31,
    "author": 63,
    "recipient": 95,
    "generation": 127,
    "number": 150,
    "previous": 151,
    "seen generation": 183,
    "seen number": 206,
    "seen hash": 207,
    "claimed time": 246,
    "content hash": 247,
}


def places(book: Book, sound: Signature, leaf: Signed) -> None:
    """Index, count and path; the leaf of a batch of three."""
    for index, count in ((1, 1), (0, 0), (255, 255), (128, 129), (0, 129)):
        data = bytearray(leaf.encode())
        data[312], data[313] = index, count
        what = f"at index {index} of {count}"
        book.say("SIGNED", what, FIRST, (sound, bytes(data)), MALFORMED, answer="close")
    batch, first = recorded(book, BATCH)

    def add(what: str, leaf: Signed, outcome: str = UNSIGNED) -> None:
        book.say("SIGNED", f"of a batch of 3: {what}", BATCH, (batch, leaf), outcome)

    add("as it was", first, "accepted")
    add("with another index", replace(first, index=1))
    for step in (0, 1):
        path = tuple(flipped(one, 31) if step == i else one for i, one in enumerate(first.path))
        add(f"with a bit of step {step} of its path changed", replace(first, path=path))
    add("with its path in the other order", replace(first, path=first.path[::-1]))
    shorter = first.encode()[: 314 + 32] + first.content
    book.say(
        "SIGNED",
        "of a batch of 3: with a path of one step",
        BATCH,
        (batch, shorter),
        MALFORMED,
        answer="close",
    )
    longer = first.encode()[: 314 + 64] + bytes(32) + first.content
    book.say("SIGNED", "of a batch of 3: with a path of three steps", BATCH, (batch, longer), UNSIGNED)
    second = book.payload("batches", 29)
    book.say("SIGNED", "of a batch of 3: the second before the first", BATCH, (batch, second), ORDER)


def headers(book: Book) -> None:
    """Headers that are signed as they should be and say what they should not."""

    def add(what: str, letter: Letter, outcome: str, place: Place = FIRST) -> None:
        book.say("header", what, place, letter.payloads(book), outcome)

    letter, second = due(book), due(book, SECOND)
    bob = identity("bob").public.fingerprint
    carol = identity("carol").public.fingerprint
    add("made anew", letter, "accepted")
    add(
        "author and recipient exchanged", letter.altered(author=bob, recipient=letter.header.author), UNSIGNED
    )
    add("for another recipient", letter.altered(recipient=carol), UNSIGNED)
    add("of another author", letter.altered(author=carol), UNSIGNED)
    add(
        "of another conversation",
        replace(letter, header=replace(letter.header, conversation=bytes(32))),
        UNSIGNED,
    )
    label = letter.header.encode()
    wrong = letter.payloads(book, flipped(label, 20))
    book.say("header", "under another label", FIRST, wrong, MALFORMED)
    add("of another generation", letter.altered(generation=b"\7" * 16), ORDER)
    add("of no generation", letter.altered(generation=NO_GENERATION), ORDER)
    for number in (0, 2, 2**64 - 1):
        add(f"number {number} in the place of 1", letter.altered(number=number), ORDER)
    add("number 3 in the place of 2", second.altered(number=3), ORDER, SECOND)
    add("another number 1 after the first", second.altered(number=1, previous=NO_HASH), ORDER, SECOND)
    add("a first message that names a previous one", letter.altered(previous=b"\7" * 32), ORDER)
    add("a second one that names none", second.altered(previous=NO_HASH), ORDER, SECOND)
    add("another content hash", letter.altered(content_hash=sha256(b"")), UNSIGNED)
    add("claimed in the year 1970", letter.altered(claimed_ms=0), "accepted")
    add("claimed at the end of time", letter.altered(claimed_ms=2**64 - 1), "accepted")
    repeated = recorded(book, FIRST)
    book.say("header", "a repetition", SECOND, repeated, "accepted")
    seens(book)


def seens(book: Book) -> None:
    """What a header says that its author has seen."""
    letter = due(book, SECOND)
    frames = book.transcripts[BASE]["frames"]
    theirs = frames[17]["message"]
    generation, item = (
        bytes.fromhex(one) for one in (theirs["header_fields"]["generation"], theirs["header_hash"])
    )
    cases = {
        "what was sent": (Seen(generation, 1, item), "accepted"),
        "nothing": (Seen(), "accepted"),
        "another generation": (Seen(b"\7" * 16, 9, item), "accepted"),
        "another hash": (Seen(generation, 1, flipped(item, 0)), ORDER),
        "a number that was not sent": (Seen(generation, 2, item), ORDER),
        "number 0": (Seen(generation, 0, NO_HASH), ORDER),
        "the greatest number": (Seen(generation, 2**64 - 1, item), ORDER),
    }
    for what, (seen, outcome) in cases.items():
        book.say("header", f"seen: {what}", SECOND, letter.altered(seen=seen).payloads(book), outcome)


CONTENTS = {
    "of one byte": (b"\1x", "accepted"),
    "of 32768 bytes": (b"\1" + b"x" * 32768, "accepted"),
    "with control characters": (b"\1a\x1b]0;b\x07\xe2\x80\xae", "accepted"),
    "without a text": (b"\1", MALFORMED),
    "without anything": (b"", MALFORMED),
    "of type 0": (b"\0text", MALFORMED),
    "of type 2": (b"\2text", MALFORMED),
    "that is not UTF-8": (b"\1\xc3(", MALFORMED),
    "with half a surrogate pair": (b"\1\xed\xa0\x80", MALFORMED),
    "with a character cut off": (b"\1\xe2\x82", MALFORMED),
}
TOO_LONG = b"\1" + b"x" * 32769


def contents(book: Book) -> None:
    """What stands in a message."""
    letter = due(book)
    for what, (content, outcome) in CONTENTS.items():
        book.say("content", f"signed, {what}", FIRST, letter.saying(content).payloads(book), outcome)
        unsigned = Unsigned(letter.header.generation, 1, 0, content)
        book.say("content", f"unsigned, {what}", FIRST, (unsigned,), outcome)
    signed = letter.saying(TOO_LONG).payloads(book)
    book.say("content", "signed, of 32769 bytes", FIRST, signed, MALFORMED, answer="close")
    unsigned = Unsigned(letter.header.generation, 1, 0, TOO_LONG)
    book.say("content", "unsigned, of 32769 bytes", FIRST, (unsigned,), MALFORMED, answer="close")
    bad = letter.saying(b"\2text")
    gone = Gone(letter.header.generation, 1, signed=True, item=signing.header_hash(bad.header.encode()))
    book.say("content", "of type 2, after its GONE", FIRST, (gone, *bad.payloads(book)), MALFORMED)


def numbered(book: Book) -> None:
    """UNSIGNED and GONE, after the first six messages of their transcript."""
    mixed = due(book, MIXED)
    frames = book.transcripts[MIXED[0]]["frames"]
    generation = mixed.header.generation
    text = text_content("unsigned")

    def add(what: str, *payloads: Payload | bytes, outcome: str = ORDER) -> None:
        book.say("numbered", what, MIXED, payloads, outcome)

    add("UNSIGNED, number 7", Unsigned(generation, 7, 0, text), outcome="accepted")
    add("UNSIGNED, number 8", Unsigned(generation, 8, 0, text))
    add("UNSIGNED, number 0", Unsigned(generation, 0, 0, text))
    add("UNSIGNED of another generation", Unsigned(b"\7" * 16, 7, 0, text))
    add("UNSIGNED, repeated", book.payload(MIXED[0], 15), outcome="accepted")
    add("UNSIGNED, repeated with another time", Unsigned(generation, 2, 0, text))
    add("UNSIGNED under the number of a signed one", Unsigned(generation, 1, 0, text))
    item = bytes.fromhex(frames[16]["gone"]["item"])
    add("GONE, number 7", Gone(generation, 7, signed=False, item=item), outcome="accepted")
    add("GONE, number 8", Gone(generation, 8, signed=False, item=item))
    add("GONE, number 0", Gone(generation, 0, signed=False, item=item))
    add("GONE of another generation", Gone(b"\7" * 16, 7, signed=False, item=item))
    add("GONE, repeated", book.payload(MIXED[0], 16), outcome="accepted")
    add("GONE, repeated with another item", Gone(generation, 3, signed=True, item=bytes(32)))
    following(book, generation)


def following(book: Book, generation: bytes) -> None:
    """What the header after an unsigned message or a GONE has to name as previous."""
    mixed = due(book, MIXED)
    item = b"\5" * 32
    after = mixed.altered(number=8)
    gone = Gone(generation, 7, signed=True, item=item)
    unsigned_gone = Gone(generation, 7, signed=False, item=item)
    words = Unsigned(generation, 7, 0, text_content("unsigned"))
    for what, before, named, outcome in (
        ("a signed GONE, which it names", gone, item, "accepted"),
        ("a signed GONE, which it does not name", gone, mixed.header.previous, ORDER),
        ("an unsigned GONE, which it does not name", unsigned_gone, mixed.header.previous, "accepted"),
        ("an unsigned GONE, which it names", unsigned_gone, item, ORDER),
        ("an unsigned message, which it does not name", words, mixed.header.previous, "accepted"),
        (
            "an unsigned message, which it names",
            words,
            signing.unsigned_item(words.fields(), words.content),
            ORDER,
        ),
    ):
        payloads = (before, *after.altered(previous=named).payloads(book))
        book.say("numbered", f"a signed message after {what}", MIXED, payloads, outcome)


def acknowledgements(book: Book) -> None:
    """ACKNOWLEDGEMENT, at a guest that has written one message."""
    frames = book.transcripts[BASE]["frames"]
    fields = frames[15]["acknowledgement"]
    generation, running = bytes.fromhex(fields["generation"]), bytes.fromhex(fields["running"])
    start = signing.running_start(
        due(book).header.conversation, identity("alice").public.fingerprint, generation
    )
    sound = Acknowledgement(generation, 1, running)

    def add(what: str, *words: Acknowledgement, outcome: str = ORDER) -> None:
        book.say("ACKNOWLEDGEMENT", what, ACKNOWLEDGED, words, outcome)

    add("as it was", sound, outcome="accepted")
    add("of nothing yet", Acknowledgement(generation, 0, start), outcome="accepted")
    add("twice", sound, sound, outcome="accepted")
    add("of less than before", sound, Acknowledgement(generation, 0, bytes(32)), outcome="accepted")
    add("of another generation", Acknowledgement(b"\7" * 16, 99, bytes(32)), outcome="accepted")
    add("of what was not written", Acknowledgement(generation, 2, running))
    add("of the greatest number", Acknowledgement(generation, 2**64 - 1, running))
    add("with another running hash", Acknowledgement(generation, 1, flipped(running, 0)))
    add("of nothing, with another running hash", Acknowledgement(generation, 0, running))
    add("again, with another running hash", sound, Acknowledgement(generation, 1, start))


def resumes(book: Book) -> None:
    """RESUME, first and repeated."""
    base = "resumed"
    place, again = (base, 8, "guest"), (base, 21, "host")
    frames = book.transcripts[base]["frames"]
    word = _resume(book, base, 8)

    def add(what: str, word: Resume, outcome: str) -> None:
        book.say("RESUME", what, place, (word,), outcome)

    start = signing.running_start(
        word.conversation, identity("alice").public.fingerprint, word.peer_generation
    )
    cut = [one for one in book.transcripts["cut"]["frames"] if one["from"] == "guest" and "message" in one]
    running = {one["message"]["number"]: bytes.fromhex(one["message"]["running"]) for one in cut}
    add("as it was", word, "accepted")
    add("of another conversation", replace(word, conversation=bytes(32)), "protocol violation")
    add("without a generation", replace(word, generation=NO_GENERATION), ORDER)
    add("of a new generation", replace(word, generation=b"\7" * 16), "accepted")
    nothing = replace(word, peer_generation=NO_GENERATION, high=0, running=NO_HASH)
    add("that knows nothing of the receiver", nothing, "accepted")
    add("that knows another generation", replace(nothing, peer_generation=b"\7" * 16), "accepted")
    add("that holds nothing of what it acknowledged", replace(word, high=0, running=start), "accepted")
    add("that holds just what was acknowledged", replace(word, high=2, running=running[2]), "accepted")
    add("that holds all that was written", replace(word, high=5, running=running[5]), "accepted")
    add("that holds less than it acknowledged", replace(word, high=1, running=running[1]), "gated")
    add("that holds more than was written", replace(word, high=6, running=running[5]), "gated")
    add("that holds the greatest number", replace(word, high=2**64 - 1), "gated")
    add("with another running hash", replace(word, running=flipped(word.running, 0)), "gated")
    guests = _resume(book, base, 10)
    last = replace(guests, high=guests.high + 1, running=bytes.fromhex(frames[19]["message"]["running"]))
    book.say("RESUME", "again", again, (last,), "accepted")
    new = replace(last, generation=b"\7" * 16)
    letter = due(book, again)
    book.say("RESUME", "again, with a new generation", again, (new,), "accepted")
    old = letter.payloads(book)
    book.say("RESUME", "again, then a message of the old generation", again, (new, *old), ORDER)
    first = letter.altered(generation=b"\7" * 16, number=1, previous=NO_HASH).payloads(book)
    book.say("RESUME", "again, then a message of the new generation", again, (new, *first), "accepted")
    third = letter.altered(generation=b"\7" * 16, previous=NO_HASH).payloads(book)
    book.say("RESUME", "again, then the old numbering", again, (new, *third), ORDER)


def first_resumes(book: Book) -> None:
    """The guest's first RESUME, where it knows the host's generation already, and holds nothing of it."""
    place = (BASE, 10, "host")
    theirs = _resume(book, BASE, 8)
    author = identity("bob").public.fingerprint
    start = signing.running_start(theirs.conversation, author, theirs.generation)
    word = replace(_resume(book, BASE, 10), peer_generation=theirs.generation, high=0, running=start)
    for what, one, outcome in (
        ("of a generation of which nothing was written", word, "accepted"),
        ("of nothing, with another running hash", replace(word, running=NO_HASH), "gated"),
        ("of number 1, which was not written", replace(word, high=1), "gated"),
    ):
        book.say("RESUME", what, place, (one,), outcome)


def _resume(book: Book, base: str, at: int) -> Resume:
    """Return a RESUME that was recorded."""
    word = decode_payload(book.payload(base, at))
    if not isinstance(word, Resume):
        raise TypeError(f"frame {at} of {base} is no RESUME")
    return word


def message_cases(book: Book) -> None:
    """Add all of them."""
    for part in (signatures, leaves, headers, contents, numbered, acknowledgements, resumes, first_resumes):
        part(book)
