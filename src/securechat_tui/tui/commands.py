"""The one registry of actions: keys, slash commands, palette, help and footer are all made from it."""

from collections.abc import Iterable

from textual.binding import Binding

from securechat_tui.tui.command import Command, Scope
from securechat_tui.tui.command_keys import KEYS
from securechat_tui.tui.command_words import WORDS

__all__ = ["COMMANDS", "Command", "Scope", "available", "bindings", "find", "parse"]

COMMANDS: tuple[Command, ...] = (*WORDS, *KEYS)
"""Every action there is. What does not exist yet is not listed."""


def available(*, practice: bool) -> tuple[Command, ...]:
    """The actions of this run: those of the practice peer only where there is one."""
    return tuple(command for command in COMMANDS if practice or not command.practice_only)


def bindings(scope: Scope) -> list[Binding]:
    """The key bindings of one scope."""
    return [command.binding() for command in COMMANDS if command.scope is scope and command.keys]


def find(word: str, commands: Iterable[Command]) -> Command | None:
    """The command that answers to a slash word or an id."""
    for command in commands:
        if word == command.id or word in command.words:
            return command
    return None


def parse(text: str) -> tuple[str, str] | None:
    """Split ``/word argument``; None where ``text`` is a message (no slash, or two of them)."""
    if not text.startswith("/") or text.startswith("//"):
        return None
    word, _, argument = text[1:].partition(" ")
    return word.strip(), argument.strip()
