"""Cases for frames, K1, K2, S and FIN: one thing wrong in each, or nothing."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from der_keys import PSS_OID, rsa_spki
from low_order import LOW_ORDER_ENCODINGS
from vector_forge import Book, ForgedK2, ForgedS
from vector_identities import identity
from vector_odd_keys import OddKey, odd_keys

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import encode, lp16, u8, u16, u32
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.primitives import sha256

BASE = "first contact"
K1, K2, S, FIN_H, FIN_G = (
    (BASE, 0, "host"),
    (BASE, 1, "guest"),
    (BASE, 2, "host"),
    (BASE, 3, "guest"),
    (BASE, 4, "host"),
)
HOST, GUEST = (BASE, 13, "host"), (BASE, 16, "guest")
BAD = "handshake failure"
REFUSED = "frame refused"

STATES = {
    "await K1": (K1, "K", 1, 2048),
    "await K2": (K2, "KH", 3698, 3698),
    "await S": (S, "S", 2832, 2832),
    "await FIN at the guest": (FIN_H, "F", 32, 32),
    "await FIN at the host": (FIN_G, "F", 32, 32),
    "established, host": (HOST, "M", 276, 65556),
    "established, guest": (GUEST, "M", 276, 65556),
}
"""State: place, letters that it admits, least and greatest length of the first one."""


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    """Return the bytes with one of them changed."""
    changed = bytearray(data)
    changed[at] ^= mask
    return bytes(changed)


def frames(book: Book) -> None:
    """Types and lengths that the state does not admit."""
    for state, (place, letters, least, most) in STATES.items():
        for letter in "KSFMHk\0":
            if letter not in letters:
                shown = letter.encode().hex()
                book.add("frame", f"type {shown} in {state}", place, letter.encode(), REFUSED)
        kind = letters[0].encode()
        for length in sorted({0, least - 1, most + 1, 0xFFFFFFFF}):
            book.add("frame", f"length {length} in {state}", place, kind + u32(length), REFUSED)
        book.add("frame", f"a header without its last byte in {state}", place, kind + bytes(3), "accepted")
    hints(book)


def hints(book: Book) -> None:
    """What a host may say in the place of K2, and what not."""
    good = {
        "busy": bytes((1, 1)) + u16(1),
        "no common version": bytes((2, 2)) + u16(9) + u16(2),
        "without versions": bytes((1, 0)),
        "of sixteen versions": bytes((2, 16)) + b"".join(map(u16, range(1, 17))),
    }
    for what, payload in good.items():
        book.add("hint", what, K2, frame(FrameType.HINT, payload), "hint")
    for code in (0, 3, 255):
        payload = bytes((code, 1)) + u16(1)
        book.add("hint", f"code {code}", K2, frame(FrameType.HINT, payload), BAD)
    bad = {
        "one byte": b"\1",
        "65 bytes": bytes((1, 31)) + bytes(63),
        "seventeen versions": bytes((1, 17)) + bytes(34),
        "a version cut off": bytes((1, 2)) + u16(1),
        "a byte too many": bytes((1, 1)) + u16(1) + b"\0",
    }
    for what, payload in bad.items():
        book.add("hint", what, K2, frame(FrameType.HINT, payload), REFUSED)


def k1(book: Book) -> None:
    """The guest's first message."""
    payload = book.frame(BASE, 0)[5:]
    keys = payload[3:]

    def add(what: str, data: bytes, outcome: str = BAD, answer: str = "close") -> None:
        book.add("K1", what, K1, frame(FrameType.KEY, data), outcome, answer=answer)

    add("as it was", payload, "accepted")
    add("no versions", b"\0" + keys)
    add("seventeen versions", b"\x11" + b"".join(map(u16, range(17, 0, -1))) + keys)
    add("versions in ascending order", b"\2\0\1\0\2" + keys)
    add("a version twice", b"\2\0\1\0\1" + keys)
    add("the version list alone, cut off", b"\2\0\1")
    add("nothing but the version list", b"\1\0\1")
    add("no common version", b"\1\0\2" + keys, "version mismatch", "hint")
    add("no common version, and nothing after it", b"\1\0\2", "version mismatch", "hint")
    add("version 0 alone", b"\1\0\0" + keys, "version mismatch", "hint")
    add("two versions, one in common", b"\2\0\2\0\1" + keys, "accepted")
    sixteen = b"\x10" + b"".join(map(u16, range(16, 0, -1))) + keys
    add("sixteen versions", sixteen, "accepted")
    add("one byte short", payload[:-1])
    add("one byte too many", payload + b"\0")
    add("a tag of another secret", flipped(payload, -1), "accepted")
    add("another X25519 key", flipped(payload, 3), "accepted")
    for number, point in enumerate(LOW_ORDER_ENCODINGS):
        add(f"X25519 key of low order, {number}", payload[:3] + point + payload[35:])
    for where, at in (("first", 35), ("last", 35 + 1152 - 3)):  # a coefficient of 4095 is not below q
        add(f"{where} ML-KEM coefficients above q", payload[:at] + b"\xff\xff\xff" + payload[at + 3 :])
    q = 3329
    at_q = bytes((q & 255, q >> 8)) + payload[37:]
    add(
        "first ML-KEM coefficient is q",
        payload[:35] + bytes((at_q[0], at_q[1] | payload[36] & 0xF0)) + payload[37:],
    )


def strange_keys(name: str) -> dict[str, bytes]:
    """Return SPKIs that are no RSA keys, or not in the one encoding that section 6 admits."""
    spki = identity(name).public.spki
    n = identity(name).public._key.public_numbers().n
    p256 = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    ed = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    der, info = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return {
        "of no bytes": b"",
        "that is not DER": b"\xff" * len(spki),
        "cut off": spki[:-1],
        "with a byte behind it": spki + b"\0",
        "with a needless length byte": rsa_spki(n, loose=True),
        "without parameters": rsa_spki(n, parameters=b""),
        "of algorithm RSASSA-PSS": rsa_spki(n, oid=PSS_OID),
        "with an even modulus": rsa_spki(n + 1),
        "on P-256": p256.public_bytes(der, info),
        "on Ed25519": ed.public_bytes(der, info),
    }


def bad_signatures(book: Book, name: str) -> dict[str, bytes]:
    """Return signatures of a form that is never right, or right under another key only."""
    own = book.sign(name, b"something else")
    return {
        "no signature": b"",
        "zeros": bytes(len(own)),
        "another text": own,
        "one byte short": own[:-1],
        "the greatest number": b"\xff" * len(own),
        "513 bytes": bytes(513),
    }


def rotation_lists() -> dict[str, bytes]:
    """Return lists of statements that do not decode."""
    one = bytes(32) + b"\1" * 32 + u32(1) + lp16(bytes(384))
    return {
        "three rotation statements": u8(3) + 3 * one,
        "a rotation signature of 513 bytes": u8(1) + one[:68] + lp16(bytes(513)),
    }


def k2(book: Book) -> None:
    """The host's answer."""
    payload = book.frame(BASE, 1)[5:]
    forge = ForgedK2(book, BASE)

    def add(what: str, data: bytes, outcome: str = BAD) -> None:
        book.add("K2", what, K2, data, outcome)

    add("as it was", book.frame(BASE, 1), "accepted")
    add("sealed and signed anew", forge.frame(), "accepted")
    add("of another host", ForgedK2(book, BASE, signer="carol").frame(), "accepted")
    carol = identity("carol")._key.private_numbers()
    by_hand = OddKey((carol.p, carol.q)).sign(
        ForgedK2(book, BASE, signer="carol").message(book.value(BASE, "t1"))
    )
    add("signed by hand", ForgedK2(book, BASE, signer="carol", signature=by_hand).frame(), "accepted")
    bits = {"version": 1, "X25519 key": 2, "ct": 34, "E_H": 1122, "the tag of E_H": -1}
    for what, at in bits.items():
        add(f"a bit of {what}", frame(FrameType.KEY, flipped(payload, at)))
    for number, point in enumerate(LOW_ORDER_ENCODINGS[::2]):
        data = payload[:2] + point + payload[34:]
        add(f"X25519 key of low order, {number}", frame(FrameType.KEY, data))
    add("the answer to another call", book.frame("versions", 1))
    add("version 2", ForgedK2(book, BASE, version=2).frame(), "version mismatch")
    add("version 0", ForgedK2(book, BASE, version=0).frame(), "version mismatch")
    add("no version in common in E_H", ForgedK2(book, BASE, versions=b"\1\0\2").frame(), "version mismatch")
    add("more versions in E_H", ForgedK2(book, BASE, versions=b"\2\0\2\0\1").frame(), "accepted")
    for what, versions in {"no": b"\0", "ascending": b"\2\0\1\0\2", "equal": b"\2\0\1\0\1"}.items():
        add(f"{what} versions in E_H", ForgedK2(book, BASE, versions=versions).frame())
    seventeen = b"\x11" + b"".join(map(u16, range(17, 0, -1)))
    add("seventeen versions in E_H", ForgedK2(book, BASE, versions=seventeen).frame())
    several = ("versions", 1, "guest")
    book.add("K2", "not the highest common version", several, _downgraded(book), "version mismatch")
    for what, spki in strange_keys("bob").items():
        add(f"a key {what}", ForgedK2(book, BASE, spki=spki).frame())
    for what, key in odd_keys(book.drawn).items():
        bare = ForgedK2(book, BASE, spki=key.spki)
        signature = key.sign(bare.message(book.value(BASE, "t1")))
        add(f"a key {what}", replace(bare, signature=signature).frame())
    add("the guest's own key", ForgedK2(book, BASE, signer="alice").frame(), "own fingerprint")
    k2_signatures(book)


def _downgraded(book: Book) -> bytes:
    """The guest offers 9, 2 and 1; the host says that it speaks 7, 2 and 1, and takes 1."""
    return ForgedK2(book, "versions", versions=b"\3\0\7\0\2\0\1").frame()


def k2_signatures(book: Book) -> None:
    """The host's signature, the rotations beside it, and the padding behind it."""

    def add(what: str, forged: ForgedK2, outcome: str = BAD) -> None:
        book.add("K2", what, K2, forged.frame(), outcome)

    spki, t1 = identity("bob").public.spki, book.value(BASE, "t1")
    for what, signature in bad_signatures(book, "bob").items():
        add(f"signature: {what}", ForgedK2(book, BASE, signature=signature))
    add("signed by another", ForgedK2(book, BASE, spki=spki, signer="carol"))
    add("signed under the guest's label", ForgedK2(book, BASE, label=c.LABEL_GUEST_SIGNATURE))
    add("signed for another T1", ForgedK2(book, BASE, signed_t1=book.value("versions", "t1")))
    add("signed with another fingerprint", ForgedK2(book, BASE, fingerprint=sha256(b"")))
    names = (t1, sha256(spki), spki, b"\2\0\2\0\1", b"\0")
    other = book.sign("bob", encode(c.LABEL_HOST_SIGNATURE, *names))
    add("signed with another version list", ForgedK2(book, BASE, signature=other))
    salted = book.sign_with_salt("bob", ForgedK2(book, BASE).message(t1), 20)
    add("signed with a salt of 20 bytes", ForgedK2(book, BASE, signature=salted))
    for what, rotations in rotation_lists().items():
        add(what, ForgedK2(book, BASE, rotations=rotations))
    statement = bytes(32) + b"\1" * 32 + u32(1) + lp16(bytes(384))
    add("one rotation statement of a stranger", ForgedK2(book, BASE, rotations=u8(1) + statement), "accepted")
    add("two rotation statements", ForgedK2(book, BASE, rotations=u8(2) + 2 * statement), "accepted")
    room = c.HOST_SECTION_LENGTH - len(ForgedK2(book, BASE).named(t1))
    for what, padding in {"last": b"\1", "first": b"\1" + bytes(room - 1)}.items():
        add(f"the {what} byte of the padding is 1", ForgedK2(book, BASE, padding=padding))


def s(book: Book) -> None:
    """The guest's second message."""
    payload = book.frame(BASE, 2)[5:]

    def add(what: str, data: bytes, outcome: str = BAD) -> None:
        book.add("S", what, S, data, outcome)

    add("as it was", book.frame(BASE, 2), "accepted")
    add("sealed and signed anew", ForgedS(book, BASE).frame(), "accepted")
    for what, at in {"E_G": 0, "the middle": 1400, "the tag of E_G": -1}.items():
        add(f"a bit of {what}", frame(FrameType.SESSION, flipped(payload, at)))
    add("of another handshake", book.frame("versions", 2))
    for what, spki in strange_keys("alice").items():
        add(f"a key {what}", ForgedS(book, BASE, spki=spki).frame())
    for what, key in odd_keys(book.drawn).items():
        bare = ForgedS(book, BASE, spki=key.spki)
        signature = key.sign(bare.message(book.value(BASE, "t2")))
        add(f"a key {what}", replace(bare, signature=signature).frame())
    add("the host's own key", ForgedS(book, BASE, signer="bob").frame(), "own fingerprint")
    for what, signature in bad_signatures(book, "alice").items():
        add(f"signature: {what}", ForgedS(book, BASE, signature=signature).frame())
    for what, rotations in rotation_lists().items():
        add(what, ForgedS(book, BASE, rotations=rotations).frame())
    s_signatures(book)
    contributions(book)


def s_signatures(book: Book) -> None:
    """The guest's signature, and the padding behind it."""

    def add(what: str, forged: ForgedS, outcome: str = BAD) -> None:
        book.add("S", what, S, forged.frame(), outcome)

    spki, t2, oc = identity("alice").public.spki, book.value(BASE, "t2"), book.value(BASE, "oc")
    fp_g, fp_h = sha256(spki), identity("bob").public.fingerprint
    add("signed by another", ForgedS(book, BASE, spki=spki, signer="carol"))
    add("signed under the host's label", ForgedS(book, BASE, label=c.LABEL_HOST_SIGNATURE))
    named = {
        "another T2": (book.value("versions", "t2"), sha256(oc), fp_g, fp_h),
        "another contribution": (t2, sha256(b""), fp_g, fp_h),
        "another guest": (t2, sha256(oc), fp_h, fp_h),
        "another host": (t2, sha256(oc), fp_g, identity("carol").public.fingerprint),
    }
    for what, signed in named.items():
        add(f"signed for {what}", ForgedS(book, BASE, signed=signed))
    salted = book.sign_with_salt("alice", ForgedS(book, BASE).message(t2), 0)
    add("signed without a salt", ForgedS(book, BASE, signature=salted))
    room = c.GUEST_SECTION_LENGTH - len(ForgedS(book, BASE).named(t2))
    for what, padding in {"last": b"\1", "first": b"\1" + bytes(room - 1)}.items():
        add(f"the {what} byte of the padding is 1", ForgedS(book, BASE, padding=padding))


def contributions(book: Book) -> None:
    """What is wrong with oc fails at FIN and nowhere else: the input goes on to the guest's FIN."""
    o, label = book.value(BASE, "o"), book.value(BASE, "oaep_label")
    bob, carol = identity("bob").public, identity("carol").public
    wrapped = {
        "made with another label": book.chance.wrap(bob, o, book.value("versions", "oaep_label")),
        "made with no label": book.chance.wrap(bob, o, b""),
        "made for another key": book.chance.wrap(carol, o, label),
        "of 31 bytes": book.chance.wrap(bob, o[:-1], label),
        "of 33 bytes": book.chance.wrap(bob, o + b"\0", label),
        "of another value": book.chance.wrap(bob, bytes(32), label),
        "with one bit changed": flipped(book.value(BASE, "oc"), 100),
        "that is empty": b"",
        "that is zero": bytes(512),
        "above the modulus": b"\xff" * 512,
    }
    right = ForgedS(book, BASE, oc=book.value(BASE, "oc")).with_fin()
    book.add("S", "a contribution as it was, and FIN", S, right, "accepted")
    for what, oc in wrapped.items():
        book.add("S", f"a contribution {what}, then FIN", S, ForgedS(book, BASE, oc=oc).with_fin(), BAD)
    book.add("S", "a contribution of 513 bytes", S, ForgedS(book, BASE, oc=bytes(513)).frame(), BAD)


def fins(book: Book) -> None:
    """The two FINs."""
    fin_h, fin_g = book.value(BASE, "fin_host"), book.value(BASE, "fin_guest")
    for role, place, own, other in (("host", FIN_H, fin_h, fin_g), ("guest", FIN_G, fin_g, fin_h)):

        def add(what: str, data: bytes, outcome: str = BAD, place: tuple[str, int, str] = place) -> None:
            book.add("FIN", what, place, frame(FrameType.FIN, data), outcome)

        add(f"of the {role}, as it was", own, "accepted")
        add(f"first bit of the {role}'s", flipped(own, 0, 128))
        add(f"last bit of the {role}'s", flipped(own, -1))
        add(f"the other side's in the place of the {role}'s", other)
        add(f"zeros in the place of the {role}'s", bytes(32))
        session_id = book.value("versions", f"fin_{role}")
        add(f"of another handshake in the place of the {role}'s", session_id)


def handshake_cases(book: Book) -> None:
    """Add all of them."""
    for part in (frames, k1, k2, s, fins):
        part(book)
