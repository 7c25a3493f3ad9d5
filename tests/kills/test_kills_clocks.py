"""Two programs whose clocks are ten years apart talk, renew their keys and come back as any others."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hooked_program import Hooks
from terminal_programs import Piped, address_of, environment, settle

from securechat_tui.headless.exit_codes import ExitCode

TEN_YEARS = 10 * 365.25 * 86400
HOUR = 3600.0
REKEY_SECONDS = 1.5
"""A peer that renews its keys more often than once a second breaks a rule."""
OFFSETS = pytest.mark.parametrize("offset", [TEN_YEARS, -TEN_YEARS], ids=["ahead", "behind"])


class Room:
    """Starts programs, each with a clock of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._started: list[Piped] = []
        self.address = "127.0.0.1:0"

    def start(self, name: str, *words: str, clock: float) -> Piped:
        hooks = Hooks(clock=clock, rekey=REKEY_SECONDS)
        command = ["--profile", name, *words, "--json"]
        self._started.append(Piped(command, environment(self._home), hooks.command()))
        return self._started[-1]

    async def meet(self, host_clock: float, guest_clock: float) -> tuple[Piped, Piped]:
        """Let alice host and bob join."""
        host = self.start("alice", "host", "--bind", self.address, clock=host_clock)
        self.address = address_of(await host.see("listening"))
        guest = self.start("bob", "join", self.address, clock=guest_clock)
        await guest.see("secure")
        await host.see("secure")
        return host, guest

    def close(self) -> None:
        for one in self._started:
            one.close()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    for name in ("alice", "bob"):
        settle(tmp_path, name)
    room = Room(tmp_path)
    yield room
    room.close()


async def says(speaker: Piped, listener: Piped, text: str) -> None:
    """Let one say something now; the other sees that it is new."""
    speaker.do(cmd="send", text=text)
    message = await listener.see("message", text=text)
    assert not message["late"]
    assert message["checks"]["fresh"]
    assert abs(message["age"]) < 60
    assert abs(message["claimed"] - speaker.events[-1]["time"]) < 60, "by the clock of who has written it"


@OFFSETS
@pytest.mark.parametrize("whose", ["host", "guest"])
async def test_ten_years_make_no_difference(room: Room, whose: str, offset: float) -> None:
    clocks = (offset, 0.0) if whose == "host" else (0.0, offset)
    host, guest = await room.meet(*clocks)
    await says(guest, host, "from bob")
    await says(host, guest, "from alice")
    for one in (host, guest):
        await one.see("rekeyed")
    await says(guest, host, "under new keys")
    host.signal(signal.SIGKILL)
    await guest.see("closed")
    guest.do(cmd="send", text="written an hour before")
    await guest.see("queued")
    guest.signal(signal.SIGKILL)
    await guest.wait_exit()
    host, guest = await room.meet(*(clock + HOUR for clock in clocks))
    message = await host.see("message")
    assert (message["text"], message["late"]) == ("written an hour before", True)
    assert abs(message["age"] - HOUR) < 60
    await says(guest, host, "written now")
    await says(host, guest, "here too")


@OFFSETS
async def test_an_invite_says_which_clocks_differ(room: Room, offset: float) -> None:
    host = room.start("alice", "host", "--bind", "127.0.0.1:0", clock=offset)
    invite = (await host.see("invite"))["invite"]
    guest = room.start("bob", "join", invite, clock=0.0)
    if offset > 0:  # it has ten years and ten minutes by the guest's clock; the host's decides
        assert (await guest.see("peer"))["trust"] == "invited"
        return
    error = await guest.see("error")
    assert error["code"] == "bad-invite"
    assert "expired at" in error["message"]
    assert "the clock here says" in error["message"]
    assert await guest.wait_exit() == ExitCode.DISTRUSTED
