"""Being called while the terminal has no focus, by the bell and a number, never by words."""

import pytest
from fake_engine import FakeEngine, message
from stage import Clock, in_conversation

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.preferences import Notify, Preferences
from securechat_tui.tui.attention import RESET_TITLE, Attention, title_sequence


class Terminal:
    def __init__(self, manner: Notify = "all") -> None:
        self.bells = 0
        self.written: list[str] = []
        self.clock = Clock()
        self.attention = Attention(self.ring, self.written.append, self.clock)
        self.attention.manner = manner

    def ring(self) -> None:
        self.bells += 1


class TestAttention:
    def test_nobody_is_called_who_is_there(self) -> None:
        terminal = Terminal()
        terminal.attention.messages(3)
        terminal.attention.finish()
        assert (terminal.bells, terminal.written) == (0, [])

    def test_the_title_counts_and_is_given_back(self) -> None:
        terminal = Terminal()
        terminal.attention.look_away()
        terminal.attention.messages(1)
        terminal.attention.messages(1)
        assert terminal.written[1:] == [
            "\x1b]2;(1) securechat-tui\x07",
            "\x1b]2;(2) securechat-tui\x07",
        ]
        terminal.attention.return_()
        assert terminal.written[-1] == "\x1b]2;securechat-tui\x07"
        terminal.attention.look_away()
        terminal.attention.messages(1)
        assert "(1)" in terminal.written[-1]
        terminal.attention.finish()
        assert terminal.written[-1] == RESET_TITLE
        before = len(terminal.written)
        terminal.attention.finish()
        assert len(terminal.written) == before

    def test_a_burst_rings_once(self) -> None:
        terminal = Terminal("bell")
        terminal.attention.look_away()
        for _ in range(5):
            terminal.attention.messages(10)
        assert terminal.bells == 1
        terminal.clock.now += 3.0
        terminal.attention.messages(1)
        assert (terminal.bells, terminal.written) == (2, [])

    @pytest.mark.parametrize(("manner", "bells", "titles"), [("off", 0, 0), ("title", 0, 2), ("all", 1, 2)])
    def test_manners(self, manner: Notify, bells: int, titles: int) -> None:
        terminal = Terminal(manner)
        terminal.attention.look_away()
        terminal.attention.messages(1)
        assert (terminal.bells, len(terminal.written)) == (bells, titles)

    def test_many(self) -> None:
        assert title_sequence(1000) == "\x1b]2;(99+) securechat-tui\x07"


class TestOnTheScreen:
    async def test_neither_words_nor_names_reach_the_title(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async with in_conversation() as stage:
            written: list[str] = []
            driver = stage.app._driver
            assert driver is not None
            monkeypatch.setattr(driver, "write", written.append)
            stage.app.on_app_blur()
            stage.engine.emit(message(1, "secret\x1b]2;words\x07"), message(2, "more"))
            await stage.settle()
            assert "\x1b]2;(2) securechat-tui\x07" in written
            assert not [one for one in written if "secret" in one or "bob" in one]
            stage.app.on_app_focus()
            assert written[-1] == "\x1b]2;securechat-tui\x07"
            await stage.app.on_unmount()
            assert written[-1] == RESET_TITLE

    async def test_notify_is_kept(self) -> None:
        engine = FakeEngine()
        engine.preferences = Preferences(notify="bell")
        async with in_conversation(engine=engine) as stage:
            await stage.enter("/notify")
            assert stage.shows("/notify is bell: choose one of off, bell, title, all.")
            await stage.enter("/notify loud")
            assert stage.calls("prefer") == []
            await stage.enter("/notify off")
            assert stage.calls("prefer") == [("prefer", "off", None)]
            assert stage.app.attention.manner == "off"
            assert stage.shows("nothing calls you")


class TestNick:
    async def test_the_name_changes_from_the_next_session_on(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/nick Zoë B.")
            assert stage.calls("rename") == [("rename", "Zoë B.")]
            assert stage.shows("You are Zoë B. from the next session on.")
            assert stage.app.state.name == "Zoë B."

    async def test_an_empty_one_is_refused_by_the_engine(self) -> None:
        async with in_conversation() as stage:
            stage.engine.failures["rename"] = CommandError("usage", "Type the name after it.")
            await stage.enter("/nick")
            assert stage.shows("Type the name after it.")
            assert stage.app.state.name == "ada"
