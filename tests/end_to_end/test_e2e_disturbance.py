"""Callers that send garbage, nothing, or next to nothing cost little and disturb nobody."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from chat_raw import call
from terminal_desk import BOB, Desk
from terminal_programs import SAFETY_SECONDS, Piped, address_of

ALLOWED_BYTES = 64 * 1024 * 1024
FOUR_GIGABYTES = b"\xff\xff\xff\xff"
NOISE = b"".join(hashlib.sha256(number.to_bytes(4)).digest() for number in range(6000))

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs /proc to read another process's memory"
)


def resident(program: Piped) -> int:
    """The most memory the process has ever held at once, in bytes."""
    lines = Path(f"/proc/{program.process.pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@asynccontextmanager
async def caller(address: str, *pieces: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """Connect and send pieces one by one, then keep the line open."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
        yield reader
    finally:
        writer.transport.abort()


async def is_hung_up_on(address: str, data: bytes) -> None:
    """Call, send, and see the connection closed without a word."""
    async with caller(address, data) as reader, asyncio.timeout(SAFETY_SECONDS):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""


async def converse(host: Piped, guest: Piped, numbers: Iterable[int]) -> None:
    """Exchange messages both ways and see each delivered; the host may be expecting others back."""
    (meant,) = {event["conversation"] for event in guest.events if event["event"] == "secure"}
    for number in numbers:
        guest.do(cmd="send", text=f"from the guest {number}")
        host.do(cmd="send", text=f"from the host {number}", conversation=meant)
        await host.see("message", text=f"from the guest {number}")
        await guest.see("message", text=f"from the host {number}")


async def test_a_guest_gets_through_and_talks_undisturbed(desk: Desk) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    before = resident(host)
    async with AsyncExitStack() as callers:
        for number in range(12):
            pieces = [b"K\x00\x00\x05\x00"[: number % 5]] if number % 3 else []
            slow = (bytes([byte]) for byte in NOISE[: number % 4])
            await callers.enter_async_context(caller(address, *pieces, *slow))
        guest = desk.piped("--profile", BOB, "join", address, "--json")
        await guest.see("secure")
        await converse(host, guest, range(3))
        for number in range(3, 9):
            await asyncio.gather(
                *(is_hung_up_on(address, bytes([kind]) + FOUR_GIGABYTES + NOISE) for kind in b"KSFMH"),
                is_hung_up_on(address, NOISE[number:]),
                converse(host, guest, [number]),
            )
    assert resident(host) - before < ALLOWED_BYTES
    guest.do(cmd="quit")
    assert await guest.wait_exit() == 0
    await host.see("closed", reason="goodbye", by="peer")
    assert host.err == guest.err == ""


@pytest.mark.parametrize("nonsense", [b"M" + FOUR_GIGABYTES, NOISE], ids=["record", "noise"])
async def test_a_guest_that_goes_mad_after_the_handshake(desk: Desk, nonsense: bytes) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    async with await call(address, "eve") as eve:
        await eve.open()
        await host.see("secure")
        before = resident(host)
        eve._writer.write(nonsense)
        await eve.until_closed()
        await host.see("closed", reason="lost")
    assert resident(host) - before < ALLOWED_BYTES
    guest = desk.piped("--profile", BOB, "join", address, "--json")
    await guest.see("secure")
    await converse(host, guest, range(2))
