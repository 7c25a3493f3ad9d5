"""The faces without a screen, and the demo: in pipes as in a terminal."""

import re
from pathlib import Path

import pytest
from terminal_desk import BOB, Desk, World
from terminal_programs import address_of
from terminal_screen import ENTER, is_restored


async def test_json_on_both_sides(desk: Desk, world: World) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    assert (await host.see("ready"))["fingerprint"] == world.alice
    guest = desk.piped("--profile", BOB, "join", address_of(await host.see("listening")), "--json")
    assert await guest.see("peer", name="alice", fingerprint=world.alice, trust="pinned", role="host")
    assert await host.see("peer", name="bob", fingerprint=world.bob, trust="pinned", role="guest")
    assert (await guest.see("secure"))["session"] == (await host.see("secure"))["session"]
    for sender, receiver, author in ((guest, host, world.bob), (host, guest, world.alice)):
        sender.do(cmd="send", text="exit /quit\nü ☃", ref="r1")
        received = await receiver.see("message", number=1, text="exit /quit\nü ☃", author=author)
        assert received["checks"] == {"intact": True, "in_order": True, "fresh": True, "signed": True}
        assert await sender.see("delivered", number=1, ref="r1")
    host.type(b"not JSON")
    assert await host.see("error")
    guest.do(cmd="quit")
    assert await host.see("closed", reason="goodbye", by="peer", will_retry=False)
    assert await guest.wait_exit() == 0
    host.do(cmd="quit")
    assert await host.wait_exit() == 0
    assert host.err == guest.err == ""


async def test_echo_hi_into_a_plain_join_arrives_at_a_plain_host(desk: Desk, world: World) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--plain")
    await host.wait_text("Listening on 127.0.0.1:")
    port = re.findall(r"Listening on 127\.0\.0\.1:(\d+)\.", host.out)[0]
    guest = desk.piped("--profile", BOB, "join", f"127.0.0.1:{port}", "--plain")
    guest.type("hi")
    guest.end_input()
    assert await guest.wait_exit() == 0
    await host.wait_text("bob has said goodbye.")
    host.end_input()
    assert await host.wait_exit() == 0
    line = r"\] <bob> hi\n +\[intact ✓ \| in order ✓ #1 \| fresh \d\.\d s ✓ \| signed ✓ RSA-PSS \| pinned\]\n"
    assert re.search(line, host.out)
    assert "PINNED" in guest.out
    assert world.alice in guest.out


async def test_the_demo_in_a_terminal(empty_desk: Desk) -> None:
    demo = empty_desk.terminal("demo", size=(120, 36))
    await demo.wait_for("I am the practice peer", "◇ NEW", "✓ signed")
    await demo.enter("is anybody there?")
    await demo.wait_for("I read “is anybody there?” as your message #1")
    await demo.wait_for(lambda terminal: "✓✓" in terminal.row("you    is anybody there?"))
    await demo.enter("/alarm")
    await demo.wait_for("KEY CHANGED", "robin's key is DIFFERENT", "Nothing was sent.", "Enter chooses")
    await demo.send(ENTER)
    await demo.wait_for("It is me again, with my own key.", "◆ PINNED")
    await demo.enter("/quit")
    assert await demo.wait_exit() == 0
    assert is_restored(demo.raw)
    assert not empty_desk.home.exists()


async def test_the_demo_without_a_terminal(
    empty_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    demo = empty_desk.piped("demo")
    demo.end_input()
    assert await demo.wait_exit() == 0
    assert demo.err == ""
    assert re.search(r"\] <robin> Hello! I am the practice peer", demo.out)
    assert "DIFFERENT" in demo.out
    assert demo.out.count("Secure from here") == 2
    assert not empty_desk.home.exists()
    assert list(temporary.iterdir()) == []


async def test_signed_or_not_as_the_sender_says(desk: Desk, world: World) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    guest = desk.piped("--profile", BOB, "join", address, "--json")
    await guest.see("secure")
    for number, signed in enumerate((True, False, True), 1):
        guest.do(cmd="send", text=f"text {number}", signed=signed)
        received = await host.see("message", number=number, text=f"text {number}", author=world.bob)
        assert received["checks"]["signed"] is signed
        assert await guest.see("delivered", number=number)
    guest.do(cmd="resolve", choice="sign")
    assert (await guest.see("error"))["code"] == "nothing-to-resolve"
    for program in (guest, host):
        program.do(cmd="quit")
        assert await program.wait_exit() == 0
