"""The line of keys at the bottom."""

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from securechat_tui.tui.commands import COMMANDS

__all__ = ["CommandFooter"]

_PLACES = {command.binding().action: place for place, command in enumerate(COMMANDS)}


class CommandFooter(Footer):
    """Keys in the order of the registry; those that do not fit as a whole are left out, from the right."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)

    def compose(self) -> ComposeResult:
        """The keys of the present screen."""
        keys = [one for one in super().compose() if isinstance(one, FooterKey)]
        keys.sort(key=lambda one: _PLACES.get(one.action, len(_PLACES)))
        self._fit(keys, self.app.size.width)
        yield from keys

    def on_resize(self, event: Resize) -> None:
        """Leave out what does not fit any more, or take it in again."""
        self._fit(list(self.query(FooterKey)), event.size.width)

    @staticmethod
    def _fit(keys: list[FooterKey], width: int) -> None:
        used = 0
        for key in keys:
            used += cell_len(f"{key.key_display} {key.description}")
            key.display = used <= width
            used += 1
