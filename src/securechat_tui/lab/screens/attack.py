"""The attacks on one protocol: choose one, and it runs."""

from functools import partial
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList

from securechat_tui.lab.attacks import ATTACKS, Attack, Bench
from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.screens.background import in_background
from securechat_tui.lab.screens.frame import LabScreen
from securechat_tui.lab.screens.told import COLUMN, outcome_rows
from securechat_tui.tui.widgets.fitted_options import FittedOptions
from securechat_tui.tui.widgets.rows import Row, Rows

__all__ = ["AttackScreen"]

_ALL: Final = tuple(ATTACKS.values())


def _list_row(attack: Attack, width: int) -> Content:
    row = Content(attack.name)
    return row.truncate(width, ellipsis=True) if width else row


def _before(attack: Attack) -> list[Row]:
    return [
        Content.styled(attack.name, "bold"),
        Content(f"The attacker will {attack.tries}."),
        Content(""),
        Content("Enter runs it: between two peers, by a man in the middle who has every byte."),
    ]


class AttackScreen(LabScreen):
    """The man in the middle does what is chosen, and what he got is told."""

    CSS_PATH = "attack.tcss"
    AUTO_FOCUS = "#attacks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "move('page_up')", "Text", show=False, priority=True),
        Binding("pagedown", "move('page_down')", "Text", key_display="PgDn", priority=True),
    ]

    def __init__(self, protocol: LabProtocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol

    def compose_body(self) -> ComposeResult:
        """The attacks, and what the chosen one is or has come to."""
        with Container(id="choice-of-attack"):
            attacks = FittedOptions([partial(_list_row, one) for one in _ALL], id="attacks")
            attacks.border_title = Content(f"Attacks on {self._protocol.name}")
            yield attacks
            with VerticalScroll(id="outcome", can_focus=False) as frame:
                frame.border_title = "Enter runs it"
                yield Rows(_before(_ALL[0]), COLUMN)

    def on_mount(self) -> None:
        """Begin with the first."""
        self.query_one("#attacks", OptionList).highlighted = 0

    @on(OptionList.OptionHighlighted, "#attacks")
    def _describe(self, event: OptionList.OptionHighlighted) -> None:
        self.workers.cancel_group(self, "lab")
        self._tell("Enter runs it", _before(_ALL[event.option_index]))

    @on(OptionList.OptionSelected, "#attacks")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._run_attack(_ALL[event.option_index])

    def _tell(self, title: str, rows: list[Row]) -> None:
        frame = self.query_one("#outcome")
        frame.border_title = title
        self.query_one(Rows).update(rows)
        frame.scroll_home(animate=False)

    @work(group="lab", exclusive=True, exit_on_error=False)
    async def _run_attack(self, attack: Attack) -> None:
        self._tell("Running…", [*_before(attack)[:-1], Content("It runs now…")])
        bench = Bench(self._protocol, self.keys)
        outcome = await in_background(lambda: attack.run(bench))
        self._tell("What was measured", [*outcome_rows(outcome)])

    def action_move(self, way: str) -> None:
        """Go through the text: page_up or page_down."""
        frame = self.query_one("#outcome")
        (frame.scroll_page_up if way == "page_up" else frame.scroll_page_down)(animate=False)
