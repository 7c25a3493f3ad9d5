"""Addresses as people type and read them: ``HOST``, ``HOST:PORT``, ``[IPv6]:PORT``, bare IPv6."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

__all__ = ["DEFAULT_PORT", "Address", "BadAddress", "reachable_addresses"]

DEFAULT_PORT = 8000
MAX_ADDRESS_CHARACTERS = 300
MAX_PORT = 65535
MAX_REACHABLE = 8

_BRACKETED = re.compile(r"\[([^\[\]]*)\](?::(.*))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_SCOPE = re.compile(r"[A-Za-z0-9._-]{1,15}")

# Reserved for documentation (RFC 5737, RFC 3849): nobody is there, and connecting a datagram
# socket only asks the routing table; no packet leaves.
_PROBES = ((socket.AF_INET, "203.0.113.1"), (socket.AF_INET6, "2001:db8::1"))
_DISCARD_PORT = 9

_FORMS = "write HOST, HOST:PORT or [IPv6]:PORT, for example 192.168.1.5:8000"


class BadAddress(ValueError):
    """This is not an address; ``str(error)`` is one sentence that says what to write instead."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name, or a numeric address without brackets) and a TCP port, in canonical spelling.

    Two spellings of the same address are equal after :meth:`parse`; ``str()`` gives the form that
    :meth:`parse` reads back.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, bind: bool = False, default_port: int = DEFAULT_PORT) -> Self:
        """Read what a person typed.

        With ``bind`` the text says where to listen: port 0 (any free one) and the addresses that
        stand for "all of this machine's" are allowed then. Raises :class:`BadAddress`.
        """
        text = text.strip()
        _check_shape(text)
        host, port = _split(text)
        address = cls(_canonical_host(host), _read_port(port, default_port, bind=bind))
        if not bind and address.is_unspecified:
            raise BadAddress("That stands for every address of a machine: write one of the host's own.")
        return address

    @classmethod
    def of_socket(cls, name: tuple[str | int, ...]) -> Self:
        """Take the host and port out of what ``getsockname`` or ``getpeername`` returned."""
        host, port, *rest = name
        scope = rest[1] if len(rest) > 1 else 0  # IPv6 names carry flow and interface
        return cls(_canonical_host(f"{host}%{scope}" if scope else str(host)), int(port))

    @property
    def is_numeric(self) -> bool:
        """Whether the host is an address rather than a name that needs resolving."""
        return self._number() is not None

    @property
    def is_loopback(self) -> bool:
        """Whether this is this machine speaking to itself; false for every name."""
        number = self._number()
        return number is not None and number.is_loopback

    @property
    def is_unspecified(self) -> bool:
        """Whether this is 0.0.0.0 or ::, every address of the machine."""
        number = self._number()
        return number is not None and number.is_unspecified

    def _number(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _check_shape(text: str) -> None:
    if not text:
        raise BadAddress(f"The address is empty: {_FORMS}.")
    if len(text) > MAX_ADDRESS_CHARACTERS:
        raise BadAddress(f"The address is longer than {MAX_ADDRESS_CHARACTERS} characters: {_FORMS}.")
    if "/" in text or "@" in text:
        raise BadAddress(f"An address has no '/' and no '@': {_FORMS}.")


def _split(text: str) -> tuple[str, str | None]:
    """Separate host and port; two or more colons without brackets are an IPv6 address alone."""
    if text.startswith("["):
        match = _BRACKETED.fullmatch(text)
        if match is None or ":" not in match[1]:
            raise BadAddress("Only an IPv6 address goes in brackets: write [2001:db8::1]:8000.")
        return match[1], match[2]
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _read_port(text: str | None, default: int, *, bind: bool) -> int:
    if text is None:
        return default
    # isdecimal alone admits other scripts' digits.
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_PORT))):
        raise BadAddress(f"The port after ':' must be a number from 1 to {MAX_PORT}.")
    port = int(text)
    if port > MAX_PORT or (port == 0 and not bind):
        raise BadAddress(f"Port {port} is out of range: choose one from 1 to {MAX_PORT}.")
    return port


def _canonical_host(host: str) -> str:
    if ":" in host:
        return _canonical_ipv6(host)
    name = _ascii_name(host)
    # A name whose last label is a number would be read as an address by some resolvers.
    if name.rpartition(".")[2].isdecimal():
        return _canonical_ipv4(name)
    if _HOST_NAME.fullmatch(name) is None:
        raise BadAddress(f"The host's name may hold letters, digits, '-' and '.': {_FORMS}.")
    return name


def _canonical_ipv4(host: str) -> str:
    try:
        return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise BadAddress("An IPv4 address has four numbers from 0 to 255, like 192.168.1.5.") from None


def _canonical_ipv6(host: str) -> str:
    try:
        number = ipaddress.IPv6Address(host)
    except ValueError:
        raise BadAddress(
            "This is no IPv6 address: write one like 2001:db8::1 or [2001:db8::1]:8000."
        ) from None
    if number.scope_id is not None and _SCOPE.fullmatch(number.scope_id) is None:
        raise BadAddress("After '%' comes the name of a network interface: write fe80::1%eth0.")
    return str(number.ipv4_mapped or number)


def _ascii_name(host: str) -> str:
    """Spell a name as the resolver sees it; empty where that is impossible."""
    try:
        return host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        return ""


def reachable_addresses(bound: Iterable[Address]) -> tuple[Address, ...]:
    """What a guest could type to reach listeners bound to ``bound``; loopback always last.

    0.0.0.0 and :: become the machine's own addresses, the one of the default route first.
    Link-local IPv6 is left out, since it means nothing without the guest's interface. Sends no
    packet itself and never raises; it may ask the system's resolver for this machine's own name,
    so call it from a thread.
    """
    found = dict.fromkeys(address for one in bound for address in _expand(one))
    near = [address for address in found if address.is_loopback]
    far = [address for address in found if not address.is_loopback]
    return (*far[:MAX_REACHABLE], *near)


def _expand(bound: Address) -> Iterator[Address]:
    if not bound.is_unspecified:
        yield bound
        return
    family = socket.AF_INET6 if ":" in bound.host else socket.AF_INET
    for host in (*_routed_host(family), *_named_hosts(family)):
        address = _usable(host, bound.port)
        if address is not None:
            yield address
    yield Address("::1" if family == socket.AF_INET6 else "127.0.0.1", bound.port)


def _usable(host: str, port: int) -> Address | None:
    number = ipaddress.ip_address(host)
    if number.is_unspecified or number.is_loopback:
        return None
    if isinstance(number, ipaddress.IPv6Address) and number.is_link_local:
        return None
    return Address(str(number), port)


def _routed_host(family: socket.AddressFamily) -> Iterator[str]:
    """Find the address that the routing table gives packets to far away."""
    for probe_family, probe in _PROBES:
        if probe_family != family:
            continue
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.connect((probe, _DISCARD_PORT))
                yield sock.getsockname()[0]
        except OSError:
            return


def _named_hosts(family: socket.AddressFamily) -> Iterator[str]:
    """Find the addresses that this machine's own name stands for."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, family, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    for *_, name in found:
        yield str(name[0])
