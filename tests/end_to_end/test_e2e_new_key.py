"""Verify the new key, from the alarm on the screen to the first message, between two installed programs."""

from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import contacts_of, replace_identity
from terminal_screen import ENTER, ESCAPE, F3

from securechat_tui.trust.states import Trust

RIGHT = b"\x1b[C"
TAB = b"\t"


async def test_from_the_alarm_to_the_first_message(desk: Desk, world: World) -> None:
    replace_identity(world.home, ALICE, "eve")
    host = desk.piped("--profile", ALICE, "host", "--bind", world.address, "--json")
    await host.see("hosting")
    guest = desk.terminal("--profile", BOB, "join", world.address, size=(120, 36))
    await guest.wait_for("KEY CHANGED", "Verify the new key", "Enter chooses")
    await guest.send(RIGHT, ENTER)
    await guest.wait_for("is here to be compared", "✖ CHANGED", "read only, draft kept")
    await host.see("peer", trust="pinned")
    host.do(cmd="verify")
    await guest.wait_for("would like to compare codes")
    await guest.send(F3)
    await guest.wait_for("The words match", "Compare codes")
    await guest.send(TAB, ENTER)
    code = await host.see("code")
    await guest.wait_for("as digits: ", "The words match")
    assert guest.find(r"as digits: ([\d ]+\d)").replace(" ", "") == code["digits"]
    assert not [event for event in host.events if event["event"] == "secure"]
    await guest.send(TAB, ENTER)
    await host.see("secure")
    await guest.wait_for("✔ VERIFIED")
    await guest.send(ESCAPE)
    await guest.wait_gone("Is it really them?")
    await guest.wait_for("Secure: ")
    await guest.enter("it is you")
    assert (await host.see("message"))["text"] == "it is you"
    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
    (contact,) = contacts_of(world.home, BOB)
    assert (contact.name, contact.trust, len(contact.former)) == ("alice", Trust.VERIFIED, 1)
    assert contact.history[-1].how == "codes compared: the same"
