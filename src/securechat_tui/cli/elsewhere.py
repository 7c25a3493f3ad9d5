"""Commands that are imported when they are called, or listed: the screen shall not wait for the others."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click

__all__ = ["GroupFromElsewhere"]


class GroupFromElsewhere(click.Group):
    """A group with commands in other modules."""

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """A command's name, which it has there too, to its module."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every command's name."""
        return sorted([*super().list_commands(context), *self.elsewhere])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command; None where there is none of this name."""
        if name not in self.elsewhere:
            return super().get_command(context, name)
        command = getattr(import_module(self.elsewhere[name]), name)
        return command if isinstance(command, click.Command) else None
