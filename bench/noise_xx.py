"""Noise_XX_25519_AESGCM_SHA256 with the ``noiseprotocol`` package: messages behind two bytes of length."""

import asyncio
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from noise.connection import Keypair, NoiseConnection

from bench import channel
from bench.buffered import Buffered
from bench.peer import Announce

_HANDSHAKE_MESSAGES = 3


class NoiseStream(Buffered):
    """Noise on a transport; what waits is written once for each burst."""

    prefix = 2

    def __init__(self, *, initiator: bool) -> None:
        super().__init__(coalesced=True)
        self.ready = asyncio.Event()
        self._passed = 0
        self._initiator = initiator
        self._noise = NoiseConnection.from_name(b"Noise_XX_25519_AESGCM_SHA256")
        (self._noise.set_as_initiator if initiator else self._noise.set_as_responder)()
        static = X25519PrivateKey.generate().private_bytes_raw()
        self._noise.set_keypair_from_private_bytes(Keypair.STATIC, static)
        self._noise.start_handshake()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the initiator speaks first."""
        super().connection_made(transport)
        if self._initiator:
            self._speak()

    def _speak(self) -> None:
        super().send(self._noise.write_message())
        self.flush()
        self._pass()

    def _pass(self) -> None:
        self._passed += 1
        if self._passed == _HANDSHAKE_MESSAGES:
            self.ready.set()

    def take(self, message: bytes) -> None:
        """Decrypt, or go on with the handshake."""
        if self._passed == _HANDSHAKE_MESSAGES:
            self.on_message(bytes(self._noise.decrypt(message)))
            return
        self._noise.read_message(message)
        self._pass()
        if self._passed < _HANDSHAKE_MESSAGES:
            self._speak()

    def send(self, message: bytes) -> None:
        """Encrypt; kept for the end of the burst."""
        super().send(self._noise.encrypt(message))


async def connect(port: int) -> NoiseStream:
    """Return a connection that is ready to send."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(partial(NoiseStream, initiator=True), "127.0.0.1", port)
    await stream.ready.wait()
    return stream


def serve(_folder: Path, announce: Announce) -> None:
    """Serve as responder."""
    channel.serve(partial(NoiseStream, initiator=False), announce)
