"""What the screen needs of the engine beyond what every face needs."""

from typing import Protocol

from securechat_tui.chat.events import Found, History
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.port import EnginePort
from securechat_tui.chat.preferences import Notify, Preferences, ThemeName
from securechat_tui.chat.steps import Noted
from securechat_tui.chat.views import Counters, IdentityView

__all__ = ["ScreenPort"]


class ScreenPort(EnginePort, Protocol):
    """The engine as the screen knows it."""

    @property
    def identity(self) -> IdentityView | None:
        """Who one is; None before the first run is complete, or the passphrase is given."""

    @property
    def locked(self) -> bool:
        """Whether there is an identity whose passphrase has not been given yet."""

    @property
    def has_passphrase(self) -> bool:
        """Whether the identity is under one."""

    @property
    def profile(self) -> str:
        """The profile's name."""

    @property
    def preferences(self) -> Preferences:
        """What the person has chosen for the screen."""

    async def unlock(self, passphrase: Passphrase) -> None:
        """Open the identity; ``Ready`` follows. Raises ``CommandError`` for a wrong passphrase."""

    async def change_passphrase(self, present: Passphrase | None, new: Passphrase | None) -> None:
        """Put the identity under another passphrase or none; raises ``CommandError``, code ``passphrase``."""

    async def rename(self, name: str) -> None:
        """Take another name; peers are told it from the next session on."""

    async def prefer(self, *, notify: Notify | None = None, theme: ThemeName | None = None) -> None:
        """Keep a choice for the screen; None leaves that one as it is."""

    async def stop_hosting(self) -> None:
        """Listen no more."""

    async def reconnect(self) -> None:
        """After a cut: try to come back now, instead of after the pause."""

    async def show_safety_number(self, conversation: str | None = None) -> None:
        """Derive the safety number with the present peer; SafetyNumber follows."""

    async def match_safety_number(self, conversation: str | None = None) -> None:
        """The safety numbers are the same on both sides."""

    def counters(self, conversation: str) -> Counters:
        """The counts of a conversation."""

    async def block(self, name: str, *, blocked: bool) -> None:
        """Refuse a contact's key from now on, or take that back."""

    async def forget(self, name: str) -> None:
        """Drop a contact's pin."""

    @property
    def is_inspecting(self) -> bool:
        """Whether it is kept, in memory, how messages go over the wire."""

    def inspect(self, *, on: bool) -> None:
        """Keep from now on, in memory, how messages go over the wire; or no more, and forget all of it."""

    def wire(self, conversation: str, number: int, *, own: bool) -> tuple[Noted, ...]:
        """The steps of a message; none where they were not kept."""

    async def history(
        self, conversation: str, *, limit: int = 200, before: int | None = None, after: int | None = None
    ) -> History:
        """What is kept of a conversation: the last ``limit`` messages, of those below row ``before``.

        With ``after``, the first ``limit`` above that row.
        """

    async def search(
        self,
        text: str,
        *,
        conversation: str | None = None,
        limit: int = 100,
        before: int | None = None,
        after: int | None = None,
    ) -> tuple[Found, ...]:
        """The last ``limit`` kept messages with the words of ``text``, of one conversation or of each.

        Of those below row ``before``; with ``after``, the first ``limit`` above that row.
        """

    async def export(self, conversation: str, file: str = "") -> str:
        """Write a conversation to a new file, in clear, with what proves its authors; return its path.

        ``file`` is a path or a folder; the home folder where it is empty.
        """

    async def keep_draft(self, conversation: str, text: str) -> None:
        """Keep what is being typed in a conversation; an empty text takes it away."""
