"""Keys of one's own: what the settings say, checked against the registry.

A line that does not fit is left out with a sentence that names it, and its action keeps the usual keys:
a slip of the pen must not keep anybody from their conversation.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from textual.keys import Keys

from securechat_tui.chat.terms import SafeText
from securechat_tui.tui.commands import COMMANDS, Command, Scope

__all__ = ["Keymap", "key_label", "make_keymap"]

_MODIFIERS: Final = frozenset({"ctrl", "alt", "shift", "meta", "super", "hyper"})
_NAMED: Final = frozenset(key.value for key in Keys if "+" not in key.value and "<" not in key.value)
_LABELS: Final = {
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "escape": "Esc",
}
_APART: Final = frozenset({Scope.COMPOSER, Scope.FIND})
"""Scopes of which only one is in force at a time."""


class Keymap(msgspec.Struct, frozen=True):
    """The keys that differ from the usual ones, by id, and a sentence for each line that does not fit."""

    keys: Mapping[str, str]
    complaints: tuple[str, ...] = ()

    def label(self, command: Command) -> str:
        """The keys of an action as they are shown; empty where it has none."""
        own = self.keys.get(command.id)
        if own is None:
            return command.key_label
        return ", ".join(key_label(key) for key in own.split(","))


def key_label(key: str) -> str:
    """A key as it is written for people, such as ``Ctrl+PgUp``."""
    return "+".join(_LABELS.get(part, part.capitalize()) for part in key.split("+"))


def make_keymap(wanted: Mapping[str, str], path: str) -> Keymap:
    """Check the lines of the settings file at ``path`` (``id = "key,key"``)."""
    known = {command.id: command for command in COMMANDS if command.keys}
    keys: dict[str, str] = {}
    complaints = []
    for name, text in wanted.items():
        fault = "" if name in known else "which is no action that has a key (/help lists the keys)"
        fault = fault or _fault_of(text)
        if fault:
            complaints.append(_complaint(path, name, fault))
        else:
            keys[name] = ",".join(_split(text))
    return _without_clashes(keys, complaints, path)


def _split(text: str) -> list[str]:
    return [key for part in text.split(",") if (key := part.strip())]


def _fault_of(text: str) -> str:
    keys = _split(text)
    if not keys:
        return "which names no key"
    wrong = next((key for key in keys if not _is_key(key)), None)
    return f"whose '{wrong}' cannot be a key of its own" if wrong else ""


def _is_key(key: str) -> bool:
    """Whether it is a key that does not type a character."""
    *modifiers, last = key.split("+")
    if not _MODIFIERS.issuperset(modifiers) or not last:
        return False
    return last in _NAMED or (len(last) == 1 and last.isprintable() and bool({*modifiers} - {"shift"}))


def _without_clashes(keys: dict[str, str], complaints: list[str], path: str) -> Keymap:
    """Leave out each line whose key is another action's, until none is."""
    while clash := _first_clash(keys):
        name, key, other = clash
        complaints.append(_complaint(path, name, f"whose '{key}' is the key of {other} already"))
        del keys[name]
    return Keymap(keys, tuple(complaints))


def _first_clash(keys: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The last line that takes another action's key: its id, the key, the other's id."""
    known = {command.id: command for command in COMMANDS}
    for name in reversed(list(keys)):
        command = known[name]
        for other in COMMANDS:
            if other.id == command.id or {command.scope, other.scope} == _APART:
                continue
            shared = {*_split(keys[command.id])} & {*_split(keys.get(other.id, other.keys))}
            if shared:
                return command.id, min(shared), other.id
    return None


def _complaint(path: str, name: str, fault: str) -> str:
    line = SafeText.line(name)
    return f"{path} has under [keys] the line '{line}', {SafeText.line(fault)}: the usual key holds."
