"""The commands of the lab: the ancestors' protocols, the attacks on them, the lessons."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

from pathlib import Path
from typing import TYPE_CHECKING

import click

from securechat_tui.cli.options import PROGRAM, Settings, common, has_terminal, pass_settings
from securechat_tui.headless.exit_codes import ExitCode

if TYPE_CHECKING:
    from securechat_tui.lab.catalogue import LabProtocol
    from securechat_tui.lab.commands import Details

__all__ = ["lab"]

_protocol = click.argument("protocol", metavar="PROTOCOL")
_address = click.argument("address", metavar="[ADDRESS[:PORT]]", required=False)
_user = click.option(
    "--user", type=click.Choice(["alice", "bob", "none"]), default=None, help="relay: whom to play."
)
_framing = click.option(
    "--framing", type=click.Choice(["length", "none"]), default="length", help="five-layer: how units end."
)
_secret = click.option(
    "--secret-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="five-layer: the HMAC's secret.",
)


@click.group(
    "lab",
    invoke_without_command=True,
    epilog=f"\b\nExamples: {PROGRAM} lab host gcm\n          {PROGRAM} lab attack signed-gcm replay",
)
@common
@click.pass_context
def lab(context: click.Context) -> int:
    """Watch old protocols and the attacks on them. Not for private talk."""
    if context.invoked_subcommand is None:
        return int(context.invoke(_begin))
    return ExitCode.DONE


@pass_settings
def _begin(settings: Settings) -> int:
    """The screen, or the list of protocols where there is none."""
    from securechat_tui.lab.commands import list_protocols, show_lab

    if settings.is_headless or not has_terminal():
        return list_protocols(as_json=settings.json)
    return show_lab(no_color=settings.no_color)


@lab.command("list", epilog=f"\b\nExamples: {PROGRAM} lab list\n          {PROGRAM} lab list --json")
@common
@pass_settings
def _list(settings: Settings) -> int:
    """Name the protocols, and say what each lacks."""
    from securechat_tui.lab.commands import list_protocols

    return list_protocols(as_json=settings.json)


@lab.command(
    "host",
    epilog=f"\b\nExamples: {PROGRAM} lab host signed-gcm\n          {PROGRAM} lab host relay 0.0.0.0:5000",
)
@_protocol
@_address
@_user
@_framing
@_secret
@click.option("--key-file", type=click.Path(dir_okay=False, path_type=Path), help="json-cbc-hmac: its key.")
@common
@pass_settings
def _host(  # noqa: PLR0917 - click passes them by name
    settings: Settings,
    protocol: str,
    address: str | None,
    user: str | None,
    framing: str,
    secret_file: Path | None,
    key_file: Path | None,
) -> int:
    """Listen by an old protocol, at 127.0.0.1 unless said otherwise."""
    from securechat_tui.lab.commands import Details

    return _chat(settings, "host", protocol, address, Details(user or "", framing, secret_file, key_file))


@lab.command(
    "join",
    epilog=f"\b\nExamples: {PROGRAM} lab join gcm\n          {PROGRAM} lab join relay 192.0.2.7 --user bob",
)
@_protocol
@_address
@_user
@_framing
@_secret
@common
@pass_settings
def _join(  # noqa: PLR0917
    settings: Settings,
    protocol: str,
    address: str | None,
    user: str | None,
    framing: str,
    secret_file: Path | None,
) -> int:
    """Call a host that speaks an old protocol, at 127.0.0.1 unless said."""
    if user == "none":
        raise click.UsageError("Only a host serves without playing anybody: --user alice or bob.")
    from securechat_tui.lab.commands import Details

    return _chat(settings, "guest", protocol, address, Details(user or "", framing, secret_file))


def _chat(settings: Settings, role: str, protocol: str, address: str | None, details: "Details") -> int:
    from securechat_tui.lab.commands import run_chat, show_chat
    from securechat_tui.network.addresses import BadAddress

    if settings.plain and settings.json:
        raise click.UsageError("--plain and --json are two faces; choose one.")
    try:
        if settings.is_headless or not has_terminal():
            return run_chat(_find(protocol), role, address, details, as_json=settings.json)
        return show_chat(_find(protocol), role, address, details, no_color=settings.no_color)
    except BadAddress as error:
        raise click.UsageError(str(error)) from None


@lab.command(
    "follow",
    epilog=(
        f"\b\nExamples: {PROGRAM} lab follow signed-gcm\n          {PROGRAM} lab follow current "
        "'good morning'"
    ),
)
@_protocol
@click.argument("text", required=False, default="hello")
@common
@pass_settings
def _follow(settings: Settings, protocol: str, text: str) -> int:
    """Send a text between two peers here, and show each step."""
    from securechat_tui.lab.commands import run_follow

    return run_follow(_find(protocol), text, as_json=settings.json)


@lab.command("attack", epilog=f"\b\nExample: {PROGRAM} lab attack signed-gcm replay")
@_protocol
@click.argument("attack", metavar="ATTACK")
@common
@pass_settings
def _attack(settings: Settings, protocol: str, attack: str) -> int:
    """Run one attack, and say what it got and why."""
    from securechat_tui.lab.commands import run_attack

    return run_attack(_find(protocol), _known_attack(attack), as_json=settings.json)


@lab.command(
    "matrix",
    epilog=f"\b\nExamples: {PROGRAM} lab matrix\n          {PROGRAM} lab matrix --protocol gcm --json",
)
@click.option(
    "--protocol", "protocols", multiple=True, metavar="NAME", help="Only this one; may be repeated."
)
@click.option("--attack", "attacks", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@click.option("--markdown", is_flag=True, help="As Markdown, with a paragraph for each cell.")
@common
@pass_settings
def _matrix(settings: Settings, protocols: tuple[str, ...], attacks: tuple[str, ...], markdown: bool) -> int:
    """Run every attack on every protocol, and show what caught it."""
    from securechat_tui.lab.commands import run_matrix

    names = [_find(name).name for name in protocols]
    return run_matrix(
        names, [_known_attack(name) for name in attacks], as_json=settings.json, as_markdown=markdown
    )


@lab.command("lesson", epilog=f"\b\nExamples: {PROGRAM} lab lesson\n          {PROGRAM} lab lesson 5")
@click.argument("number", type=click.IntRange(1, 7), metavar="[1-7]", required=False)
@common
@pass_settings
def _lesson(settings: Settings, number: int | None) -> int:
    """Walk through seven short lessons, with attacks that run."""
    from securechat_tui.lab.commands import run_lessons

    return run_lessons(number, as_json=settings.json)


def _find(name: str) -> "LabProtocol":
    from securechat_tui.lab.catalogue import NAMES
    from securechat_tui.lab.commands import find

    found = find(name)
    if found is None:
        raise click.UsageError(f"There is no protocol {name!r} in the lab: {', '.join(NAMES)}.")
    return found


def _known_attack(name: str) -> str:
    from securechat_tui.lab.attacks import ATTACKS

    if name not in ATTACKS:
        raise click.UsageError(f"There is no attack {name!r} in the lab: {', '.join(ATTACKS)}.")
    return name
