"""Three people: nobody comes to talk with another than the one whose name is shown to it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from low_order import LOW_ORDER_ENCODINGS
from man_in_the_middle import Line, Nobody, Points, Side, accepted, checkpoints, other
from meddling import Instead, Tally
from protocol_peers import guest_machine, host_machine, identity_key, payload_of

from securechat_tui.protocol import events, keyschedule, primitives
from securechat_tui.protocol.events import End
from securechat_tui.protocol.frames import FrameType, frame
from securechat_tui.protocol.keyschedule import K1, K2, GuestSection, HostSection


def stage(guest: str, host: str, role: str, index: int) -> Line:
    """Return the line between two people before a frame of the handshake arrives."""
    return checkpoints(Line.between(guest, host))[role, index]


def failed(side: Side) -> bool:
    """Tell whether a handshake has ended without a word and without a name."""
    named = side.events_of(events.HostIdentified) + side.events_of(events.GuestIdentified)
    return side.ended is not None and side.ended.how is End.HANDSHAKE and not named and not side.accepted


# Whom a connection leads to.


def test_a_guest_that_is_led_to_somebody_else_learns_it_before_it_says_who_it_is() -> None:
    """Alice dials bob; her connection leads to carol, untouched: two honest sides, the wrong two."""
    line = stage("alice", "carol", "host", 0)
    alice = line.sides["guest"]
    alice.holding = (events.HostIdentified,)
    line.carry(Nobody())
    (found,) = alice.held
    assert isinstance(found, events.HostIdentified)
    assert found.identity.fingerprint == identity_key("carol").public.fingerprint
    assert len(alice.frames) == 1, "K1, which names nobody"
    alice.absorb(alice.session.abort("another key"))
    line.play(Nobody())
    assert not line.sides["host"].events_of(events.GuestIdentified)
    assert accepted(line) == ["guest: ended by left"]


def test_somebody_with_a_key_of_his_own_is_shown_as_himself_on_both_sides() -> None:
    """Mallory answers alice and calls bob: each sees mallory's key, and the two share nothing."""
    left, right = Line.held("alice", "mallory"), Line.held("mallory", "bob")
    alice, bob = left.sides["guest"], right.sides["host"]
    mallory = identity_key("mallory").public.fingerprint
    proofs = [side.one(events.Authenticated) for side in (alice, bob)]
    assert [proof.identity.fingerprint for proof in proofs] == [mallory, mallory]
    assert len({proof.session_id for proof in proofs}) == 2
    assert len({proof.reconnect_secret for proof in proofs}) == 2


# What he has opened himself, sealed anew for another.


def opened_by_host(line: Line) -> GuestSection:
    """Read the guest's section as its host can."""
    machine = host_machine(line.sides["host"])
    sealed = payload_of(line.sides["guest"].frames[1])
    return GuestSection.decode(primitives.unseal(machine._keys.guest, sealed, machine._t2))


def opened_by_guest(line: Line) -> HostSection:
    """Read the host's section as its guest can, before it has looked at K2 itself."""
    machine = guest_machine(line.sides["guest"])
    k2 = K2.decode(payload_of(line.sides["host"].frames[0]))
    t1 = keyschedule.first_transcript(machine._k1, k2.clear())
    shared = machine._encapsulation.open(k2.ciphertext), machine._exchange.agree(k2.x25519)
    keys = keyschedule.HandshakeKeys.derive(t1, *shared)
    return HostSection.decode(primitives.unseal(keys.host, k2.sealed, t1))


GuestMix = Callable[[GuestSection, GuestSection], GuestSection]
HostMix = Callable[[HostSection, HostSection], HostSection]


@pytest.mark.parametrize(
    "mix",
    [
        lambda hers, _: hers,
        lambda hers, his: replace(hers, wrapped=his.wrapped),
        lambda hers, his: replace(his, spki=hers.spki),
        lambda hers, his: replace(his, signature=hers.signature),
        lambda hers, his: replace(his, wrapped=hers.wrapped),
    ],
    ids=["all of hers", "with his contribution", "her key", "her signature", "her contribution"],
)
def test_what_alice_told_mallory_does_not_make_him_alice_at_bob(mix: GuestMix) -> None:
    """He is the host of one session and the guest of the other, and knows the keys of both."""
    heard = opened_by_host(stage("alice", "mallory", "guest", 1))
    line = stage("mallory", "bob", "guest", 1)
    machine = guest_machine(line.sides["guest"])
    forged = primitives.seal(machine._keys.guest, mix(heard, opened_by_host(line)).encode(), machine._t2)
    bob = line.sides["host"]
    bob.feed(frame(FrameType.SESSION, forged))
    assert failed(bob)
    assert not bob.events_of(events.UnwrapNeeded)


@pytest.mark.parametrize(
    "mix",
    [
        lambda his, _: his,
        lambda his, mallorys: replace(mallorys, spki=his.spki),
        lambda his, mallorys: replace(mallorys, signature=his.signature),
    ],
    ids=["all of his", "his key", "his signature"],
)
def test_what_bob_told_mallory_does_not_make_him_bob_at_alice(mix: HostMix) -> None:
    heard = opened_by_guest(stage("mallory", "bob", "host", 0))
    line = stage("alice", "mallory", "host", 0)
    machine = host_machine(line.sides["host"])
    k2 = K2.decode(payload_of(line.sides["host"].frames[0]))
    section = mix(heard, opened_by_guest(line)).encode()
    alice = line.sides["guest"]
    forged = k2.clear() + primitives.seal(machine._keys.host, section, machine._t1)
    alice.feed(frame(FrameType.KEY, forged))
    assert failed(alice)
    assert len(alice.frames) == 1


def test_what_he_reads_he_could_have_passed_on() -> None:
    """The two tests above would also pass if the sections were built wrongly."""
    line = stage("alice", "mallory", "guest", 1)
    machine = guest_machine(line.sides["guest"])
    again = primitives.seal(machine._keys.guest, opened_by_host(line).encode(), machine._t2)
    assert frame(FrameType.SESSION, again) == line.sides["guest"].frames[1]
    line = stage("alice", "mallory", "host", 0)
    host = host_machine(line.sides["host"])
    again = primitives.seal(host._keys.host, opened_by_guest(line).encode(), host._t1)
    assert line.sides["host"].frames[0].endswith(again)


# Fields of one handshake in another.


def splices(own: bytes, foreign: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    """Put each field of a payload, and all but each, in the place of another's."""
    spans = list(zip(cuts, (*cuts[1:], len(own)), strict=True))
    mixed = []
    for start, end in spans:
        mixed.append(own[:start] + foreign[start:end] + own[end:])
        mixed.append(foreign[:start] + own[start:end] + foreign[end:])
    return [one for one in mixed if one not in (own, foreign)]


@pytest.mark.parametrize("people", [("alice", "bob"), ("alice", "mallory"), ("mallory", "bob")], ids="-".join)
@pytest.mark.parametrize(
    ("role", "cuts"),
    [("guest", (0, 3, 35, 1219, 1251)), ("host", (0, 2, 34, 1122))],
    ids=["K1", "K2"],
)
def test_no_field_of_another_handshake_fits(
    points: Points, people: tuple[str, str], role: str, cuts: tuple[int, ...]
) -> None:
    """Keys that compute, but are of another exchange: a man in the middle's own, or overheard ones."""
    strange = Line.held(*people)
    point = points[role, 0]
    own, foreign = (payload_of(line.sides[role].frames[0]) for line in (point, strange))
    tally = Tally()
    for mixed in splices(own, foreign, cuts):
        tally.attempt(point, Instead(role, 0, (frame(FrameType.KEY, mixed),)))
    assert tally.findings == []
    assert tally.tried >= len(cuts)


@pytest.mark.parametrize("role", ["guest", "host"])
def test_no_low_order_point_leads_anywhere(points: Points, role: str) -> None:
    point = points[role, 0]
    payload = payload_of(point.sides[role].frames[0])
    start = {"guest": 3, "host": 2}[role]
    tally = Tally()
    for low in LOW_ORDER_ENCODINGS:
        forged = payload[:start] + low + payload[start + 32 :]
        tally.attempt(point, Instead(role, 0, (frame(FrameType.KEY, forged),)))
    assert tally.findings == []
    assert tally.tried == len(LOW_ORDER_ENCODINGS)


def test_a_k1_that_names_no_version_of_ours_is_answered_and_forgotten(points: Points) -> None:
    point = points["guest", 0]
    k1 = K1.decode(payload_of(point.sides["guest"].frames[0]), (1,))
    forged = replace(k1, versions=(7, 2)).encode()
    line = point.clone()
    line.play(Instead("guest", 0, (frame(FrameType.KEY, forged),)))
    assert accepted(line) == []
    assert {side.ended.how for side in line.sides.values() if side.ended} == {End.VERSION}


# Replays.


@pytest.mark.parametrize("role", ["guest", "host"])
def test_what_one_side_said_once_convinces_nobody_again(role: str) -> None:
    """Every frame of a whole conversation, tag included, played to a fresh session of the same peer."""
    recorded = Line.held("alice", "bob").sides[role].frames
    fresh = Line.between("alice", "bob").sides[other(role)]
    for one in recorded:
        fresh.feed(one)
    assert fresh.accepted == []
    assert fresh.ended is not None
    assert fresh.ended.how is End.HANDSHAKE
    assert not fresh.events_of(events.HostIdentified) + fresh.events_of(events.GuestIdentified)


def test_a_replayed_k1_is_recognised_and_leads_to_nothing() -> None:
    """The tag is as good as it was, but without its keys the answer cannot be read."""
    recorded = Line.held("alice", "bob").sides["guest"].frames
    bob = Line.between("alice", "bob").sides["host"]
    bob.feed(recorded[0])
    assert bob.one(events.Called).tags[0] == recorded[0][-64:-32]
    assert bob.ended is None
    bob.clock.advance(10.0)
    bob.tick()
    assert bob.ended is not None
    assert bob.ended.how is End.HANDSHAKE
    assert bob.accepted == []
