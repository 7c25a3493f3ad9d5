"""What a host makes of a call before it answers: whose secret it shows, and whether it may come in.

Nothing here costs a private key. A host that admits invited guests alone closes on everybody else at
this point, so that strangers can make it sign nothing and never learn whose it is.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
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
_RETIRED_SECRETS: Final = 8
_RETIRED_CONTACTS: Final = 64


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
        self._retired: OrderedDict[Fingerprint, deque[bytes]] = OrderedDict()
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
        """Find whose secrets a call shows; every one is tried."""
        contact, secret = None, None
        for one, known in pins.secrets():
            # Where both tags match, the older secret counts as used: the newest may be known here alone.
            if shows_secret(call, known):
                contact, secret = one, known
        if contact is None:
            contact, secret = self._recognise_retired(pins, call)
        return Shown(contact, secret, self.invitations.shown_by(call, now))

    def retire(self, contact: Contact) -> None:
        """Remember a contact's secrets, which are about to be replaced, for as long as the program runs.

        Where two call each other at once, and one of the calls is cut, what is stored at the two may have no
        secret in common; what was stored just before has.
        """
        retired = self._retired.setdefault(contact.fingerprint, deque(maxlen=_RETIRED_SECRETS))
        retired.extend(secret for secret in contact.secrets if secret not in retired)
        self._retired.move_to_end(contact.fingerprint)
        if len(self._retired) > _RETIRED_CONTACTS:
            self._retired.popitem(last=False)

    def _recognise_retired(self, pins: Pins, call: Called) -> tuple[Contact | None, bytes | None]:
        for fingerprint, secrets in self._retired.items():
            for secret in secrets:
                if shows_secret(call, secret):
                    return pins.by_fingerprint(fingerprint), secret
        return None, None

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
