"""Older entries put before those that are there: nothing moves, and nothing is lost or counted twice."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_chat_log import NOON, LogApp, message, messages, shown
from textual.selection import SELECT_ALL

from securechat_tui.chat.events import SafeText
from securechat_tui.tui.widgets.chat_log import ChatLog, Entry, MessageEntry, NoticeEntry, Tick
from securechat_tui.tui.widgets.log_model import LogModel, RowKind
from securechat_tui.tui.widgets.log_search import LogSearch
from securechat_tui.tui.widgets.log_store import CHUNK

DAY = 86_400.0
OLDER = "older messages"


def spread(count: int) -> list[Entry]:
    """Messages over several days, with texts of all lengths."""
    return [
        MessageEntry(
            id=f"m{number}",
            time=NOON + number * DAY / 7,
            nick=SafeText("bob"),
            text=SafeText(f"message {number}" + " lorem ipsum" * (number * 7 % 23)),
        )
        for number in range(count)
    ]


def built(pages: Sequence[Sequence[Entry]]) -> LogModel:
    """The last page appended, the ones before it put before it, newest first."""
    model = LogModel()
    for entry in pages[-1]:
        model.append(entry)
    for page in reversed(pages[:-1]):
        model.prepend(page)
    return model


def rows_of(model: LogModel) -> list[tuple[str, tuple[RowKind, ...], int]]:
    return [
        (model.entry(index).text, model.layout(index).head, model.measure(index))
        for index in range(model.first, model.stop)
    ]


@given(st.lists(st.integers(0, 150), min_size=1, max_size=6), st.integers(1, 90))
def test_page_by_page_or_at_once_is_the_same_log(sizes: list[int], width: int) -> None:
    entries, pages, start = spread(sum(sizes)), [], 0
    for size in sizes:
        pages.append(entries[start : start + size])
        start += size
    model, plain = built(pages), built([entries])
    model.resize(width)
    plain.resize(width)
    assert rows_of(model) == rows_of(plain)
    assert model.height == plain.height
    first = model.first
    for row in range(0, model.height, max(1, model.height // 50)):
        index, offset = model.locate(row)
        assert (index - first, offset) == plain.locate(row)
        assert model.row_of(index) + offset == row


class Stretch:
    """A log that holds a part of something longer, which it grows into and gives up."""

    def __init__(self, entries: list[Entry], width: int) -> None:
        self.entries, self.model = entries, LogModel()
        self.low = self.high = len(entries) // 2
        self.step("behind", 1)  # from now on it knows how wide the nicks are
        self.model.resize(width)

    def step(self, way: str, count: int) -> None:
        match way:
            case "before":
                self.model.prepend(self.entries[self.low - count : self.low])
                self.low -= count
            case "behind":
                for entry in self.entries[self.high : self.high + count]:
                    self.model.append(entry, is_new=False)
                self.high += count
            case "first" if len(self.model) >= 2 * CHUNK:
                self.low += len(self.model.drop_first())
            case "last" if len(self.model):
                self.high -= len(self.model.drop_last())
            case _:
                for index in range(self.model.first, self.model.stop, 3):
                    self.model.measure(index)


STEPS = st.lists(
    st.tuples(st.sampled_from(["before", "behind", "first", "last", "measured"]), st.integers(1, 150)),
    max_size=12,
)


@given(STEPS, st.integers(1, 90))
@settings(max_examples=40)
def test_what_is_held_looks_as_if_nothing_else_had_ever_been(
    steps: list[tuple[str, int]], width: int
) -> None:
    stretch = Stretch(spread(4000), width)
    for step in steps:
        stretch.step(*step)
    held = stretch.entries[stretch.low : stretch.high + 1]
    stretch.step("behind", 1)
    model, plain = stretch.model, built([held])
    plain.resize(width)
    assert [model.entry(at) for at in range(model.first, model.stop)] == held
    assert rows_of(model) == rows_of(plain)
    assert model.height == plain.height


def test_what_comes_after_a_page_goes_on_at_the_end() -> None:
    entries = spread(200)
    model = LogModel()
    model.prepend(entries[100:130])
    for entry in entries[130:]:
        model.append(entry)
    model.prepend(entries[:100])
    assert [model.entry(index) for index in range(model.first, model.stop)] == entries
    assert rows_of(model) == rows_of(built([entries]))


def test_a_tick_of_a_page_can_change() -> None:
    model = LogModel()
    model.prepend([message(number, own=True, tick=Tick.QUEUED) for number in range(70)])
    index = model.update_tick("m3", Tick.DELIVERED)
    assert index is not None
    entry = model.entry(index)
    assert isinstance(entry, MessageEntry)
    assert entry.tick is Tick.DELIVERED
    assert entry.id == "m3"
    assert model.update_tick("m3", Tick.SENT) is None


def test_a_search_goes_on_into_a_page_that_comes_meanwhile() -> None:
    entries = spread(300)
    model = built([entries[250:]])
    search = LogSearch("message", model)
    while not search.is_done:
        search.advance()
    model.prepend(entries[:250])
    assert not search.is_done
    while not search.is_done:
        search.advance()
    assert len(search) == 300
    assert search.step(older=True) == model.stop - 1
    assert search.step(older=False) == model.first


@pytest.mark.parametrize("up", [1, 3, 30], ids=["a-page", "three-pages", "all-the-way"])
@pytest.mark.parametrize("count", [1, 64, 200])
async def test_what_is_in_view_stays_where_it_is(up: int, count: int) -> None:
    app = LogApp(messages(150, words=9))
    async with app.run_test(size=(60, 20)) as pilot:
        log = app.log_view
        log.prepend([], top=OLDER, more=False)
        await pilot.press(*["pageup"] * up)
        await pilot.pause()
        texts = {y: row for y, row in enumerate(shown(log)) if "─" not in row}
        log.prepend(messages(count, words=7), top=OLDER, more=False)
        await pilot.pause()
        after = shown(log)
        assert {y: after[y] for y in texts} == texts
        assert not log.follows


async def test_at_the_bottom_it_stays_there_and_the_top_says_what_is_above() -> None:
    app = LogApp(messages(3))
    async with app.run_test(size=(60, 20)) as pilot:
        app.log_view.prepend(messages(300), top=OLDER, more=False)
        await pilot.pause()
        assert app.log_view.follows
        assert shown(app.log_view)[-1].endswith("message 2")
        await pilot.press("ctrl+home")
        await pilot.pause()
        rows = shown(app.log_view)
        assert OLDER in rows[0]
        assert rows[1].startswith("── ")
        assert rows[2].endswith("message 0")
        app.log_view.set_top("nothing older is kept")
        await pilot.pause()
        assert "nothing older is kept" in shown(app.log_view)[0]


class Asking(LogApp):
    """Counts how often older entries are wanted."""

    wanted = 0

    def on_log_pages_wanted(self, event: ChatLog.Wanted) -> None:
        assert event.control is self.log_view
        self.wanted += 1


async def test_older_entries_are_asked_for_once_when_they_come_near() -> None:
    app = Asking(messages(3))
    async with app.run_test(size=(60, 20)) as pilot:
        app.log_view.prepend(messages(200), top=OLDER, more=True)
        await pilot.pause()
        assert app.wanted == 0
        await pilot.press("ctrl+home")
        await pilot.press("down", "up", "pagedown", "pageup")
        assert app.wanted == 1
        app.log_view.prepend(messages(200), top=OLDER, more=True)
        await pilot.pause()
        assert app.wanted == 1
        await pilot.press("ctrl+home")
        await pilot.pause()
        assert app.wanted == 2


@pytest.mark.parametrize(("count", "first", "told"), [(2, 298, 2), (100, 200, 100), (1000, 0, 300)])
async def test_the_marker_is_set_above_what_is_unread_and_reading_begins_there(
    count: int, first: int, told: int
) -> None:
    app = LogApp()
    async with app.run_test(size=(60, 20)) as pilot:
        app.log_view.prepend(messages(300), top=OLDER, more=False)
        app.log_view.mark_unread(count)
        await pilot.pause()
        rows = shown(app.log_view)
        marker = next(y for y, row in enumerate(rows) if f" {told} new " in row)
        assert rows[marker + 1].endswith(f"message {first}")
        assert app.log_view.follows is (count == 2)


def marked(model: LogModel) -> tuple[int | None, str]:
    return model.marker.place, model.marker.words


def test_a_message_that_comes_has_the_marker_until_the_first_unread_is_found() -> None:
    model = LogModel()
    model.prepend([message(number, own=True) for number in range(3)])
    model.mark_unread(2)
    assert marked(model)[0] is None
    model.append(message(3))
    assert marked(model) == (model.stop - 1, "3 new, the first further up")
    model.prepend([message(number) for number in range(5)])
    assert marked(model) == (model.first + 3, "3 new")


def test_what_is_unread_but_not_kept_has_no_marker() -> None:
    model = LogModel()
    model.prepend([message(number, own=True) for number in range(3)])
    model.mark_unread(2)
    model.marker.find_no_more()
    model.append(message(3))
    assert marked(model)[0] is None


async def test_the_mouse_selects_and_keys_walk_across_the_seam() -> None:
    app = LogApp(messages(2))
    async with app.run_test(size=(60, 20)) as pilot:
        log = app.log_view
        log.prepend([message(number, f"older {number}") for number in range(3)], top="", more=False)
        await pilot.pause()
        whole, _ = log.get_selection(SELECT_ALL) or ("", "")
        assert [line.rpartition("  ")[2] for line in whole.splitlines()] == [
            "older 0",
            "older 1",
            "older 2",
            "message 0",
            "message 1",
        ]
        await pilot.press("up", "up", "up")
        assert log.selected is not None
        assert log.selected.text == "older 2"
        await pilot.press("up", "up", "up", "up")
        assert log.selected.text == "older 0"
        await pilot.press("down", "down", "down")
        assert log.selected.text == "message 0"
        await pilot.mouse_down(log, offset=(14, 2))
        await pilot.hover(log, offset=(21, 3))
        await pilot.mouse_up(log, offset=(21, 3))
        assert app.screen.get_selected_text() is not None
        assert "older" in (app.screen.get_selected_text() or "")


async def test_a_notice_stands_before_a_page_as_well() -> None:
    app = LogApp([NoticeEntry(time=NOON, text=SafeText("here"))])
    async with app.run_test(size=(60, 20)) as pilot:
        app.log_view.prepend([NoticeEntry(time=NOON, text=SafeText("before"))], top="", more=False)
        await pilot.pause()
        rows = shown(app.log_view)
        assert [row.split(" · ")[-1] for row in rows[1:3]] == ["before", "here"]
        assert sum("──" in row for row in rows) == 1
