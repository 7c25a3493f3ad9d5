"""Which payload may come when: the rules as a table, held against both directions."""

from itertools import product

import pytest
from protocol_peers import Pair, hello, resume

from securechat_tui.protocol.errors import LocalError, OutOfPlace
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.order import PayloadOrder
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Empty,
    Gone,
    Goodbye,
    GoodbyeReason,
    Hello,
    HelloFlag,
    Kind,
    Payload,
    Ping,
    RekeyFirst,
    RekeySecond,
    Resume,
    Signature,
    Signed,
    StopReason,
    Unsigned,
)
from securechat_tui.protocol.signing import Header
from securechat_tui.protocol.text import SafeText

HELLO = Hello(SafeText.line("alice"), 1, HelloFlag(0))
RESUME = Resume(b"c" * 32, b"g" * 16, bytes(16), 0, bytes(32))
GOODBYE = Goodbye(GoodbyeReason.LEAVING)
CONTENT: list[Payload] = [
    Signed(bytes(Header.LENGTH), bytes(32), 0, 1, (), b"\1text"),
    Unsigned(b"g" * 16, 1, 0, b"\1text"),
    Signature(1, bytes(32), bytes(384)),
    Acknowledgement(b"g" * 16, 1, bytes(32)),
    Gone(b"g" * 16, 1, signed=False, item=bytes(32)),
]
BESIDE: list[Payload] = [
    ComparisonAsk(),
    ComparisonStep(Kind.COMPARISON_COMMIT, bytes(32)),
    ComparisonStep(Kind.COMPARISON_REPLY, bytes(32)),
    ComparisonStep(Kind.COMPARISON_REVEAL, bytes(32)),
    ComparisonStop(StopReason.DECLINED),
    RekeyFirst(1, bytes(32), bytes(1184), bytes(384)),
    RekeySecond(1, bytes(32), bytes(1088), bytes(384)),
    Ping(answer=False, token=1),
    Empty(),
]
PAYLOADS = [HELLO, RESUME, GOODBYE, *CONTENT, *BESIDE]
STAGES = ("silent", "greeted", "resumed")


def admitted(author: str, other: str, payload: Payload) -> bool:
    """The rules of the specification: ``author`` and ``other`` are how far each side has come."""
    if payload is HELLO:
        return author == "silent"
    if author == "silent":
        return False
    if payload in (RESUME, GOODBYE):
        return True
    if payload in CONTENT:
        return author == other == "resumed"
    return other != "silent"


def order_at(own: str, peer: str) -> PayloadOrder:
    order = PayloadOrder()
    for payload, stage in ((HELLO, "silent"), (RESUME, "greeted")):
        if STAGES.index(own) > STAGES.index(stage):
            order.sending(payload)
        if STAGES.index(peer) > STAGES.index(stage):
            order.receiving(payload)
    return order


def named(payload: Payload) -> str:
    return type(payload).__name__


def test_every_kind_is_in_the_table() -> None:
    assert {payload.encode()[0] for payload in PAYLOADS} == set(Kind)


@pytest.mark.parametrize("payload", PAYLOADS, ids=named)
def test_a_sender_keeps_to_the_order(payload: Payload) -> None:
    for author, other in product(STAGES, STAGES):
        order = order_at(author, other)
        if admitted(author, other, payload):
            order.sending(payload)
            continue
        before = (order.greeted, order.spoken, order.open)
        with pytest.raises(LocalError):
            order.sending(payload)
        assert (order.greeted, order.spoken, order.open) == before, (author, other)


@pytest.mark.parametrize("payload", PAYLOADS, ids=named)
def test_a_receiver_holds_the_sender_to_the_order(payload: Payload) -> None:
    for author, other in product(STAGES, STAGES):
        order = order_at(other, author)
        if admitted(author, other, payload):
            order.receiving(payload)
            continue
        before = (order.greeted, order.spoken, order.open)
        with pytest.raises(OutOfPlace):
            order.receiving(payload)
        assert (order.greeted, order.spoken, order.open) == before, (author, other)


@pytest.mark.parametrize(("author", "other"), list(product(STAGES, STAGES)))
def test_an_ignored_kind_may_come_after_hello(author: str, other: str) -> None:
    order = order_at(other, author)
    if author == "silent":
        with pytest.raises(OutOfPlace):
            order.receiving(None)
    else:
        order.receiving(None)


@pytest.mark.parametrize(("own", "peer"), list(product(STAGES, STAGES)))
def test_the_order_knows_how_far_it_has_come(own: str, peer: str) -> None:
    order = order_at(own, peer)
    assert order.spoken == (own != "silent")
    assert order.greeted == ("silent" not in (own, peer))
    assert order.open == (own == peer == "resumed")


@pytest.mark.parametrize("payload", CONTENT, ids=named)
@pytest.mark.parametrize("resumed", ["guest", "host", "nobody"])
def test_no_content_before_both_have_resumed(payload: Payload, resumed: str) -> None:
    pair = Pair.greeted()
    if resumed != "nobody":
        pair.by_role(resumed).send(resume(pair))
        pair.run()
    with pytest.raises(LocalError):
        pair.guest.send(payload)
    assert pair.guest.session.data_to_send() == b""
    pair.guest.smuggle(payload)
    pair.run()
    assert pair.host.one(Ended) == Ended(End.VIOLATION, f"out of place: {named(payload)}")
    assert payload not in pair.host.payloads


@pytest.mark.parametrize("payload", [GOODBYE, ComparisonAsk(), Ping(answer=False, token=7)], ids=named)
def test_a_gated_session_still_admits_this(payload: Payload) -> None:
    pair = Pair.greeted()
    pair.guest.send(payload)
    pair.run()
    if pair.host.ended:
        assert pair.host.ended.how is End.GOODBYE
    assert pair.guest.ended is None


def test_hello_comes_once() -> None:
    pair = Pair.greeted()
    with pytest.raises(LocalError):
        pair.guest.send(hello(pair.guest))
    pair.guest.smuggle(hello(pair.guest))
    pair.run()
    assert pair.host.one(Ended).how is End.VIOLATION


@pytest.mark.parametrize("first", [payload for payload in PAYLOADS if payload is not HELLO], ids=named)
def test_nothing_comes_before_hello(first: Payload) -> None:
    pair = Pair.established()
    with pytest.raises(LocalError):
        pair.guest.send(first)
    pair.guest.smuggle(first)
    pair.run()
    assert pair.host.one(Ended).how is End.VIOLATION
    assert pair.host.payloads == []


def test_an_ignored_kind_before_hello_is_out_of_place() -> None:
    pair = Pair.established()
    pair.guest.smuggle(b"\x80")
    pair.run()
    assert pair.host.one(Ended) == Ended(End.VIOLATION, "out of place: before HELLO")
