"""The passphrase, before everything else where the identity has one."""

from collections.abc import Awaitable, Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, LoadingIndicator, Static

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import SafeText
from securechat_tui.chat.passphrases import UNUSABLE, Passphrase
from securechat_tui.tui.try_pause import Tries, TryPause
from securechat_tui.tui.widgets.command_footer import CommandFooter
from securechat_tui.tui.widgets.secret_input import SecretInput
from securechat_tui.tui.widgets.too_small import TooSmall

__all__ = ["PassphraseScreen"]

_EXPLANATION = "The key that others know you by is protected. Without its passphrase nobody can be you here."


class PassphraseScreen(Screen[None]):
    """Asks until ``unlock`` takes it, with growing pauses. The app goes on once the engine is ready."""

    CSS_PATH = "passphrase.tcss"
    AUTO_FOCUS = "#passphrase"

    def __init__(self, profile: str, unlock: Callable[[Passphrase], Awaitable[None]]) -> None:
        super().__init__()
        self._profile = profile
        self._unlock = unlock
        self._pause = TryPause(self, Tries(), self._say, self._take_again)

    def compose(self) -> ComposeResult:
        """One line to type in, and what is shown while it is tried."""
        with VerticalScroll(id="passphrase-page", can_focus=False), Vertical(id="unlock") as frame:
            frame.border_title = "securechat-tui"
            frame.border_subtitle = "Enter opens, Ctrl+C twice leaves"
            yield Static(_EXPLANATION, markup=False)
            label = SafeText.line(f"Passphrase of the identity '{self._profile}'")
            yield Static(label, classes="label", markup=False)
            yield SecretInput(placeholder="a dot for each character", id="passphrase")
            yield Static("", id="unlock-hint", markup=False)
            yield Static("Opening your key …", id="opening", markup=False)
            yield LoadingIndicator(id="opening-progress")
        yield CommandFooter()
        yield TooSmall()

    @on(Input.Submitted, "#passphrase")
    def _submit(self) -> None:
        field = self.query_one("#passphrase", SecretInput)
        typed, field.value = field.value, ""
        if not typed:
            self._say("Type the passphrase first.")
            return
        try:
            passphrase = Passphrase(typed)
        except UNUSABLE as error:
            self._say(str(error))
            return
        self._set_opening(opening=True)
        self.run_worker(self._try(passphrase), exclusive=True)

    async def _try(self, passphrase: Passphrase) -> None:
        try:
            await self._unlock(passphrase)
        except CommandError as error:
            self._set_opening(opening=False)
            self.query_one("#passphrase", SecretInput).disabled = True
            self._pause.begin(str(error))

    def _take_again(self) -> None:
        field = self.query_one("#passphrase", SecretInput)
        field.disabled = False
        field.focus()

    def _set_opening(self, *, opening: bool) -> None:
        self.set_class(opening, "-opening")
        self.query_one("#passphrase", SecretInput).disabled = opening

    def _say(self, sentence: str) -> None:
        self.query_one("#unlock-hint", Static).update(sentence)
