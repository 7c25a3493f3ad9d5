"""The two ways in: run an engine with plain lines, or with JSON lines, until it is over."""

import asyncio
import sys
from typing import Any, TextIO

from securechat_tui.chat.port import EnginePort
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.json_lines import JsonLines
from securechat_tui.headless.lifecycle import Lifecycle
from securechat_tui.headless.openings import Opening
from securechat_tui.headless.plain import PlainLines
from securechat_tui.headless.run import Face, HeadlessRun, say
from securechat_tui.headless.standard_streams import Streams

__all__ = ["run_json", "run_plain"]


def run_json(engine: EnginePort, opening: Opening, name: str | None = None) -> ExitCode:
    """Run with JSON lines. ``name`` is for an identity that has to be made; the login name without it."""
    lifecycle = Lifecycle(opening)
    return _run(engine, JsonLines(engine, lifecycle), lifecycle, name)


def run_plain(engine: EnginePort, opening: Opening, name: str | None = None) -> ExitCode:
    """Run with plain lines. ``name`` is for an identity that has to be made; the login name without it."""
    lifecycle = Lifecycle(opening)
    attended = sys.stdin is not None and sys.stdin.isatty()
    encodings = (_encoding(sys.stdin), _encoding(sys.stdout))
    face = PlainLines(engine, lifecycle, attended=attended, encodings=encodings)
    return _run(engine, face, lifecycle, name)


def _run(engine: EnginePort, face: Face, lifecycle: Lifecycle, name: str | None) -> ExitCode:
    async def drive() -> ExitCode:
        asyncio.get_running_loop().set_exception_handler(_say_what_failed)
        return await HeadlessRun(engine, face, lifecycle, Streams.standard(), name).run()

    try:
        return asyncio.run(drive())
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED


def _encoding(stream: TextIO | None) -> str:
    return (stream.encoding if stream is not None else None) or "utf-8"


def _say_what_failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A fault in a background task, in one sentence: no traceback, no values."""
    error = context.get("exception")
    say(f"Something inside failed ({type(error).__name__ if error else context.get('message', 'unknown')}).")
