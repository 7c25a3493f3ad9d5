"""F4: how one message was checked, as it was at the moment of receipt."""

from textual.content import Content

from securechat_tui.chat.events import Message
from securechat_tui.tui import wording
from securechat_tui.tui.screens.panel import Panel

__all__ = ["DetailsScreen"]

_MEANING = {
    "intact": ("nothing was changed on the way", "the record did not authenticate"),
    "readable": ("decrypted, with a key of its own", "it could not be decrypted"),
    "in order": ("nothing before it is missing or doubled", "messages are missing or out of order"),
    "fresh": ("it arrived within a minute of being written", "late: normal for one that had to wait"),
    "signed": (
        "by its author, on the record: others can be shown it",
        "not signed: only this session vouches for it",
    ),
}
_NAME_WIDTH = 10


class DetailsScreen(Panel):
    """The verdict that is kept with a message."""

    def __init__(self, message: Message) -> None:
        super().__init__("Message details", details_content(message))


def details_content(message: Message) -> Content:
    """Verdict, trust at receipt, number and times of a received message."""
    received = message.time
    rows = [
        Content.styled(message.text, "italic"),
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
    return Content("\n").join(rows)


def _check_row(message: Message, name: str, *, passed: bool) -> Content:
    good, bad = _MEANING[name]
    meaning = good if passed else bad
    extra = f" ({wording.age_words(message.age)})" if name == "fresh" else ""
    colour = "$success" if passed else "$warning"
    return Content.assemble((wording.mark(passed=passed), colour), f" {name:<{_NAME_WIDTH}}{meaning}{extra}")


def _trust_row(message: Message) -> Content:
    trust = message.trust
    word = f"{wording.trust_glyph(trust)} {wording.trust_word(trust)}"
    return Content.assemble(
        f"  {'trust':<{_NAME_WIDTH}}", (word, wording.trust_colour(trust)), "  when it was received"
    )


def _fact(name: str, value: str) -> Content:
    return Content(f"  {name:<{_NAME_WIDTH}}{value}")
