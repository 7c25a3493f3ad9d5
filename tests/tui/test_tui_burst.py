"""A burst: the engine waits for the screen, which draws and hears keys meanwhile; what is kept is small."""

from collections.abc import Sequence
from unittest.mock import patch

from fake_engine import closed, message
from stage import Stage, in_conversation

from securechat_tui.chat.events import Event, SafeText, Trust
from securechat_tui.tui.received import entry_of, message_of
from securechat_tui.tui.widgets.log_entries import MessageEntry
from securechat_tui.tui.widgets.log_store import EntryStore
from securechat_tui.tui.widgets.sidebar import Sidebar

MANY = 1000
AT_ONCE = 256


class Watch:
    """Notes what the screen has done each time it takes a batch of events."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._take = stage.app.take_events
        self.sizes: list[int] = []
        self.rows: list[int] = []
        self.drafts: list[str] = []

    def take(self, batch: Sequence[Event]) -> None:
        self.sizes.append(len(batch))
        self.rows.append(self._stage.app.chat.log_view.virtual_size.height)
        self.drafts.append(self._stage.app.chat.composer.text)
        self._take(batch)


async def test_in_a_burst_each_batch_is_drawn_and_keys_are_heard_before_the_next_is_taken() -> None:
    async with in_conversation() as stage:
        log, watch = stage.app.chat.log_view, Watch(stage)
        before = log.entry_count
        with patch.object(stage.app, "take_events", watch.take):
            for number in range(MANY):
                stage.engine.emit(message(number + 1, f"message {number}"))
            await stage.pilot.press("x")
            await stage.until(lambda: log.entry_count == before + MANY)
        assert max(watch.sizes) <= AT_ONCE
        taken = before
        for size, rows in zip(watch.sizes, watch.rows, strict=True):
            assert rows >= taken
            taken += size
        assert "x" in watch.drafts
        await stage.settle()
        assert stage.shows(f"message {MANY - 1}")


async def test_counters_are_drawn_without_a_new_layout() -> None:
    async with in_conversation() as stage:
        sidebar = stage.app.chat.query_one(Sidebar)
        stage.engine.emit(message(1, "one"))
        await stage.settle()
        with patch.object(sidebar, "refresh", wraps=sidebar.refresh) as refresh:
            stage.engine.emit(message(2, "two"))
            await stage.settle()
            assert refresh.call_count > 0
            assert not any(call.kwargs.get("layout") for call in refresh.call_args_list)
            refresh.reset_mock()
            stage.engine.emit(closed("lost", will_retry=True))
            await stage.settle()
            assert any(call.kwargs.get("layout") for call in refresh.call_args_list)


def test_an_entry_gives_back_the_message_it_was_made_for() -> None:
    given = [message(number + 1, f"{number} \u2028 é 漢字 \n" * (number % 5)) for number in range(200)]
    log = EntryStore()
    for one in given:
        log.append(entry_of(one, ""))
    back = [message_of(one) for one in map(log.__getitem__, range(200)) if isinstance(one, MessageEntry)]
    assert back == given
    assert isinstance(back[3].text, SafeText)
    assert back[3].trust is Trust.NEW


async def test_the_details_of_an_old_message_are_still_there() -> None:
    async with in_conversation() as stage:
        for number in range(300):
            stage.engine.emit(message(number + 1, f"message {number}"))
        await stage.settle()
        log = stage.app.chat.log_view
        await stage.until(lambda: stage.shows("message 299"))
        for _ in range(300):
            log.select_previous()
        selected = stage.app.narrator.selected_message()
        assert selected is not None
        assert selected.text == "message 0"
