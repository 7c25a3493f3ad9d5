"""Nothing that a peer writes reaches the terminal as anything but visible text: the bytes of a real pty."""

import re

import pytest
from chat_raw import answering, call
from terminal_desk import BOB, Desk
from terminal_hostile_words import LAST, LONG, NAME, SHORT, hear, hostile_bytes, open_as
from terminal_programs import address_of
from terminal_screen import CTRL_C, CTRL_END, ENTER, ESCAPE, F3, F4, PAGE_UP, Terminal, paste

ESCAPES = "\x1b]0;owned\x07\x1b[31;46;5m\u009b31m\u202e"


async def look_everywhere(terminal: Terminal) -> None:
    """Open every view in which a peer's name or text stands."""
    for key, words in ((F3, "memory aid"), (F4, "by its author, on the record")):
        await terminal.send(key)
        await terminal.wait_for(words)
        await terminal.send(ESCAPE)
        await terminal.wait_gone(words)
    await terminal.enter("/contacts")
    await terminal.wait_for("Contacts")
    await terminal.send(ESCAPE)
    await terminal.wait_gone("Contacts ")
    await terminal.send(PAGE_UP * 3)


async def test_a_hostile_guest_and_the_screen(desk: Desk) -> None:
    host = desk.terminal("host", "--bind", "127.0.0.1:0", size=(120, 36))
    await host.wait_for("securechat-tui join 127.0.0.1:")
    async with await call(host.find(r"join (127\.0\.0\.1:\d+)"), "eve") as eve:
        await open_as(eve, NAME)
        await host.wait_for("␛]0;owned␇", "◇ NEW")
        eve.say_texts(*SHORT)
        await host.wait_for("gnp.exe", "␛]52;c;b3duZWQ=␇", "[/x] [bold]not bold[/bold]")
        eve.say_texts(*LONG)
        await host.wait_for("ZZZZZZ")
        eve.say_texts(LAST)
        await host.wait_for(LAST)
        await look_everywhere(host)
        await host.enter("still here")
        await hear(eve, "still here")
        assert hostile_bytes(host.raw) == {}
        assert "owned" not in host.title
        assert b"\x1b[?1049l" not in host.raw
    await host.send(CTRL_END)
    await host.wait_for("The connection to", "connection lost")
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    assert hostile_bytes(host.raw) == {}


async def test_a_hostile_paste_is_text_and_sends_nothing(desk: Desk) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    guest = desk.terminal("--profile", BOB, "join", address_of(await host.see("listening")))
    await host.see("secure")
    await guest.wait_for("◆ PINNED")
    await guest.send(paste("\n".join([*SHORT, "/quit", "the end"])))
    await guest.wait_for("the end", "/quit")
    await guest.send(CTRL_C)
    await guest.wait_gone("the end")
    await guest.enter("and now I send")
    assert await host.see("message", text="and now I send", number=1)
    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
    assert hostile_bytes(guest.raw) == {}


@pytest.mark.parametrize("face", ["--plain", "--json"])
async def test_a_hostile_guest_and_lines(desk: Desk, face: str) -> None:
    host = desk.terminal("host", "--bind", "127.0.0.1:0", face)
    await host.wait_for(lambda terminal: bool(port_in(terminal)))
    async with await call(f"127.0.0.1:{port_in(host)}", "eve") as eve:
        await open_as(eve, NAME)
        eve.say_texts(*SHORT, *LONG, LAST)
        await host.wait_for(LAST)
        say = "still here" if face == "--plain" else '{"cmd":"send","text":"still here"}'
        await host.send(say, b"\n")
        await hear(eve, "still here")
        assert hostile_bytes(host.raw) == {}
        await host.send("/quit" if face == "--plain" else '{"cmd":"quit"}', b"\n")
        await eve.until_closed()
    assert await host.wait_exit() == 0
    assert hostile_bytes(host.raw) == {}
    assert b"\x1b" not in host.raw
    assert b"gnp.exe" in host.raw
    assert b"[/x]" in host.raw


def port_in(terminal: Terminal) -> str:
    found = re.search(rb'"port":(\d+)|Listening on 127\.0\.0\.1:(\d+)', terminal.raw)
    return (found[1] or found[2]).decode() if found else ""


async def test_a_hostile_host_and_what_is_remembered_of_it(desk: Desk) -> None:
    async with answering() as place:
        guest = desk.terminal("--profile", BOB, "join", place.address, size=(80, 24))
        eve = await place.next("eve")
        await open_as(eve, NAME)
        eve.say_texts(*SHORT[:4], LAST)
        await guest.wait_for(LAST, "NEW")
        await guest.enter("still here")
        await hear(eve, "still here")
        await guest.enter("/quit")
        await eve.until_closed()
        eve.cut()
        assert await guest.wait_exit() == 0
        assert hostile_bytes(guest.raw) == {}
    listed = desk.terminal("--profile", BOB, "contacts", "list")
    assert await listed.wait_exit() == 0
    assert hostile_bytes(listed.raw) == {}
    assert b"\x1b" not in listed.raw
    assert "␛]0;owned␇" in listed.text


@pytest.mark.parametrize(
    "arguments",
    [
        ("join", f"a{ESCAPES}.example", "--plain"),
        ("join", "a\udc9b31m\udc9d.example", "--plain"),
        ("host", "--bind", f"{ESCAPES}:1", "--plain"),
        ("host", "--bind", "127.0.0.1:0", "--plain", "--name", f"A{ESCAPES}"),
        ("--profile", f"b{ESCAPES}", "identity"),
        ("contacts", "show", f"c{ESCAPES}"),
        (f"d{ESCAPES}",),
        (f"--e{ESCAPES}",),
    ],
    ids=["join", "join-bytes", "bind", "name", "profile", "show", "command", "option"],
)
async def test_escapes_in_the_arguments(desk: Desk, arguments: tuple[str, ...]) -> None:
    terminal = desk.terminal(*arguments)
    if "--name" in arguments:
        await terminal.wait_for("Listening on")
        await terminal.send(CTRL_C)
    await terminal.wait_exit()
    assert hostile_bytes(terminal.raw) == {}
    assert b"\x1b" not in terminal.raw
    assert "owned" not in terminal.title
    assert b"Traceback" not in terminal.raw


async def test_escapes_in_what_is_joined_on_the_screen(desk: Desk) -> None:
    terminal = desk.terminal("--profile", BOB, "join", f"a{ESCAPES}.example")
    await terminal.wait_for("may hold letters, digits, '-' and '.'")
    await terminal.send("/join ", "\u202e\u2066.example", ENTER)
    await terminal.wait_for(lambda one: one.text.count("may hold letters, digits, '-' and '.'") == 2)
    await terminal.send("/quit", ENTER)
    await terminal.wait_exit()
    assert hostile_bytes(terminal.raw) == {}
    assert b"Traceback" not in terminal.raw
