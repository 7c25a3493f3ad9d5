"""One contact: the key, and what has been thought of it since when."""

from textual.content import Content

from securechat_tui.chat.views import ContactView
from securechat_tui.tui import wording
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.widgets.rows import Pair, Row, Rows

__all__ = ["ContactDetailsScreen"]

_COLUMN = 12


class ContactDetailsScreen(Panel):
    """What is kept with a contact."""

    def __init__(self, contact: ContactView) -> None:
        super().__init__(contact.name, Rows(contact_rows(contact), _COLUMN))


def contact_rows(contact: ContactView) -> list[Row]:
    """Trust, key and addresses; then each change with its time, how it came about, and which key."""
    facts = {
        "trust": f"{wording.trust_glyph(contact.trust)} {wording.trust_word(contact.trust)}",
        "key": contact.fingerprint,
        "addresses": ", ".join(contact.addresses) or "none",
        "first seen": wording.long_time(contact.first_seen),
        "last seen": wording.long_time(contact.last_seen),
    }
    rows: list[Row] = [Pair(Content(name), Content(value)) for name, value in facts.items()]
    rows += [Content(""), Content.styled("history", "bold")]
    for change in contact.history:
        words = f"{wording.trust_word(change.before)} to {wording.trust_word(change.after)}"
        told = f"{wording.long_time(change.when)}  {words}: {change.how} (key {change.fingerprint.short}…)"
        rows.append(Content(told))
    return rows
