"""A signal ends the program orderly: the other side hears a goodbye, the terminal is as it was."""

import signal

import pytest
from terminal_desk import BOB, Desk
from terminal_programs import address_of
from terminal_screen import CTRL_C, is_restored

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
INTERRUPTED = 130


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
async def test_the_screen(desk: Desk, number: signal.Signals) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    guest = desk.terminal("--profile", BOB, "join", address_of(await host.see("listening")))
    await guest.wait_for("alice is here", "◆ PINNED")
    await host.see("secure")
    guest.signal(number)
    assert await host.see("closed", reason="goodbye", by="peer")
    assert await guest.wait_exit() == INTERRUPTED
    assert is_restored(guest.raw)
    assert b"Traceback" not in guest.raw


@pytest.mark.parametrize(
    ("face", "number"),
    [("--json", signal.SIGTERM), ("--json", signal.SIGHUP), ("--plain", signal.SIGINT)],
    ids=["json-SIGTERM", "json-SIGHUP", "plain-SIGINT"],
)
async def test_the_other_faces(desk: Desk, face: str, number: signal.Signals) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    guest = desk.piped("--profile", BOB, "join", address_of(await host.see("listening")), face)
    await host.see("secure")
    guest.signal(number)
    assert await host.see("closed", reason="goodbye", by="peer")
    assert await guest.wait_exit() == INTERRUPTED
    assert guest.err == ""


async def test_a_window_that_is_closed(desk: Desk) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    guest = desk.terminal("--profile", BOB, "join", address_of(await host.see("listening")))
    await guest.wait_for("alice is here", "◆ PINNED")
    await host.see("secure")
    guest.close_window()
    assert await host.see("closed", reason="goodbye", by="peer")


async def test_ctrl_c_twice_leaves_and_once_does_not(desk: Desk) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    guest = desk.terminal("--profile", BOB, "join", address_of(await host.see("listening")))
    await guest.wait_for("alice is here", "◆ PINNED")
    await guest.send("a draft")
    await guest.wait_for("a draft")
    await guest.send(CTRL_C)
    await guest.wait_for("Draft cleared; Up brings it back.")
    await guest.wait_gone("a draft")
    await guest.send(b"\x1b[A")
    await guest.wait_for("a draft")
    await guest.send(CTRL_C, CTRL_C)
    assert await guest.wait_exit() == 0
    assert await host.see("closed", reason="goodbye", by="peer")
    assert is_restored(guest.raw)
    assert not [event for event in host.events if event["event"] == "message"]
