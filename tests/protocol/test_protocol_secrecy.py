"""What somebody sees who listens, and what somebody can do who has stolen something."""

from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives import constant_time
from man_in_the_middle import ROLES, SECRET, Line, letters
from protocol_peers import Pair, guest_machine, payload_of
from protocol_rekeying import message, rekeyed
from session_state import snapshot

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events, primitives
from securechat_tui.protocol.errors import RecordFailure
from securechat_tui.protocol.frames import FrameType
from securechat_tui.protocol.handshake import shows_secret
from securechat_tui.protocol.keyschedule import Master, call_tag
from securechat_tui.protocol.payloads import Empty, Payload, Unsigned
from securechat_tui.protocol.records import Chain, Direction, Receiver

WINDOW = 12
"""So many bytes are the same by chance never; fewer are where a version, an epoch or zeros stand."""


# Somebody who listens.


def wire_of(line: Line) -> list[bytes]:
    return [frame for role in ROLES for frame in line.sides[role].frames]


def told_under_seal(line: Line) -> list[bytes]:
    """What the two tell each other: keys, fingerprints, names, texts and all other payloads."""
    told = []
    for role, side in line.sides.items():
        public = side.key.public
        modulus = side.key._key.public_key().public_numbers().n.to_bytes(public.bits // 8, "big")
        told += [public.spki, modulus, public.fingerprint, public.fingerprint.short.encode()]
        told += [f"from the {role}".encode()]
        told += [payload for payload in side.said if len(payload) >= WINDOW]
    return told


def never_told(line: Line) -> list[bytes]:
    """What both know and neither ever says, and other ways to write a fingerprint."""
    proofs = [side.one(events.Authenticated) for side in line.sides.values()]
    prints = [side.key.public.fingerprint for side in line.sides.values()]
    written = [text.encode() for one in prints for text in (str(one), one.hex(), one.hex().upper())]
    return [
        SECRET,
        *(secret for one in proofs for secret in (one.reconnect_secret, one.session_id)),
        *written,
    ]


def test_nothing_that_is_sent_tells_who_the_two_are_or_what_they_say() -> None:
    line = Line.held("alice", "bob")
    wire = b"".join(wire_of(line))
    assert not [one for one in told_under_seal(line) + never_told(line) if one in wire]


def test_all_of_it_would_be_found_if_nothing_were_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(primitives, "seal", lambda _key, plaintext, _associated: bytes(plaintext) + bytes(16))
    monkeypatch.setattr(primitives, "unseal", lambda _key, sealed, _associated: bytes(sealed[:-16]))
    line = Line.held("alice", "bob")
    wire = b"".join(wire_of(line))
    assert all(one in wire for one in told_under_seal(line))


def pieces(line: Line) -> set[bytes]:
    payloads = [payload_of(frame) for frame in wire_of(line)]
    return {data[at : at + WINDOW] for data in payloads for at in range(len(data) - WINDOW + 1)}


def test_two_sessions_of_the_same_two_have_nothing_in_common() -> None:
    """Not even the calls, which show the same reconnect secret, and the same texts are said."""
    one, other = Line.held("alice", "bob"), Line.held("alice", "bob")
    assert one.sides["guest"].said[2:4] == other.sides["guest"].said[2:4]
    assert not pieces(one) & pieces(other)


def in_clear(payload: Payload) -> tuple[bytes, int]:
    """The bytes before the ciphertext of a record, and the whole length."""
    pair = Pair.open()
    pair.guest.smuggle(payload)
    frame = pair.guest.session.data_to_send()
    return frame[: 5 + c.EPOCH_LENGTH], len(frame)


def test_a_signed_message_looks_like_any_record_of_its_size() -> None:
    *_, signed = letters("guest", "alice", "bob").message
    unsigned = Unsigned(b"g" * 16, 1, 0, b"\1" + b"x" * 600)
    assert in_clear(signed) == in_clear(unsigned)


def test_a_record_shows_its_epoch_and_one_of_five_sizes() -> None:
    records = [frame for frame in wire_of(Line.held("alice", "bob")) if frame[0] == FrameType.RECORD]
    assert {int.from_bytes(frame[5:9]) for frame in records} == {0, 1}
    assert {len(payload_of(frame)) - c.RECORD_OVERHEAD for frame in records} <= {*c.RECORD_SIZES}
    assert len(c.RECORD_SIZES) == 5


# Somebody who has broken, or stolen, one thing or another.


def opens(session_id: bytes, chain: Chain, record: bytes, sequence: int = 0) -> bool:
    receiver = Receiver(session_id, Direction.GUEST, chain)
    receiver.sequence = sequence
    try:
        receiver.open(record)
    except RecordFailure:
        return False
    return True


@pytest.mark.parametrize("unknown", ["nothing", "ML-KEM-768", "X25519", "RSA"])
def test_a_session_is_closed_to_who_lacks_one_of_its_three_secrets(unknown: str) -> None:
    """Whoever has the other two, and the transcript, which nobody has who lacks the first two."""
    pair = Pair.established()
    machine = guest_machine(pair.guest)
    kem_secret, dh_secret = machine._secrets
    secrets = {"ML-KEM-768": kem_secret, "X25519": dh_secret, "RSA": machine._contribution}
    known = [bytes(32) if name == unknown else secret for name, secret in secrets.items()]
    master = Master.derive(machine.master.t3, *known)
    record = pair.guest.records.seal(Empty())
    start = Chain.start(master.root, Direction.GUEST, 0)
    assert opens(machine.master.session_id, start, record) is (unknown == "nothing")
    assert (master.fin_host == payload_of(pair.wire["host"][1])) is (unknown == "nothing")


def stolen(pair: Pair) -> set[bytes]:
    """Every value in the memory of both sessions that could be a key."""
    values = [value for peer in pair.peers for _, value in snapshot(peer.session)]
    return {value for value in values if isinstance(value, bytes) and len(value) == c.KEY_LENGTH}


class Recorded(NamedTuple):
    """A record of the guest, and where it belongs."""

    epoch: int
    sequence: int
    data: bytes


def next_record(pair: Pair) -> Recorded:
    """Let the guest say something, and the host hear it."""
    at = pair.guest.session.epoch, pair.guest.records._sender.sequence
    pair.guest.send(message(1))
    pair.run()
    return Recorded(*at, payload_of(pair.wire["guest"][-1]))


def thief_opens(loot: set[bytes], session_id: bytes, record: Recorded) -> bool:
    """Try each value as the root of the record's epoch, and as the key of any place in its chain."""
    for value in loot:
        for chain in (Chain.start(value, Direction.GUEST, record.epoch), Chain(record.epoch, value)):
            trial = chain
            for _ in range(record.sequence + 1):
                if opens(session_id, trial, record.data, record.sequence):
                    return True
                trial, _ = trial.step()
    return False


def test_a_rekey_closes_the_future_to_who_has_stolen_a_whole_session() -> None:
    """Of the past, a session in memory opens its present epoch and no other."""
    pair = Pair.open()
    loot, records = [], []
    for _ in range(3):
        records.append(next_record(pair))
        loot.append(stolen(pair))
        rekeyed(pair)
    session_id = pair.guest.session.session_id
    opened = [[one.epoch for one in records if thief_opens(values, session_id, one)] for values in loot]
    assert opened == [[0], [1], [2]]


def test_what_only_the_peer_can_know_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: set[bytes] = set()
    real = constant_time.bytes_eq

    def spy(left: bytes, right: bytes) -> bool:
        compared.update((left, right))
        return real(left, right)

    monkeypatch.setattr(constant_time, "bytes_eq", spy)
    pair = Pair.connect(secrets=(SECRET, None))
    pair.run()
    call = pair.host.one(events.Called)
    assert shows_secret(call, SECRET)
    master = pair.host.remembered.master
    assert compared >= {
        master.fin_host,
        master.fin_guest,
        call_tag(SECRET, call.core),
        call.tags[0],
        call.tags[1],
    }
