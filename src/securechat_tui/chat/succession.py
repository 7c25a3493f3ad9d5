"""A key that takes a contact's place, once a person has found that it is that contact's."""

from dataclasses import dataclass, field

from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.trust.pins import Endpoint, Pins, before_fin, confirm
from securechat_tui.trust.states import Trust

__all__ = ["Succession"]


@dataclass(frozen=True, slots=True)
class Succession:
    """A completed handshake of which nothing is kept until codes have been compared."""

    former: Fingerprint
    """The contact's key, in whose place this one would come."""
    heir: PublicIdentity
    version: int
    secret: bytes = field(repr=False)
    """The session's reconnect secret (32 bytes)."""
    endpoint: Endpoint | None
    """Where a guest has reached it."""
    is_signed: bool
    """Whether the contact's key has named it: a person may then accept it without a comparison."""

    @property
    def _grounds(self) -> tuple[Trust, ...]:
        return (Trust.VERIFIED, Trust.PINNED) if self.is_signed else (Trust.VERIFIED,)

    def decided(self, pins: Pins, trust: Trust | None, now: float, how: str) -> Pins:
        """Change the pins where the key is VERIFIED, or PINNED if it may.

        Where codes differ with a key that the contact's key has named, that is kept, so that nobody is
        asked about it again. Nothing else changes the pins, nor anything where the contact has been
        forgotten meanwhile.
        """
        contact = pins.by_fingerprint(self.former)
        if contact is None:
            return pins
        if trust is Trust.CHANGED and self.is_signed:
            return pins.with_contact(contact.refusing(self.heir.fingerprint, now, how))
        if trust not in self._grounds:
            return pins
        heir = contact.succeeded_by(self.heir, trust, now, how, is_named=self.is_signed)
        heir = heir.seen(now, self.version, self.endpoint)
        # The other side has stored it before its first record, so it is known at both ends.
        return pins.succeeded(self.former, confirm(before_fin(heir, self.secret), self.secret, self.secret))
