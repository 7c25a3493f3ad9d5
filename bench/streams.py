"""Raw TCP and mutual TLS 1.3 with asyncio's streams, each message behind its length of four bytes.

This is what a program gets that asks asyncio for a connection (``open_connection``, ``start_server``);
``buffered`` has the same without streams.
"""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

from bench.certificates import context
from bench.channel import Channel
from bench.peer import Announce


class Stream(Channel):
    """A reader, a task that takes messages from it, and a writer.

    ``coalesced`` messages are written once for each burst, others one by one.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, coalesced: bool
    ) -> None:
        super().__init__()
        self._reader, self._writer, self._coalesced = reader, writer, coalesced
        self._waiting: list[bytes] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        reader = self._reader
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                length = int.from_bytes(await reader.readexactly(4), "big")
                self.on_message(await reader.readexactly(length))

    def send(self, message: bytes) -> None:
        """Write, or keep for the end of the burst."""
        frame = len(message).to_bytes(4, "big") + message
        if self._coalesced:
            self._waiting.append(frame)
        else:
            self._writer.write(frame)

    def flush(self) -> None:
        """Write what was kept."""
        if self._waiting:
            self._writer.writelines(self._waiting)
            self._waiting.clear()

    async def drain(self) -> None:
        """Wait while the network is full; let the loop have its turn in any case."""
        self.flush()
        await asyncio.sleep(0)
        await self._writer.drain()

    def close(self) -> None:
        """Hang up."""
        self.reading.cancel()
        self._writer.close()


async def connect(port: int, *, coalesced: bool, context: ssl.SSLContext | None = None) -> Stream:
    """Return a connection that is ready to send."""
    return Stream(*await asyncio.open_connection("127.0.0.1", port, ssl=context), coalesced=coalesced)


def _serve(announce: Announce, context: ssl.SSLContext | None = None) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = Stream(reader, writer, coalesced=True)
        await stream.reading
        stream.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        announce(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def serve_raw(_folder: Path, announce: Announce) -> None:
    """Serve without any protection."""
    _serve(announce)


def serve_tls(folder: Path, announce: Announce) -> None:
    """Serve TLS with the certificates in ``folder``."""
    _serve(announce, context(folder, "host", "guest"))
