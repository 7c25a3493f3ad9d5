"""Carrying out commands: what a key, a slash word or the palette asks for becomes a call of the engine."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from securechat_tui.chat.errors import CommandError
from securechat_tui.tui.opening import HostAt, JoinTarget, PracticeControl, TalkTo
from securechat_tui.tui.port import ScreenPort

__all__ = [
    "EngineJobs",
    "Job",
    "Outcome",
    "end_practice_alarm",
    "host_job",
    "opening_job",
    "practise_alarm",
    "split_flag",
]

_ALONE_TRIES = 100
_ALONE_PAUSE = 0.05
_INVITED_ONLY_FLAG = "--invite-only"


@dataclass(frozen=True, slots=True)
class Job:
    """One call of the engine. ``draft`` is what goes back to the composer when the call is refused."""

    call: Callable[[], Awaitable[None]]
    draft: str = ""
    text: str = ""
    """The message that it sends, known by ``ref``."""
    ref: str = ""
    signed: bool = True
    conversation: str | None = None
    """Where it was typed; None in the house."""
    done: str = ""
    """A sentence for when it went well, where that does not show by itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: ``sentence`` is empty where it went well."""

    job: Job
    sentence: str = ""
    code: str = ""


def opening_job(engine: ScreenPort, opening: HostAt | JoinTarget | TalkTo) -> Job:
    """What the command line asked for, where the desk has no word for it."""
    match opening:
        case HostAt(bind, invited_only):
            return Job(lambda: engine.host(bind, invited_only=invited_only))
        case TalkTo(name, bind):
            return Job(lambda: engine.talk(name, bind))
        case JoinTarget(target, _, fingerprint):
            return Job(lambda: engine.verify_key(fingerprint or "", target))


class EngineJobs:
    """Calls of the engine, one after the other in the order of asking, away from the screen's own loop."""

    def __init__(self, report: Callable[[Outcome], None]) -> None:
        self._report = report
        self._waiting: asyncio.Queue[Job] = asyncio.Queue()
        self._is_busy = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is waiting or under way."""
        return not self._is_busy and self._waiting.empty()

    def add(self, job: Job) -> None:
        """Queue a job."""
        self._waiting.put_nowait(job)

    async def run(self) -> None:
        """Work the jobs off, for as long as the app lives."""
        while True:
            job = await self._waiting.get()
            self._is_busy = True
            self._report(await _outcome(job))
            self._is_busy = False


async def _outcome(job: Job) -> Outcome:
    try:
        await job.call()
    except CommandError as error:
        return Outcome(job, str(error), error.code)
    return Outcome(job)


def host_job(engine: ScreenPort, argument: str) -> Job:
    """A job that listens at what ``/host`` was given: an address, a port on every address, or as usual."""
    where, invited_only = split_flag(argument, _INVITED_ONLY_FLAG)
    bind = f"0.0.0.0:{where}" if where.isdecimal() else where or None
    return Job(lambda: engine.host(bind, invited_only=invited_only))


def split_flag(argument: str, flag: str) -> tuple[str, bool]:
    """Split an argument into what it says and whether ``flag`` is among it."""
    words = argument.split()
    return " ".join(word for word in words if word != flag), flag in words


async def practise_alarm(engine: ScreenPort, practice: PracticeControl, target: str) -> None:
    """Leave the practice peer, let it change its key, and join it again: the engine refuses it."""
    if engine.conversations:
        await engine.leave()
    await practice.alarm()
    await _until_alone(engine)
    await engine.join(target)


async def _until_alone(engine: ScreenPort) -> None:
    """Wait until the old session has ended here too; the engine says what is wrong if it does not."""
    for _ in range(_ALONE_TRIES):
        if not engine.conversations:
            return
        await asyncio.sleep(_ALONE_PAUSE)


async def end_practice_alarm(engine: ScreenPort, practice: PracticeControl, target: str) -> None:
    """Put the practice peer's own key back and join it again."""
    await practice.restore()
    await engine.join(target)
