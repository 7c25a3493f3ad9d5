"""What the program knows of a person's key."""

from enum import StrEnum


class Trust(StrEnum):
    """The state of a contact's key; the words are those of the JSON face."""

    NEW = "new"
    """Seen for the first time in this session; nothing but the key's own use vouches for it."""
    PINNED = "pinned"
    """The same key as at the first contact."""
    INVITED = "invited"
    """Authenticated at first contact by a one-time invite."""
    VERIFIED = "verified"
    """A person has compared codes with this key's owner."""
    CHANGED = "changed"
    """A different key stands where this contact's key is expected, or a comparison with it has failed."""
    BLOCKED = "blocked"
    """A person has decided not to speak with this key."""
