"""The conversations of one profile: one with each key, whether or not anybody is here."""

import asyncio

from securechat_tui.chat.account import Account
from securechat_tui.chat.conversation import Conversation
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

    async def with_peer(self, peer: PublicIdentity) -> Conversation:
        """Return the conversation with this key; it begins where there is none yet.

        Whatever is decided about the key must be decided after this has been awaited.
        """
        key = self._account.own_key
        number = conversation_id(key.public.fingerprint, peer.fingerprint)
        found = self._by_number.get(number)
        if found is None:
            found = self._by_number[number] = Conversation(key, peer, self._stream, self._progress)
        return found

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
