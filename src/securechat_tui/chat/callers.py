"""What a host makes of a call before it answers: whose secret it shows, and whether it may come in.

Nothing here costs a private key. A host that admits invited guests alone closes on everybody else at
this point, so that strangers can make it sign nothing and never learn whose it is.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from securechat_tui.chat.invitations import Invitations, LiveInvite
from securechat_tui.chat.limits import NEW_PINS_PER_HOUR, CallerAlarms, HourlyLimit
from securechat_tui.protocol.events import Called, Instant
from securechat_tui.protocol.handshake import shows_secret
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.primitives import sha256
from securechat_tui.trust.pins import Contact, Pins

__all__ = ["NOTHING", "Callers", "Shown"]

_REMEMBERED_CALLS: Final = 1024
_WANTED_SECONDS: Final = 600.0
_MOST_WANTED: Final = 16


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose secrets a call has shown; a stranger's shows none."""

    contact: Contact | None = None
    secret: bytes | None = field(default=None, repr=False)
    """The contact's reconnect secret (32 bytes) that it was."""
    invite: LiveInvite | None = None

    @property
    def is_any(self) -> bool:
        """Whether the caller is more than a stranger."""
        return self.contact is not None or self.invite is not None

    @property
    def fingerprint(self) -> Fingerprint | None:
        """Whose call it must be, where that is certain already."""
        if self.contact is not None:
            return self.contact.fingerprint
        return self.invite.guest if self.invite is not None else None


NOTHING: Final = Shown()


class Callers:
    """The host's memory of those who call, for as long as the program runs."""

    def __init__(self) -> None:
        self.strangers = HourlyLimit(NEW_PINS_PER_HOUR)
        self.alarms = CallerAlarms()
        self.invitations = Invitations()
        self.invited_only = False
        """Whether a call that shows nothing is closed without an answer."""
        self._wanted: dict[Fingerprint, float] = {}
        self._answered: OrderedDict[bytes, None] = OrderedDict()

    def want(self, fingerprint: Fingerprint, now: Instant) -> None:
        """A person wants to compare codes with whoever has this key, when it calls the next time."""
        if len(self._wanted) >= _MOST_WANTED:
            del self._wanted[next(iter(self._wanted))]
        self._wanted[fingerprint] = now.monotonic + _WANTED_SECONDS

    def is_wanted(self, fingerprint: Fingerprint, now: Instant) -> bool:
        """Whether a person wants that, and ten minutes have not gone since."""
        return now.monotonic < self._wanted.get(fingerprint, now.monotonic)

    def met(self, fingerprint: Fingerprint) -> None:
        """Take note that this key has been let in: the next call of it is judged as any other."""
        self._wanted.pop(fingerprint, None)

    def recognise(self, pins: Pins, call: Called, now: Instant) -> Shown:
        """Find whose secrets a call shows; every one is tried.

        Where both tags match, the lower secret counts as used: the guest keeps both until it has heard from
        the host, and two who call each other at once must not keep one each.
        """
        known = [(secret, contact) for contact, secret in pins.secrets() if shows_secret(call, secret)]
        secret, contact = min(known, key=itemgetter(0), default=(None, None))
        return Shown(contact, secret, self.invitations.shown_by(call, now))

    def is_repeated(self, call: Called) -> bool:
        """Tell, and note, whether a call with a tag has been here before.

        Only its author can finish it, and makes fresh keys for each attempt: this is somebody's copy.
        """
        core = sha256(call.core)
        if core in self._answered:
            return True
        self._answered[core] = None
        if len(self._answered) > _REMEMBERED_CALLS:
            self._answered.popitem(last=False)
        return False
