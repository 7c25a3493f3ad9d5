"""Rekeying: what each half is bound to, what is refused, and that a stolen root heals."""

from dataclasses import replace
from typing import TypeVar

import pytest
from low_order import LOW_ORDER_ENCODINGS
from protocol_peers import Pair, flip, hello, identity_key
from protocol_rekeying import begin, ended_by, first_half, message, rekeyed, second_half, settle

from securechat_tui.protocol import events, rekey
from securechat_tui.protocol.errors import LocalError, RecordFailure, RekeyFailure
from securechat_tui.protocol.events import End
from securechat_tui.protocol.payloads import (
    RekeyFirst,
    RekeySecond,
    decode_payload,
)
from securechat_tui.protocol.records import Chain, Direction, Receiver


@pytest.mark.parametrize("epoch", [0, 2, 0xFFFFFFFF])
def test_a_first_half_for_another_epoch_is_refused(epoch: int) -> None:
    pair = Pair.open()
    half = first_half(pair)
    message = rekey.first_message(pair.guest.records._t3, epoch, half.x25519, half.encapsulation_key)
    pair.guest.smuggle(replace(half, epoch=epoch, signature=pair.guest.key.sign(message)))
    pair.run()
    ended_by(pair.host, "epoch")


Half = TypeVar("Half", RekeyFirst, RekeySecond)


def changed(half: Half, field: str) -> Half:
    value: bytes = getattr(half, field)
    encoded = half.encode()
    place = encoded.index(value) + len(value) // 2
    made = decode_payload(flip(encoded, place))
    assert isinstance(made, type(half))
    assert getattr(made, field) != value
    return made


@pytest.mark.parametrize("field", ["signature", "x25519", "encapsulation_key"])
def test_a_changed_first_half_is_refused(field: str) -> None:
    pair = Pair.open()
    pair.guest.smuggle(changed(first_half(pair), field))
    pair.run()
    ended_by(pair.host, "signature")
    assert not pair.host.events_of(events.SignatureNeeded)


def test_a_refused_first_half_changes_nothing() -> None:
    """Not even the time of the last rekey."""
    pair = Pair.open()
    half = first_half(pair)
    layer = pair.host.records
    before = layer.budget._started
    with pytest.raises(RekeyFailure, match="signature"):
        layer.answer(changed(half, "signature"), pair.clock.monotonic)
    assert layer.budget._started == before
    assert not layer.rekeying


@pytest.mark.parametrize("field", ["signature", "x25519", "ciphertext"])
def test_a_changed_second_half_is_refused(field: str) -> None:
    pair = Pair.open()
    pair.host.smuggle(changed(second_half(pair), field))
    pair.run()
    ended_by(pair.guest, "signature")
    assert pair.guest.session.epoch == 0


def test_a_half_signed_by_another_key_is_refused() -> None:
    pair = Pair.open()
    half = first_half(pair)
    message = rekey.first_message(pair.guest.records._t3, 1, half.x25519, half.encapsulation_key)
    pair.guest.smuggle(replace(half, signature=identity_key("carol").sign(message)))
    pair.run()
    ended_by(pair.host, "signature")


def test_the_second_half_covers_the_first() -> None:
    """One signed over another first half, by the right key, is refused."""
    pair = Pair.open()
    half = second_half(pair)
    message = rekey.second_message(
        pair.host.records._t3, 1, b"another first half", half.x25519, half.ciphertext
    )
    pair.host.smuggle(replace(half, signature=pair.host.key.sign(message)))
    pair.run()
    ended_by(pair.guest, "signature")


def test_a_second_half_for_another_epoch_is_refused() -> None:
    pair = Pair.open()
    half = second_half(pair)
    pair.host.smuggle(replace(half, epoch=2))
    pair.run()
    ended_by(pair.guest, "out of place")


def test_a_second_half_without_a_first_is_refused() -> None:
    pair = Pair.open()
    pair.host.smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.guest, "without a first")


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_second_half_after_the_rekey_is_refused(role: str) -> None:
    pair = Pair.open()
    rekeyed(pair)
    pair.by_role(role).smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.other(pair.by_role(role)), "without a first")


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_signature_is_not_taken_a_second_time(role: str) -> None:
    pair = Pair.open()
    rekeyed(pair)
    layer = pair.by_role(role).records
    with pytest.raises(RekeyFailure, match="none"):
        (layer.first if role == "guest" else layer.second)(b"signature")


def test_a_second_half_before_the_first_was_sent_is_refused() -> None:
    pair = Pair.open()
    settle(pair)
    pair.guest.holding = (events.SignatureNeeded,)
    begin(pair)
    pair.host.smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.guest, "out of place")
    assert pair.guest.session.signed(b"too late", pair.clock.now) == []


def test_a_second_half_sent_to_the_host_is_refused() -> None:
    pair = Pair.open()
    pair.guest.smuggle(RekeySecond(1, bytes(32), bytes(1088), bytes(384)))
    pair.run()
    ended_by(pair.host, "without a first")


def test_a_rekey_started_by_the_host_is_refused() -> None:
    pair = Pair.open()
    settle(pair)
    pair.host.smuggle(RekeyFirst(1, bytes(32), bytes(1184), bytes(384)))
    pair.run()
    ended_by(pair.guest, "only the guest")


@pytest.mark.parametrize("stage", ["the host is signing", "the new epoch has not begun"])
def test_a_second_rekey_while_one_is_under_way_is_refused(stage: str) -> None:
    pair = Pair.open()
    settle(pair)
    if stage == "the host is signing":
        pair.host.holding = (events.SignatureNeeded,)
    begin(pair)
    pair.deliver(pair.guest)
    settle(pair, 30)
    pair.guest.smuggle(RekeyFirst(1, bytes(32), bytes(1184), bytes(384)))
    pair.deliver(pair.guest)
    ended_by(pair.host, "under way")


@pytest.mark.parametrize("point", LOW_ORDER_ENCODINGS)
def test_a_low_order_point_in_a_first_half_is_refused(point: bytes) -> None:
    pair = Pair.open()
    half = first_half(pair)
    message = rekey.first_message(pair.guest.records._t3, 1, point, half.encapsulation_key)
    pair.guest.smuggle(replace(half, x25519=point, signature=pair.guest.key.sign(message)))
    pair.run()
    ended_by(pair.host, "keys of the first half")


@pytest.mark.parametrize("point", LOW_ORDER_ENCODINGS)
def test_a_low_order_point_in_a_second_half_is_refused(point: bytes) -> None:
    pair = Pair.open()
    half = second_half(pair)
    assert pair.guest.records._guest_rekey is not None
    first = pair.guest.records._guest_rekey._first
    message = rekey.second_message(pair.host.records._t3, 1, first, point, half.ciphertext)
    pair.host.smuggle(replace(half, x25519=point, signature=pair.host.key.sign(message)))
    pair.run()
    ended_by(pair.guest, "keys of the second half")


def test_a_malformed_encapsulation_key_in_a_first_half_is_refused() -> None:
    pair = Pair.open()
    half = first_half(pair)
    malformed = b"\xff\xff\xff" + half.encapsulation_key[3:]
    message = rekey.first_message(pair.guest.records._t3, 1, half.x25519, malformed)
    pair.guest.smuggle(replace(half, encapsulation_key=malformed, signature=pair.guest.key.sign(message)))
    pair.run()
    ended_by(pair.host, "keys of the first half")


@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_stolen_old_root_opens_nothing_of_the_new_epoch(role: str) -> None:
    pair = Pair.open()
    stolen = pair.guest.records._root
    direction = Direction.GUEST if role == "guest" else Direction.HOST
    session_id = pair.guest.remembered.master.session_id
    rekeyed(pair)
    author = pair.by_role(role)
    sequence = author.records._sender.sequence
    author.send(message(1))
    record = author.session.data_to_send()[5:]
    thief = Receiver(session_id, direction, Chain.start(stolen, direction, 1))
    thief.sequence = sequence
    with pytest.raises(RecordFailure):
        thief.open(record)
    owner = Receiver(session_id, direction, author.records._sender.chain)
    assert owner.chain.epoch == 1


def test_the_new_root_is_bound_to_everything() -> None:
    root, shared, t3 = b"r" * 32, b"s" * 64, b"t" * 32
    base = rekey.next_root(root, shared, t3, 1, halves=(b"first", b"second"))
    others = {
        rekey.next_root(b"q" * 32, shared, t3, 1, halves=(b"first", b"second")),
        rekey.next_root(root, b"u" * 64, t3, 1, halves=(b"first", b"second")),
        rekey.next_root(root, shared, b"v" * 32, 1, halves=(b"first", b"second")),
        rekey.next_root(root, shared, t3, 2, halves=(b"first", b"second")),
        rekey.next_root(root, shared, t3, 1, halves=(b"worst", b"second")),
        rekey.next_root(root, shared, t3, 1, halves=(b"first", b"secund")),
        rekey.next_root(root, shared, t3, 1, halves=(b"second", b"first")),
    }
    assert len(others) == 7
    assert base not in others


def test_a_record_of_the_old_epoch_after_the_first_of_the_new_is_refused() -> None:
    pair = Pair.open()
    old = pair.guest.records._sender.chain
    rekeyed(pair)
    pair.guest.records._sender.switch(old)
    pair.guest.send(message(1))
    pair.run()
    ended_by(pair.host, "another epoch", End.LOST)


def test_a_signature_that_nobody_asked_for_is_refused() -> None:
    pair = Pair.open()
    for peer in pair.peers:
        with pytest.raises(LocalError):
            peer.session.signed(b"signature", pair.clock.now)
        assert peer.session.data_to_send() == b""
        assert peer.ended is None


def test_the_record_layer_makes_no_half_that_was_not_begun() -> None:
    pair = Pair.open()
    with pytest.raises(RekeyFailure):
        pair.guest.records.first(b"signature")
    with pytest.raises(RekeyFailure):
        pair.host.records.second(b"signature")


def test_no_half_shows_a_shared_secret() -> None:
    pair = Pair.open()
    second_half(pair)
    host = pair.host.records._host_rekey
    assert host is not None
    assert repr(host.shared)[2:-1] not in repr(host)
    assert "shared" not in repr(host)


def test_hello_is_no_part_of_a_rekey() -> None:
    pair = Pair.established()
    pair.guest.smuggle(RekeyFirst(1, bytes(32), bytes(1184), bytes(384)))
    pair.host.send(hello(pair.host))
    pair.deliver(pair.guest)
    ended_by(pair.host, "out of place")
