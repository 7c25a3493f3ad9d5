"""Ours without the engine, signed: the two boxes of a conversation on a session; keys sign in threads."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.ours import OurChannel, serve_with
from bench.peer import Announce
from securechat_tui.chat.inbox import Inbox
from securechat_tui.chat.outbox import Outbox, Outgoing
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.events import SessionEvent
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import Acknowledgement, Payload, Resume, Signature, Signed
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH


class SignedChannel(OurChannel):
    """One side of one conversation; what waits at a flush shares one signature."""

    def __init__(self, key: IdentityKey) -> None:
        super().__init__(key)
        self._outbox: Outbox
        self._inbox: Inbox
        self._written = asyncio.Event()

    def meet(self, peer: PublicIdentity) -> Resume:
        """Open the two boxes."""
        own = self.key.public.fingerprint
        self._outbox = Outbox(own, peer.fingerprint)
        self._inbox = Inbox(own, peer, self._outbox.check_seen)
        return Resume(self._outbox.conversation, self._outbox.generation, NO_GENERATION, 0, NO_HASH)

    def happened(self, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        """Take the events, then acknowledge what has come."""
        high = self._inbox.high if self.ready.is_set() else 0
        super().happened(connection, happened)
        if self.ready.is_set() and self._inbox.high > high:
            connection.session.send(self._inbox.acknowledgement(), now())

    def take(self, payload: Payload) -> None:
        """Check what the peer says; whatever fails ends the benchmark."""
        match payload:
            case Signature():
                self._inbox.signature(payload)
            case Signed():
                accepted = self._inbox.signed(payload)
                if accepted is not None:
                    self.on_message(accepted.text.encode())
            case Acknowledgement():
                self._outbox.acknowledge(payload)
            case Resume():
                self._inbox.announce(payload.generation)
                self.ready.set()
            case _:
                pass

    def send(self, message: bytes) -> None:
        """Number it; it waits for a signature."""
        self._outbox.add(message.decode(), None, time.time_ns() // 1_000_000, self._inbox.seen)
        self._outbox.kept(self._outbox.position)

    def flush(self) -> None:
        """Sign what waits, in a thread, and write it then."""
        self._written.clear()
        messages = self._outbox.to_sign()
        work = partial(self.key.sign, self._outbox.signing_input(messages))
        signing = asyncio.get_running_loop().run_in_executor(None, work)
        signing.add_done_callback(partial(self._write, messages))

    def _write(self, messages: Sequence[Outgoing], signing: asyncio.Future[bytes]) -> None:
        if batch := self._outbox.batch(messages, signing.result()):
            self._outbox.signed(messages, batch)
        while found := self._outbox.next_to_write():
            for payload in found[1]:
                self.connection.session.send(payload, now())
        self.connection.flush()
        self._written.set()

    async def drain(self) -> None:
        """Sign and write what waits, and wait while the network is full."""
        self.flush()
        await self._written.wait()
        await self.connection.drained()


def serve(_folder: Path, announce: Announce) -> None:
    """Serve signed messages."""
    serve_with(SignedChannel, announce)
