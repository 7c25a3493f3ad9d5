"""Two accounts of one conversation: what each side says, at the beginning of a session, that it holds.

Usually they agree, or one is a little behind. They cannot both be true where a profile was restored from an
old copy, or is used twice; and a peer who keeps what it says, and counts from 1 again, has lost its memory.
Then nothing passes until a person has decided to go on anew. A peer that keeps nothing counts from 1 after
every start of its program: nobody is asked about that. But none loses its memory again and again within one
session: who says so is heard no longer.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

from securechat_tui.chat.inbox import Inbox
from securechat_tui.chat.journal import Journal
from securechat_tui.chat.outbox import Outbox, Outgoing, PeerForgot, ResumeConflict
from securechat_tui.protocol.errors import OutOfOrder
from securechat_tui.protocol.payloads import Resume
from securechat_tui.protocol.signing import NO_GENERATION
from securechat_tui.storage.messages import Receiving, Unreceived

__all__ = ["Accounts"]

_MOST_GENERATIONS: Final = 8
"""How often a peer may announce another generation in one session, since each is kept: twice is usual."""


class Correspondence(Protocol):
    """What is held against the peer's account."""

    journal: Journal

    @property
    def outbox(self) -> Outbox:
        """One's own messages."""

    @property
    def inbox(self) -> Inbox:
        """The peer's."""

    async def begin_generation(self, again: Sequence[Unreceived]) -> None:
        """Number anew what is to be sent again, and what is not delivered."""


class Accounts:
    """What is decided about the peer's RESUME."""

    def __init__(self, of: Correspondence) -> None:
        self._of = of
        self._doubted: Resume | None = None
        self._is_agreed = False
        """Whether a person has decided to go on anew with the peer of this session."""
        self._has_renewed = False
        """Whether one's own generation has been given up in this session."""
        self._heard = NO_GENERATION
        self._announced = 0
        """How often the peer has announced another generation than the one before, in this session."""
        self.is_peer_durable = False
        """Whether the peer keeps what it acknowledges, as its latest HELLO says."""

    @property
    def is_doubted(self) -> bool:
        """Whether a person has to decide."""
        return self._doubted is not None

    def begin_session(self) -> None:
        """What was agreed holds for one session."""
        self._is_agreed = self._has_renewed = False
        self._heard, self._announced = NO_GENERATION, 0

    async def reconcile(self, word: Resume) -> list[Outgoing]:
        """Take the peer's account; return the messages that it has.

        Raises ResumeConflict where a person must decide, OutOfOrder for a memory that is lost again and
        again, and the ProfileError family.
        """
        inbox, outbox = self._of.inbox, self._of.outbox
        self._hear(word.generation)
        if inbox.high and word.generation != inbox.generation:
            self._doubt(word, is_certain=False)
        try:
            return outbox.resume(word)
        except (ResumeConflict, PeerForgot) as error:
            self._doubt(word, is_certain=isinstance(error, ResumeConflict))
        await self._renew(())
        return []

    def _hear(self, generation: bytes) -> None:
        """Count what the peer announces."""
        self._announced += generation != self._heard
        self._heard = generation
        if self._announced > _MOST_GENERATIONS:
            raise OutOfOrder("announces one generation after the other")

    async def _renew(self, again: Sequence[Unreceived]) -> None:
        """Begin a new generation, of which no peer can have forgotten anything: so once in a session."""
        if self._has_renewed:
            raise OutOfOrder("has lost its memory once more")
        await self._of.begin_generation(again)
        self._has_renewed = True

    async def earlier(self, generation: bytes) -> Receiving | None:
        """Return what is held of a generation that the peer had before its present one."""
        if self._of.inbox.generation in {generation, NO_GENERATION}:
            return None
        return await self._of.journal.read(partial(self._of.journal.store.receiving, generation))

    def _doubt(self, word: Resume, *, is_certain: bool) -> None:
        """Ask a person, unless one has decided, or it is the usual forgetting of a peer without a store."""
        if not self._is_agreed and (is_certain or self.is_peer_durable):
            self._doubted = word
            raise ResumeConflict

    async def begin_anew(self, *, resend: bool) -> None:
        """A person has decided to go on; ``resend``: with what the peer lacks, as far as it is kept here.

        Raises the ProfileError family; it is still to be decided then.
        """
        if self._doubted is None:
            return
        try:
            self._of.outbox.judge(self._doubted)
        except (ResumeConflict, PeerForgot):
            await self._renew(await self._lacking(self._doubted) if resend else ())
        self._doubted, self._is_agreed = None, True

    async def _lacking(self, word: Resume) -> list[Unreceived]:
        """What is delivered by our account and not by the peer's."""
        outbox, store = self._of.outbox, self._of.journal.store
        high, last = word.high if word.peer_generation == outbox.generation else 0, outbox.acknowledged
        above = await self._of.journal.read(partial(store.sent_after, outbox.generation, high, last))
        return [one for one in above if one.number <= last]
