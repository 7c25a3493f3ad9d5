"""identity new in the place of a key, and the contact who is asked about it, with installed programs."""

from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import contacts_of
from terminal_screen import ENTER

from securechat_tui.trust.states import Trust

RIGHT = b"\x1b[C"


async def test_a_new_key_is_signed_shown_and_accepted(desk: Desk, world: World) -> None:
    changing = desk.terminal("--profile", BOB, "identity", "new", size=(120, 24))
    await changing.wait_for("Type replace to go on:")
    await changing.send(b"replace\r")
    await changing.wait_for("has a new key", "Make a new backup")
    assert await changing.wait_exit() == 0
    host = desk.terminal("--profile", ALICE, "host", "--bind", world.address, size=(120, 36))
    await host.wait_for("Waiting", "Secret invite")
    guest = desk.piped("--profile", BOB, "join", world.address, "--json")
    await host.wait_for("NEW KEY", "bob has a new key, signed by the one you pinned on", "Enter chooses")
    assert not [event for event in guest.events if event["event"] == "secure"]
    await host.send(RIGHT, RIGHT, ENTER)
    await guest.see("secure")
    await host.wait_for("new key, signed by the old one.", "Secure: ")
    await host.enter("good to have you back")
    assert (await guest.see("message"))["text"] == "good to have you back"
    guest.do(cmd="quit")
    assert await guest.wait_exit() == 0
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    (contact,) = [one for one in contacts_of(world.home, ALICE) if one.name == "bob"]
    assert (contact.trust, len(contact.former)) == (Trust.PINNED, 1)
