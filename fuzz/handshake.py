"""K1, K2 and S: what a machine does with them from outside, and with what stands behind their seals."""

from collections.abc import Callable
from typing import TypeVar

from fuzz.harness import Harness, refused, state_of
from fuzz.people import GUEST, HOST, OTHER, VERSIONS, k1_payload, meeting
from fuzz.recorded import defects
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import HandshakeFailure, MalformedPayload, VersionMismatch
from securechat_tui.protocol.events import Called, GuestIdentified, HostIdentified, SessionEvent
from securechat_tui.protocol.frames import HEADER_LENGTH, FrameType
from securechat_tui.protocol.handshake import Handshake, HostHandshake, State
from securechat_tui.protocol.keyschedule import K2, GuestSection, HostSection
from securechat_tui.protocol.rotation import Rotation

S = TypeVar("S", HostSection, GuestSection)

_DECLARED = (HandshakeFailure, VersionMismatch)


def _received(machine: Handshake, kind: FrameType, payload: bytes) -> SessionEvent | None:
    """Return what a machine tells about a frame; where it refuses it, nothing must have changed."""
    before = state_of(machine)
    told = refused(lambda: machine.receive(kind, payload), *_DECLARED)
    if told is None:
        assert state_of(machine) == before
        return None
    (event,) = told
    return event


def _called(payload: bytes) -> tuple[HostHandshake, SessionEvent | None]:
    written: list[bytes] = []
    host = HostHandshake(HOST.public, VERSIONS, (), written.append)
    host.open()
    event = _received(host, FrameType.KEY, payload)
    assert not written
    return host, event


def check_k1(data: bytes) -> bool:
    """A K1 at a host."""
    host, event = _called(data)
    if event is None:
        return False
    assert isinstance(event, Called)
    assert event.core + b"".join(event.tags) == data
    assert host.state is State.DECIDE_CALL
    assert host.version == c.VERSION
    return True


def check_k1_keys(data: bytes) -> bool:
    """A K1 whose keys the host computes with."""
    host, event = _called(data)
    if event is None:
        return False
    before = state_of(host)
    if refused(host.admit, HandshakeFailure) is None:
        assert state_of(host) == before
        return False
    assert host.state is State.SIGN
    return True


def _k1s() -> list[bytes]:
    good = k1_payload()
    return [
        good,
        good[:3] + bytes(32) + good[35:],  # a point of low order
        good[:35] + b"\xff" * c.MLKEM_KEY_LENGTH + good[-64:],  # coefficients beyond the modulus
        *(frame[HEADER_LENGTH:] for frame in defects("K1")),
    ]


def _judged(machine: Handshake, kind: FrameType, payload: bytes) -> SessionEvent | None:
    """As :func:`_received`, with the machine as before afterwards, whatever it said."""
    before = vars(machine).copy()
    try:
        return _received(machine, kind, payload)
    finally:
        vars(machine).clear()
        vars(machine).update(before)


def check_k2(data: bytes) -> bool:
    """K2 as it is; or, behind a first byte from 128 up, the plaintext of an E_H sealed with the right key."""
    with_keys, there = data[:1] > b"\x7f", meeting()
    payload = data[1:]
    if with_keys:
        section = payload[: c.HOST_SECTION_LENGTH].ljust(c.HOST_SECTION_LENGTH, b"\0")
        payload = there.clear_k2 + primitives.seal(there.keys.host, section, there.t1)
    event = _judged(there.guest, FrameType.KEY, payload)
    if event is None:
        return False
    assert isinstance(event, HostIdentified)
    assert event.identity in (HOST.public, OTHER.public)  # nobody else has signed anything
    assert event.version == c.VERSION
    return True


def _k2s() -> list[bytes]:
    there = meeting()
    own = HostSection(GUEST.public.spki, VERSIONS, (), bytes(384)).encode()
    return [
        b"\x80" + there.host_section,
        b"\x80" + own,
        b"\x80" + there.guest_section,
        *(b"\0" + frame[HEADER_LENGTH:] for frame in defects("K2")),
    ]


def check_s(data: bytes) -> bool:
    """S as it is; or, behind a first byte from 128 up, the plaintext of an E_G sealed with the right key."""
    with_keys, there = data[:1] > b"\x7f", meeting()
    payload = data[1:]
    if with_keys:
        section = payload[: c.GUEST_SECTION_LENGTH].ljust(c.GUEST_SECTION_LENGTH, b"\0")
        payload = primitives.seal(there.keys.guest, section, there.t2)
    event = _judged(there.host, FrameType.SESSION, payload)
    if event is None:
        return False
    assert isinstance(event, GuestIdentified)
    assert event.identity in (GUEST.public, OTHER.public)
    return True


def _ss() -> list[bytes]:
    there = meeting()
    own = GuestSection(HOST.public.spki, bytes(384), (), bytes(384)).encode()
    return [
        b"\x80" + there.guest_section,
        b"\x80" + own,
        b"\x80" + there.host_section,
        *(b"\0" + frame[HEADER_LENGTH:] for frame in defects("S")),
    ]


def check_k2_layout(data: bytes) -> bool:
    """The layout of K2 alone."""
    k2 = refused(lambda: K2.decode(data), MalformedPayload)
    assert k2 is None or k2.encode() == data
    return k2 is not None


def _section_check(decode: Callable[[bytes], S], length: int) -> Callable[[bytes], bool]:
    def check(data: bytes) -> bool:
        plaintext = data[:length].ljust(length, b"\0")
        section = refused(lambda: decode(plaintext), MalformedPayload)
        assert section is None or section.encode() == plaintext
        return section is not None

    return check


def _sections() -> list[bytes]:
    there = meeting()
    rotations = tuple(Rotation(bytes(32), b"n" * 32, number, b"s" * 384) for number in (1, 2))
    return [
        there.host_section,
        there.guest_section,
        HostSection(b"k" * 550, (9, 3, 1), rotations, b"s" * 512).encode(),
        GuestSection(b"k" * 550, b"w" * 512, rotations, b"s" * 512).encode(),
        there.host_section[:-1] + b"\1",
        b"",
    ]


HARNESSES = (
    Harness("k1", check_k1, _k1s, 2048),
    Harness("k2 layout", check_k2_layout, lambda: [b"", *(seed[1:] for seed in _k2s())], 3800),
    Harness("host section", _section_check(HostSection.decode, c.HOST_SECTION_LENGTH), _sections, 2560),
    Harness("guest section", _section_check(GuestSection.decode, c.GUEST_SECTION_LENGTH), _sections, 2816),
    Harness("k1 keys", check_k1_keys, _k1s, 2048),
    Harness("k2", check_k2, _k2s, 3800),
    Harness("s", check_s, _ss, 2900),
)
