"""Between the boxes of a conversation and its store: what earlier runs have left, and what is put there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

from securechat_tui.chat.events import Message
from securechat_tui.chat.inbox import Accepted, Inbox
from securechat_tui.chat.outbox import Outbox, Outgoing
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.payloads import Signed, read_content
from securechat_tui.protocol.signing import Seen
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.messages import Queued, Received, Receiving, Sending, Waiting
from securechat_tui.trust.states import Trust

if TYPE_CHECKING:
    from securechat_tui.storage.history import ConversationStore

__all__ = ["Marks", "Shelf", "Standing", "queued_change", "received_change"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where both directions of a conversation stand, and the row that the next message gets."""

    sending: Sending
    receiving: Receiving
    next_row: int


@dataclass(slots=True)
class Marks:
    """What a person has seen of a conversation, and begun to write in it."""

    unread: int = 0
    """Messages received that nobody has seen yet."""
    shown: int = 0
    """The row of the last message that was shown."""
    last: float = 0.0
    """When something was last said, in Unix seconds; 0 where nothing was."""
    draft: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is on disk of one conversation; None for a direction of which nothing is."""

    store: "ConversationStore"
    sending: Sending | None
    receiving: Receiving | None
    next_row: int
    waiting: tuple[Outgoing, ...]
    marks: Marks

    @classmethod
    def load(cls, store: "ConversationStore") -> Self:
        """Read it; blocks. Raises the ProfileError family."""
        sending, receiving, next_row = store.position()
        waiting = tuple(map(_outgoing, store.waiting()))
        marks = Marks(store.unread(), next_row - 1, store.last_time() or 0.0, store.draft())
        return cls(store, sending, receiving, next_row, waiting, marks)

    def outbox(self, own: bytes, peer: bytes) -> Outbox:
        """Return one's own direction as it was left."""
        older = self.store.header_hash
        return Outbox(own, peer, older, kept=self.sending, waiting=self.waiting)

    def inbox(self, own: bytes, peer: PublicIdentity, check_seen: Callable[[Seen], None]) -> Inbox:
        """Return the peer's direction as it was left."""
        return Inbox(own, peer, check_seen, partial(self.store.item, False), self.receiving)


def _outgoing(kept: Waiting) -> Outgoing:
    """A message that waits for delivery; of a wiped one nothing is left but what fills its number."""
    return Outgoing(
        kept.generation,
        kept.number,
        kept.ref,
        read_content(kept.content) if kept.content else "",
        kept.claimed_ms,
        kept.signed,
        kept.header,
        kept.salt,
        kept.content,
        kept.item,
        kept.running,
        kept.row or 0,
        kept.batch,
        kept.index,
        kept.path,
        kept.gone,
    )


def queued_change(message: Outgoing, trust: Trust, name: SafeText) -> Queued:
    """What is kept of one's own message when it gets its number."""
    return Queued(
        row=message.row,
        generation=message.generation,
        number=message.number,
        header=message.header,
        salt=message.salt,
        content=message.content,
        item=message.item,
        running=message.running,
        claimed_ms=message.claimed_ms,
        time=message.claimed_ms / 1000,
        ref=message.ref,
        trust=trust,
        name=name,
    )


def received_change(accepted: Accepted, told: Message, generation: bytes) -> Received:
    """What is kept of a received message: what it was, its proof and the verdict on it."""
    leaf = accepted.leaf or Signed(b"", b"", 0, 1, (), b"")
    return Received(
        row=told.row,
        generation=generation,
        number=told.number,
        header=leaf.header,
        salt=leaf.salt,
        content=accepted.content,
        text=told.text,
        item=accepted.item,
        batch=accepted.batch,
        index=leaf.index,
        path=leaf.path,
        claimed_ms=accepted.claimed_ms,
        time=told.time,
        age=told.age,
        fresh=told.checks.fresh,
        trust=told.trust,
        name=told.name,
    )
