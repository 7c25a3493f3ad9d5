"""Keys as terminals and multiplexers send them, and what becomes of them on the other side."""

from terminal_desk import BOB, Desk
from terminal_programs import Piped, address_of
from terminal_screen import ALT_ENTER, CTRL_J, ENTER, SHIFT_ENTER, XTERM_SHIFT_ENTER, Terminal, paste

LIMIT = 32768


async def talking(desk: Desk) -> tuple[Piped, Terminal]:
    """Return a host that tells every message it gets, and a guest at the keyboard."""
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    guest = desk.terminal("--profile", BOB, "join", address_of(await host.see("listening")))
    await guest.wait_for("alice is here", "◆ PINNED")
    await host.see("secure")
    return host, guest


async def texts(host: Piped, last: str) -> list[str]:
    """Return every message the host has got, up to ``last``."""
    await host.see("message", text=last)
    return [event["text"] for event in host.events if event["event"] == "message"]


async def test_what_enter_sends_and_what_makes_a_new_line(desk: Desk) -> None:
    host, guest = await talking(desk)
    await guest.send("hello\rworld\r")
    assert await texts(host, "world") == ["hello", "world"]
    await guest.send("one", CTRL_J, "two", SHIFT_ENTER, "three", XTERM_SHIFT_ENTER, "four", ENTER)
    assert (await texts(host, "one\ntwo\nthree\nfour"))[2:] == ["one\ntwo\nthree\nfour"]

    await guest.send(paste("first line\nsecond line\n"))
    await guest.wait_for("first line", "second line")
    await guest.send("end", ENTER)
    assert (await texts(host, "first line\nsecond line\nend"))[3:] == ["first line\nsecond line\nend"]

    await guest.send("/nonsense", ENTER)
    await guest.wait_for("/nonsense is not a command; nothing was sent.")
    await guest.send(b"\x15", "//literal", ENTER)
    assert (await texts(host, "/literal"))[4:] == ["/literal"]

    # Alt+x is sent as ESC and x; nothing is bound to it, and it is no letter.
    await guest.send("al", b"\x1bx", "so", ENTER)
    assert (await texts(host, "also"))[5:] == ["also"]

    # Terminals send ESC and CR for Alt+Enter, which cannot be told from Esc and then Enter: it sends.
    await guest.send("with alt", ALT_ENTER)
    assert (await texts(host, "with alt"))[6:] == ["with alt"]
    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
    await host.see("closed", reason="goodbye", by="peer")
    assert len([event for event in host.events if event["event"] == "message"]) == 7


async def test_a_bare_exit_asks_once_more(desk: Desk) -> None:
    host, guest = await talking(desk)
    await guest.enter("exit")
    await guest.wait_for("Enter again ends the chat for both; type on to stay")
    await guest.send(" through the gift shop", ENTER)
    assert await texts(host, "exit through the gift shop") == ["exit through the gift shop"]
    await guest.wait_for(lambda terminal: "✓✓" in terminal.row("through the gift shop"))
    await guest.send("exit", ENTER)
    await guest.wait_for("Enter again ends the chat for both; type on to stay")
    await guest.send(ENTER)
    assert await guest.wait_exit() == 0
    assert await host.see("closed", reason="goodbye", by="peer")
    assert len([event for event in host.events if event["event"] == "message"]) == 1


async def test_a_message_over_the_limit_is_counted_refused_and_kept(desk: Desk) -> None:
    host, guest = await talking(desk)
    await guest.send(paste("x" * (LIMIT + 3) + " the end"))
    await guest.wait_for("the end", "! 32,779 bytes: 11 too many. Shorten it or send it in two.")
    await guest.send(ENTER)
    await guest.send(b"\x7f" * 10)
    await guest.wait_for("! 32,769 bytes: 1 too many.")
    await guest.send(ENTER, b"\x7f")
    await guest.wait_for("32,768 of 32,768 bytes")
    assert not [event for event in host.events if event["event"] == "message"]
    await guest.send(ENTER)
    assert await texts(host, "x" * LIMIT) == ["x" * LIMIT]


async def test_a_very_small_window(desk: Desk) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    guest = desk.terminal("--profile", BOB, "join", address, size=(20, 5))
    await guest.wait_for("Window too small")
    await host.see("secure")
    host.do(cmd="send", text="said to a small window")
    await host.see("delivered")
    guest.resize(80, 24)
    await guest.wait_for("said to a small window", "◆ PINNED")
    await guest.send("typed before")
    await guest.wait_for("typed before")
    guest.resize(20, 5)
    await guest.wait_for("Window too small")
    guest.resize(50, 20)
    await guest.wait_for("said to a small window", "typed before")
    await guest.send(ENTER)
    await host.see("message", text="typed before")
    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
