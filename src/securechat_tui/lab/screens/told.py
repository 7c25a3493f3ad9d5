"""What an attack has come to, as rows to read."""

from collections.abc import Iterator
from typing import Final

from textual.content import Content

from securechat_tui.lab.attacks import ATTACKS, Outcome
from securechat_tui.tui.widgets.rows import Pair, Row

__all__ = ["COLUMN", "GLYPHS", "STATE_COLOURS", "outcome_rows", "result"]

COLUMN: Final = 14
GLYPHS: Final = {"caught": "✓", "bounded": "~", "open": "✖"}
STATE_COLOURS: Final = {"caught": "$success", "bounded": "$warning", "open": "$error"}
_WORDS: Final = {"caught": "CAUGHT", "bounded": "BOUNDED", "open": "OPEN"}


def result(outcome: Outcome) -> Content:
    """The result in a glyph, a word and the check."""
    state = outcome.state
    by = f"  by: {outcome.by}" if outcome.caught else "  nothing caught it"
    return Content.assemble((f"{GLYPHS[state]} {_WORDS[state]}", f"{STATE_COLOURS[state]} bold"), by)


def _pair(name: str, text: str) -> Pair:
    return Pair(Content.styled(name, "$muted"), Content(text))


def outcome_rows(outcome: Outcome) -> Iterator[Row]:
    """What was tried, what happened, why, and what would mend it."""
    yield Content.styled(f"{outcome.attack} on {outcome.protocol}", "bold")
    yield _pair("tried", ATTACKS[outcome.attack].tries if outcome.attack in ATTACKS else outcome.attack)
    yield Pair(Content.styled("result", "$muted"), result(outcome))
    told = (
        ("attacker got", outcome.got),
        ("why", outcome.why),
        ("remains", outcome.remains),
        ("mend", outcome.mend),
        ("contradicts", outcome.claim),
    )
    for name, text in told:
        if text:
            yield _pair(name, text)
