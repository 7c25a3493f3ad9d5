"""Unsigned messages wait for somebody who takes signed ones only: a person decides before anything passes."""

from collections.abc import Callable
from enum import Enum

from securechat_tui.tui.screens.choice import ChoiceScreen

__all__ = ["UnsignedChoice", "UnsignedScreen"]

_MEANING = (
    "Cancelled, they are never delivered. Signed, they are sent under new numbers. "
    "If you leave, they wait for the next meeting."
)


class UnsignedChoice(Enum):
    """What a person does about them."""

    LEAVE = "Leave"
    CANCEL = "Cancel them"
    SIGN = "Sign them"


class UnsignedScreen(ChoiceScreen[UnsignedChoice]):
    """Says who takes signed messages only. To leave is the default."""

    def __init__(self, sentence: str, *, clock: Callable[[], float]) -> None:
        """``sentence`` is the gate's."""
        ways = [(choice, choice.value) for choice in UnsignedChoice]
        super().__init__("! UNSIGNED MESSAGES WAIT", sentence, _MEANING, ways, clock)
