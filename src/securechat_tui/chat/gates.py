"""Why a conversation stands still until a person decides, in sentences that say what to do."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from securechat_tui.chat.events import Gate
from securechat_tui.trust.pins import Contact
from securechat_tui.trust.states import Trust
from securechat_tui.trust.verdicts import Candidate, Rotated, Verdict

if TYPE_CHECKING:
    from securechat_tui.chat.conversation import Conversation

KEY_CHANGED: Final = "key-changed"
"""Another key than the contact's is here for a comparison alone."""
ROTATION: Final = "rotation"
"""The contact's key has named this one as its successor."""
COMPARISON: Final = "comparison"
"""A comparison of codes has failed with this key."""
RESUME: Final = "resume"
"""The two sides' accounts of what was delivered differ."""
UNSIGNED: Final = "unsigned"
"""Unsigned messages wait for a peer who takes signed ones alone."""


class Resolution(StrEnum):
    """A person's answer at a gate: to ``unsigned`` the first two, to ``resume`` the others."""

    CANCEL = "cancel"
    """Drop the unsigned messages that wait for a peer who takes signed ones alone."""
    SIGN = "sign"
    """Sign them, so that they are on the record."""
    RESEND = "resend"
    """Begin anew, and send again from the history what the peer does not have."""
    NEW_GENERATION = "new-generation"
    """Begin anew without what the peer does not have."""


CHOICES: Final = {
    UNSIGNED: frozenset({Resolution.CANCEL, Resolution.SIGN}),
    RESUME: frozenset({Resolution.RESEND, Resolution.NEW_GENERATION}),
}
"""The gates that a decision about messages opens, and the answers there."""

_SENTENCES: Final = {
    KEY_CHANGED: "Another key than your contact's is here to be compared: nothing else passes. Compare with "
    "/verify, by telephone or face to face; if the codes are the same, it takes the place of the old key.",
    ROTATION: "{1} has a new key, signed by the one you {2} on {3}. Nothing is sent until you decide: leave, "
    "accept the new key (/accept), or compare codes (/verify).",
    COMPARISON: "Codes compared with {0} DIFFERED: somebody may be in between. Nothing is sent. Compare "
    "again with /verify, by telephone or face to face; if they differ again, leave.",
    RESUME: "{0}'s program has another account of what you two have said: one of you has restored an old "
    "profile, or lost one, or uses a copy of it. Nothing is sent until you decide: leave, go on without what "
    "is missing there, or send that again.",
    UNSIGNED: "{0} takes signed messages only, and unsigned ones of yours wait. Nothing is sent until you "
    "decide: leave, cancel them, or sign them: signed, they are on the record, and {0} can prove to others "
    "that you wrote them.",
}


def gate_for(verdict: Verdict | None, trust: Trust) -> str:
    """The gate at which a session with a key begins; empty where there is none."""
    match verdict:
        case Candidate():
            return KEY_CHANGED
        case Rotated():
            return ROTATION
        case _:
            return COMPARISON if trust is Trust.CHANGED else ""


def gate_event(conversation: "Conversation", contact: Contact | None = None) -> Gate:
    """Tell that a conversation stands at its gate; ``contact`` is whose new key it may be."""
    about = _about(contact) if contact is not None else ()
    return Gate(
        time=time.time(),
        conversation=conversation.id,
        reason=conversation.gate,
        message=_SENTENCES[conversation.gate].format(conversation.name, *about),
    )


def _about(contact: Contact) -> tuple[str, str, str]:
    decided = [one.when for one in contact.history if one.fingerprint == contact.fingerprint]
    last = decided[-1] if decided else contact.first_seen
    day = f"{datetime.fromtimestamp(last, tz=UTC).astimezone():%d %b %Y}"
    return contact.name, "verified" if contact.trust is Trust.VERIFIED else "pinned", day
