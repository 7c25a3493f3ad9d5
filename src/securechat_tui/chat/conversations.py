"""The conversations of one profile: one with each key, whether or not anybody is here."""

import asyncio

from securechat_tui.chat.account import Account
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.shelf import Shelf
from securechat_tui.chat.stream import EventStream
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.signing import conversation_id

__all__ = ["Conversations"]


class Conversations:
    """Every conversation of this run; ``progress`` is set whenever something has been delivered."""

    def __init__(self, account: Account, stream: EventStream, progress: asyncio.Event) -> None:
        self._account = account
        self._stream = stream
        self._progress = progress
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
        for record in await asyncio.to_thread(self._account.store.conversations):
            await self.with_peer(PublicIdentity.from_spki(record.peer))

    async def _open(self, number: bytes, peer: PublicIdentity) -> Conversation:
        def load() -> Shelf:
            return Shelf.load(self._account.store.conversation(number, peer.spki))

        shelf = await asyncio.to_thread(load)
        found = Conversation(self._account.own_key, peer, shelf, self._stream, self._progress)
        self._by_number[number] = found
        return found

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
