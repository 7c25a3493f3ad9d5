"""The commands that begin a conversation: as host, as guest, as whichever comes about, or alone."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

from collections.abc import Callable

import click

from securechat_tui.cli.faces import check_face, demo_on_screen, run_headless, run_screen
from securechat_tui.cli.options import PROGRAM, Settings, common, has_terminal, pass_settings

__all__ = ["demo", "guest", "host", "join", "talk"]

_DEFAULT_PORT = 8000
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - being reached from outside is what hosting is for
_LOOPBACK = "127.0.0.1"


def _endpoint(host: str, port: int) -> str:
    bare = host.removeprefix("[").removesuffix("]")
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


_host_option = click.option("--host", metavar="ADDRESS", help="The address alone, with --port.")
_port_option = click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="The port alone.")


@click.command(
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
def host(settings: Settings, bind: str | None, invited_only: bool, host: str | None, port: int | None) -> int:
    """Listen for a guest."""
    if bind is not None and (host is not None or port is not None):
        raise click.UsageError("--bind already says where; leave out --host and --port.")
    if host is not None or port is not None:
        bind = _endpoint(_EVERYWHERE if host is None else host, _DEFAULT_PORT if port is None else port)
    if settings.is_headless:
        from securechat_tui.headless.openings import HostAt

        return run_headless(settings, HostAt(bind, invited_only))
    from securechat_tui.tui.opening import HostAt as HostAtScreen

    return run_screen(settings, HostAtScreen(bind, invited_only))


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

        check_face(settings)
        target = read_target() if target else ask_target(may_prompt=not settings.json)
    if target is None:
        target = _endpoint(_LOOPBACK if host is None else host, _DEFAULT_PORT if port is None else port)
    if settings.is_headless:
        from securechat_tui.headless.openings import JoinTarget

        return run_headless(settings, JoinTarget(target, new, verify_key))
    from securechat_tui.tui.opening import JoinTarget as JoinTargetOnScreen

    return run_screen(settings, JoinTargetOnScreen(target, new, verify_key))


def _join_command(name: str, *, hidden: bool) -> click.Command:
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
    return command(callback)


join = _join_command("join", hidden=False)
guest = _join_command("guest", hidden=True)


@click.command(
    "talk",
    epilog=f"\b\nExamples: {PROGRAM} talk bob\n          {PROGRAM} talk bob --bind 0.0.0.0:9000\n"
    f"          {PROGRAM} talk bob --plain",
)
@click.argument("contact", metavar="NAME")
@click.option("--bind", metavar="ADDRESS:PORT", help="Where to listen, if not on 0.0.0.0:8000 and IPv6.")
@common
@pass_settings
def talk(settings: Settings, contact: str, bind: str | None) -> int:
    """Talk with a contact, whichever of you calls.

    It listens and calls, until one of the two stands, and so after every cut, until one of you leaves.
    """
    from securechat_tui.chat.openings import TalkTo

    if settings.is_headless:
        return run_headless(settings, TalkTo(contact, bind))
    return run_screen(settings, TalkTo(contact, bind))


@click.command("demo", epilog=f"\b\nExamples: {PROGRAM} demo\n          {PROGRAM} demo | less")
@common
@pass_settings
def demo(settings: Settings) -> int:
    """Try it alone, with a practice peer; /alarm shows a key change."""
    if settings.is_headless or not has_terminal():
        from securechat_tui.headless.demo import run_demo

        return run_demo(settings.name, as_json=settings.json)
    return demo_on_screen(settings)
