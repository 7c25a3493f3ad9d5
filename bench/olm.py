"""Olm with the ``vodozemac`` package, over TCP: a key for each message, as ours has.

The host shows its identity key and a one-time key, as if a server had published them; the guest answers
with its identity key. From then on each message is ``type (1) || Olm message`` behind four bytes of length.
"""

import asyncio
from functools import partial
from pathlib import Path

import vodozemac

from bench import channel
from bench.buffered import Buffered
from bench.peer import Announce

_KEY_LENGTH = 32


class OlmStream(Buffered):
    """An Olm session on a transport; what waits is written once for each burst."""

    def __init__(self, *, guest: bool) -> None:
        super().__init__(coalesced=True)
        self.ready = asyncio.Event()
        self._guest = guest
        self._account = vodozemac.Account()
        self._peer: vodozemac.Curve25519PublicKey | None = None
        self._session: vodozemac.Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; the host shows its keys."""
        super().connection_made(transport)
        if not self._guest:
            self._account.generate_one_time_keys(1)
            (one_time,) = self._account.one_time_keys.values()
            super().send(self._account.curve25519_key.to_bytes() + one_time.to_bytes())
            self.flush()

    def take(self, message: bytes) -> None:
        """Decrypt, or go on with the exchange of keys."""
        if self._peer is None:
            self._introduced(message)
            return
        sealed = vodozemac.AnyOlmMessage.from_parts(message[0], message[1:])
        if self._session is None:
            first = sealed.to_pre_key()
            if first is None:
                raise ConnectionError
            self._session, opened = self._account.create_inbound_session(self._peer, first)
        else:
            opened = self._session.decrypt(sealed)
        self.on_message(bytes(opened))

    def _introduced(self, keys: bytes) -> None:
        self._peer = vodozemac.Curve25519PublicKey.from_bytes(keys[:_KEY_LENGTH])
        if self._guest:
            one_time = vodozemac.Curve25519PublicKey.from_bytes(keys[_KEY_LENGTH:])
            self._session = self._account.create_outbound_session(self._peer, one_time)
            super().send(self._account.curve25519_key.to_bytes())
            self.ready.set()

    def send(self, message: bytes) -> None:
        """Encrypt; kept for the end of the burst."""
        if self._session is None:
            raise ConnectionError
        kind, sealed = self._session.encrypt(message).to_parts()
        super().send(bytes((kind,)) + sealed)


async def connect(port: int) -> OlmStream:
    """Return a connection that is ready to send."""
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(partial(OlmStream, guest=True), "127.0.0.1", port)
    await stream.ready.wait()
    return stream


def serve(_folder: Path, announce: Announce) -> None:
    """Serve as the one who published keys."""
    channel.serve(partial(OlmStream, guest=False), announce)
