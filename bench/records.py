"""The record layer alone: frames, chains and AES-GCM of the session, on a transport; no payloads.

Both sides know a root, as if a handshake had been. Text messages are at most 32 KiB, so whole blocks of
64 KiB exist only here.
"""

import asyncio
from functools import partial
from pathlib import Path

from bench import channel
from bench.buffered import Buffered
from bench.peer import Announce
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.frames import FrameReader, FrameType, header
from securechat_tui.protocol.handshake import ADMITTED, State
from securechat_tui.protocol.records import Chain, Direction, Receiver, Sender

_ROOT, _SESSION_ID = bytes(c.KEY_LENGTH), bytes(c.HASH_LENGTH)
BLOCK = c.MAX_PAYLOAD_LENGTH
"""The greatest payload: its record is 64 KiB of plaintext."""


class Records(Buffered):
    """Records on a transport; what waits is written once for each burst, as ``Connection`` does."""

    def __init__(self, own: Direction, other: Direction) -> None:
        super().__init__(coalesced=True)
        self._sender = Sender(_SESSION_ID, own, Chain.start(_ROOT, own, 0))
        self._receiver = Receiver(_SESSION_ID, other, Chain.start(_ROOT, other, 0))
        self._frames = FrameReader()

    def buffer_updated(self, nbytes: int) -> None:
        """Open the records that have come, as ``Session.receive`` does."""
        frames, admitted = self._frames, ADMITTED[State.COMPLETE]
        for start in range(0, nbytes, c.RECORD_CAP):
            frames.feed(self._chunk[start : min(start + c.RECORD_CAP, nbytes)])
            while found := frames.next(admitted):
                self.on_message(self._receiver.open(found[1]))

    def send(self, message: bytes) -> None:
        """Seal; kept for the end of the burst."""
        record = self._sender.seal(message)
        self._waiting += (header(FrameType.RECORD, len(record)), record)


async def connect(port: int) -> Records:
    """Return a connection that is ready to send."""
    loop = asyncio.get_running_loop()
    made = partial(Records, Direction.GUEST, Direction.HOST)
    _, records = await loop.create_connection(made, "127.0.0.1", port)
    return records


def serve(_folder: Path, announce: Announce) -> None:
    """Serve as the host."""
    channel.serve(partial(Records, Direction.HOST, Direction.GUEST), announce)
