"""The handshake against peers and middlemen that do not keep to it."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from der_keys import rsa_spki
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from low_order import LOW_ORDER_ENCODINGS
from protocol_peers import (
    Alter,
    Clock,
    Pair,
    Peer,
    flip,
    flip_in,
    guest_machine,
    identity_key,
    pair_in,
    payload_of,
    unchecked_identity,
)

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.handshake import State
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.keyschedule import GuestSection, HostSection
from securechat_tui.protocol.session import Session

sampled = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def failed(peer: Peer, how: End = End.HANDSHAKE) -> bool:
    """Tell whether a session has ended so, and nothing is left to be written."""
    return peer.ended is not None and peer.ended.how is how and peer.session.data_to_send() == b""


def authenticated(pair: Pair) -> list[str]:
    return [pair.role_of(peer) for peer in pair.peers if peer.events_of(events.Authenticated)]


def replace_in(role: str, kind: FrameType, start: int, value: bytes) -> Alter:
    """Return an ``alter`` that overwrites part of the payload of one side's frames of a type."""

    def alter(sender: str, data: bytes) -> bytes:
        if sender != role or data[0] != kind:
            return data
        payload = payload_of(data)
        return frame(kind, payload[:start] + value + payload[start + len(value) :])

    return alter


# Middlemen.


@sampled
@given(st.integers(0, 1282), st.integers(1, 255))
@example(0, 1)
@example(2, 3)
@example(3, 1)
@example(34, 0x80)
@example(35, 1)
@example(1218, 1)
@example(1219, 1)
@example(1282, 1)
def test_a_changed_k1_completes_with_nobody(position: int, mask: int) -> None:
    pair = Pair.connect(secrets=(b"s" * 32, b"t" * 32))
    pair.alter = flip_in("guest", FrameType.KEY, position, mask)
    pair.run()
    assert authenticated(pair) == []
    assert State.COMPLETE not in (pair.guest.state, pair.host.state)
    assert not pair.guest.events_of(events.HostIdentified)


@sampled
@given(st.integers(0, c.K2_LENGTH - 1), st.integers(1, 255))
@example(0, 1)
@example(1, 1)
@example(2, 1)
@example(33, 0x80)
@example(34, 1)
@example(1121, 1)
@example(1122, 1)
@example(c.K2_LENGTH - 1, 1)
def test_a_changed_k2_is_refused_by_the_guest(position: int, mask: int) -> None:
    pair = Pair.connect()
    pair.alter = flip_in("host", FrameType.KEY, position, mask)
    pair.run()
    assert failed(pair.guest)
    assert pair.wire["guest"][1:] == []
    assert not pair.guest.events_of(events.HostIdentified)


@sampled
@given(st.integers(0, c.S_LENGTH - 1), st.integers(1, 255))
@example(0, 1)
@example(c.S_LENGTH - 17, 1)
@example(c.S_LENGTH - 1, 1)
def test_a_changed_s_is_refused_by_the_host_before_it_uses_its_key(position: int, mask: int) -> None:
    pair = Pair.connect()
    pair.alter = flip_in("guest", FrameType.SESSION, position, mask)
    pair.run()
    assert failed(pair.host)
    assert pair.host.events_of(events.UnwrapNeeded) == []
    assert pair.wire["host"][1:] == []


@sampled
@given(st.sampled_from(["guest", "host"]), st.integers(0, c.FIN_LENGTH - 1), st.integers(1, 255))
@example("guest", 0, 1)
@example("host", 31, 0x80)
def test_a_changed_fin_is_refused(sender: str, position: int, mask: int) -> None:
    pair = Pair.connect()
    pair.alter = flip_in(sender, FrameType.FIN, position, mask)
    pair.run()
    receiver = pair.other(pair.by_role(sender))
    assert failed(receiver)
    assert not receiver.events_of(events.Authenticated)
    assert receiver.state is State.AWAIT_FIN


def test_the_hosts_fin_reflected_is_not_the_guests() -> None:
    pair = pair_in("host", State.AWAIT_FIN)
    pair.host.feed(frame(FrameType.FIN, pair.host.remembered.master.fin_host))
    assert failed(pair.host)


def test_the_guests_k1_reflected_is_no_k2() -> None:
    pair = Pair.connect()
    pair.guest.feed(pair.guest.session.data_to_send())
    assert failed(pair.guest)


def test_two_handshakes_cannot_be_crossed() -> None:
    one, other = pair_in("host", State.AWAIT_S), pair_in("guest", State.AWAIT_FIN)
    one.host.feed(bytes(other.written["guest"]))
    assert failed(one.host)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"220 mail.example.org ESMTP\r\n",
        b"Forbidden\r\n",
        b"Moved\r\n",
        bytes(100),
    ],
    ids=["HTTP", "SSH", "TLS alert", "SMTP", "F", "M", "zeros"],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_another_kind_of_server_at_the_other_end_is_a_failed_handshake(answer: bytes, size: int) -> None:
    guest = Pair.connect().guest
    guest.session.data_to_send()
    for start in range(0, len(answer), size):
        guest.feed(answer[start : start + size])
    assert failed(guest)


def test_an_http_client_at_the_host_is_a_failed_handshake() -> None:
    host = Pair.connect().host
    host.feed(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    assert failed(host)


# Keys that are no keys.


@pytest.mark.parametrize("point", LOW_ORDER_ENCODINGS)
def test_a_low_order_point_of_the_guest_gets_no_byte(point: bytes) -> None:
    pair = Pair.connect()
    pair.alter = replace_in("guest", FrameType.KEY, 3, point)
    pair.run()
    assert failed(pair.host)
    assert pair.wire["host"] == []
    assert pair.host.events_of(events.SignatureNeeded) == []


@pytest.mark.parametrize("point", LOW_ORDER_ENCODINGS)
def test_a_low_order_point_of_the_host_gets_no_byte(point: bytes) -> None:
    pair = Pair.connect()
    pair.alter = replace_in("host", FrameType.KEY, 2, point)
    pair.run()
    assert failed(pair.guest)
    assert pair.wire["guest"][1:] == []
    assert pair.guest.ended is not None
    assert "tag" not in pair.guest.ended.detail, "refused by the exchange, not by E_H"


@pytest.mark.parametrize("coefficients", [b"\x01\x0d\x00", b"\xff\x0f\x00", b"\xff\xff\xff", b"\x00\x10\xd0"])
@pytest.mark.parametrize("place", [0, 381, 1149])
def test_a_malformed_encapsulation_key_gets_no_byte(coefficients: bytes, place: int) -> None:
    """A coefficient of 3329 or more (twelve bits each) fails the modulus check."""
    pair = Pair.connect()
    pair.alter = replace_in("guest", FrameType.KEY, 35 + place, coefficients)
    pair.run()
    assert failed(pair.host)
    assert pair.wire["host"] == []


@pytest.mark.parametrize("change", [-1, 1, -1088])
def test_a_k2_with_a_ciphertext_of_another_length_is_refused(change: int) -> None:
    pair = Pair.connect()

    def alter(sender: str, data: bytes) -> bytes:
        if sender != "host":
            return data
        payload = payload_of(data)
        cut = payload[: 34 + min(change, 0) + 1088] + bytes(max(change, 0))
        return frame(FrameType.KEY, cut + payload[34 + 1088 :])

    pair.alter = alter
    pair.run()
    assert failed(pair.guest)
    assert pair.wire["guest"][1:] == []


@pytest.mark.parametrize("cut", [1, 3, 34, 35, 500, 1218, 1219, 1282])
def test_a_k1_that_is_cut_or_too_long_gets_no_byte(cut: int) -> None:
    k1 = payload_of(Pair.connect().guest.session.data_to_send())
    for payload in (k1[:cut], k1 + bytes(cut % 700 + 1)):
        pair = Pair.connect()
        pair.host.feed(frame(FrameType.KEY, payload))
        pair.run()
        assert failed(pair.host)
        assert pair.wire["host"] == []


# Identities that break the rules, shown by whoever does own them.

EVIL: dict[str, Callable[[], IdentityKey]] = {
    "2048 bits": lambda: evil_key(65537, 2048),
    "e = 3": lambda: evil_key(3, 3072),
}


def evil_key(exponent: int, bits: int) -> IdentityKey:
    private = rsa.generate_private_key(exponent, bits)
    key = object.__new__(IdentityKey)
    key._key = private
    spki = rsa_spki(private.public_key().public_numbers().n, exponent)
    key.public = identity_key("carol").public
    key.public = unchecked_identity(key, spki)
    return key


@pytest.mark.parametrize("evil", list(EVIL))
@pytest.mark.parametrize("role", ["guest", "host"])
def test_an_identity_that_breaks_the_rules_is_refused_though_its_signature_holds(
    evil: str, role: str
) -> None:
    key = EVIL[evil]()
    pair = Pair.connect(guest_key=key) if role == "guest" else Pair.connect(host_key=key)
    pair.run()
    victim = pair.other(pair.by_role(role))
    assert failed(victim)
    assert authenticated(pair) == []
    assert not victim.events_of(events.HostIdentified)
    assert not victim.events_of(events.GuestIdentified)


def test_one_cannot_connect_to_oneself() -> None:
    pair = Pair.connect(host_key=identity_key("alice"), guest_key=identity_key("alice"))
    pair.run()
    assert failed(pair.guest, End.SELF)
    assert pair.wire["guest"][1:] == []


def test_a_guest_with_the_hosts_own_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair.connect(host_key=identity_key("alice"), guest_key=identity_key("alice"))
    monkeypatch.setattr(guest_machine(pair.guest), "_check_not_own", lambda _: None)
    pair.run()
    assert failed(pair.host, End.SELF)
    assert pair.wire["host"][1:] == []


def signing_nonsense(peer: Peer) -> None:
    class Liar(IdentityKey):
        def sign(self, message: bytes) -> bytes:
            return IdentityKey.sign(self, message + b"!")

    peer.key = Liar(peer.key._key)


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_wrong_signature_is_refused(role: str) -> None:
    pair = Pair.connect()
    liar = pair.by_role(role)
    signing_nonsense(liar)
    pair.run()
    victim = pair.other(liar)
    assert failed(victim)
    assert not victim.events_of(events.HostIdentified)
    assert not victim.events_of(events.GuestIdentified)
    assert not victim.events_of(events.UnwrapNeeded)


@pytest.mark.parametrize("role", ["guest", "host"])
@pytest.mark.parametrize("signature", [b"", b"\0" * 384, b"\xff" * 384, b"x" * 512])
def test_a_signature_of_no_sense_is_refused(role: str, signature: bytes) -> None:
    pair = Pair.connect()
    liar = pair.by_role(role)
    liar.holding = (events.SignatureNeeded,)
    pair.run()
    liar.absorb(liar.session.signed(signature, pair.clock.now))
    pair.run()
    assert failed(pair.other(liar))


def test_the_host_and_the_guest_signature_cannot_stand_for_each_other() -> None:
    pair = pair_in("guest", State.AWAIT_FIN)
    message = pair.guest.one(events.SignatureNeeded).message
    assert message != pair.host.one(events.SignatureNeeded).message
    assert message[4:].startswith(c.LABEL_GUEST_SIGNATURE)


# Sections with the right key and the wrong content.


@pytest.mark.parametrize(("role", "section"), [("host", HostSection), ("guest", GuestSection)])
@pytest.mark.parametrize("place", [-1, -2, -300])
def test_padding_that_is_not_zero_is_refused(
    monkeypatch: pytest.MonkeyPatch, role: str, section: type[HostSection | GuestSection], place: int
) -> None:
    honest = section.encode
    monkeypatch.setattr(
        section, "encode", lambda self: flip(honest(self), len(honest(self)) + place), raising=True
    )
    pair = Pair.connect()
    pair.run()
    assert failed(pair.other(pair.by_role(role)))


@pytest.mark.parametrize(("role", "section"), [("host", HostSection), ("guest", GuestSection)])
@pytest.mark.parametrize("plaintext", [bytes(4), b"\xff" * 4, b"\0\0\x11" + b"\0\1" * 17, b"\0\0\1\0\1\xff"])
def test_a_section_that_does_not_follow_its_layout_is_refused(
    monkeypatch: pytest.MonkeyPatch, role: str, section: type[HostSection | GuestSection], plaintext: bytes
) -> None:
    length = c.HOST_SECTION_LENGTH if role == "host" else c.GUEST_SECTION_LENGTH
    monkeypatch.setattr(section, "encode", lambda _: plaintext.ljust(length, b"\0"))
    pair = Pair.connect()
    pair.run()
    assert failed(pair.other(pair.by_role(role)))


def test_every_failure_looks_the_same_from_outside() -> None:
    """Whatever a guest does wrong after K2, the host says nothing more and ends."""
    endings = []
    for data in (
        frame(FrameType.SESSION, bytes(c.S_LENGTH)),
        frame(FrameType.FIN, bytes(c.FIN_LENGTH)),
        b"S\xff\xff\xff\xff",
        b"?",
    ):
        host = pair_in("host", State.AWAIT_S).host
        host.feed(data)
        endings.append((host.session.data_to_send(), host.one(Ended).how, host.session.next_timeout()))
    assert set(endings) == {(b"", End.HANDSHAKE, None)}


def test_hosts_meet_no_frame_after_the_end() -> None:
    clock = Clock()
    session = Session.host(identity_key("bob").public, clock.now)
    assert len(session.receive(b"?", clock.now)) == 1
    assert session.receive(Pair.connect().guest.session.data_to_send(), clock.now) == []
    assert session.data_to_send() == b""
