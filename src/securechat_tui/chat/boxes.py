"""The two boxes of a conversation in memory, held to what is on disk of them."""

from securechat_tui.chat.outbox import Outbox
from securechat_tui.chat.shelf import Shelf, Standing
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.signing import Seen
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.messages import Receiving

__all__ = ["Boxes"]


class Boxes:
    """Outbox and inbox; the Ledger of the conversation's journal."""

    def __init__(self, own: Fingerprint, peer: PublicIdentity, shelf: Shelf) -> None:
        self._own, self._peer = own, peer
        self.fault: ProfileError | None = None
        """Why what a session has brought was taken back: what follows it cannot be taken either."""
        self._fill(shelf)

    def _fill(self, shelf: Shelf) -> None:
        self.outbox = shelf.outbox(self._own, self._peer.fingerprint)
        self.inbox = shelf.inbox(self._own, self._peer, self._check_seen)
        self._next_row = shelf.next_row
        self._former: Outbox | None = None
        """The box that a new one replaces as soon as that is on disk."""
        self._kept = self.standing()

    def begin_anew(self, shelf: Shelf, why: ProfileError) -> None:
        """Go on with what is on another shelf; what the present session brings has no place any more."""
        self._fill(shelf)
        self.fault = why

    def _check_seen(self, seen: Seen) -> None:
        self.outbox.check_seen(seen)

    @property
    def last_kept(self) -> int:
        """The last of one's own numbers that is on disk."""
        return self._kept.sending.last

    @property
    def received(self) -> Receiving:
        """Where the peer's direction stands on disk."""
        return self._kept.receiving

    @property
    def has_received(self) -> bool:
        """Whether something has come that is not on disk."""
        return self.inbox.position != self._kept.receiving

    @property
    def is_renewing(self) -> bool:
        """Whether a new generation of one's own is on its way to the disk."""
        return self._former is not None

    def take_row(self) -> int:
        """Return the next message's row."""
        self._next_row += 1
        return self._next_row - 1

    def renew(self) -> Outbox:
        """Put an empty box with a new generation in the outbox's place; return the former one."""
        former = self._former = self.outbox
        self.outbox = former.renewed()
        return former

    # The journal's Ledger.

    def standing(self) -> Standing:
        """Where both directions stand, with everything that has been noted."""
        return Standing(self.outbox.position, self.inbox.position, self._next_row)

    def kept(self, standing: Standing) -> None:
        """Everything up to here is on disk."""
        self._kept = standing
        if standing.sending.generation == self.outbox.generation:
            self.outbox.kept(standing.sending)
            self._former = None

    def take_back(self, error: ProfileError) -> None:
        """Nothing is on disk that came after the last :meth:`kept`."""
        if self._former is not None:
            self.outbox, self._former = self._former, None
        if self.has_received:
            self.inbox.take_back(self._kept.receiving)
            self.fault = error
        self.outbox.take_back(self._kept.sending)
        self._next_row = self._kept.next_row
