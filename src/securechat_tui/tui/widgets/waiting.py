"""What a host shows while nobody is there: what the other person has to type."""

from textual.content import Content
from textual.widget import Widget

from securechat_tui.tui import wording
from securechat_tui.tui.state import ChatState, join_address

__all__ = ["WaitingCard"]

_DOUBT = "A router or firewall may still keep them out."


class WaitingCard(Widget):
    """An invite, the exact command for each address, and the key to recognise this host by."""

    DEFAULT_CSS = "WaitingCard { width: 1fr; height: auto; }"

    def __init__(self, state: ChatState) -> None:
        super().__init__(id="waiting")
        self._state = state

    def on_mount(self) -> None:
        """Count the invite's time down."""
        self.set_interval(1.0, self._count_down)

    def _count_down(self) -> None:
        if self.display and self._state.invite:
            self.refresh(layout=not self._state.invite_left)

    def render(self) -> Content:
        """The card as text: fourteen lines at most in fifty columns, so that the composer stays below it."""
        state = self._state
        heading = Content.assemble((_heading(state), "bold $warning"), ("  /host stop ends it", "$muted"))
        without = [] if state.invited_only else _without_invite(state, self.content_size.width)
        return Content("\n").join([heading, *_invite(state), *without, *_doubts(state)])


def _invite(state: ChatState) -> list[Content]:
    """The invite, for as long as it can be used."""
    if not state.invite_left or state.invite is None:
        return [Content.assemble(("/invite", "bold"), " makes an invite, which lets one guest in.")]
    left = f", for {wording.remaining_words(state.invite_left)}:"
    return [
        Content.assemble(("Secret invite for one person", "bold"), left),
        Content.styled(state.invite.invite, "bold"),
        Content("They paste it after: securechat-tui join"),
    ]


def _without_invite(state: ChatState, width: int) -> list[Content]:
    """What strangers type, and what they must compare then."""
    addresses = _addresses(state)
    return [
        Content("Without an invite they type" + (" one of these:" if len(addresses) > 1 else ":")),
        *(Content.styled(f"  securechat-tui join {address}", "bold") for address in addresses),
        Content("and you tell them another way what your key is:"),
        *map(Content, wording.fingerprint_lines(state.fingerprint, width)),
    ]


def _doubts(state: ChatState) -> list[Content]:
    """What cannot be known from here, where somebody from elsewhere could come at all."""
    return [Content.styled(_DOUBT, "$muted")] if state.reachable else []


def _heading(state: ChatState) -> str:
    if not state.reachable:
        return "◌ Waiting, but only programs on this machine can reach it"
    return "◌ Waiting for invited guests and contacts only" if state.invited_only else "◌ Waiting for a guest"


def _addresses(state: ChatState) -> tuple[str, ...]:
    if state.reachable:
        return state.reachable
    return tuple(join_address(address, port) for address, port in state.listening)
