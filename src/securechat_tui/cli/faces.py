"""From the options to a face: the engine is made and handed to a screen, to lines, or to JSON."""
# ruff: noqa: PLC0415 - a room is imported by the face that needs it, so that the screen can paint first

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from securechat_tui.cli.options import Settings, has_terminal
from securechat_tui.headless.exit_codes import ExitCode

if TYPE_CHECKING:
    from securechat_tui.chat.engine import Engine
    from securechat_tui.headless.openings import Opening
    from securechat_tui.tui.curtain import Curtain
    from securechat_tui.tui.opening import Opening as ScreenOpening

__all__ = ["check_face", "demo_on_screen", "run_headless", "run_screen"]


def run_headless(settings: Settings, opening: "Opening") -> int:
    """Run a face of lines, plain or JSON; returns the exit code. Raises ``click.UsageError`` for both."""
    if settings.plain and settings.json:
        raise click.UsageError("--plain and --json are two faces; choose one.")
    from securechat_tui.headless.faces import run_json, run_plain

    run = run_json if settings.json else run_plain
    return run(_unlocked_engine(settings), opening, settings.name)


def check_face(settings: Settings) -> None:
    """Raise ``click.UsageError`` where a screen is wanted and there is no terminal."""
    if not settings.is_headless and not has_terminal():
        raise click.UsageError("There is no terminal here; add --plain for lines of text, or --json.")


def run_screen(settings: Settings, opening: "ScreenOpening") -> int:
    """Run the screen, behind a curtain until it can be seen; returns the exit code."""
    check_face(settings)
    if settings.name is not None:
        from securechat_tui.headless.records import make_first_identity

        make_first_identity(settings.profile, settings.name)
    from securechat_tui.tui.curtain import Curtain, loading

    curtain = Curtain()
    with loading(curtain):
        return _show(settings, partial(_engine, settings), opening, curtain)


def _show(
    settings: Settings, load: "Callable[[], Engine]", opening: "ScreenOpening", curtain: "Curtain"
) -> int:
    from securechat_tui.chat.glimpse import glimpse
    from securechat_tui.headless.interruption import as_interrupts
    from securechat_tui.tui.app import run
    from securechat_tui.tui.opening import StartScreen

    with as_interrupts() as signals:
        seen = glimpse(settings.profile) if isinstance(opening, StartScreen) else None
        code = run(load, opening, curtain, glimpse=seen, no_color=settings.no_color)
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


def demo_on_screen(settings: Settings) -> int:
    """Run the screen with a practice peer, both with throw-away keys; returns the exit code."""
    from securechat_tui.chat.account import login_name
    from securechat_tui.chat.practice import PracticeThread
    from securechat_tui.tui.curtain import Curtain
    from securechat_tui.tui.opening import Practice

    click.echo("Making throw-away keys for you and a practice peer...", err=True)
    with PracticeThread(settings.name or login_name()) as practice:
        opening = Practice(practice.address, practice)
        return _show(settings, lambda: practice.engine, opening, Curtain())
