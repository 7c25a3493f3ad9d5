"""What the inspector keeps is what passed, only while it is on, and in memory alone."""

from collections.abc import AsyncIterator

import pytest
from chat_people import Face, opened, person, secured, talking

from securechat_tui.chat.events import Delivered, Message, Secure
from securechat_tui.chat.steps import Noted
from securechat_tui.chat.wire import way_of
from securechat_tui.protocol import primitives
from securechat_tui.protocol.records import Trace
from securechat_tui.protocol.signing import Header

pytestmark = pytest.mark.usefixtures("quick_keys")


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Face, Face]]:
    async with talking(person("alice"), person("bob")) as faces:
        yield faces


async def say(one: Face, other: Face, text: str, *, signed: bool = True) -> int:
    """Send a text and return its number when both sides are done with it."""
    one.forget()
    other.forget()
    await one.engine.send(text, signed=signed)
    number = (await other.until(Message)).number
    await one.until(Delivered)
    return number


def wire(face: Face, number: int, *, own: bool) -> tuple[Noted, ...]:
    return face.engine.wire(face.engine.conversations[0], number, own=own)


async def test_a_message_is_followed_at_both_ends(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    for face in pair:
        face.engine.inspect(on=True)
    number = await say(alice, bob, "the words")
    sent, received = wire(alice, number, own=True), wire(bob, number, own=False)
    assert [one.step.name for one in sent] == [
        "sign the batch (RSA-PSS)",
        "pad to a fixed size",
        "seal the record (AES-256-GCM)",
        "write header, path and content",
        "pad to a fixed size",
        "seal the record (AES-256-GCM)",
    ]
    assert [one.step.name for one in received][-4:] == [
        "receive the record",
        "open the record (AES-256-GCM)",
        "take the padding off",
        "check path, addressee, number and previous hash",
    ]
    assert sent[-1].step.output == received[4].step.output
    assert sent[-1].step.secret == received[5].step.secret


async def test_the_parts_of_a_message_are_named_where_they_are(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    alice.engine.inspect(on=True)
    step = wire(alice, await say(alice, bob, "the words"), own=True)[3].step
    parts = {one.name: step.output[one.start : one.end] for one in step.fields}
    assert b"".join(step.output[one.start : one.end] for one in step.fields) == step.output
    header = Header.decode(step.output[1 : 1 + Header.LENGTH])
    assert parts["text"] == b"the words"
    assert parts["number"] == header.number.to_bytes(8, "big")
    assert parts["recipient"] == header.recipient
    assert parts["content's hash"] == header.content_hash


async def test_an_unsigned_message_has_no_signature_before_it(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    bob.engine.inspect(on=True)
    await say(alice, bob, "signed")
    way = wire(bob, await say(alice, bob, "unsigned", signed=False), own=False)
    assert [one.step.name for one in way] == [
        "receive the record",
        "open the record (AES-256-GCM)",
        "take the padding off",
        "check the number",
    ]
    assert way[-1].step.key == ""


async def test_nothing_is_kept_before_it_is_on_and_all_is_forgotten_after(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    before = await say(alice, bob, "before")
    assert not alice.engine.is_inspecting
    alice.engine.inspect(on=True)
    during = await say(alice, bob, "during")
    assert wire(alice, before, own=True) == ()
    assert wire(alice, during, own=True)
    alice.engine.inspect(on=False)
    assert wire(alice, during, own=True) == ()
    after = await say(alice, bob, "after")
    assert wire(alice, after, own=True) == ()


async def test_a_session_that_comes_later_is_watched_too() -> None:
    async with opened(person("alice")) as alice, opened(person("bob")) as bob:
        bob.engine.inspect(on=True)
        await secured(alice, bob, await alice.host())
        await bob.until(Secure)
        assert wire(bob, await say(bob, alice, "hello"), own=True)


async def test_no_step_shows_a_secret_by_itself(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    alice.engine.inspect(on=True)
    way = wire(alice, await say(alice, bob, "the words"), own=True)
    for one in way:
        told = repr(one)
        assert "the words" not in told
        assert one.step.secret.hex() not in told or not one.step.secret
        for side in ("input", "output"):
            data: bytes = getattr(one.step, side)
            assert (b"the words" in data) <= (side in one.step.reads)


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\x05\x00", b"\xff", b"\x04" + b"\0" * 40])
def test_what_is_no_message_is_passed_over(payload: bytes) -> None:
    trace = Trace(True, 0, 0, payload, payload, b"", b"", primitives.random_bytes(32))
    assert way_of([trace], 1, own=False) == ()
