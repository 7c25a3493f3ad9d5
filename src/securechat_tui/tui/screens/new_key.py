"""A contact's new key that the old one has signed: a person decides before anything passes."""

from collections.abc import Callable
from enum import Enum

from securechat_tui.tui.screens.choice import ChoiceScreen

__all__ = ["NewKeyChoice", "NewKeyScreen"]

_MEANING = (
    "Whoever has the old key can have made the new one: your contact, or somebody who has stolen it. "
    "Accepted, the new key is pinned and no more. Codes that are the same on both screens make it verified."
)


class NewKeyChoice(Enum):
    """What a person does about it."""

    LEAVE = "Leave"
    COMPARE = "Compare codes"
    ACCEPT = "Accept"


class NewKeyScreen(ChoiceScreen[NewKeyChoice]):
    """Says whose key is new and who says so. To leave is the default."""

    def __init__(self, sentence: str, *, clock: Callable[[], float]) -> None:
        """``sentence`` is the gate's."""
        ways = [(choice, choice.value) for choice in NewKeyChoice]
        super().__init__("! NEW KEY", sentence, _MEANING, ways, clock)
