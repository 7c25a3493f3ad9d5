"""Waiting for a guest, ending that without leaving, and the line of keys below."""

import pytest
from fake_engine import FakeEngine
from stage import in_conversation, on_stage

from securechat_tui.chat.events import Notice
from securechat_tui.tui.opening import HostAt
from securechat_tui.tui.state import Link

NOON = 1_795_262_400.0


class TestHosting:
    async def test_the_card_says_what_cannot_be_known(self) -> None:
        async with on_stage(HostAt("0.0.0.0:8000"), size=(80, 24)) as stage:
            assert stage.shows("securechat-tui join 192.168.1.10:8000")
            assert stage.shows("router or firewall")
            assert stage.shows("/host stop")

    async def test_where_only_this_machine_reaches_it_no_router_is_blamed(self) -> None:
        class Loopback(FakeEngine):
            async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
                self._note("host", bind)
                self.emit_hosting("127.0.0.1:8000", "[::1]:8000")

        async with on_stage(HostAt("127.0.0.1:8000"), engine=Loopback()) as stage:
            assert stage.shows("only programs on this machine")
            assert stage.shows("securechat-tui join 192.168.1.10:8000")  # where it listens
            assert not stage.shows("router")

    async def test_addresses_of_this_machine_alone_are_not_for_the_other_person(self) -> None:
        class Both(FakeEngine):
            async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
                self._note("host", bind)
                self.emit_hosting("192.168.1.10:8000", "127.0.0.1:8000", "[::1]:8000")

        async with on_stage(HostAt("0.0.0.0:8000"), engine=Both()) as stage:
            assert stage.shows("Without an invite they type:")
            assert stage.shows("join 192.168.1.10:8000")
            assert not stage.shows("127.0.0.1")
            assert not stage.shows("::1")

    async def test_stop(self) -> None:
        async with on_stage(HostAt("0.0.0.0:8000")) as stage:
            await stage.enter("/host stop")
            assert stage.calls("stop_hosting") == [("stop_hosting",)]
            assert stage.shows("No longer waiting for guests.")
            assert not stage.shows("Waiting for a guest")
            assert stage.app.state.link is Link.IDLE
            assert stage.app.is_running
            await stage.enter("/host")
            assert len(stage.calls("host")) == 2

    async def test_stopping_what_does_not_go_on(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/host stop")
            assert stage.calls("stop_hosting") == []
            assert stage.shows("You are not hosting")


class TestFooter:
    @pytest.mark.parametrize("width", [34, 40, 50, 60, 80, 120])
    async def test_it_cuts_no_word(self, width: int) -> None:
        async with in_conversation(size=(width, 20)) as stage:
            line = stage.text().splitlines()[-1].strip()
            whole = "F1 /help F2 /sidebar F3 /verify F4 /details ^F /find ^P Palette"
            assert whole.startswith(line)
            assert whole.removeprefix(line)[:1] in {"", " "}
            assert line.split()[-1].startswith("/") or line == whole

    async def test_it_takes_in_again_what_fits_again(self) -> None:
        async with in_conversation(size=(50, 20)) as stage:
            assert not stage.shows("Palette")
            await stage.pilot.resize_terminal(120, 20)
            await stage.until(lambda: stage.shows("^P Palette"))
            await stage.pilot.resize_terminal(40, 20)
            await stage.until(lambda: not stage.shows("/details"))


async def test_notices_below_are_announced_too() -> None:
    async with in_conversation(size=(80, 24)) as stage:
        stage.engine.emit(*(Notice(time=NOON, message=f"line {number}") for number in range(60)))
        await stage.settle()
        await stage.press("pageup")
        stage.engine.emit(Notice(time=NOON, message="one"), Notice(time=NOON, message="two"))
        await stage.settle()
        assert stage.shows("↓ 2 new below (Ctrl+End)")
