"""The two sides' accounts of what was said differ: a person decides how to go on."""

from collections.abc import Callable
from enum import Enum

from securechat_tui.tui.screens.choice import ChoiceScreen

__all__ = ["ResumeChoice", "ResumeScreen"]

_MEANING = (
    "Sent again, what the other side lacks comes from your history, as new messages. Begun anew without, it "
    "is never delivered. If you leave, nothing changes."
)


class ResumeChoice(Enum):
    """What a person does about it."""

    LEAVE = "Leave"
    RESEND = "Send again"
    ANEW = "Begin anew without"


class ResumeScreen(ChoiceScreen[ResumeChoice]):
    """Says that the accounts differ. To leave is the default."""

    def __init__(self, sentence: str, *, clock: Callable[[], float]) -> None:
        """``sentence`` is the gate's."""
        ways = [(choice, choice.value) for choice in ResumeChoice]
        super().__init__("! TWO ACCOUNTS OF ONE CONVERSATION", sentence, _MEANING, ways, clock)
