"""Which conversation is meant, where a face may leave that out."""

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.port import EnginePort

__all__ = ["conversation_meant", "conversation_to_wipe"]


def conversation_meant(engine: EnginePort, conversation: str | None) -> str:
    """The conversation named; else the only one that is open, or the only one that is kept.

    Raises CommandError where there is none, and where several could be meant.
    """
    if conversation is not None:
        return conversation.lower()
    found = engine.conversations or tuple(view.id for view in engine.overview())
    if not found:
        raise CommandError("no-conversation", "There is no conversation here yet.")
    if len(found) > 1:
        raise CommandError("which", "There are several conversations: say which one is meant.")
    return found[0]


def conversation_to_wipe(engine: EnginePort, name: str, conversation: str | None = None) -> str:
    """The conversation with whom a person has named, to confirm that nothing else is destroyed.

    Raises CommandError where nobody is called so, or the conversation named is somebody else's.
    """
    views = [view for view in engine.overview() if view.name == name]
    if conversation is not None:
        views = [view for view in views if view.id == conversation.lower()]
    if not views:
        raise CommandError("not-confirmed", "Nothing was wiped: no such conversation is with that name.")
    if len(views) > 1:
        raise CommandError("which", "Several conversations are with that name: say which one is meant.")
    return views[0].id
