"""The ticks of one's own messages of an earlier run: a page of what is kept comes with what is so by then."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from chat_people import met, opened, person, secured
from textual.pilot import Pilot

from securechat_tui.chat.engine import Engine
from securechat_tui.chat.events import Message
from securechat_tui.chat.outbox import Outbox
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import StoredMessage
from securechat_tui.storage.profile import Profile
from securechat_tui.tui.app import ChatApp
from securechat_tui.tui.opening import JoinTarget
from securechat_tui.tui.widgets.log_entries import MessageEntry, Tick

PATIENCE = 1000


class SlowPages:
    """Keeps pages back until they are let come, as they were before anything on them was delivered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        page = ConversationStore.page
        self.go_on = threading.Event()
        self.read: list[list[StoredMessage]] = []

        def slow(store: ConversationStore, limit: int, before: int | None = None) -> list[StoredMessage]:
            self.read.append([replace(one, tick="queued") for one in page(store, limit, before)])
            self.go_on.wait()
            return self.read[-1]

        monkeypatch.setattr(ConversationStore, "page", slow)


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(PATIENCE):
        if condition():
            return
        await pilot.pause()
    raise AssertionError("never came about")


async def cut_before_the_acknowledgement(sender: Profile, reader: Profile, *texts: str) -> None:
    """What is sent arrives, and its author does not hear of it."""
    with pytest.MonkeyPatch.context() as cut:
        cut.setattr(Outbox, "acknowledge", lambda *_: [])
        async with opened(reader) as at_reader, opened(sender) as at_sender:
            await secured(at_reader, at_sender, await at_reader.host())
            await asyncio.gather(*map(at_sender.engine.send, texts))
            await at_reader.until_many(len(texts), Message)


@pytest.mark.usefixtures("home")
async def test_what_is_delivered_while_a_page_is_read_is_delivered_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    await cut_before_the_acknowledgement(bob, alice, "one", "two", "three")
    pages = SlowPages(monkeypatch)
    async with opened(alice) as at_alice, Engine(bob) as engine:
        app = ChatApp(engine, JoinTarget(await at_alice.host()))
        async with app.run_test(size=(100, 30)) as pilot:
            try:
                await until(pilot, lambda: pages.read and not engine.overview()[0].waiting)
            finally:
                pages.go_on.set()
            await until(pilot, lambda: len(own(app)) == 3)
            assert [one.tick for one in own(app)] == [Tick.DELIVERED] * 3
            await at_alice.engine.leave()
            await until(pilot, lambda: not engine.conversations)
            await pilot.pause()
            assert not any("next meeting" in notice.text for notice in app.chat.log_view.notices())


def own(app: ChatApp) -> list[MessageEntry]:
    """One's own messages in the log."""
    model = app.chat.log_view._model
    entries = map(model.entry, range(model.first, model.stop))
    return [entry for entry in entries if isinstance(entry, MessageEntry) and entry.own]
