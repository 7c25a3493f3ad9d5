"""Two installed programs compare codes: the same pictures on both screens, and what follows."""

from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import contacts_of
from terminal_screen import ENTER, ESCAPE, F3, Terminal

from securechat_tui.trust.states import Trust

HOST = ("host", "--bind", "127.0.0.1:0")
TAB = b"\t"
PANEL = slice(20, 98)
"""The columns within the panel's frame, at 120."""


async def compared(terminal: Terminal) -> tuple[list[str], str, list[str]]:
    """Read the names of the pictures, the digits and the words from the screen."""
    await terminal.wait_for("as digits: ", "twelve words on both sides", "The words match")
    lines = [line[PANEL] for line in terminal.text.splitlines()]
    row = next(number for number, line in enumerate(lines) if "as digits" in line)
    names = lines[row - 2].split()
    digits = terminal.find(r"as digits: ([\d ]+\d)")
    row = next(number for number, line in enumerate(lines) if "twelve words" in line)
    words = " ".join(lines[row + 1 : row + 3]).split()
    return names, digits, words


async def test_both_see_the_same_and_keep_it(desk: Desk, world: World) -> None:
    host = desk.terminal("--profile", ALICE, *HOST, size=(120, 36))
    await host.wait_for("Waiting", "securechat-tui join 127.0.0.1:")
    guest = desk.terminal("--profile", BOB, "join", host.find(r"join (127\.0\.0\.1:\d+)"), size=(120, 36))
    await guest.wait_for("Secure: ")
    await host.wait_for("Secure: ")
    await host.send(F3)
    await host.wait_for("The words match", "Compare codes")
    await host.send(TAB, ENTER)
    await guest.wait_for("would like to compare codes")
    await guest.send(F3)
    await guest.wait_for("The words match", "Compare codes")
    await guest.send(TAB, ENTER)
    seen = await compared(host)
    assert await compared(guest) == seen
    names, digits, words = seen
    assert (len(names), len(digits.replace(" ", "")), len(words)) == (7, 13, 12)
    for terminal in (host, guest):
        await terminal.send(TAB, ENTER)
        await terminal.wait_for("✔ VERIFIED")
        await terminal.send(ESCAPE)
        await terminal.wait_for("✔ VERIFIED: codes compared: the same.")
    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    for profile in (ALICE, BOB):
        (contact,) = contacts_of(world.home, profile)
        assert contact.trust is Trust.VERIFIED
        assert contact.history[-1].how == "codes compared: the same"
