"""One line to find a word in the log."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from securechat_tui.tui.commands import Scope, bindings

__all__ = ["FindBar", "count_words"]


class _FindInput(Input):
    """The word; it says which way to go on."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.FIND)]

    def on_mount(self) -> None:
        """A cursor that stands still can be found, too."""
        self.cursor_blink = False

    def action_find_step(self, way: str) -> None:
        """To the next hit: ``older`` or ``newer``."""
        self.post_message(FindBar.Step(older=way == "older"))


class FindBar(Horizontal):
    """Hidden until it is opened. It says what is sought; the screen lets the log find it."""

    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        padding: 0 1;
        background: $panel;

        & > .find-label { width: auto; color: $text-accent; text-style: bold; }
        & > Input { width: 1fr; background: $panel; }
        & > #find-count { width: auto; padding: 0 0 0 1; }
    }
    """

    @dataclass
    class Sought(Message):
        """The word has changed; an empty one takes the marks away."""

        word: str

    @dataclass
    class Step(Message):
        """On to the next hit."""

        older: bool

    def __init__(self) -> None:
        super().__init__(id="find")

    def compose(self) -> ComposeResult:
        """A label, the word, the count."""
        yield Static("⌕ Find ", classes="find-label", markup=False)
        yield _FindInput(compact=True, placeholder="a word", id="find-word")
        yield Static("", id="find-count", markup=False)

    @property
    def _input(self) -> Input:
        return self.query_one("#find-word", Input)

    def open(self, word: str) -> None:
        """Show the bar, with ``word`` if there is one, else with the last one."""
        self.display = True
        if word and word != self._input.value:
            self._input.value = word
        else:
            self.post_message(self.Sought(self._input.value))
        self._input.focus()
        self._input.action_select_all()

    @property
    def sought(self) -> str | None:
        """The word, where the bar is open."""
        return self._input.value if self.display else None

    def restore(self, word: str | None) -> None:
        """Be open with a word, or closed, as when the conversation was left; the log knows its hits."""
        self.display = word is not None
        with self._input.prevent(Input.Changed):
            self._input.value = word or ""
        self.post_message(self.Sought(word or ""))

    def close(self) -> None:
        """Take the bar away."""
        if self.display:
            self.display = False
            self.post_message(self.Sought(""))

    def show_count(self, words: str) -> None:
        """Say how many hits there are; nothing where nothing is sought."""
        words = words if self._input.value else ""
        self.query_one("#find-count", Static).update(words)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self.post_message(self.Sought(event.value))


def count_words(rank: int | None, count: int, *, done: bool, more: bool = False) -> str:
    """Which hit of how many; an ellipsis while the search goes on, a plus where more may be elsewhere."""
    if not count:
        return ("not here: Enter looks further" if more else "not found") if done else "searching …"
    return f"{(rank or 0) + 1} of {count:,}{'' if not done else '+' if more else ''}{'' if done else ' …'}"
