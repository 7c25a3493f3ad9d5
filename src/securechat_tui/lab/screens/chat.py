"""A chat over one of the lab's protocols, on the screen, beneath a warning that nothing takes away."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from securechat_tui.chat.events import SafeText
from securechat_tui.chat.steps import Noted, Step
from securechat_tui.headless.standard_streams import Line
from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.chat import Chat, Place
from securechat_tui.lab.faces import Happened, PlainFace, beginning, ending, refusal
from securechat_tui.lab.peer import Delivered, Established, Finished, Rejected, Sent, Shown
from securechat_tui.lab.screens.frame import LabScreen
from securechat_tui.network.addresses import Address
from securechat_tui.tui.screens.steps import StepsScreen
from securechat_tui.tui.widgets.chat_log import ChatLog
from securechat_tui.tui.widgets.composer import Composer
from securechat_tui.tui.widgets.log_entries import Entry, MessageEntry, NoticeEntry, Tick

__all__ = ["STYLES", "LabChatScreen"]

STYLES: Final = ("../../tui/screens/chat.tcss", "chat.tcss")
_REMEMBERED: Final = 200
"""Messages whose steps can be looked at."""
_FEW_CHECKS: Final = 2
_OVER: Final = "It is over. Esc leaves."
_OWN: Final = SafeText("you")


class _Entered:
    """What is typed, as lines for the chat."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[str] = asyncio.Queue()

    def put(self, text: str) -> None:
        """Enter a text."""
        self._waiting.put_nowait(text)

    async def __aiter__(self) -> AsyncIterator[Sequence[Line]]:
        """Give each text as one line, whatever line ends are in it."""
        while True:
            yield [(await self._waiting.get()).encode("utf-8", "surrogatepass")]


class _ScreenFace(PlainFace):
    """Tells the screen; input is read as that of plain lines is."""

    def __init__(self, screen: "LabChatScreen") -> None:
        super().__init__()
        self._screen = screen

    def opening(self, protocol: LabProtocol, role: str) -> bytes:
        """The warning stands above already."""
        super().opening(protocol, role)
        self._screen.notice(f"You are the {role}. /quit or Esc ends; F5 shows a message's steps.")
        return b""

    def place(self, what: str, address: Address) -> bytes:
        """Where it listens, or what it dials."""
        self._screen.notice(f"{'Listening at' if what == 'listening' else 'Calling'} {address}")
        return b""

    def show(self, happened: Happened) -> bytes:
        """An event."""
        self._screen.happened(happened)
        return b""

    def error(self, code: str, sentence: str, ref: str | None = None) -> bytes:
        """Something that went wrong here."""
        del code, ref
        self._screen.notice(f"! {sentence}")
        return b""


class LabChatScreen(LabScreen):
    """Log and composer; what it shows comes from the same chat that ``--plain`` runs."""

    AUTO_FOCUS = "#composer"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "End", key_display="Esc"),
        Binding("f5", "steps", "Steps", key_display="F5"),
        Binding("pageup", "scroll_log('page_up')", "Scroll", show=False, priority=True),
        Binding("pagedown", "scroll_log('page_down')", "Scroll", show=False, priority=True),
    ]

    def __init__(self, place: Place) -> None:
        super().__init__(place.protocol)
        self._place = place
        self._entered = _Entered()
        self._chat: Chat | None = None
        self._code: int | None = None
        self._log = ChatLog(classes="log")
        self._steps: OrderedDict[str, tuple[Noted, ...]] = OrderedDict()

    def compose_body(self) -> ComposeResult:
        """The log, and where one types."""
        yield self._log
        yield Static(markup=False, id="lab-hint")
        yield Composer(placeholder=f"message by {self._place.protocol.name}: not private")

    def on_mount(self) -> None:
        """Begin."""
        role = self._place.role
        self._log.border_title = Content(f"lab {role} {self._place.protocol.name}")
        self._converse()

    @work(group="chat", exit_on_error=False)
    async def _converse(self) -> None:
        face = _ScreenFace(self)
        self._chat = Chat(self._place, face, self._entered, lambda _: None, self.keys)
        self._code = await self._chat.run()
        self.query_one(Composer).disabled = True
        self.notice(_OVER)
        self.focus()

    # What the face tells.

    def notice(self, sentence: str) -> None:
        """A line of the program's own."""
        self._log.append(NoticeEntry(time=time.time(), text=SafeText.multi(sentence)))

    def happened(self, what: Happened) -> None:
        """Show an event of the conversation."""
        match what.event:
            case Established(peer_key):
                self.notice(beginning(peer_key))
            case Sent(number, text, steps):
                entry = _own_entry(f"out-{what.conversation}-{number}", text)
                self._append(entry, "sending", steps)
            case Delivered(number):
                self._log.update_tick(f"out-{what.conversation}-{number}", Tick.DELIVERED)
            case Shown() as shown:
                self._append(_received_entry(what.conversation, shown), "receiving", shown.steps)
            case Rejected(check, detail):
                self.notice(f"! {refusal(check, detail)}")
            case Finished(how, check, detail):
                self.notice(ending(how, check, detail))

    def _append(self, entry: MessageEntry, where: str, steps: Sequence[Step]) -> None:
        self._steps[entry.id] = tuple(Noted(where, step) for step in steps)
        if len(self._steps) > _REMEMBERED:
            self._steps.popitem(last=False)
        entries: list[Entry] = [entry]
        self._log.extend(entries)

    # What the person does.

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        self._entered.put(event.text)

    @on(Composer.Hint)
    def _hint(self, event: Composer.Hint) -> None:
        self.query_one("#lab-hint", Static).update(Content(event.text))

    @on(Composer.ExitConfirmed)
    def action_leave(self) -> None:
        """Say goodbye where the protocol has a word for it; when all is over, go."""
        if self._code is not None:
            self.app.exit(self._code)
        elif self._chat is not None:
            self._chat.stop()

    def action_steps(self) -> None:
        """Show the steps of the selected or last message."""
        selected = self._log.selected
        found = self._steps.get(selected.id) if selected else next(reversed(self._steps.values()), None)
        if found:
            self.app.push_screen(StepsScreen("The way of this message", found, reveals=True))
        else:
            self.notice("No steps were noted for this; send a message, then press F5.")

    def action_focus_log(self) -> None:
        """To the log, to select a message."""
        self._log.focus()

    def action_scroll_log(self, way: str) -> None:
        """Go through the log: page_up or page_down."""
        (self._log.action_page_up if way == "page_up" else self._log.action_page_down)()


def _own_entry(entry_id: str, text: SafeText) -> MessageEntry:
    return MessageEntry(id=entry_id, time=time.time(), nick=_OWN, text=text, own=True, tick=Tick.SENT)


def _received_entry(conversation: str, shown: Shown) -> MessageEntry:
    passed = shown.passed
    named = ", ".join(passed) if len(passed) <= _FEW_CHECKS else f"{len(passed)} checks"
    return MessageEntry(
        id=f"in-{conversation}-{shown.number}",
        time=time.time(),
        nick=shown.sender,
        text=shown.text,
        verdict=f"✓ {named}",
    )
