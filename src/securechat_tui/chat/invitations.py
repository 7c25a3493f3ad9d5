"""The invites of a host that are in force: in memory alone, for ten minutes each.

Only two things burn an invite: its time, and a completed handshake. Whoever stands in the way can
spoil a call by a flipped bit, a cut or a copied K1; none of that reaches :meth:`LiveInvite.claim`,
which runs where the guest's FIN has verified, in the one change that also pins the guest. A burnt
invite stays in the list until its time is over, for the guest whom it has pinned: whose connection
was cut at that moment may not know yet that it is expected.

A crash cannot bring a burnt invite back, since it ends them all.
"""

from dataclasses import dataclass, field
from typing import Final

from securechat_tui.chat.errors import CommandError
from securechat_tui.protocol.events import Called, Instant
from securechat_tui.protocol.handshake import shows_secret
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.invites import INVITE_SECONDS, Invite

__all__ = ["MAX_LIVE", "Invitations", "InviteSpent", "LiveInvite"]

MAX_LIVE: Final = 16
"""Invites in force at once, used ones included: each costs one HMAC at every call."""


class InviteSpent(Exception):
    """The invite was used by somebody else, or its time ran out, before this handshake was complete."""


@dataclass(slots=True, eq=False)
class LiveInvite:
    """An invite in force."""

    invite: Invite = field(repr=False)
    tag_secret: bytes = field(repr=False)
    ends: float
    """Monotonic seconds: the clock on the wall may be set back."""
    guest: Fingerprint | None = None
    """Whom it has pinned; nobody else can use it from then on."""

    def is_over(self, now: Instant) -> bool:
        """Whether its time is over by either clock (the monotonic one may stand still in sleep)."""
        return now.monotonic >= self.ends or now.unix >= self.invite.expires

    def check(self, guest: Fingerprint, now: Instant) -> None:
        """Raise :class:`InviteSpent` where this guest cannot use it any more."""
        if self.is_over(now) or self.guest not in (None, guest):
            raise InviteSpent

    def claim(self, guest: Fingerprint, now: Instant) -> None:
        """Burn it for this guest; raises :class:`InviteSpent`, nothing changed then."""
        self.check(guest, now)
        self.guest = guest


class Invitations:
    """At most :data:`MAX_LIVE` invites, so also no more than that in any ten minutes."""

    def __init__(self) -> None:
        self._live: list[LiveInvite] = []

    def make(self, hosts: tuple[str, ...], port: int, own: Fingerprint, now: Instant) -> Invite:
        """Make one more; raises :class:`CommandError` where there are too many."""
        self._drop_those_over(now)
        if len(self._live) >= MAX_LIVE:
            raise CommandError(
                "too-many-invites",
                f"{MAX_LIVE} invites were made within ten minutes: use one of them, or wait a little.",
            )
        invite = Invite.make(hosts, port, own, now.unix)
        self._live.append(LiveInvite(invite, invite.tag_secret, now.monotonic + INVITE_SECONDS))
        return invite

    def shown_by(self, call: Called, now: Instant) -> LiveInvite | None:
        """Find the invite whose tag a call carries; every one is tried."""
        self._drop_those_over(now)
        shown = [one for one in self._live if shows_secret(call, one.tag_secret)]
        return shown[0] if shown else None

    def _drop_those_over(self, now: Instant) -> None:
        self._live = [one for one in self._live if not one.is_over(now)]
