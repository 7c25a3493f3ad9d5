"""Every attack on every protocol: the cells appear as they are computed."""

import threading
from collections.abc import Sequence
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from securechat_tui.lab.attacks import ATTACKS, Outcome
from securechat_tui.lab.catalogue import PROTOCOLS
from securechat_tui.lab.matrix import cells
from securechat_tui.lab.screens.background import in_background
from securechat_tui.lab.screens.frame import LabScreen
from securechat_tui.lab.screens.grid import Grid
from securechat_tui.lab.screens.told import COLUMN, outcome_rows
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.widgets.rows import Rows

__all__ = ["MatrixScreen"]

_LEGEND: Final = "✓ caught  ~ bounded  ✖ OPEN  · not run"


class MatrixScreen(LabScreen):
    """Computes the matrix; Esc stops that and goes, C only stops it."""

    CSS_PATH = "matrix.tcss"
    AUTO_FOCUS = "Grid"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "cancel", "Cancel")]

    class Computed(Message):
        """A cell has been run."""

        def __init__(self, outcome: Outcome) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(
        self, protocols: Sequence[str] = tuple(PROTOCOLS), attacks: Sequence[str] = tuple(ATTACKS)
    ) -> None:
        super().__init__(PROTOCOLS[protocols[0]])
        self._protocols, self._attacks = tuple(protocols), tuple(attacks)
        self.is_computing = False
        """Whether cells are still being computed."""
        self._stops = threading.Event()

    def compose_body(self) -> ComposeResult:
        """Progress, the grid, and the cell one is at."""
        yield Static(markup=False, id="progress")
        with VerticalScroll(id="grid-frame", can_focus=False):
            yield Grid(self._protocols, self._attacks)
        yield Static(_LEGEND, markup=False, id="legend")
        with VerticalScroll(id="cell", can_focus=False) as frame:
            frame.border_title = "Enter opens the cell"
            yield Rows([], COLUMN)

    def on_mount(self) -> None:
        """Begin."""
        self.is_computing = True
        self._tell_progress()
        self._compute()

    @work(group="lab", exit_on_error=False)
    async def _compute(self) -> None:
        try:
            await in_background(self._run_cells)
        finally:
            self.is_computing = False
        self.refresh_bindings()
        self._tell_progress()

    async def _run_cells(self) -> None:
        """Run them, in the other thread, which hands each of them over."""
        async for outcome in cells(self._protocols, self._attacks):
            self.post_message(self.Computed(outcome))
            if self._stops.is_set():
                return

    @on(Computed)
    def _computed(self, event: Computed) -> None:
        self.query_one(Grid).put(event.outcome)
        self._tell_progress(event.outcome)
        self._tell_cell()

    def _tell_progress(self, latest: Outcome | None = None) -> None:
        done, total = self.query_one(Grid).count, len(self._protocols) * len(self._attacks)
        if self.is_computing:
            what = f": {latest.attack} on {latest.protocol} is done" if latest else ""
            words = f"… {done} of {total}{what}; C cancels"
        elif done == total:
            words = f"✓ all {total} cells computed by running them"
        else:
            words = f"! cancelled: {done} of {total} cells were computed"
        self.query_one("#progress", Static).update(Content(words))

    @on(Grid.Moved)
    def _look_at(self) -> None:
        """The warning is about the protocol of the column one is in."""
        self.choose(PROTOCOLS[self.query_one(Grid).protocol])
        self._tell_cell()

    def _tell_cell(self) -> None:
        outcome = self.query_one(Grid).current
        rows = [*outcome_rows(outcome)] if outcome else [Content("This cell has not been run.")]
        self.query_one("#cell Rows", Rows).update(rows)

    @on(Grid.Opened)
    def _open_cell(self) -> None:
        outcome = self.query_one(Grid).current
        if outcome is not None:
            self.app.push_screen(Panel("One cell", Rows([*outcome_rows(outcome)], COLUMN)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to cancel only while it runs."""
        return self.is_computing if action == "cancel" else super().check_action(action, parameters)

    def action_cancel(self) -> None:
        """Run no more cells; those that have been run stay."""
        self._stops.set()
        self.query_one("#progress", Static).update("… stops after the present cell")
