"""How the end of a session is told."""

import time
from enum import Enum

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.events import Closed
from securechat_tui.protocol.events import End, Ended
from securechat_tui.protocol.payloads import GoodbyeReason

_GOODBYES = {
    GoodbyeReason.LEAVING.name: ("goodbye", "{0} has said goodbye."),
    GoodbyeReason.REJECTED.name: (
        "rejected",
        "{0}'s program refused a message of yours: ended for good.",
    ),
    GoodbyeReason.REPLACED.name: ("goodbye", "{0} has gone on with a newer session of yours."),
    GoodbyeReason.GATED.name: (
        "rejected",
        "{0}'s side has stopped the conversation: a person there must decide first.",
    ),
}


GAVE_WAY = "gave way"
"""The detail of an end that came because somebody known had no place."""
SUCCEEDED = "another key has taken its place"
"""The detail of an end that came because the contact has another key by now."""
UNREACHABLE = "nobody listens any more"
"""The detail of an end that came because whoever was awaited can call no more."""

_OWN = {
    GoodbyeReason.GATED.name: ("rejected", "The conversation with {0} is stopped until you have decided."),
    GAVE_WAY: ("goodbye", "{0} had said nothing yet and has made room for somebody you know."),
    SUCCEEDED: ("goodbye", "{0} has another key by now: what was said with the former one is over."),
    UNREACHABLE: (
        "goodbye",
        "{0} cannot come back, since you no longer listen. What waits is kept.",
    ),
}
"""Ends that this side has brought about, besides a goodbye of the person's."""


class Return(Enum):
    """Whether the two will be together again without a person's doing."""

    NONE = ""
    CALLS = "The connection to {0} was cut: trying to come back. What you write meanwhile waits."
    MOVES = "{0} goes on with you in a connection of their own. What you write meanwhile waits."
    AWAITED = "The connection to {0} was cut: {0} may come back. What you write meanwhile waits."


def closed_event(conversation: Conversation, end: Ended, returns: Return, *, quitting: bool) -> Closed:
    """Describe the end of a session whose peer was known."""
    reason, by, sentence = _describe(end, quitting=quitting)
    return Closed(
        time=time.time(),
        conversation=conversation.id,
        reason=reason,
        by=by,
        will_retry=returns is Return.CALLS,
        message=(returns.value or sentence).format(conversation.name),
        awaited=returns is not Return.NONE,
    )


def _describe(end: Ended, *, quitting: bool) -> tuple[str, str, str]:
    match end.how:
        case End.GOODBYE:
            reason, sentence = _GOODBYES[end.detail]
            return reason, "peer", sentence
        case End.LEFT if end.detail in _OWN:
            reason, sentence = _OWN[end.detail]
            return reason, "me", sentence
        case End.LEFT:
            return ("quit" if quitting else "goodbye"), "me", "You have said goodbye to {0}."
        case End.LOST:
            return "lost", "peer", "The connection to {0} was cut: no goodbye was said."
        case _:
            return "rejected", "me", "{0}'s program broke the rules of the protocol; the session has ended."
