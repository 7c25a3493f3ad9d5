"""What every screen of the lab has: the warning above, the keys below, and what the protocol lacks."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.faces import warning
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.rows import Pair, Row, Rows
from securechat_tui.tui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from securechat_tui.lab.screens.app import LabApp

__all__ = ["LabScreen", "WarningBar", "lacks_rows"]

_ROOMY: int = 28
"""Rows of a terminal from which everything that a protocol lacks is always shown."""
_ALL: str = "This is the lab: its protocols are for learning. Do not use it for anything private."


def lacks_rows(protocol: LabProtocol) -> list[Row]:
    """What a protocol lacks, one row each."""
    return [Pair(Content.styled("-", "$warning"), Content(lack)) for lack in protocol.lacks]


class WarningBar(Static):
    """The warning, which nothing takes away, and what the protocol lacks."""

    def __init__(self, protocol: LabProtocol | None) -> None:
        super().__init__(markup=False)
        self._protocol = protocol

    def describe(self, protocol: LabProtocol) -> None:
        """Warn of another protocol."""
        self._protocol = protocol
        self._write()

    def on_mount(self) -> None:
        """Write it, and again when there is room for more."""
        self.watch(self.app, "size", self._write)
        self._write()

    def _write(self) -> None:
        self.update(self._sentence())

    def _sentence(self) -> Content:
        protocol = self._protocol
        sign = ("▲ ", "bold")
        if protocol is None:
            return Content.assemble(sign, (_ALL, "bold"))
        if self.app.size.height >= _ROOMY:
            lacks = f" It lacks: {'; '.join(protocol.lacks)}."
        else:
            lacks = f" F6: the {len(protocol.lacks)} things it lacks."
        return Content.assemble(sign, (warning(protocol), "bold"), lacks)


class LabScreen(Screen[None]):
    """A screen about a protocol, or about all of them where there is none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", key_display="Esc"),
        Binding("f6", "lacks", "Lacks", key_display="F6"),
    ]

    def __init__(self, protocol: LabProtocol | None = None) -> None:
        super().__init__()
        self.protocol = protocol

    @property
    def keys(self) -> KeyRing:
        """The keys of this run of the lab; making them takes a while, so that they are made once."""
        return cast("LabApp", self.app).keys

    def compose(self) -> ComposeResult:
        """Warning, what is particular to this screen, keys."""
        yield WarningBar(self.protocol)
        with Vertical(classes="lab-body"):
            yield from self.compose_body()
        yield CommandFooter()
        yield TooSmall()

    def compose_body(self) -> ComposeResult:
        """What is particular to this screen."""
        raise NotImplementedError

    def choose(self, protocol: LabProtocol) -> None:
        """Be about another protocol."""
        self.protocol = protocol
        self.query_one(WarningBar).describe(protocol)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is lacking can be told of one protocol at a time."""
        del parameters
        return self.protocol is not None if action == "lacks" else True

    def action_leave(self) -> None:
        """Back to where one was."""
        self.app.pop_screen()

    def action_lacks(self) -> None:
        """List what the protocol lacks."""
        if self.protocol is not None:
            self.app.push_screen(
                Panel(f"What {self.protocol.name} lacks", Rows(lacks_rows(self.protocol), 2))
            )
