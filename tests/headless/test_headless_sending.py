"""Lines that come together go to the disk together: in order, and as many as there is room for."""

import asyncio
from typing import Any

import pytest
from headless_fake_engine import CONVERSATION, FakeEngine, peer, secure
from headless_rig import Rig

from securechat_tui.chat.errors import CommandError
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.sending import _MOST_BYTES, _MOST_LINES

SAFETY_SECONDS = 10.0


class SlowEngine(FakeEngine):
    """Keeps nothing before it is let, or nothing at all."""

    def __init__(self, *, full: bool = False) -> None:
        super().__init__(peer(), secure())
        self.free = asyncio.Event()
        self.begun: list[str] = []
        self.answered = 0
        self._full = full
        self._news = asyncio.Event()

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        self.begun.append(text)
        self._news.set()
        await self.free.wait()
        if self._full:
            raise CommandError("cannot-save", "Not sent, since it could not be kept: the disk is full.")
        await super().send(text, ref=ref, conversation=conversation, signed=signed)
        self.answered += 1

    async def until_begun(self, count: int) -> None:
        """Wait until so many sends are on their way, and let whatever goes on by itself go on."""
        async with asyncio.timeout(SAFETY_SECONDS):
            while len(self.begun) < count:
                self._news.clear()
                await self._news.wait()
        for _ in range(100):
            await asyncio.sleep(0)


def send(text: str) -> dict[str, Any]:
    return {"cmd": "send", "text": text, "ref": f"ref {text}"}


@pytest.mark.parametrize("plain", [False, True])
async def test_no_line_waits_until_the_one_before_it_is_kept(plain: bool) -> None:
    engine, texts = SlowEngine(), [str(number) for number in range(100)]
    async with Rig(engine, plain=plain) as rig:
        rig.type(*(text if plain else send(text) for text in texts))
        await engine.until_begun(100)
        assert (engine.begun, engine.sent) == (texts, [])
        engine.free.set()
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert engine.sent == texts
        if not plain:
            queued = [event["ref"] for event in rig.events if event["event"] == "queued"]
            assert queued == [f"ref {text}" for text in texts]


async def test_each_that_could_not_be_kept_is_answered_in_order() -> None:
    engine, texts = SlowEngine(full=True), [str(number) for number in range(100)]
    async with Rig(engine) as rig:
        rig.type(*map(send, texts))
        await engine.until_begun(100)
        assert not [event for event in rig.events if event["event"] == "error"]
        engine.free.set()
        rig.end()
        assert await rig.code() is ExitCode.DONE
        errors = [event for event in rig.events if event["event"] == "error"]
        assert [error["ref"] for error in errors] == [f"ref {text}" for text in texts]
        assert {error["code"] for error in errors} == {"cannot-save"}


async def test_an_answer_does_not_overtake_what_is_still_on_its_way() -> None:
    engine = SlowEngine()
    async with Rig(engine) as rig:
        rig.type(send("first"), {"cmd": "send", "text": "second", "conversation": "no", "ref": "nobody"})
        await engine.until_begun(2)
        rig.type(b"not a command", send("third"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert [event["event"] for event in rig.events][-1] == "secure"
        engine.free.set()
        rig.end()
        await rig.code()
        answers = [event for event in rig.events if event["event"] in {"queued", "error"}]
        assert [(one["event"], one.get("ref")) for one in answers] == [
            ("queued", "ref first"),
            ("error", "nobody"),
            ("error", None),
            ("queued", "ref third"),
        ]


@pytest.mark.parametrize("plain", [False, True])
async def test_a_command_waits_for_the_texts_before_it(plain: bool) -> None:
    engine = SlowEngine()
    async with Rig(engine, plain=plain) as rig:
        history: Any = "/history" if plain else {"cmd": "history", "conversation": CONVERSATION}
        rig.type("hi" if plain else send("hi"), history, "more" if plain else send("more"))
        await engine.until_begun(1)
        assert (engine.begun, [one for one in engine.asked if one[0] == "history"]) == (["hi"], [])
        engine.free.set()
        await engine.asked_for("history")
        assert engine.answered >= 1
        await engine.until_begun(2)
        assert [one[0] for one in engine.asked if one[0] in {"send", "history"}][:2] == ["send", "history"]


async def test_so_many_lines_at_most_are_on_their_way() -> None:
    engine, count = SlowEngine(), _MOST_LINES + 100
    async with Rig(engine) as rig:
        rig.type(*(send(str(number)) for number in range(count)))
        await engine.until_begun(_MOST_LINES)
        assert len(engine.begun) == _MOST_LINES
        engine.free.set()
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert engine.sent == [str(number) for number in range(count)]


async def test_so_many_bytes_at_most_are_on_their_way() -> None:
    size, engine = 32_000, SlowEngine()
    most = _MOST_BYTES // size + 1
    texts = [str(number).ljust(size, "x") for number in range(most + 10)]
    async with Rig(engine, plain=True) as rig:
        typing = asyncio.create_task(asyncio.to_thread(rig.type, *texts))
        await engine.until_begun(most)
        assert len(engine.begun) == most
        engine.free.set()
        await typing
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert engine.sent == texts


async def test_a_signal_ends_it_while_texts_are_on_their_way() -> None:
    engine = SlowEngine()
    async with Rig(engine) as rig:
        rig.type(send("hi"))
        await engine.until_begun(1)
        rig.interrupt()
        assert await rig.code() is ExitCode.INTERRUPTED
    assert engine.sent == []
