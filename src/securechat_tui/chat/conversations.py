"""The conversations of one profile: one with each key, whether or not anybody is here."""

import asyncio

from securechat_tui.chat.account import Account
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.shelf import Shelf
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.turns import Turns
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.primitives import sha256
from securechat_tui.protocol.signing import conversation_id

__all__ = ["Conversations"]


class Conversations:
    """Every conversation of this run; ``progress`` is set whenever something has been delivered."""

    def __init__(self, account: Account, stream: EventStream, progress: asyncio.Event, turns: Turns) -> None:
        self._account = account
        self._stream = stream
        self._progress = progress
        self._turns = turns
        self._by_number: dict[bytes, Conversation] = {}
        self._opening = asyncio.Lock()

    async def with_peer(self, peer: PublicIdentity) -> Conversation:
        """Return the conversation with this key; it begins where there is none yet. Raises ProfileError.

        Whatever is decided about the key must be decided after this has been awaited.
        """
        number = conversation_id(self._account.own_key.public.fingerprint, peer.fingerprint)
        async with self._opening:
            return self._by_number.get(number) or await self._open(number, peer)

    async def load(self) -> None:
        """Open every conversation that is kept; raises the ProfileError family."""
        key = self._account.own_key.public
        for record in await asyncio.to_thread(self._account.store.conversations):
            own = Fingerprint(sha256(record.own)) if record.own != key.spki else None
            async with self._opening:
                await self._open(record.id, PublicIdentity.from_spki(record.peer), own)

    async def _open(
        self, number: bytes, peer: PublicIdentity, own: Fingerprint | None = None
    ) -> Conversation:
        """Open a conversation of one's present key, or of the one whose fingerprint ``own`` is."""
        key = self._account.own_key

        def load() -> Shelf:
            return Shelf.load(self._account.store.conversation(number, peer.spki, key.public.spki))

        shelf = await asyncio.to_thread(load)
        found = Conversation(key, peer, shelf, self._stream, self._progress, turns=self._turns, own=own)
        self._by_number[number] = found
        return found

    # After a change of keys, on whichever side.

    def is_former(self, conversation: Conversation) -> bool:
        """Whether a newer key has taken the place of one of the two."""
        peer, pins = conversation.peer.fingerprint, self._account.pins
        is_own = conversation.own != self._account.own_key.public.fingerprint
        return is_own or (pins.by_fingerprint(peer) is None and pins.by_former(peer) is not None)

    def formers(self, conversation: Conversation) -> tuple[Conversation, ...]:
        """Return the conversations of the same two people before either changed the key.

        A key that has named no successor has no heir: what was written for it goes to nobody else.
        """
        contact = self._account.pins.by_fingerprint(conversation.peer.fingerprint)
        peers = {conversation.peer.fingerprint, *(contact.inherited if contact else ())}
        return tuple(one for one in self.all() if one is not conversation and one.peer.fingerprint in peers)

    async def close(self) -> None:
        """Let every session go, and wait until nothing is being written to disk any more."""
        await asyncio.gather(*(conversation.close() for conversation in self.all()))

    def known(self, fingerprint: Fingerprint) -> Conversation | None:
        """Return the conversation with the key that has this fingerprint."""
        own = self._account.key
        if own is None:
            return None
        return self._by_number.get(conversation_id(own.public.fingerprint, fingerprint))

    def by_id(self, conversation: str) -> Conversation | None:
        """Return a conversation by its id (hexadecimal digits), open or not."""
        try:
            return self._by_number.get(bytes.fromhex(conversation))
        except ValueError:
            return None

    def all(self) -> tuple[Conversation, ...]:
        """Return all of them."""
        return tuple(self._by_number.values())
