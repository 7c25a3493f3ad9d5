"""Runs a face of a fake engine on real descriptors, in the test's own loop."""

import asyncio
import os
import tempfile
from typing import Any, Self

import msgspec
from headless_fake_engine import FakeEngine

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.json_lines import JsonLines
from securechat_tui.headless.lifecycle import Lifecycle
from securechat_tui.headless.openings import JoinTarget, Opening
from securechat_tui.headless.plain import PlainLines
from securechat_tui.headless.run import Face, HeadlessRun
from securechat_tui.headless.standard_streams import Streams


class Rig:
    """A run with a pipe as its input and a file as its output."""

    def __init__(
        self,
        engine: FakeEngine,
        *,
        plain: bool = False,
        attended: bool = False,
        opening: Opening = JoinTarget("192.0.2.7"),  # noqa: B008 - a frozen value
        name: str | None = None,
        encoding: str = "utf-8",
    ) -> None:
        self.engine = engine
        self._read_end, self._write_end = os.pipe()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __aexit__
        lifecycle = Lifecycle(opening)
        face: Face = JsonLines(engine, lifecycle)
        if plain:
            face = PlainLines(engine, lifecycle, attended=attended, encodings=(encoding, encoding))
        streams = Streams(self._read_end, self._output.fileno())
        self._run = HeadlessRun(engine, face, lifecycle, streams, name)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run.run())
        return self

    async def __aexit__(self, *_problem: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        self.end()
        self._output.close()

    def type(self, *lines: str | bytes | dict[str, Any]) -> None:
        for line in lines:
            os.write(self._write_end, _encoded(line) + b"\n")

    def interrupt(self) -> None:
        """Act as at a signal."""
        self._run._interrupt()

    def end(self) -> None:
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    async def code(self) -> ExitCode:
        async with asyncio.timeout(20):
            return await asyncio.shield(self._task)

    @property
    def text(self) -> str:
        return os.pread(self._output.fileno(), 1 << 24, 0).decode()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(line) for line in self.text.splitlines()]

    def event(self, word: str) -> dict[str, Any]:
        found = [event for event in self.events if event["event"] == word]
        assert len(found) == 1, self.text
        return found[0]


def _encoded(line: str | bytes | dict[str, Any]) -> bytes:
    if isinstance(line, dict):
        return msgspec.json.encode(line)
    return line.encode() if isinstance(line, str) else line
