"""Messages on a transport without asyncio's streams: as fast as it goes, and what Noise and Olm run on."""

import asyncio
import ssl
from functools import partial
from pathlib import Path
from typing import cast

from bench import channel
from bench.certificates import context
from bench.peer import Announce

_BUFFER_BYTES = 256 * 1024


class Buffered(asyncio.BufferedProtocol, channel.Channel):
    """Messages on a transport; ``coalesced`` ones are written once for each burst, others one by one."""

    prefix = 4
    """Bytes of the length before each message."""

    def __init__(self, *, coalesced: bool) -> None:
        super().__init__()
        self._coalesced = coalesced
        self._waiting: list[bytes] = []
        self._chunk = memoryview(bytearray(_BUFFER_BYTES))
        self._received = bytearray()
        self._room = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; asyncio has set TCP_NODELAY."""
        self._transport = cast("asyncio.Transport", transport)
        self._room.set()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Lend the one receive buffer."""
        return self._chunk

    def buffer_updated(self, nbytes: int) -> None:
        """Cut what has come into messages."""
        received, prefix = self._received, self.prefix
        received += self._chunk[:nbytes]
        start = 0
        with memoryview(received) as view:
            while len(received) >= (begin := start + prefix):
                end = begin + int.from_bytes(view[start:begin], "big")
                if len(received) < end:
                    break
                self.take(bytes(view[begin:end]))
                start = end
        del received[:start]

    def take(self, message: bytes) -> None:
        """Hand on one message; protections between this and the transport open it first."""
        self.on_message(message)

    def pause_writing(self) -> None:
        """Note that much waits to be written."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Note that little waits to be written."""
        self._room.set()

    def send(self, message: bytes) -> None:
        """Write, or keep for the end of the burst."""
        frame = len(message).to_bytes(self.prefix, "big") + message
        if self._coalesced:
            self._waiting.append(frame)
        else:
            self._transport.write(frame)

    def flush(self) -> None:
        """Write what was kept."""
        if self._waiting:
            self._transport.write(b"".join(self._waiting))
            self._waiting.clear()

    async def drain(self) -> None:
        """Wait while the network is full; let the loop have its turn in any case."""
        self.flush()
        await asyncio.sleep(0)
        await self._room.wait()

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


async def connect(port: int, *, coalesced: bool, context: ssl.SSLContext | None = None) -> Buffered:
    """Return a connection that is ready to send."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(
        lambda: Buffered(coalesced=coalesced), "127.0.0.1", port, ssl=context
    )
    return stream


def serve_tls(folder: Path, announce: Announce) -> None:
    """Serve TLS with the certificates in ``folder``."""
    channel.serve(partial(Buffered, coalesced=True), announce, context(folder, "host", "guest"))
