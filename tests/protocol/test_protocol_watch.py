"""Who watches a session is told how each record was made, by the code that made it."""

import pytest
from protocol_peers import Pair, hello

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.errors import LocalError
from securechat_tui.protocol.primitives import unseal
from securechat_tui.protocol.records import Trace, pad


def test_both_sides_are_told_the_same() -> None:
    pair = Pair.established()
    seen: dict[str, list[Trace]] = {"guest": [], "host": []}
    for peer in pair.peers:
        peer.session.watch(seen[pair.role_of(peer)].append)
    for peer in pair.peers:
        peer.send(hello(peer))
    pair.run()
    made = [trace for trace in seen["guest"] if not trace.opened]
    opened = [trace for trace in seen["host"] if trace.opened]
    assert made
    assert [(one.record, one.payload, one.plaintext, one.associated) for one in made] == [
        (one.record, one.payload, one.plaintext, one.associated) for one in opened
    ]
    assert [one.sequence for one in opened] == list(range(len(opened)))
    assert [frame[5:] for frame in pair.wire["guest"][-len(made) :]] == [one.record for one in made]
    for one in made:
        assert one.plaintext == pad(one.payload)
        assert c.LABEL_RECORD in one.associated
        assert one.epoch == 0
        assert unseal(one.key, one.record[c.EPOCH_LENGTH :], one.associated) == one.plaintext


def test_nobody_is_told_any_more() -> None:
    pair = Pair.established()
    seen: list[Trace] = []
    pair.guest.session.watch(seen.append)
    pair.guest.session.watch(None)
    pair.guest.send(hello(pair.guest))
    pair.run()
    assert seen == []


def test_there_is_nothing_to_watch_before_the_handshake_is_complete() -> None:
    pair = Pair.connect()
    with pytest.raises(LocalError):
        pair.guest.session.watch(lambda _: None)


def test_a_trace_shows_no_plaintext_and_no_key_in_its_repr() -> None:
    trace = Trace(
        opened=True,
        epoch=0,
        sequence=1,
        payload=b"hush",
        plaintext=b"hush!",
        associated=b"",
        record=b"",
        key=b"hush key",
    )
    assert "hush" not in repr(trace)
