"""Section 9.4 of docs/protocol.md: invites as text, and the secret of their tags."""

import base64
import ipaddress
from dataclasses import dataclass

from reference_crypto import Fields, Violation, hash_of, mac, u

SCHEME = "securechat://"
PACKED = {4: 4, 6: 16}


@dataclass(frozen=True)
class Invite:
    """What an invite says; ``hosts`` without brackets."""

    hosts: tuple[str, ...]
    port: int
    fp: bytes
    secret: bytes
    expires: int

    def tag_secret(self) -> bytes:
        """The secret that the tag in the second place shows."""
        return mac(self.secret, b"invite tag secret", self.fp, u(self.expires, 4))

    def authority(self) -> str:
        """The first host and the port."""
        first = self.hosts[0]
        return f"[{first}]:{self.port}" if ":" in first else f"{first}:{self.port}"

    def body(self) -> bytes:
        """The fixed fields and the further hosts."""
        further = [ipaddress.ip_address(host) for host in self.hosts[1:]]
        packed = b"".join(u(host.version, 1) + host.packed for host in further)
        return u(1, 1) + self.fp + self.secret + u(self.expires, 4) + u(len(further), 1) + packed

    def text(self) -> str:
        """The whole string."""
        return f"{SCHEME}{self.authority()}/#{base32(self.body() + check(self.authority(), self.body()))}"


def base32(data: bytes) -> str:
    """RFC 4648 in small letters, without padding."""
    return base64.b32encode(data).decode().rstrip("=").lower()


def check(authority: str, body: bytes) -> bytes:
    """Five bytes over both."""
    return hash_of(b"invite check", authority.encode(), body)[:5]


def read_invite(text: str) -> Invite:
    """What a text says; time is the reader's affair."""
    if len(text) > 1024:
        raise Violation("not an invite")
    text = "".join(text.split()).lower()
    if not text.startswith(SCHEME):
        raise Violation("not an invite")
    authority, _, letters = text.removeprefix(SCHEME).partition("/#")
    try:
        data = base64.b32decode(letters.upper() + "=" * (-len(letters) % 8))
    except ValueError:
        raise Violation("typing error") from None
    body = data[:-5]
    if base32(data) != letters or data[-5:] != check(authority, body):
        raise Violation("typing error")
    fields = Fields(body, "not an invite")
    if fields.number(1) != 1:
        raise Violation("newer format")
    fp, secret, expires = fields.take(32), fields.take(16), fields.number(4)
    further = []
    for _ in range(fields.number(1)):
        kind = fields.number(1)
        fields.need(kind in PACKED)
        further.append(str(ipaddress.ip_address(fields.take(PACKED[kind]))))
    fields.end()
    fields.need(len(further) <= 3)
    first, _, port = authority.rpartition(":")
    invite = Invite((first.strip("[]"), *further), int(port), fp, secret, expires)
    fields.need(invite.authority() == authority)
    return invite
