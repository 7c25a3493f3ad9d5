"""What one action of the registry is."""

from enum import Enum

import msgspec
from textual.binding import Binding

__all__ = ["Command", "Scope"]


class Scope(Enum):
    """Where an action's keys are bound."""

    APP = "everywhere"
    CHAT = "in the chat"
    COMPOSER = "while typing"
    FIND = "while finding"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One action. ``id`` names it in a keymap; ``words`` are its slash words, the first one preferred."""

    id: str
    title: str
    summary: str
    scope: Scope = Scope.APP
    words: tuple[str, ...] = ()
    argument: str = ""
    keys: str = ""
    key_label: str = ""
    action: str = ""
    footer: bool = False
    palette: bool = False
    practice_only: bool = False
    names: bool = False
    """Whether its argument can be a contact's name."""

    @property
    def usage(self) -> str:
        """The slash word with its argument; empty for a key without a word."""
        return f"/{self.words[0]} {self.argument}".rstrip() if self.words else ""

    def binding(self) -> Binding:
        """The key binding, with the id by which a keymap can rebind it."""
        return Binding(
            self.keys,
            self.action or f"perform('{self.id}')",
            f"/{self.words[0]}" if self.words else self.title,
            show=self.footer,
            key_display=self.key_label or None,
            priority=self.scope is Scope.CHAT or self.id == "interrupt",
            id=self.id,
            tooltip=self.summary,
        )
