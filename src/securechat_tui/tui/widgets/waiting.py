"""What a host shows while nobody is there: what the other person has to type."""

from textual.content import Content
from textual.widget import Widget

from securechat_tui.tui import wording
from securechat_tui.tui.state import ChatState, join_address

__all__ = ["WaitingCard"]

_DOUBT = "Whether a router or firewall lets them in cannot be known from here."


class WaitingCard(Widget):
    """The exact command for each address that can be reached, and the key to recognise this host by."""

    DEFAULT_CSS = "WaitingCard { width: 1fr; height: auto; }"

    def __init__(self, state: ChatState) -> None:
        super().__init__(id="waiting")
        self._state = state

    def render(self) -> Content:
        """The card as text."""
        state = self._state
        commands = [
            Content.styled(f"  securechat-tui join {address}", "bold") for address in _addresses(state)
        ]
        return Content("\n").join(
            [
                Content.styled(_heading(state), "bold $warning"),
                Content(
                    "The other person types one of these:" if len(commands) > 1 else "The other person types:"
                ),
                *commands,
                *_doubts(state),
                Content(""),
                Content("They will be shown your key. Tell them over another channel that it is:"),
                *map(Content, wording.fingerprint_lines(state.fingerprint, self.content_size.width)),
                Content.styled("/host stop ends the waiting.", "$muted"),
            ]
        )


def _doubts(state: ChatState) -> list[Content]:
    """What cannot be known from here, where somebody from elsewhere could come at all."""
    return [Content.styled(_DOUBT, "$muted")] if state.reachable else []


def _heading(state: ChatState) -> str:
    if state.reachable:
        return "◌ Waiting for a guest"
    return "◌ Waiting, but only programs on this machine can reach it"


def _addresses(state: ChatState) -> tuple[str, ...]:
    if state.reachable:
        return state.reachable
    return tuple(join_address(address, port) for address, port in state.listening)
