"""Connecting to a host: every address of its name, the first that answers, in bounded time."""

import asyncio
import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain, zip_longest

from securechat_tui.network.addresses import Address
from securechat_tui.network.backoff import Backoff
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection, EventsHandler, FailureHandler
from securechat_tui.network.resolver import NameNotFound, resolve, socket_name
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.session import Session

__all__ = ["CONNECT_SECONDS", "Backoff", "CannotConnect", "connect", "dial"]

CONNECT_SECONDS = 10.0
HEAD_START_SECONDS = 0.25
"""How long an address is waited for before the next is tried beside it (RFC 8305)."""

_Line = tuple[socket.socket, Address]
"""A connected socket and the numeric address at its other end."""

_CODES = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.ETIMEDOUT: "timed-out",
    errno.EHOSTUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
    errno.ENETUNREACH: "network-down",
    errno.ENETDOWN: "network-down",
}
# When several addresses fail differently, the one that stands first here is told.
_SENTENCES = {
    "refused": "Nobody is listening at {0}: check address and port, and that the other side is hosting now.",
    "forbidden": "This machine does not let connections out to {0}: check its firewall.",
    "timed-out": "No answer from {0}: check the address, and whether a firewall or router is in between.",
    "unreachable": "{0} cannot be reached from here: check the address and that both share a network.",
    "network-down": "There is no network that leads to {0}: connect this machine to one and try again.",
    "no-such-name": "The name {1} stands for no address: check its spelling, or use the numeric address.",
    "lookup-failed": "The name {1} could not be looked up: check the network, or use the numeric address.",
    "failed": "Connecting to {0} failed: check the address and try again.",
}


class CannotConnect(Exception):
    """No connection came about; ``str(error)`` is one sentence that says what to do.

    ``code``: refused, forbidden, timed-out, unreachable, network-down, no-such-name, lookup-failed
    or failed.
    """

    def __init__(self, code: str, address: Address) -> None:
        super().__init__(_SENTENCES[code].format(address, address.host))
        self.code = code


async def dial(
    address: Address,
    session_factory: Callable[[Instant], Session],
    key: IdentityKey,
    *,
    on_events: EventsHandler,
    on_failure: FailureHandler,
    within: float = CONNECT_SECONDS,
) -> Connection:
    """Connect to ``address`` and start a session there; the session's clock starts then.

    ``within`` bounds name lookup and connecting together, in seconds. Raises
    :class:`CannotConnect`; whatever ``session_factory`` raises passes through.
    """
    sock, peer = await connect(address, within)
    with contextlib.ExitStack() as undo:
        undo.callback(sock.close)
        connection = Connection(session_factory(now()), key, peer, on_events=on_events, on_failure=on_failure)
        undo.pop_all()
    await asyncio.get_running_loop().create_connection(lambda: connection, sock=sock)
    return connection


async def connect(address: Address, within: float = CONNECT_SECONDS) -> _Line:
    """Return a non-blocking socket to ``address`` and the numeric address that it leads to.

    ``within`` bounds name lookup and connecting together, in seconds. Raises :class:`CannotConnect`.
    """
    try:
        async with asyncio.timeout(within):
            hosts = await resolve(address)
            return await _race(_interleave(hosts), address)
    except NameNotFound as error:
        raise CannotConnect("lookup-failed" if error.temporary else "no-such-name", address) from None
    except TimeoutError:
        raise CannotConnect("timed-out", address) from None


def _interleave(hosts: Iterable[str]) -> list[str]:
    """Alternate between the families, the system's first choice first."""
    hosts = list(hosts)
    first_is_ipv6 = ":" in hosts[0]
    preferred = [host for host in hosts if (":" in host) == first_is_ipv6]
    others = [host for host in hosts if (":" in host) != first_is_ipv6]
    return [host for host in chain.from_iterable(zip_longest(preferred, others)) if host is not None]


async def _race(hosts: Iterable[str], address: Address) -> _Line:
    """Try the hosts one after the other without waiting long for any; the first to answer wins.

    ``loop.create_connection`` can do this, but before Python 3.12 it reports several failures as
    one text without their codes, and the sentence shown to the person depends on the code.
    """
    waiting = deque(hosts)
    running: set[asyncio.Task[_Line]] = set()
    failures: list[BaseException] = []
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(_connect_to(waiting.popleft(), address.port)))
            head_start = HEAD_START_SECONDS if waiting else None
            done, _ = await asyncio.wait(running, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
                failures.append(error)
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_hang_up)
    raise CannotConnect(_most_telling(failures), address)


async def _connect_to(host: str, port: int) -> _Line:
    with contextlib.ExitStack() as undo:
        family, name = socket_name(host, port)
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, name)
        if sock.getsockname()[:2] == name[:2]:
            # TCP lets a socket connect to itself when the port it was given is the one it dials.
            raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")
        undo.pop_all()
        return sock, Address.of_socket(name)


def _hang_up(task: asyncio.Task[_Line]) -> None:
    """Close what a loser of the race may still have opened."""
    if not task.cancelled() and task.exception() is None:
        task.result()[0].close()


def _most_telling(failures: Iterable[BaseException]) -> str:
    codes = {_CODES.get(error.errno or 0, "failed") for error in failures if isinstance(error, OSError)}
    return next((code for code in _SENTENCES if code in codes), "failed")
