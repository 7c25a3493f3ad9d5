"""What a history takes and gives: frozen values without behaviour.

Bytes are those of ``docs/protocol.md``, verbatim. Times are Unix seconds, claimed times Unix milliseconds.
A ``row`` is a message's place in the order in which this profile has shown it, from 1 on.
"""

from dataclasses import dataclass, field
from typing import Literal

from securechat_tui.protocol.payloads import Signature
from securechat_tui.protocol.signing import Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.states import Trust

__all__ = [
    "Abandoned",
    "BatchSigned",
    "Cancelled",
    "Change",
    "Dropped",
    "ExportedMessage",
    "Leftover",
    "Queued",
    "Received",
    "Receiving",
    "Sending",
    "Skipped",
    "StoredMessage",
    "Tick",
    "Unreceived",
    "Waiting",
]

Tick = Literal["queued", "delivered", "cancelled", ""]
"""Where an own message stands; empty for the peer's, and where nobody knows any more."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Where one's own direction stands: the last number, and the last that the peer has acknowledged."""

    generation: bytes
    last: int
    running: bytes
    """The running hash at ``last``."""
    previous: bytes
    """Hash of the last signed header of this generation; zeros for none."""
    acknowledged: int
    running_acknowledged: bytes


@dataclass(frozen=True, slots=True)
class Receiving:
    """Where the peer's direction stands: everything up to ``high`` is kept."""

    generation: bytes
    high: int
    running: bytes
    previous: bytes
    seen: Seen


@dataclass(frozen=True, slots=True)
class Queued:
    """An own message gets its number; an empty header says that it is unsigned."""

    row: int
    generation: bytes
    number: int
    header: bytes
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    item: bytes
    running: bytes
    claimed_ms: int
    time: float
    ref: str | None
    trust: Trust
    name: str


@dataclass(frozen=True, slots=True)
class BatchSigned:
    """One signature over own messages; a message's place in ``numbers`` is its leaf's index."""

    generation: bytes
    batch: Signature
    numbers: tuple[int, ...]
    paths: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An own message will not be delivered; it stays in the history, as cancelled."""

    generation: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """An own message leaves the history because another row has its text; its number keeps its hash."""

    row: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A new own generation has taken this one's place: its last hashes go, up to the last kept message."""

    generation: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the peer that has passed every check, with the verdict at receipt.

    An empty header and no batch say that it is unsigned. ``age`` is in seconds.
    """

    row: int
    generation: bytes
    number: int
    header: bytes
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    text: SafeText = field(repr=False)
    item: bytes
    batch: Signature | None
    index: int
    path: tuple[bytes, ...]
    claimed_ms: int
    time: float
    age: float
    fresh: bool
    trust: Trust
    name: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The peer will never fill this number; ``signed`` says that ``item`` is a header hash."""

    generation: bytes
    number: int
    signed: bool
    item: bytes


Change = Queued | BatchSigned | Cancelled | Dropped | Abandoned | Received | Skipped


@dataclass(frozen=True, slots=True)
class Waiting:
    """An own message that the peer has not acknowledged.

    Of a ``gone`` one whose history was wiped nothing is left but number, item and running hash; it has no
    row then. Messages of one batch share one ``batch`` object.
    """

    row: int | None
    generation: bytes
    number: int
    header: bytes
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    item: bytes
    running: bytes
    claimed_ms: int
    ref: str | None
    signed: bool
    gone: bool
    batch: Signature | None
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Unreceived:
    """An own message as it can be sent again; ``ref`` is as it was given with the command."""

    row: int
    number: int
    text: str = field(repr=False)
    claimed_ms: int
    signed: bool
    ref: str | None


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the history; ``age`` and ``fresh`` are None for one's own."""

    row: int
    mine: bool
    generation: bytes
    number: int
    text: SafeText = field(repr=False)
    name: SafeText
    claimed_ms: int
    time: float
    age: float | None
    fresh: bool | None
    trust: Trust
    signed: bool
    tick: Tick
    ref: str | None


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """A message with what proves its author; ``batch`` is None where nothing does.

    ``item`` is what the running hash took for it.
    """

    message: StoredMessage
    item: bytes
    header: bytes
    salt: bytes = field(repr=False)
    content: bytes = field(repr=False)
    batch: Signature | None
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Leftover:
    """What stands under a number whose message is not kept: ``signed`` says that it is a header hash."""

    number: int
    item: bytes
    signed: bool
