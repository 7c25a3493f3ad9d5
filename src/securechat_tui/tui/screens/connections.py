"""What came and went since the program began, as a log."""

from collections.abc import Sequence

from textual.content import Content

from securechat_tui.chat.views import ConnectionView
from securechat_tui.tui import wording
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.widgets.rows import Pair, Row, Rows

__all__ = ["ConnectionsScreen", "connection_rows"]

_COLUMN = 10
_NONE = "No connection has come about since the program began."
_WAYS = {"in": ("←", "called here"), "out": ("→", "called from here")}


class ConnectionsScreen(Panel):
    """The last connections, newest last."""

    def __init__(self, connections: Sequence[ConnectionView]) -> None:
        super().__init__("Connections", Rows(connection_rows(connections), _COLUMN))

    def on_mount(self) -> None:
        """What happened last is what one comes for."""
        self.query_one("#panel-body").scroll_end(animate=False)


def connection_rows(connections: Sequence[ConnectionView]) -> list[Row]:
    """Time and direction; who and where; what became of it, and how long it stood."""
    return [_row(one) for one in connections] or [Content(_NONE)]


def _row(one: ConnectionView) -> Row:
    glyph, way = _WAYS[one.direction]
    when = Content.assemble((wording.clock_time(one.time), "$muted"), f" {glyph}")
    who = f"{one.who}, " if one.who else ""
    outcome = one.outcome or "stands"
    what = Content.assemble(
        (f"{who}{one.address}", "bold"),
        f" {way}: {outcome}",
        (f", {wording.duration_words(one.duration)}", "$muted"),
    )
    return Pair(when, what)
