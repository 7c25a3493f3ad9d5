"""How the end of a session is told."""

import time

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
        "{0} has another account of this conversation: stopped.",
    ),
}


def closed_event(
    conversation: Conversation, end: Ended, *, quitting: bool, will_retry: bool = False
) -> Closed:
    """Describe the end of a session whose peer was known."""
    reason, by, sentence = _describe(end, quitting=quitting)
    return Closed(
        time=time.time(),
        conversation=conversation.id,
        reason=reason,
        by=by,
        will_retry=will_retry,
        message=sentence.format(conversation.name),
    )


def _describe(end: Ended, *, quitting: bool) -> tuple[str, str, str]:
    match end.how:
        case End.GOODBYE:
            reason, sentence = _GOODBYES[end.detail]
            return reason, "peer", sentence
        case End.LEFT:
            return ("quit" if quitting else "goodbye"), "me", "You have said goodbye to {0}."
        case End.LOST:
            return "lost", "peer", "The connection to {0} was cut: no goodbye was said."
        case _:
            return "rejected", "me", "{0}'s program broke the rules of the protocol; the session has ended."
