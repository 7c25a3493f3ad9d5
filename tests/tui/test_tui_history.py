"""What is kept: shown when a conversation is opened, loaded as one scrolls, searched, destroyed."""

from dataclasses import replace

import pytest
from fake_engine import CONVERSATION, NOON, FakeEngine, closed, gate
from several import BOB, comes, kept, pages, place, says, view
from stage import Stage, in_conversation, on_stage

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Delivered, Queued, SafeText, Sent
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.views import ConnectionView
from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE
from securechat_tui.tui.screens.details import DetailsScreen
from securechat_tui.tui.screens.resume import ResumeScreen
from securechat_tui.tui.screens.search import SearchScreen
from securechat_tui.tui.screens.wipe import WipeScreen

SENTENCE = "bob has another account of what was said."


def keeping(count: int, *, unread: int = 0, draft: str = "") -> FakeEngine:
    """An engine that keeps so many messages of the conversation with bob."""
    engine = FakeEngine()
    engine.kept[BOB] = pages(count)
    engine.views = (view("bob", unread=unread, draft=draft),)
    return engine


def rows(stage: Stage) -> list[str]:
    """The rows of the log, without the frame."""
    log = stage.app.chat.log_view
    return [log.render_line(y).text.rstrip() for y in range(log.scrollable_content_region.height)]


async def until_loaded(stage: Stage, text: str) -> None:
    await stage.until(lambda: any(text in row for row in rows(stage)))


async def to_the_top(stage: Stage) -> None:
    """To the first message that the log holds."""
    stage.app.chat.log_view.scroll_to(y=0)
    await stage.settle()


async def test_yesterday_stands_above_today() -> None:
    engine = FakeEngine()
    engine.kept[BOB] = [
        kept(1, "in time"),
        kept(2, "too late", late=True),
        kept(3, "off the record", signed=False),
        kept(4, "mine", mine=True),
        kept(5, "given up", mine=True, tick="cancelled"),
        kept(6, "waits still", mine=True, tick="queued", signed=False),
    ]
    async with in_conversation(engine=engine) as stage:
        await until_loaded(stage, "waits still")
        shown = rows(stage)
        assert "nothing older is kept" in shown[0]
        assert shown[1].startswith("── Fri 20 Nov")
        ends = {row.split("    ")[1]: row.split()[-2:] for row in shown[2:8]}
        assert ends["too late"] == ["~", "late"]
        assert ends["off the record"][-1] == "unsigned"
        assert ends["mine"][-1] == "✓✓"
        assert ends["given up"] == ["✗", "cancelled"]
        assert ends["waits still"] == ["unsigned", "○"]
        engine.emit(Delivered(time=NOON, conversation=BOB, number=6, ref="of-another-run", durable=True))
        await stage.settle()
        assert next(row for row in rows(stage) if "waits still" in row).endswith("✓✓")
        await stage.press("shift+tab", "up", "up", "up", "up", "up")
        await stage.press("f4")
        assert isinstance(stage.app.screen, DetailsScreen)
        assert stage.shows("#2")
        assert stage.shows("7 min")


async def test_a_new_acquaintance_has_no_history_and_no_rule() -> None:
    async with in_conversation() as stage:
        assert stage.engine.calls.count(("history", BOB, 200, None)) == 1
        assert not stage.shows("older")


async def test_more_is_loaded_as_one_scrolls_up_and_nothing_in_view_moves() -> None:
    async with in_conversation(engine=keeping(450), size=(80, 24)) as stage:
        await until_loaded(stage, "kept 450")
        log = stage.app.chat.log_view
        assert log.entry_count == 201 + len(log.notices()) - 1
        stage.engine.paging.clear()
        await to_the_top(stage)
        assert "older messages" in rows(stage)[0]
        before = {y: row for y, row in enumerate(rows(stage)) if "──" not in row}
        stage.engine.paging.set()
        await stage.until(lambda: log.entry_count > 400)
        after = rows(stage)
        assert {y: after[y] for y in before} == before
        await to_the_top(stage)
        await stage.until(lambda: log.entry_count > 450)
        await to_the_top(stage)
        assert "nothing older is kept" in rows(stage)[0]
        assert "kept 1" in rows(stage)[2]
        pages_asked = [call[2:] for call in stage.calls("history")]
        assert pages_asked == [(200, None), (200, 251), (200, 51)]


async def test_what_comes_while_a_page_loads_is_there_once() -> None:
    engine = keeping(10)
    engine.paging.clear()
    async with in_conversation(engine=engine) as stage:
        engine.emit(says("bob", 11, "kept 11", row=11))
        await stage.settle()
        engine.kept[BOB] += [kept(11, "kept 11"), kept(12, "kept 12")]
        engine.paging.set()
        await until_loaded(stage, "kept 10")
        engine.emit(says("bob", 12, "kept 12", row=12))
        await stage.settle()
        shown = [row.rstrip(" ✓") for row in rows(stage)]
        assert [sum(row.endswith(f"kept {n}") for row in shown) for n in (10, 11, 12)] == [1, 1, 1]


async def test_what_a_page_has_brought_already_is_not_told_again() -> None:
    engine = keeping(0)
    engine.paging.clear()
    engine.deliver = False
    async with in_conversation(engine=engine) as stage:
        engine.kept[BOB] = [kept(1, "theirs"), kept(2, "my words", mine=True, tick="queued")]
        engine.paging.set()
        await until_loaded(stage, "my words")
        engine.emit(says("bob", 1, "theirs", row=1))
        where = {"time": NOON, "conversation": BOB, "number": 2}
        text = SafeText("my words")
        engine.emit(Queued(**where, ref="mine", text=text, claimed=NOON, row=2))  # type: ignore[arg-type]
        engine.emit(Sent(**where, ref="mine"))  # type: ignore[arg-type]
        await stage.settle()
        assert sum("theirs" in row for row in rows(stage)) == 1
        mine = [row for row in rows(stage) if "my words" in row]
        assert len(mine) == 1
        assert mine[0].endswith("✓")
        engine.emit(Delivered(**where, ref="mine", durable=True))  # type: ignore[arg-type]
        await stage.settle()
        assert next(row for row in rows(stage) if "my words" in row).endswith("✓✓")


@pytest.mark.parametrize(("unread", "is_seen"), [(2, True), (150, False)])
async def test_reading_begins_at_what_is_unread(unread: int, is_seen: bool) -> None:
    async with in_conversation(engine=keeping(240, unread=unread), size=(80, 24)) as stage:
        await until_loaded(stage, f"─ {unread} new ─")
        await stage.settle()
        assert bool(stage.calls("mark_read")) is is_seen
        await stage.press("ctrl+end")
        await stage.settle()
        assert stage.calls("mark_read") == [("mark_read", BOB)]


async def test_nothing_is_read_while_nobody_looks() -> None:
    async with in_conversation(engine=keeping(3)) as stage:
        await until_loaded(stage, "kept 3")
        stage.app.on_app_blur()
        stage.engine.emit(says("bob", 4, "kept 4", row=4))
        await stage.settle()
        assert stage.calls("mark_read") == []
        stage.app.on_app_focus()
        await stage.settle()
        assert stage.calls("mark_read") == [("mark_read", BOB)]


async def test_what_was_seen_last_is_kept_at_the_end() -> None:
    async with in_conversation(engine=keeping(3)) as stage:
        for row in (4, 5):
            stage.engine.emit(says("bob", row, f"kept {row}", row=row))
            await stage.settle()
        assert len(stage.calls("mark_read")) == 1
    assert stage.calls("mark_read") == [("mark_read", BOB)] * 2


async def test_the_first_unread_can_be_gone_to_at_the_beginning() -> None:
    engine = keeping(3, unread=2)
    engine.kept[place("carol")] = pages(4, "carol")
    engine.views = (view("bob", unread=2), view("carol", unread=1))
    async with on_stage(engine=engine) as stage:
        assert stage.app.state.conversation is None
        await stage.press("alt+a")
        assert stage.app.state.conversation == BOB
        await until_loaded(stage, "─ 2 new ─")
        await stage.press("alt+a")
        assert stage.app.state.conversation == place("carol")
        await until_loaded(stage, "─ 1 new ─")


async def test_drafts_come_back_and_are_kept_once() -> None:
    engine = keeping(3, draft="half a thought")
    engine.views = (view("carol", draft="half a thought"),)
    async with in_conversation(engine=engine) as stage:
        await stage.enter("/go carol")
        assert stage.app.chat.composer.text == "half a thought"
        await stage.press("alt+up")
        assert stage.calls("keep_draft") == []
        stage.app.chat.composer.put("for bob")
        await stage.press("alt+down")
        assert stage.calls("keep_draft") == [("keep_draft", BOB, "for bob")]
        await stage.type("s")
        stage.app.leave_program()
        await stage.until(lambda: len(stage.calls("keep_draft")) > 1)
    assert engine.calls[-2:] == [("keep_draft", place("carol"), "half a thoughts"), ("close",)]


async def test_a_draft_of_the_first_one_comes_back_where_nothing_is_typed_yet() -> None:
    async with in_conversation(engine=keeping(3, draft="half a thought")) as stage:
        assert stage.app.chat.composer.text == "half a thought"
    assert stage.calls("keep_draft") == []


async def test_a_draft_of_the_first_one_is_under_up_where_something_is_typed_already() -> None:
    async with on_stage(engine=keeping(3, draft="half a thought")) as stage:
        await stage.enter("/help")
        await stage.press("escape")
        await stage.type("hi")
        await stage.press("up")
        stage.engine.emit(*comes("bob"))
        await stage.settle()
        composer = stage.app.chat.composer
        assert composer.text == "/help"
        assert stage.shows("Up brings back what you had begun to write here.")
        await stage.press("down")
        assert composer.text == "half a thought"
        await stage.press("down")
        assert composer.text == "hi"
        await stage.press("up")
    assert stage.calls("keep_draft") == []


async def test_an_invite_in_a_draft_is_not_kept() -> None:
    async with in_conversation(engine=keeping(3)) as stage:
        stage.app.chat.composer.put("/join securechat://192.168.1.10/#secret")
    assert stage.calls("keep_draft") == []


@pytest.mark.parametrize("durable", [True, False])
async def test_what_waits_is_said_with_how_long_it_waits(durable: bool) -> None:
    engine = FakeEngine()
    engine.write = engine.deliver = False
    async with in_conversation(engine=engine) as stage:
        row = 7 if durable else 0
        where = {"time": NOON, "conversation": CONVERSATION, "number": 1}
        text = SafeText("my words")
        engine.emit(Queued(**where, ref="mine", text=text, claimed=NOON, row=row))  # type: ignore[arg-type]
        engine.emit(closed())
        await stage.settle()
        text_on_screen = " ".join(" ".join(rows(stage)).split())
        until = "also after a restart" if durable else "as long as this program runs"
        assert f"○ 1 message of yours waits for the next meeting, {until}." in text_on_screen


async def test_find_goes_on_into_what_is_kept() -> None:
    engine = keeping(900)
    engine.kept[BOB][4] = kept(5, "the needle")
    engine.kept[BOB][890] = kept(891, "a needle")
    async with in_conversation(engine=engine, size=(80, 24)) as stage:
        await until_loaded(stage, "kept 900")
        await stage.enter("/find needle")
        assert stage.shows("1 of 1+")
        await stage.press("enter")
        await until_loaded(stage, "the needle")
        assert stage.shows("1 of 1+")
        await stage.press("enter")
        await until_loaded(stage, "a needle")
        await stage.press("down")
        await until_loaded(stage, "the needle")
        assert stage.calls("history")[1:] == [("history", BOB, 200, row + 100) for row in (5, 891, 5)]


async def test_find_says_that_it_can_look_further_up() -> None:
    engine = keeping(300)
    engine.kept[BOB][4] = kept(5, "the needle")
    async with in_conversation(engine=engine, size=(80, 24)) as stage:
        await until_loaded(stage, "kept 300")
        await stage.enter("/find needle")
        assert stage.shows("not here: Enter looks further")
        await stage.press("enter")
        await until_loaded(stage, "the needle")
        assert stage.shows("1 of 1")
        await stage.press("escape")
        await stage.enter("/find haystack")
        assert stage.shows("not here: Enter looks further")
        await stage.press("enter")
        assert stage.shows("not found")


async def test_search_lists_all_conversations_and_enter_goes_there() -> None:
    engine = keeping(900)
    engine.kept[BOB][4] = kept(5, "the needle", time=NOON - 5)
    engine.kept[place("carol")] = [kept(1, "a needle of mine", name="carol", mine=True, time=NOON - 9)]
    engine.views = (view("bob"), view("carol"))
    async with in_conversation(engine=engine, size=(80, 24)) as stage:
        await until_loaded(stage, "kept 900")
        await stage.enter("/search needle")
        await stage.until(lambda: isinstance(stage.app.screen, SearchScreen))
        assert stage.shows("2 messages, the newest last. Enter goes there.")
        assert stage.shows("carol, you: a needle of mine")
        await stage.press("enter")
        await until_loaded(stage, "the needle")
        selected = stage.app.chat.log_view.selected
        assert selected is not None
        assert selected.text == "the needle"
        await stage.press("escape")
        await stage.enter("/search needle")
        await stage.until(lambda: isinstance(stage.app.screen, SearchScreen))
        await stage.press("up", "enter")
        await until_loaded(stage, "a needle of mine")
        assert stage.app.state.conversation == place("carol")


async def test_search_without_words_and_without_hits() -> None:
    async with in_conversation(engine=keeping(3)) as stage:
        await stage.enter("/search")
        assert stage.shows("/search parcel")
        await stage.enter("/search nowhere")
        await stage.until(lambda: stage.shows("Nothing that is kept holds “nowhere”."))


async def test_wipe_asks_for_the_name() -> None:
    async with in_conversation(engine=keeping(30)) as stage:
        await until_loaded(stage, "kept 30")
        await stage.enter("/wipe")
        assert isinstance(stage.app.screen, WipeScreen)
        await stage.type("bo")
        await stage.press("enter")
        assert stage.shows("That is not the name. Nothing was destroyed")
        assert stage.calls("wipe") == []
        await stage.type("b")
        await stage.press("enter")
        assert stage.calls("wipe") == [("wipe", BOB)]
        assert not any("kept 3" in row for row in rows(stage))
        assert stage.shows("What was kept of the conversation with bob is destroyed")
        stage.engine.emit(says("bob", 31, "it goes on", row=31))
        await stage.settle()
        assert any("it goes on" in row for row in rows(stage))


async def test_a_wipe_that_fails_leaves_the_log() -> None:
    engine = keeping(3)
    engine.failures["wipe"] = CommandError("busy", "Another program has the file open; try again.")
    async with in_conversation(engine=engine) as stage:
        await until_loaded(stage, "kept 3")
        await stage.enter("/wipe")
        await stage.type("bob")
        await stage.press("enter")
        assert stage.shows("Another program has the file open")
        assert any("kept 3" in row for row in rows(stage))


async def test_a_page_that_cannot_be_read_is_said() -> None:
    engine = keeping(3)
    engine.failures["history"] = CommandError("damaged", "The history is damaged.")
    async with in_conversation(engine=engine) as stage:
        await until_loaded(stage, "The history is damaged.")


async def test_the_log_of_connections() -> None:
    engine = FakeEngine()
    async with in_conversation(engine=engine) as stage:
        await stage.enter("/connections")
        assert stage.shows("No connection has come about")
        await stage.press("escape")
        bob = SafeText.name("bob")
        engine.came_and_went = (
            ConnectionView(NOON, "in", "192.168.1.30:50123", SafeText(""), "a stranger, turned away", 0.4),
            ConnectionView(NOON + 60, "out", "192.168.1.20:8000", bob, "", 4000.0),
        )
        await stage.enter("/connections")
        assert stage.shows("192.168.1.30:50123 called here: a stranger, turned away, 0 s")
        assert stage.shows("bob, 192.168.1.20:8000 called from here: stands, 1 h 6 min")


@pytest.mark.parametrize(
    ("keys", "call"),
    [
        (("enter",), ("leave",)),
        (("escape",), ("leave",)),
        (("right", "enter"), ("resolve", Resolution.RESEND)),
        (("right", "right", "enter"), ("resolve", Resolution.NEW_GENERATION)),
    ],
    ids=["enter", "escape", "again", "anew"],
)
async def test_two_accounts_are_asked_about(keys: tuple[str, ...], call: tuple[object, ...]) -> None:
    async with on_stage() as stage:
        stage.app.chat.composer.put("my draft")
        stage.engine.emit(*comes("bob", flows=False), gate("resume", SENTENCE))
        await stage.until(lambda: isinstance(stage.app.screen, ResumeScreen))
        await stage.settle()
        assert stage.app.chat.composer.disabled
        stage.clock.now += SECONDS_TO_PAUSE
        await stage.press(*keys)
        assert [*stage.calls("leave"), *stage.calls("resolve")] == [call]
        assert stage.app.chat.composer.text == "my draft"


async def test_after_a_clear_older_messages_come_back_when_they_are_looked_for() -> None:
    engine = keeping(30)
    engine.kept[BOB][4] = replace(kept(5, "the needle"), time=NOON - 5)
    async with in_conversation(engine=engine) as stage:
        await until_loaded(stage, "kept 30")
        await stage.enter("/clear")
        assert not any("kept" in row for row in rows(stage))
        await stage.enter("/search needle")
        await stage.until(lambda: isinstance(stage.app.screen, SearchScreen))
        await stage.press("enter")
        await until_loaded(stage, "the needle")


async def test_a_conversation_is_exported_and_keys_are_heard_meanwhile() -> None:
    async with in_conversation(engine=keeping(30)) as stage:
        await until_loaded(stage, "kept 30")
        stage.engine.paging.clear()
        path = "/home/ada/with bob.jsonl"
        await stage.enter(f"/export {path}")
        assert stage.shows("Writing the conversation to a file …")
        await stage.type("hello")
        await stage.press("enter")
        assert stage.calls("send") == [("send", "hello")]
        stage.engine.paging.set()
        await stage.settle()
        assert stage.calls("export") == [("export", BOB, path)]
        said = " ".join(" ".join(row.split()) for row in rows(stage))
        assert f"{path} has the conversation in it, in clear: whoever has the file reads it." in said
        assert "securechat-tui transcript verify FILE" in said
        assert not stage.shows("Writing the conversation")


async def test_an_export_that_fails_says_why() -> None:
    engine = keeping(30)
    engine.failures["export"] = CommandError("cannot-save", "There is no space left.")
    async with in_conversation(engine=engine) as stage:
        await stage.enter("/export")
        assert stage.calls("export") == [("export", BOB, "")]
        assert stage.shows("There is no space left.")
        await stage.enter("/go house")
        await stage.enter("/export")
        assert stage.shows("This is the house")
        assert len(stage.calls("export")) == 1
