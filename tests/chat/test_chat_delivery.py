"""Messages between two engines: every one once, in order, with its ticks, or told that it was not sent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from chat_people import SAFETY_SECONDS, Face, opened, person, secured, talking
from chat_raw import call

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Checks,
    Closed,
    Delivered,
    Dialing,
    Hosting,
    Listening,
    Message,
    Peer,
    Queued,
    Ready,
    RoundTrip,
    Secure,
    Sent,
    Trust,
)
from securechat_tui.chat.limits import MAX_TEXT_BYTES
from securechat_tui.network.connection import Connection
from securechat_tui.protocol import constants as c

pytestmark = pytest.mark.usefixtures("quick_keys")


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Face, Face]]:
    async with talking(person("alice"), person("bob")) as faces:
        yield faces


async def test_a_life_in_order() -> None:
    async with opened(person("alice")) as alice, opened(person("bob")) as bob:
        address = await alice.host()
        await secured(alice, bob, address)
        await bob.engine.send("hello")
        await bob.until(Delivered)
        await bob.engine.leave()
        await asyncio.gather(alice.until(Closed), bob.until(Closed))
    kinds = (Ready, Listening, Hosting, Dialing, Peer, Secure, Queued, Sent, Delivered, Message, Closed)
    assert bob.order(*kinds) == [
        "Ready",
        "Dialing",
        "Peer",
        "Secure",
        "Queued",
        "Sent",
        "Delivered",
        "Closed",
    ]
    assert alice.order(*kinds) == [
        "Ready",
        "Listening",
        "Hosting",
        "Peer",
        "Secure",
        "Message",
        "Closed",
        "Hosting",
    ]
    host, guest = alice.all(Secure)[0], bob.all(Secure)[0]
    assert (host.session, host.epoch, host.suite) == (guest.session, 0, c.SUITE)
    assert host.conversation == guest.conversation
    dialing = bob.all(Dialing)[0]
    assert (f"{dialing.address}:{dialing.port}", dialing.attempt) == (address, 1)
    assert alice.all(Hosting)[0].reachable == (address,)


async def test_a_message_both_ways_with_its_checks(pair: tuple[Face, Face]) -> None:
    for author, reader in (pair, pair[::-1]):
        await author.engine.send("hällo\n  you", ref="r1")
        message = await reader.until(Message)
        assert (message.text, message.number, message.author) == ("hällo\n  you", 1, author.fingerprint)
        assert message.checks == Checks(intact=True, in_order=True, fresh=True, signed=True)
        assert not message.late
        assert message.trust is Trust.NEW
        delivered = await author.until(Delivered)
        assert (delivered.number, delivered.ref, delivered.durable) == (1, "r1", True)
        queued, sent = author.all(Queued)[0], author.all(Sent)[0]
        assert (queued.number, queued.ref, queued.text) == (1, "r1", "hällo\n  you")
        assert (sent.number, sent.ref) == (1, "r1")
        assert queued.claimed == message.claimed
        counters = author.engine.counters(message.conversation)
        assert (counters.sent, counters.delivered, counters.bad) == (1, 1, 0)
        assert reader.engine.counters(message.conversation).received == 1


async def test_ticks_keep_their_references_in_order(pair: tuple[Face, Face]) -> None:
    alice, _ = pair
    refs = [None if number % 3 == 0 else f"r{number}" for number in range(20)]
    for number, ref in enumerate(refs):
        await alice.engine.send(f"text {number}", ref=ref)
    await alice.until_many(20, Delivered)
    expected = [*zip(range(1, 21), refs, strict=True)]
    assert [(one.number, one.ref) for one in alice.all(Queued)] == expected
    assert [(one.number, one.ref) for one in alice.all(Sent)] == expected
    assert [(one.number, one.ref) for one in alice.all(Delivered)] == expected
    for number in range(1, 21):
        mine = [
            one for one in alice.seen if isinstance(one, Queued | Sent | Delivered) and one.number == number
        ]
        assert [type(one) for one in mine] == [Queued, Sent, Delivered]


async def test_a_burst_both_ways_at_once_arrives_whole(pair: tuple[Face, Face]) -> None:
    texts = [f"text {number}" for number in range(500)]

    async def speak(face: Face) -> None:
        for number, text in enumerate(texts):
            await face.engine.send(text)
            if number % 50 == 0:
                await asyncio.sleep(0)

    await asyncio.gather(*(speak(face) for face in pair))
    for author, reader in (pair, pair[::-1]):
        messages = await reader.until_many(500, Message)
        assert [one.text for one in messages] == texts
        assert [one.number for one in messages] == list(range(1, 501))
        await author.until_many(500, Delivered)
    assert [await face.engine.flush(SAFETY_SECONDS) for face in pair] == [0, 0]


async def test_the_longest_text_arrives(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    text = "ä" * (MAX_TEXT_BYTES // 2)
    await alice.engine.send(text)
    assert (await bob.until(Message)).text == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("x" * (MAX_TEXT_BYTES + 1), "too-long"),
        ("ä" * (MAX_TEXT_BYTES // 2) + "x", "too-long"),
        ("half \ud83d", "bad-text"),
    ],
)
async def test_text_that_cannot_be_sent_changes_nothing(
    pair: tuple[Face, Face], text: str, code: str
) -> None:
    alice, bob = pair
    with pytest.raises(CommandError) as refused:
        await alice.engine.send(text)
    assert refused.value.code == code
    await alice.engine.send("fits")
    message = await bob.until(Message)
    assert (message.number, message.text) == (1, "fits")


async def test_a_round_trip_is_measured() -> None:
    async with opened(person("alice")) as alice, opened(person("bob")) as bob:
        await secured(alice, bob, await alice.host())
        for face in (alice, bob):
            assert (await face.until(RoundTrip)).seconds >= 0


async def test_a_peer_that_does_not_read_holds_back_the_writer_and_gets_everything_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = asyncio.Event()
    pause_writing = Connection.pause_writing

    def pause(connection: Connection) -> None:
        pause_writing(connection)
        full.set()

    monkeypatch.setattr(Connection, "pause_writing", pause)
    texts = [f"{number:03}" + "x" * 32_000 for number in range(400)]
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        for text in texts:
            await alice.engine.send(text)
        await alice.until_many(20, Sent)
        async with asyncio.timeout(SAFETY_SECONDS):
            await full.wait()
        assert len(alice.all(Sent)) < len(texts)
        assert await alice.engine.flush(0) == len(texts)
        assert await bob.read(len(texts)) == texts
        bob.acknowledge()
        await alice.until_many(len(texts), Delivered)


async def test_only_so_much_waits_for_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.conversation.MAX_PENDING", 2)
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        for text in ("one", "two"):
            await alice.engine.send(text)
        with pytest.raises(CommandError) as refused:
            await alice.engine.send("three")
        assert refused.value.code == "busy"
        assert await bob.read(2) == ["one", "two"]
        bob.acknowledge()
        await alice.until_many(2, Delivered)
        await alice.engine.send("three")
        assert await bob.read(1) == ["three"]


async def test_a_message_that_comes_again_is_shown_once_and_acknowledged_again() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            records = bob.boxes.one("one")
            bob.say(*records)
            await alice.until(Message)
        await alice.until(Closed)
        async with await call(address, "bob", secrets=(bob.secret, None)) as again:
            await again.open(bob.boxes)
            again.say(*records)
            await again.until(lambda: again.delivered() == 1)
        assert len(alice.all(Message)) == 1


async def test_a_new_generation_is_acknowledged_in_the_same_breath() -> None:
    """A peer without memory may announce its generation and speak in one write."""
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            bob.say_texts("one", "two", "three")
            await alice.until_many(3, Message)
        await alice.until(Closed)
        async with await call(address, "bob", secrets=(bob.secret, None)) as anew:
            await anew.open(flush=False)
            anew.say_texts("from one again")
            await anew.until(lambda: anew.delivered() == 1)


# The end.


async def test_goodbye_is_told_to_both(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    (conversation,) = alice.engine.conversations
    await bob.engine.leave(conversation)
    mine, theirs = await bob.until(Closed), await alice.until(Closed)
    assert (mine.reason, mine.by, mine.will_retry) == ("goodbye", "me", False)
    assert (theirs.reason, theirs.by) == ("goodbye", "peer")
    assert "bob" in theirs.message
    assert alice.engine.conversations == bob.engine.conversations == ()
    for face in pair:
        with pytest.raises(CommandError) as refused:
            await face.engine.send("too late")
        assert refused.value.code == "no-conversation"
        with pytest.raises(CommandError):
            await face.engine.leave()
        assert await face.engine.flush(0) == 0


async def test_leaving_waits_for_what_was_sent_just_before(pair: tuple[Face, Face]) -> None:
    alice, bob = pair
    for number in range(200):
        await bob.engine.send(f"text {number}")
    await bob.engine.leave()
    assert len(await alice.until_many(200, Message)) == 200
    await bob.until_many(200, Delivered)


async def test_quitting_says_goodbye() -> None:
    async with talking(person("alice"), person("bob")) as (alice, bob):
        await bob.engine.close()
        assert (await alice.until(Closed)).reason == "goodbye"
        closed = await bob.until(Closed)
        assert (closed.reason, closed.by) == ("quit", "me")
        await bob.engine.close()


async def test_a_cut_is_no_goodbye() -> None:
    async with opened(person("alice")) as alice:
        async with await call(await alice.host(), "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            bob.cut()
            closed = await alice.until(Closed)
        assert (closed.reason, closed.by) == ("lost", "peer")


async def test_flush_counts_what_did_not_arrive() -> None:
    async with opened(person("alice")) as alice, await call(await alice.host(), "bob") as bob:
        await bob.open()
        await alice.until(Secure)
        for text in ("one", "two", "three"):
            await alice.engine.send(text)
        assert await bob.read(3) == ["one", "two", "three"]
        assert await alice.engine.flush(0) == 3
        waiting = asyncio.create_task(alice.engine.flush(SAFETY_SECONDS))
        bob.acknowledge()
        assert await waiting == 0
        await alice.engine.send("four")
        waiting = asyncio.create_task(alice.engine.flush(SAFETY_SECONDS))
        assert await bob.read(1) == ["four"]
        bob.cut()
        assert await waiting == 1


async def test_what_was_not_acknowledged_is_sent_again_in_the_next_session() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            await alice.engine.send("one", ref="r1")
            await alice.engine.send("two", ref="r2")
            assert await bob.read(2) == ["one", "two"]
        await alice.until(Closed)
        assert alice.all(Delivered) == []
        boxes = bob.boxes
        async with await call(address, "bob", secrets=(bob.secret, None)) as again:
            await again.open(boxes)
            ticks = await alice.until_many(2, Delivered)
            assert [one.ref for one in ticks] == ["r1", "r2"]
            await alice.engine.send("three")
            assert await again.read(1) == ["three"]
        assert [one.number for one in alice.all(Sent)] == [1, 2, 3]


async def test_numbers_go_on_after_a_start() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice:
        address = await at_alice.host()
        for round_number in (1, 2, 3):
            async with opened(bob) as at_bob:
                await secured(at_alice, at_bob, address)
                await at_alice.engine.send(f"round {round_number}")
                message = await at_bob.until(Message)
                assert (message.number, message.text) == (round_number, f"round {round_number}")
                await at_bob.engine.send("an answer")
                answer = await at_alice.until(Message)
                assert (answer.number, answer.text) == (round_number, "an answer")
                await at_alice.until(Delivered)
                await at_bob.until(Delivered)
            await at_alice.until(Closed)
            at_alice.forget()


async def test_what_waited_for_a_peer_without_memory_is_numbered_anew() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            await alice.engine.send("delivered")
            assert await bob.read(1) == ["delivered"]
            bob.acknowledge()
            await alice.until(Delivered)
            await alice.engine.send("waiting", ref="w")
            assert await bob.read(1) == ["waiting"]
        await alice.until(Closed)
        alice.forget()
        async with await call(address, "bob", secrets=(bob.secret, None)) as anew:
            await anew.open()
            assert await anew.read(1) == ["waiting"]
            queued = await alice.until(Queued)
            assert (queued.number, queued.ref) == (1, "w")
            anew.acknowledge()
            assert (await alice.until(Delivered)).ref == "w"
