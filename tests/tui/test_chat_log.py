"""The chat log in a small app: what is seen, what stays, what is selected."""

from collections.abc import Sequence
from unittest.mock import patch

import pytest
from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.filter import LineFilter
from textual.pilot import Pilot
from textual.screen import Screen
from textual.selection import SELECT_ALL

from securechat_tui.chat.events import SafeText
from securechat_tui.tui.safety import SafetyFilter
from securechat_tui.tui.widgets.chat_log import ChatLog, Entry, MessageEntry, NoticeEntry, Tick

NOON = 1_763_726_400.0


class LogApp(App[None]):
    """A log with a border and nothing else; it notes what the log tells."""

    CSS = "ChatLog { border: round $primary; padding: 0 1; }"

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        super().__init__()
        self.entries = entries
        self.unseen: list[int] = []
        self.chosen: list[str | None] = []

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), SafetyFilter()]

    def compose(self) -> ComposeResult:
        yield ChatLog(id="log")

    def on_mount(self) -> None:
        self.log_view.extend(self.entries)
        self.log_view.focus()

    @property
    def log_view(self) -> ChatLog:
        return self.query_one(ChatLog)

    def on_chat_log_unseen_changed(self, event: ChatLog.UnseenChanged) -> None:
        self.unseen.append(event.count)

    def on_chat_log_selected(self, event: ChatLog.Selected) -> None:
        self.chosen.append(event.entry.id if event.entry else None)


def message(
    number: int, text: str | None = None, *, own: bool = False, tick: Tick | None = None
) -> MessageEntry:
    return MessageEntry(
        id=f"m{number}",
        time=NOON,
        nick=SafeText("you" if own else "bob"),
        text=SafeText(f"message {number}" if text is None else text),
        own=own,
        tick=tick,
    )


def messages(count: int, words: int = 0) -> list[MessageEntry]:
    return [
        message(number, f"message {number}" + " lorem ipsum" * (words and number % words))
        for number in range(count)
    ]


def shown(log: ChatLog) -> list[str]:
    """The rows of the viewport, without the blanks at their ends."""
    height = log.scrollable_content_region.height
    return [log.render_line(y).text.rstrip() for y in range(height)]


async def add(pilot: Pilot[None], *entries: Entry) -> None:
    app = pilot.app
    assert isinstance(app, LogApp)
    app.log_view.extend(entries)
    await pilot.pause()


async def test_a_conversation_looks_as_it_should() -> None:
    entries: list[Entry] = [
        message(0, "hello"),
        message(1, "hi there", own=True, tick=Tick.DELIVERED),
        message(2, "one two three four five six seven eight nine ten"),
        NoticeEntry(time=NOON, text=SafeText("keys renewed")),
    ]
    app = LogApp(entries)
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        rows = shown(app.log_view)
        clock = rows[1][:5]
        assert rows[0].startswith("── ")
        assert rows[0].endswith(" ──")
        assert rows[1] == f"{clock} bob    hello"
        assert rows[2] == f"{clock} you    hi there" + " " * 32 + "✓✓"
        assert rows[3:5] == [f"{clock} bob    one two three four five six seven eight", " " * 13 + "nine ten"]
        assert rows[5] == f"{clock} · keys renewed"
        assert app.log_view.entry_count == 4


async def test_the_newest_is_at_the_bottom_and_stays_there() -> None:
    app = LogApp(messages(200, words=9))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert app.log_view.follows
        for number in range(200, 230):
            await add(pilot, message(number))
            assert shown(app.log_view)[-1].endswith(f"message {number}")
        assert app.unseen == []


async def test_away_from_the_bottom_the_place_is_kept_and_what_comes_is_counted() -> None:
    app = LogApp(messages(300, words=9))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("pageup", "pageup")
        before = shown(app.log_view)
        assert not app.log_view.follows
        await add(pilot, message(300), message(301, own=True), message(302))
        assert shown(app.log_view) == before
        assert app.unseen == [2]
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert app.log_view.follows
        assert app.unseen == [2, 0]
        assert shown(app.log_view)[-1].endswith("message 302")


async def test_pages_follow_upon_each_other_up_to_the_oldest_and_down_again() -> None:
    app = LogApp(messages(400, words=12))
    async with app.run_test(size=(50, 16)) as pilot:
        log = app.log_view
        await pilot.pause()
        seen = shown(log)
        while log.scroll_offset.y > 0:
            top = log.scroll_offset.y
            old = shown(log)
            await pilot.press("pageup")
            rows = shown(log)
            overlap = len(rows) - (min(top, len(rows)))
            assert rows[len(rows) - overlap :] == old[:overlap]
            seen = [*rows[: len(rows) - overlap], *seen]
        numbers = [row.split()[3] for row in seen if "message" in row]
        assert numbers == [str(number) for number in range(400)]
        await pilot.press("pagedown", "pagedown", "ctrl+home")
        assert log.scroll_offset.y == 0
        await pilot.press("ctrl+end")
        assert shown(log) == seen[-len(shown(log)) :]


async def test_the_mouse_wheel_scrolls() -> None:
    app = LogApp(messages(100))
    async with app.run_test(size=(50, 16)) as pilot:
        await pilot.pause()
        bottom = app.log_view.scroll_offset.y
        await pilot._post_mouse_events([MouseScrollUp], "#log", button=0)
        assert app.log_view.scroll_offset.y < bottom


@pytest.mark.parametrize("width", [30, 44, 90])
async def test_another_width_keeps_what_is_at_the_top(width: int) -> None:
    app = LogApp(messages(300, words=15))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("pageup", "pageup", "pageup")
        log = app.log_view
        log.scroll_to(y=next(y for y in range(log.scroll_offset.y, 0, -1) if _begins(log, y)))
        await pilot.pause()
        first = shown(log)[0].split()[-1:]
        number = _number(log)
        await pilot.resize_terminal(width, 20)
        await pilot.pause()
        assert _number(log) == number
        assert first
        assert log.virtual_size.width == width - 5


def _begins(log: ChatLog, y: int) -> bool:
    return "message" in log.render_line(y - log.scroll_offset.y).text


def _number(log: ChatLog) -> str:
    """The number of the message in the first row."""
    words = shown(log)[0].split()
    return words[words.index("message") + 1]


async def test_at_the_bottom_it_stays_through_resizes() -> None:
    app = LogApp(messages(300, words=15))
    async with app.run_test(size=(60, 20)) as pilot:
        for size in ((30, 20), (30, 8), (100, 40), (20, 5), (60, 20)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert app.log_view.follows
        assert any("message 299" in row for row in shown(app.log_view))


async def test_what_comes_while_the_log_is_covered_or_hidden_is_there_afterwards() -> None:
    app = LogApp(messages(100))
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        log = app.log_view
        await app.push_screen(Screen())
        log.extend(messages(120)[100:])
        await pilot.pause()
        app.pop_screen()
        await pilot.pause()
        assert shown(log)[-1].endswith("message 119")
        log.display = False
        await pilot.pause()
        log.extend(messages(140)[120:])
        await pilot.pause()
        log.display = True
        await pilot.pause()
        await pilot.pause()
        assert shown(log)[-1].endswith("message 139")


async def test_a_theme_changes_the_colours_of_what_is_shown() -> None:
    app = LogApp(messages(3))
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        dark = [segment.style for segment in app.log_view.render_line(1)]
        app.theme = "textual-light"
        await pilot.pause()
        assert [segment.style for segment in app.log_view.render_line(1)] != dark


async def test_a_tick_changes_in_its_place() -> None:
    app = LogApp([message(0, own=True, tick=Tick.QUEUED), message(1)])
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.pause()
        assert shown(app.log_view)[1].endswith("○")
        assert app.log_view.update_tick("m0", Tick.DELIVERED)
        await pilot.pause()
        assert shown(app.log_view)[1].endswith("✓✓")
        assert not app.log_view.update_tick("m0", Tick.SENT)
        assert not app.log_view.update_tick("unknown", Tick.SENT)


async def test_what_is_unread_is_marked_and_counted() -> None:
    app = LogApp(messages(3))
    async with app.run_test(size=(50, 16)) as pilot:
        app.log_view.set_unread_marker()
        await add(pilot, message(3))
        assert any("─ 1 new ─" in row for row in shown(app.log_view))
        await add(pilot, message(4))
        rows = shown(app.log_view)
        marker = next(at for at, row in enumerate(rows) if "─ 2 new ─" in row)
        assert rows[marker + 1].endswith("message 3")
        app.log_view.clear_unread_marker()
        await pilot.pause()
        assert not any("new" in row for row in shown(app.log_view))


async def test_messages_are_selected_by_keys_and_brought_into_view() -> None:
    entries: list[Entry] = [*messages(50), NoticeEntry(time=NOON, text=SafeText("note")), message(50)]
    app = LogApp(entries)
    async with app.run_test(size=(50, 12)) as pilot:
        log = app.log_view
        await pilot.press("up", "up")
        assert log.selected == message(49)
        assert any("▸" in row and row.endswith("message 49") for row in shown(log))
        for _ in range(30):
            await pilot.press("up")
        assert log.selected == message(19)
        assert any(row.endswith("message 19") for row in shown(log))
        await pilot.press("down")
        assert log.selected == message(20)
        log.deselect()
        await pilot.pause()
        assert log.selected is None
        assert app.chosen[0] == "m50"
        assert app.chosen[-2:] == ["m20", None]


async def test_clear_leaves_nothing() -> None:
    app = LogApp(messages(100))
    async with app.run_test(size=(50, 12)) as pilot:
        await pilot.press("up", "pageup")
        app.log_view.clear()
        await pilot.pause()
        assert app.log_view.entry_count == 0
        assert app.log_view.selected is None
        assert not any(shown(app.log_view))
        await add(pilot, message(1))
        assert shown(app.log_view)[1].endswith("message 1")


async def test_what_the_mouse_selects_is_copied_without_the_breaks_of_wrapping() -> None:
    text = "https://example.org/" + "path/" * 30
    app = LogApp([message(0, text), message(1, "second")])
    async with app.run_test(size=(50, 16)) as pilot:
        await pilot.pause()
        whole, _ = app.log_view.get_selection(SELECT_ALL) or ("", "")
        first, second = whole.split("\n")
        assert first.endswith(f"bob  {text}")
        assert second.endswith("bob  second")
        await pilot.mouse_down("#log", offset=(14, 2))
        await pilot.hover("#log", offset=(20, 3))
        await pilot.mouse_up("#log", offset=(20, 3))
        copied = app.screen.get_selected_text()
        assert copied
        assert "\n" not in copied
        assert copied in text


@pytest.mark.parametrize("size", [(20, 5), (5, 3), (1, 1), (200, 60)])
async def test_any_size_will_do(size: tuple[int, int]) -> None:
    hard = message(8, "漢字 👨\u200d👩\u200d👧 e\u0301 " * 40, own=True, tick=Tick.FAILED)
    app = LogApp([*messages(80, words=5), hard])
    async with app.run_test(size=size) as pilot:
        await pilot.press("pageup", "up", "ctrl+home", "ctrl+end")
        view = app.log_view.scrollable_content_region.size
        for y in range(view.height if view else 0):
            assert app.log_view.render_line(y).cell_length == view.width


async def test_many_appends_are_drawn_once() -> None:
    app = LogApp(messages(100))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        with patch.object(app.log_view, "refresh", wraps=app.log_view.refresh) as refresh:
            for number in range(100, 600):
                app.log_view.append(message(number))
            await pilot.pause()
        assert refresh.call_count < 10
        assert shown(app.log_view)[-1].endswith("message 599")
