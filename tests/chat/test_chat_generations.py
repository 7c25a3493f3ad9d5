"""Peers who have lost their memory, once or again and again; and what is numbered anew for them."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from chat_boxes import Boxes
from chat_stage import Stage, Wire, at_once
from protocol_peers import identity_key

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.formers import Formers
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.outbox import ResumeConflict
from securechat_tui.chat.settling import _AHEAD
from securechat_tui.chat.typed import Typed
from securechat_tui.protocol.errors import OutOfOrder
from securechat_tui.protocol.payloads import Gone, Resume, Signature, Signed, Unsigned
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.storage.transcripts import read_transcript, transcript_lines

ALICE, BOB = (identity_key(name) for name in ("alice", "bob"))


class Heritage:
    """Conversations of the same two people under former keys."""

    def __init__(self, *formers: Stage) -> None:
        self._formers = tuple(one.conversation for one in formers)

    def formers(self, conversation: Conversation) -> tuple[Conversation, ...]:
        return tuple(one for one in self._formers if one is not conversation)


async def take_over(heir: Stage, former: Stage, *others: Stage) -> None:
    """Settle a former conversation, of which the peer has nothing."""
    formers = Formers(cast("Conversations", Heritage(former, *others)))
    nothing = Resume(former.conversation.number, bytes(16), bytes(16), 0, bytes(32))
    await formers.settle(heir.conversation, nothing)


async def killed_while_taking_over(heir: Stage, former: Stage, *others: Stage) -> None:
    """The message stands in the newer conversation already, and still waits in the older one."""
    former.disk.full = True
    with pytest.raises(DiskFull):
        await take_over(heir, former, *others)
    former.disk.full = False


def waiting(stage: Stage) -> list[str]:
    return [one.text for one in stage.conversation.outbox.undelivered()]


async def delivered(stage: Stage, wire: Wire, text: str = "arrived") -> None:
    """Let one message arrive at bob's."""
    await stage.conversation.queue(Typed(text, None, signed=False))
    while found := stage.conversation.outbox.next_to_write():
        (payload,) = found[1]
        assert isinstance(payload, Unsigned)
        stage.bob.inbox.unsigned(payload)
    wire.hears(stage.bob.inbox.acknowledgement())
    stage.receive(stage.bob.inbox.acknowledgement())
    await stage.conversation.journal.settled()


def forget(stage: Stage) -> None:
    """Bob loses his memory."""
    stage.bob = Boxes(BOB, ALICE.public)


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[tuple[Stage, Store]]:
    with Store(Profile("kept", folder), bytes(32)) as store:
        stage = Stage.on_disk(store)
        yield stage, store
        await stage.conversation.close()


# What is sent again.


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
async def test_what_was_taken_over_is_known_under_its_next_number_too(tmp_path: Path, signed: bool) -> None:
    """Else it would be taken over once more, and arrive twice."""
    former = Stage()
    async with kept(tmp_path) as (heir, _):
        await delivered(heir, await heir.secure())
        await former.conversation.queue(Typed("once", None, signed=signed))
        await killed_while_taking_over(heir, former)
        assert waiting(former) == waiting(heir) == ["once"]
        first = heir.conversation.outbox.generation
        forget(heir)
        await heir.secure()
        assert heir.conversation.outbox.generation != first
        await take_over(heir, former)
        assert waiting(former) == []
        assert waiting(heir) == ["once"]


async def test_what_is_numbered_anew_has_one_header_salt_and_hash_everywhere(tmp_path: Path) -> None:
    async with kept(tmp_path) as (stage, store):
        await delivered(stage, await stage.secure())
        await stage.conversation.queue(Typed("once more", None, signed=True))
        forget(stage)
        wire = await stage.secure()
        await stage.conversation.flow()
        while not any(isinstance(one, Signed) for one in wire.said):
            wire.news.clear()
            await wire.news.wait()
        record, leaf = wire.said[-2:]
        stage.bob.inbox.announce(stage.conversation.outbox.generation)
        assert isinstance(record, Signature)
        assert isinstance(leaf, Signed)
        accepted = stage.bob.accept(record, leaf)
        assert accepted is not None
        stage.receive(stage.bob.inbox.acknowledgement())
        await stage.conversation.journal.settled()
        history = store.conversation(stage.conversation.number, BOB.public.spki)
        exported = list(history.messages_for_export())[-1]
        assert (exported.header, exported.salt, exported.item) == (leaf.header, leaf.salt, accepted.item)
        lines = transcript_lines(history, ALICE.public, BOB.public, ("alice", "bob"), 1.0)
        *_, last = read_transcript(io.BytesIO(b"".join(lines)))
        assert [(one.last, one.signed) for one in last.stretches(0)] == [(1, 0), (1, 1)]


async def test_what_one_heir_has_taken_over_the_next_heir_takes_from_there() -> None:
    """Where the program was killed in the middle, and the key changed again before the next session."""
    first, second, third = Stage(), Stage(), Stage()
    await second.secure()
    await third.secure()
    await first.conversation.queue(Typed("one", None, signed=True))
    await killed_while_taking_over(second, first)
    assert waiting(first) == waiting(second) == ["one"]
    await take_over(third, first, second)
    await take_over(third, second, first)
    assert (waiting(first), waiting(second), waiting(third)) == ([], [], ["one"])


# Who forgets again and again.


async def test_nothing_is_numbered_anew_twice_in_a_session() -> None:
    stage = Stage()
    await delivered(stage, await stage.secure())
    await stage.conversation.queue(Typed("waits", None, signed=True))
    forget(stage)
    wire = await stage.secure()
    stage.bob.inbox.announce(stage.conversation.outbox.generation)
    generation = stage.conversation.outbox.generation
    record, leaf = _signed(stage)
    stage.bob.accept(record, leaf)
    stage.receive(stage.bob.inbox.acknowledgement())
    forget(stage)
    with pytest.raises(OutOfOrder, match="lost its memory once more"):
        await stage.resume(wire)
    assert stage.conversation.outbox.generation == generation
    await stage.secure()
    assert stage.conversation.outbox.generation != generation


async def test_a_persons_decision_to_go_on_holds_for_one_loss() -> None:
    stage = Stage()
    wire = await stage.secure()
    await stage.conversation.queue(Typed("waits", None, signed=True))
    with pytest.raises(ResumeConflict):
        await stage.conversation.resumed(replace(stage.bob.resume(), high=9))
    wire = stage.attach()
    stage.greet(wire)
    await stage.conversation.open_gate()
    assert stage.conversation.gate == "resume"
    await stage.conversation.resolve(Resolution.NEW_GENERATION)
    await stage.conversation.open_gate()
    stage.bob.inbox.announce(stage.conversation.outbox.generation)
    await stage.resume(wire)
    generation = stage.conversation.outbox.generation
    for _ in range(3):
        with pytest.raises(OutOfOrder, match="lost its memory once more"):
            await stage.conversation.resumed(replace(stage.bob.resume(), high=9))
    assert stage.conversation.outbox.generation == generation
    assert waiting(stage) == ["waits"]


async def test_a_peer_cannot_announce_one_generation_after_the_other() -> None:
    stage = Stage()
    wire = await stage.secure()
    for _ in range(7):
        stage.bob.outbox = stage.bob.outbox.renewed()
        await stage.resume(wire)
        await stage.resume(wire)
    stage.bob.outbox = stage.bob.outbox.renewed()
    with pytest.raises(OutOfOrder, match="one generation after the other"):
        await stage.resume(wire)
    await stage.secure()


async def test_a_peer_that_forgets_after_each_session_makes_the_store_no_larger(tmp_path: Path) -> None:
    """But for what has arrived."""
    async with kept(tmp_path) as (stage, store):
        await delivered(stage, await stage.secure())
        for number in range(20):
            await stage.conversation.queue(Typed(f"waits {number}", None, signed=True))
        for _ in range(5):
            forget(stage)
            wire = await stage.secure()
            stage.bob.inbox.announce(stage.conversation.outbox.generation)
            record, leaf = _signed(stage)
            stage.bob.accept(record, leaf)
            wire.hears(stage.bob.inbox.acknowledgement())
            stage.receive(stage.bob.inbox.acknowledgement())
            await stage.conversation.journal.settled()
        history = store.conversation(stage.conversation.number, BOB.public.spki)
        assert history._database.value("SELECT count(*) FROM item") == 21
        assert [str(one.text) for one in history.page(100)][-15:] == [f"waits {one}" for one in range(5, 20)]


def _signed(stage: Stage) -> tuple[Signature, Signed]:
    """Sign and write the first message alone."""
    outbox = stage.conversation.outbox
    messages = outbox.to_sign()[:1]
    batch = outbox.batch(messages, ALICE.sign(outbox.signing_input(messages)))
    assert batch is not None
    outbox.signed(messages, batch)
    found = outbox.next_to_write()
    assert found is not None
    record, leaf = found[1]
    assert isinstance(record, Signature)
    assert isinstance(leaf, Signed)
    return record, leaf


# Numbers without messages.


async def test_numbers_without_messages_are_held_back_as_messages_are() -> None:
    stage = Stage()
    wire = await stage.secure()
    stage.disk.free.clear()
    generation = stage.bob.outbox.generation
    for number in range(1, _AHEAD + 1):
        gone = Gone(generation, number, signed=False, item=bytes(32))
        wire.hears(gone)
        stage.receive(gone)
        assert stage.conversation.receipt.backlog == number
    stage.disk.free.set()
    await stage.conversation.settle(at_once)
    assert stage.conversation.receipt.backlog == 0
