import asyncio
import stat
from pathlib import Path

import pytest
from headless_fake_engine import message

from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import Checks, Closed, Event, Message, Peer, Refused, Secure, Trust
from securechat_tui.chat.practice import PracticeThread, Tutor, is_farewell
from securechat_tui.headless import demo
from securechat_tui.headless.exit_codes import ExitCode


def test_the_tutor_shows_that_it_has_read() -> None:
    tutor = Tutor()
    assert "practice peer" in tutor.greet()
    answer = tutor.answer(message("what a lovely day", 3))
    assert "“what a lovely day”" in answer
    assert "#3" in answer
    assert "signed by you" in answer
    unsigned = Checks(intact=True, in_order=True, fresh=True, signed=False)
    assert "not signed" in tutor.answer(message("as you like", checks=unsigned))
    assert "“" + "x" * 40 + "…”" in tutor.answer(message("x" * 100))
    assert "“one”" in tutor.answer(message("one\ntwo"))


def test_the_tutor_teaches_one_thing_at_a_time() -> None:
    tutor = Tutor()
    answers = [tutor.answer(message("go on")) for _ in range(8)]
    for answer, word in zip(answers, ("ticks", "F3", "F4", "/alarm"), strict=False):
        assert word in answer
    assert len(set(answers)) == 6


def test_the_tutor_greets_somebody_who_comes_back_otherwise() -> None:
    tutor = Tutor()
    assert tutor.greet() != tutor.greet()


@pytest.mark.parametrize("text", ["bye", "Goodbye!", " good bye. \n"])
def test_a_farewell(text: str) -> None:
    assert is_farewell(text)
    assert "Goodbye" in Tutor().answer(message(text))


@pytest.mark.parametrize("text", ["bye for now, but tell me", "", "good"])
def test_no_farewell(text: str) -> None:
    assert not is_farewell(text)


class Visitor:
    """The person's side: reads the events of the practice's own engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._events = engine.events()

    async def see(self, kind: type[Event]) -> Event:
        async with asyncio.timeout(60):
            while not isinstance(event := await anext(self._events), kind):
                pass
        return event

    async def read(self) -> str:
        event = await self.see(Message)
        assert isinstance(event, Message)
        return event.text


async def visit(practice: PracticeThread) -> None:
    async with practice.engine as engine:
        visitor = Visitor(engine)
        await engine.join(practice.address)
        assert "practice peer" in await visitor.read()
        await engine.send("hello robin")
        assert "“hello robin”" in await visitor.read()

        await engine.leave()
        await visitor.see(Closed)
        await practice.alarm()
        await engine.join(practice.address)
        refused = await visitor.see(Refused)
        assert isinstance(refused, Refused)
        assert refused.reason == "key-changed"
        assert refused.contact == "robin"
        assert refused.expected != refused.offered
        assert engine.conversations == ()

        await practice.restore()
        await engine.join(practice.address)
        peer = await visitor.see(Peer)
        assert isinstance(peer, Peer)
        assert (peer.trust, peer.fingerprint) == (Trust.PINNED, refused.expected)
        await visitor.see(Secure)
        assert "me again" in await visitor.read()
        await engine.send("Bye!")
        assert "Goodbye" in await visitor.read()
        closed = await visitor.see(Closed)
        assert isinstance(closed, Closed)
        assert (closed.reason, closed.by) == ("goodbye", "peer")


def test_the_practice_peer_beside_another_loop() -> None:
    with PracticeThread("Visitor") as practice:
        folder = Path(practice._folder.name)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        asyncio.run(visit(practice))
    assert not folder.exists()
    assert not practice._thread.is_alive()


def test_a_practice_that_cannot_begin_leaves_nothing() -> None:
    practice = PracticeThread("Visitor")
    folder = Path(practice._folder.name)
    (folder / "demo").write_text("in the way")
    with pytest.raises(Exception, match="demo"):
        practice.__enter__()
    assert not folder.exists()
    assert not practice._thread.is_alive()


def test_a_demo_that_goes_wrong_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def spoil(*_: object) -> None:
        raise demo.Spoiled

    monkeypatch.setattr(demo, "_play", spoil)
    assert demo.run_demo() is ExitCode.FAILED
    assert capsys.readouterr().err.count("\n") == 1
