"""Listening sockets: one for each address, IPv4 and IPv6 on the same port."""

import contextlib
import errno
import os
import socket
from collections.abc import Iterable
from typing import NoReturn

from securechat_tui.network.addresses import MAX_PORT, Address
from securechat_tui.network.resolver import socket_name

__all__ = ["ANY_HOST", "CannotListen", "hosts_for", "open_sockets"]

ANY_HOST = "0.0.0.0"  # noqa: S104 - a host is there to be reached
ANY_HOST_IPV6 = "::"
BACKLOG = 64
PORT_ATTEMPTS = 32

_NOT_HERE = frozenset({errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.EADDRNOTAVAIL})
_NOT_PERMITTED = frozenset({errno.EACCES, errno.EPERM})


class CannotListen(Exception):
    """Nothing listens; ``code`` is a short machine word, ``str(error)`` one sentence with what to do.

    Codes: port-in-use, no-permission, not-here, no-such-name, failed.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def hosts_for(bind: Address) -> tuple[str, ...]:
    """Name the numeric hosts that ``bind`` means; empty for a name, which must be resolved.

    0.0.0.0 means all of this machine, hence IPv6 as well; :: means IPv6 alone.
    """
    if bind.host == ANY_HOST:
        return (ANY_HOST, ANY_HOST_IPV6)
    return (bind.host,) if bind.is_numeric else ()


def open_sockets(bind: Address, hosts: Iterable[str]) -> list[socket.socket]:
    """Open a listening, non-blocking socket for each numeric host, all with the same port.

    ``bind`` is what the person asked for; its port may be 0, and then one port that is free at
    every host is looked for. Hosts of a family that this machine does not have are left out,
    unless none remains. Raises :class:`CannotListen`.
    """
    wanted = tuple(dict.fromkeys(hosts))
    # The port that is free at the first host may be taken at the second: then try another.
    for _ in range(0 if bind.port else PORT_ATTEMPTS - 1):
        with contextlib.suppress(OSError):
            return _open_all(wanted, 0)
    try:
        return _open_all(wanted, bind.port)
    except OSError as error:
        _refuse(bind, error)


def _open_all(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    """Open all sockets or none; the first one's port holds for the rest."""
    with contextlib.ExitStack() as undo:
        opened: list[socket.socket] = []
        missing: OSError | None = None
        for host in hosts:
            try:
                sock = undo.enter_context(_open_one(host, port))
            except OSError as error:
                if not _is_not_here(error):
                    raise
                missing = error
                continue
            port = sock.getsockname()[1]
            opened.append(sock)
        if not opened and missing is not None:
            raise missing
        undo.pop_all()
        return opened


def _open_one(host: str, port: int) -> socket.socket:
    family, name = socket_name(host, port)
    with contextlib.ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.setblocking(False)
        _set_options(sock)
        sock.bind(name)
        sock.listen(BACKLOG)
        undo.pop_all()
        return sock


def _set_options(sock: socket.socket) -> None:
    if os.name == "posix":
        # A port whose last connections are in TIME_WAIT is free; elsewhere the option means theft.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _is_not_here(error: OSError) -> bool:
    return error.errno in _NOT_HERE or isinstance(error, socket.gaierror)


def _refuse(bind: Address, error: OSError) -> NoReturn:
    """Say in one sentence why nothing can listen at ``bind``."""
    if error.errno == errno.EADDRINUSE:
        code = "port-in-use"
        other = bind.port + 1 if bind.port < MAX_PORT else bind.port - 1
        what = f"Port {bind.port} is in use by another program: stop that, or choose another such as {other}."
    elif error.errno in _NOT_PERMITTED:
        code = "no-permission"
        what = f"Listening on port {bind.port} is not permitted: choose one from 1024 up."
    elif _is_not_here(error):
        code = "not-here"
        what = f"{bind.host} is not an address of this machine: listen on {ANY_HOST} or one of its own."
    else:
        code = "failed"
        name = errno.errorcode.get(error.errno or 0, "unknown error")
        what = f"Listening on {bind} failed ({name}): try another address or port."
    raise CannotListen(code, what) from None
