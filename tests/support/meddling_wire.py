"""The man in the middle on a real connection: the same deeds, done to what passes a proxy."""

import asyncio

from man_in_the_middle import ROLES, Meddler, Nobody

from securechat_tui.protocol.frames import HEADER_LENGTH


class Meddled:
    """One connection whose frames pass a meddler; ``over`` is set when frame ``last`` of ``role`` has."""

    def __init__(self, meddler: Meddler, role: str, last: int, over: asyncio.Event | None = None) -> None:
        self.over = over or asyncio.Event()
        self._meddler = meddler
        self._last = role, last
        self._waiting = {one: bytearray() for one in ROLES}
        self._counts = dict.fromkeys(ROLES, 0)

    def take(self, role: str, data: bytes) -> bytes:
        """Cut what a side writes into frames, and let the meddler have each whole one."""
        waiting = self._waiting[role]
        waiting += data
        passed = b""
        while len(waiting) >= HEADER_LENGTH:
            end = HEADER_LENGTH + int.from_bytes(waiting[1:HEADER_LENGTH], "big")
            if len(waiting) < end:
                break
            passed += self._meet(role, bytes(waiting[:end]))
            del waiting[:end]
        return passed

    def _meet(self, role: str, frame: bytes) -> bytes:
        index = self._counts[role]
        self._counts[role] += 1
        pieces = b"".join(self._meddler.pass_on(role, index, frame))
        if (role, index) == self._last:
            self.over.set()
        return pieces


class Recorder(Nobody):
    """Lets everything pass and keeps a copy."""

    def __init__(self) -> None:
        self.frames: dict[str, list[bytes]] = {role: [] for role in ROLES}

    def pass_on(self, role: str, index: int, frame: bytes) -> tuple[bytes]:
        self.frames[role].append(frame)
        return (frame,)
