"""The grid of the matrix: attacks down, protocols across, a glyph and a word in each cell."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.widget import Widget

from securechat_tui.lab.attacks import Outcome
from securechat_tui.lab.screens.told import GLYPHS, STATE_COLOURS

__all__ = ["Grid"]

_NAMES: Final = {
    "gcm": ("gcm", "gcm"),
    "signed-gcm": ("signed", "sig"),
    "json-cbc-hmac": ("json", "jsn"),
    "five-layer": ("five", "fiv"),
    "relay": ("relay", "rel"),
    "current": ("current", "cur"),
}
"""What stands above a column, where there is room and where there is little."""
_ROOMY_CELL: Final = 11
_SMALL_CELL: Final = 4
_SHOWN_WORDS: Final = {"caught": "caught", "bounded": "bounded", "open": "OPEN"}


class Grid(Widget, can_focus=True):
    """Shows outcomes; the arrow keys go from cell to cell."""

    DEFAULT_CSS = "Grid { width: 1fr; height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1, 0)", "Cell", key_display="↑↓←→"),
        Binding("down", "move(1, 0)", "Cell", show=False),
        Binding("left", "move(0, -1)", "Cell", show=False),
        Binding("right", "move(0, 1)", "Cell", show=False),
        Binding("enter", "open", "Why", key_display="Enter"),
    ]

    class Moved(Message):
        """Another cell is the present one."""

    class Opened(Message):
        """Enter was pressed on a cell."""

    def __init__(self, protocols: Sequence[str], attacks: Sequence[str]) -> None:
        super().__init__()
        self._protocols, self._attacks = tuple(protocols), tuple(attacks)
        self._outcomes: dict[tuple[str, str], Outcome] = {}
        self._row = self._column = 0
        self._label = max(map(len, self._attacks))

    @property
    def count(self) -> int:
        """How many cells there are results of."""
        return len(self._outcomes)

    @property
    def protocol(self) -> str:
        """The protocol of the present column."""
        return self._protocols[self._column]

    @property
    def current(self) -> Outcome | None:
        """The result of the present cell."""
        return self._outcomes.get((self._attacks[self._row], self._protocols[self._column]))

    def put(self, outcome: Outcome) -> None:
        """Fill a cell."""
        self._outcomes[outcome.attack, outcome.protocol] = outcome
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row for each attack, and one for the names."""
        del container, viewport, width
        return len(self._attacks) + 1

    def render(self) -> Content:
        """All rows."""
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> Iterator[Content]:
        roomy = width - self._label >= _ROOMY_CELL * len(self._protocols)
        cell = _ROOMY_CELL if roomy else _SMALL_CELL
        names = [_NAMES[name][not roomy].rjust(cell - 1 if not roomy else 0) for name in self._protocols]
        heads = "".join(f" {name:<{cell - 1}}" for name in names)
        yield Content.styled(" " * self._label + heads, "bold")
        for row, attack in enumerate(self._attacks):
            cells = [self._cell(row, column, cell) for column in range(len(self._protocols))]
            style = "bold" if row == self._row else ""
            yield Content.assemble((f"{attack:<{self._label}}", style), *cells)

    def _cell(self, row: int, column: int, width: int) -> Content:
        outcome = self._outcomes.get((self._attacks[row], self._protocols[column]))
        words = "·" if width == _SMALL_CELL else "· "
        if outcome is not None:
            glyph, word = GLYPHS[outcome.state], _SHOWN_WORDS[outcome.state]
            words = glyph if width == _SMALL_CELL else f"{glyph} {word}"
        style = STATE_COLOURS[outcome.state] if outcome else "$muted"
        if (row, column) == (self._row, self._column):
            style = f"{style} bold reverse"
        return Content.assemble(" ", (f"{words:<{width - 2}}", style), " ")

    def action_move(self, down: int, right: int) -> None:
        """Go to a neighbour."""
        self._row = min(max(self._row + down, 0), len(self._attacks) - 1)
        self._column = min(max(self._column + right, 0), len(self._protocols) - 1)
        if self.parent is not None and isinstance(self.parent, Widget):
            top = self._row if self._row == 0 else self._row + 1
            self.parent.scroll_to_region(Region(0, top, 1, 1), animate=False)
        self.refresh()
        self.post_message(self.Moved())

    def action_open(self) -> None:
        """Show the present cell in full."""
        self.post_message(self.Opened())
