"""One message, followed from the text to the wire and back."""

from collections.abc import Iterator

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from securechat_tui.chat.steps import Noted
from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.follow import Followed, follow
from securechat_tui.lab.peer import CannotSend
from securechat_tui.lab.screens.background import in_background
from securechat_tui.lab.screens.frame import LabScreen
from securechat_tui.tui.widgets.step_view import StepView

__all__ = ["FollowScreen"]


def _noted(followed: Followed) -> Iterator[Noted]:
    for role, step in followed.handshake:
        yield Noted(f"handshake, {role}", step)
    for step in followed.sending:
        yield Noted("sending", step)
    for step in followed.receiving:
        yield Noted("receiving", step)


class FollowScreen(LabScreen):
    """Sends a text between two peers in this process, and shows what they noted."""

    CSS_PATH = "follow.tcss"
    AUTO_FOCUS = ""

    def __init__(self, protocol: LabProtocol, text: str) -> None:
        super().__init__(protocol)
        self._text = text
        self._protocol_name = protocol.name

    def compose_body(self) -> ComposeResult:
        """What is going on, until the steps are there."""
        yield Static(
            f"Sending by {self._protocol_name} over the loopback interface…", markup=False, id="passed"
        )

    def on_mount(self) -> None:
        """Send it."""
        self._send()

    @work(group="lab", exit_on_error=False)
    async def _send(self) -> None:
        protocol, text, keys = self.protocol, self._text, self.keys
        if protocol is None:
            return
        status = self.query_one("#passed", Static)
        try:
            followed = await in_background(lambda: follow(protocol, text, keys))
        except CannotSend as error:
            status.update(Content.assemble(("! ", "$error bold"), str(error)))
            return
        checks = ", ".join(followed.passed)
        status.update(Content.assemble(("✓ arrived", "$success bold"), f"  checks passed: {checks}"))
        await self.query_one(".lab-body").mount(StepView(tuple(_noted(followed)), reveals=True))
