"""The app before there is an engine: the start screen stands, takes choices, and waits.

It shall not wait for the engine to be imported, for a key to be checked or contacts to be read. So neither
this module nor :mod:`securechat_tui.tui.chat_app` imports anything that needs an engine: all that comes with
:mod:`securechat_tui.tui.furniture`, and handlers of messages are found by their names.
"""
# ruff: noqa: PLC0415 - see above

from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from textual import on, work
from textual.screen import Screen

from securechat_tui.tui.foyer import Foyer
from securechat_tui.tui.guarded_app import GuardedApp
from securechat_tui.tui.interrupt import LEAVE_HINT, DoublePress
from securechat_tui.tui.opening import Opening, StartScreen
from securechat_tui.tui.screens.start import HomeScreen

if TYPE_CHECKING:
    from securechat_tui.tui.port import ScreenPort
    from securechat_tui.tui.screens.chat import ChatScreen

__all__ = ["FrontApp"]

# A default screen's own style sheet is not loaded by Textual 8.2, so the app names it. One that comes later
# has all of them parsed again, which the first screen shall not wait for.
_FOYER_STYLES: list[str | PurePath] = ["app.tcss", "screens/start.tcss"]
_STYLES = [*_FOYER_STYLES, "screens/chat.tcss"]
_HOME = "home"
_FRAME_SECONDS = 1 / 60
_SOON = "One moment: your key is being read."


class FrontApp(GuardedApp, inherit_bindings=False):
    """An app that has its engine from the beginning, or comes by it while it stands in a foyer."""

    engine: "ScreenPort"
    """There from :meth:`furnish` on, as the chat is."""
    chat: "ChatScreen"

    def __init__(self, foyer: Foyer | None, opening: Opening, clock: Callable[[], float]) -> None:
        super().__init__(_STYLES if foyer is None else _FOYER_STYLES)
        self.foyer = foyer
        self.opening = opening
        self.is_begun = False
        """Whether there is an identity, and what the command line said has been begun."""
        self.clock = clock
        self.double_press = DoublePress()
        """Of Ctrl+C, whatever screen it is that is left."""
        self._home: HomeScreen | None = None
        self._asked: Callable[[], None] | None = None
        """What was last asked for before it could be done."""

    @abstractmethod
    def furnish(self, engine: "ScreenPort") -> None:
        """Make what needs an engine."""

    @abstractmethod
    def choose(self, event: HomeScreen.Chosen) -> None:
        """Do what was chosen on the start screen."""

    def get_default_screen(self) -> Screen[None]:
        """The chat lies beneath everything, so that no event is missed; in the foyer there are none yet."""
        return Screen() if self.foyer else self.chat

    def on_mount(self) -> None:
        """Cover the chat where something comes before it."""
        if self.foyer:
            self._stand_in(self.foyer)
        elif cover := self._first_cover():
            self.push_screen(cover)

    def _stand_in(self, foyer: Foyer) -> None:
        self._home = HomeScreen(foyer.name, alone=self._offers_alone)
        self.install_screen(self._home, _HOME)  # or it would be gone once it is taken up
        self.push_screen(self._home)
        # A frame later, what has been painted is on its way: loading shall not take its turn from it.
        self._home.call_after_refresh(self.set_timer, _FRAME_SECONDS, partial(self._enter, foyer))

    @work(group="engine", exit_on_error=False)
    async def _enter(self, foyer: Foyer) -> None:
        """Come by the engine."""
        try:
            engine = await foyer.enter()
        except Exception:  # noqa: BLE001 - whoever makes the engine tells why there is none
            self.exit()
        else:
            self.call_later(self._arrive, engine)

    async def _arrive(self, engine: "ScreenPort") -> None:
        """There is an engine: lay the chat beneath, and go on as with one from the beginning."""
        self.furnish(engine)
        self.foyer = None
        with self.batch_update():
            await self.pop_screen()
            await self.push_screen(self.chat)
            if cover := self._first_cover():
                await self.push_screen(cover)

    def _first_cover(self) -> Screen[None] | None:
        """What has to come before the chat."""
        from securechat_tui.tui import furniture

        if self.engine.locked:
            return furniture.PassphraseScreen(self.engine.profile, self.engine.unlock)
        if self.engine.identity is None:
            return furniture.WelcomeScreen()
        return self._complete_home() if isinstance(self.opening, StartScreen) else None

    @property
    def _offers_alone(self) -> bool:
        return isinstance(self.opening, StartScreen) and self.opening.alone is not None

    def _complete_home(self) -> HomeScreen:
        """The start screen with one's key and contacts: that of the foyer, where there was one."""
        own = self.engine.identity
        self._home = self._home or HomeScreen(own.name if own else "", alone=self._offers_alone)
        if own:
            self._home.meet(own, self.engine.contacts())
        self.uninstall_screen(self._home)
        return self._home

    def show_home(self) -> None:
        """Lay the start screen over everything, unless it lies there already."""
        if not any(isinstance(one, HomeScreen) for one in self.screen_stack):
            self.push_screen(self._complete_home())

    @on(HomeScreen.Chosen)
    def _home_chosen(self, event: HomeScreen.Chosen) -> None:
        if self.is_begun:
            self.choose(event)
            return
        self._asked = partial(self.choose, event)
        if self._home:
            self._home.tell(_SOON)

    def with_engine(self, act: Callable[[], None]) -> None:
        """Do it, or in the foyer: as soon as there is an identity, if nothing else is asked for by then."""
        if self.foyer:
            self._asked = act
        else:
            act()

    def catch_up(self) -> None:
        """Do what was asked for early."""
        asked, self._asked = self._asked, None
        if asked:
            asked()

    def action_interrupt(self) -> None:
        """Ctrl+C: in the foyer it can only mean to leave."""
        if self.double_press.press(self.clock()):
            self.exit(0)
        else:
            self.notify(LEAVE_HINT, markup=False)
