"""The command line: it reads the options, and hands on to what they ask for.

Every room is imported only by the command that needs it, so that ``--help`` and ``--version`` answer
at once and the screen can paint before the cryptography is loaded. Bad input is one line on standard
error that says what to do, and an exit code of :class:`ExitCode`; there is never a traceback.
"""
# ruff: noqa: PLC0415 - importing a room only where it is needed is what this module is for

import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar

import click

from securechat_tui.cli.core_dumps import forbid_core_dumps
from securechat_tui.cli.elsewhere import GroupFromElsewhere
from securechat_tui.cli.faces import demo_on_screen, run_headless, run_screen
from securechat_tui.cli.options import PROGRAM, Settings, common
from securechat_tui.headless.exit_codes import ExitCode

__all__ = ["main"]


class _Root(GroupFromElsewhere):
    elsewhere: ClassVar[Mapping[str, str]] = {
        "contacts": "securechat_tui.cli.contacts",
        "doctor": "securechat_tui.cli.doctor",
        "identity": "securechat_tui.cli.identity",
        "lab": "securechat_tui.cli.lab",
        **dict.fromkeys(("demo", "guest", "host", "join", "talk"), "securechat_tui.cli.talking"),
        **dict.fromkeys(("backup", "export", "restore", "transcript", "wipe"), "securechat_tui.cli.keeping"),
    }


@click.group(
    cls=_Root,
    invoke_without_command=True,
    epilog="Example: securechat-tui host; also: backup export restore transcript wipe",
)
@common
@click.pass_context
def _root(context: click.Context) -> int:
    """Private chat between two terminals. Alone, it opens the start screen."""
    if context.invoked_subcommand is not None:
        return ExitCode.DONE
    return _start(context.ensure_object(Settings))


def _start(settings: Settings) -> int:
    """No command: the start screen, or plain lines that wait for /host or /join."""
    if settings.json:
        raise click.UsageError(f"With --json, say what to do: {PROGRAM} host --json, or join.")
    if settings.plain:
        from securechat_tui.headless.openings import Stay

        return run_headless(settings, Stay())
    from securechat_tui.tui.opening import StartScreen

    return run_screen(settings, StartScreen(alone=lambda: demo_on_screen(settings)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with ``arguments`` (those of the process, if None); returns its exit code."""
    sys.excepthook = _last_resort
    forbid_core_dumps()
    _tolerate_narrow_encodings()
    try:
        return int(_root.main(arguments, prog_name=PROGRAM, standalone_mode=False) or ExitCode.DONE)
    except click.ClickException as error:
        return _complain(_usage_sentence(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _leave_quietly()
    except Exception as error:
        code = _code_of(error)
        if code is None:
            raise
        return _complain(str(error), code)


def _code_of(error: Exception) -> ExitCode | None:
    """The exit code of an error of the engine or the profile; None for one that nobody foresaw."""
    from securechat_tui.chat.errors import CommandError
    from securechat_tui.storage.errors import ProfileError

    if isinstance(error, ProfileError):
        return ExitCode.PROFILE
    if isinstance(error, CommandError):
        return _code_of_command(error.code)
    return None


def _code_of_command(code: str) -> ExitCode:
    if code == "code-differs":
        return ExitCode.DISTRUSTED
    return ExitCode.USAGE if code.startswith("bad-") else ExitCode.FAILED


def _usage_sentence(error: click.ClickException) -> str:
    sentence = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{sentence} See: {context.command_path} --help" if context else sentence


def _complain(sentence: str, code: int) -> int:
    click.echo(f"{PROGRAM}: {sentence}", err=True)
    return int(code)


def _leave_quietly() -> int:
    """Nobody reads the output any more; nor shall the interpreter complain about that at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.DONE


def _tolerate_narrow_encodings() -> None:
    """A character that the output cannot show is replaced there and ends nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _last_resort(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """One sentence for a fault of the program: its kind and place, never its values."""
    while isinstance(error, BaseExceptionGroup):  # of tasks: what came first says more
        error = error.exceptions[0]
        kind, trace = type(error), error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    sys.stderr.write(
        f"{PROGRAM}: a fault in the program ended it ({kind.__name__}{where}); please report it.\n"
    )
