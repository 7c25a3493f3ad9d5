"""The two halves of a rekey, at sides that have got as far as the recorded session "rekeys" had.

Behind a first byte from 128 up, the peer has signed the half, whatever stands in it.
"""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from fuzz import recorded
from fuzz.harness import Harness, refused, state_of
from fuzz.people import GUEST, HOST
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import u32
from securechat_tui.protocol.errors import MalformedPayload, RekeyFailure
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.keyschedule import Master
from securechat_tui.protocol.payloads import Payload, RekeyFirst, RekeySecond, decode_payload
from securechat_tui.protocol.recordlayer import RecordLayer
from securechat_tui.protocol.records import Direction
from securechat_tui.protocol.rekey import GuestRekey

_LONGEST = 1900
_BEGAN, _NOW = 0.0, 60.0


class _Signing(PublicIdentity):
    """A peer that signs whatever it likes to send: its key is its own."""

    def verify(self, signature: bytes, message: bytes) -> None:
        """Find the signature right."""


@cache
def _peers() -> dict[tuple[Direction, bool], PublicIdentity]:
    """Return the peer of each side, as it is and as one that signs everything."""
    keys = {Direction.GUEST: HOST.public, Direction.HOST: GUEST.public}
    plain: dict[tuple[Direction, bool], PublicIdentity] = {(side, False): key for side, key in keys.items()}
    return plain | {(side, True): _Signing(key.spki) for side, key in keys.items()}


@cache
def _master() -> Master:
    value = recorded.transcript("rekeys")["handshake"]
    names = ("t3", "fin_host", "fin_guest", "root", "session_id", "exporter")
    return Master(*(bytes.fromhex(value[name]) for name in names))


@cache
def _halves() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return what the first rekey of the recording is made of, on both sides."""
    found = [one["rekey"] | one for one in recorded.transcript("rekeys")["frames"] if "rekey" in one]
    first, second = ({name: _bytes(it) for name, it in one.items()} for one in found[:2])
    return first, second


def _bytes(value: object) -> bytes:
    return (
        bytes.fromhex(value) if isinstance(value, str) and not set(value) - set("0123456789abcdef") else b""
    )


@cache
def _begun() -> GuestRekey:
    """Return the guest's side of that rekey, its half sent."""
    first, _ = _halves()
    begun = GuestRekey(_master().t3, 1)
    begun._exchange._private = x25519.X25519PrivateKey.from_private_bytes(first["x25519_private"])
    begun._encapsulation._private = mlkem.MLKEM768PrivateKey.from_seed_bytes(first["mlkem_seed"])
    begun._first = first["payload"]
    return begun


def _side(direction: Direction, *, signs: bool) -> RecordLayer:
    return RecordLayer(_master(), _peers()[direction, signs], direction, _BEGAN)


def _state(layer: RecordLayer) -> tuple[object, ...]:
    """Return all that a side of a session knows of its keys and its rekeys."""
    parts = (layer.budget, layer._sender, layer._receiver)
    slots = [{name: getattr(part, name) for name in part.__slots__} for part in parts]
    begun = layer._guest_rekey and state_of(layer._guest_rekey)
    return state_of(layer), slots, begun


def _payload(data: bytes) -> Payload | None:
    return refused(lambda: decode_payload(data), MalformedPayload)


def check_first(data: bytes) -> bool:
    """A payload that a host takes for the first half."""
    half = _payload(data[1:])
    if not isinstance(half, RekeyFirst):
        return False
    host = _side(Direction.HOST, signs=data[0] > 0x7F)
    before, root = _state(host), host._root
    message = refused(lambda: host.answer(half, _NOW), RekeyFailure)
    if message is None:
        assert _state(host) == before
        return False
    assert half.epoch == host.epoch + 1
    assert (host.rekeying, host._root) == (True, root)
    host.second(bytes(HOST.public.signature_length))
    assert host._root != root
    assert host._receiver.upcoming is not None
    return True


def check_second(data: bytes) -> bool:
    """A payload that a guest takes for the second half."""
    half = _payload(data[1:])
    if not isinstance(half, RekeySecond):
        return False
    guest = _side(Direction.GUEST, signs=data[0] > 0x7F)
    guest._guest_rekey = _begun()
    before, root = _state(guest), guest._root
    try:
        guest.finish(half, _NOW)
    except RekeyFailure:
        assert _state(guest) == before
        return False
    assert (guest.epoch, guest.rekeying) == (half.epoch, False) == (1, False)
    assert guest._root != root
    return True


def _odd_keys(half: bytes, length: int) -> list[bytes]:
    """Return a half with a point of low order, with a key or ciphertext of ones, and in other epochs."""
    place = 5 + c.X25519_LENGTH
    return [
        half[:5] + bytes(c.X25519_LENGTH) + half[place:],
        half[:place] + b"\xff" * length + half[place + length :],
        half[:1] + u32(0) + half[5:],
        half[:1] + u32(2) + half[5:],
        half[:-1],
        half + b"\0",
    ]


def _seeds(half: bytes, other: bytes, length: int) -> list[bytes]:
    """Return halves, each as it is and as something that its sender has signed."""
    every = [half, other, *_odd_keys(half, length)]
    return [b"", *(mark + one for one in every for mark in (b"\0", b"\x80"))]


def _firsts() -> list[bytes]:
    first, second = _halves()
    return _seeds(first["payload"], second["payload"], c.MLKEM_KEY_LENGTH)


def _seconds() -> list[bytes]:
    first, second = _halves()
    return _seeds(second["payload"], first["payload"], c.MLKEM_CIPHERTEXT_LENGTH)


HARNESSES = (
    Harness("rekey first half", check_first, _firsts, _LONGEST),
    Harness("rekey second half", check_second, _seconds, _LONGEST),
)
