"""Messages for a history, short to write down, and a profile's store."""

from collections.abc import Sequence
from hashlib import sha256

from securechat_tui.protocol.payloads import Signature, text_content
from securechat_tui.protocol.signing import NO_HASH, Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Queued, Received, Receiving, Sending
from securechat_tui.trust.states import Trust

STORE_KEY = b"k" * 32
BOB = b"b" * 32
"""A conversation's id."""
SPKI = b"SubjectPublicKeyInfo of bob"
MINE = b"m" * 16
THEIRS = b"t" * 16


def digest(*parts: object) -> bytes:
    """32 bytes that stand for something."""
    return sha256(repr(parts).encode()).digest()


def queued(
    row: int, number: int, text: str = "", *, generation: bytes = MINE, signed: bool = True, ref: str = ""
) -> Queued:
    """An own message; its hashes follow from generation and number."""
    return Queued(
        row=row,
        generation=generation,
        number=number,
        header=b"header %d" % number if signed else b"",
        salt=digest("salt", number) if signed else b"",
        content=text_content(text or f"mine {number}"),
        item=digest(generation, number),
        running=digest("running", generation, number),
        claimed_ms=1000 * number,
        time=float(row),
        ref=ref or None,
        trust=Trust.PINNED,
        name="alice",
    )


def received(
    row: int,
    number: int,
    text: str = "",
    *,
    generation: bytes = THEIRS,
    batch: Signature | None = None,
    index: int = 0,
    path: Sequence[bytes] = (),
    name: str = "bob",
) -> Received:
    """A message of the peer, signed where there is a batch."""
    said = text or f"theirs {number}"
    return Received(
        row=row,
        generation=generation,
        number=number,
        header=b"header %d" % number if batch else b"",
        salt=digest("salt", number) if batch else b"",
        content=text_content(said),
        text=SafeText(said),
        item=digest(generation, number),
        batch=batch,
        index=index,
        path=tuple(path),
        claimed_ms=1000 * number,
        time=float(row),
        age=0.5,
        fresh=True,
        trust=Trust.VERIFIED,
        name=name,
    )


def batch(count: int, mark: object = "") -> Signature:
    """A signature over so many."""
    return Signature(count, digest("root", mark), digest("signature", mark) * 12)


def sending(last: int, acknowledged: int = 0, generation: bytes = MINE) -> Sending:
    """Where the own direction stands."""
    at = digest("running", generation, last), digest("running", generation, acknowledged)
    return Sending(generation, last, at[0], digest("previous", last), acknowledged, at[1])


def receiving(high: int, generation: bytes = THEIRS, seen: Seen | None = None) -> Receiving:
    """Where the peer's direction stands."""
    running = digest("running", generation, high)
    return Receiving(generation, high, running, NO_HASH, seen or Seen(generation, high, digest("seen", high)))


def chatted(history: ConversationStore, count: int = 3) -> None:
    """Write so many own messages, and so many of the peer's after them."""
    history.write([queued(row, row) for row in range(1, count + 1)], sending(count))
    rows = range(1, count + 1)
    history.write([received(count + row, row) for row in rows], None, receiving(count))
