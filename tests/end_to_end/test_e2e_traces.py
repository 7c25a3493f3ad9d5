"""What is said, and what opens the key, is in no file, argument or variable, while it runs and afterwards."""

import signal
from pathlib import Path

import pytest
from passphrases import CANARY, protect, traces
from protocol_peers import identity_key
from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import profile_folder
from terminal_screen import ENTER

SAID = ("nachtigall-Ölfarbe", "zaunkoenig-Ähre")


def told_by_the_system(pid: int) -> bytes:
    """What everybody can see of a program; nothing where the system has no /proc."""
    places = [Path(f"/proc/{pid}/{name}") for name in ("cmdline", "environ")]
    return b"".join(place.read_bytes() for place in places if place.exists())


async def test_words_and_passphrase_leave_no_trace(
    desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = world.home / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    protect(profile_folder(world.home, ALICE), identity_key("alice"))
    host = desk.terminal("host", "--bind", world.address, size=(120, 36))
    await host.wait_for("Passphrase of the identity")
    await host.send(CANARY, ENTER)
    await host.wait_for(f"securechat-tui join {world.address}")
    guest = desk.piped("--profile", BOB, "join", world.address, "--json")
    await guest.see("secure")
    guest.do(cmd="send", text=SAID[0])
    await host.wait_for(SAID[0])
    await host.enter(SAID[1])
    assert await guest.see("message", text=SAID[1])
    await host.wait_for("✓✓")  # killed before it has acknowledged, it would leave the host a message
    seen = told_by_the_system(host.pid) + told_by_the_system(guest.process.pid)
    left = [traces(world.home, text) for text in (*SAID, CANARY)]
    guest.signal(signal.SIGKILL)
    await host.wait_for("connection lost")
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    left += [traces(world.home, text) for text in (*SAID, CANARY)]
    assert left == [[]] * 6
    assert traces(world.home, BOB), "what is stored is found"
    assert not any(text.encode() in seen for text in (*SAID, CANARY))
    assert list(temporary.iterdir()) == []
    assert guest.err == ""
