"""Invites in lines: asked for, shown, joined with, and read from where no argument shows them."""

import os
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from headless_fake_engine import INVITE, TIME, FakeEngine, peer, secure
from headless_rig import Rig

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Invite
from securechat_tui.headless import asking
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.openings import HostAt, JoinTarget, Stay


async def test_a_program_asks_for_one() -> None:
    engine = FakeEngine()
    async with Rig(engine, opening=HostAt(None, invited_only=True)) as rig:
        rig.type({"cmd": "invite", "ref": "a"}, {"cmd": "quit"})
        assert await rig.code() is ExitCode.DONE
        told = rig.event("invite")
        assert (told["invite"], told["expires"], told["time"]) == (INVITE, TIME + 600, TIME)
        assert rig.event("hosting")["invited_only"] is True
    assert ("host", None, True) in engine.asked


async def test_one_that_cannot_be_made_is_an_error() -> None:
    engine = FakeEngine(peer(), secure())
    async with Rig(engine) as rig:
        await engine.asked_for("join")
        engine.failing = CommandError("not-hosting", "Host first.")
        rig.type({"cmd": "invite", "ref": "a"})
        rig.end()
        await rig.code()
        assert rig.event("error").items() >= {"code": "not-hosting", "ref": "a"}.items()


async def test_the_plain_face_shows_it_on_a_line_of_its_own() -> None:
    engine = FakeEngine()
    async with Rig(engine, plain=True, opening=Stay()) as rig:
        rig.type("/host --invite-only", "/invite", "/quit")
        assert await rig.code() is ExitCode.DONE
        assert INVITE in rig.text.splitlines()
        assert "Nobody is answered but known contacts" in rig.text
    assert ("host", None, True) in engine.asked


async def test_it_is_joined_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine(peer(), secure())
    async with Rig(engine, plain=True, opening=Stay()) as rig:
        rig.type(f"/join {INVITE}", "/quit")
        assert await rig.code() is ExitCode.DONE
        assert INVITE not in rig.text
    assert ("join", INVITE, False) in engine.asked
    assert INVITE not in capsys.readouterr().err


@pytest.mark.parametrize("plain", [False, True])
async def test_a_spoilt_one_is_a_refusal_by_its_exit_code(plain: bool) -> None:
    engine = FakeEngine(failing=CommandError("bad-invite", "The invite has a typing error."))
    async with Rig(engine, plain=plain, opening=JoinTarget(INVITE)) as rig:
        assert await rig.code() is ExitCode.DISTRUSTED
        assert INVITE not in rig.text


def test_no_representation_shows_it() -> None:
    assert "aaaa" not in repr(Invite(time=TIME, invite=INVITE, expires=TIME))
    assert "aaaa" not in repr(JoinTarget(INVITE))


# From standard input.


def reading(data: bytes, act: Callable[[], str]) -> tuple[str, bytes]:
    """Let ``act`` read descriptor 0; return what it says and what it has left there."""
    there, here = os.pipe()
    os.write(here, data)
    os.close(here)
    saved = os.dup(0)
    os.dup2(there, 0)
    os.close(there)
    try:
        return act(), os.read(0, 4096)
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_one_line_is_read_and_the_messages_are_left() -> None:
    assert reading(f" {INVITE}\r\nhello\n".encode(), asking.read_target) == (INVITE, b"hello\n")
    assert reading(INVITE.encode(), asking.read_target) == (INVITE, b"")


def test_a_line_without_end_is_read_up_to_a_bound() -> None:
    text, left = reading(b"a" * 5000, asking.read_target)
    assert (len(text), len(left)) == (asking.MAX_TARGET_BYTES, 5000 - asking.MAX_TARGET_BYTES)


@pytest.mark.parametrize("data", [b"", b"\n", b"   \nhello\n"])
def test_no_target_is_wrong_usage(data: bytes) -> None:
    with pytest.raises(click.UsageError, match="no target"):
        reading(data, asking.read_target)


def test_where_there_is_no_input_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(click.UsageError, match="no target"):
        asking.read_target()
    with pytest.raises(click.UsageError, match="Say whom"):
        asking.ask_target(may_prompt=True)


def test_a_person_is_asked_and_a_program_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None:
            pass

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    with pytest.raises(click.UsageError, match="Say whom"):
        asking.ask_target(may_prompt=False)
    asked = reading(INVITE.encode() + b"\n", lambda: asking.ask_target(may_prompt=True))
    assert asked == (INVITE, b"")
    assert capsys.readouterr().out == ""


def test_join_reads_its_target_and_says_what_is_wrong_with_it(tmp_path: os.PathLike[str]) -> None:
    """The real program: the invite in no argument, its defect in one line, and exit code 4."""
    environment = {**os.environ, "SECURECHAT_TUI_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "securechat_tui", "join", "-", "--plain"]
    typed = INVITE.encode() + b"\nhello\n"
    done = subprocess.run(command, input=typed, capture_output=True, env=environment, timeout=60, check=False)
    assert done.returncode == ExitCode.DISTRUSTED
    assert b"typing error" in done.stderr
    assert b"aaaa" not in done.stdout + done.stderr
