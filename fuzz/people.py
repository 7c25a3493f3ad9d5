"""The two people of the harnesses, and one handshake between them."""

from dataclasses import dataclass
from functools import cache

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import keyschedule, primitives
from securechat_tui.protocol.events import SessionEvent, SignatureNeeded
from securechat_tui.protocol.frames import HEADER_LENGTH, FrameType
from securechat_tui.protocol.handshake import GuestHandshake, HostHandshake
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.keyschedule import K2, HandshakeKeys

ALICE = IdentityKey.generate(3072)
"""The host."""
BOB = IdentityKey.generate(3072)
"""The guest."""
CAROL = IdentityKey.generate(4096)
"""Somebody with a longer key."""
VERSIONS = (c.VERSION,)


def sign(key: IdentityKey, asked: list[SessionEvent]) -> bytes:
    """Answer the one question of a machine, which is for a signature."""
    (event,) = asked
    assert isinstance(event, SignatureNeeded)
    return key.sign(event.message)


def k1_payload(versions: tuple[int, ...] = VERSIONS) -> bytes:
    """Return a K1 with fresh keys."""
    written: list[bytes] = []
    GuestHandshake(BOB.public, versions, (), written.append).open((None, bytes(c.KEY_LENGTH)))
    return written[0][HEADER_LENGTH:]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A guest that waits for K2, a host that waits for S, and the keys that only these two have."""

    guest: GuestHandshake
    host: HostHandshake
    keys: HandshakeKeys
    clear_k2: bytes
    t1: bytes
    t2: bytes
    host_section: bytes
    guest_section: bytes
    """The honest plaintexts of E_H and E_G."""


@cache
def meeting() -> Meeting:
    """Run one handshake until each waits for the other, once for the whole process."""
    said: list[bytes] = []
    guest = GuestHandshake(BOB.public, VERSIONS, (), said.append)
    host = HostHandshake(ALICE.public, VERSIONS, (), said.append)
    guest.open((None, None))
    host.open()
    host.receive(FrameType.KEY, said[0][HEADER_LENGTH:])
    host.signed(sign(ALICE, host.admit()))
    k1, k2 = (one[HEADER_LENGTH:] for one in said)
    waiting = vars(guest).copy()
    guest.receive(FrameType.KEY, k2)
    guest.signed(sign(BOB, guest.proceed()))
    keys, t2 = guest._keys, guest._t2
    vars(guest).clear()
    vars(guest).update(waiting)
    clear = K2.decode(k2).clear()
    t1 = keyschedule.first_transcript(k1, clear)
    host_section = primitives.unseal(keys.host, k2[len(clear) :], t1)
    guest_section = primitives.unseal(keys.guest, said[2][HEADER_LENGTH:], t2)
    return Meeting(guest, host, keys, clear, t1, t2, host_section, guest_section)
