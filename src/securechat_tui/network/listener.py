"""Listening for guests: one accept loop for each socket, bounded handshakes."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from securechat_tui.network.addresses import DEFAULT_PORT, Address
from securechat_tui.network.admission import Admission, Limits, origin_of
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection, EventsHandler, FailureHandler
from securechat_tui.network.failures import Containment
from securechat_tui.network.resolver import NameNotFound, resolve
from securechat_tui.network.sockets import ANY_HOST, CannotListen, hosts_for, open_sockets
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.session import Session

__all__ = ["ANY_ADDRESS", "CannotListen", "Listener"]

ANY_ADDRESS = Address(ANY_HOST, DEFAULT_PORT)
"""Every address of this machine, IPv6 included, at the default port."""


class Listener:
    """Accepts guests and gives each a session.

    ``on_connection`` hears of every connection before its first event; events and failures go to
    the handlers that :class:`~securechat_tui.network.connection.Connection` describes. Callers
    over the limits (see ``admission``) are disconnected at once and never heard of.
    """

    def __init__(
        self,
        session_factory: Callable[[Instant], Session],
        key: IdentityKey,
        *,
        on_connection: Callable[[Connection], None],
        on_events: EventsHandler,
        on_failure: FailureHandler,
        limits: Limits | None = None,
    ) -> None:
        self._session_factory = session_factory
        self._key = key
        self._on_connection = on_connection
        self._on_events = on_events
        self._on_failure = on_failure
        self._containment = Containment(on_failure)
        self._limits = limits or Limits()
        self._admission = Admission[Connection](self._limits, Connection.abort)
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where it listens, one for each socket, all with the same port; empty when stopped."""
        return tuple(Address.of_socket(sock.getsockname()) for sock in self._sockets)

    @property
    def unfinished(self) -> tuple[Connection, ...]:
        """Connections whose handshake is under way, the oldest first."""
        return self._admission.holders

    async def start(self, bind: Address = ANY_ADDRESS) -> tuple[Address, ...]:
        """Listen at ``bind`` and return the addresses that came of it.

        Port 0 finds one that is free for IPv4 and IPv6. Raises :class:`CannotListen`.
        """
        if self._sockets:
            raise RuntimeError("the listener is running already")
        self._sockets = open_sockets(bind, hosts_for(bind) or await _resolve_own(bind))
        self._accepting = [asyncio.create_task(self._accept_from(sock)) for sock in self._sockets]
        return self.addresses

    async def stop(self) -> None:
        """Close the sockets and drop unfinished handshakes; established connections live on."""
        accepting, self._accepting = self._accepting, []
        for task in accepting:
            task.cancel()
        await asyncio.gather(*accepting, return_exceptions=True)
        for sock in self._sockets:
            sock.close()
        self._sockets = []
        for connection in self._admission.holders:
            connection.abort()

    async def _accept_from(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, name = await loop.sock_accept(listening)
            except ConnectionAbortedError:
                continue
            except OSError:
                # Out of descriptors or memory: the caller waits in the kernel's queue until some
                # are free. Trying again at once would only keep the processor busy.
                await asyncio.sleep(self._limits.pause)
                continue
            await self._welcome(sock, Address.of_socket(name))
            # A burst is accepted one caller per turn of the loop, so that it delays nobody else.
            await asyncio.sleep(0)

    async def _welcome(self, sock: socket.socket, peer: Address) -> None:
        """Start a connection on ``sock``, or close it."""
        with contextlib.ExitStack() as undo, self._containment:
            undo.callback(sock.close)
            connection = self._admit(peer)
            if connection is None:
                return
            undo.callback(self._admission.leave, connection)
            self._on_connection(connection)
            undo.pop_all()
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: connection, sock)

    def _admit(self, peer: Address) -> Connection | None:
        instant = now()
        origin = origin_of(peer)
        if not self._admission.admits(origin, instant.monotonic):
            return None
        connection = Connection(
            self._session_factory(instant),
            self._key,
            peer,
            on_events=self._on_events,
            on_failure=self._on_failure,
            on_settled=self._admission.leave,
        )
        self._admission.enter(connection, origin, instant.monotonic)
        return connection


async def _resolve_own(bind: Address) -> list[str]:
    try:
        return await resolve(bind)
    except NameNotFound:
        raise CannotListen(
            "no-such-name",
            f"The name {bind.host} is not known here: listen on {ANY_HOST} or a numeric address.",
        ) from None
