"""What is kept apart for each conversation on the screen: its log, its draft, its search, its history."""

from collections.abc import Callable, Iterator, Sequence

from securechat_tui.chat.events import Cancelled, ConversationEvent, Delivered, Event, Queued, Sent
from securechat_tui.chat.limits import holds_secret
from securechat_tui.tui.history import InputHistory
from securechat_tui.tui.narration import Narrator
from securechat_tui.tui.port import ScreenPort
from securechat_tui.tui.scrollback import Scrollback
from securechat_tui.tui.widgets.chat_log import ChatLog

__all__ = ["Pane", "Panes"]


class Pane:
    """One conversation's part of the screen, or the house's."""

    def __init__(self, log: ChatLog) -> None:
        self.log = log
        self.narrator = Narrator(log)
        self.draft = ""
        """What was being typed when the pane was left."""
        self.kept_draft = ""
        """The draft as it was handed to be kept."""
        self.input_history = InputHistory()
        self.sought: str | None = None
        """The word in the find bar; None while that is closed."""
        self.scrollback: Scrollback | None = None

    def belong_to(self, conversation: str, engine: ScreenPort) -> None:
        """From now on it is a conversation's."""
        self.scrollback = Scrollback(engine, self, conversation)
        self.narrator.end = self.scrollback

    def clear(self, *, wiped: bool = False) -> None:
        """Empty the log."""
        self.narrator.clear()
        if self.scrollback is not None:
            self.scrollback.cut(wiped=wiped)

    def draft_to_keep(self) -> str | None:
        """The draft, where it is another than the one kept last; None where it is not. No invite is kept."""
        draft = "" if holds_secret(self.draft) else self.draft
        if draft == self.kept_draft:
            return None
        self.kept_draft = draft
        return draft


class Panes:
    """The house's pane and one for each conversation. ``make_log`` puts another log on the screen."""

    def __init__(self, engine: ScreenPort, house: ChatLog, make_log: Callable[[], ChatLog]) -> None:
        self._engine = engine
        self._make_log = make_log
        self._is_fresh = True
        self.house = Pane(house)
        self._by_id: dict[str, Pane] = {}

    def __iter__(self) -> Iterator[tuple[str, Pane]]:
        return iter(self._by_id.items())

    def __contains__(self, conversation: object) -> bool:
        return conversation in self._by_id

    def of(self, conversation: str | None) -> Pane:
        """The pane of a conversation, or the house's."""
        return self._by_id.get(conversation, self.house) if conversation is not None else self.house

    def open(self, conversation: str, *, in_view: bool, draft: str = "") -> None:
        """Make a pane for a conversation that has none.

        The first one that is in view goes on where the house was, so that who came, and what was typed
        before, stand in one log.
        """
        if conversation in self._by_id:
            return
        if in_view and self._is_fresh:
            self._is_fresh = False
            pane, self.house = self.house, Pane(self._make_log())
            self.house.log.extend(pane.log.notices())
        else:
            pane = Pane(self._make_log())
            pane.draft = draft
        pane.kept_draft = draft
        pane.belong_to(conversation, self._engine)
        self._by_id[conversation] = pane

    def tell(self, events: Sequence[Event], shown: Pane) -> None:
        """Let every event be told where it belongs: what is of the house also where the person is."""
        told: dict[int, tuple[Pane, list[Event]]] = {}
        for event in events:
            for pane in self._listeners(event, shown):
                told.setdefault(id(pane), (pane, []))[1].append(event)
        for pane, its_events in told.values():
            pane.narrator.tell(its_events)

    def _listeners(self, event: Event, shown: Pane) -> tuple[Pane, ...]:
        if not isinstance(event, ConversationEvent):
            return (self.house,) if shown is self.house else (self.house, shown)
        pane = self.of(event.conversation)
        if isinstance(event, Queued | Sent | Delivered | Cancelled) and self.house.narrator.knows(event.ref):
            return (pane, self.house)  # typed there before anybody had come
        return (pane,)
