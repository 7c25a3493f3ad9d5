"""Where the two sides of a conversation meet: a listening socket, a connection, or a relay."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Final

from securechat_tui.lab.relay_http import RelayServer, exchange
from securechat_tui.lab.relay_store import USERS, RelayStore, decode_body
from securechat_tui.network.addresses import Address
from securechat_tui.network.dialer import connect
from securechat_tui.network.resolver import NameNotFound, resolve
from securechat_tui.network.sockets import CannotListen, hosts_for, open_sockets

__all__ = ["LIMIT", "Relay", "Welcome", "accept", "call", "missing_user"]

LIMIT: Final = 256 * 1024
"""Bytes that wait in a stream's buffer before nothing more is read."""

Welcome = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


async def _listen(bind: Address) -> list[socket.socket]:
    try:
        hosts = hosts_for(bind) or await resolve(bind)
    except NameNotFound:
        sentence = f"The name {bind.host} is not known here: use a numeric address."
        raise CannotListen("no-such-name", sentence) from None
    return open_sockets(bind, hosts)


async def accept(bind: Address, welcome: Welcome, undo: contextlib.AsyncExitStack) -> list[Address]:
    """Listen, and hand every connection to ``welcome``; returns where. Raises :class:`CannotListen`."""
    addresses: list[Address] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        welcome(reader, writer)

    for listening in await _listen(bind):
        addresses.append(Address.of_socket(listening.getsockname()))
        server = await asyncio.start_server(take, sock=listening, limit=LIMIT)
        undo.callback(server.close)
    return addresses


async def call(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; raises :class:`~securechat_tui.network.dialer.CannotConnect`."""
    sock, _ = await connect(address)
    return await asyncio.open_connection(sock=sock, limit=LIMIT)


class Relay:
    """A relay that tells which of its users is missing, from entering the context to leaving it.

    ``user`` says who is played here: alice, bob, none for nobody, or empty for the one who is missing
    once somebody else has called.
    """

    def __init__(self, bind: Address, user: str, found: Callable[[str, tuple[str, int]], None]) -> None:
        """``found`` is called once, in the loop, with the user to be played and the relay's address."""
        self._bind = bind
        self._user = user
        self._found = found
        self._store = RelayStore()
        self._decided = user == "none"
        self._alice_asked = 0
        self._loop = asyncio.get_running_loop()
        self._server: RelayServer

    async def __aenter__(self) -> Address:
        first, *others = await _listen(self._bind)
        for one in others:  # a relay listens once; IPv6 can be asked for by its address
            one.close()
        self._server = RelayServer(self._store, first)
        await asyncio.to_thread(self._server.__enter__)
        if self._user in USERS:
            self._decide(self._user)
        else:
            self._store.on_request = self._hear
        return Address.of_socket(first.getsockname())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._server.__exit__)

    def _hear(self, method: str, path: str, body: str) -> None:
        """Conclude from a request who has sent it; called in a thread of the server."""
        caller = _caller(method, path, body)
        if method == "GET" and caller == "alice" and path.startswith("/get_public_key"):
            self._alice_asked += 1  # who asks once may only want to know whether bob is there
            caller = caller if self._alice_asked > 1 else ""
        if caller:
            other = USERS[1 - USERS.index(caller)]
            self._loop.call_soon_threadsafe(self._decide, other)

    def _decide(self, user: str) -> None:
        if not self._decided:
            self._decided = True
            host, port = self._server.address
            self._found(user, (_reachable(host), port))


async def missing_user(address: Address) -> str:
    """Return whom a relay's conversation lacks: alice where bob has registered a key, else bob.

    Raises :class:`~securechat_tui.lab.relay_http.HttpFailure`.
    """
    where = (address.host, address.port)
    _, body = await asyncio.to_thread(exchange, where, "GET", "/get_public_key/bob", None)
    return "alice" if "public_key_pem_b64" in (decode_body(body) or {}) else "bob"


def _reachable(host: str) -> str:
    """Where this machine reaches what listens at ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is not bound here


def _caller(method: str, path: str, body: str) -> str:
    """Whose client asks this; empty where anybody could."""
    if method == "GET":
        if path == "/get_encrypted_master_secret":
            return "bob"
        if path == "/get_public_key/bob":
            return "alice"
        user = path.removeprefix("/get_messages/")
        return user if user in USERS else ""
    found = decode_body(body.encode()) or {}
    user = str(found.get("user_id") or found.get("sender"))
    return user if user in USERS else ""
