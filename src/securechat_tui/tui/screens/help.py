"""F1: every key and command, from the registry."""

from collections.abc import Iterable

from textual.content import Content

from securechat_tui.tui.commands import Command, Scope
from securechat_tui.tui.keymap import Keymap
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.widgets.rows import Pair, Row, Rows

__all__ = ["HelpScreen"]

_KEY_COLUMN = 4
_COLUMN = 28
_TICKS = "○ queued   ✓ sent   ✓✓ delivered   ! failed"
_RECORD = "Signed is on the record: your peer can prove that you wrote it."
_LITERAL = "// begins a message with a slash. An unknown command is never sent."


class HelpScreen(Panel):
    """The registry, written out."""

    def __init__(self, commands: Iterable[Command], keymap: Keymap) -> None:
        super().__init__("Help", Rows(_help_rows(tuple(commands), keymap), _COLUMN))


def _help_rows(commands: tuple[Command, ...], keymap: Keymap) -> list[Row]:
    lines: list[Row] = [
        Content.styled("Commands", "bold"),
        *(_word_row(one, keymap) for one in commands if one.words),
    ]
    for scope in Scope:
        keyed = [one for one in commands if one.scope is scope and one.keys and not one.words]
        lines += [Content(""), Content.styled(f"Keys {scope.value}", "bold")]
        lines += [_row(keymap.label(one), one.summary) for one in keyed]
    lines += [Content(""), Content.styled("Signs", "bold"), Content(f"  {_TICKS}"), Content(f"  {_LITERAL}")]
    lines.append(Content(f"  {_RECORD}"))
    return lines


def _word_row(command: Command, keymap: Keymap) -> Pair:
    words = command.usage if command.argument else "  ".join(f"/{word}" for word in command.words)
    keys = keymap.label(command)
    return _row(f"{keys:<{_KEY_COLUMN - 1}} {words}", command.summary)


def _row(left: str, right: str) -> Pair:
    return Pair(Content.styled(f"  {left}", "$primary"), Content(right))
