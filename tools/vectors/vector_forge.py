"""Makes what a side could have sent at some place of a transcript: well sealed and signed, and yet wrong."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vector_chance import Chance, Drawn
from vector_files import Case
from vector_identities import identity

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import keyschedule, primitives, signing
from securechat_tui.protocol.encoding import encode, lp16, u8, u16, u32, u64
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.keyschedule import HandshakeKeys, Master
from securechat_tui.protocol.payloads import Payload, Signature, Signed
from securechat_tui.protocol.primitives import sha256
from securechat_tui.protocol.records import pad
from securechat_tui.protocol.signing import Header, Seen

OTHER = {"guest": "host", "host": "guest"}


class Book:
    """The transcripts, and the randomness of what is forged."""

    def __init__(self, transcripts: Iterable[Case], drawn: Drawn) -> None:
        self.transcripts = {case["id"]: case for case in transcripts}
        self.drawn = drawn
        self.chance = Chance("defects", drawn)
        self.cases: list[Case] = []

    def frame(self, base: str, at: int) -> bytes:
        """Return a recorded frame."""
        return bytes.fromhex(self.transcripts[base]["frames"][at]["frame"])

    def payload(self, base: str, at: int) -> bytes:
        """Return a recorded payload."""
        return bytes.fromhex(self.transcripts[base]["frames"][at]["payload"])

    def value(self, base: str, name: str) -> bytes:
        """Return a value of a handshake."""
        return bytes.fromhex(self.transcripts[base]["handshake"][name])

    def find(self, base: str, name: str, sender: str, nth: int = 1) -> int:
        """Return where the nth frame of that name and sender stands."""
        frames = self.transcripts[base]["frames"]
        places = [i for i, one in enumerate(frames) if (one["name"], one["from"]) == (name, sender)]
        return places[nth - 1]

    def sign(self, name: str, message: bytes) -> bytes:
        """Return a person's signature."""
        return self.chance.sign(identity(name), message)

    def sign_with_salt(self, name: str, message: bytes, length: int) -> bytes:
        """Return a signature that is right but for the length of its salt."""
        return self.chance.sign_with_salt(identity(name), message, length)

    def pen(self, base: str, at: int, sender: str) -> "Pen":
        """Return what seals what ``sender`` says at a place."""
        return Pen.at(self.transcripts[base], at, sender)

    def add(
        self,
        area: str,
        what: str,
        place: tuple[str, int, str],
        data: bytes,
        outcome: str,
        *,
        answer: str = "close",
        digits: str = "",
        ms: int = 0,
    ) -> None:
        """Add a case; ``place`` is base, index of the next frame, receiver; ``ms`` is a pause before."""
        base, at, receiver = place
        frames = self.transcripts[base]["frames"]
        moment = frames[min(at, len(frames) - 1)]["ms"] + ms
        case = {
            "id": f"{area}: {what}",
            "base": base,
            "at": at,
            "receiver": receiver,
            "ms": moment,
            "input": data.hex(),
            "outcome": outcome,
        }
        if outcome != "accepted":
            case["answer"] = answer
        if digits:
            case["digits"] = digits
        self.cases.append(case)

    def say(
        self,
        area: str,
        what: str,
        place: tuple[str, int, str],
        payloads: "Sequence[bytes | Payload]",
        outcome: str,
        *,
        answer: str = "goodbye",
        digits: str = "",
    ) -> None:
        """Add a case in which these payloads come, sealed as they should be."""
        base, at, receiver = place
        data = self.pen(base, at, OTHER[receiver]).write(*payloads)
        self.add(area, what, place, data, outcome, answer=answer, digits=digits)


@dataclass
class Pen:
    """The next chain step of one direction."""

    session_id: bytes
    direction: int
    epoch: int
    chain: bytes
    sequence: int
    label: bytes = c.LABEL_RECORD

    @classmethod
    def at(cls, case: Case, at: int, sender: str) -> "Pen":
        """Return the step of the sender's first record at or after a place, or the one after its last."""
        session_id = bytes.fromhex(case["handshake"]["session_id"])
        direction = {"host": 1, "guest": 2}[sender]
        records = [
            (index, one)
            for index, one in enumerate(case["frames"])
            if one["from"] == sender and "record_key" in one
        ]
        for index, one in records:
            if index >= at:
                chain = bytes.fromhex(one["chain"])
                return cls(session_id, direction, one["epoch"], chain, one["sequence"])
        last = records[-1][1]
        chain = bytes.fromhex(last["chain_after"])
        return cls(session_id, direction, last["epoch"], chain, last["sequence"] + 1)

    def skip(self) -> "Pen":
        """Leave one step out."""
        self.chain, self.sequence = primitives.chain_step(self.chain)[0], self.sequence + 1
        return self

    def plaintext(self, plaintext: bytes) -> bytes:
        """Return the frame of a record with this plaintext."""
        _, key = primitives.chain_step(self.chain)
        ad = encode(self.label, self.session_id, u8(self.direction)) + u32(self.epoch) + u64(self.sequence)
        self.skip()
        return frame(FrameType.RECORD, u32(self.epoch) + primitives.seal(key, plaintext, ad))

    def write(self, *payloads: bytes | Payload) -> bytes:
        """Return the frames of payloads."""
        whole = [one if isinstance(one, bytes) else one.encode() for one in payloads]
        return b"".join(self.plaintext(pad(payload)) for payload in whole)


@dataclass(frozen=True)
class Letter:
    """A message that is due, and everything in it that may be changed."""

    header: Header
    content: bytes
    salt: bytes
    signer: str

    @classmethod
    def due(cls, book: Book, base: str, at: int, sender: str) -> "Letter":
        """Return the next signed message of ``sender`` at a place."""
        case = book.transcripts[base]
        own, peer = (identity(case[role]).public.fingerprint for role in (sender, OTHER[sender]))
        before = [one for one in case["frames"][:at] if one["from"] == sender]
        resumes = [one["resume"] for one in before if "resume" in one]
        numbered = [one.get("message") or one["gone"] for one in before if {"message", "gone"} & one.keys()]
        items = [one.get("header_hash") or (one.get("signed") and one["item"]) for one in numbered]
        previous = [bytes.fromhex(item) for item in items if item]
        salt, content = book.chance.draw(32, f"salt {base} {at}"), b"\1a forged message"
        header = Header(
            signing.conversation_id(own, peer),
            own,
            peer,
            bytes.fromhex(resumes[-1]["generation"]),
            len(numbered) + 1,
            previous[-1] if previous else signing.NO_HASH,
            Seen(),
            case["unix_ms"],
            signing.content_hash(salt, content),
        )
        return cls(header, content, salt, case[sender])

    def altered(self, **fields: Any) -> "Letter":
        """Return it with other header fields."""
        return replace(self, header=replace(self.header, **fields))

    def saying(self, content: bytes) -> "Letter":
        """Return it with other content, well hashed."""
        hashed = signing.content_hash(self.salt, content)
        return replace(self, content=content, header=replace(self.header, content_hash=hashed))

    def payloads(self, book: Book, header: bytes | None = None) -> tuple[Signature, Signed]:
        """Return SIGNATURE and SIGNED."""
        data = header or self.header.encode()
        root = signing.leaf_hash(data)
        message = signing.batch_message(self.header.conversation, 1, root)
        signature = Signature(1, root, book.sign(self.signer, message))
        return signature, Signed(data, self.salt, 0, 1, (), self.content)


def padded(named: bytes, length: int, padding: bytes | None) -> bytes:
    """Return a section of the right length; of ``padding`` its last bytes count, zeros before them."""
    return named + (padding or b"").rjust(length - len(named), b"\0")


@dataclass(frozen=True)
class ForgedK2:
    """Every part of K2; what is left empty is as it should be."""

    book: Book
    base: str
    signer: str = "bob"
    version: int = 1
    spki: bytes | None = None
    versions: bytes = b"\1\0\1"
    rotations: bytes = b"\0"
    signature: bytes | None = None
    label: bytes = c.LABEL_HOST_SIGNATURE
    fingerprint: bytes = b""
    signed_t1: bytes = b""
    padding: bytes | None = None

    def frame(self) -> bytes:
        """Return the frame."""
        book, base = self.book, self.base
        clear = u16(self.version) + book.value(base, "host_x25519") + book.value(base, "ct")
        t1 = keyschedule.first_transcript(book.frame(base, 0)[5:], clear)
        keys = HandshakeKeys.derive(t1, book.value(base, "ss_mlkem"), book.value(base, "ss_x25519"))
        return frame(FrameType.KEY, clear + primitives.seal(keys.host, self.section(t1), t1))

    def section(self, t1: bytes) -> bytes:
        """Return the section before it is sealed."""
        return padded(self.named(t1), c.HOST_SECTION_LENGTH, self.padding)

    def named(self, t1: bytes) -> bytes:
        """Return the section without its padding."""
        signature = (
            self.book.sign(self.signer, self.message(t1)) if self.signature is None else self.signature
        )
        return lp16(self._spki) + self.versions + self.rotations + lp16(signature)

    def message(self, t1: bytes) -> bytes:
        """Return what is signed."""
        names = (self.signed_t1 or t1, self.fingerprint or sha256(self._spki))
        return encode(self.label, *names, self._spki, self.versions, self.rotations)

    @property
    def _spki(self) -> bytes:
        return identity(self.signer).public.spki if self.spki is None else self.spki


@dataclass(frozen=True)
class ForgedS:
    """Every part of S; what is left empty is as it should be."""

    book: Book
    base: str
    signer: str = "alice"
    spki: bytes | None = None
    oc: bytes | None = None
    rotations: bytes = b"\0"
    signature: bytes | None = None
    label: bytes = c.LABEL_GUEST_SIGNATURE
    signed: tuple[bytes, ...] = ()
    """In the place of what is signed: T2, the hash of oc, fp_G, fp_H."""
    padding: bytes | None = None

    def frame(self) -> bytes:
        """Return the frame."""
        t2, k_g = (self.book.value(self.base, name) for name in ("t2", "k_g"))
        return frame(FrameType.SESSION, primitives.seal(k_g, self.section(t2), t2))

    def section(self, t2: bytes) -> bytes:
        """Return the section before it is sealed."""
        return padded(self.named(t2), c.GUEST_SECTION_LENGTH, self.padding)

    def named(self, t2: bytes) -> bytes:
        """Return the section without its padding."""
        signature = (
            self.book.sign(self.signer, self.message(t2)) if self.signature is None else self.signature
        )
        return lp16(self._spki) + lp16(self._oc) + self.rotations + lp16(signature)

    def message(self, t2: bytes) -> bytes:
        """Return what is signed."""
        host = identity(self.book.transcripts[self.base]["host"]).public.fingerprint
        names = self.signed or (t2, sha256(self._oc), sha256(self._spki), host)
        return encode(self.label, *names, self._spki, self.rotations)

    @property
    def _spki(self) -> bytes:
        return identity(self.signer).public.spki if self.spki is None else self.spki

    @property
    def _oc(self) -> bytes:
        return self.book.value(self.base, "oc") if self.oc is None else self.oc

    def with_fin(self) -> bytes:
        """Return the frame, and the FIN of a guest that has done nothing wrong."""
        book, base = self.book, self.base
        sealed = self.frame()
        guest = identity(self.signer).public.fingerprint
        host = identity(book.transcripts[base]["host"]).public.fingerprint
        t3 = keyschedule.third_transcript(book.value(base, "t2"), sealed[5:], guest, host)
        secrets = (book.value(base, name) for name in ("ss_mlkem", "ss_x25519", "o"))
        return sealed + frame(FrameType.FIN, Master.derive(t3, *secrets).fin_guest)
