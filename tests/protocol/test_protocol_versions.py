"""Versions, hints and rotations: what is offered, chosen, carried and bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_peers import Pair, Peer, host_with, identity_key, payload_of, split_frames

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.encoding import Reader
from securechat_tui.protocol.errors import HandshakeFailure, MalformedPayload, VersionMismatch
from securechat_tui.protocol.events import End, SessionEvent
from securechat_tui.protocol.frames import FrameType, decode_hint, encode_hint, frame
from securechat_tui.protocol.handshake import HostHandshake, State
from securechat_tui.protocol.keyschedule import encode_versions, highest_common, read_versions
from securechat_tui.protocol.rotation import Rotation, encode_rotations, read_rotations
from securechat_tui.protocol.session import HINT_BUSY, HINT_VERSION, Session


class Downgrader(HostHandshake):
    """A host that chooses the lowest version, whatever both speak."""

    def _take_k1(self, payload: bytes) -> list[SessionEvent]:
        happened = super()._take_k1(payload)
        self.version = min(self.versions)
        return happened


class ListHider(HostHandshake):
    """A host that chooses the lowest version and claims to speak no other."""

    def _take_k1(self, payload: bytes) -> list[SessionEvent]:
        happened = super()._take_k1(payload)
        self.version = min(self.versions)
        self.versions = (self.version,)
        return happened


class Stranger(HostHandshake):
    """A host that chooses a version that it does not list."""

    def _take_k1(self, payload: bytes) -> list[SessionEvent]:
        happened = super()._take_k1(payload)
        self.version = 9
        return happened


def against(machine: type[HostHandshake], versions: tuple[int, ...] = (2, 1)) -> Pair:
    pair = Pair.connect(versions=(versions, versions))
    pair.host = host_with(machine, pair.host.key, pair.clock, versions)
    pair.run()
    return pair


def ended_as(peer: Peer) -> End:
    return peer.one(events.Ended).how


@pytest.mark.parametrize(
    ("guest", "host", "chosen"),
    [((1,), (1,), 1), ((2, 1), (1,), 1), ((1,), (2, 1), 1), ((3, 2, 1), (4, 3, 1), 3), ((5, 1), (4, 1), 1)],
)
def test_the_highest_common_version_is_chosen(
    guest: tuple[int, ...], host: tuple[int, ...], chosen: int
) -> None:
    pair = Pair.connect(versions=(guest, host))
    pair.run()
    assert [peer.one(events.Authenticated).version for peer in pair.peers] == [chosen, chosen]
    assert pair.guest.one(events.HostIdentified).version == chosen
    assert pair.host.one(events.GuestIdentified).version == chosen


def test_without_a_common_version_the_host_says_what_it_speaks() -> None:
    pair = Pair.connect(versions=((1,), (7, 5)))
    pair.run()
    (hint,) = pair.wire["host"]
    assert hint[0] == FrameType.HINT
    assert decode_hint(payload_of(hint)) == (HINT_VERSION, (7, 5))
    assert ended_as(pair.host) is End.VERSION
    assert ended_as(pair.guest) is End.VERSION
    assert "7, 5" in pair.guest.one(events.Ended).detail


def test_a_guest_of_another_version_is_answered_though_its_k1_has_another_layout() -> None:
    pair = Pair.connect()
    pair.host.feed(frame(FrameType.KEY, encode_versions((9, 8)) + b"whatever else"))
    (hint,) = split_frames(pair.host.session.data_to_send())
    assert decode_hint(payload_of(hint)) == (HINT_VERSION, (c.VERSION,))


def test_a_silent_host_says_nothing_about_versions() -> None:
    pair = Pair.connect()
    own, now = pair.host.key.public, pair.host.clock.now
    silent = Session.host(own, now, silent=True)
    (ended,) = silent.receive(frame(FrameType.KEY, encode_versions((9,)) + b"whatever else"), now)
    assert isinstance(ended, events.Ended)
    assert (ended.how, silent.data_to_send()) == (End.VERSION, b"")


@pytest.mark.parametrize("machine", [Downgrader, Stranger])
def test_anything_but_the_highest_common_version_is_refused(machine: type[HostHandshake]) -> None:
    pair = against(machine)
    assert ended_as(pair.guest) is End.VERSION
    assert pair.wire["guest"][1:] == []
    assert not pair.guest.events_of(events.HostIdentified)


def test_only_the_key_owner_itself_can_claim_a_shorter_list() -> None:
    """The list is signed and sealed; a host that shortens its own is merely an old host."""
    pair = against(ListHider)
    assert pair.guest.one(events.Authenticated).version == 1


@pytest.mark.parametrize(
    "offered", [b"\1\0\1", b"\2\0\2\0\0", b"\1\0\2"], ids=["shortened", "replaced", "without the lower"]
)
def test_a_guests_list_changed_on_the_way_is_noticed(offered: bytes) -> None:
    pair = Pair.connect(versions=((2, 1), (2, 1)))

    def alter(sender: str, data: bytes) -> bytes:
        payload = payload_of(data)
        if sender == "guest" and data[0] == FrameType.KEY:
            assert payload[:5] == b"\2\0\2\0\1"
            return frame(FrameType.KEY, offered + payload[5:])
        return data

    pair.alter = alter
    pair.run()
    assert ended_as(pair.guest) in (End.HANDSHAKE, End.VERSION)
    assert pair.wire["guest"][1:] == []


def test_a_host_list_that_is_malformed_is_refused() -> None:
    for versions in [(1, 2), (1, 1), tuple(range(17, 0, -1)), ()]:
        pair = Pair.connect()

        class Lister(HostHandshake):
            listed = versions

            def admit(self) -> list[SessionEvent]:
                self.versions = self.listed
                return super().admit()

        pair.host = host_with(Lister, pair.host.key, pair.clock, (1,))
        pair.run()
        assert ended_as(pair.guest) is End.HANDSHAKE
        assert pair.wire["guest"][1:] == []


@pytest.mark.parametrize(
    "versions",
    [
        b"\0",
        b"\x11" + b"".join(n.to_bytes(2, "big") for n in range(17, 0, -1)),
        b"\2\0\1\0\2",
        b"\2\0\1\0\1",
        b"\1\0",
    ],
    ids=["none", "seventeen", "ascending", "repeated", "cut"],
)
def test_a_guests_list_that_is_malformed_gets_no_byte(versions: bytes) -> None:
    with pytest.raises(MalformedPayload):
        read_versions(Reader(versions))
    pair = Pair.connect()
    if versions != b"\1\0":
        versions += bytes(1280)
    pair.host.feed(frame(FrameType.KEY, versions))
    assert ended_as(pair.host) is End.HANDSHAKE
    assert pair.host.session.data_to_send() == b""


def test_sixteen_versions_are_the_most() -> None:
    sixteen = tuple(range(16, 0, -1))
    pair = Pair.connect(versions=(sixteen, sixteen))
    pair.run()
    assert pair.guest.one(events.Authenticated).version == 16


@given(st.sets(st.integers(0, 65535), min_size=1, max_size=16), st.sets(st.integers(0, 65535), max_size=16))
def test_version_lists_round_trip_and_meet_at_their_highest(one: set[int], other: set[int]) -> None:
    listed = tuple(sorted(one, reverse=True))
    assert read_versions(Reader(encode_versions(listed))) == listed
    if one & other:
        assert highest_common(listed, tuple(other)) == max(one & other)
    else:
        with pytest.raises(VersionMismatch):
            highest_common(listed, tuple(other))


@pytest.mark.parametrize(
    ("payload", "how"),
    [
        (encode_hint(HINT_BUSY, (1,)), End.BUSY),
        (encode_hint(HINT_VERSION, (3, 2)), End.VERSION),
        (encode_hint(HINT_BUSY, ()), End.BUSY),
        (encode_hint(0, ()), End.HANDSHAKE),
        (encode_hint(77, (1,)), End.HANDSHAKE),
        (b"\1\1", End.HANDSHAKE),
        (b"\2\xff" + bytes(62), End.HANDSHAKE),
        (b"\1\0\0", End.HANDSHAKE),
    ],
)
def test_a_hint_ends_the_guests_attempt_and_nothing_is_sent(payload: bytes, how: End) -> None:
    guest = Pair.connect().guest
    guest.session.data_to_send()
    guest.feed(frame(FrameType.HINT, payload))
    assert ended_as(guest) is how
    assert guest.session.data_to_send() == b""


def rotation(counter: int = 1, old: str = "carol", new: str = "alice") -> Rotation:
    """Return a true statement of ``old``."""
    key = identity_key(old)
    unsigned = Rotation(key.public.fingerprint, identity_key(new).public.fingerprint, counter, b"")
    return Rotation(unsigned.old, unsigned.new, counter, key.sign(unsigned.message()))


STATEMENTS = [(), (1,), (1, 2)]


@pytest.mark.parametrize("guest", STATEMENTS)
@pytest.mark.parametrize("host", STATEMENTS)
def test_up_to_two_rotations_travel_both_ways(guest: tuple[int, ...], host: tuple[int, ...]) -> None:
    sent = tuple(map(rotation, guest)), tuple(map(rotation, host))
    pair = Pair.connect(rotations=sent)
    pair.run()
    assert pair.host.one(events.GuestIdentified).rotations == sent[0]
    assert pair.guest.one(events.HostIdentified).rotations == sent[1]
    assert State.COMPLETE is pair.guest.state is pair.host.state


@pytest.mark.parametrize("role", ["guest", "host"])
def test_three_rotations_are_refused(role: str) -> None:
    three = (rotation(),) * 3
    pair = Pair.connect(rotations=(three, ()) if role == "guest" else ((), three))
    pair.run()
    assert ended_as(pair.other(pair.by_role(role))) is End.HANDSHAKE


@pytest.mark.parametrize("role", ["guest", "host"])
def test_rotations_are_covered_by_the_handshakes_signatures(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements that were not there when the section was signed make it void."""
    pair = Pair.connect(rotations=((rotation(),), (rotation(),)))
    liar = pair.by_role(role)
    liar.holding = (events.SignatureNeeded,)
    pair.run()
    machine = liar.machine
    monkeypatch.setattr(machine, "_rotations", (rotation(2),))
    liar.answer_held()
    pair.run()
    assert ended_as(pair.other(liar)) is End.HANDSHAKE


def test_rotations_do_not_show_in_the_lengths_of_frames() -> None:
    two = (rotation(1), rotation(2))
    lengths = []
    for rotations in (((), ()), (two, two)):
        pair = Pair.connect(rotations=rotations)
        pair.run()
        lengths.append([[len(one) for one in pair.wire[role]] for role in ("guest", "host")])
    assert lengths[0] == lengths[1]


def test_a_rotation_holds_for_its_old_key_alone() -> None:
    statement = rotation()
    statement.verify(identity_key("carol").public)
    with pytest.raises(HandshakeFailure, match="another key"):
        statement.verify(identity_key("bob").public)
    for changed in (
        Rotation(statement.old, identity_key("bob").public.fingerprint, 1, statement.signature),
        Rotation(statement.old, statement.new, 2, statement.signature),
        Rotation(statement.old, statement.new, 1, statement.signature[::-1]),
        Rotation(statement.old, statement.new, 1, b""),
    ):
        with pytest.raises(HandshakeFailure, match="signature"):
            changed.verify(identity_key("carol").public)


def test_rotations_round_trip_and_every_truncation_is_refused() -> None:
    statements = (rotation(1), rotation(0xFFFFFFFF))
    data = encode_rotations(statements)
    assert read_rotations(Reader(data)) == statements
    for cut in range(0, len(data), 7):
        with pytest.raises(MalformedPayload):
            read_rotations(Reader(data[:cut]))
