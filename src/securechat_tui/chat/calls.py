"""Calls going out: one at a time; after a cut, with growing pauses until the peer is there again."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from securechat_tui.chat import events
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.house import Dialled, House
from securechat_tui.chat.targets import own_secrets
from securechat_tui.network.addresses import Address
from securechat_tui.network.backoff import Backoff
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.network.dialer import CannotConnect, dial
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.identity import Fingerprint, IdentityKey
from securechat_tui.protocol.session import Session

_LASTING_SECONDS = 60.0
"""A session as long as this was no accident."""


class Exchange(House, Protocol):
    """What outgoing calls need of the engine."""

    def start(self, story: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a story until the engine is closed."""

    async def follow(self, connection: Connection, encounter: Encounter) -> None:
        """Drive a connection to its end."""

    def handler_failed(self, failure: HandlerFailure) -> None:
        """Tell an internal error."""

    def call_ended(self) -> None:
        """Nothing is dialled any more, and nobody was reached."""


class Calls:
    """At most one call is under way: a first one, or one back to a peer who was cut off."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None
        self._encounter: Encounter | None = None
        self._hurry = asyncio.Event()
        self._backoff = Backoff()
        self._connected_at = 0.0

    @property
    def under_way(self) -> bool:
        """Whether somebody is being called."""
        return self._task is not None

    @property
    def is_refused(self) -> bool:
        """Whether the call has come to its end already, and only its connection is still being closed."""
        return self._encounter is not None and self._encounter.settled

    def begin(self, dialled: Dialled, key: IdentityKey) -> None:
        """Call once; what comes of it is told as events."""
        self.give_up()
        self._backoff.reset()
        self._task = self._exchange.start(self._first(dialled, key))

    def come_back(self, dialled: Dialled, key: IdentityKey, peer: Fingerprint) -> None:
        """Call until this peer, and nobody else, is there again or the answer forbids it.

        The pauses go on growing where they were, unless the last session has lasted.
        """
        self.give_up()
        if now().monotonic - self._connected_at >= _LASTING_SECONDS:
            self._backoff.reset()
        self._hurry.clear()
        self._task = self._exchange.start(self._return(dialled, key, peer))

    def connected(self) -> None:
        """Take note that the call has become a conversation."""
        self._task = None
        self._connected_at = now().monotonic

    def give_up(self) -> None:
        """Stop calling."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    def hurry(self) -> None:
        """Try again now instead of after the pause."""
        self._hurry.set()

    async def _first(self, dialled: Dialled, key: IdentityKey) -> None:
        try:
            await self._first_that_answers(dialled, key)
        except CannotConnect as error:
            self._exchange.error("cannot-connect", str(error))
        finally:
            self._over()

    async def _first_that_answers(self, dialled: Dialled, key: IdentityKey) -> None:
        """Go through the addresses; raises the :class:`CannotConnect` of the last one."""
        for other in dialled.others:
            with suppress(CannotConnect):
                await self._attempt(dialled, key, 1)
                return
            dialled = replace(dialled, endpoint=other)
        await self._attempt(dialled, key, 1)

    async def _return(self, dialled: Dialled, key: IdentityKey, peer: Fingerprint) -> None:
        try:
            for attempt, pause in enumerate(self._backoff, 1):
                await self._pause(pause)
                contact = self._exchange.account.pins.by_fingerprint(peer)
                if contact is None:  # forgotten meanwhile
                    return
                again = replace(dialled, target=contact, invite=None, returning=True)
                with suppress(CannotConnect):
                    if await self._attempt(again, key, attempt):
                        return
        finally:
            self._over()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        self._hurry.clear()

    async def _attempt(self, dialled: Dialled, key: IdentityKey, attempt: int) -> bool:
        """Call once, to the end of what comes of it; False where another attempt may do better."""
        self._task = asyncio.current_task()
        host, port = dialled.endpoint
        address = Address(host, port)
        self._exchange.stream.emit(
            events.Dialing(
                time=time.time(), address=host, port=port, attempt=attempt, returning=dialled.returning
            )
        )
        encounter = self._encounter = Encounter(self._exchange, dialled, str(address))
        secrets = own_secrets(self._exchange.account.pins, dialled)

        rotations = self._exchange.account.rotations

        def begin(moment: Instant) -> Session:
            return Session.guest(key.public, moment, secrets=secrets, rotations=rotations)

        connection = await dial(
            address, begin, key, on_events=encounter.take, on_failure=self._exchange.handler_failed
        )
        await self._exchange.follow(connection, encounter)
        return encounter.settled

    def _over(self) -> None:
        if self._task is asyncio.current_task():
            self._task = None
            self._exchange.call_ended()
