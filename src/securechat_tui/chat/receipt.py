"""The way of the peer's messages: checked, kept, and only then shown and acknowledged."""

from securechat_tui.chat.boxes import Boxes
from securechat_tui.chat.events import Message
from securechat_tui.chat.inbox import Accepted
from securechat_tui.chat.items import NotAtHand
from securechat_tui.chat.journal import Journal
from securechat_tui.chat.shelf import received_change
from securechat_tui.chat.telling import Teller
from securechat_tui.protocol.errors import SignatureFailure
from securechat_tui.protocol.payloads import Acknowledgement, Gone, Payload, Signature, Signed, Unsigned
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.messages import Skipped
from securechat_tui.trust.states import Trust

__all__ = ["Receipt"]


class Receipt:
    """What has come in one conversation and is not shown yet."""

    def __init__(self, boxes: Boxes, journal: Journal, tell: Teller) -> None:
        self.name = SafeText.name("")
        """What the peer is called here."""
        self.trust = Trust.NEW
        self.clock_offset_ms = 0
        """How far the peer's clock is behind ours."""
        self.is_answer_due = False
        """Whether something has come, be it a repetition, since the last acknowledgement."""
        self._requires = False
        self._sessions = 0
        self._boxes = boxes
        self._journal = journal
        self._tell = tell
        self._accepted: list[Message] = []
        self._skipped = 0
        """How many numbers of messages that are gone were taken besides."""

    @property
    def backlog(self) -> int:
        """How much is checked and not yet on its way to the disk: messages, of a KiB each.

        A number without a message costs the disk as much as a short one.
        """
        return self._skipped + sum(1 + len(one.text) // 1024 for one in self._accepted)

    def begin_session(self, *, requires: bool) -> None:
        """Whoever is there is heard anew; ``requires``: signed messages alone are taken."""
        self._requires = requires
        if self._boxes.fault is not None:  # and it was taken back: it will come again
            self._accepted.clear()
        self._boxes.fault = None
        self.end_session()

    def end_session(self) -> None:
        """Nothing of the last session counts any more."""
        self._sessions += 1
        self._boxes.inbox.begin_session()

    async def take(self, payload: Payload) -> None:
        """Check content, for which the store may be asked; what a session says that ends meanwhile is lost.

        Raises a RemoteError for what breaks a rule, and the ProfileError for which what came before it in
        this session was taken back, or nothing can be looked up.
        """
        session, is_taken = self._sessions, False
        while session == self._sessions and not is_taken:
            try:
                self._take(payload)
                is_taken = True
            except NotAtHand as lack:
                lack.learn(await self._journal.read(lack.ask))

    def _take(self, payload: Payload) -> None:
        if self._boxes.fault is not None:
            raise self._boxes.fault
        self.is_answer_due = self.is_answer_due or isinstance(payload, Signed | Unsigned | Gone)
        inbox = self._boxes.inbox
        match payload:
            case Signature():
                inbox.signature(payload)
            case Signed():
                self._accept(inbox.signed(payload))
            case Unsigned() if self._requires:
                raise SignatureFailure("unsigned, where signatures are required")
            case Unsigned():
                self._accept(inbox.unsigned(payload))
            case Gone() if inbox.gone(payload):
                skipped = Skipped(payload.generation, payload.number, payload.signed, payload.item)
                self._journal.note(skipped)
                self._skipped += 1
            case _:
                pass

    def _accept(self, message: Accepted | None) -> None:
        if message is None:
            return
        row = self._boxes.take_row()
        told = self._tell.received(message, row, self.name, self.trust, self.clock_offset_ms)
        self._accepted.append(told)
        self._journal.note(received_change(message, told, self._boxes.inbox.generation))

    async def keep(self) -> list[Message]:
        """Put what was checked on disk; return it, to be shown.

        Raises the ProfileError family where it could not be kept: it is as if it had not come.
        """
        accepted, self._accepted, self._skipped = self._accepted, [], 0
        try:
            if self._boxes.has_received:
                await self._journal.commit()
            if self._boxes.fault is not None:
                raise self._boxes.fault
        except ProfileError:
            self._accepted.clear()
            raise
        return accepted

    def acknowledgement(self) -> Acknowledgement:
        """Say what is on disk: what was checked since then may still be taken back."""
        kept = self._boxes.received
        return Acknowledgement(kept.generation, kept.high, kept.running)
