"""Whom words and places belong to: nothing held for one goes to another; what a full house does."""

from functools import partial

import pytest
from chat_people import opened, person, talking
from chat_raw import answering, call
from protocol_peers import hello

from securechat_tui.chat import presence
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Delivered,
    Error,
    Message,
    Peer,
    Queued,
    Refused,
    Secure,
)
from securechat_tui.chat.limits import MAX_HELD
from securechat_tui.protocol.events import Authenticated
from securechat_tui.protocol.payloads import Goodbye, GoodbyeReason

pytestmark = pytest.mark.usefixtures("quick_keys")


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house that one session fills."""
    monkeypatch.setattr(presence, "MAX_CONVERSATIONS", 1)


# Held until the peer is known.


async def test_what_is_typed_before_the_peer_is_known_is_sent_once() -> None:
    async with opened(person("alice")) as alice, opened(person("bob")) as bob:
        address = await alice.host()
        await alice.engine.send("from the host", ref="h")
        await bob.engine.join(address)
        await bob.engine.send("from the guest", ref="g")
        for reader, text in ((alice, "from the guest"), (bob, "from the host")):
            assert (await reader.until(Message)).text == text
        for author, ref in ((alice, "h"), (bob, "g")):
            await author.until(Delivered)
            assert author.order(Secure, Queued) == ["Secure", "Queued"]
            assert author.all(Queued)[0].ref == ref
        assert len(alice.all(Message)) == len(bob.all(Message)) == 1


async def test_only_so_much_is_held() -> None:
    async with opened(person("alice")) as alice:
        await alice.host()
        for number in range(MAX_HELD):
            await alice.engine.send(f"text {number}")
        with pytest.raises(CommandError, match="wait already"):
            await alice.engine.send("one too many")
        assert await alice.engine.flush(0) == MAX_HELD


async def test_nothing_is_held_where_nobody_is_expected() -> None:
    async with opened(person("alice")) as alice:
        with pytest.raises(CommandError) as refused:
            await alice.engine.send("to nobody")
        assert refused.value.code == "no-conversation"
        assert await alice.engine.flush(0) == 0


async def test_what_was_meant_for_one_who_never_came_reaches_nobody_else() -> None:
    async with opened(person("alice")) as alice:
        async with answering() as desk:
            nobody = desk.address
        await alice.engine.join(nobody)
        await alice.engine.send("for bob alone")
        await alice.until(Error, lambda error: error.code == "cannot-connect")
        async with await call(await alice.host(), "carol") as carol:
            await carol.open()
            await alice.until(Secure)
            await alice.until(Error, lambda error: error.code == "not-sent")
            await alice.engine.send("for carol")
            await carol.until(lambda: len(carol.payloads) >= 4)
            assert await carol.read(1) == ["for carol"]


async def test_what_was_meant_for_the_one_dialled_does_not_reach_a_caller() -> None:
    async with opened(person("alice")) as alice, answering() as desk:
        address = await alice.host()
        await alice.engine.join(desk.address)
        await alice.engine.send("for bob alone")
        bob = await desk.next("bob")
        async with await call(address, "carol") as carol:
            await carol.open()
            await alice.until(Secure)
            await alice.engine.send("for carol")
            assert await carol.read(1) == ["for carol"]
            await bob.open()
            assert await bob.read(1) == ["for bob alone"]
            assert carol.read_messages() == []


async def test_what_was_held_for_one_who_left_before_it_flowed_reaches_nobody_else() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.established()
            bob.say(hello(bob))
            await alice.until(Peer)
            await alice.engine.send("for bob alone")
        await alice.until(Closed)
        await alice.until(Error, lambda error: error.code == "not-sent")
        async with await call(address, "carol") as carol:
            await carol.open()
            await alice.until(Secure)
            await alice.engine.send("for carol")
            assert await carol.read(1) == ["for carol"]


async def test_a_cancelled_attempt_sends_nothing_later() -> None:
    async with opened(person("alice")) as alice, answering() as desk:
        await alice.engine.join(desk.address)
        await alice.engine.send("for bob alone")
        bob = await desk.next("bob")
        await alice.engine.leave()
        await bob.until_closed()
        await alice.until(Error, lambda error: error.code == "not-sent")
        assert await alice.engine.flush(0) == 0
        assert alice.all(Peer) == []


# Taking places.


@pytest.mark.usefixtures("one_place")
async def test_a_second_caller_is_told_that_the_host_is_busy() -> None:
    carol = person("carol")
    async with talking(person("alice"), person("bob")) as (alice, bob), opened(carol) as at_carol:
        address = alice.address
        await at_carol.engine.join(address)
        refused = await at_carol.until(Refused)
        assert (refused.reason, refused.address) == ("busy", address)
        await bob.engine.send("undisturbed")
        assert (await alice.until(Message)).text == "undisturbed"
        await bob.engine.leave()
        await alice.until(Closed)
        await at_carol.engine.join(address)
        await at_carol.until(Secure)


async def test_the_same_person_takes_the_place_of_its_own_half_open_session() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as first:
            await first.open()
            await alice.until(Secure)
            async with await call(address, "bob", secrets=(first.secret, None)) as second:
                await second.open(first.boxes)
                await alice.until_many(2, Secure)
                second.say_texts("back again")
                assert (await alice.until(Message)).text == "back again"
                await alice.engine.send("welcome")
                assert await second.read(1) == ["welcome"]
                await first.until_closed()
                assert first.ended is not None
                assert (first.ended.how, first.ended.detail) == ("goodbye", GoodbyeReason.REPLACED.name)
                assert alice.all(Closed) == []
                second.cut()
                assert (await alice.until(Closed)).reason == "lost"


@pytest.mark.usefixtures("one_place")
async def test_a_stranger_does_not_take_the_place_by_showing_nothing() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as first:
            await first.open()
            await alice.until(Secure)
            async with await call(address, "bob") as second:
                await second.until_closed()
                assert second.ended is not None
                assert second.ended.how == "busy"
            first.say_texts("still here")
            assert (await alice.until(Message)).text == "still here"


@pytest.mark.usefixtures("one_place")
@pytest.mark.parametrize("named", [False, True], ids=["silent", "named"])
async def test_a_stranger_who_does_not_talk_gives_way_to_a_contact_who_shows_a_secret(named: bool) -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as first:
            await first.open()
            await alice.until(Secure)
            first.say(Goodbye(GoodbyeReason.LEAVING))
            await alice.until(Closed)
        async with await call(address, "carol") as stranger:
            await stranger.established()
            if named:
                stranger.say(hello(stranger))
                await alice.until_many(2, Peer)
            async with await call(address, "bob", secrets=(first.secret, None)) as bob:
                await bob.open(first.boxes)
                await alice.until_many(2, Secure)
                bob.say_texts("I am back")
                assert (await alice.until(Message)).text == "I am back"
                await stranger.until_closed()
                assert stranger.session.closed


@pytest.mark.usefixtures("one_place")
async def test_two_strangers_race_for_the_last_place() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob, await call(address, "carol") as carol:
            for raw in (bob, carol):  # both are admitted while nobody is there
                raw.holding = (Authenticated,)
                await raw.until(partial(bool, raw.held))
            for raw in (bob, carol):
                raw.answer_held()
                raw.say(hello(raw))
            told = await alice.until(Peer)
            winner, loser = (
                (bob, carol) if told.fingerprint == str(bob.key.public.fingerprint) else (carol, bob)
            )
            await loser.until_closed()
            assert loser.ended is not None
            assert loser.ended.how == "lost", "closed without a word, no goodbye"
            winner.cut()
            await alice.until(Closed)
        assert len(alice.all(Peer)) == 1
