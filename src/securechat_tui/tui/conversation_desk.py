"""The commands about several conversations and about what is kept of them."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from securechat_tui.chat.errors import CommandError
from securechat_tui.tui.acquaintance import known_talk
from securechat_tui.tui.panes import Pane
from securechat_tui.tui.perform import Job
from securechat_tui.tui.screens.connections import ConnectionsScreen
from securechat_tui.tui.screens.conversations import ConversationsScreen
from securechat_tui.tui.screens.search import Hit, SearchScreen
from securechat_tui.tui.screens.wipe import WipeScreen
from securechat_tui.tui.widgets.conversation_list import Place, places_of

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["ConversationDesk"]

_NOBODY_ELSE = "There is no other conversation to go to; /go lists those that are kept."
_NOTHING_UNREAD = "Nothing waits in another conversation."
_UNKNOWN = "Nothing is kept with {name} yet: /talk {name} calls them."
_WHOM = "Say with whom, such as: /talk bob"
_WHAT = "Type what to look for after it, such as: /search parcel"
_NOT_FOUND = "Nothing that is kept holds \u201c{text}\u201d."
_EXPORTING = "Writing the conversation to a file …"
_EXPORTED = (
    "{path} has the conversation in it, in clear: whoever has the file reads it. To check it anywhere: "
    "securechat-tui transcript verify FILE"
)
_NO_PANE = "This is the house, of which nothing is kept: go to the conversation that you mean."


class ConversationDesk:
    """Goes from one conversation to another, looks through what is kept, and destroys it."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self.deeds: dict[str, Callable[[str], None]] = {
            "previous": partial(self._step, -1),
            "next": partial(self._step, 1),
            "unread": self._unread,
            "go": self._go,
            "talk": self._talk,
            "search": self._search,
            "export": self._export,
            "wipe": self._wipe,
            "connections": self._connections,
        }

    def _step(self, by: int, _: str) -> None:
        if self._app.state.is_several:
            self._app.switchboard.step(by)
        else:
            self._app.say(_NOBODY_ELSE)

    def _unread(self, _: str) -> None:
        if not self._app.switchboard.next_unread():
            self._app.say(_NOTHING_UNREAD)

    def _go(self, name: str) -> None:
        if not name:
            self._app.push_screen(ConversationsScreen(self._kept_places()), self._chosen)
        elif not self._app.switchboard.go(name):
            self._app.say(_UNKNOWN.format(name=name))

    def _kept_places(self) -> tuple[Place, ...]:
        """Those that are open, and those that are kept beside them, the most recent first."""
        state, engine = self._app.state, self._app.engine
        contacts = {one.fingerprint: one for one in engine.contacts()}
        kept = [
            known_talk(view, contacts.get(view.fingerprint))
            for view in engine.overview()
            if view.id not in state.talks
        ]
        return places_of(state.house_link, [*state.talks.values(), *kept], state.shown)

    def _chosen(self, place: Place | None) -> None:
        if place is None:
            return
        if place.id is None:
            self._app.switchboard.show(None)
        else:
            self._app.switchboard.go_to(place.id)

    def _talk(self, name: str) -> None:
        if not name:
            self._app.say(_WHOM)
            return

        async def talk() -> None:
            await self._app.engine.talk(name)
            self._app.switchboard.seek(name)

        self._app.show_chat()
        self._app.jobs.add(Job(talk))

    def _search(self, text: str) -> None:
        if text:
            self._app.run_worker(self._look_for(text), group="search", exclusive=True, exit_on_error=False)
        else:
            self._app.say(_WHAT)

    async def _look_for(self, text: str) -> None:
        try:
            found = await self._app.engine.search(text)
        except CommandError as error:
            self._app.say(str(error))
            return
        names = {view.id: view.name for view in self._app.engine.overview()}
        names |= {talk.id: talk.peer.contact for talk in self._app.state.talks.values()}
        hits = [
            Hit(one.conversation, str(names.get(one.conversation, "?")), kept)
            for one in found
            for kept in one.messages
        ]
        if hits:
            self._app.push_screen(SearchScreen(text, hits), self._hit_chosen)
        else:
            self._app.say(_NOT_FOUND.format(text=text))

    def _hit_chosen(self, hit: Hit | None) -> None:
        if hit is not None:
            way = self._app.switchboard.go_to_row(hit.conversation, hit.kept.row)
            self._app.run_worker(way, group="search", exclusive=True, exit_on_error=False)

    def find_more(self, word: str, *, older: bool) -> None:
        """Look for a word in what is kept and not in the log, towards older messages or newer ones."""
        way = self._find_more(self._app.switchboard.shown, word, older=older)
        self._app.run_worker(way, group="search", exclusive=True, exit_on_error=False)

    async def _find_more(self, pane: Pane, word: str, *, older: bool) -> None:
        """Go to the next hit that the log has not; where there is none at all, begin again in the log."""
        if pane.scrollback is None:
            return
        try:
            row = await pane.scrollback.find(word, older=older)
        except CommandError as error:
            self._app.say(str(error))
            return
        if row is None:
            pane.log.find_no_more()
            pane.log.find_next(older=older)
        else:
            await pane.scrollback.go_to(row)
            pane.log.find_at(row)

    def _export(self, file: str) -> None:
        talk = self._app.state.shown
        if talk is None:
            self._app.say(_NO_PANE)
        else:
            self._app.chat.show_hint(_EXPORTING)
            way = self._write_out(talk.id, file)
            self._app.run_worker(way, group="export", exit_on_error=False)

    async def _write_out(self, conversation: str, file: str) -> None:
        """Not as a job, for which others would have to wait: that may take a minute."""
        try:
            path = await self._app.engine.export(conversation, file)
        except CommandError as error:
            sentence = str(error)
        else:
            sentence = _EXPORTED.format(path=path)
        self._app.chat.show_hint("")
        self._app.say(sentence)

    def _wipe(self, _: str) -> None:
        talk = self._app.state.shown
        if talk is None:
            self._app.say(_NO_PANE)
            return
        wiped = partial(self._wipe_confirmed, talk.id, str(talk.peer.contact))
        self._app.push_screen(WipeScreen(str(talk.peer.contact)), wiped)

    def _wipe_confirmed(self, conversation: str, name: str, confirmed: bool | None) -> None:
        if not confirmed:
            return
        engine, pane = self._app.engine, self._app.switchboard.panes.of(conversation)

        async def wipe() -> None:
            await engine.wipe(conversation)
            pane.clear(wiped=True)

        done = f"What was kept of the conversation with {name} is destroyed here; {name} may still have it."
        self._app.jobs.add(Job(wipe, done=done))

    def _connections(self, _: str) -> None:
        self._app.push_screen(ConnectionsScreen(self._app.engine.connections()))
