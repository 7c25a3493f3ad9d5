"""The commands about what is kept: taking it elsewhere, proving it, destroying it."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

from pathlib import Path
from typing import Final

import click

from securechat_tui.cli.options import PROGRAM, Settings, common, pass_settings

__all__ = ["backup", "export", "restore", "transcript", "wipe"]

_FILE: Final = click.Path(path_type=Path)


@click.command(
    "export",
    hidden=True,
    epilog=f"\b\nExamples: {PROGRAM} export bob > bob.jsonl\n"
    f"          {PROGRAM} export bob --output bob.jsonl",
)
@click.argument("contact", metavar="[NAME|SHA256:...]", required=False)
@click.option("--output", type=_FILE, metavar="FILE", help="A new file, which only you can read.")
@common
@pass_settings
def export(settings: Settings, contact: str | None, output: Path | None) -> None:
    """Write a kept conversation as JSON Lines, with what proves its authors.

    It is written in clear: whoever reads it reads all, and can prove to others who wrote
    what was signed.
    """
    from securechat_tui.headless import transcripts

    _print(transcripts.export(settings.profile, contact, output))


@click.group("transcript", hidden=True, epilog=f"\b\nExample: {PROGRAM} transcript verify bob.jsonl")
@common
def transcript() -> None:
    """Check an exported conversation."""


@transcript.command(
    "verify",
    epilog=f"\b\nExamples: {PROGRAM} transcript verify bob.jsonl\n"
    f"          {PROGRAM} transcript verify - < bob.jsonl",
)
@click.argument("file", type=_FILE, metavar="FILE|-")
@click.option(
    "--fingerprint", "fingerprints", multiple=True, metavar="SHA256:...",
    help="An author's key, as you know it from its owner; may be given twice.",
)  # fmt: skip
@common
@pass_settings
def _verify(settings: Settings, file: Path, fingerprints: tuple[str, ...]) -> int:
    """Prove who wrote which signed messages of a transcript, in which order. No profile is needed."""
    from securechat_tui.headless import transcripts

    found = None if str(file) == "-" else file
    lines, code = transcripts.verify(found, fingerprints, as_json=settings.json)
    _print(lines)
    return code


@click.command(
    "wipe", hidden=True, epilog=f"\b\nExamples: {PROGRAM} wipe bob\n          {PROGRAM} wipe --everything"
)
@click.argument("contact", metavar="[NAME|SHA256:...]", required=False)
@click.option("--everything", is_flag=True, help="Every conversation; contacts and key stay.")
@common
@pass_settings
def wipe(settings: Settings, contact: str | None, everything: bool) -> None:
    """Destroy what is kept of a conversation, and the key to it, once you have typed the name."""
    from securechat_tui.headless import keeping
    from securechat_tui.headless.asking import confirmed

    if (contact is None) != everything:
        raise click.UsageError("Say whose conversation, or --everything.")
    _print(keeping.wipe(settings.profile, contact, as_json=settings.json, confirm=confirmed))


@click.command("backup", hidden=True, epilog=f"\b\nExample: {PROGRAM} backup alice.backup")
@click.argument("file", type=_FILE)
@common
@pass_settings
def backup(settings: Settings, file: Path) -> None:
    """Write the whole profile, history included, to a FILE under a passphrase of its own."""
    from securechat_tui.headless import keeping

    _print(keeping.back_up(settings.profile, file, as_json=settings.json))


@click.command("restore", hidden=True, epilog=f"\b\nExample: {PROGRAM} --profile new restore alice.backup")
@click.argument("file", type=_FILE)
@common
@pass_settings
def restore(settings: Settings, file: Path) -> None:
    """Bring back what 'backup' wrote, into a profile that is empty."""
    from securechat_tui.headless import keeping

    _print(keeping.restore(settings.profile, file, as_json=settings.json))


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
