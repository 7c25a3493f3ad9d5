"""The other person, in a process of its own: it answers like the practice peer, and can send a burst.

``burst N`` as a message makes it send N messages as fast as they are taken; every other message is
answered. It hosts on loopback, prints its port, and ends when its standard input does.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.words import texts
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Closed, Delivered, Event, Listening, Message, Secure
from securechat_tui.chat.practice import Tutor
from securechat_tui.chat.profiles import new_identity
from securechat_tui.storage.profile import Profile

__all__ = ["other_person"]


_AT_ONCE: Final = 128


class _Other:
    """What the other person does about what happens."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tutor = Tutor()
        self._room = asyncio.Event()
        self._burst: asyncio.Task[None] | None = None

    async def live(self) -> None:
        async for event in self._engine.events():
            await self._react(event)

    async def _react(self, event: Event) -> None:
        match event:
            case Listening(port=port):
                print(json.dumps(port), flush=True)
            case Secure():
                await self._engine.send(self._tutor.greet())
            case Delivered():
                self._room.set()
            case Message(text=text) if text.startswith("burst "):
                self._burst = asyncio.create_task(self._send(int(text.split()[1])))
            case Message():
                await self._say(self._tutor.answer(event))
            case Closed() if self._burst is not None:
                self._burst.cancel()
            case _:
                pass

    async def _send(self, count: int) -> None:
        waiting = list(texts(count))
        for start in range(0, count, _AT_ONCE):  # they share a transaction and a signature
            await asyncio.gather(*map(self._say, waiting[start : start + _AT_ONCE]))

    async def _say(self, text: str) -> None:
        """Send, as soon as there is room."""
        while True:
            self._room.clear()
            try:
                return await self._engine.send(text)
            except CommandError as error:
                if error.code != "busy":
                    raise
                await self._room.wait()


async def _host(folder: Path) -> None:
    profile = Profile("other", folder / "other")
    new_identity(profile, "robin", 3072)
    async with Engine(profile) as engine:
        living = asyncio.create_task(_Other(engine).live())
        await engine.host("127.0.0.1:0")
        await asyncio.to_thread(sys.stdin.read)
        await engine.close()
        await living


@contextmanager
def other_person(folder: Path) -> Iterator[tuple[int, str]]:
    """Start the other person, with its profile below ``folder``; yields its process id and address."""
    command = [sys.executable, "-m", "bench.other_person", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ) as process:
        try:
            port = json.loads(process.stdout.readline()) if process.stdout else 0
            yield process.pid, f"127.0.0.1:{port}"
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(30)


if __name__ == "__main__":
    asyncio.run(_host(Path(sys.argv[1])))
