"""Where a message is typed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from securechat_tui.chat.limits import MAX_TEXT_BYTES
from securechat_tui.tui.commands import Scope, bindings
from securechat_tui.tui.history import InputHistory

__all__ = ["Composer"]

_NEAR_LIMIT = MAX_TEXT_BYTES * 9 // 10
_EXIT_WORD = "exit"
_IN_TURN = frozenset({"previous", "next", "unread"})
"""Keys of the app that change where letters go: those typed before go there, those after come here."""


def _is_chord(key: str) -> bool:
    """Whether more than Shift is held."""
    return not {"shift"}.issuperset(key.split("+")[:-1])


class Composer(TextArea):
    """The draft, its size, and one's own earlier messages. It sends nothing: it says what was asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.COMPOSER)]

    @dataclass
    class Submitted(Message):
        """Enter was pressed on ``text``: a message or a command. The composer is empty already."""

        text: str

    @dataclass
    class Hint(Message):
        """One sentence beneath the composer; an empty one takes it away."""

        text: str

    class Interrupt(Message, bubble=False):
        """Ctrl+C: what to do about it when the keys typed before it have arrived."""

        def __init__(self, then: Callable[[], None]) -> None:
            super().__init__()
            self.then = then

    class CompletionAsked(Message):
        """Tab was pressed."""

    class ExitConfirmed(Message):
        """A bare ``exit`` was entered twice."""

    def __init__(self, *, placeholder: str) -> None:
        super().__init__(
            placeholder=placeholder,
            id="composer",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )
        self.cursor_blink = False
        self.input_history = InputHistory()
        self._exit_armed = False
        self._next_hint = ""

    @property
    def byte_count(self) -> int:
        """The draft's length as it would travel: UTF-8 bytes."""
        return len(self.text.encode("utf-8", "replace"))

    def size_hint(self) -> str:
        """The count as a sentence near and over the limit; empty far below it."""
        count = self.byte_count
        if count > MAX_TEXT_BYTES:
            return f"! {count:,} bytes: {count - MAX_TEXT_BYTES:,} too many. Shorten it or send it in two."
        return f"{count:,} of {MAX_TEXT_BYTES:,} bytes" if count >= _NEAR_LIMIT else ""

    def put(self, text: str, *, hint: str = "") -> None:
        """Replace the draft, with the cursor at its end and ``hint`` beneath it."""
        if text == self.text:
            self.post_message(self.Hint(hint))
            return
        self._next_hint = hint
        self.load_text(text)
        self.move_cursor(self.document.end)

    def restore(self, text: str) -> None:
        """Bring back what could not be sent, before whatever was typed since."""
        self.put(f"{text}\n{self.text}" if self.text else text)

    def clear_draft(self, *, hint: str = "") -> bool:
        """Empty the draft, keeping it for Up; False where there was none."""
        if not self.text:
            return False
        self.input_history.add(self.text)
        self.put("", hint=hint)
        return True

    def render_line(self, y: int) -> Strip:
        """Draw a line; Textual 8.2 cannot wrap a placeholder where there is no width for it."""
        return super().render_line(y) if self.content_size.width else Strip.blank(self.size.width)

    def action_submit(self) -> None:
        """Hand the draft over, unless it is empty, too long, or the word that ends everything."""
        text = self.text
        if not text.strip():
            return
        if self.byte_count > MAX_TEXT_BYTES:
            self.post_message(self.Hint(self.size_hint()))
        elif text.strip() == _EXIT_WORD:
            self._confirm_exit()
        else:
            self.input_history.add(text)
            self.put("")
            self.post_message(self.Submitted(text))

    @on(Interrupt)
    def _interrupted(self, event: Interrupt) -> None:
        event.then()

    def action_newline(self) -> None:
        """Begin a new line at the cursor."""
        self.replace("\n", *self.selection)

    def action_older(self) -> None:
        """On the first line, the message before; elsewhere the line above."""
        if not self.navigator.is_first_wrapped_line(self.cursor_location):
            self.action_cursor_up()
        elif (text := self.input_history.older(self.text)) is not None:
            self.put(text)

    def action_newer(self) -> None:
        """On the last line, the message after; elsewhere the line below."""
        if not self.navigator.is_last_wrapped_line(self.cursor_location):
            self.action_cursor_down()
        elif (text := self.input_history.newer(self.text)) is not None:
            self.put(text)

    def action_complete(self) -> None:
        """Ask for a completion."""
        self.post_message(self.CompletionAsked())

    async def _on_key(self, event: events.Key) -> None:
        """Carry out a bound key here and now.

        As a priority binding the app would run it at once, ahead of letters that still wait for this
        widget; left to bubble it would come after the ones that follow. Typed fast, or sent by a
        program, either would cut the message in the wrong place.
        """
        # Enter as xterm and tmux send it with a modifier (modifyOtherKeys): Textual 8.2 leaves the CR in.
        key = event.key.replace("\r", "enter")
        if event.is_printable and not _is_chord(key):
            return
        bound = self.screen.active_bindings.get(key)
        if bound is not None and (bound.node is self or bound.binding.id in _IN_TURN):
            event.stop()
            event.prevent_default()
            await self.app.run_action(bound.binding.action, bound.node)
        elif key == "enter" or event.is_printable:
            # The focus went between Enter and now: the draft stays as it is, without a new line in it.
            # Nor does a chord such as Alt+x, that nothing here is bound to, type its letter.
            event.prevent_default()

    async def _on_paste(self, event: events.Paste) -> None:
        """Insert a paste as text: its line ends are line ends and send nothing."""
        event.prevent_default()
        event.stop()
        if not self.read_only:
            text = event.text.replace("\r\n", "\n").replace("\r", "\n")
            self.replace(text, *self.selection)
            self.scroll_cursor_visible()

    def on_text_area_changed(self) -> None:
        """Any change disarms ``exit`` and tells the size."""
        if self._exit_armed and self.text.strip() == _EXIT_WORD:
            return  # typed in one burst with Enter: told of after it
        self._exit_armed = False
        hint, self._next_hint = self._next_hint, ""
        self.post_message(self.Hint(hint or self.size_hint()))

    def _confirm_exit(self) -> None:
        if self._exit_armed:
            self._exit_armed = False
            self.post_message(self.ExitConfirmed())
        else:
            self._exit_armed = True
            self.post_message(self.Hint("Enter again ends the chat for both; type on to stay"))
