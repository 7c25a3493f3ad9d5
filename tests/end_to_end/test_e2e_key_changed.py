"""A different key: at the guest it stops everything before a byte of content; what the host says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from protocol_peers import split_frames
from terminal_desk import BOB, Desk, World
from terminal_programs import Piped, address_of, contacts_of, forget_everything, replace_identity, settle
from terminal_screen import CTRL_C, ENTER, ESCAPE, Terminal

from securechat_tui.protocol.frames import FrameType

_CHUNK = 65536


class Wire:
    """The network between a guest and the host that really is at the other end, which the test holds."""

    def __init__(self, real: str) -> None:
        self.let_through = asyncio.Event()
        self.called = asyncio.Event()
        self.from_guest = bytearray()
        self._real = real

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a call both ways, once the test lets it through; note what the guest says."""
        self.called.set()
        await self.let_through.wait()
        host, _, port = self._real.rpartition(":")
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        with suppress(ConnectionError):
            await asyncio.gather(
                self._pass(reader, to_writer, self.from_guest), self._pass(to_reader, writer)
            )
        for end in (writer, to_writer):
            end.close()

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, note: bytearray | None = None
    ) -> None:
        while data := await source.read(_CHUNK):
            if note is not None:
                note += data
            to.write(data)
        to.close()


@asynccontextmanager
async def wire_at(port: int, real: str) -> AsyncIterator[Wire]:
    """Listen at ``port`` of the loopback for calls that are meant for the host at ``real``."""
    wire = Wire(real)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", port)
    try:
        yield wire
    finally:
        server.close()


async def hosting(desk: Desk, *options: str) -> tuple[Piped, str]:
    host = desk.piped(*options, "host", "--bind", "127.0.0.1:0", "--json")
    return host, address_of(await host.see("listening"))


async def test_the_guest_is_alarmed_keeps_the_draft_and_sends_nothing(desk: Desk, world: World) -> None:
    settle(world.home, "mallory")
    mallory, real = await hosting(desk, "--profile", "mallory")
    async with wire_at(world.port, real) as wire:
        guest = desk.terminal("--profile", BOB, "join", world.address)
        await guest.wait_for("Connecting to")
        await guest.enter("for alice alone")
        await guest.wait_for(lambda terminal: "○" in terminal.row("for alice alone"))
        await guest.send("and a draft")
        await guest.wait_for("and a draft")
        await wire.called.wait()
        wire.let_through.set()
        await guest.wait_for(
            "KEY CHANGED", "alice's key is DIFFERENT from the one you pinned", "Nothing was sent."
        )
        await guest.wait_for(
            world.alice,
            f"securechat-tui join --new {world.address}",
            "Disconnect",
            "Read only",
            "Enter chooses",
        )
        await guest.send(ESCAPE)
        await guest.wait_gone("KEY CHANGED")
        await guest.wait_for("and a draft")
        await leave(guest)
        assert await guest.wait_exit() == 4
    assert [frame[0] for frame in split_frames(bytes(wire.from_guest))] == [FrameType.KEY]
    mallory.do(cmd="quit")
    assert await mallory.wait_exit() == 0
    assert not [event for event in mallory.events if event["event"] in {"peer", "message"}]


async def leave(terminal: Terminal) -> None:
    """Ctrl+C clears the draft; a second one leaves."""
    await terminal.send(CTRL_C)
    await terminal.wait_for("Ctrl+C again leaves.")
    await terminal.send(CTRL_C)


async def test_read_only_keeps_the_composer_closed(desk: Desk, world: World) -> None:
    settle(world.home, "mallory")
    _, real = await hosting(desk, "--profile", "mallory")
    async with wire_at(world.port, real) as wire:
        wire.let_through.set()
        guest = desk.terminal("--profile", BOB, "join", world.address)
        await guest.wait_for("KEY CHANGED", "Read only", "Enter chooses")
        await guest.send(b"\x1b[C\x1b[C", ENTER)
        await guest.wait_gone("KEY CHANGED")
        await guest.wait_for("read only, draft kept")
        await leave(guest)
        assert await guest.wait_exit() == 4


async def test_the_json_guest_is_refused_with_code_four_and_a_stranger_is_let_in(
    desk: Desk, world: World
) -> None:
    mallory_key = settle(world.home, "mallory")
    mallory, real = await hosting(desk, "--profile", "mallory")
    async with wire_at(world.port, real) as wire:
        wire.let_through.set()
        guest = desk.piped("--profile", BOB, "join", world.address, "--json")
        guest.do(cmd="send", text="for alice alone", ref="x")
        refused = await guest.see("refused")
        assert refused["reason"] == "key-changed"
        assert await guest.wait_exit() == 4
        assert "--new" in guest.err
        assert "Traceback" not in guest.err
        stranger = desk.piped("--profile", BOB, "join", world.address, "--new", "--json")
        assert (await stranger.see("peer"))["fingerprint"] == mallory_key
        await stranger.see("secure")
        stranger.end_input()
        assert await stranger.wait_exit() == 0
    mallory.do(cmd="quit")
    assert await mallory.wait_exit() == 0
    assert not [event for event in mallory.events if event["event"] == "message"]


async def test_what_the_host_says_of_a_guest_with_another_key(desk: Desk, world: World) -> None:
    address = world.address
    host = desk.terminal("host", "--bind", address, size=(120, 36))
    await host.wait_for(f"securechat-tui join {address}")
    before = contact(world, "bob")

    replace_identity(world.home, BOB, "eve")  # the pins stay: the call shows the secret that belongs to bob
    guest = desk.piped("--profile", BOB, "join", address, "--json")
    await host.wait_for("KEY CHANGED", "bob's key is DIFFERENT", world.bob, "Enter chooses")
    assert await guest.wait_exit() == 3
    assert not [event for event in guest.events if event["event"] in {"peer", "secure"}]
    await host.send(ENTER)
    await host.wait_gone("KEY CHANGED")

    forget_everything(world.home, BOB)
    other = settle(world.home, BOB, key="eve")
    guest = desk.piped("--profile", BOB, "join", address, "--json")
    await guest.see("secure")
    await host.wait_for("who says the name bob", "◇ NEW", "! this name is known with")
    guest.end_input()
    assert await guest.wait_exit() == 0
    await host.wait_for("has said goodbye.")
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    assert contact(world, "bob") == before
    assert other != world.bob


def contact(world: World, name: str) -> object:
    """What alice has stored about the first contact of this name."""
    return next(one for one in contacts_of(world.home, "default") if one.name == name)
