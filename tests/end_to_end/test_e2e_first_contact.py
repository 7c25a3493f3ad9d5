"""Two people at two keyboards: the first contact, a conversation, the second contact."""

import re
import stat
from pathlib import Path

from terminal_desk import Desk
from terminal_programs import contacts_of, profile_folder
from terminal_screen import ENTER, ESCAPE, F1, F2, F3, F4, Terminal, is_restored
from terminal_walks import HOST, address_of, make_identity

FINGERPRINT = r"SHA256:[A-Za-z0-9+/]{43}"


async def shown_keys(terminal: Terminal) -> tuple[str, str]:
    """Open F3 and return the two fingerprints in full, one's own first."""
    await terminal.send(F3)
    await terminal.wait_for("Is it really them?", lambda one: len(re.findall(FINGERPRINT, one.text)) == 2)
    own, theirs = re.findall(FINGERPRINT, terminal.text)
    await terminal.send(ESCAPE)
    await terminal.wait_gone("Is it really them?")
    return own, theirs


async def exchange(sender: Terminal, receiver: Terminal, text: str) -> None:
    """Send a message and see it stored on the other side."""
    await sender.enter(text)
    await receiver.wait_for(text)
    await sender.wait_for(lambda terminal: "✓✓" in terminal.row(text))


def assert_private(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("index.db", "identity.pem", "config.toml", "lock"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


async def test_from_a_fresh_machine_to_the_second_contact(empty_desk: Desk) -> None:
    host = empty_desk.terminal(*HOST, size=(120, 36))
    await make_identity(host, "Alice")
    address = await address_of(host)
    join = ("--profile", "bob", "join", address)
    guest = empty_desk.terminal(*join, size=(80, 24))
    await make_identity(guest, "Bob")

    await guest.wait_for("Alice (SHA256:", "NEW", "Secure: ")
    await host.wait_for("Bob (SHA256:", "◇ NEW", "connected", "Secure: ")
    alice, bob = await shown_keys(host)
    assert await shown_keys(guest) == (bob, alice)
    assert host.find(r"(SHA256:\S{8})…") == bob[:15]
    assert alice[7:15] in guest.row("NEW")

    await exchange(guest, host, "hello from Bob")
    await exchange(host, guest, "and hello from Alice")
    await host.wait_for(
        "LAST MESSAGE", "✓ intact", "✓ in order #1", "✓ fresh", "✓ signed", "sent 1 · received 1"
    )
    await guest.wait_for("✓ all checks")
    await see_the_other_screens(host, guest)

    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
    await host.wait_for("Bob has said goodbye.")
    for profile, other in (("default", bob), ("bob", alice)):
        folder = profile_folder(empty_desk.home, profile)
        assert_private(folder)
        assert other in [str(contact.fingerprint) for contact in contacts_of(empty_desk.home, profile)]

    again = empty_desk.terminal(*join)
    await again.wait_for("◆ PINNED", "Secure: ")
    await host.wait_for("◆ PINNED", "known since")
    await exchange(again, host, "here I am once more")
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    await again.wait_for("Alice has said goodbye.")
    await again.enter("/quit")
    assert await again.wait_exit() == 0
    assert all(is_restored(terminal.raw) for terminal in (host, guest, again))


async def see_the_other_screens(host: Terminal, guest: Terminal) -> None:
    """F4, F1 and F2, and back with Esc, with half a message in the composer all the while."""
    await guest.send("half a mess")
    await guest.wait_for("half a mess")
    for key, words in ((F4, "by its author, on the record"), (F1, "keys and commands"), (F2, "LAST MESSAGE")):
        await guest.send(key)
        await guest.wait_for(words)
        await guest.send(ESCAPE)
        await guest.wait_gone(words)
        await guest.wait_for("half a mess")
    await guest.send("age", ENTER)
    await host.wait_for("half a message")
    await host.send(F2)
    await host.wait_gone("LAST MESSAGE")
    await host.send(F2)
    await host.wait_for("LAST MESSAGE", "✓ in order #2")
