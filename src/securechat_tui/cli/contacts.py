"""The commands about the people pinned here."""
# ruff: noqa: PLC0415 - a room is imported by the command that needs it, so that --help answers at once

from collections.abc import Sequence

import click

from securechat_tui.cli.options import PROGRAM, Settings, common, pass_settings
from securechat_tui.headless.exit_codes import ExitCode

__all__ = ["contacts"]


@click.group("contacts", invoke_without_command=True, epilog=f"\b\nExample: {PROGRAM} contacts show bob")
@common
@click.pass_context
def contacts(context: click.Context) -> int:
    """List, show, verify, block or forget the people pinned here."""
    if context.invoked_subcommand is None:
        context.invoke(_contacts_list)
    return ExitCode.DONE


@contacts.command("list", epilog=f"\b\nExample: {PROGRAM} contacts list --json")
@common
@pass_settings
def _contacts_list(settings: Settings) -> None:
    """List name, trust, fingerprint and addresses."""
    from securechat_tui.headless import people

    _print(people.contacts(settings.profile, as_json=settings.json))


@contacts.command("show", epilog=f"\b\nExample: {PROGRAM} contacts show bob")
@click.argument("contact", metavar="NAME")
@common
@pass_settings
def _contacts_show(settings: Settings, contact: str) -> None:
    """Show one contact, with the picture of the key."""
    from securechat_tui.headless import people

    _print(people.contact(settings.profile, contact, as_json=settings.json))


@contacts.command(
    "verify",
    epilog=f"\b\nExamples: {PROGRAM} contacts verify bob\n"
    f"          {PROGRAM} contacts verify bob --digits '1147 4593 ...'",
)
@click.argument("contact", metavar="NAME")
@click.option("--digits", metavar="DIGITS", help="The 40 digits, as the other side reads them out.")
@common
@pass_settings
def _contacts_verify(settings: Settings, contact: str, digits: str | None) -> None:
    """Compare the twelve words that your key and a contact's have in common."""
    from securechat_tui.headless.comparison import compare

    _print(compare(settings.profile, contact, digits, as_json=settings.json))


@contacts.command("forget", epilog=f"\b\nExample: {PROGRAM} contacts forget bob")
@click.argument("contact", metavar="NAME")
@common
@pass_settings
def _contacts_forget(settings: Settings, contact: str) -> None:
    """Drop a contact's pin; the next meeting is a first one. What was said is kept: 'wipe' destroys."""
    from securechat_tui.headless import people

    _print(people.forget(settings.profile, contact, as_json=settings.json))


@contacts.command("block", epilog=f"\b\nExample: {PROGRAM} contacts block bob")
@click.argument("contact", metavar="NAME")
@common
@pass_settings
def _contacts_block(settings: Settings, contact: str) -> None:
    """Refuse a contact's key, whoever calls whom."""
    from securechat_tui.headless import people

    _print(people.block(settings.profile, contact, blocked=True, as_json=settings.json))


@contacts.command("unblock", epilog=f"\b\nExample: {PROGRAM} contacts unblock bob")
@click.argument("contact", metavar="NAME")
@common
@pass_settings
def _contacts_unblock(settings: Settings, contact: str) -> None:
    """Take a block back; the key is worth what it was."""
    from securechat_tui.headless import people

    _print(people.block(settings.profile, contact, blocked=False, as_json=settings.json))


def _print(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
