"""The list of conversations, without a screen around it and in one."""

from collections.abc import Sequence

import pytest
from several import comes, says
from stage import in_conversation
from textual.app import App, ComposeResult

from securechat_tui.chat.events import Trust
from securechat_tui.tui.talk import Link
from securechat_tui.tui.widgets.conversation_list import ConversationList, ConversationStrip, Place, Places


def places(
    count: int, here: int = 0, *, unread: Sequence[int] = (), asks: Sequence[int] = ()
) -> tuple[Place, ...]:
    """The house and some more."""
    others = (
        Place(
            f"{number}",
            f"person {number}",
            Trust.PINNED,
            Link.CONNECTED,
            5 if number in unread else 0,
            "question" if number in asks else "",
            number == here,
        )
        for number in range(1, count)
    )
    return (Place(None, "house", None, Link.IDLE, 0, "", here == 0), *others)


class ListApp(App[None]):
    """A list alone; it notes what was chosen."""

    def __init__(self, widget: Places) -> None:
        super().__init__()
        self.widget = widget
        self.chosen: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_places_chosen(self, event: Places.Chosen) -> None:
        self.chosen.append(event.conversation)

    def row(self, y: int = 0) -> str:
        return self.widget.render_line(y).text.rstrip()


async def test_all_names_stand_in_the_line_where_they_fit() -> None:
    app = ListApp(ConversationStrip(id="strip"))
    async with app.run_test(size=(60, 10)) as pilot:
        app.widget.show(places(4, 2, unread=[1], asks=[3]))
        await pilot.pause()
        assert app.row().strip() == "house  person 1 5  ▸person 2  person 3 !"


@pytest.mark.parametrize("here", [0, 5, 9])
async def test_where_they_do_not_fit_the_one_on_the_screen_is_there(here: int) -> None:
    app = ListApp(ConversationStrip(id="strip"))
    async with app.run_test(size=(50, 10)) as pilot:
        app.widget.show(places(10, here, unread=[2, 7], asks=[3]))
        await pilot.pause()
        row = app.row().strip()
        assert "▸" in row
        assert len(row) <= 48
        hidden = 10 - sum(name in row for name in ("house", *(f"person {number}" for number in range(1, 10))))
        assert f"+{hidden}" in row
        assert "new" in row


async def test_every_cell_of_the_line_belongs_to_its_name() -> None:
    app = ListApp(ConversationStrip(id="strip"))
    async with app.run_test(size=(50, 10)) as pilot:
        app.widget.show(places(3, 1))
        await pilot.pause()
        for x in (1, 9, 20, 45):
            await pilot.click(app.widget, offset=(x, 0))
        assert app.chosen == [None, "1", "2"]


async def test_the_column_has_two_rows_for_each_and_one_for_the_house() -> None:
    app = ListApp(ConversationList(id="list"))
    async with app.run_test(size=(22, 20)) as pilot:
        app.widget.show(places(4, 2, unread=[1], asks=[3]))
        await pilot.pause()
        assert [app.row(y) for y in range(7)] == [
            "  house",
            "  person 1           5",
            "  ◆ PINNED ● here",
            "▸ person 2",
            "  ◆ PINNED ● here",
            "  person 3",
            "  ! question",
        ]
        for y in (0, 2, 5, 12):
            await pilot.click(app.widget, offset=(3, y))
        assert app.chosen == [None, "1", "3"]


async def test_many_unread_take_three_cells_and_long_names_are_cut() -> None:
    app = ListApp(ConversationList(id="list"))
    async with app.run_test(size=(22, 20)) as pilot:
        name = "somebody with a very long name"
        app.widget.show((Place("1", name, Trust.NEW, Link.LOST, 1234, "", is_here=False),))
        await pilot.pause()
        assert app.row() == "  somebody with a… 99+"
        assert app.row(1) == "  ◇ NEW ✖ lost"


@pytest.mark.parametrize(("width", "is_column"), [(100, False), (116, True)])
async def test_the_log_keeps_enough_room(width: int, is_column: bool) -> None:
    async with in_conversation(size=(width, 36)) as stage:
        stage.engine.emit(*comes("carol"))
        await stage.settle()
        chat = stage.app.chat
        assert chat.query_one("#list-frame").display is is_column
        assert chat.query_one(ConversationStrip).display is not is_column
        assert chat.log_view.size.width > 50


async def test_the_one_on_the_screen_is_in_view_among_many() -> None:
    async with in_conversation(size=(120, 24)) as stage:
        for number in range(14):
            stage.engine.emit(*comes(f"guest {number}"), says(f"guest {number}", 1, "hello"))
        await stage.settle()
        assert stage.app.chat.query_one("#list-frame").scroll_y == 0
        await stage.press("alt+up", "alt+up")
        assert stage.shows("▸ guest 13")
