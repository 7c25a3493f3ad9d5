"""From host names to numeric addresses, and from those to what the socket calls take."""

import asyncio
import socket
from typing import cast

from securechat_tui.network.addresses import Address

__all__ = ["MAX_HOSTS", "NameNotFound", "resolve", "socket_name"]

SocketName = tuple[str | int, ...]
"""What the socket calls take and give for IPv4 (host, port) and IPv6 (and flow, interface)."""
MAX_HOSTS = 8
"""How many addresses of one name are ever tried."""


class NameNotFound(Exception):
    """A name stands for no address; ``temporary`` when the resolver itself could not be asked."""

    def __init__(self, *, temporary: bool) -> None:
        super().__init__()
        self.temporary = temporary


async def resolve(address: Address) -> list[str]:
    """Find the numeric hosts that ``address`` stands for, in the system's order of preference.

    Raises :class:`NameNotFound`. A numeric host stands for itself and asks nobody.
    """
    if address.is_numeric:
        return [address.host]
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameNotFound(temporary=error.errno == socket.EAI_AGAIN) from None
    except (OSError, UnicodeError):
        raise NameNotFound(temporary=False) from None
    names = (_internet_name(family, name) for family, *_, name in infos)
    hosts = dict.fromkeys(Address.of_socket(name).host for name in names if name is not None)
    if not hosts:
        raise NameNotFound(temporary=False)
    return list(hosts)[:MAX_HOSTS]


def socket_name(host: str, port: int) -> tuple[socket.AddressFamily, SocketName]:
    """Turn a numeric host into family and name for ``bind`` and ``connect``; asks no resolver.

    Raises OSError for an interface (fe80::1%eth0) that this machine does not have.
    """
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    family, *_, name = infos[0]
    return family, cast("SocketName", name)


def _internet_name(family: socket.AddressFamily, name: object) -> SocketName | None:
    return cast("SocketName", name) if family in {socket.AF_INET, socket.AF_INET6} else None
