"""The people of the recorded sessions, and the two of them in the middle of a handshake."""

from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from fuzz.recorded import identity, payload_of, transcript
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.frames import FrameType
from securechat_tui.protocol.handshake import GuestHandshake, HostHandshake, State
from securechat_tui.protocol.keyschedule import K2, HandshakeKeys

__all__ = ["GUEST", "HOST", "OTHER", "VERSIONS", "Meeting", "k1_payload", "meeting"]

GUEST = identity("alice")
HOST = identity("bob")
OTHER = identity("carol")
VERSIONS = (c.VERSION,)


def k1_payload() -> bytes:
    """Return the recorded K1."""
    return payload_of(transcript("first contact")["frames"][0]["frame"])


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
    """Put both sides of "first contact" in their places, with the ephemeral keys that they had there."""
    recorded = transcript("first contact")
    value = {name: bytes.fromhex(it) for name, it in recorded["handshake"].items() if isinstance(it, str)}
    guest = GuestHandshake(GUEST.public, VERSIONS, (), lambda _: None)
    guest.open((None, None))
    guest._k1 = k1_payload()
    guest._exchange._private = x25519.X25519PrivateKey.from_private_bytes(value["guest_x25519_private"])
    guest._encapsulation._private = mlkem.MLKEM768PrivateKey.from_seed_bytes(value["guest_mlkem_seed"])
    keys = HandshakeKeys(value["k_h"], value["k_g"])
    host = HostHandshake(HOST.public, VERSIONS, (), lambda _: None)
    host.open()
    host.receive(FrameType.KEY, k1_payload())
    host.state, host._keys, host._t2 = State.AWAIT_S, keys, value["t2"]
    clear = K2.decode(payload_of(recorded["frames"][1]["frame"])).clear()
    sections = value["host_section"], value["guest_section"]
    return Meeting(guest, host, keys, clear, value["t1"], value["t2"], *sections)
