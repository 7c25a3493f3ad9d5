"""The store serves one thread at a time, and no thread is left at work in it."""

import asyncio
import gc
from threading import Event as Signal

import pytest
from chat_stage import Stage

from securechat_tui.chat.typed import Typed
from securechat_tui.storage.errors import DiskFull


class Question:
    """Asks the store of a stage something that takes as long as the test wants."""

    def __init__(self, stage: Stage) -> None:
        self._disk = stage.disk
        self.begun, self.may_end = Signal(), Signal()
        self.seen: list[int] = []
        """How much had been written at its beginning and at its end."""
        self.failure: Exception | None = None

    def ask(self) -> None:
        self.seen.append(self._disk.writes)
        self.begun.set()
        self.may_end.wait(10)
        self.seen.append(self._disk.writes)
        if self.failure is not None:
            raise self.failure


async def asked_and_left(stage: Stage, question: Question) -> None:
    """Let somebody ask who goes away before there is an answer."""
    asking = asyncio.create_task(stage.conversation.journal.read(question.ask))
    await asyncio.to_thread(question.begun.wait, 10)
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()


async def test_nothing_is_written_before_a_question_is_answered_whose_asker_has_gone() -> None:
    stage = Stage()
    question = Question(stage)
    await asked_and_left(stage, question)
    writing = asyncio.create_task(stage.conversation.queue(Typed("words", None, signed=True)))
    for _ in range(5):
        await asyncio.to_thread(int)  # a thread that could write would have done so
    question.may_end.set()
    await writing
    assert question.seen == [0, 0]
    assert stage.disk.writes == 1


async def test_the_end_waits_for_a_question_whose_asker_has_gone() -> None:
    stage = Stage()
    question = Question(stage)
    await asked_and_left(stage, question)
    asyncio.get_running_loop().call_soon(question.may_end.set)
    await stage.conversation.close()
    assert len(question.seen) == 2


async def test_an_answer_is_taken_note_of_before_anything_is_written_and_whoever_has_gone() -> None:
    stage = Stage()
    question, journal = Question(stage), stage.conversation.journal
    writes: list[int] = []
    asking = asyncio.create_task(journal.read(question.ask, lambda _: writes.append(stage.disk.writes)))
    await asyncio.to_thread(question.begun.wait, 10)
    writing = asyncio.create_task(stage.conversation.queue(Typed("words", None, signed=True)))
    await asyncio.sleep(0)
    asking.cancel()
    question.may_end.set()
    await writing
    assert writes == [0]


async def test_a_question_that_fails_lets_go_of_the_store() -> None:
    stage = Stage()
    question = Question(stage)
    question.failure = DiskFull(path="kept", reason="full")
    question.may_end.set()
    with pytest.raises(DiskFull):
        await stage.conversation.journal.read(question.ask)
    await asked_and_left(stage, question)
    await stage.conversation.queue(Typed("words", None, signed=True))
    await stage.conversation.close()
    assert stage.queued() == ["words"]


async def test_a_failure_that_nobody_waits_for_is_no_fault_of_the_program() -> None:
    stage = Stage()
    question = Question(stage)
    question.failure = DiskFull(path="kept", reason="full")
    faults: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    await asked_and_left(stage, question)
    question.may_end.set()
    await stage.conversation.close()
    gc.collect()
    assert faults == []
