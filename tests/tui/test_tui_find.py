"""Finding a word in the log."""

from fake_engine import message
from stage import Stage, in_conversation

from securechat_tui.chat.events import SafeText
from securechat_tui.tui.widgets.find_bar import count_words
from securechat_tui.tui.widgets.log_entries import MessageEntry, NoticeEntry
from securechat_tui.tui.widgets.log_model import LogModel
from securechat_tui.tui.widgets.log_search import LogSearch


def model(*texts: str) -> LogModel:
    log = LogModel()
    for number, text in enumerate(texts):
        log.append(
            MessageEntry(id=str(number), time=0.0, nick=SafeText("bob"), text=SafeText(text))
            if number % 2
            else NoticeEntry(time=0.0, text=SafeText(text))
        )
    return log


def searched(word: str, log: LogModel) -> LogSearch:
    search = LogSearch(word, log)
    while not search.is_done:
        search.advance()
    return search


class TestSearch:
    def test_newest_first_and_round_and_round(self) -> None:
        search = searched("Fox", model("a fox", "no", "FOX", "ox", "foxes"))
        assert [search.step(older=True) for _ in range(4)] == [4, 2, 0, 4]
        assert search.step(older=False) == 0
        assert (search.rank, len(search)) == (2, 3)

    def test_it_is_no_pattern(self) -> None:
        assert len(searched("a.c", model("abc", "a.c", "(", "[/x]"))) == 1
        assert len(searched("[/", model("abc", "a.c", "(", "[/x]"))) == 1

    def test_what_comes_meanwhile_is_searched_too(self) -> None:
        log = model("fox", "fox")
        search = searched("fox", log)
        search.step(older=True)
        search.take(2, "none")
        search.take(3, "a Fox")
        assert (search.rank, len(search)) == (1, 3)
        assert search.step(older=False) == 3
        assert search.rank == 0

    def test_nothing(self) -> None:
        search = searched("x", model())
        assert search.step(older=True) is None
        assert search.rank is None

    def test_a_hundred_thousand_are_looked_through_in_parts(self) -> None:
        log = model(*(f"line {number}" for number in range(100_000)))
        search = LogSearch("line 7777", log)
        steps = 0
        while not search.is_done:
            search.advance()
            steps += 1
        assert steps > 20
        assert len(search) == 11
        assert search.step(older=True) == 77779

    def test_huge_messages_make_small_parts(self) -> None:
        log = model(*("x" * 10_000 for _ in range(640)))
        search = LogSearch("y", log)
        search.advance()
        assert not search.is_done

    def test_spans_reach_over_the_edges_of_a_line(self) -> None:
        search = searched("ab", model("ab"))
        assert search.spans("ab xab ab", 5, 9) == [(4, 6), (7, 9)]

    def test_words_for_the_count(self) -> None:
        assert count_words(2, 1200, done=True) == "3 of 1,200"
        assert count_words(0, 1, done=False) == "1 of 1 …"
        assert count_words(None, 0, done=False) == "searching …"
        assert count_words(None, 0, done=True) == "not found"


async def talk(stage: Stage, *texts: str) -> None:
    stage.engine.emit(*(message(number, text) for number, text in enumerate(texts, 1)))
    await stage.settle()


class TestBar:
    async def test_by_key(self) -> None:
        async with in_conversation(size=(80, 24)) as stage:
            await talk(stage, "the first fox", *(f"filler {number}." for number in range(60)), "last FOX")
            await stage.press("ctrl+f")
            await stage.type("fox")
            await stage.until(lambda: stage.shows("1 of 2"))
            assert stage.shows("last FOX")
            await stage.press("enter")
            assert stage.shows("2 of 2")
            assert stage.shows("▸bob")
            assert stage.shows("the first fox")
            await stage.press("down")
            assert stage.shows("1 of 2")
            assert stage.shows("last FOX")
            await stage.press("up")
            await stage.press("shift+enter")
            assert stage.shows("1 of 2")

    async def test_escape_ends_it_and_keeps_the_draft(self) -> None:
        async with in_conversation() as stage:
            await talk(stage, "a fox")
            await stage.type("draft")
            await stage.press("ctrl+f")
            await stage.type("fox")
            assert stage.app.chat.composer.text == "draft"
            await stage.press("escape")
            assert not stage.shows("⌕ Find")
            assert not stage.shows("▸bob")
            assert stage.app.chat.composer.has_focus
            await stage.type("ed")
            assert stage.app.chat.composer.text == "drafted"

    async def test_by_word(self) -> None:
        async with in_conversation() as stage:
            await talk(stage, "a fox", "a hen", "FOXES")
            await stage.enter("/find fox")
            await stage.until(lambda: stage.shows("1 of 2"))
            await talk(stage, "one more fox")
            assert stage.shows("2 of 3")
            stage.app.desk.perform("clear")
            await stage.until(lambda: stage.shows("not found"))

    async def test_not_found_and_markup(self) -> None:
        async with in_conversation(size=(50, 20)) as stage:
            await talk(stage, "[/x] [bold]", "a\ttab")
            await stage.enter("/find nowhere")
            await stage.until(lambda: stage.shows("not found"))
            await stage.press("escape")
            await stage.enter("/find [/x]")
            await stage.until(lambda: stage.shows("1 of 1"))

    async def test_a_word_deep_in_a_long_message_is_brought_into_view(self) -> None:
        async with in_conversation(size=(80, 24)) as stage:
            lines = [f"row {number}" for number in range(300)]
            lines[150] = "the needle"
            await talk(stage, "\n".join(lines), "after")
            await stage.enter("/find needle")
            await stage.until(lambda: stage.shows("the needle"))

    async def test_ctrl_f_again_takes_up_the_word(self) -> None:
        async with in_conversation() as stage:
            await talk(stage, "a fox")
            await stage.enter("/find fox")
            await stage.press("escape", "ctrl+f")
            await stage.until(lambda: stage.shows("1 of 1"))
            await stage.type("hen")
            await stage.until(lambda: stage.shows("not found"))
