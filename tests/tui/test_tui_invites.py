"""The invite on the screen: shown, counted down, copied, taken as a target, and kept in no history."""

import re

import pytest
import segno
from fake_engine import INVITE, NOON, FakeEngine, peer
from stage import Stage, in_conversation, on_stage
from textual.events import Paste

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Trust
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.invites import Invite
from securechat_tui.tui.opening import HostAt, JoinTarget
from securechat_tui.tui.qr import qr_code
from securechat_tui.tui.screens.invite import InviteScreen
from securechat_tui.tui.state import EXIT_TRUST
from securechat_tui.tui.widgets.waiting import WaitingCard
from securechat_tui.tui.wording import remaining_words

HOST = HostAt("0.0.0.0:8000")


def joined(text: str) -> str:
    """The screen without line breaks and the frames around lines."""
    return re.sub(r"[\s│]", "", text)


def at(stage: Stage, seconds: float) -> None:
    """Let so many seconds have gone by on the wall."""
    stage.app.state.wall_clock = lambda: NOON + seconds


class TestWaiting:
    @pytest.mark.parametrize("size", [(120, 36), (80, 24), (50, 20)], ids=str)
    async def test_the_card_shows_it_whole(self, size: tuple[int, int]) -> None:
        async with on_stage(HOST, size=size) as stage:
            at(stage, 0)
            stage.app.chat.refresh_state()
            await stage.settle()
            assert INVITE in joined(stage.text())
            assert stage.shows("one person, for 10:00")
            assert stage.app.chat.composer.region.bottom <= size[1] - 1
            assert stage.shows("message, or /")

    async def test_it_is_counted_down_and_over(self) -> None:
        async with on_stage(HOST) as stage:
            card = stage.app.chat.query_one(WaitingCard)
            at(stage, 59.5)
            card._count_down()
            await stage.settle()
            assert stage.shows("for 9:01")
            at(stage, 600)
            card._count_down()
            await stage.settle()
            assert not stage.shows("one person")
            assert stage.shows("/invite makes an invite")

    async def test_after_a_guest_has_come_it_is_not_shown_again(self) -> None:
        async with on_stage(HOST) as stage:
            at(stage, 0)
            stage.engine.emit_peer(trust=Trust.INVITED)
            await stage.settle()
            assert stage.shows("authenticated at the first contact by an invite")
            assert stage.app.state.invite is None
            await stage.enter("/leave")
            assert stage.shows("/invite makes an invite")

    async def test_for_invited_guests_alone(self) -> None:
        async with on_stage(HostAt(None, invited_only=True)) as stage:
            at(stage, 0)
            assert stage.calls("host") == [("host", None, True)]
            stage.app.chat.refresh_state()
            await stage.settle()
            assert stage.shows("invited guests and contacts only")
            assert not stage.shows("Without an invite")


class TestScreen:
    async def test_the_command_shows_it_with_its_code(self) -> None:
        async with on_stage(HOST, size=(80, 24)) as stage:
            at(stage, 1)
            await stage.enter("/invite")
            assert isinstance(stage.app.screen, InviteScreen)
            assert joined(stage.text()).startswith(INVITE)
            assert stage.shows("for 9:59")
            drawn = qr_code(INVITE.upper()).plain.split("\n")
            assert all(stage.shows(line.rstrip()) for line in drawn[1:-1])
            at(stage, 600)
            stage.app.screen._count_down()
            await stage.settle()
            assert stage.shows("This invite is over")
            await stage.press("escape")
            assert not isinstance(stage.app.screen, InviteScreen)

    async def test_where_the_code_does_not_fit_it_says_so(self) -> None:
        async with on_stage(HOST, size=(50, 20)) as stage:
            await stage.enter("/invite")
            assert stage.shows("The QR code needs a window of 61 × 24.")
            assert INVITE in joined(stage.text())
            assert "▀" not in stage.text()
            await stage.pilot.resize_terminal(80, 24)
            await stage.until(lambda: "▀" in stage.text())

    async def test_a_selection_takes_it_whole(self) -> None:
        async with on_stage(HOST, size=(50, 20)) as stage:
            await stage.enter("/invite")
            stage.app.screen.query_one("#invite-text").text_select_all()
            assert stage.app.screen.get_selected_text() == INVITE

    async def test_it_is_copied_on_request(self) -> None:
        async with on_stage(HOST) as stage:
            await stage.enter("/invite")
            assert stage.app.clipboard != INVITE
            await stage.press("c")
            assert stage.app.clipboard == INVITE
            assert stage.shows("OSC 52")

    async def test_a_guest_who_comes_takes_it_away(self) -> None:
        async with on_stage(HOST) as stage:
            await stage.enter("/invite")
            stage.engine.emit(peer(trust=Trust.INVITED))
            await stage.settle()
            assert not isinstance(stage.app.screen, InviteScreen)

    async def test_where_none_can_be_made_it_says_why(self) -> None:
        engine = FakeEngine()
        engine.failures["invite"] = CommandError("not-hosting", "Host first.")
        async with on_stage(JoinTarget("bob"), engine=engine) as stage:
            await stage.enter("/invite")
            assert stage.shows("Host first.")
            stage.engine.emit_hosting("192.168.1.10:8000")
            await stage.settle()
            assert not isinstance(stage.app.screen, InviteScreen)


class TestJoining:
    async def test_the_form_takes_it(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/join")
            await stage.press(*INVITE, "enter")
            assert stage.calls("join")[-1] == ("join", INVITE, False)

    async def test_the_form_takes_it_in_pieces(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/join")
            stage.app.screen.query_one("#target").post_message(Paste(f"{INVITE[:50]}\n{INVITE[50:]}\n"))
            await stage.press("enter")
            assert stage.calls("join")[-1] == ("join", INVITE, False)

    async def test_a_spoilt_one_sets_the_exit_code(self) -> None:
        engine = FakeEngine()
        engine.failures["join"] = CommandError("bad-invite", "The invite has a typing error.")
        async with on_stage(JoinTarget(INVITE), engine=engine) as stage:
            assert stage.shows("typing error")
            assert stage.app.state.exit_code == EXIT_TRUST

    async def test_it_is_in_no_history(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("hello")
            await stage.enter(f"/join {INVITE}")
            assert stage.calls("join")[-1] == ("join", INVITE, False)
            await stage.press("up")
            assert stage.app.chat.composer.text == "hello"
            stage.app.chat.composer.put(f"/JOIN {INVITE.upper()}")
            assert stage.app.chat.composer.clear_draft()
            await stage.press("up")
            assert stage.app.chat.composer.text == "hello"


class TestCode:
    def test_the_cells_are_the_modules(self) -> None:
        """Read back from the half blocks, it is what the library makes of the same capitals."""
        lines = qr_code(INVITE.upper()).plain.split("\n")
        halves = {"█": (0, 0), "▀": (0, 1), "▄": (1, 0), " ": (1, 1)}
        rows = [[halves[cell][half] for cell in line] for line in lines for half in (0, 1)]
        side = len(rows[0])
        start, _, data = INVITE.upper().partition("#")
        code = segno.make(["".join(start), "#", data], error="l", boost_error=False)  # type: ignore[arg-type] # as in qr.py
        assert rows[:side] == [list(map(int, row)) for row in code.matrix_iter(border=2)]
        assert all(not any(row) for row in rows[side:])

    def test_one_with_three_addresses_fits_the_usual_window(self) -> None:
        invite = Invite.make(
            ("192.168.100.200", "10.0.0.1", "172.16.0.1"), 65535, Fingerprint(bytes(32)), NOON
        )
        text = invite.encode()
        lines = qr_code(text.upper()).plain.split("\n")
        assert len(lines) + -(-len(text) // 80) <= 24
        assert len(lines[0]) == 41


@pytest.mark.parametrize(
    ("seconds", "words"), [(600, "10:00"), (599.2, "10:00"), (59, "0:59"), (0.1, "0:01"), (0, "0:00")]
)
def test_the_time_left(seconds: float, words: str) -> None:
    assert remaining_words(seconds) == words
