"""Rows that pass by Textual's cache of styles look as if they had gone through it."""

from collections.abc import Callable, Sequence

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.filter import LineFilter, Monochrome
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.selection import SELECT_ALL
from textual.strip import Strip

from securechat_tui.chat.events import SafeText
from securechat_tui.tui.widgets.chat_log import ChatLog, MessageEntry

TEXTS = ("hello", "lorem ipsum dolor " * 9, "漢字 " * 30, "one\ntwo", "")


class Shouting(LineFilter):
    """Leaves capitals alone."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [Segment(text.upper(), style, control) for text, style, control in segments]


class RowsApp(App[None]):
    """A log within another widget's background, and line filters that can change."""

    CSS = "ChatLog { height: 1fr; }"

    def __init__(self, css: str) -> None:
        super().__init__()
        self.css = css
        self.more_filters: list[LineFilter] = []

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self.more_filters]

    def compose(self) -> ComposeResult:
        yield ChatLog()

    def on_mount(self) -> None:
        self.stylesheet.add_source(f"ChatLog {{ {self.css} }}")
        self.refresh_css()
        self.log_view.border_title = "title"
        self.log_view.extend(
            MessageEntry(
                id=str(number), time=0, nick=SafeText("bob"), text=SafeText.multi(TEXTS[number % len(TEXTS)])
            )
            for number in range(60)
        )
        self.log_view.focus()

    @property
    def log_view(self) -> ChatLog:
        return self.query_one(ChatLog)


def cells(strips: Sequence[Strip]) -> list[list[Segment]]:
    """Rows, whatever segments they are made of."""
    return [list(Segment.simplify(strip)) for strip in strips]


def rows(log: ChatLog) -> list[list[Segment]]:
    return cells(log.render_lines(log.outer_size.region))


def textuals(log: ChatLog) -> list[list[Segment]]:
    """What Textual would make of the same."""
    log._styles_cache.clear()
    return cells(ScrollView.render_lines(log, log.outer_size.region))


def screen(app: RowsApp) -> list[list[Segment]]:
    return cells(app.screen._compositor.render_strips())


SHEETS = {
    "bare": "",
    "in a border": "border: round red;",
    "with padding and a wide scrollbar": "border: heavy green; padding: 1 2 0 3; scrollbar-size-vertical: 2;",
    "only a top": "border-top: solid blue;",
    "tinted": "border: round red; tint: red 40%;",
    "half opaque": "opacity: 50%;",
    "with a faint text": "text-opacity: 50%;",
    "outlined": "outline: round red;",
    "hatched": "hatch: cross green;",
}


def choose_theme(app: RowsApp) -> None:
    app.theme = "textual-light"


def select_by_mouse(app: RowsApp) -> None:
    app.screen.selections = {app.log_view: SELECT_ALL}


def colour_what_is_beneath(app: RowsApp) -> None:
    app.stylesheet.add_source("Screen { background: blue; } ChatLog { background: red 20%; }")
    app.refresh_css()


CHANGES: dict[str, Callable[[RowsApp], object]] = {
    "another theme": choose_theme,
    "another background": colour_what_is_beneath,
    "a filter more": lambda app: app.more_filters.append(Shouting()),
    "no colour": lambda app: app.more_filters.append(Monochrome()),
    "a selection by mouse": select_by_mouse,
    "a selected message": lambda app: app.log_view.select_previous(),
    "a hit": lambda app: app.log_view.find("ipsum"),
    "a border": lambda app: setattr(app.log_view.styles, "border", ("double", "yellow")),
    "an opacity": lambda app: setattr(app.log_view.styles, "opacity", 0.4),
    "a tint": lambda app: setattr(app.log_view.styles, "tint", "green 30%"),
    "a page up": lambda app: app.log_view.scroll_page_up(),
}


@pytest.mark.parametrize("css", SHEETS.values(), ids=SHEETS)
async def test_whatever_the_style_sheet_rows_look_as_if_textual_had_drawn_them(css: str) -> None:
    app = RowsApp(css)
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        assert rows(app.log_view) == textuals(app.log_view)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("css", ["", SHEETS["in a border"]], ids=["bare", "in a border"])
async def test_a_change_is_seen_in_rows_that_were_drawn_before(
    css: str, change: Callable[[RowsApp], object]
) -> None:
    app = RowsApp(css)
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        before = screen(app)
        change(app)
        app.log_view.refresh()
        await pilot.pause()
        await pilot.pause()
        assert screen(app) != before
        assert rows(app.log_view) == textuals(app.log_view)


@pytest.mark.parametrize("css", ["", SHEETS["with padding and a wide scrollbar"]], ids=["bare", "padded"])
async def test_another_size_is_drawn_anew(css: str) -> None:
    app = RowsApp(css)
    async with app.run_test(size=(50, 20)) as pilot:
        for size in ((80, 12), (9, 6), (33, 30), (4, 2), (50, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert rows(app.log_view) == textuals(app.log_view)
            assert all(len(strip.text) for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize("css", ["", SHEETS["with padding and a wide scrollbar"]], ids=["bare", "padded"])
async def test_any_part_of_the_log_can_be_asked_for(css: str) -> None:
    app = RowsApp(css)
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        log, region = app.log_view, app.log_view.outer_size.region
        whole = log.render_lines(region)
        for crop in (Region(0, y, 50, height) for y in range(20) for height in range(1, 21 - y)):
            assert cells(log.render_lines(crop)) == cells(whole[crop.y : crop.bottom])
        for crop in (Region(3, 0, 20, 20), Region(0, 4, 49, 7), Region(49, 2, 1, 9)):
            cut = [strip.crop(crop.x, crop.right) for strip in whole[crop.y : crop.bottom]]
            assert cells(log.render_lines(crop)) == cells(cut)


@pytest.mark.parametrize("css", ["", SHEETS["in a border"]], ids=["bare", "in a border"])
async def test_a_row_is_cut_as_any_other_strip(css: str) -> None:
    app = RowsApp(css)
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        for row in app.log_view.render_lines(app.log_view.outer_size.region):
            for cuts in ([50], [49, 50], [48, 49, 50], [48, 50], [10, 48, 50], [10], [48], []):
                plain = Strip(list(row), row.cell_length)
                assert cells(row.divide(cuts)) == cells(plain.divide(cuts))


async def test_the_scrollbar_is_that_of_textual_wherever_it_stands() -> None:
    app = RowsApp("scrollbar-size-vertical: 2;")
    async with app.run_test(size=(50, 20)) as pilot:
        await pilot.pause()
        bar = app.log_view.vertical_scrollbar
        for y in range(0, app.log_view.max_scroll_y + 1, 3):
            app.log_view.scroll_to(y=y)
            bar.mouse_over = bool(y % 2)
            await pilot.pause()
            region = bar.outer_size.region
            assert cells(bar.render_lines(region)) == cells(ScrollBar.render_lines(bar, region))


@pytest.mark.parametrize("count", [1, 5, 300])
async def test_the_marker_is_drawn_above_a_row_that_is_finished_already(count: int) -> None:
    app = RowsApp("")
    async with app.run_test(size=(60, 200)) as pilot:
        log = app.log_view
        for change in (log.clear_unread_marker, lambda: log.mark_unread(count), log.clear_unread_marker):
            change()
            await pilot.pause()
            assert rows(log) == textuals(log)
