"""Two programs that talk while one of them is killed again and again, and what must hold in the end.

The oracle knows what each side was given to say and what it was told is queued. In the end both histories
hold the same messages, each once and in the order in which they were given; everything that was told queued
is among them, and what a program has printed as received is in the reader's history once.
"""

import asyncio
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from forked_programs import Nursery
from hooked_program import Hooks
from terminal_programs import environment, profile_folder

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.storage.keystore import open_keys
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

ON_THE_WAY: Final = 4
"""So many messages that this life was given may wait for their delivery."""
PATIENCE: Final = 30.0
"""Seconds after which something that is waited for has failed; no life lasts that long."""
EXPECTED: Final = re.compile(
    rb"securechat-tui: (The connection to \w+ was cut: |Nobody is listening at |No secure session with |"
    rb"\d+ of your messages (?:was|were) not delivered)"
)
"""What standard error tells of the other one's death."""
UNWANTED: Final = ("gate", "rejected", "refused", "cancelled", "error")
"""Events that a killed program is no reason for, but for a first call that comes to nothing."""
LINE_LIMIT: Final = 1024 * 1024
ALL: Final = 10_000_000


class Life:
    """One run of a program, from its start to its end."""

    def __init__(self, nursery: Nursery, pid: int, stdin: int) -> None:
        self.pid = pid
        self.waiting: set[str] = set()
        """What this life was given and has not seen delivered."""
        self.exit_code: int | None = None
        self.is_secure = False
        self._nursery = nursery
        self._stdin = stdin

    def do(self, **command: object) -> None:
        """Give a command; one that has died takes none."""
        with suppress(BrokenPipeError):
            os.write(self._stdin, json.dumps(command).encode() + b"\n")

    def kill(self) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> None:
        """Both pipes are at their end."""
        os.close(self._stdin)
        self.exit_code = self._nursery.exit_code(self.pid)


class Side:
    """One of the two, over all its lives."""

    def __init__(
        self, name: str, nursery: Nursery, home: Path, *, news: asyncio.Event, errors: list[str]
    ) -> None:
        self.name = name
        self.given = 0
        self.told: list[str] = []
        self.heard: list[str] = []
        self.delivered: set[str] = set()
        self.events: Counter[str] = Counter()
        self.errors = errors
        """What is amiss on either side."""
        self.port = 0
        self.lives = 0
        self.life: Life | None = None
        self.talks = True
        self.begin_again: Callable[[], object] = lambda: None
        """Called when a program has ended by itself since nobody was there."""
        self._nursery = nursery
        self._home = home
        self._news = news
        self._reading: asyncio.Task[None] | None = None

    def start(self, *arguments: str, hooks: Hooks) -> Life:
        """Begin a life."""
        (stdin, given), (out, printed), (err, complained) = os.pipe(), os.pipe(), os.pipe()
        streams = (stdin, printed, complained)
        words = ["--profile", self.name, *arguments, "--json"]
        pid = self._nursery.start(words, environment(self._home), hooks, streams)
        for stream in streams:
            os.close(stream)
        life = self.life = Life(self._nursery, pid, given)
        self.lives += 1
        self._reading = asyncio.create_task(self._read(life, out, err))
        return life

    async def _read(self, life: Life, out: int, err: int) -> None:
        try:
            await asyncio.gather(
                self._each(out, lambda line: self._take(life, line)), self._each(err, self._complain)
            )
        except BaseException:
            life.kill()
            raise
        finally:
            life.ended()
            if life.exit_code == ExitCode.UNREACHABLE:
                self.begin_again()
            self._news.set()

    async def _each(self, pipe: int, take: Callable[[bytes], None]) -> None:
        reader = asyncio.StreamReader(limit=LINE_LIMIT)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb", buffering=0)
        )
        try:
            while line := await reader.readline():
                if line.endswith(b"\n"):  # of a killed program the last line may be cut
                    take(line)
        finally:
            transport.close()

    def _complain(self, line: bytes) -> None:
        if not EXPECTED.match(line):
            self.errors.append(f"{self.name}: {line.decode().rstrip()}")

    def _take(self, life: Life, line: bytes) -> None:
        event: dict[str, Any] = json.loads(line)
        word = event["event"]
        self.events[word] += 1
        match word:
            case "listening":
                self.port = event["port"]
            case "secure":
                life.is_secure = True
            case "queued":
                self.told.append(event["text"])
            case "message":
                self.heard.append(event["text"])
            case "delivered":
                self.delivered.add(event["ref"])
                life.waiting.discard(event["ref"])
            case _:
                pass
        is_nobody_there = "handshake" in event.values() or "cannot-connect" in event.values()
        if word in UNWANTED and (life.is_secure or not is_nobody_there):
            self.errors.append(f"{self.name}: {line.decode().rstrip()}")
        self.speak()
        self._news.set()

    def speak(self) -> None:
        """Say the next things, as long as few are on their way."""
        life = self.life
        while self.talks and life is not None and life.is_secure and len(life.waiting) < ON_THE_WAY:
            self.say()

    def is_secure(self) -> bool:
        """Whether the present life has had a session."""
        return self.life is not None and self.life.is_secure

    def say(self) -> str:
        """Give the program the next message; return its reference."""
        life = self.life
        assert life is not None
        ref = str(self.given)
        self.given += 1
        life.waiting.add(ref)
        life.do(cmd="send", text=f"{self.name} {ref}", ref=ref)
        return ref

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds; whatever else is amiss, on either side, ends the waiting."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    assert not self.errors, (self.name, what, self.errors)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{self.name} hangs: {what}; {self.events}") from None

    async def dead(self, life: Life) -> int:
        """Wait for the end of a life; return the exit code."""
        await self.until(lambda: life.exit_code is not None, "the end")
        assert life.exit_code is not None
        return life.exit_code

    async def end(self) -> None:
        """Kill what still runs."""
        if self.life is not None and self._reading is not None:
            self.life.kill()
            await self._reading

    def history(self) -> tuple[list[str], list[str]]:
        """Read what is on disk, by another way than the program's: what was said, what was received."""
        profile = Profile(self.name, profile_folder(self._home, self.name))
        with profile:
            keys = open_keys(profile)
            assert keys is not None
            with Store(profile, keys.store) as store:
                (known,) = store.conversations()
                page = store.conversation(known.id, known.peer).page(ALL)
        return [str(one.text) for one in page if one.mine], [str(one.text) for one in page if not one.mine]


def complaints(author: Side, reader: Side) -> list[str]:
    """Compare what one has said with what the other has received, now that both have ended."""
    said, received = author.history()[0], reader.history()[1]
    order = [int(text.split()[1]) for text in received]
    found = (
        [] if said == received else [f"{reader.name} has not what {author.name} has kept: {said} {received}"]
    )
    if order != sorted(set(order)):
        found.append(f"{reader.name} has received what {author.name} said doubled or out of order: {order}")
    if lost := set(author.told) - set(received):
        found.append(f"told {author.name} queued, and not received: {lost}")
    if [text for text in received if text in set(reader.heard)] != reader.heard:
        found.append(f"{reader.name} was shown something twice, out of order, or not kept: {reader.heard}")
    return found


def repeated_seals(path: Path) -> tuple[int, int]:
    """How many times something was sealed, and how many of those were under a used key and nonce."""
    data = path.read_bytes()
    assert len(data) % 32 == 0
    seals = [data[at : at + 32] for at in range(0, len(data), 32)]
    return len(seals), len(seals) - len(set(seals))


class Pair:
    """A host and a guest; used in an ``async with`` block, which ends what still runs."""

    def __init__(self, nursery: Nursery, home: Path) -> None:
        self.seals = home / "seals"
        self.errors: list[str] = []
        news = asyncio.Event()
        self.host = Side("alice", nursery, home, news=news, errors=self.errors)
        self.guest = Side("bob", nursery, home, news=news, errors=self.errors)
        self.kills = 0

    async def __aenter__(self) -> "Pair":
        self.begin(self.host)
        await self.host.until(lambda: self.host.port > 0, "a port to listen at")
        self.begin(self.guest)
        self.guest.begin_again = lambda: self.begin(self.guest)
        for side in (self.host, self.guest):
            await side.until(lambda side=side: bool(side.heard), "a first message")  # type: ignore[misc]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.guest.begin_again = lambda: None
        for side in (self.host, self.guest):
            await side.end()

    def begin(self, side: Side, **hooks: Any) -> Life:  # noqa: ANN401 - whatever the hooks are
        """Let a side live again."""
        chosen = Hooks(seals=str(self.seals), **hooks)
        if side is self.host:
            return side.start("host", "--bind", f"127.0.0.1:{side.port}", hooks=chosen)
        return side.start("join", f"127.0.0.1:{self.host.port}", hooks=chosen)

    async def kill(self, side: Side) -> bool:
        """Kill a side now; return whether it was alive."""
        life = side.life
        assert life is not None
        life.kill()
        was_alive = await side.dead(life) == -signal.SIGKILL
        self.kills += was_alive
        return was_alive

    async def kill_and_begin(self, side: Side) -> None:
        """Kill a side now and let it live again."""
        if await self.kill(side):
            self.begin(side)

    async def die_at(self, side: Side, **hooks: Any) -> bool:  # noqa: ANN401
        """Let a side live until it kills itself; false where it has found nobody to talk with."""
        code = await side.dead(self.begin(side, **hooks))
        if code == ExitCode.UNREACHABLE:
            return False
        assert code == -signal.SIGKILL, (side.name, code, side.errors)
        self.kills += 1
        return True

    async def finish(self) -> None:
        """Let everything that is queued arrive, and end both."""
        for side in (self.host, self.guest):
            side.talks = False
            await side.until(side.is_secure, "a session")
            last = side.say()  # whose acknowledgement stands for all before it
            await side.until(lambda side=side, last=last: last in side.delivered, "the last delivery")  # type: ignore[misc]
        for side in (self.guest, self.host):
            life = side.life
            assert life is not None
            life.do(cmd="quit")
            assert await side.dead(life) == 0, side.errors

    def complaints(self) -> list[str]:
        """What does not hold of all that was said so far; empty where all is well."""
        seals, repeated = repeated_seals(self.seals)
        found = [*self.errors, *complaints(self.host, self.guest), *complaints(self.guest, self.host)]
        if not seals or repeated:
            found.append(f"of {seals} sealings {repeated} are under a key and nonce that were used before")
        return found
