"""Two installed programs and an invite: pasted at a prompt, and handed from program to program."""

from pathlib import Path

from passphrases import traces
from terminal_desk import Desk
from terminal_programs import contacts_of, settle
from terminal_screen import ESCAPE, Terminal, paste

HOST = ("host", "--bind", "127.0.0.1:0")


async def shown_invite(terminal: Terminal) -> str:
    """Open the invite's screen, and take from it what a selection of its first lines would be."""
    await terminal.enter("/invite")
    await terminal.wait_for("Good for one guest", "▀▀▀")
    first, second, *_ = terminal.text.splitlines()
    return first.strip() + second.strip()


def history(home: Path, profile: str) -> list[tuple[str, str]]:
    (contact,) = contacts_of(home, profile)
    return [(one.after, one.how) for one in contact.history]


async def test_an_invite_is_pasted_and_both_are_invited(empty_desk: Desk) -> None:
    settle(empty_desk.home, "default", called="Alice")
    settle(empty_desk.home, "bob", called="Bob")
    host = empty_desk.terminal(*HOST, size=(80, 24))
    await host.wait_for("Waiting", "Secret invite")
    invite = await shown_invite(host)
    await host.send("c")
    await host.wait_for("OSC 52")

    guest = empty_desk.terminal("--profile", "bob", "join")
    await guest.wait_for("Whom to join")
    await guest.send(invite + "\n")
    await guest.wait_for("Alice is here", "INVITED", "Secure: ")
    await host.wait_for("Bob is here", "INVITED", "Secure: ")
    await guest.enter("hello")
    await host.wait_for("hello")

    await host.enter("/quit")
    assert await host.wait_exit() == 0
    await guest.wait_for("has said goodbye")
    await guest.send(f"/join {invite[:-9]}", "\r")
    await guest.wait_for("typing error")
    await guest.enter("/quit")
    await guest.wait_exit()
    for profile in ("default", "bob"):
        assert history(empty_desk.home, profile) == [("invited", "authenticated by invite")]
    shown = empty_desk.piped("--profile", "bob", "contacts", "show", "Alice")
    assert await shown.wait_exit() == 0
    assert "new -> invited, authenticated by invite" in shown.out


async def test_the_screen_takes_a_pasted_invite(empty_desk: Desk) -> None:
    """From the start screen's form, with a line break that crept in on its way."""
    settle(empty_desk.home, "default", called="Alice")
    settle(empty_desk.home, "bob", called="Bob")
    host = empty_desk.piped(*HOST, "--json", "--invite-only")
    invite = str((await host.see("invite"))["invite"])
    guest = empty_desk.terminal("--profile", "bob")
    await guest.wait_for("Try it alone")
    await guest.send(ESCAPE)
    await guest.wait_for("message, or /")
    await guest.send(paste(f"/join {invite[:60]}\n{invite[60:]}"), "\r")
    assert (await host.see("peer"))["trust"] == "invited"
    await guest.wait_for("Alice is here", "INVITED")


async def test_programs_hand_it_on_and_everybody_else_is_closed_out(empty_desk: Desk) -> None:
    for name in ("alice", "bob", "carol"):
        settle(empty_desk.home, name)
    host = empty_desk.piped("--profile", "alice", *HOST, "--json", "--invite-only")
    port = (await host.see("listening"))["port"]
    told = await host.see("invite")
    invite = str(told["invite"])
    assert 590 < told["expires"] - told["time"] <= 600

    stranger = empty_desk.piped("--profile", "carol", "join", f"127.0.0.1:{port}", "--json")
    assert (await stranger.see("refused"))["reason"] == "handshake"
    assert await stranger.wait_exit() == 3

    guest = empty_desk.piped("--profile", "bob", "join", "-", "--json")
    guest.type(invite)
    assert (await guest.see("peer"))["trust"] == "invited"
    assert (await host.see("peer"))["trust"] == "invited"
    await guest.see("secure")
    guest.do(cmd="quit")
    assert await guest.wait_exit() == 0
    await host.see("closed")

    late = empty_desk.piped("--profile", "carol", "join", invite, "--json")
    refused = await late.see("refused")
    assert refused["reason"] == "invite"
    assert "ask for a new one" in refused["message"]
    assert await late.wait_exit() == 4
    host.do(cmd="invite")
    assert (await host.see("invite"))["invite"] != invite
    host.do(cmd="quit")
    assert await host.wait_exit() == 0
    secret = invite.partition("#")[2]
    assert secret not in late.out + late.err + guest.out + guest.err
    assert traces(empty_desk.home, secret) == []
