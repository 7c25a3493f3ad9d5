"""Who is here, each with one session, and who is expected back after a cut."""

from dataclasses import dataclass
from typing import Final

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.house import Dialled
from securechat_tui.chat.limits import MAX_CONVERSATIONS
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.comparison import Stage

__all__ = ["Awaited", "Presence"]

_AT_ONCE_SECONDS: Final = 10.0
"""Two who call each other within this time do so at once: one of the two sessions is enough."""


@dataclass(frozen=True, slots=True)
class _Place:
    encounter: Encounter
    since: float
    """Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A conversation whose peer is expected back."""

    conversation: Conversation
    dialled: Dialled | None
    """How it was reached before; None where it has called."""
    told: bool
    """Whether the end of the former session has been told: a newer one that takes its place is no news."""


class Presence:
    """The sessions that stand, by conversation, in the order in which they came."""

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._awaited: dict[str, Awaited] = {}

    # Who is here.

    def sessions(self) -> tuple[Encounter, ...]:
        """Return every session past its handshake, also those whose peer has not said its name yet."""
        return tuple(place.encounter for place in self._places.values())

    def session(self, conversation: str) -> Encounter | None:
        """Return the session of a conversation, also before its peer has said its name."""
        place = self._places.get(conversation)
        return place.encounter if place is not None else None

    def settled(self, conversation: str) -> Encounter | None:
        """Return the session of a conversation whose peer has said its name."""
        encounter = self.session(conversation)
        return encounter if encounter is not None and encounter.settled else None

    def present(self) -> tuple[Conversation, ...]:
        """Return the conversations with a session, and those whose peer is expected back."""
        here = [one.conversation for one in self.sessions() if one.settled and one.conversation is not None]
        away = [one.conversation for one in self._awaited.values()]
        return tuple({one.id: one for one in (*here, *away)}.values())

    def enter(self, encounter: Encounter, conversation: Conversation, moment: float) -> None:
        """Give this session its place, from ``moment`` (monotonic seconds) on."""
        self._places[conversation.id] = _Place(encounter, moment)

    def leave(self, encounter: Encounter) -> bool:
        """Take the place back; False where the session has none."""
        found = next((one for one, place in self._places.items() if place.encounter is encounter), None)
        if found is None:
            return False
        del self._places[found]
        return True

    # Who may come in.

    @property
    def is_full(self) -> bool:
        """Whether every place is taken."""
        return len(self._places) >= MAX_CONVERSATIONS

    def has_room_for(self, fingerprint: Fingerprint | None, *, known: bool) -> bool:
        """Whether a caller may come in; ``known`` callers have shown a contact's secret or an invite.

        These need not give way to a session in which messages do not flow: strangers who say nothing
        must not keep the others out.
        """
        return not self.is_full or self._has_place(fingerprint) or (known and self.silent() is not None)

    def _has_place(self, fingerprint: Fingerprint | None) -> bool:
        keys = (one.conversation.peer.fingerprint for one in self.sessions() if one.conversation is not None)
        return fingerprint is not None and fingerprint in keys

    def silent(self) -> Encounter | None:
        """Return the oldest session that gives way to a caller who is known."""
        return next((one for one in self.sessions() if _is_silent(one)), None)

    def gives_way(
        self, newer: Encounter, conversation: Conversation, own: Fingerprint, moment: float
    ) -> bool:
        """Whether a session that is about to enter gives way to the one that stands with the same peer.

        A newer session takes the place of an older one, since the older may be dead at its other end.
        But where two call each other at once, the two sides may see the two sessions in different orders,
        and each would end the other's choice. So of two such sessions the one whose guest has the lower
        fingerprint stays, at both ends, whichever came first.
        """
        place = self._places.get(conversation.id)
        if place is None or not _stands(place.encounter) or moment - place.since >= _AT_ONCE_SECONDS:
            return False
        older, peer = place.encounter, conversation.peer.fingerprint
        guest = own if older.dialled is not None else peer
        is_crossed = (older.dialled is None) != (newer.dialled is None)
        return is_crossed and guest == min(own, peer)

    # Who is expected back.

    def expect(self, conversation: Conversation, dialled: Dialled | None, *, told: bool) -> None:
        """Expect the peer of a conversation back."""
        self._awaited[conversation.id] = Awaited(conversation, dialled, told)

    def expected(self) -> tuple[Conversation, ...]:
        """Return the conversations whose peers are expected back."""
        return tuple(one.conversation for one in self._awaited.values())

    def awaited(self, conversation: str) -> Awaited | None:
        """Return how the peer of a conversation is expected back."""
        return self._awaited.get(conversation)

    def expect_no_more(self, conversation: str) -> Conversation | None:
        """The peer is here, or is expected back no more; return the conversation if it was expected."""
        awaited = self._awaited.pop(conversation, None)
        return awaited.conversation if awaited is not None else None


def _stands(encounter: Encounter) -> bool:
    return encounter.connection is not None and not encounter.connection.session.closed


def _is_silent(encounter: Encounter) -> bool:
    """Whether nothing flows in a caller's session, and no person here has anything to decide in it."""
    conversation, comparing = encounter.conversation, encounter.comparing
    if encounter.dialled is not None or conversation is None:
        return False
    compares = comparing is not None and (comparing.run.under_way or comparing.run.stage is Stage.ASKED)
    return not (conversation.secure or conversation.gate or compares)
