"""What comes between: another session, a failing disk, a second hand, at the moments of waiting."""

import asyncio
from pathlib import Path
from typing import cast

import pytest
from chat_boxes import Boxes
from chat_stage import Stage, Wire, at_once
from protocol_peers import identity_key

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.formers import Formers
from securechat_tui.chat.held import Held
from securechat_tui.chat.typed import Typed
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Resume,
    Unsigned,
)
from securechat_tui.protocol.signing import Seen
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store


async def test_what_an_older_session_has_brought_is_not_acknowledged_before_the_newer_one_is_open() -> None:
    stage = Stage()
    older = await stage.secure()
    stage.disk.free.clear()
    stage.say(older, "hello")
    settling = asyncio.create_task(stage.conversation.settle(at_once))
    await asyncio.sleep(0)
    newer = stage.attach()
    stage.disk.free.set()
    await settling
    assert stage.shown() == ["hello"]
    assert not any(isinstance(one, Acknowledgement) for one in newer.said)


async def test_what_was_taken_back_between_two_sessions_is_shown_once() -> None:
    stage = Stage()
    older = await stage.secure()
    stage.say(older, "hello")  # and before it is settled, another session takes over
    newer = stage.attach()
    stage.greet(newer)
    stage.disk.full = True
    with pytest.raises(DiskFull):
        await stage.conversation.open_gate()
    stage.disk.full = False
    stage.bob.outbox.begin_session()
    last = stage.attach()
    stage.greet(last)
    await stage.conversation.open_gate()
    await stage.resume(last)
    for payload in stage.bob.pour():
        stage.receive(payload)
    await stage.conversation.settle(at_once)
    assert stage.shown() == ["hello"]


async def test_messages_do_not_flow_before_this_side_is_past_its_gate() -> None:
    stage = Stage()
    await stage.secure()
    stage.bob.outbox = stage.bob.outbox.renewed()
    wire = await stage.secure()  # whose generation is not on disk yet
    wire = stage.attach("rotation")
    stage.greet(wire)
    stage.disk.free.clear()
    opening = asyncio.create_task(stage.conversation.open_gate())
    await asyncio.sleep(0)
    await stage.resume(wire)
    assert not stage.conversation.secure
    stage.disk.free.set()
    word = await opening
    assert word is not None
    assert isinstance(wire.said[-1], Resume)
    assert await stage.conversation.resumed(word)


async def test_a_gate_that_could_not_be_passed_stands() -> None:
    stage = Stage()
    await stage.secure()
    wire = stage.attach("rotation")
    stage.greet(wire)
    stage.disk.full = True
    with pytest.raises(DiskFull):
        await stage.conversation.open_gate()
    assert stage.conversation.gate == "rotation"


async def test_two_hands_pour_what_was_held_once() -> None:
    stage = Stage()
    await stage.secure()
    held = Held()
    for text in ("one", "two"):
        held.add(stage.conversation.id, text, None, signed=True)
    await asyncio.gather(held.pour_into(stage.conversation), held.pour_into(stage.conversation))
    assert stage.queued() == ["one", "two"]


async def test_what_was_held_goes_to_disk_together() -> None:
    stage = Stage()
    await stage.secure()
    held, texts = Held(), [str(number) for number in range(300)]
    for text in texts:
        held.add(stage.conversation.id, text, None, signed=True)
    held.add("somebody else", "not for bob", None, signed=True)
    before = stage.disk.writes
    await held.pour_into(stage.conversation)
    assert stage.queued() == texts
    assert stage.disk.writes - before == 1
    assert held.waiting_for("somebody else") == 1


async def test_what_is_dropped_while_it_is_poured_ends_nothing() -> None:
    stage = Stage()
    await stage.secure()
    held = Held()
    held.add(stage.conversation.id, "one", None, signed=True)
    pouring = asyncio.create_task(held.pour_into(stage.conversation))
    await asyncio.sleep(0)
    assert held.drop(stage.conversation.id) == 0
    await pouring
    assert stage.queued() == ["one"]


async def test_what_could_not_be_poured_stays_held_in_its_place() -> None:
    stage = Stage()
    await stage.secure()
    held = Held()
    held.add("somebody else", "not for bob", None, signed=True)
    for text in ("one", "two"):
        held.add(stage.conversation.id, text, None, signed=True)
    stage.disk.full = True
    with pytest.raises(DiskFull):
        await held.pour_into(stage.conversation)
    stage.disk.full = False
    await held.pour_into(stage.conversation)
    assert stage.queued() == ["one", "two"]


async def test_what_comes_while_much_is_poured_comes_after_it() -> None:
    stage = Stage()
    await stage.secure()
    held, texts = Held(), [str(number) for number in range(300)]
    for text in texts:
        held.add(stage.conversation.id, text, None, signed=True)
    stage.disk.free.clear()
    pouring = asyncio.create_task(held.pour_into(stage.conversation))
    await asyncio.sleep(0)
    sending = asyncio.create_task(stage.conversation.send("last", None))
    await asyncio.sleep(0)
    stage.disk.free.set()
    await asyncio.gather(pouring, sending)
    assert stage.queued() == [*texts, "last"]


async def test_what_could_not_be_poured_is_held_again_before_anybody_hears_of_it() -> None:
    stage = Stage()
    await stage.secure()
    held, still_waiting = Held(), []

    async def send() -> None:
        with pytest.raises(CommandError):
            await stage.conversation.send("of the same transaction", None)
        still_waiting.append(held.waiting_for(stage.conversation.id))

    stage.disk.full = True
    sending = asyncio.create_task(send())
    held.add(stage.conversation.id, "one", None, signed=True)
    with pytest.raises(DiskFull):
        await held.pour_into(stage.conversation)
    await sending
    assert still_waiting == [1]


async def test_what_two_transactions_could_not_keep_is_held_in_its_order() -> None:
    stage = Stage()
    await stage.secure()
    held = Held()
    stage.disk.free.clear()
    stage.disk.full = True
    pouring = []
    for text in ("one", "two"):
        held.add(stage.conversation.id, text, None, signed=True)
        pouring.append(asyncio.create_task(held.pour_into(stage.conversation)))
        await asyncio.sleep(0)  # it has been noted
        await asyncio.sleep(0)  # its transaction has begun
    stage.disk.free.set()
    assert all(isinstance(one, DiskFull) for one in await asyncio.gather(*pouring, return_exceptions=True))
    stage.disk.full = False
    await held.pour_into(stage.conversation)
    assert stage.queued() == ["one", "two"]


async def test_who_no_longer_waits_for_what_it_pours_loses_nothing_of_it() -> None:
    stage = Stage()
    await stage.secure()
    held = Held()
    for is_full in (True, False):
        if not held.waiting_for(stage.conversation.id):
            held.add(stage.conversation.id, "one", None, signed=True)
        stage.disk.full = is_full
        stage.disk.free.clear()
        pouring = asyncio.create_task(held.pour_into(stage.conversation))
        await asyncio.sleep(0)
        pouring.cancel()
        await asyncio.wait({pouring})
        stage.disk.free.set()
        await stage.conversation.journal.settled()
        assert held.waiting_for(stage.conversation.id) == is_full
    assert [one.text for one in stage.conversation.outbox.undelivered()] == ["one"]


async def test_a_message_is_cancelled_once_and_not_after_it_has_arrived() -> None:
    stage = Stage()
    await stage.secure()
    await stage.conversation.queue(Typed("one", None, signed=False))
    (message,) = stage.conversation.outbox.undelivered()
    stage.conversation.let_go(message, renumbered=True)
    stage.conversation.let_go(message, renumbered=True)
    assert len(stage.conversation.outbox) == 0
    await stage.conversation.queue(Typed("two", None, signed=False))
    (message,) = stage.conversation.outbox.undelivered()
    outbox = stage.conversation.outbox
    while found := outbox.next_to_write():
        payload = found[1][0]
        if isinstance(payload, Gone):
            stage.bob.inbox.gone(payload)
        elif isinstance(payload, Unsigned):
            stage.bob.inbox.unsigned(payload)
    stage.receive(stage.bob.inbox.acknowledgement())
    stage.conversation.let_go(message, renumbered=True)
    assert len(outbox) == 0


async def test_a_generation_of_which_a_newer_session_said_nothing_is_announced() -> None:
    """The older session's new generation comes to stand after the newer one has said its RESUME."""
    stage = Stage()
    await stage.secure()
    older = await stage.secure()
    await stage.conversation.queue(Typed("arrived", None, signed=False))
    found = stage.conversation.outbox.next_to_write()
    assert found is not None
    assert isinstance(found[1][0], Unsigned)
    stage.bob.inbox.unsigned(found[1][0])
    stage.receive(stage.bob.inbox.acknowledgement())
    await stage.conversation.journal.settled()
    stage.disk.free.clear()
    queueing = asyncio.create_task(stage.conversation.queue(Typed("waits", None, signed=False)))
    await asyncio.sleep(0)
    stage.bob = Boxes(identity_key("bob"), identity_key("alice").public)  # it has forgotten everything
    forgetting = asyncio.create_task(stage.resume(older))
    await asyncio.sleep(0)
    newer = stage.attach()
    stage.greet(newer)
    stage.conversation.say(stage.conversation.account())  # as open_gate does where all is on disk
    stage.disk.free.set()
    await asyncio.gather(queueing, forgetting)
    await stage.resume(newer)
    last = newer.said[-1]
    assert isinstance(last, Resume)
    assert last.generation == stage.conversation.outbox.generation


class Heritage:
    """Two conversations of which one is the other's former one."""

    def __init__(self, former: Conversation) -> None:
        self._former = former

    def formers(self, _conversation: Conversation) -> tuple[Conversation, ...]:
        return (self._former,)


async def test_two_sessions_that_settle_a_former_conversation_take_it_over_once() -> None:
    former, heir = Stage(), Stage()
    await heir.secure()
    for text in ("one", "two"):
        await former.conversation.queue(Typed(text, None, signed=True))
    formers = Formers(cast("Conversations", Heritage(former.conversation)))
    word = Resume(former.conversation.number, bytes(16), bytes(16), 0, bytes(32))
    await asyncio.gather(formers.settle(heir.conversation, word), formers.settle(heir.conversation, word))
    assert heir.queued() == ["one", "two"]
    assert len(former.conversation.outbox) == 0


async def test_a_newer_session_at_its_gate_hears_nothing_of_former_conversations() -> None:
    former, heir = Stage(), Stage()
    await heir.secure()
    wire = heir.attach("rotation")  # while the older one was about to say it
    Formers(cast("Conversations", Heritage(former.conversation))).greet(heir.conversation)
    assert not any(isinstance(one, Resume) for one in wire.said)


async def test_a_peer_that_comes_back_to_an_earlier_generation_goes_on_from_what_is_held(
    tmp_path: Path,
) -> None:
    with Store(Profile("kept", tmp_path), bytes(32)) as store:
        stage = Stage.on_disk(store)
        wire = await stage.secure()
        stage.say(wire, "one")
        await stage.conversation.settle(at_once)
        first = stage.bob.outbox
        stage.bob.outbox = first.renewed()
        await stage.resume(wire)
        stage.say(wire, "two")
        await stage.conversation.settle(at_once)
        stage.bob.outbox = first
        first.begin_session()
        await stage.resume(wire)
        await stage.say_again(wire, "three")
        await stage.conversation.settle(at_once)
        assert stage.shown() == ["one", "two", "three"]
        first.acknowledge(stage.conversation.receipt.acknowledgement())
        assert first.acknowledged == 2
        await stage.conversation.close()


async def test_a_signature_over_what_was_taken_back_is_not_kept_for_what_has_its_number() -> None:
    outbox = Boxes(identity_key("alice"), identity_key("bob").public).outbox
    kept = outbox.position
    outbox.add("lost", None, 0, Seen())
    lost = outbox.to_sign()
    outbox.take_back(kept)
    outbox.add("other", None, 0, Seen())
    outbox.kept(outbox.position)
    assert outbox.batch(lost, b"signature") is None
    assert outbox.batch(outbox.to_sign(), b"signature") is not None


async def test_nothing_of_a_new_generation_is_written_before_it_is_announced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    wire = await stage.secure()
    conversation = stage.conversation
    await conversation.flow()
    await conversation.send("arrived", None, signed=False)
    await until_said(wire, 1)
    (said,) = [one for one in wire.said if isinstance(one, Unsigned)]
    stage.bob.inbox.unsigned(said)
    stage.receive(stage.bob.inbox.acknowledgement())
    await conversation.send("waits", None, signed=False)
    await until_said(wire, 2)
    commit = conversation.journal.commit

    async def commits_and_dawdles() -> None:
        await commit()
        conversation._writer.wake()
        for _ in range(10):
            await asyncio.sleep(0)

    monkeypatch.setattr(conversation.journal, "commit", commits_and_dawdles)
    stage.bob = Boxes(identity_key("bob"), identity_key("alice").public)  # it has forgotten everything
    await stage.resume(wire)
    await until_said(wire, 3)
    fresh = [one for one in wire.said if isinstance(one, Resume | Unsigned)][-2:]
    assert [type(one) for one in fresh] == [Resume, Unsigned]
    conversation.detach()


async def until_said(wire: Wire, count: int) -> None:
    """Wait until so many unsigned messages were written."""
    async with asyncio.timeout(10):
        while sum(isinstance(one, Unsigned) for one in wire.said) < count:
            wire.news.clear()
            await wire.news.wait()
