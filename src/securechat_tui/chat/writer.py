"""Signs and writes what waits in one conversation, as fast as the disk and the network take it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from securechat_tui.chat.journal import Journal
from securechat_tui.chat.outbox import Outbox, Outgoing
from securechat_tui.network.backoff import Backoff
from securechat_tui.network.connection import Connection
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.payloads import Payload
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.messages import BatchSigned

__all__ = ["Correspondence", "Writer"]


class Correspondence(Protocol):
    """What the writer needs of its conversation."""

    journal: Journal

    @property
    def outbox(self) -> Outbox:
        """What waits."""

    def standing_connection(self) -> Connection | None:
        """Return the connection, unless its session is over."""

    def say(self, payload: Payload) -> None:
        """Send a payload, unless the session is over."""

    def wrote(self, message: Outgoing) -> None:
        """A message has been written for the first time."""

    def storage_failed(self, error: ProfileError) -> None:
        """Something could not be kept."""


class Writer:
    """One task while messages flow; ``work`` wakes it."""

    def __init__(self, correspondence: Correspondence, key: IdentityKey) -> None:
        self._of = correspondence
        self._sign_with: Callable[[bytes], bytes] = key.sign
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something waits to be written."""
        self._work.set()

    def start(self) -> None:
        """Begin, or go on."""
        self._work.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="outbox")

    def stop(self) -> None:
        """Write nothing more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def _run(self) -> None:
        pauses = Backoff()
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                await self._sign()
                await self._write()
                pauses.reset()
            except ProfileError as error:
                self._of.storage_failed(error)
                await self._pause(next(iter(pauses)))
                self._work.set()

    async def _pause(self, seconds: float) -> None:
        """Try again after a while, or when there is something new."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._work.wait()

    async def _sign(self) -> None:
        """Sign what waits, at most 128 at once; each signature is on disk before it is written."""
        outbox = self._of.outbox
        while messages := outbox.to_sign():
            message = outbox.signing_input(messages)
            signature = await asyncio.to_thread(self._sign_with, message)
            await self._of.journal.settled()
            batch = outbox.batch(messages, signature)
            if batch is None:  # they were taken back: the disk was full
                continue
            numbers = tuple(one.number for one in messages)
            self._of.journal.note(BatchSigned(outbox.generation, batch.record, numbers, batch.paths))
            await self._of.journal.commit()
            outbox.signed(messages, batch)
            await self._write()

    def _next(self) -> tuple[Outgoing, list[Payload]] | None:
        """Return what is to be written, of a generation that was announced."""
        outbox = self._of.outbox
        return outbox.next_to_write() if outbox.is_announced else None

    async def _write(self) -> None:
        while (connection := self._of.standing_connection()) and (found := self._next()):
            message, payloads = found
            for payload in payloads:
                self._of.say(payload)
            if not message.written and not message.gone:
                message.written = True
                self._of.wrote(message)
            if not connection.writable:
                await connection.drained()
