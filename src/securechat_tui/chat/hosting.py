"""Listening for callers: the one listener, where it can be reached, and the invites that say so."""

import asyncio
import time
from contextlib import suppress

from securechat_tui.chat import events
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.reception import Reception
from securechat_tui.chat.targets import invited_hosts, listen
from securechat_tui.network.addresses import Address, reachable_addresses
from securechat_tui.network.clock import now
from securechat_tui.network.listener import Listener
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.session import Session
from securechat_tui.trust.pins import Contact

__all__ = ["Hosting"]


class Hosting:
    """Listens, or does not; what callers come to is the reception's part."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._listener: Listener | None = None
        self._reachable: tuple[Address, ...] = ()
        self._is_for_talks = False
        """Whether it listens for those alone with whom a person wants to talk, as long as that is so."""
        self._stopping: asyncio.Task[None] | None = None
        reception.on_last_talk = self._no_more_talks

    @property
    def is_active(self) -> bool:
        """Whether callers can come in."""
        return self._listener is not None

    async def begin(self, bind: str | None, *, invited_only: bool) -> None:
        """Listen at ``ADDRESS[:PORT]`` (None: as the configuration says), and make a first invite.

        Raises CommandError.
        """
        await self._listen(bind, invited_only=invited_only)
        with suppress(CommandError):  # stopped meanwhile, or too many of them: told when asked for
            self.invite()

    async def for_talk(self, contact: Contact, bind: str | None) -> None:
        """Listen for known contacts alone; where that cannot be, calling this one must do.

        Raises CommandError where it has no address either.
        """
        if self._listener is not None:
            return
        try:
            await self._listen(bind, invited_only=True)
        except CommandError as error:
            if error.code != "cannot-listen" or not contact.addresses:
                raise
            message = f"{error} Calling alone."
            self._reception.stream.emit(events.Notice(time=time.time(), message=message))
        else:
            self._is_for_talks = True

    async def _listen(self, bind: str | None, *, invited_only: bool) -> None:
        reception = self._reception
        account, following = reception.account, reception.following
        key = account.own_key
        if self._listener is not None:
            raise CommandError("busy", "You are hosting already.")

        def answer(moment: Instant) -> Session:
            return Session.host(key.public, moment, rotations=account.rotations, silent=invited_only)

        listener = Listener(
            answer,
            key,
            on_connection=following.welcome,
            on_events=following.happened,
            on_failure=following.handler_failed,
        )
        reception.callers.invited_only = invited_only
        bound = await listen(listener, account.config.bind if bind is None else bind)
        self._listener = listener
        reception.hosting = True
        for address in bound:
            reception.stream.emit(events.Listening(time=time.time(), address=address.host, port=address.port))
        self._reachable = await asyncio.to_thread(reachable_addresses, bound)
        reachable = tuple(map(str, self._reachable))
        reception.stream.emit(
            events.Hosting(time=time.time(), active=True, reachable=reachable, invited_only=invited_only)
        )

    async def stop(self) -> None:
        """Listen no more; sessions that stand go on."""
        if self._stopping is not None:
            await self._stopping
        await self._stop()

    async def _stop(self) -> None:
        listener, self._listener = self._listener, None
        self._reception.hosting = self._is_for_talks = False
        if listener is not None:
            await listener.stop()
            self._reception.stream.emit(events.Hosting(time=time.time(), active=False))

    def _no_more_talks(self) -> None:
        """Nobody is to be talked with any more: what listened for that alone stops."""
        if self._is_for_talks:
            self._stopping = asyncio.create_task(self._stop())

    def invite(self) -> None:
        """Make an invite for one guest; it comes as an event. Raises CommandError."""
        if self._listener is None:
            raise CommandError(
                "not-hosting", "An invite says where you can be reached: host first, then invite."
            )
        made = self._reception.callers.invitations.make(
            invited_hosts(self._reachable),
            self._listener.addresses[0].port,
            self._reception.account.own_key.public.fingerprint,
            now(),
        )
        self._reception.stream.emit(
            events.Invite(time=time.time(), invite=made.encode(), expires=float(made.expires))
        )
