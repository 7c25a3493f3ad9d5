"""Setting, changing and taking away the passphrase of one's key."""

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, LoadingIndicator, Static

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.passphrases import UNUSABLE, Passphrase
from securechat_tui.tui.try_pause import Tries, TryPause
from securechat_tui.tui.widgets.secret_input import SecretInput

__all__ = ["ChangePassphraseScreen"]

Change = Callable[[Passphrase | None, Passphrase | None], Awaitable[None]]
"""Keeps the key under another passphrase than the present one; raises CommandError."""

_SET: Final = (
    "Every start asks for it. It opens your key, contacts and history, and nobody can open them without it, "
    "you included."
)
_UNSET: Final = (
    "Your key has none: whoever can read your files can be you, and read your contacts and history. With "
    "one, every start asks for it, and nobody can open them without it, you included."
)
_MISSING: Final = "Type the present passphrase first."
_DIFFERENT: Final = "The two new ones differ: type the same twice."
_NOTHING: Final = "Type the new passphrase twice, or press Esc: your key stays without one."
_TAKE_AWAY: Final = (
    "Nothing stands as the new one. Enter once more takes the passphrase away: whoever can read your files "
    "can then be you, and read your contacts and history."
)
_IS_SET: Final = (
    "Your key, contacts and history are under the new passphrase. Copies of the file from before, in backups "
    "of your disk, open as they did then."
)
_IS_TAKEN_AWAY: Final = (
    "Your key has no passphrase now: whoever can read your files can be you, and read your contacts and "
    "history."
)


class ChangePassphraseScreen(ModalScreen[str | None]):
    """Returns a sentence that says what was done; None where nothing was.

    What is typed goes to ``change`` alone. ``tries`` counts the wrong ones.
    """

    CSS_PATH = "passphrase.tcss"
    AUTO_FOCUS = "SecretInput"
    # As at the first run: what is typed fast after Tab must not end in the field before.
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "cancel", "Cancel"),
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, change: Change, tries: Tries, *, is_set: bool) -> None:
        super().__init__()
        self._change = change
        self._tries = tries
        self._is_set = is_set
        self._pause = TryPause(self, tries, self._say, self._begin_anew)
        self._is_working = False
        self._is_warned = False
        """Whether the next Enter takes the passphrase away."""

    def compose(self) -> ComposeResult:
        """The present one, where there is one; the new one twice."""
        with VerticalScroll(id="change-passphrase", can_focus=False) as frame:
            frame.border_title = "Passphrase"
            frame.border_subtitle = "Enter goes on, Esc cancels"
            yield Static(_SET if self._is_set else _UNSET, markup=False)
            if self._is_set:
                yield SecretInput(placeholder="the present passphrase", id="present")
            yield SecretInput(placeholder="the new one; empty for none" if self._is_set else "new", id="new")
            yield SecretInput(placeholder="the new one again", id="again")
            yield Static("", id="change-hint", markup=False)
            yield Static("Changing it …", id="changing", markup=False)
            yield LoadingIndicator(id="changing-progress")

    def on_mount(self) -> None:
        """A pause that was begun before goes on here."""
        if self._tries.left:
            self._take_none()
            self._pause.go_on("")

    @on(Input.Changed)
    def _typed(self) -> None:
        self._is_warned = False

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id != "again":
            following = "new" if event.input.id == "present" else "again"
            self.query_one(f"#{following}", SecretInput).focus()
            return
        try:
            self._check()
        except UNUSABLE as error:
            self._say(str(error))

    def _check(self) -> None:
        present, new, again = (self._passphrase(name) for name in ("present", "new", "again"))
        if self._is_set and present is None:
            self._complain(_MISSING, "present")
        elif new != again:
            self._complain(_DIFFERENT, "again")
        elif new is None and not self._is_set:
            self._complain(_NOTHING, "new")
        elif new is None and not self._is_warned:
            self._is_warned = True
            self._say(_TAKE_AWAY)
        else:
            self._begin(present, new)

    def _passphrase(self, name: str) -> Passphrase | None:
        """What stands in a field; None where it is empty or not there. Raises what it is unusable for."""
        field = next(iter(self.query(f"#{name}").results(SecretInput)), None)
        return Passphrase(field.value) if field is not None and field.value else None

    def _begin(self, present: Passphrase | None, new: Passphrase | None) -> None:
        self._is_working = True
        self._take_none()
        self.add_class("-changing")
        self.run_worker(self._try(present, new), exclusive=True)

    async def _try(self, present: Passphrase | None, new: Passphrase | None) -> None:
        try:
            await self._change(present, new)
        except CommandError as error:
            self._is_working = False
            self.remove_class("-changing")
            if error.code == "passphrase":
                self._pause.begin(str(error))
            else:
                self._say(str(error))
                self._begin_anew()
        else:
            self._tries.failures = 0
            self.dismiss(_IS_TAKEN_AWAY if new is None else _IS_SET)

    def _take_none(self) -> None:
        """Empty the fields, and take nothing in them for now."""
        for field in self.query(SecretInput):
            field.value = ""
            field.disabled = True

    def _begin_anew(self) -> None:
        for field in self.query(SecretInput):
            field.disabled = False
        self.query(SecretInput).first().focus()

    def _complain(self, sentence: str, name: str) -> None:
        self._say(sentence)
        self.query_one(f"#{name}", SecretInput).focus()

    def _say(self, sentence: str) -> None:
        self.query_one("#change-hint", Static).update(sentence)

    def action_cancel(self) -> None:
        """Go back with everything as it was; not while it is being changed, for that goes through."""
        if not self._is_working:
            self.dismiss(None)
