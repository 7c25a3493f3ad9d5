"""Which conversation is on the screen, and what is said there of the others."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Code,
    ConversationEvent,
    Event,
    Gate,
    Message,
    Notice,
    Peer,
    Refused,
    VerifyAsked,
)
from securechat_tui.chat.views import ConversationView
from securechat_tui.tui import wording
from securechat_tui.tui.acquaintance import known_talk
from securechat_tui.tui.panes import Pane, Panes
from securechat_tui.tui.perform import Job
from securechat_tui.tui.scrollback import Scrollback
from securechat_tui.tui.talk import Talk
from securechat_tui.tui.widgets.conversation_list import places_of
from securechat_tui.tui.widgets.log_pages import Beyond
from securechat_tui.tui.widgets.log_viewport import LogViewport

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["HOUSE", "Switchboard"]

_MARK_SECONDS = 1.0
HOUSE = "house"
"""What the place is called that belongs to no conversation."""
_DRAFT_KEPT = "Up brings back what you had begun to write here."


class Switchboard:
    """Lets one pane be on the screen. It is the person who changes that; nothing that comes does."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self.panes = Panes(app.engine, app.chat.log_view, app.chat.add_log)
        self._marking: set[str] = set()
        """Conversations of which it will be kept that they were read."""
        self._next_mark: dict[str, float] = {}
        self._hints: dict[Event, str] = {}
        """What is to be said where the person is, after an event of another conversation."""
        self.is_expecting = False
        """Whether the person has asked to join somebody who is not here yet."""
        self._sought = ""
        """The key of the contact with whom the person has asked to talk, who is not here yet."""

    @property
    def shown(self) -> Pane:
        """The pane on the screen."""
        return self.panes.of(self._app.state.conversation)

    # What comes.

    def recall(self) -> None:
        """Take up the conversations in which something waits to be read, when the program begins."""
        for view in self._app.engine.overview():
            if view.unread and view.id not in self._app.state.talks:
                self._meet(view)

    def take(self, event: Event) -> None:
        """Make room for a conversation that is new here, and say what happens in those not in view."""
        state = self._app.state
        if isinstance(event, Refused):
            self.expect_nobody()
        if not isinstance(event, ConversationEvent) or event.conversation not in state.talks:
            return
        talk = state.talks[event.conversation]
        in_view = talk is state.shown
        self._open(talk, in_view=in_view)
        if isinstance(event, Peer):
            self._arrived(talk, event)
        elif not in_view:
            self._hint_at(talk, event)
        if isinstance(event, Message):
            talk.unread += 1

    def _open(self, talk: Talk, *, in_view: bool) -> None:
        if talk.id in self.panes:
            return
        view = next((one for one in self._app.engine.overview() if one.id == talk.id), None)
        if view is not None:
            talk.unread = view.unread
        draft = view.draft if view else ""
        self.panes.open(talk.id, in_view=in_view, draft=draft)
        if in_view:
            if draft:
                self._bring_back(draft)
            self._begin_history(talk)

    def _bring_back(self, draft: str) -> None:
        """Let a draft go on; where something is typed already, nothing must be sent with that unseen."""
        composer = self._app.chat.composer
        if composer.text:
            composer.input_history.slip_in(draft)
            self._app.say(_DRAFT_KEPT)
        else:
            composer.put(draft)

    def _arrived(self, talk: Talk, peer: Peer) -> None:
        """Somebody is here: go there if the person has asked for them and is not typing; else say so."""
        asked = self._is_asked_for(peer)
        if asked:
            self.expect_nobody()
        if talk is self._app.state.shown:
            return
        if asked and self._app.is_in_chat and not self._app.chat.composer.text:
            self.show(talk.id)
            return
        word = f"{wording.trust_glyph(peer.trust)} {wording.trust_word(peer.trust)}"
        self._hints[peer] = f"{peer.contact} is here ({word}): {_way(talk)}."

    def _is_asked_for(self, peer: Peer) -> bool:
        if self.is_expecting and peer.role == "host" and not peer.returning:
            return True
        return self._sought == peer.fingerprint

    def seek(self, name: str) -> None:
        """The person has asked to talk with this contact: with its key, for others may say its name."""
        contacts = self._app.engine.contacts()
        named = (one.fingerprint for one in contacts if one.name.casefold() == name.casefold())
        self._sought = next(named, "")

    def expect_nobody(self) -> None:
        """Whoever comes now was not asked for."""
        self.is_expecting, self._sought = False, ""

    def _hint_at(self, talk: Talk, event: Event) -> None:
        """One dim line for what waits for the person in a conversation that is not in view."""
        name, way = talk.peer.contact, _way(talk)
        match event:
            case Gate():
                hint = f"! The conversation with {name} stands still until you decide: {way}."
            case Code():
                hint = f"! There are codes to compare with {name}: {way}."
            case VerifyAsked():
                hint = f"{name} would like to compare codes: {way}."
            case _:
                return
        self._hints[event] = hint

    def hold_alarm(self, talk: Talk, refused: Refused) -> None:
        """Keep an alarm about somebody who is not in view until the person goes there."""
        talk.alarm = refused
        name = talk.peer.contact
        self._hints[refused] = f"✖ KEY CHANGED: {name}. Nothing was sent to the other key: {_way(talk)}."

    # Where the person goes.

    def show(self, conversation: str | None) -> None:
        """Put a conversation on the screen, or the house, with all that belongs to it."""
        state = self._app.state
        if conversation == state.conversation:
            return
        self.expect_nobody()
        self._leave()
        state.show(conversation)
        if state.shown:
            self._open(state.shown, in_view=True)
        self._arrive()

    def _leave(self) -> None:
        pane, chat = self.shown, self._app.chat
        pane.draft, pane.sought = chat.composer.text, chat.sought
        pane.input_history = chat.composer.input_history  # at first it is the composer's own
        talk = self._app.state.shown
        if talk is None or not talk.unread:
            pane.log.set_unread_marker()
        self.keep_draft(self._app.state.conversation)

    def _arrive(self) -> None:
        pane, chat, talk = self.shown, self._app.chat, self._app.state.shown
        chat.put_up(pane.log)
        chat.composer.input_history = pane.input_history
        chat.composer.put(pane.draft)
        chat.restore_find(pane.sought)
        if talk is not None:
            if talk.unread and pane.log.follows:
                pane.log.show_marker()
            self._begin_history(talk)
            self._app.key_change.ask_about(talk)
        self._app.refresh_state()
        chat.call_after_refresh(self.see)

    def _begin_history(self, talk: Talk) -> None:
        scrollback = self.panes.of(talk.id).scrollback
        if scrollback is not None and not scrollback.is_begun:
            self._read(partial(self._open_history, scrollback, talk.unread))

    def _read(self, way: Callable[[], object]) -> None:
        """Read what is kept, in a worker that begins it: an app that ends may never come to that."""
        self._app.run_worker(way, group="history", exit_on_error=False)

    async def _open_history(self, scrollback: Scrollback, unread: int) -> None:
        await scrollback.begin(unread)
        self._app.chat.call_after_refresh(self.see)

    def load(self, log: LogViewport, beyond: Beyond) -> None:
        """Load what a log wants of what is kept."""
        for _, pane in self.panes:
            if pane.log is log and pane.scrollback is not None:
                self._read(partial(pane.scrollback.load, beyond))

    def restore(self, pane: Pane, text: str) -> None:
        """Bring back what could not be sent, to where it was typed."""
        if pane is self.shown:
            self._app.chat.composer.restore(text)
        else:
            pane.draft = f"{text}\n{pane.draft}" if pane.draft else text

    def step(self, by: int) -> None:
        """To the next conversation down the list, or up; past its end begin again."""
        places = self.places()
        here = places.index(self._app.state.conversation)
        self.show(places[(here + by) % len(places)])

    def next_unread(self) -> bool:
        """To the next conversation in which something waits; False where there is none."""
        places, talks = self.places(), self._app.state.talks
        here = places.index(self._app.state.conversation)
        for place in [*places[here + 1 :], *places[:here]]:
            if place is not None and (talks[place].unread or talks[place].question):
                self.show(place)
                return True
        return False

    def show_places(self) -> None:
        """Draw the list of conversations."""
        state = self._app.state
        self._app.chat.show_places(places_of(state.house_link, [*state.talks.values()], state.shown))

    def places(self) -> list[str | None]:
        """The house and every conversation, in the order of the list."""
        return [None, *self._app.state.talks]

    def go(self, name: str) -> bool:
        """To whom a name stands for, among the conversations open or kept; False where it is nobody."""
        if name.casefold() == HOUSE:
            self.show(None)
            return True
        for talk in self._app.state.talks.values():
            if talk.peer.contact.casefold() == name.casefold():
                self.show(talk.id)
                return True
        for view in self._app.engine.overview():
            if view.name.casefold() == name.casefold():
                self.go_to(view.id)
                return True
        return False

    def go_to(self, conversation: str) -> None:
        """To a conversation by its id, open or kept."""
        if conversation not in self._app.state.talks:
            views = self._app.engine.overview()
            view = next((one for one in views if one.id == conversation), None)
            if view is None:
                return
            self._meet(view)
        self.show(conversation)

    async def go_to_row(self, conversation: str, row: int) -> None:
        """To one message that is kept."""
        self.go_to(conversation)
        pane = self.panes.of(conversation)
        if pane.scrollback is not None:
            await pane.scrollback.begin(self._app.state.talks[conversation].unread)
            await pane.scrollback.go_to(row)
        if pane.log.go_to(row):
            pane.log.focus()

    def _meet(self, view: ConversationView) -> None:
        contacts = self._app.engine.contacts()
        contact = next((one for one in contacts if one.fingerprint == view.fingerprint), None)
        self._app.state.talks[view.id] = known_talk(view, contact)

    # What was seen, and what was typed.

    def see(self) -> None:
        """Messages at the bottom of the log in view have been seen, if anybody is looking."""
        talk = self._app.state.shown
        if talk is None or not talk.unread or self._app.attention.is_away:
            return
        scrollback = self.shown.scrollback
        is_read = self.shown.log.follows and scrollback is not None and scrollback.is_ready
        if is_read and self._app.is_in_chat:
            talk.unread = 0
            self._app.refresh_state()
            self._mark_read(talk.id)

    def _mark_read(self, conversation: str) -> None:
        """Have it kept that messages were seen: at once, and in a burst once in a while."""
        if conversation in self._marking:
            return
        self._marking.add(conversation)
        job = Job(partial(self._marked_read, conversation))
        wait = self._next_mark.get(conversation, 0.0) - self._app.clock()
        if wait > 0:
            self._app.set_timer(wait, partial(self._app.jobs.add, job))
        else:
            self._app.jobs.add(job)

    async def _marked_read(self, conversation: str) -> None:
        self._marking.discard(conversation)
        self._next_mark[conversation] = self._app.clock() + _MARK_SECONDS
        await self._app.engine.mark_read(conversation)

    def keep_draft(self, conversation: str | None) -> None:
        """Have a conversation's draft kept, where it has changed."""
        draft = self.panes.of(conversation).draft_to_keep() if conversation is not None else None
        if conversation is not None and draft is not None:
            text, engine = draft, self._app.engine
            self._app.jobs.add(Job(lambda: engine.keep_draft(conversation, text)))

    async def close(self) -> None:
        """At the end of the program: keep what was being typed anywhere, and what was seen last."""
        self.shown.draft = self._app.chat.composer.text
        for conversation, pane in self.panes:
            draft = pane.draft_to_keep()
            if draft is not None:
                await _unsaid(self._app.engine.keep_draft(conversation, draft))
        for conversation in [*self._marking]:
            await _unsaid(self._marked_read(conversation))

    def tell(self, events: Sequence[Event]) -> None:
        """Write a batch of events into the logs."""
        self.panes.tell([*self._with_hints(events)], self.shown)
        self.see()

    def _with_hints(self, events: Sequence[Event]) -> Iterator[Event]:
        for event in events:
            yield event
            hint = self._hints.pop(event, "")
            if hint:
                yield Notice(time=event.time, message=hint)


async def _unsaid(saving: Awaitable[None]) -> None:
    """Wait for it; there is no screen any more on which a failure could be said."""
    with suppress(CommandError):
        await saving


def _way(talk: Talk) -> str:
    """How to go to a conversation."""
    return f"Alt+A or /go {talk.peer.contact} goes there"
