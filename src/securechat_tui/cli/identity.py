"""The commands that protect one's identity and carry it elsewhere."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

from pathlib import Path
from typing import Final

import click

from securechat_tui.cli.options import PROGRAM, Settings, common, pass_settings

__all__ = ["export_identity", "import_identity", "passphrase"]

_FILE: Final = click.Path(path_type=Path)


@click.command(
    "passphrase",
    epilog=f"\b\nExamples: {PROGRAM} identity passphrase\n          {PROGRAM} identity passphrase --remove",
)
@click.option("--remove", is_flag=True, help="Keep the key without a passphrase again.")
@common
@pass_settings
def passphrase(settings: Settings, remove: bool) -> None:
    """Set, change or remove the passphrase of your key.

    They are asked for at the terminal, unless SECURECHAT_TUI_PASSPHRASE_FD names a
    descriptor: then a line is read for the present one, if any, and a line for the new one.
    """
    from securechat_tui.headless import identities

    _print(identities.change_passphrase(settings.profile, remove=remove, as_json=settings.json))


@click.command("export", epilog=f"\b\nExample: {PROGRAM} identity export alice.backup")
@click.argument("file", type=_FILE)
@common
@pass_settings
def export_identity(settings: Settings, file: Path) -> None:
    """Write key, contacts and name to a FILE under a passphrase."""
    from securechat_tui.headless import identities

    _print(identities.export_identity(settings.profile, file, as_json=settings.json))


@click.command("import", epilog=f"\b\nExample: {PROGRAM} --profile alice identity import alice.backup")
@click.argument("file", type=_FILE)
@common
@pass_settings
def import_identity(settings: Settings, file: Path) -> None:
    """Restore what 'export' wrote, into a profile that is empty."""
    from securechat_tui.headless import identities

    _print(identities.import_identity(settings.profile, file, as_json=settings.json))


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
