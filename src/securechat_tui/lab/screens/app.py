"""The lab as a program."""

import asyncio
import os
from pathlib import PurePath
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.screens.chat import STYLES as CHAT_STYLES
from securechat_tui.lab.screens.chat import LabChatScreen
from securechat_tui.lab.screens.home import LabHome
from securechat_tui.tui.guarded_app import GuardedApp, leave_on_signals

__all__ = ["LabApp", "run"]

_STYLES: list[str | PurePath] = ["../../tui/app.tcss", "lab.tcss", "home.tcss", *CHAT_STYLES]


class LabApp(GuardedApp, inherit_bindings=False):
    """The lab's screens above one set of throw-away keys."""

    TITLE = "securechat-tui lab"
    CSS_PATH = _STYLES
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", key_display="Ctrl+C", priority=True, show=False)
    ]

    def __init__(self, first: Screen[None] | None = None, keys: KeyRing | None = None) -> None:
        super().__init__()
        self.keys = keys or KeyRing()
        self.begin_in("dark")
        self._first = first or LabHome()

    def get_default_screen(self) -> Screen[None]:
        """What the lab begins with."""
        return self._first

    def action_interrupt(self) -> None:
        """Leave, in order where somebody is being talked with."""
        if isinstance(self._first, LabChatScreen):
            self._first.action_leave()
        else:
            self.exit()


def run(app: LabApp, *, no_color: bool) -> int:
    """Run it until it is left, and return the exit code."""
    if no_color:
        os.environ["NO_COLOR"] = "1"
    code = asyncio.run(_shown(app))
    return app.return_code or 0 if code is None else code


async def _shown(app: LabApp) -> int | None:
    leave_on_signals(app)
    return await app.run_async()
