"""What is typed for one person reaches nobody else, whatever happens to connections meanwhile."""

import asyncio

import pytest
from chat_people import opened, person
from chat_raw import answering, call
from protocol_peers import hello

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Closed, Error, Message, Peer, Queued, Secure
from securechat_tui.network import backoff
from securechat_tui.protocol.payloads import Goodbye, GoodbyeReason, Resume

pytestmark = pytest.mark.usefixtures("quick_keys")


async def test_a_silent_stranger_is_not_whom_the_host_writes_to() -> None:
    """Who has completed the handshake and says no name has the place, and is nobody to write to."""
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            await alice.until(Secure)
            bob.cut()
            closed = await alice.until(Closed)
            assert closed.awaited is True
        async with await call(address, "carol") as stranger:
            await stranger.established()
            await alice.engine.send("for bob, who may come back")
            assert (await alice.until(Queued)).conversation == alice.engine.conversations[0]
            await stranger.open()
            stranger.cut()
            await alice.until_many(2, Closed)
        async with await call(address, "bob") as bob:
            await bob.open()
            await bob.until(lambda: bool(bob.read_messages()))


async def test_a_cut_before_hello_on_the_way_back_does_not_lose_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call goes on, and can be given up: there is never a second one beside it."""
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        raw.cut()
        silent = await desk.next("alice")
        await silent.established()
        silent.cut()
        assert bob.engine.conversations, "still expected back"
        await bob.engine.leave()
        assert not bob.engine.conversations
        with pytest.raises(CommandError, match="host or join first"):
            await bob.engine.send("to nobody")


async def test_leaving_is_leaving_even_if_the_line_is_cut_meanwhile() -> None:
    async with opened(person("bob")) as bob, answering() as desk:
        await bob.engine.join(desk.address)
        raw = await desk.next("alice")
        await raw.open()
        await bob.until(Secure)
        await bob.engine.send("never acknowledged")
        leaving = asyncio.create_task(bob.engine.leave())
        await asyncio.sleep(0)  # it waits for the delivery now
        assert not leaving.done()
        raw.cut()
        closed = await bob.until(Closed)
        await leaving
        assert not closed.will_retry
        assert not bob.engine.conversations


async def test_a_text_that_names_its_conversation_goes_nowhere_else() -> None:
    async with opened(person("alice")) as alice:
        address = await alice.host()
        async with await call(address, "bob") as bob:
            await bob.open()
            meant = (await alice.until(Peer)).conversation
            await alice.until(Secure)
            bob.cut()
            await alice.until(Closed)
        async with await call(address, "carol") as carol:
            await carol.open()
            await alice.until(Peer, lambda peer: peer.conversation != meant)
            with pytest.raises(CommandError, match="say which") as several:
                await alice.engine.send("for whom?")
            assert several.value.code == "which"
            await alice.engine.send("for bob", conversation=meant)
            await alice.engine.send("for carol", conversation=alice.engine.conversations[0])
            assert await carol.read(1) == ["for carol"]
            await alice.engine.leave(meant)
            await alice.engine.send("for bob, who has left", conversation=meant)
            with pytest.raises(CommandError, match="not open now"):
                await alice.engine.send("for nobody", conversation="00" * 32)
            assert not alice.all(Message)
        async with await call(address, "bob", secrets=(bob.secret, None)) as again:
            await again.open(bob.boxes)
            assert await again.read(2) == ["for bob", "for bob, who has left"]


async def test_what_was_written_for_the_first_guest_does_not_wait_for_the_second() -> None:
    """The first stands before a closed gate and goes: nobody else gets its texts."""
    async with opened(person("alice")) as alice:
        address = await alice.host()
        await alice.engine.send("for whoever I told to come now")
        async with await call(address, "bob") as bob:
            await bob.established()
            bob.send(hello(bob))
            await bob.until_payload(Resume)
            await alice.until(Peer)
            bob.say(Goodbye(GoodbyeReason.LEAVING))
            assert "Not sent" in (await alice.until(Error)).message
        async with await call(address, "carol") as carol:
            await carol.open()
            await alice.until(Secure)
        assert alice.all(Queued) == []
