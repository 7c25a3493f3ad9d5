"""The handshake between two honest peers: the table, the transcript, deadlines, what both agree on."""

from collections.abc import Callable

import pytest
from protocol_peers import (
    GUEST_STATES,
    HOST_STATES,
    QUESTIONS,
    STANDINGS,
    Pair,
    Peer,
    guest_machine,
    hello,
    host_machine,
    identity_key,
    pair_in,
    payload_of,
    split_frames,
)

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events, keyschedule
from securechat_tui.protocol.errors import LocalError
from securechat_tui.protocol.events import End, Instant
from securechat_tui.protocol.frames import FrameType
from securechat_tui.protocol.handshake import (
    GUEST_TABLE,
    HOST_TABLE,
    GuestHandshake,
    Handshake,
    HostHandshake,
    Input,
    State,
    shows_secret,
)
from securechat_tui.protocol.keyschedule import K1, K2
from securechat_tui.protocol.payloads import GoodbyeReason
from securechat_tui.protocol.session import HINT_BUSY, Session

NOW = Instant(1000.0, 1_800_000_000.0)
NAMES = {3072: "alice", 4096: "dora"}
SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32

ANSWERS: dict[Input, Callable[[Session], object]] = {
    Input.ADMIT: lambda session: session.admit(NOW),
    Input.PROCEED: lambda session: session.proceed(NOW),
    Input.SIGNED: lambda session: session.signed(b"signature", NOW),
    Input.UNWRAPPED: lambda session: session.unwrapped(bytes(32), NOW),
    Input.CONFIRM: lambda session: session.confirm(NOW),
}
FRAMES = {
    Input.K1: (FrameType.KEY, bytes(1)),
    Input.K2: (FrameType.KEY, bytes(c.K2_LENGTH)),
    Input.S: (FrameType.SESSION, bytes(c.S_LENGTH)),
    Input.FIN: (FrameType.FIN, bytes(c.FIN_LENGTH)),
}


def open_again(machine: Handshake) -> None:
    if isinstance(machine, GuestHandshake):
        machine.open((None, None))
    elif isinstance(machine, HostHandshake):
        machine.open()


def called(pair: Pair) -> events.Called:
    pair.host.holding = (events.Called,)
    pair.run()
    return pair.host.one(events.Called)


def test_two_peers_complete_and_know_each_other() -> None:
    pair = Pair.established()
    assert pair.guest.one(events.HostIdentified).identity == pair.host.key.public
    assert pair.host.one(events.GuestIdentified).identity == pair.guest.key.public
    for peer in pair.peers:
        authenticated = peer.one(events.Authenticated)
        assert authenticated.identity == pair.other(peer).key.public
        assert authenticated.version == c.VERSION
        assert not peer.session.handshaking
        assert peer.session.epoch == 0
        assert peer.ended is None


@pytest.mark.parametrize(("guest_bits", "host_bits"), [(3072, 4096), (4096, 3072)])
def test_keys_of_both_sizes_meet_and_the_frames_hide_the_size(guest_bits: int, host_bits: int) -> None:
    pair = Pair.connect(
        guest_key=identity_key(NAMES[guest_bits], guest_bits),
        host_key=identity_key("bob" if host_bits == 3072 else "dora", host_bits),
    )
    pair.run()
    assert pair.guest.state is State.COMPLETE
    assert pair.host.state is State.COMPLETE
    plain = Pair.established()
    assert {role: [*map(len, wire)] for role, wire in pair.wire.items()} == {
        role: [*map(len, wire)] for role, wire in plain.wire.items()
    }


def test_the_frames_of_a_handshake_have_their_lengths() -> None:
    pair = Pair.established()
    guest = [(one[:1], len(payload_of(one))) for one in pair.wire["guest"]]
    host = [(one[:1], len(payload_of(one))) for one in pair.wire["host"]]
    assert guest == [(b"K", 1283), (b"S", 2832), (b"F", 32)]
    assert host == [(b"K", 3698), (b"F", 32)]


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_machine_walks_its_table_from_end_to_end(role: str) -> None:
    pair = Pair.connect()
    for peer in pair.peers:
        peer.holding = QUESTIONS
    subject = pair.by_role(role)
    walked = [subject.state]
    while pair.step():
        if subject.state is not walked[-1]:
            walked.append(subject.state)
    assert tuple(walked) == (GUEST_STATES if role == "guest" else HOST_STATES)
    table = GUEST_TABLE if role == "guest" else HOST_TABLE
    steps = {(one, other) for (one, _), other in table.items()}
    assert steps == set(zip((State.START, *walked), walked, strict=False))


@pytest.mark.parametrize(("role", "state"), STANDINGS)
def test_an_answer_without_an_entry_is_refused_and_changes_nothing(role: str, state: State) -> None:
    subject = pair_in(role, state).by_role(role)
    before = dict(vars(subject.machine))
    refused = [answer for answer in ANSWERS if (state, answer) not in subject.machine.table]
    assert refused
    for answer in refused:
        with pytest.raises(LocalError):
            ANSWERS[answer](subject.session)
        assert vars(subject.machine) == before, answer
        assert subject.session.data_to_send() == b""
        assert not subject.session.closed


@pytest.mark.parametrize(("role", "state"), STANDINGS)
def test_a_frame_without_an_entry_is_refused_by_the_machine_itself(role: str, state: State) -> None:
    """The frame reader has refused it before; the table would refuse it too."""
    subject = pair_in(role, state).by_role(role)
    before = dict(vars(subject.machine))
    mine = {entry for _, entry in subject.machine.table}
    refused = [one for one in FRAMES if one in mine and (state, one) not in subject.machine.table]
    assert refused
    for taken in refused:
        with pytest.raises(LocalError):
            subject.machine.receive(*FRAMES[taken])
        assert vars(subject.machine) == before, taken
        assert subject.session.data_to_send() == b""


@pytest.mark.parametrize(("role", "state"), STANDINGS)
def test_a_machine_opens_once(role: str, state: State) -> None:
    subject = pair_in(role, state).by_role(role)
    before = dict(vars(subject.machine))
    with pytest.raises(LocalError):
        open_again(subject.machine)
    assert vars(subject.machine) == before
    assert subject.session.data_to_send() == b""


@pytest.mark.parametrize("make", [GuestHandshake, HostHandshake])
def test_nothing_but_open_moves_a_machine_that_has_not_begun(
    make: type[GuestHandshake] | type[HostHandshake],
) -> None:
    written: list[bytes] = []
    machine = make(identity_key("alice").public, (c.VERSION,), (), written.append)
    before = dict(vars(machine))
    for answer in (machine.proceed, machine.confirm, lambda: machine.signed(b"")):
        with pytest.raises(LocalError):
            answer()
    with pytest.raises(LocalError):
        machine.receive(FrameType.KEY, bytes(c.K2_LENGTH))
    with pytest.raises(LocalError):
        machine.receive(FrameType.FIN, bytes(c.FIN_LENGTH))
    assert vars(machine) == before
    assert not written
    assert machine.admitted == {}


def test_the_common_base_takes_no_frame() -> None:
    with pytest.raises(NotImplementedError):
        Handshake(identity_key("alice").public, (c.VERSION,), (), print).receive(FrameType.FIN, b"")


@pytest.mark.parametrize(("role", "state"), STANDINGS[:5] + STANDINGS[6:-1])
def test_a_handshake_that_takes_too_long_ends_in_every_state(role: str, state: State) -> None:
    pair = pair_in(role, state)
    subject = pair.by_role(role)
    assert subject.session.next_timeout() == pair.clock.monotonic + 10.0
    pair.clock.advance(9.99)
    subject.tick()
    assert subject.ended is None
    pair.clock.advance(0.01)
    subject.tick()
    assert subject.ended is not None
    assert subject.ended.how is End.HANDSHAKE
    assert subject.session.data_to_send() == b""
    assert subject.session.next_timeout() is None


@pytest.mark.parametrize(("role", "state"), STANDINGS)
def test_a_cut_in_any_state_is_told_as_lost(role: str, state: State) -> None:
    subject = pair_in(role, state).by_role(role)
    subject.absorb(subject.session.receive_eof(NOW))
    assert subject.ended is not None
    assert subject.ended.how is End.LOST
    assert subject.session.receive_eof(NOW) == []


@pytest.mark.parametrize(("role", "state"), STANDINGS)
def test_a_side_that_aborts_says_nothing(role: str, state: State) -> None:
    subject = pair_in(role, state).by_role(role)
    subject.absorb(subject.session.abort("reason"))
    assert subject.one(events.Ended) == events.Ended(End.LEFT, "reason")
    assert subject.session.data_to_send() == b""
    assert subject.session.abort("again") == []


@pytest.mark.parametrize(("role", "state"), STANDINGS)
@pytest.mark.parametrize("end", ["goodbye", "reject"])
def test_before_hello_an_end_is_silent(role: str, state: State, end: str) -> None:
    session = pair_in(role, state).by_role(role).session
    if end == "goodbye":
        assert session.goodbye(GoodbyeReason.LEAVING, NOW) == [events.Ended(End.LEFT, "LEAVING")]
    else:
        assert session.reject("why", NOW) == [events.Ended(End.VIOLATION, "why")]
    assert session.data_to_send() == b""


@pytest.mark.parametrize(("role", "state"), STANDINGS[:5] + STANDINGS[6:-1])
def test_nothing_is_sent_as_a_payload_before_the_handshake_is_complete(role: str, state: State) -> None:
    subject = pair_in(role, state).by_role(role)
    with pytest.raises(LocalError):
        subject.send(hello(subject))
    assert subject.session.handshaking
    assert subject.session.epoch == 0


def test_the_guest_reveals_nothing_before_it_has_decided_on_the_host() -> None:
    pair = pair_in("guest", State.DECIDE_PEER)
    assert pair.wire["guest"][1:] == []
    assert pair.guest.session.data_to_send() == b""


def test_the_guests_fin_leaves_only_after_confirm() -> None:
    pair = pair_in("guest", State.DECIDE_PIN)
    assert pair.guest.session.data_to_send() == b""
    pair.guest.answer_held()
    (fin,) = split_frames(pair.guest.session.data_to_send())
    assert fin[0] == FrameType.FIN


def test_a_host_that_is_busy_says_so_and_the_guest_hears_it() -> None:
    pair = Pair.connect()
    called(pair)
    pair.host.absorb(pair.host.session.refuse())
    pair.run()
    assert pair.host.one(events.Ended).how is End.LEFT
    assert pair.guest.one(events.Ended).how is End.BUSY
    assert "it speaks 1" in pair.guest.one(events.Ended).detail
    assert pair.host.session.refuse() == []
    assert pair.host.session.data_to_send() == b""


def test_a_host_may_be_busy_before_the_call_has_come() -> None:
    pair = Pair.connect()
    pair.host.absorb(pair.host.session.refuse(HINT_BUSY))
    pair.run()
    assert pair.guest.one(events.Ended).how is End.BUSY


@pytest.mark.parametrize(
    ("role", "state"), [one for one in STANDINGS if one[1] not in (State.AWAIT_K1, State.DECIDE_CALL)]
)
def test_a_call_is_refused_by_a_host_before_its_k2_alone(role: str, state: State) -> None:
    session = pair_in(role, state).by_role(role).session
    with pytest.raises(LocalError):
        session.refuse()
    assert session.data_to_send() == b""
    assert not session.closed


def test_every_answer_after_the_end_does_nothing() -> None:
    for role in ("guest", "host"):
        session = pair_in(role, State.SIGN).by_role(role).session
        session.abort("over")
        assert session.signed(b"signature", NOW) == []
        assert session.proceed(NOW) == []
        assert session.unwrapped(bytes(32), NOW) == []
        assert session.confirm(NOW) == []
        assert session.refuse() == []
        assert session.handle_timeout(NOW) == []
        assert session.data_to_send() == b""


def test_both_sides_derive_the_same_master() -> None:
    pair = Pair.established()
    names = ("t3", "fin_host", "fin_guest", "root", "session_id", "exporter")
    guest, host = ({name: getattr(peer.remembered.master, name) for name in names} for peer in pair.peers)
    assert guest == host
    assert len(set(guest.values())) == len(names)
    assert {len(value) for value in guest.values()} == {32}


def test_reconnect_secrets_agree_and_are_new_in_each_session() -> None:
    one, other = Pair.established(), Pair.established()
    secrets = [peer.one(events.Authenticated).reconnect_secret for peer in (*one.peers, *other.peers)]
    assert secrets[0] == secrets[1] != secrets[2] == secrets[3]
    ids = [peer.one(events.Authenticated).session_id for peer in (*one.peers, *other.peers)]
    assert ids[0] == ids[1] != ids[2] == ids[3]


@pytest.mark.parametrize("place", [0, 1])
def test_a_secret_shows_in_either_tag_place(place: int) -> None:
    secrets = (SECRET, None) if place == 0 else (None, SECRET)
    call = called(Pair.connect(secrets=secrets))
    assert shows_secret(call, SECRET)
    assert not shows_secret(call, OTHER_SECRET)


def test_two_secrets_show_both() -> None:
    call = called(Pair.connect(secrets=(SECRET, OTHER_SECRET)))
    assert shows_secret(call, SECRET)
    assert shows_secret(call, OTHER_SECRET)


def test_without_a_secret_the_tag_places_are_random() -> None:
    one, other = called(Pair.connect()), called(Pair.connect())
    assert not shows_secret(one, SECRET)
    assert len({*one.tags, *other.tags}) == 4
    assert bytes(c.TAG_LENGTH) not in one.tags


@pytest.mark.parametrize("position", [0, 2, 3, 34, 35, 600, 1218])
def test_a_tag_is_bound_to_versions_and_both_fresh_keys(position: int) -> None:
    call = called(Pair.connect(secrets=(SECRET, OTHER_SECRET)))
    assert len(call.core) == 3 + c.X25519_LENGTH + c.MLKEM_KEY_LENGTH == 1219
    core = bytearray(call.core)
    core[position] ^= 1
    moved = events.Called(bytes(core), call.tags)
    assert not shows_secret(moved, SECRET)
    assert not shows_secret(moved, OTHER_SECRET)


def test_a_tag_taken_from_another_call_shows_nothing() -> None:
    one = called(Pair.connect(secrets=(SECRET, None)))
    other = called(Pair.connect(secrets=(None, None)))
    assert not shows_secret(events.Called(other.core, one.tags), SECRET)


def test_a_known_guest_is_recognised_by_its_reconnect_secret() -> None:
    first = Pair.established()
    kept = first.guest.one(events.Authenticated).reconnect_secret
    stored = first.host.one(events.Authenticated).reconnect_secret
    assert shows_secret(called(Pair.connect(secrets=(kept, None))), stored)


def test_k1_and_k2_survive_encoding() -> None:
    pair = Pair.established()
    k1, k2 = payload_of(pair.wire["guest"][0]), payload_of(pair.wire["host"][0])
    assert K1.decode(k1, (c.VERSION,)).encode() == k1
    assert K2.decode(k2).encode() == k2


def test_peers_that_saw_another_k1_or_k2_never_share_a_transcript() -> None:
    pair = Pair.established()
    k1, k2 = payload_of(pair.wire["guest"][0]), payload_of(pair.wire["host"][0])
    clear = K2.decode(k2).clear()
    assert clear + K2.decode(k2).sealed == k2
    t1 = keyschedule.first_transcript(k1, clear)
    assert t1 not in (
        keyschedule.first_transcript(k1 + clear[:1], clear[1:]),
        keyschedule.first_transcript(clear, k1),
        keyschedule.first_transcript(k1, clear[:-1]),
    )


def machines(pair: Pair) -> tuple[GuestHandshake, HostHandshake]:
    return guest_machine(pair.guest), host_machine(pair.host)


def test_neither_machine_shows_a_secret_in_its_repr() -> None:
    guest, host = machines(Pair.established())
    secrets = [*guest._secrets, guest._contribution, guest.master.root, guest.master.exporter]
    shown = "".join(map(repr, (guest, host, guest.master, guest._keys, host._keys)))
    assert not any(repr(secret)[2:-1] in shown or secret.hex() in shown for secret in secrets)


def test_a_peer_needs_no_answer_to_be_driven_by_hand() -> None:
    """A driver that takes every question one by one gets to the end as well."""
    pair = pair_in("host", State.COMPLETE)
    assert pair.guest.state is State.COMPLETE
    asked: list[Peer] = [peer for peer in pair.peers if peer.held]
    assert not asked
