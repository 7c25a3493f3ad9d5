"""A conversation as a file that proves itself: JSON Lines, as appendix E of ``docs/protocol.md`` has them.

Written from a history and read on any machine, one line at a time: neither needs more memory for a longer
conversation. Bytes are base64. What nobody can prove (when it came, how far the key was trusted then) stands
apart from what is signed, under ``kept``.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, Literal

import msgspec

from securechat_tui import __version__
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.payloads import Signature, text_content
from securechat_tui.protocol.signing import Header
from securechat_tui.protocol.text import SafeText
from securechat_tui.protocol.transcript import Check, Gap, Proof, Said, Transcript, Unproved
from securechat_tui.storage.messages import ExportedMessage, Leftover

if TYPE_CHECKING:
    from securechat_tui.storage.history import ConversationStore

__all__ = ["MAX_LINE_BYTES", "Party", "read_transcript", "transcript_lines"]

MAX_LINE_BYTES: Final = 256 * 1024
"""More than the longest message needs, were every sign of it escaped."""
_FORMAT: Final = 1
_MAX_NUMBER: Final = 2**62
_Hash = Annotated[bytes, msgspec.Meta(min_length=c.HASH_LENGTH, max_length=c.HASH_LENGTH)]
_Generation = Annotated[bytes, msgspec.Meta(min_length=c.GENERATION_LENGTH, max_length=c.GENERATION_LENGTH)]
_Number = Annotated[int, msgspec.Meta(ge=1, le=_MAX_NUMBER)]
_HeaderBytes = Annotated[bytes, msgspec.Meta(min_length=Header.LENGTH, max_length=Header.LENGTH)]
_By = Literal["me", "peer"]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two: the name is what the exporting profile calls it, and nobody proves it."""

    name: Annotated[str, msgspec.Meta(max_length=1000)]
    fingerprint: Annotated[str, msgspec.Meta(max_length=100)]
    spki: Annotated[bytes, msgspec.Meta(max_length=c.MAX_SPKI_LENGTH)]

    @classmethod
    def of(cls, identity: PublicIdentity, name: str) -> "Party":
        """Describe one."""
        return cls(name, str(identity.fingerprint), identity.spki)

    def identity(self) -> PublicIdentity:
        """The key, which has the fingerprint; raises :class:`Unproved`."""
        try:
            identity = PublicIdentity.from_spki(self.spki)
        except BadKey as error:
            raise Unproved(Check.IDENTITY, f"It holds a key that is not accepted: {error}.") from None
        if str(identity.fingerprint) != self.fingerprint:
            raise Unproved(Check.IDENTITY, "It holds a key that does not have the fingerprint beside it.")
        return identity


class _Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="line", tag="transcript"):
    format: Literal[1]
    program: Annotated[str, msgspec.Meta(max_length=100)]
    made: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    conversation: Annotated[str, msgspec.Meta(max_length=2 * c.HASH_LENGTH)]
    me: Party
    peer: Party


class _Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1, le=c.MAX_BATCH)]
    root: _Hash
    signature: Annotated[bytes, msgspec.Meta(min_length=1, max_length=c.MAX_SIGNATURE_LENGTH)]


class _Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    header: _HeaderBytes
    salt: _Hash
    batch: _Batch | None
    index: Annotated[int, msgspec.Meta(ge=0, lt=c.MAX_BATCH)]
    path: Annotated[tuple[_Hash, ...], msgspec.Meta(max_length=(c.MAX_BATCH - 1).bit_length())]


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the exporting profile says of a message, and nobody proves."""

    row: _Number
    time: float
    name: Annotated[str, msgspec.Meta(max_length=1000)]
    trust: Annotated[str, msgspec.Meta(max_length=20)]
    age: float | None
    fresh: bool | None
    state: Literal["queued", "delivered", "cancelled", ""]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="line", tag="message"):
    by: _By
    generation: _Generation
    number: _Number
    claimed_ms: Annotated[int, msgspec.Meta(ge=0)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=c.MAX_TEXT_LENGTH)]
    proof: _Proof | None
    kept: _Kept


class _Withheld(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="line", tag="withheld"):
    by: _By
    generation: _Generation
    number: _Number
    signed: bool
    item: _Hash
    header: _HeaderBytes | None


_OPENING: Final = msgspec.json.Decoder(_Opening)
_LINE: Final[msgspec.json.Decoder[_Message | _Withheld]] = msgspec.json.Decoder(_Message | _Withheld)
_WHOSE: Final = {"me": 0, "peer": 1}


# Writing.


def transcript_lines(
    store: "ConversationStore", own: PublicIdentity, peer: PublicIdentity, names: tuple[str, str], made: float
) -> Iterator[bytes]:
    """Write a conversation, line by line, each with its end; ``names`` are one's own and the peer's.

    Between two lines the history may go on: what comes after the first one is not in it. Raises the
    ProfileError family, HistoryChanged where messages have left the history meanwhile.
    """
    yield _encode(
        _Opening(
            format=_FORMAT,
            program=f"securechat-tui {__version__}",
            made=made,
            conversation=signing.conversation_id(own.fingerprint, peer.fingerprint).hex(),
            me=Party.of(own, names[0]),
            peer=Party.of(peer, names[1]),
        )
    )
    gaps = _Gaps(store)
    for exported in store.messages_for_export():
        yield _encode(_line(exported))
        for gap in gaps.after(exported):
            yield _encode(gap)


class _Gaps:
    """The numbers without a message, each told as soon as the number before it has been."""

    def __init__(self, store: "ConversationStore") -> None:
        self._store = store
        self._left: dict[tuple[bool, bytes], Iterator[Leftover]] = {}
        self._next: dict[tuple[bool, bytes], Leftover | None] = {}

    def after(self, exported: ExportedMessage) -> Iterator[_Withheld]:
        """What follows a message at once in its generation and is not here."""
        message = exported.message
        key, number = (message.mine, message.generation), message.number + 1
        if key not in self._left:
            self._left[key] = self._store.leftovers(*key, above=message.number)
            self._next[key] = next(self._left[key], None)
        while (gap := self._next[key]) is not None and gap.number == number:
            yield _Withheld(_by(message.mine), key[1], number, gap.signed, gap.item, None)
            self._next[key], number = next(self._left[key], None), number + 1


def _by(mine: bool) -> _By:
    return "me" if mine else "peer"


def _encode(line: msgspec.Struct) -> bytes:
    """What a terminal might obey is escaped, so that a file can be looked at and still says the same."""
    encoded = msgspec.json.encode(line).decode()
    if not encoded.isprintable():
        encoded = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in encoded)
    return encoded.encode() + b"\n"


def _line(exported: ExportedMessage) -> _Message | _Withheld:
    """What was cancelled was never said: its content stays here, and its header keeps the chain whole."""
    return _withheld(exported) if exported.message.tick == "cancelled" else _message(exported)


def _withheld(exported: ExportedMessage) -> _Withheld:
    message, header = exported.message, exported.header or None
    place = (_by(message.mine), message.generation, message.number)
    return _Withheld(*place, header is not None, exported.item, header)


def _message(exported: ExportedMessage) -> _Message:
    message = exported.message
    return _Message(
        by=_by(message.mine),
        generation=message.generation,
        number=message.number,
        claimed_ms=message.claimed_ms,
        text=exported.content[1:].decode(),
        proof=_proof(exported) if message.signed else None,
        kept=_Kept(
            row=message.row,
            time=message.time,
            name=str.__str__(message.name),
            trust=message.trust.value,
            age=message.age,
            fresh=message.fresh,
            state=message.tick,
        ),
    )


def _proof(exported: ExportedMessage) -> _Proof:
    batch = exported.batch
    record = None if batch is None else _Batch(batch.count, batch.root, batch.signature)
    return _Proof(exported.header, exported.salt, record, exported.index, exported.path)


# Reading.


def read_transcript(file: BinaryIO) -> Iterator[Transcript]:
    """Check a file line by line, and give what is known after each; raises :class:`Unproved`.

    The first comes after the opening line: what is not wanted need not be read on.
    """
    transcript = _open(_next_line(file))
    yield transcript
    row = 0
    while line := _next_line(file):
        row = _take(transcript, _decoded(line), row)
        yield transcript


def _next_line(file: BinaryIO) -> bytes:
    line = file.readline(MAX_LINE_BYTES + 1)
    if len(line) > MAX_LINE_BYTES:
        raise Unproved(Check.FORMAT, f"It has more than {MAX_LINE_BYTES} bytes.")
    if line and not line.endswith(b"\n"):
        raise Unproved(Check.FORMAT, "It is cut short: its end is missing.")
    return line


def _open(line: bytes) -> Transcript:
    if not line:
        raise Unproved(Check.FORMAT, "The file is empty.")
    try:
        opening = _OPENING.decode(line)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise Unproved(Check.FORMAT, f"It does not open a transcript: {_reason(error)}.") from None
    transcript = Transcript((opening.me.identity(), opening.peer.identity()))
    if opening.conversation != transcript.conversation.hex():
        raise Unproved(Check.IDENTITY, "It names another conversation than that of the two keys.")
    return transcript


def _decoded(line: bytes) -> _Message | _Withheld:
    try:
        return _LINE.decode(line)
    except (ValueError, RecursionError) as error:
        raise Unproved(Check.FORMAT, f"It is no line of a transcript: {_reason(error)}.") from None


def _reason(error: Exception) -> str:
    return SafeText.line(str(error), 200)


def _take(transcript: Transcript, line: _Message | _Withheld, row: int) -> int:
    """Check a line; return the row that was last."""
    by = _WHOSE[line.by]
    if isinstance(line, _Withheld):
        gap = Gap(line.generation, line.number, line.item, line.signed, line.header or b"")
        transcript.withheld(by, gap)
        return row
    if line.kept.row <= row:
        raise Unproved(Check.ROW, f"It has row {line.kept.row}, which should be above {row}.")
    proof = None if line.proof is None else _read_proof(line.proof)
    said = Said(line.generation, line.number, line.claimed_ms, text_content(line.text), proof)
    transcript.said(by, said)
    return line.kept.row


def _read_proof(proof: _Proof) -> Proof:
    batch = proof.batch
    record = None if batch is None else Signature(batch.count, batch.root, batch.signature)
    return Proof(proof.header, proof.salt, record, proof.index, proof.path)
