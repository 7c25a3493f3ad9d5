"""What every face needs of the engine: the shape that the real one has and a test's one imitates."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol, Self

from securechat_tui.chat.events import Event, Found, History
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.views import ConnectionView, ContactView, ConversationView

__all__ = ["EnginePort"]


class EnginePort(Protocol):
    """The engine as a face knows it. Its commands raise ``CommandError`` with a sentence for the user."""

    @property
    def conversations(self) -> tuple[str, ...]:
        """The ids of the live conversations."""

    @property
    def is_calling(self) -> bool:
        """Whether a call is under way of which something can still come."""

    @property
    def is_hosting(self) -> bool:
        """Whether a guest could come in."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...

    def events(self) -> AsyncIterator[Event]:
        """The one stream of events; it ends when the engine is closed."""

    async def create_identity(
        self, name: str, bits: int = 3072, passphrase: Passphrase | None = None
    ) -> None:
        """Make the key pair; ``Ready`` follows."""

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        """Listen on ``bind`` (``ADDRESS:PORT``); None stands for what the configuration says.

        ``invited_only``: answer nobody but known contacts and those who bring an invite.
        """

    async def invite(self) -> None:
        """Make an invite for one guest; it comes as an event."""

    async def join(self, target: str, *, new: bool = False) -> None:
        """Begin to join an address, a contact or an invite's host; the outcome comes as events."""

    async def verify_key(self, fingerprint: str, target: str = "") -> None:
        """Let in a key that has raised the alarm, to compare codes with: at ``target``, or when it calls."""

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        """Send or hold ``text``; ``ref`` comes back with the events about it.

        ``signed``: whether it is on the record; None stands for what the configuration says.
        """

    async def resolve(self, choice: Resolution, conversation: str | None = None) -> None:
        """Answer the question at the gate ``unsigned`` or ``resume``."""

    async def leave(self, conversation: str | None = None) -> None:
        """Say goodbye."""

    async def verify(self, conversation: str | None = None) -> None:
        """Ask to compare codes, or take up the peer's wish."""

    async def match(self, digits: str | None = None, *, conversation: str | None = None) -> None:
        """The codes are the same."""

    async def accept_key(self, conversation: str | None = None) -> None:
        """Take the new key that a contact's old one has signed."""

    async def differ(self, conversation: str | None = None) -> None:
        """The codes differ."""

    async def decline(self, conversation: str | None = None) -> None:
        """Not now."""

    def contacts(self) -> tuple[ContactView, ...]:
        """Everybody pinned here."""

    async def talk(self, name: str, bind: str | None = None) -> None:
        """Listen, and dial a contact's addresses, until one of the two stands; and so after every cut.

        It listens on ``bind`` (None: as the configuration says), unless it hosts already.
        """

    def connections(self) -> tuple[ConnectionView, ...]:
        """What came and went since the program began, oldest first."""

    def overview(self) -> tuple[ConversationView, ...]:
        """Every conversation that is open or kept, the most recent first."""

    async def history(self, conversation: str, *, limit: int = 200, before: int | None = None) -> History:
        """What is kept of a conversation: the last ``limit`` messages, of those below row ``before``."""

    async def search(
        self, text: str, *, conversation: str | None = None, limit: int = 100
    ) -> tuple[Found, ...]:
        """The last ``limit`` kept messages with ``text`` in them, of one conversation or of each."""

    async def mark_read(self, conversation: str) -> None:
        """What has come in a conversation so far has been seen."""

    async def wipe(self, conversation: str) -> None:
        """Destroy what is kept of a conversation, and its key. It can go on."""

    async def flush(self, seconds: float) -> int:
        """Wait until everything sent is delivered, at most ``seconds``; what is not is counted."""
