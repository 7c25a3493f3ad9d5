"""Invites: one string by which a guest finds a host, knows its key, and is known in turn.

    securechat://HOST:PORT/#DATA

DATA is base32 (RFC 4648, no padding) of a body and its check:

    body   u8 format || host's fingerprint (32) || secret (16) || u32 expires
           || u8 count || count * a further host, at the same port
    host   u8 4 || IPv4 address (4), or u8 6 || IPv6 address (16)
    check  the first 5 bytes of SHA-256 over (label, "HOST:PORT", body)

The letters of base32 survive typing, pasting and QR codes: no two of them are taken for each other
(there is no 0, 1, 8 or 9), and capitals make no difference anywhere. White space, as from a line that
was broken on its way, is dropped. A typing error passes the check once in 2^40 times.

The secret never enters the key schedule and is never sent. What is shown of it is a call tag
(:func:`~securechat_tui.protocol.keyschedule.call_tag`) under :attr:`Invite.tag_secret`.
"""

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import Reader, u8, u32
from securechat_tui.protocol.errors import MalformedPayload
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.pins import Endpoint

__all__ = [
    "INVITE_SECONDS",
    "MAX_HOSTS",
    "MAX_INVITE",
    "SCHEME",
    "BadInvite",
    "ExpiredInvite",
    "Invite",
    "MistypedInvite",
    "NewerInvite",
    "NotAnInvite",
    "looks_like_invite",
]

SCHEME: Final = "securechat://"
INVITE_SECONDS: Final = 600
"""How long an invite can be used."""
SECRET_LENGTH: Final = 16
MAX_HOSTS: Final = 4
"""Hosts in one invite, the one before the ``#`` included."""
MAX_HOST_LENGTH: Final = 253
"""Characters of a host: those of the longest name (RFC 1035)."""
MAX_INVITE: Final = 1024
"""Characters of an invite, white space included; the longest real one has fewer."""
_MARK: Final = "/#"
_FORMAT: Final = 1
_CHECK_LENGTH: Final = 5
_PACKED_LENGTHS: Final = {4: 4, 6: 16}
_LAST_SECOND: Final = 0xFFFFFFFF
_NAME: Final = re.compile(r"[a-z0-9._-]+")
_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+)):(?P<port>[1-9][0-9]{0,4})"
)
_MAX_PORT: Final = 65535


class BadInvite(ValueError):
    """This invite cannot be used."""

    def __str__(self) -> str:
        return self.__doc__ or "BadInvite"


class NotAnInvite(BadInvite):
    """This is not an invite: one begins with securechat:// and is copied whole."""


class MistypedInvite(BadInvite):
    """The invite has a typing error or a piece is missing: copy the whole of it again."""


class NewerInvite(BadInvite):
    """The invite was made by a newer version of the program: update this one, or ask for an address."""


class ExpiredInvite(BadInvite):
    """The time of an invite is over; ``expires`` and ``now`` are Unix seconds."""

    def __init__(self, expires: float, now: float) -> None:
        super().__init__(expires, now)
        self.expires = expires
        self.now = now

    def __str__(self) -> str:
        return (
            f"The invite expired at {_clock(self.expires)}, and the clock here says {_clock(self.now)}: "
            "ask for a new one (or set the clock, if it is wrong)."
        )


def _clock(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, tz=UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def looks_like_invite(text: str) -> bool:
    """Whether somebody who typed this meant an invite, right or wrong."""
    text = "".join(text.split()).lower()
    return _MARK in text or text.startswith(SCHEME)


@dataclass(frozen=True, slots=True)
class Invite:
    """A host's word for one guest; raises :class:`ValueError` where its parts cannot be true."""

    hosts: tuple[str, ...]
    """Where the host can be reached, in the order to try: the first may be a name, the others are numeric."""
    port: int
    fingerprint: Fingerprint
    """The host's key."""
    expires: int
    """Unix seconds by the host's clock."""
    secret: bytes = field(repr=False)
    """16 bytes that nobody else knows."""

    def __post_init__(self) -> None:
        first, further = self.hosts[:1], self.hosts[1:]
        if not first or len(further) >= MAX_HOSTS:
            raise ValueError("an invite has one to four hosts")
        if not all(map(_is_host, first)) or not all(map(_is_number, further)):
            raise ValueError("an invite has canonical hosts, all but the first in numbers")
        if not 1 <= self.port <= _MAX_PORT:
            raise ValueError("an invite has a port from 1 to 65535")
        if not 0 <= self.expires <= _LAST_SECOND:
            raise ValueError("an invite ends before the year 2106")
        if (len(self.fingerprint), len(self.secret)) != (c.HASH_LENGTH, SECRET_LENGTH):
            raise ValueError("an invite has a fingerprint of 32 bytes and a secret of 16")

    @classmethod
    def make(cls, hosts: tuple[str, ...], port: int, fingerprint: Fingerprint, now: float) -> Self:
        """Draw a secret for an invite that ends ten minutes after ``now`` (Unix seconds)."""
        expires = int(now) + INVITE_SECONDS
        return cls(hosts, port, fingerprint, expires, primitives.random_bytes(SECRET_LENGTH))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The addresses to try, in this order."""
        return tuple((host, self.port) for host in self.hosts)

    @property
    def tag_secret(self) -> bytes:
        """What the tag of a call shows, 32 bytes: bound to the host's key and to the end of the invite."""
        return primitives.hmac_sha256(self.secret, c.LABEL_INVITE_TAG, self.fingerprint, u32(self.expires))

    def encode(self) -> str:
        """Return the string, in small letters."""
        authority, body = _authority(self.hosts[0], self.port), self._body()
        return f"{SCHEME}{authority}{_MARK}{_base32(body + _check(authority, body))}"

    def _body(self) -> bytes:
        further = [ipaddress.ip_address(host) for host in self.hosts[1:]]
        packed = [u8(host.version) + host.packed for host in further]
        fixed = u8(_FORMAT) + self.fingerprint + self.secret + u32(self.expires)
        return fixed + u8(len(packed)) + b"".join(packed)

    @classmethod
    def parse(cls, text: str, now: float) -> Self:
        """Read an invite at ``now`` (Unix seconds); raises :class:`BadInvite`, one kind for each defect."""
        if len(text) > MAX_INVITE or not text.isascii():
            raise NotAnInvite
        text = "".join(text.split()).lower()
        if not text.startswith(SCHEME):
            raise NotAnInvite
        authority, body = _checked(text.removeprefix(SCHEME))
        invite = cls._read(authority, body)
        if now >= invite.expires:
            raise ExpiredInvite(invite.expires, now)
        return invite

    @classmethod
    def _read(cls, authority: str, body: bytes) -> Self:
        try:
            reader = Reader(body)
            if reader.number(1) != _FORMAT:
                raise NewerInvite
            host, port = _endpoint(authority)
            fingerprint, secret = Fingerprint(reader.take(c.HASH_LENGTH)), reader.take(SECRET_LENGTH)
            expires = reader.number(4)
            further = [_unpack(reader) for _ in range(reader.number(1))]
            reader.end()
            return cls((host, *further), port, fingerprint, expires, secret)
        except NewerInvite:
            raise
        except (MalformedPayload, ValueError):  # its check is right: it was made like this
            raise NotAnInvite from None


def _is_host(host: str) -> bool:
    if ":" in host:
        return _is_number(host)
    return len(host) <= MAX_HOST_LENGTH and _NAME.fullmatch(host) is not None


def _is_number(host: str) -> bool:
    try:
        return str(ipaddress.ip_address(host)) == host
    except ValueError:
        return False


def _unpack(reader: Reader) -> str:
    length = _PACKED_LENGTHS.get(reader.number(1), 0)
    return str(ipaddress.ip_address(reader.take(length)))


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _endpoint(authority: str) -> Endpoint:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise ValueError("not an authority")
    host, port = match["v6"] or match["name"], int(match["port"])
    if _authority(host, port) != authority:
        raise ValueError("brackets around what is no IPv6 address")
    return host, port


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _check(authority: str, body: bytes) -> bytes:
    """Five bytes that a typing error anywhere changes."""
    return primitives.hash_of(c.LABEL_INVITE_CHECK, authority.encode("ascii"), body)[:_CHECK_LENGTH]


def _checked(text: str) -> tuple[str, bytes]:
    """Split what follows the scheme into authority and body; raises :class:`MistypedInvite`."""
    authority, _, letters = text.partition(_MARK)
    try:
        data = base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    except binascii.Error:
        raise MistypedInvite from None
    body, check = data[:-_CHECK_LENGTH], data[-_CHECK_LENGTH:]
    if _base32(data) != letters or check != _check(authority, body):
        raise MistypedInvite
    return authority, body
