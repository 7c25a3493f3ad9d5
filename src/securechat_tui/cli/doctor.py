"""The command that looks whether everything is as it should be."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

import click

from securechat_tui.cli.options import PROGRAM, Settings, common, pass_settings

__all__ = ["doctor"]


@click.command("doctor", epilog=f"\b\nExamples: {PROGRAM} doctor\n          {PROGRAM} doctor --json")
@common
@pass_settings
def doctor(settings: Settings) -> int:
    """Check files, key, terminal, network and clock.

    Each finding says what to do. Nothing is changed or asked for. Exits with 1 where something is wrong.
    """
    from securechat_tui.headless.doctor import run_doctor

    return run_doctor(settings.profile, as_json=settings.json)
