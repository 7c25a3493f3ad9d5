"""F4: how one message was checked, as it was at the moment of receipt."""

from textual.content import Content

from securechat_tui.chat.events import Message
from securechat_tui.tui import wording
from securechat_tui.tui.screens.panel import Panel
from securechat_tui.tui.widgets.rows import Pair, Row, Rows

__all__ = ["DetailsScreen"]

_MEANING = {
    "intact": ("nothing was changed on the way", "the record did not authenticate"),
    "readable": ("decrypted, with a key of its own", "it could not be decrypted"),
    "in order": ("nothing before it is missing or doubled", "messages are missing or out of order"),
    "fresh": ("it arrived within a minute of being written", "late: normal for one that had to wait"),
    "signed": (
        "by its author, on the record: others can be shown it",
        "only this session vouches for it; nobody else can be shown it",
    ),
}
_COLUMN = 12
_MOST_LINES = 6
_MOST_CHARACTERS = 480


class DetailsScreen(Panel):
    """The verdict that is kept with a message."""

    def __init__(self, message: Message) -> None:
        super().__init__("Message details", Rows(details_rows(message), _COLUMN))


def details_rows(message: Message) -> list[Row]:
    """Verdict, trust at receipt, number and times of a received message."""
    received = message.time
    return [
        Content.styled(_beginning(message.text), "italic"),
        Content(""),
        *(_check_row(message, name, passed=passed) for name, passed in wording.check_rows(message.checks)),
        Content(""),
        _trust_row(message),
        _fact("from", message.name),
        _fact("key", message.author),
        _fact("number", f"#{message.number}"),
        _fact("written", f"{wording.long_time(message.claimed)}  by the writer's own clock"),
        _fact("received", wording.long_time(received)),
    ]


def _beginning(text: str) -> str:
    """Enough of a message to know it by; the whole stands in the log."""
    lines = text[:_MOST_CHARACTERS].split("\n")[:_MOST_LINES]
    shown = "\n".join(lines)
    return shown if shown == text else f"{shown.rstrip()} …"


def _check_row(message: Message, name: str, *, passed: bool) -> Pair:
    good, bad = _MEANING[name]
    meaning = good if passed else bad
    extra = f" ({wording.age_words(message.age)})" if name == "fresh" else ""
    colour = "$success" if passed else "$warning"
    term = Content.assemble((wording.mark(passed=passed), colour), f" {name}")
    if name == "signed" and not passed:
        term = Content("– unsigned")  # no fault: its author has chosen so
    return Pair(term, Content(f"{meaning}{extra}"))


def _trust_row(message: Message) -> Pair:
    trust = message.trust
    word = f"{wording.trust_glyph(trust)} {wording.trust_word(trust)}"
    told = Content.assemble((word, wording.trust_colour(trust)), "  when it was received")
    return Pair(Content("  trust"), told)


def _fact(name: str, value: str) -> Pair:
    return Pair(Content(f"  {name}"), Content(value))
