"""Peers without sockets: their formats, their bounds, and the steps that they note."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_pairs import NOW, Pair, keys

from securechat_tui.lab.catalogue import PROTOCOLS, LabProtocol, with_layout
from securechat_tui.lab.five_layer import Layout
from securechat_tui.lab.peer import HANDSHAKE_SECONDS, CannotSend, Finished, Moment, Peer, Rejected, Shown
from securechat_tui.lab.units import MAX_TEXT

STREAMS = [one for one in PROTOCOLS.values() if not one.polls]
EVERY = [*STREAMS, with_layout(Layout(b"another secret", "none"))]
NAMES = [*(one.name for one in STREAMS), "five-layer without framing"]
TEXTS = ["x", "h\u00e4llo \U0001f600", "two\nlines", "a|b", "y" * MAX_TEXT]

streams = pytest.mark.parametrize("protocol", EVERY, ids=NAMES)


@streams
@pytest.mark.parametrize("text", TEXTS, ids=["short", "unicode", "lines", "bar", "longest"])
def test_a_text_arrives(protocol: LabProtocol, text: str) -> None:
    pair = Pair(protocol)
    pair.say(text)
    assert [str(one.text) for one in pair.shown()] == [text]
    if protocol.both_ways:
        pair.say(text, "host")
        assert [str(one.text) for one in pair.shown("guest")] == [text]


@streams
def test_the_steps_hold_the_bytes_that_were_sent(protocol: LabProtocol) -> None:
    pair = Pair(protocol)
    before = len(pair.wire)
    pair.say("a text")
    (sent,), (shown,) = pair.sent(), pair.shown()
    written = b"".join(pair.wire[before:])
    frame = sent.steps[-1].output
    assert frame in written
    assert any(step.input == frame for step in shown.steps)
    assert sent.steps[0].input == b"a text"
    assert shown.steps[-1].output == b"a text"
    for step in (*sent.steps, *shown.steps):
        assert all(0 <= part.start <= part.end <= len(step.output) for part in step.fields)
        assert step.name
        assert step.protects


@streams
def test_no_step_shows_a_secret_in_its_repr(protocol: LabProtocol) -> None:
    pair = Pair(protocol)
    pair.say("hush")
    assert "hush" not in repr([*pair.events["guest"], *pair.events["host"]])


@streams
def test_any_pieces_will_do(protocol: LabProtocol) -> None:
    pair = Pair(protocol)
    pair.guest.send("piece by piece", NOW)
    for unit in pair.guest.take_output():
        for place in range(len(unit)):
            pair.events["host"] += pair.host.receive(unit[place : place + 1], NOW)
    assert [str(one.text) for one in pair.shown()] == ["piece by piece"]


@streams
@pytest.mark.parametrize("role", ["guest", "host"])
@given(data=st.binary(min_size=1, max_size=300))
def test_nothing_that_is_sent_raises(protocol: LabProtocol, role: str, data: bytes) -> None:
    for peer in (protocol.make(role, keys(), NOW, "alice"), _established(protocol, role)):
        peer.receive(data, NOW)
        peer.receive(data, NOW)
        peer.receive_eof(NOW)
        assert peer.closed


def _established(protocol: LabProtocol, role: str) -> Peer:
    pair = Pair(protocol)
    return pair.guest if role == "guest" else pair.host


@streams
def test_a_handshake_does_not_wait_for_ever(protocol: LabProtocol) -> None:
    peer = protocol.make("host", keys(), NOW, "bob")
    due = peer.next_timeout()
    assert due is not None
    assert due <= NOW.monotonic + HANDSHAKE_SECONDS
    events = peer.handle_timeout(Moment(due, NOW.unix))
    assert isinstance(events[-1], Finished)
    assert peer.next_timeout() is None


@streams
@pytest.mark.parametrize("text", ["", "z" * (MAX_TEXT + 1), "\ud800"], ids=["empty", "long", "surrogate"])
def test_what_cannot_be_sent_is_said(protocol: LabProtocol, text: str) -> None:
    pair = Pair(protocol)
    with pytest.raises(CannotSend):
        pair.guest.send(text, NOW)
    assert pair.guest.take_output() == []


@streams
def test_nothing_is_sent_before_a_conversation_stands_nor_after(protocol: LabProtocol) -> None:
    peer = protocol.make("guest", keys(), NOW, "alice")
    with pytest.raises(CannotSend):
        peer.send("hello", NOW)
    pair = Pair(protocol)
    pair.guest.leave(NOW)
    with pytest.raises(CannotSend):
        pair.guest.send("hello", NOW)


@pytest.mark.parametrize("word", ["exit", "EXIT", "  Exit\t"])
@pytest.mark.parametrize("name", ["gcm", "signed-gcm"])
def test_the_word_exit_ends_both(name: str, word: str) -> None:
    pair = Pair(PROTOCOLS[name])
    pair.say(word)
    assert pair.events["guest"][-1] == Finished("left", "", "exit")
    assert pair.events["host"][-1] == Finished("said", "", "exit")
    assert pair.shown() == []


def test_the_frames_of_gcm() -> None:
    pair = Pair(PROTOCOLS["gcm"])
    pair.say("four")
    key, session, message = pair.wire
    assert key[:1] + session[:1] + message[:1] == b"KSM"
    assert key[5:].startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert int.from_bytes(session[1:5], "big") == len(session) - 5 == 256
    assert len(message) == 5 + 12 + 4 + 16


def test_the_frames_of_signed_gcm() -> None:
    pair = Pair(PROTOCOLS["signed-gcm"])
    guest_key = pair.wire[0]
    assert guest_key[:1] == b"K"  # at once, before anything of the host has come
    pair.say("four")
    message = pair.wire[-1]
    assert message[5:9] == (256).to_bytes(4, "big")
    assert len(message) == 5 + 4 + 256 + 12 + 4 + 16


def test_the_lines_of_json_cbc_hmac() -> None:
    pair = Pair(PROTOCOLS["json-cbc-hmac"])
    pair.say("four")
    greeting, session, message = pair.wire
    assert greeting.startswith(b"SERVER_PUB\n-----BEGIN PUBLIC KEY-----\n")
    assert greeting.endswith(b"-----END PUBLIC KEY-----\n\n\n")
    assert session.endswith(b"}\n\n")
    assert set(json.loads(session)) == {"enc_session", "client_pub", "client_sig"}
    assert set(json.loads(message)) == {"cipher", "hmac"}
    with pytest.raises(CannotSend, match="only guests"):
        pair.host.send("no", NOW)


def test_five_layer_says_its_checks_in_order_and_refuses_what_is_old() -> None:
    pair = Pair(PROTOCOLS["five-layer"])
    pair.say("now")
    assert pair.shown()[0].passed == ("HMAC", "session key", "decryption", "age", "signature")
    assert pair.shown()[0].claimed == NOW.unix
    pair.guest.send("later", NOW)
    (unit,) = pair.guest.take_output()
    for seconds, count in ((60, 2), (61, 2)):
        pair.events["host"] += pair.host.receive(unit, Moment(NOW.monotonic, NOW.unix + seconds))
        assert len(pair.shown()) == count
    refused = pair.events["host"][-1]
    assert isinstance(refused, Rejected)
    assert refused.check == "age"


def test_two_secrets_do_not_talk() -> None:
    one, other = with_layout(Layout(b"one")), with_layout(Layout(b"other"))
    pair = Pair(one)
    pair.host = other.make("host", keys(), NOW, "bob")
    pair.guest = one.make("guest", keys(), NOW, "alice")
    pair.carry()
    pair.say("hello")
    refused = pair.events["host"][-1]
    assert isinstance(refused, Rejected)
    assert refused.check == "HMAC"


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("gcm", b"M\xff\xff\xff\xff"),
        ("signed-gcm", b"K\x00\x00\x20\x00"),
        ("five-layer", b"\xff\xff\xff\xff"),
        ("json-cbc-hmac", b"{" * (16 * 1024 + 2)),
        ("current", b"K\x00\x01\x00\x00"),
    ],
)
def test_a_length_is_refused_before_anything_of_it_has_come(name: str, claim: bytes) -> None:
    peer = PROTOCOLS[name].make("host", keys(), NOW, "bob")
    (event,) = peer.receive(claim, NOW)
    assert isinstance(event, Finished)
    assert event.how == "failed"


@streams
@pytest.mark.parametrize("role", ["guest", "host"])
def test_a_splitter_knows_the_parts_of_every_unit(protocol: LabProtocol, role: str) -> None:
    pair = Pair(protocol)
    pair.say("hello")
    written = b"".join(pair.written[role])
    units = list(protocol.split(role).feed(written))
    cut = b"".join(unit.data for unit in units)
    assert written.startswith(cut)
    assert written[len(cut) :] in (b"", b"\n")  # the PEM's own line end may be left over
    assert all(unit.fields for unit in units)
    assert all(part.end <= len(unit.data) for unit in units for part in unit.fields)


def test_a_message_and_a_goodbye_may_come_together() -> None:
    pair = Pair(PROTOCOLS["current"])
    pair.guest.send("last words", NOW)
    written = pair.guest.take_output()
    pair.guest.leave(NOW)
    written += pair.guest.take_output()
    events = pair.host.receive(b"".join(written), NOW)
    assert [str(event.text) for event in events if isinstance(event, Shown)] == ["last words"]
    assert events[-1] == Finished("said", "", "goodbye")


def test_a_flood_of_empty_lines_is_not_kept() -> None:
    splitter = PROTOCOLS["json-cbc-hmac"].split("guest")
    for _ in range(100):
        assert list(splitter.feed(b"\n" * 65536)) == []
    (unit,) = splitter.feed(b'{"cipher": ""}\n\n\n')
    assert unit.data == b'{"cipher": ""}\n\n'
