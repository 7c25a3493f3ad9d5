"""The options that every command takes, before or after its name."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from securechat_tui import __version__

__all__ = ["PROGRAM", "Settings", "common", "has_terminal", "pass_settings"]

PROGRAM: Final = "securechat-tui"

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


@dataclass(slots=True)
class Settings:
    """The options that every command takes, before or after its name."""

    profile: str | None = None
    name: str | None = None
    plain: bool = False
    json: bool = False
    no_color: bool = False

    @property
    def is_headless(self) -> bool:
        """Lines were asked for instead of a screen."""
        return self.plain or self.json


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    settings = context.ensure_object(Settings)
    if value:
        setattr(settings, str(parameter.name), value)


def _show_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"{PROGRAM} {__version__}")
        context.exit()


def _option(flag: str, text: str, *, metavar: str | None = None) -> Callable[[_Decorated], _Decorated]:
    is_flag = metavar is None
    return click.option(flag, metavar=metavar, is_flag=is_flag, expose_value=False, callback=_keep, help=text)


def common(command: _Decorated) -> _Decorated:
    """Add the options that work everywhere."""
    version = click.option("--version", is_flag=True, is_eager=True, expose_value=False,
                           callback=_show_version, help="Show the version.")  # fmt: skip
    options = (
        _option("--profile", "Be another person: own key, own contacts.", metavar="NAME"),
        _option("--name", "Your name, if the key is made now.", metavar="NAME"),
        _option("--plain", "Lines instead of a screen."),
        _option("--json", "JSON lines, for programs."),
        _option("--no-color", "No colours."),
        version,
    )
    for option in reversed(options):
        command = option(command)
    return command


pass_settings = click.make_pass_decorator(Settings, ensure=True)


def has_terminal() -> bool:
    """Whether there is a terminal to draw a screen on."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
