"""A log holds a few pages around what is in view, however much is kept; nothing is lost or doubled."""

import asyncio
import random

import pytest
from fake_engine import NOON, FakeEngine
from several import BOB, kept, pages, place, says, view
from stage import Stage, in_conversation, on_stage

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Delivered, Queued, SafeText, Sent
from securechat_tui.tui import scrollback
from securechat_tui.tui.widgets.log_entries import Entry, MessageEntry, NoticeEntry, Tick
from securechat_tui.tui.widgets.log_store import CHUNK

HELD = 320
SIZE = (80, 24)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrollback, "PAGE", 100)
    monkeypatch.setattr(scrollback, "HELD", HELD)


def keeping(count: int, *, unread: int = 0) -> FakeEngine:
    engine = FakeEngine()
    engine.kept[BOB] = pages(count)
    engine.views = (view("bob", unread=unread),)
    return engine


def entries(stage: Stage) -> list[Entry]:
    model = stage.app.chat.log_view._model
    return [model.entry(index) for index in range(model.first, model.stop)]


def rows(stage: Stage) -> list[int]:
    return [entry.row for entry in entries(stage) if entry.row]


def shown(stage: Stage) -> list[str]:
    log = stage.app.chat.log_view
    return [log.render_line(y).text.rstrip() for y in range(log.scrollable_content_region.height)]


async def scroll(stage: Stage, *, up: bool) -> None:
    """To the end of what the log holds."""
    log = stage.app.chat.log_view
    log.scroll_to(y=0 if up else log.max_scroll_y)
    await stage.settle()


async def comes(stage: Stage, row: int) -> None:
    """Bob says something, which is kept."""
    stage.engine.kept[BOB].append(kept(row, f"kept {row}"))
    stage.engine.emit(says("bob", row, f"kept {row}", row=row))
    await stage.settle()


async def far_up(stage: Stage) -> None:
    """Where the newest message is not in the log any more."""
    while stage.engine.kept[BOB][-1].row in rows(stage):
        await scroll(stage, up=True)


async def test_the_log_holds_no_more_the_further_one_scrolls() -> None:
    async with in_conversation(engine=keeping(2000), size=SIZE) as stage:
        log = stage.app.chat.log_view
        while rows(stage)[0] > 1:
            await scroll(stage, up=True)
            assert log.entry_count < HELD + CHUNK
        await scroll(stage, up=True)
        assert "nothing older is kept" in shown(stage)[0]
        while rows(stage)[-1] < 2000:
            await scroll(stage, up=False)
            assert log.entry_count < HELD + CHUNK
        await scroll(stage, up=False)
        assert log.follows


async def test_the_log_holds_no_more_the_more_comes_in() -> None:
    async with in_conversation(engine=keeping(10), size=SIZE) as stage:
        log = stage.app.chat.log_view
        for row in range(11, 1000):
            stage.engine.kept[BOB].append(kept(row, f"kept {row}"))
            stage.engine.emit(says("bob", row, f"kept {row}", row=row))
        await stage.settle()
        assert log.entry_count < HELD + CHUNK
        assert shown(stage)[-1].endswith("kept 999")
        await scroll(stage, up=True)
        assert rows(stage)[-1] - rows(stage)[0] == len(rows(stage)) - 1


async def test_to_the_oldest_and_to_the_newest_at_once() -> None:
    async with in_conversation(engine=keeping(5000), size=SIZE) as stage:
        await stage.press("ctrl+home")
        assert "nothing older is kept" in shown(stage)[0]
        assert shown(stage)[2].endswith("kept 1")
        assert len(stage.calls("history")) == 2
        await stage.press("pagedown", "ctrl+end")
        assert rows(stage)[-1] == 5000
        assert shown(stage)[-1].endswith("messages flow now.")
        assert stage.app.chat.log_view.follows
        assert len(stage.calls("history")) == 3


@pytest.mark.parametrize("seed", range(2))
async def test_wherever_one_goes_the_log_is_a_stretch_of_what_was_told(seed: int) -> None:
    """No row is missing or there twice, each notice stands where it was said, and none is lost."""
    chance = random.Random(seed)  # noqa: S311
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        walk = Walk(stage)
        for _ in range(50):
            await walk.step(chance.choice("uuudheggssn"), chance.randint(1, walk.newest))
            walk.check()
        await stage.press("ctrl+end")
        assert stage.app.chat.log_view.follows
        walk.check()
        found: set[str] = set()
        while rows(stage)[0] > 900 - HELD:
            found |= {entry.text for entry in entries(stage)}
            await scroll(stage, up=True)
        assert set(walk.told_after) <= found


class Walk:
    """Somebody who goes about in a conversation that goes on."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.newest = 900
        self.told_after: dict[str, int] = {}
        """Each notice, and the row that it came after."""

    async def step(self, way: str, row: int) -> None:
        stage = self.stage
        match way:
            case "u" | "d":
                await scroll(stage, up=way == "u")
            case "h" | "e":
                await stage.press("ctrl+home" if way == "h" else "ctrl+end")
            case "s":
                self.newest += 1
                await comes(stage, self.newest)
            case "n":
                self.told_after[f"notice {len(self.told_after)}"] = self.newest
                stage.app.say(f"notice {len(self.told_after) - 1}")
            case _:
                await stage.app.switchboard.go_to_row(BOB, row)
                selected = stage.app.chat.log_view.selected
                assert selected is not None
                assert selected.row == row
        await stage.settle()

    def check(self) -> None:
        held, log = rows(self.stage), self.stage.app.chat.log_view
        assert held == list(range(held[0], held[-1] + 1))
        assert log.entry_count < HELD + CHUNK
        assert not log.follows or (held[-1] == self.newest and log.unseen == 0)
        last = held[0] - 1
        for entry in entries(self.stage):
            last = entry.row or last
            assert self.told_after.get(entry.text, last) == last


async def test_what_is_missed_is_counted_and_marked_when_one_comes_back() -> None:
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        await far_up(stage)
        before = shown(stage)
        stage.app.on_app_blur()
        for row in (901, 902):
            await comes(stage, row)
        stage.app.say("a notice")
        await stage.settle()
        assert shown(stage) == before
        assert stage.shows("↓ 3 new below (Ctrl+End)")
        assert stage.calls("mark_read") == []
        await stage.press("ctrl+end")
        marker, *messages, _, notice = shown(stage)[-5:]
        assert "─ 2 new ─" in marker
        assert [row.split("    ")[-1] for row in messages] == ["kept 901", "kept 902"]
        assert notice.endswith("· a notice")
        assert not stage.shows("new below")


async def test_the_marker_is_there_again_when_its_message_is() -> None:
    async with in_conversation(engine=keeping(900, unread=3), size=SIZE) as stage:
        await stage.until(lambda: any("─ 3 new ─" in row for row in shown(stage)))
        await far_up(stage)
        await stage.press("ctrl+end")
        assert "─ 3 new ─" in "".join(shown(stage))


async def test_older_messages_come_where_reading_begins_near_the_top() -> None:
    async with in_conversation(engine=keeping(900, unread=60), size=SIZE) as stage:
        await stage.until(lambda: rows(stage)[0] == 701)
        assert "─ 60 new ─" in shown(stage)[0]


async def test_reading_begins_at_the_first_unread_however_many_pages_up() -> None:
    async with in_conversation(engine=keeping(900, unread=500), size=SIZE) as stage:
        await stage.until(lambda: "─ 500 new ─" in "".join(shown(stage)))
        await stage.settle()
        marker = next(y for y, row in enumerate(shown(stage)) if "─ 500 new ─" in row)
        assert shown(stage)[marker + 1].endswith("kept 151")
        assert stage.app.chat.log_view.entry_count < HELD + CHUNK
        assert stage.calls("mark_read") == []
        await stage.press("ctrl+end")
        assert "new ─" not in "".join(shown(stage))
        assert stage.calls("mark_read") == [("mark_read", BOB)]
        await stage.app.switchboard.go_to_row(BOB, 200)
        while rows(stage)[0] > 100:
            await scroll(stage, up=True)
        assert marked(stage) == [("kept 151", "500 new")]


async def test_who_reads_on_meanwhile_stays_and_the_marker_says_that_it_is_not_at_the_first() -> None:
    engine = keeping(900, unread=500)
    engine.paging.clear()
    async with in_conversation(engine=engine, size=SIZE) as stage:
        engine.paging.set()
        engine.paging.clear()
        await stage.until(lambda: len(stage.calls("history")) == 2)
        (where, words), *_ = marked(stage)
        assert words == "500 new, the first further up"
        assert f"─ {words} ─" in "".join(shown(stage))
        await stage.press("pagedown")
        before = shown(stage)
        stage.engine.paging.set()
        await stage.until(lambda: marked(stage)[0][0] != where)
        await stage.settle()
        assert shown(stage) == before
        while rows(stage)[0] > 100:
            assert marked(stage)[0][1] == ("500 new" if rows(stage)[0] <= 151 else words)
            await scroll(stage, up=True)
        assert marked(stage) == [("kept 151", "500 new")]


async def test_the_marker_is_found_above_a_page_of_ones_own_messages() -> None:
    engine = keeping(0, unread=5)
    engine.kept[BOB] = [kept(row, f"kept {row}", mine=row > 405) for row in range(1, 701)]
    async with in_conversation(engine=engine, size=SIZE) as stage:
        assert marked(stage) == []
        await stage.press("ctrl+home", "ctrl+end")
        while rows(stage)[0] > 405:
            assert marked(stage) == []
            await scroll(stage, up=True)
        assert marked(stage) == [("kept 401", "5 new")]


async def test_the_marker_does_not_count_more_than_there_are() -> None:
    async with in_conversation(engine=keeping(150, unread=200), size=SIZE) as stage:
        await stage.until(lambda: marked(stage) == [("kept 1", "100 new")])
        assert "─ 100 new ─" in "".join(shown(stage))


def marked(stage: Stage) -> list[tuple[str, str]]:
    """Above which message the marker stands, and what it says."""
    model = stage.app.chat.log_view._model
    return [] if model.marker.place is None else [(model.entry(model.marker.place).text, model.marker.words)]


async def test_what_comes_while_a_page_is_read_is_there_once() -> None:
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        await far_up(stage)
        stage.engine.paging.clear()
        await stage.press("ctrl+end")
        stage.engine.kept[BOB].append(kept(901, "kept 901"))
        for row in (901, 902):
            stage.engine.emit(says("bob", row, f"kept {row}", row=row))
        await stage.settle()
        stage.engine.paging.set()
        await stage.until(lambda: 901 in rows(stage))
        await stage.settle()
        assert rows(stage)[-3:] == [900, 901, 902]
        assert stage.app.chat.log_view.unseen == 0


async def test_ones_own_messages_have_the_tick_that_they_have_earned_elsewhere() -> None:
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        await far_up(stage)
        for row in (901, 902, 903):
            where = {"time": NOON, "conversation": BOB, "number": row, "ref": f"r{row}"}
            text = SafeText(f"mine {row}")
            stage.engine.emit(Queued(**where, text=text, claimed=NOON, row=row))  # type: ignore[arg-type]
            stage.engine.kept[BOB].append(kept(row, text, mine=True, tick="queued"))
            if row < 903:
                stage.engine.emit(Sent(**where))  # type: ignore[arg-type]
        await stage.settle()
        await stage.press("ctrl+end")
        mine = [entry for entry in entries(stage) if isinstance(entry, MessageEntry)][-3:]
        assert [entry.tick for entry in mine] == [Tick.SENT, Tick.SENT, Tick.QUEUED]
        delivered = {"time": NOON, "conversation": BOB, "number": 901, "ref": "r901", "durable": True}
        stage.engine.emit(Delivered(**delivered))  # type: ignore[arg-type]
        await stage.settle()
        assert [row.split()[-1] for row in shown(stage)[-3:]] == ["✓✓", "✓", "○"]


async def test_a_selection_is_given_up_with_what_was_selected() -> None:
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        log = stage.app.chat.log_view
        log.select_previous()
        assert log.selected is not None
        assert log.selected.text == "kept 900"
        await stage.pilot.mouse_down(log, offset=(15, 5))
        await stage.pilot.hover(log, offset=(20, 7))
        await stage.pilot.mouse_up(log, offset=(20, 7))
        assert stage.app.screen.get_selected_text()
        await scroll(stage, up=True)
        assert stage.app.screen.get_selected_text()
        await far_up(stage)
        assert log.selected is None
        assert not stage.app.screen.get_selected_text()


async def test_a_hit_in_a_conversation_that_was_not_open_is_gone_to() -> None:
    engine = keeping(900, unread=2)
    engine.kept[place("carol")] = pages(700, "carol")
    engine.views = (view("bob"), view("carol", unread=2))
    async with on_stage(engine=engine, size=SIZE) as stage:
        await stage.app.switchboard.go_to_row(place("carol"), 40)
        await stage.settle()
        assert any(row.endswith("kept 40") for row in shown(stage))
        selected = stage.app.chat.log_view.selected
        assert selected is not None
        assert selected.row == 40
        assert stage.calls("mark_read") == []


async def test_a_find_goes_to_what_it_would_mark_and_back_from_either_side() -> None:
    """The index finds the words in any order, the log marks them as they were typed."""
    engine = keeping(900)
    for row in range(200, 450):
        engine.kept[BOB][row - 1] = kept(row, f"lamp red {row}")
    for row in (3, 600, 899):
        engine.kept[BOB][row - 1] = kept(row, f"the Red Lamp {row}")
    async with in_conversation(engine=engine, size=SIZE) as stage:
        await stage.enter("/find red lamp")
        for key, row in (
            ("enter", 600),
            ("enter", 3),
            ("down", 600),
            ("down", 899),
            ("down", 3),
            ("enter", 899),
        ):
            await stage.press(key)
            await stage.until(lambda row=row: any(f"Red Lamp {row}" in one for one in shown(stage)))  # type: ignore[misc]
            assert stage.shows("1 of 1+")
            assert sum("▸" in one for one in shown(stage)) == 1


@pytest.mark.parametrize("keys", [("pageup",), ("ctrl+home",)], ids=["above the end", "at the beginning"])
async def test_a_find_leaves_the_page_one_has_scrolled_to(keys: tuple[str, ...]) -> None:
    engine = keeping(900)
    for row in (496, 500, 503):
        engine.kept[BOB][row - 1] = kept(row, f"the needle {row}")
    async with in_conversation(engine=engine, size=SIZE) as stage:
        await stage.press(*keys)
        await stage.enter("/find needle")
        assert stage.shows("not here: Enter looks further")
        await stage.press("enter")
        await stage.until(lambda: 503 in rows(stage))
        await stage.settle()
        assert "needle 503" in next(row for row in shown(stage) if "▸" in row)
        assert stage.shows("1 of 3+")
        await stage.press("enter")
        assert "needle 500" in next(row for row in shown(stage) if "▸" in row)


async def test_a_page_that_cannot_be_read_leaves_the_log_as_it_is() -> None:
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        before = rows(stage)
        stage.engine.failures["history"] = CommandError("damaged", "The history is damaged.")
        await stage.press("ctrl+home")
        assert rows(stage) == before
        assert any(isinstance(entry, NoticeEntry) and "damaged" in entry.text for entry in entries(stage))
        await far_up(stage)
        before, asked = rows(stage), len(stage.calls("history"))
        stage.engine.failures["history"] = CommandError("damaged", "The history is damaged.")
        await stage.press("ctrl+end")
        assert rows(stage) == before
        assert len(stage.calls("history")) == asked + 1


async def test_what_comes_while_a_page_is_read_that_nobody_wants_any_more_is_shown() -> None:
    async with in_conversation(engine=keeping(900), size=SIZE) as stage:
        scrollback_ = stage.app.switchboard.shown.scrollback
        assert scrollback_ is not None
        stage.engine.paging.clear()
        going = asyncio.create_task(scrollback_.go_to(5))
        await comes(stage, 901)
        assert 901 not in rows(stage)
        going.cancel()
        await stage.until(lambda: 901 in rows(stage))
        assert shown(stage)[-1].endswith("kept 901")
