"""The command line: it reads the options, makes the engine and hands it to a face.

Every room is imported only by the command that needs it, so that ``--help`` and ``--version`` answer
at once and the screen can paint before the cryptography is loaded. Bad input is one line on standard
error that says what to do, and an exit code of :class:`ExitCode`; there is never a traceback.
"""
# ruff: noqa: PLC0415 - importing a room only where it is needed is what this module is for

import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from securechat_tui.cli.contacts import contacts
from securechat_tui.cli.core_dumps import forbid_core_dumps
from securechat_tui.cli.doctor import doctor
from securechat_tui.cli.identity import export_identity, import_identity, passphrase
from securechat_tui.cli.keeping import backup, export, restore, transcript, wipe
from securechat_tui.cli.lab import lab
from securechat_tui.cli.options import PROGRAM, Settings, common, has_terminal, pass_settings
from securechat_tui.headless.exit_codes import ExitCode

if TYPE_CHECKING:
    from securechat_tui.chat.engine import Engine
    from securechat_tui.headless.openings import Opening
    from securechat_tui.tui.curtain import Curtain
    from securechat_tui.tui.opening import Opening as ScreenOpening

__all__ = ["main"]

_DEFAULT_PORT = 8000
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - being reached from outside is what hosting is for
_LOOPBACK = "127.0.0.1"


def _endpoint(host: str, port: int) -> str:
    bare = host.removeprefix("[").removesuffix("]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


_host_option = click.option("--host", metavar="ADDRESS", help="The address alone, with --port.")
_port_option = click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="The port alone.")


@click.group(
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


@_root.command(
    "host",
    epilog="\b\nExamples: securechat-tui host\n          securechat-tui host --bind 127.0.0.1:9000\n"
    "          securechat-tui host --json < commands > events",
)
@click.option("--bind", metavar="ADDRESS:PORT", help="Where to listen, if not on 0.0.0.0:8000 and IPv6.")
@click.option("--invite-only", "invited_only", is_flag=True, help="Answer invites and known contacts alone.")
@_host_option
@_port_option
@common
@pass_settings
def _host(
    settings: Settings, bind: str | None, invited_only: bool, host: str | None, port: int | None
) -> int:
    """Listen for a guest."""
    if bind is not None and (host is not None or port is not None):
        raise click.UsageError("--bind already says where; leave out --host and --port.")
    if host is not None or port is not None:
        bind = _endpoint(_EVERYWHERE if host is None else host, _DEFAULT_PORT if port is None else port)
    if settings.is_headless:
        from securechat_tui.headless.openings import HostAt

        return _run_headless(settings, HostAt(bind, invited_only))
    from securechat_tui.tui.opening import HostAt as HostAtScreen

    return _run_screen(settings, HostAtScreen(bind, invited_only))


def _join(
    settings: Settings,
    *,
    target: str | None,
    host: str | None,
    port: int | None,
    new: bool,
    verify_key: str | None,
) -> int:
    """Join a host: an address, a contact's name, or an invite.

    Without a target it is asked for; - reads it from standard input (also: guest).
    """
    named = host is not None or port is not None
    if target is not None and named:
        raise click.UsageError("TARGET already says whom; leave out --host and --port.")
    if new and verify_key is not None:
        raise click.UsageError("--new is for somebody else, --verify-key for a contact; leave one out.")
    if not named and target in (None, "-"):
        from securechat_tui.headless.asking import ask_target, read_target

        _check_face(settings)
        target = read_target() if target else ask_target(may_prompt=not settings.json)
    if target is None:
        target = _endpoint(_LOOPBACK if host is None else host, _DEFAULT_PORT if port is None else port)
    if settings.is_headless:
        from securechat_tui.headless.openings import JoinTarget

        return _run_headless(settings, JoinTarget(target, new, verify_key))
    from securechat_tui.tui.opening import JoinTarget as JoinTargetOnScreen

    return _run_screen(settings, JoinTargetOnScreen(target, new, verify_key))


def _join_command(name: str, *, hidden: bool) -> None:
    command = click.command(
        name,
        help=_join.__doc__,
        hidden=hidden,
        epilog=f"\b\nExamples: {PROGRAM} {name} 192.0.2.7\n          {PROGRAM} {name} bob\n"
        f"          echo hi | {PROGRAM} {name} '[2001:db8::7]:9000' --plain",
    )
    target = click.argument("target", metavar="ADDRESS[:PORT]|NAME|INVITE|-", required=False)
    new = click.option("--new", is_flag=True, help="Somebody else than the one pinned at this address.")
    verify = click.option("--verify-key", metavar="FINGERPRINT", help="Compare codes with this changed key.")
    options = (target, _host_option, _port_option, new, verify, common, pass_settings)
    callback: Callable[..., int] = _join
    for option in reversed(options):
        callback = option(callback)
    _root.add_command(command(callback))


_join_command("join", hidden=False)
_join_command("guest", hidden=True)


@_root.command(
    "talk",
    epilog=f"\b\nExamples: {PROGRAM} talk bob\n          {PROGRAM} talk bob --bind 0.0.0.0:9000\n"
    f"          {PROGRAM} talk bob --plain",
)
@click.argument("name", metavar="NAME")
@click.option("--bind", metavar="ADDRESS:PORT", help="Where to listen, if not on 0.0.0.0:8000 and IPv6.")
@common
@pass_settings
def _talk(settings: Settings, name: str, bind: str | None) -> int:
    """Talk with a contact, whichever of you calls.

    It listens and calls, until one of the two stands, and so after every cut, until one of you leaves.
    """
    from securechat_tui.chat.openings import TalkTo

    if settings.is_headless:
        return _run_headless(settings, TalkTo(name, bind))
    return _run_screen(settings, TalkTo(name, bind))


@_root.command("demo", epilog=f"\b\nExamples: {PROGRAM} demo\n          {PROGRAM} demo | less")
@common
@pass_settings
def _demo(settings: Settings) -> int:
    """Try it alone, with a practice peer; /alarm shows a key change."""
    if settings.is_headless or not has_terminal():
        from securechat_tui.headless.demo import run_demo

        return run_demo(settings.name, as_json=settings.json)
    return _demo_on_screen(settings)


@_root.group("identity", invoke_without_command=True, epilog=f"\b\nExample: {PROGRAM} identity show --pem")
@common
@click.pass_context
def _identity(context: click.Context) -> int:
    """Show, make, protect, export or import your own key."""
    if context.invoked_subcommand is None:
        context.invoke(_identity_show)
    return ExitCode.DONE


@_identity.command("show", epilog=f"\b\nExample: {PROGRAM} identity show --pem > me.pem")
@click.option("--pem", is_flag=True, help="The public key itself, as PEM.")
@common
@pass_settings
def _identity_show(settings: Settings, pem: bool = False) -> None:
    """Show name, fingerprint and picture of your key."""
    from securechat_tui.headless import records

    _print(
        records.pem(settings.profile) if pem else records.identity(settings.profile, as_json=settings.json)
    )


@_identity.command("new", epilog=f"\b\nExample: {PROGRAM} --profile bob identity new --name Bob")
@click.option("--bits", type=click.Choice(["3072", "4096"]), default="3072", help="The size of the RSA key.")
@common
@pass_settings
def _identity_new(settings: Settings, bits: str) -> None:
    """Make a key; where there is one, a new one that it signs."""
    from securechat_tui.headless import records

    if records.has_identity(settings.profile):
        from securechat_tui.headless import identities
        from securechat_tui.headless.asking import confirmed

        lines = identities.replace_key(
            settings.profile,
            int(bits),
            as_json=settings.json,
            confirm=lambda text: confirmed(text, identities.CONFIRMATION),
        )
    else:
        lines = records.make_identity(settings.profile, settings.name, int(bits), as_json=settings.json)
    _print(lines)


_identity.add_command(passphrase)
_identity.add_command(export_identity)
_identity.add_command(import_identity)
_root.add_command(doctor)


_root.add_command(contacts)
_root.add_command(lab)
for _command in (export, transcript, wipe, backup, restore):
    _root.add_command(_command)


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)


def _start(settings: Settings) -> int:
    """No command: the start screen, or plain lines that wait for /host or /join."""
    if settings.json:
        raise click.UsageError(f"With --json, say what to do: {PROGRAM} host --json, or join.")
    if settings.plain:
        from securechat_tui.headless.openings import Stay

        return _run_headless(settings, Stay())
    from securechat_tui.tui.opening import StartScreen

    return _run_screen(settings, StartScreen(alone=lambda: _demo_on_screen(settings)))


def _run_headless(settings: Settings, opening: "Opening") -> int:
    if settings.plain and settings.json:
        raise click.UsageError("--plain and --json are two faces; choose one.")
    from securechat_tui.headless.faces import run_json, run_plain

    run = run_json if settings.json else run_plain
    return run(_unlocked_engine(settings), opening, settings.name)


def _check_face(settings: Settings) -> None:
    if not settings.is_headless and not has_terminal():
        raise click.UsageError("There is no terminal here; add --plain for lines of text, or --json.")


def _run_screen(settings: Settings, opening: "ScreenOpening") -> int:
    _check_face(settings)
    if settings.name is not None:
        from securechat_tui.headless.records import make_first_identity

        make_first_identity(settings.profile, settings.name)
    from securechat_tui.tui.curtain import Curtain, loading

    curtain = Curtain()
    with loading(curtain):
        return _show(settings, _engine(settings), opening, curtain)


def _show(settings: Settings, engine: "Engine", opening: "ScreenOpening", curtain: "Curtain") -> int:
    from securechat_tui.headless.interruption import as_interrupts
    from securechat_tui.tui.app import run

    with as_interrupts() as signals:
        code = run(engine, opening, curtain, settings.no_color)
    return ExitCode.INTERRUPTED if signals else code


def _engine(settings: Settings) -> "Engine":
    from securechat_tui.chat.engine import Engine
    from securechat_tui.chat.profiles import open_profile

    return Engine(open_profile(settings.profile))


def _unlocked_engine(settings: Settings) -> "Engine":
    """Ask for the passphrase, where there is one, before the streams belong to the conversation."""
    from securechat_tui.chat.engine import Engine
    from securechat_tui.chat.profiles import is_locked, open_profile
    from securechat_tui.headless.passphrases import open_keys

    profile = open_profile(settings.profile)
    return Engine(profile, open_keys(profile.open()) if is_locked(profile) else None)


def _demo_on_screen(settings: Settings) -> int:
    from securechat_tui.chat.account import login_name
    from securechat_tui.chat.practice import PracticeThread
    from securechat_tui.tui.curtain import Curtain
    from securechat_tui.tui.opening import Practice

    click.echo("Making throw-away keys for you and a practice peer...", err=True)
    with PracticeThread(settings.name or login_name()) as practice:
        return _show(settings, practice.engine, Practice(practice.address, practice), Curtain())


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
