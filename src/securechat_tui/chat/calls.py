"""Calls going out, one for each target; after a cut, with growing pauses until the peer is there again."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Protocol

from securechat_tui.chat import events
from securechat_tui.chat.connection_log import ConnectionLog
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.following import Following
from securechat_tui.chat.house import Dialled, House
from securechat_tui.chat.targets import own_secrets, pinned_at
from securechat_tui.network.addresses import Address
from securechat_tui.network.backoff import Backoff
from securechat_tui.network.clock import now
from securechat_tui.network.dialer import CannotConnect, dial
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.identity import Fingerprint, IdentityKey
from securechat_tui.protocol.session import Session
from securechat_tui.trust.pins import Contact, Endpoint

__all__ = ["Call", "Calls", "Exchange"]

_LASTING_SECONDS = 60.0
"""A session as long as this was no accident."""


class Exchange(House, Protocol):
    """What outgoing calls need of the engine."""

    log: ConnectionLog
    following: Following

    def call_ended(self, call: "Call") -> None:
        """A call has reached nobody, and is over."""


@dataclass(slots=True, eq=False)
class Call:
    """Somebody is being called: once, or one peer again and again."""

    dialled: Dialled
    number: int
    peer: Fingerprint | None = None
    """Who alone is called, until it is there; None for a first call."""
    everywhere: bool = False
    """Whether at every address of the contact, and not only where it was reached before."""
    encounter: Encounter | None = None
    task: asyncio.Task[None] | None = None
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def recipient(self) -> str:
        """Under what texts are held for whoever answers."""
        return f"call {self.number}"

    @property
    def is_refused(self) -> bool:
        """Whether it has come to its end already, and only its connection is still being closed."""
        return self.encounter is not None and self.encounter.settled

    def is_for(self, fingerprint: Fingerprint) -> bool:
        """Whether nobody but this key is meant."""
        target = self.dialled.target
        if self.peer is not None:
            return self.peer == fingerprint
        is_contact = isinstance(target, Contact) and target.fingerprint == fingerprint
        return is_contact and self.dialled.verifying is None


@dataclass(slots=True)
class _Rhythm:
    """How long to wait before a peer is called again."""

    pauses: Backoff = field(default_factory=Backoff)
    connected_at: float = 0.0


class Calls:
    """Every call under way: those that have become a conversation are none any more."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._calls: list[Call] = []
        self._rhythms: dict[Fingerprint, _Rhythm] = {}
        self._numbers = count(1)

    @property
    def under_way(self) -> bool:
        """Whether anybody is being called."""
        return bool(self._calls)

    def unanswered(self) -> tuple[Call, ...]:
        """Return the calls of which something can still come."""
        return tuple(call for call in self._calls if not call.is_refused)

    def to(self, fingerprint: Fingerprint) -> tuple[Call, ...]:
        """Return those of them that mean nobody but this key."""
        return tuple(call for call in self.unanswered() if call.is_for(fingerprint))

    def answered_by(self, fingerprint: Fingerprint) -> tuple[Call, ...]:
        """Return those of them that only this key can answer: also at an address where no other is pinned."""
        pins = self._exchange.account.pins
        return tuple(
            call
            for call in self.unanswered()
            if call.is_for(fingerprint) or pinned_at(call.dialled, pins) == (fingerprint,)
        )

    def of(self, encounter: Encounter) -> Call | None:
        """Return the call that has led to an encounter."""
        return next((call for call in self._calls if call.encounter is encounter), None)

    def begin(self, dialled: Dialled, key: IdentityKey) -> None:
        """Call once; what comes of it is told as events."""
        call = Call(dialled, next(self._numbers))
        self._calls.append(call)
        call.task = self._exchange.following.start(self._first(call, key))

    def come_back(self, dialled: Dialled, key: IdentityKey, peer: Fingerprint) -> None:
        """Call until this peer, and nobody else, is there again or the answer forbids it."""
        pauses = self._rhythms.setdefault(peer, _Rhythm()).pauses
        self._call_again(Call(dialled, next(self._numbers), peer), key, pauses)

    def seek(self, dialled: Dialled, key: IdentityKey, peer: Fingerprint, *, at_once: bool) -> None:
        """The same at every address of the contact, the one that was used last first."""
        pauses = self._rhythms.setdefault(peer, _Rhythm()).pauses
        call = Call(dialled, next(self._numbers), peer, everywhere=True)
        self._call_again(call, key, chain((0.0,), pauses) if at_once else pauses)

    def _call_again(self, call: Call, key: IdentityKey, pauses: Iterable[float]) -> None:
        self._calls.append(call)
        call.task = self._exchange.following.start(self._again_and_again(call, key, pauses))

    def reached(self, encounter: Encounter, peer: Fingerprint) -> None:
        """This peer is here; the call that has led to it, if any did, has reached whom it should."""
        rhythm = self._rhythms.setdefault(peer, _Rhythm())
        rhythm.connected_at = now().monotonic
        call = self.of(encounter)
        if call is None:
            return
        self._calls.remove(call)
        if call.peer is None:
            rhythm.pauses.reset()

    def ended(self, peer: Fingerprint, *, fruitful: bool) -> None:
        """A session is over; ``fruitful``: messages have arrived in it.

        The pauses before this peer is called go on growing where they were, unless that was worth calling.
        """
        rhythm = self._rhythms.setdefault(peer, _Rhythm())
        if fruitful or now().monotonic - rhythm.connected_at >= _LASTING_SECONDS:
            rhythm.pauses.reset()

    def give_up(self, call: Call) -> None:
        """Stop a call."""
        if call in self._calls:
            self._calls.remove(call)
        if call.task is not None:
            call.task.cancel()

    async def _first(self, call: Call, key: IdentityKey) -> None:
        try:
            await self._first_that_answers(call, key)
        except CannotConnect as error:
            self._exchange.error("cannot-connect", str(error))
        finally:
            self._over(call)

    async def _first_that_answers(self, call: Call, key: IdentityKey) -> None:
        """Go through the addresses; raises the :class:`CannotConnect` of the last one."""
        dialled = call.dialled
        for other in dialled.others:
            with suppress(CannotConnect):
                await self._attempt(call, dialled, key, 1)
                return
            dialled = replace(dialled, endpoint=other)
        await self._attempt(call, dialled, key, 1)

    async def _again_and_again(self, call: Call, key: IdentityKey, pauses: Iterable[float]) -> None:
        try:
            for attempt, pause in enumerate(pauses, 1):
                await _pause(call, pause)
                contact = self._exchange.account.pins.by_fingerprint(call.peer) if call.peer else None
                if contact is None:  # forgotten meanwhile
                    return
                if await self._round(call, contact, key, attempt):
                    return
        finally:
            self._over(call)

    async def _round(self, call: Call, contact: Contact, key: IdentityKey, attempt: int) -> bool:
        """Call at each address; False where another round may do better."""
        again = replace(call.dialled, target=contact, invite=None, returning=True)
        endpoints: tuple[Endpoint, ...] = contact.addresses[::-1] if call.everywhere else (again.endpoint,)
        for endpoint in endpoints:
            with suppress(CannotConnect):
                if await self._attempt(call, replace(again, endpoint=endpoint), key, attempt):
                    return True
        return False

    async def _attempt(self, call: Call, dialled: Dialled, key: IdentityKey, attempt: int) -> bool:
        """Call once, to the end of what comes of it; False where another attempt may do better."""
        exchange = self._exchange
        address = Address(*dialled.endpoint)
        exchange.stream.emit(
            events.Dialing(
                time=time.time(),
                address=address.host,
                port=address.port,
                attempt=attempt,
                returning=dialled.returning,
            )
        )
        encounter = call.encounter = Encounter(exchange, dialled, str(address))
        exchange.log.begin(encounter)
        secrets = own_secrets(exchange.account.pins, dialled)
        rotations = exchange.account.rotations

        def begin(moment: Instant) -> Session:
            return Session.guest(key.public, moment, secrets=secrets, rotations=rotations)

        following = exchange.following
        try:
            connection = await dial(
                address, begin, key, on_events=encounter.take, on_failure=following.handler_failed
            )
        except BaseException as error:
            exchange.log.end(encounter, "nobody answered" if isinstance(error, CannotConnect) else "given up")
            raise
        await following.follow(connection, encounter)
        return encounter.settled

    def _over(self, call: Call) -> None:
        if call in self._calls:
            self._calls.remove(call)
            self._exchange.call_ended(call)


async def _pause(call: Call, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await call.hurry.wait()
    call.hurry.clear()
