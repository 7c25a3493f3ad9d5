"""Why a conversation stands still until a person decides, in sentences that say what to do."""

import time
from typing import Final

from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.events import Gate
from securechat_tui.trust.states import Trust

KEY_CHANGED: Final = "key-changed"
"""Another key than the contact's is here for a comparison alone."""
COMPARISON: Final = "comparison"
"""A comparison of codes has failed with this key."""
RESUME: Final = "resume"
"""The two sides' accounts of what was delivered differ."""

_SENTENCES: Final = {
    KEY_CHANGED: "Another key than your contact's is here to be compared: nothing else passes. Compare with "
    "/verify, by telephone or face to face; if the codes are the same, it takes the place of the old key.",
    COMPARISON: "Codes compared with {0} DIFFERED: somebody may be in between. Nothing is sent. Compare "
    "again with /verify, by telephone or face to face; if they differ again, leave.",
    RESUME: "{0} has another account of what was said: an old copy of a profile may be in use. Nothing "
    "more is sent; leave, and start anew on both sides.",
}


def gate_for(trust: Trust, *, replaces: bool) -> str:
    """The gate at which a session with a key in this state begins; empty where there is none.

    ``replaces``: the key would take the place of a contact's.
    """
    if replaces:
        return KEY_CHANGED
    return COMPARISON if trust is Trust.CHANGED else ""


def gate_event(conversation: Conversation) -> Gate:
    """Tell that a conversation stands at its gate."""
    return Gate(
        time=time.time(),
        conversation=conversation.id,
        reason=conversation.gate,
        message=_SENTENCES[conversation.gate].format(conversation.name),
    )
