"""A conversation that is kept, while nobody is there: as much as is known of the other person."""

from securechat_tui.chat.events import Peer, Trust
from securechat_tui.chat.views import ContactView, ConversationView
from securechat_tui.tui.talk import Talk

__all__ = ["known_talk"]


def known_talk(view: ConversationView, contact: ContactView | None) -> Talk:
    """The conversation as the list keeps it; ``contact`` is None where the person was forgotten."""
    peer = Peer(
        time=view.last,
        conversation=view.id,
        name=view.name,
        fingerprint=view.fingerprint,
        trust=view.trust,
        address=contact.addresses[0] if contact and contact.addresses else "",
        role="guest",
        key_bits=contact.key_bits if contact else 0,
        randomart=contact.randomart if contact else (),
        contact=view.name,
        first_seen=contact.first_seen if contact else view.last,
        differed=contact is not None and view.trust is Trust.CHANGED,
    )
    return Talk(peer, unread=view.unread)
