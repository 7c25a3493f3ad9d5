"""What a terminal is sent where it has no colours, or sixteen: the bytes of a real pty."""

import re

import pytest
from terminal_desk import BOB, Desk
from terminal_programs import address_of
from terminal_screen import ESCAPE, F1, F3, F4, Terminal

ATTRIBUTES = {0, 1, 2, 3, 4, 5, 7, 9, 22, 23, 24, 25, 27, 29}
"""Bold, dim, italic, underline, reverse and their ends: no colour."""
SIXTEEN = {*range(30, 38), 39, *range(40, 48), 49, *range(90, 98), *range(100, 108)}
"""The colours that every terminal with sixteen knows, and the one that it has by itself."""


def parameters(raw: bytes | bytearray) -> set[int]:
    """Every parameter of every SGR sequence."""
    sequences = re.findall(rb"\x1b\[([0-9;:]*)m", raw)
    return {int(one or 0) for sequence in sequences for one in re.split(rb"[;:]", sequence)}


async def look_around(terminal: Terminal) -> None:
    """Open every kind of screen, and leave."""
    for key, words in (
        (F1, "Commands"),
        (F3, "Is it really them?"),
        (F4, "by its author"),
        (b"\x10", "Clear the log"),
    ):
        await terminal.send(key)
        await terminal.wait_for(words)
        await terminal.send(ESCAPE)
        await terminal.wait_gone(words)
    await terminal.enter("/contacts")
    await terminal.wait_for("Enter joins;")
    await terminal.send(ESCAPE)
    await terminal.wait_gone("Enter joins;")
    await terminal.enter("/find hear")
    await terminal.wait_for("1 of")
    await terminal.send(ESCAPE)
    await terminal.wait_gone("1 of")
    await terminal.enter("/join")
    await terminal.wait_for("Enter joins, Esc")
    await terminal.send(ESCAPE)
    await terminal.wait_gone("Enter joins, Esc")
    await terminal.enter("/theme light")
    await terminal.enter("/quit")
    assert await terminal.wait_exit() == 0


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, ATTRIBUTES),
        ({"TERM": "xterm"}, ATTRIBUTES | SIXTEEN),
    ],
    ids=["none", "sixteen"],
)
async def test_no_other_colours_are_sent(desk: Desk, environment: dict[str, str], allowed: set[int]) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    guest = desk.terminal("--profile", BOB, "join", address, size=(80, 24), **environment)
    await host.see("secure")
    host.do(cmd="send", text="can you hear me?")
    await guest.wait_for("◆ PINNED", "● ", "can you hear me?", "✓ all checks")
    await look_around(guest)
    assert parameters(guest.raw) <= allowed
    assert 7 in parameters(guest.raw), "nothing is reversed, so a cursor cannot be seen"
    assert allowed == ATTRIBUTES or parameters(guest.raw) & {31, 32, 33, 34, 35, 36}
