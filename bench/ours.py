"""Ours without the engine: ``Session`` on ``Connection`` with the shortest driver there can be.

It answers every question with yes and stores no pins; messages go unsigned. What the engine adds is
measured in ``ladder_signed``; ``signed`` signs the messages.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench.channel import Channel
from bench.peer import Announce
from securechat_tui.network.addresses import Address
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.network.dialer import dial
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.network.listener import Listener
from securechat_tui.protocol import events
from securechat_tui.protocol.events import SessionEvent
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import Hello, HelloFlag, Payload, Resume, Unsigned, text_content
from securechat_tui.protocol.session import Session
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, conversation_id
from securechat_tui.protocol.text import SafeText

_GENERATION = b"g" * 16


def _failed(failure: HandlerFailure) -> None:
    """End this process: a figure that was measured around a failure would be wrong."""
    sys.stderr.write(f"{failure}\n")
    os._exit(1)


class OurChannel(Channel):
    """One side of one session."""

    def __init__(self, key: IdentityKey) -> None:
        super().__init__()
        self.ready = asyncio.Event()
        self.key = key
        self._number = 0
        self.connection: Connection

    def happened(self, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        """Take the session's events as they come."""
        self.connection = connection
        for event in happened:
            if isinstance(event, events.PayloadReceived):
                self.take(event.payload)
            else:
                self._answer_question(connection, event)

    def take(self, payload: Payload) -> None:
        """Take what the peer says."""
        if isinstance(payload, Unsigned):
            self.on_message(payload.content[1:])
        elif isinstance(payload, Resume):
            self.ready.set()

    def _answer_question(self, connection: Connection, event: SessionEvent) -> None:
        session = connection.session
        match event:
            case events.Called():
                connection.carry_out(session.admit(now()))
            case events.HostIdentified() | events.GuestIdentified():
                connection.carry_out(session.proceed(now()))
            case events.Authenticated():
                early = session.confirm(now())  # the guest's first words came with its FIN
                session.send(Hello(SafeText.name("bench"), time.time_ns() // 1_000_000, HelloFlag(0)), now())
                session.send(self.meet(event.identity), now())
                connection.carry_out(early)

    def meet(self, peer: PublicIdentity) -> Resume:
        """Say where the conversation with this peer stands: at its beginning."""
        conversation = conversation_id(self.key.public.fingerprint, peer.fingerprint)
        return Resume(conversation, _GENERATION, NO_GENERATION, 0, NO_HASH)

    def send(self, message: bytes) -> None:
        """Seal."""
        self._number += 1
        payload = Unsigned(_GENERATION, self._number, 0, text_content(message.decode()))
        self.connection.session.send(payload, now())

    def flush(self) -> None:
        """Write at the end of this turn of the loop."""
        self.connection.flush()

    async def drain(self) -> None:
        """Let the loop write, and wait while the network is full."""
        self.connection.flush()
        await asyncio.sleep(0)
        await self.connection.drained()

    def close(self) -> None:
        """Hang up."""
        self.connection.abort()


C = TypeVar("C", bound=OurChannel)


async def connect(port: int, made: Callable[[], C]) -> C:
    """Return a connection that is ready to send; ``made`` is its driver."""
    channel = made()
    key = channel.key
    channel.connection = await dial(
        Address("127.0.0.1", port),
        partial(Session.guest, key.public),
        key,
        on_events=channel.happened,
        on_failure=_failed,
    )
    await channel.ready.wait()
    return channel


def serve_with(kind: Callable[[IdentityKey], OurChannel], announce: Announce) -> None:
    """Serve as host, a driver of this kind on each connection."""
    key = IdentityKey.generate(3072)
    channels: dict[Connection, OurChannel] = {}

    async def run() -> None:
        listener = Listener(
            partial(Session.host, key.public),
            key,
            on_connection=lambda connection: channels.update({connection: kind(key)}),
            on_events=lambda connection, happened: channels[connection].happened(connection, happened),
            on_failure=_failed,
        )
        (address,) = await listener.start(Address("127.0.0.1", 0))
        announce(address.port)
        await asyncio.Event().wait()

    asyncio.run(run())


def serve(_folder: Path, announce: Announce) -> None:
    """Serve messages that go unsigned."""
    serve_with(OurChannel, announce)
