"""Invites: what somebody pastes, or scans, or is sent by whoever wants to be dialled."""

from dataclasses import replace

from fuzz.harness import Harness, refused
from fuzz.people import HOST
from securechat_tui.protocol import constants as c
from securechat_tui.trust import invites
from securechat_tui.trust.invites import MAX_INVITE, BadInvite, Invite, looks_like_invite

_NOW = 1_800_000_000.0
_SECRET = bytes(range(100, 116))


def _text(data: bytes) -> str:
    """The text as it is; or, behind a first byte from 128 up, one made of AUTHORITY, line break, body."""
    if data[:1] < b"\x80":
        return data[1:].decode("utf-8", "surrogateescape")
    before, _, body = data[1:].partition(b"\n")
    authority = before.decode("ascii", "ignore")
    return invites.SCHEME + authority + "/#" + invites._base32(body + invites._check(authority, body))


def check_invite(data: bytes) -> bool:
    """What was read is written as it came, but for white space and capitals; nothing shows the secret."""
    text = _text(data)
    try:
        invite = Invite.parse(text, _NOW)
    except BadInvite as error:
        _check_told(error)
        return False
    assert invite.encode() == "".join(text.split()).lower()
    assert Invite.parse(invite.encode().upper(), _NOW) == invite
    assert looks_like_invite(text)
    assert refused(lambda: Invite.parse(text, invite.expires), invites.ExpiredInvite) is None
    other = replace(invite, secret=bytes(16))
    assert (repr(invite), str(invite)) == (repr(other), str(other))
    return True


def _check_told(error: BadInvite) -> None:
    """A refusal can be shown: it holds no secret, and nothing that a terminal would obey."""
    told = f"{error!r} {error}"
    assert told.isprintable()
    assert not any(secret in told for secret in (_SECRET.hex(), repr(_SECRET)))


def _invite(*hosts: str, port: int = 8000, later: int = 600) -> Invite:
    return Invite(hosts, port, HOST.public.fingerprint, int(_NOW) + later, _SECRET)


def _seeds() -> list[bytes]:
    good = [
        _invite("192.0.2.7"),
        _invite("2001:db8::7", port=65535),
        _invite("my-host.example", "10.0.0.5", "2001:db8::7", "198.51.100.1", port=1),
        _invite("192.0.2.7", later=-1),
    ]
    texts = [one.encode().encode() for one in good]
    bodies = [invites._authority(one.hosts[0], one.port).encode() + b"\n" + one._body() for one in good]
    spaced = b" \n".join((texts[0][:30], texts[0][30:].upper()))
    broken = [texts[0][:-1], texts[0] + b"=", texts[0][:-1] + b"\xff", bodies[0].replace(b"\n\1", b"\n\2")]
    odd = [b"[192.0.2.7]:8000", b"[::0]:1", b"[dead:beef]:1", b"host:99999", b"a:b:1", b"h:01", b""]
    return [
        *(b"\0" + text for text in (*texts, spaced, *broken, b"x" * (MAX_INVITE + 1))),
        *(b"\x80" + body for body in (*bodies, broken[-1], bodies[0][:-1], bodies[0] + b"\0")),
        *(b"\x80" + host + b"\n" + good[0]._body() for host in odd),
        b"\x80h:1\n\1"
        + bytes(c.HASH_LENGTH + 16)
        + b"\xff\xff\xff\xff\2"
        + b"\4"
        + bytes(4)
        + b"\6"
        + bytes(16),
        b"",
    ]


HARNESSES = (Harness("invite", check_invite, _seeds, 1100),)
