"""What is kept and holds some words: of all conversations, the newest last."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from securechat_tui.chat.events import Kept
from securechat_tui.tui import wording
from securechat_tui.tui.widgets.fitted_options import FittedOptions

__all__ = ["Hit", "SearchScreen", "hit_row"]

_BEFORE = 12
"""Characters of a message that are shown before the first of the words."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and with whom it was exchanged."""

    conversation: str
    name: str
    kept: Kept


class SearchScreen(ModalScreen[Hit | None]):
    """A list to pick from; Enter goes to the message."""

    CSS_PATH = "contacts.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close", "Close")]

    def __init__(self, text: str, hits: Sequence[Hit]) -> None:
        super().__init__()
        self._text = text
        self._hits = sorted(hits, key=lambda hit: hit.kept.time)

    def compose(self) -> ComposeResult:
        """The messages, and how to go to one."""
        with Vertical(classes="picker") as frame:
            frame.border_title = Content(f"Search: {self._text}")
            frame.border_subtitle = "Esc closes"
            yield FittedOptions([partial(hit_row, one, self._text) for one in self._hits])
            yield Static(self._hint(), markup=False, classes="picker-hint")

    def _hint(self) -> str:
        count = len(self._hits)
        found = "1 message" if count == 1 else f"{count:,} messages"
        return f"{found}, the newest last. Enter goes there."

    def on_mount(self) -> None:
        """Begin at the newest."""
        self.query_one(OptionList).highlighted = len(self._hits) - 1

    @on(OptionList.OptionSelected)
    def _go(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._hits[event.option_index])

    def action_close(self) -> None:
        """Back, with nothing chosen."""
        self.dismiss(None)


def hit_row(hit: Hit, text: str, width: int) -> Content:
    """Day, with whom, who wrote it, and the message around what was found."""
    kept = hit.kept
    author = "you" if kept.by == "me" else str(kept.name)
    who = f"{hit.name}: " if author == hit.name else f"{hit.name}, {author}: "
    head = Content.assemble((f"{wording.day(kept.time)} ", "$muted"), (who, "bold"))
    return Content.assemble(head, _around(kept.text, text)).truncate(max(width, 1), ellipsis=True)


def _around(message: str, text: str) -> Content:
    line = " ".join(message.split())
    at = line.casefold().find(text.casefold())
    if at < 0:
        return Content(line)
    start = max(0, at - _BEFORE)
    before = ("…" if start else "") + line[start:at]
    stop = at + len(text)
    return Content.assemble(before, (line[at:stop], "bold underline $text-accent"), line[stop:])
