"""Ways that several end-to-end tests go."""

from terminal_screen import Terminal

HOST = ("host", "--bind", "127.0.0.1:0")
JOINED = r"securechat-tui join (127\.0\.0\.1:\d+)"


async def make_identity(terminal: Terminal, name: str) -> None:
    """Go through the first run: a name over the suggested one, and Enter."""
    await terminal.wait_for("Your name, as others will see it", "Create my identity")
    await terminal.send(b"\x05\x15")  # to the end of the line, and all of it away
    await terminal.wait_for("a name")
    await terminal.enter(name)


async def address_of(host: Terminal) -> str:
    """The address that a waiting host shows."""
    await host.wait_for("Waiting", "securechat-tui join 127.0.0.1:")
    return host.find(JOINED)
