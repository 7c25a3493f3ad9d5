"""Where one begins: the protocols, what each lacks, and what to do with it."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList

from securechat_tui.lab.catalogue import PROTOCOLS, LabProtocol
from securechat_tui.lab.screens.attack import AttackScreen
from securechat_tui.lab.screens.follow import FollowScreen
from securechat_tui.lab.screens.frame import LabScreen, lacks_rows
from securechat_tui.lab.screens.lesson import LessonsScreen
from securechat_tui.lab.screens.matrix import MatrixScreen
from securechat_tui.tui.widgets.fitted_options import FittedOptions
from securechat_tui.tui.widgets.rows import Row, Rows

__all__ = ["LabHome"]

_ALL: Final = tuple(PROTOCOLS.values())
_LACKS_COLUMN: Final = 2


def _list_row(protocol: LabProtocol, width: int) -> Content:
    row = Content.assemble((f"{protocol.name:<15}", "bold"), (f"port {protocol.port}", "$muted"))
    return row.truncate(width, ellipsis=True) if width else row


def _card(protocol: LabProtocol) -> list[Row]:
    return [
        Content.styled(protocol.title, "bold"),
        Content(""),
        Content(protocol.explanation),
        Content(""),
        Content.styled("It lacks:", "$warning bold"),
        *lacks_rows(protocol),
    ]


class LabHome(LabScreen):
    """Choose a protocol, type a message, follow it."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#message"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.quit", "Quit", key_display="Esc"),
        Binding("up", "choose('cursor_up')", "Protocol", show=False, priority=True),
        Binding("down", "choose('cursor_down')", "Protocol", show=False, priority=True),
        Binding("f2", "attack", "Attack", key_display="F2"),
        Binding("f3", "matrix", "Matrix", key_display="F3"),
        Binding("f4", "lessons", "Lessons", key_display="F4"),
    ]

    def __init__(self) -> None:
        super().__init__(_ALL[0])

    def compose_body(self) -> ComposeResult:
        """The protocols, the chosen one, and the message."""
        with Container(id="choice-of-protocol"):
            protocols = FittedOptions([partial(_list_row, one) for one in _ALL], id="protocols")
            protocols.border_title = "Protocols (↑↓)"
            protocols.can_focus = False
            yield protocols
            with VerticalScroll(id="card-frame", can_focus=False) as frame:
                frame.border_title = _ALL[0].name
                yield Rows(_card(_ALL[0]), _LACKS_COLUMN)
        message = Input("hello", id="message", select_on_focus=False)
        message.border_title = "Message: Enter sends it, to be followed"
        yield message

    def on_mount(self) -> None:
        """Begin with the first protocol."""
        self.query_one("#protocols", OptionList).highlighted = 0

    @on(OptionList.OptionHighlighted, "#protocols")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        protocol = _ALL[event.option_index]
        self.choose(protocol)
        self.query_one("#card-frame").border_title = Content(protocol.name)
        self.query_one(Rows).update(_card(protocol))

    def action_choose(self, way: str) -> None:
        """Go to another protocol: cursor_up or cursor_down."""
        protocols = self.query_one("#protocols", OptionList)
        (protocols.action_cursor_up if way == "cursor_up" else protocols.action_cursor_down)()

    @on(Input.Submitted, "#message")
    def _follow(self, event: Input.Submitted) -> None:
        if self.protocol is not None:
            self.app.push_screen(FollowScreen(self.protocol, event.value))

    def action_attack(self) -> None:
        """Attack the chosen protocol."""
        if self.protocol is not None:
            self.app.push_screen(AttackScreen(self.protocol))

    def action_matrix(self) -> None:
        """Run everything on everything."""
        self._push(MatrixScreen)

    def action_lessons(self) -> None:
        """Learn something."""
        self._push(LessonsScreen)

    def _push(self, make: Callable[[], Screen[None]]) -> None:
        self.app.push_screen(make())
