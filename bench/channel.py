"""What the contestants on asyncio have in common: messages both ways, and three ways to time them."""

import asyncio
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from bench.peer import ECHO, SWALLOW, Announce, text

Open = Callable[[], Awaitable["Channel"]]
"""Connects; the channel is ready to send when it returns."""


class Channel(ABC):
    """One side of one connection. The answering side does nothing but keep the bargain of ``peer``."""

    def __init__(self) -> None:
        self.on_message: Callable[[bytes], None] = self._answer

    def _answer(self, message: bytes) -> None:
        if not message.startswith(SWALLOW):
            self.send(message)
            self.flush()

    @abstractmethod
    def send(self, message: bytes) -> None:
        """Give one message to be sent; it may wait for :meth:`flush`."""

    @abstractmethod
    def flush(self) -> None:
        """Write what waits."""

    @abstractmethod
    async def drain(self) -> None:
        """Write what waits, and wait while the network is full."""

    @abstractmethod
    def close(self) -> None:
        """Hang up."""


async def _echoed(channel: Channel) -> None:
    """Wait for the echo of one message."""
    came = asyncio.get_running_loop().create_future()
    channel.on_message = came.set_result
    channel.send(ECHO)
    channel.flush()
    await came


async def handshake(open_channel: Open) -> float:
    """Return the seconds from connecting to the first echo."""
    start = time.perf_counter()
    channel = await open_channel()
    await _echoed(channel)
    seconds = time.perf_counter() - start
    channel.close()
    return seconds


async def flood(open_channel: Open, size: int, count: int, burst: int) -> float:
    """Return messages per second; the network is waited for after each burst."""
    channel = await open_channel()
    message = text(SWALLOW, size)
    start = time.perf_counter()
    for _ in range(count // burst):
        for _ in range(burst):
            channel.send(message)
        await channel.drain()
    await _echoed(channel)
    seconds = time.perf_counter() - start
    channel.close()
    return count / seconds


async def round_trips(open_channel: Open, size: int, count: int) -> list[float]:
    """Return the seconds of each round trip, without any waiting of tasks in them."""
    channel = await open_channel()
    done = asyncio.get_running_loop().create_future()
    message = text(ECHO, size)
    times: list[float] = []
    start = 0.0

    def ask() -> None:
        nonlocal start
        start = time.perf_counter()
        channel.send(message)
        channel.flush()

    def answered(_message: bytes) -> None:
        times.append(time.perf_counter() - start)
        if len(times) < count:
            ask()
        else:
            done.set_result(None)

    channel.on_message = answered
    ask()
    await done
    channel.close()
    return times


def serve(
    protocol: Callable[[], asyncio.BaseProtocol], announce: Announce, context: ssl.SSLContext | None = None
) -> None:
    """Serve a protocol for ever."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=context)
        announce(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())
