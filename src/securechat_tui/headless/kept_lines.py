"""How the plain face words what is kept: each message with its day, and the verdict of its receipt."""

from collections.abc import Sequence

from securechat_tui.chat.events import Kept
from securechat_tui.headless.plain_lines import Marks, indented, security_line
from securechat_tui.headless.records import minute

__all__ = ["kept_lines"]

_STATES = {"": "", "queued": "not delivered yet", "delivered": "delivered", "cancelled": "cancelled"}


def kept_lines(messages: Sequence[Kept], mark: Marks) -> list[str]:
    """The lines for messages of the history, in their order."""
    return [line for message in messages for line in _lines(message, mark)]


def _lines(message: Kept, mark: Marks) -> list[str]:
    who = "me" if message.by == "me" else message.name
    said = indented(f"[{minute(message.time)}] <{who}>", message.text)
    return [*said, _own(message) if message.by == "me" else security_line(message, mark)]


def _own(message: Kept) -> str:
    signed = "signed" if message.checks.signed else "unsigned"
    state = ", ".join(word for word in (signed, _STATES[message.tick]) if word)
    return f"         [#{message.number} {state}]"
