"""The commands that make one's identity, show it, protect it and carry it elsewhere."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from securechat_tui.cli.options import PROGRAM, Settings, common, pass_settings
from securechat_tui.headless.exit_codes import ExitCode

__all__ = ["identity"]

_FILE: Final = click.Path(path_type=Path)


@click.group("identity", invoke_without_command=True, epilog=f"\b\nExample: {PROGRAM} identity show --pem")
@common
@click.pass_context
def identity(context: click.Context) -> int:
    """Show, make, protect, export or import your own key."""
    if context.invoked_subcommand is None:
        context.invoke(_show)
    return ExitCode.DONE


@identity.command("show", epilog=f"\b\nExample: {PROGRAM} identity show --pem > me.pem")
@click.option("--pem", is_flag=True, help="The public key itself, as PEM.")
@common
@pass_settings
def _show(settings: Settings, pem: bool = False) -> None:
    """Show name, fingerprint and picture of your key."""
    from securechat_tui.headless import records

    _print(
        records.pem(settings.profile) if pem else records.identity(settings.profile, as_json=settings.json)
    )


@identity.command("new", epilog=f"\b\nExample: {PROGRAM} --profile bob identity new --name Bob")
@click.option("--bits", type=click.Choice(["3072", "4096"]), default="3072", help="The size of the RSA key.")
@common
@pass_settings
def _new(settings: Settings, bits: str) -> None:
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


@identity.command(
    "passphrase",
    epilog=f"\b\nExamples: {PROGRAM} identity passphrase\n          {PROGRAM} identity passphrase --remove",
)
@click.option("--remove", is_flag=True, help="Keep the key without a passphrase again.")
@common
@pass_settings
def _passphrase(settings: Settings, remove: bool) -> None:
    """Set, change or remove the passphrase of your key.

    They are asked for at the terminal, unless SECURECHAT_TUI_PASSPHRASE_FD names a
    descriptor: then a line is read for the present one, if any, and a line for the new one.
    """
    from securechat_tui.headless import identities

    _print(identities.change_passphrase(settings.profile, remove=remove, as_json=settings.json))


@identity.command("export", epilog=f"\b\nExample: {PROGRAM} identity export alice.backup")
@click.argument("file", type=_FILE)
@common
@pass_settings
def _export_identity(settings: Settings, file: Path) -> None:
    """Write key, contacts and name to a FILE under a passphrase."""
    from securechat_tui.headless import identities

    _print(identities.export_identity(settings.profile, file, as_json=settings.json))


@identity.command("import", epilog=f"\b\nExample: {PROGRAM} --profile alice identity import alice.backup")
@click.argument("file", type=_FILE)
@common
@pass_settings
def _import_identity(settings: Settings, file: Path) -> None:
    """Restore what 'export' wrote, into a profile that is empty."""
    from securechat_tui.headless import identities

    _print(identities.import_identity(settings.profile, file, as_json=settings.json))


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
