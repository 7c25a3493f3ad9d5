"""Yesterday's conversation is there again, what waited is sent, and a second guest takes nothing."""

from terminal_desk import BOB, Desk
from terminal_screen import Terminal
from terminal_walks import HOST, address_of, make_identity

ALT_A = b"\x1ba"
UNDELIVERED = 6


async def leave(terminal: Terminal, code: int = 0) -> None:
    """Quit, and see with which exit code it ends."""
    await terminal.enter("/quit")
    assert await terminal.wait_exit() == code


async def test_what_was_said_is_there_after_a_restart_and_what_waited_is_sent(desk: Desk) -> None:
    host = desk.terminal(*HOST, size=(120, 36))
    address = await address_of(host)
    guest = desk.terminal("--profile", BOB, "join", address)
    await guest.wait_for("Secure: ")
    await guest.enter("the parcel is here")
    await host.wait_for("the parcel is here")
    await leave(host)
    await guest.wait_for("has said goodbye.")
    await guest.enter("written while away")
    await guest.wait_for(lambda one: "○" in one.row("written while away"))
    await leave(guest, UNDELIVERED)

    host = desk.terminal(*HOST, size=(120, 36))
    address = await address_of(host)
    guest = desk.terminal("--profile", BOB, "join", address)
    await guest.wait_for("Secure: ", "the parcel is here", "written while away")
    await guest.wait_for(lambda one: "✓✓" in one.row("written while away"))
    await host.wait_for("the parcel is here", "written while away")
    assert host.text.count("the parcel is here") == host.text.count("written while away") == 1
    await guest.enter("/search parcel")
    await guest.wait_for("Search: parcel", "1 message")
    await leave(host)


async def test_a_second_guest_waits_to_be_gone_to(desk: Desk) -> None:
    host = desk.terminal(*HOST, size=(120, 36))
    address = await address_of(host)
    bob = desk.terminal("--profile", BOB, "join", address)
    await bob.wait_for("Secure: ")
    await host.wait_for("Secure: ")
    await host.send("half a sentence")
    carol = desk.terminal("--profile", "carol", "join", address)
    await make_identity(carol, "Carol")
    await carol.wait_for("Secure: ")
    await carol.enter("it is me")
    await host.wait_for("Conversations", "Carol", "half a sentence", "Carol is here (")
    assert "it is me" not in host.text
    await host.send(ALT_A)
    await host.wait_for("it is me")
    await host.wait_gone("half a sentence")
    await host.enter("hello Carol")
    await carol.wait_for("hello Carol")
    assert "hello Carol" not in bob.text
    await leave(host)
