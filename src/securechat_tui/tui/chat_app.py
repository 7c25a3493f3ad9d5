"""The app: it pumps the engine's events onto the screen and carries intents to the engine.

What needs an engine is imported with the first of its kind: see :mod:`securechat_tui.tui.front_app`.
"""
# ruff: noqa: PLC0415 - see there

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from securechat_tui.tui.commands import Scope, available, bindings
from securechat_tui.tui.completion import complete
from securechat_tui.tui.foyer import Foyer
from securechat_tui.tui.front_app import FrontApp
from securechat_tui.tui.intake import Intake
from securechat_tui.tui.keymap import make_keymap
from securechat_tui.tui.opening import JoinTarget, Opening, Practice, PracticeControl, StartScreen
from securechat_tui.tui.screens.start import HomeScreen, StartChoice
from securechat_tui.tui.screens.told import Told

if TYPE_CHECKING:
    from securechat_tui.chat.events import Event
    from securechat_tui.tui.attention import Attention
    from securechat_tui.tui.desk import CommandDesk
    from securechat_tui.tui.key_change import KeyChange
    from securechat_tui.tui.narration import Narrator
    from securechat_tui.tui.perform import EngineJobs, Outcome
    from securechat_tui.tui.port import ScreenPort
    from securechat_tui.tui.screens.chat import ChatScreen
    from securechat_tui.tui.screens.verify import VerifyScreen
    from securechat_tui.tui.screens.welcome import WelcomeScreen
    from securechat_tui.tui.state import ChatState
    from securechat_tui.tui.switchboard import Switchboard
    from securechat_tui.tui.widgets.composer import Composer
    from securechat_tui.tui.widgets.conversation_list import Places
    from securechat_tui.tui.widgets.log_pages import LogPages

__all__ = ["ChatApp"]

_CHAT_ONLY = frozenset({"sidebar", "details", "clear", "copy", "find", "wire"})


class ChatApp(FrontApp, inherit_bindings=False):
    """The full-screen face. The engine lives outside; this app reads its events and calls its commands.

    ``behind`` is the engine, or the foyer in which the start screen stands until there is one.
    """

    TITLE = "securechat-tui"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.APP)]

    class EventsArrived(Message):
        """The engine has said something; the intake has it."""

    class JobEnded(Message):
        """A call of the engine has ended."""

        def __init__(self, outcome: "Outcome") -> None:
            super().__init__()
            self.outcome = outcome

    # From the moment when there is an engine.
    state: "ChatState"
    switchboard: "Switchboard"
    desk: "CommandDesk"
    key_change: "KeyChange"
    jobs: "EngineJobs"
    attention: "Attention"

    def __init__(
        self, behind: "ScreenPort | Foyer", opening: Opening, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(behind if isinstance(behind, Foyer) else None, opening, clock)
        self.practice: PracticeControl | None = opening.control if isinstance(opening, Practice) else None
        self.practice_target = opening.target if isinstance(opening, Practice) else ""
        self.commands = available(practice=self.practice is not None)
        self.wants_alone = False
        self.intake = Intake(lambda: self.post_message(self.EventsArrived()))
        self.begin_in(behind.preferences.theme)
        self.keymap = make_keymap(behind.preferences.keys, behind.preferences.path)
        self.set_keymap(dict(self.keymap.keys))
        if not isinstance(behind, Foyer):
            self.furnish(behind)

    def furnish(self, engine: "ScreenPort") -> None:
        """Make what needs an engine."""
        from securechat_tui.tui import furniture

        self.engine = engine
        self.state = furniture.ChatState()
        self.chat = furniture.ChatScreen(self.state)
        self.switchboard = furniture.Switchboard(self)
        self.desk = furniture.CommandDesk(self)
        self.key_change = furniture.KeyChange(self)
        self._reactions = furniture.Reactions(self)
        self.jobs = furniture.EngineJobs(self._report_outcome)
        self._ctrl_c = furniture.CtrlC(self)
        self.attention = furniture.Attention(self.bell, self._write_control, self.clock)
        self.attention.manner = engine.preferences.notify
        if not self.app_focus:
            self.attention.look_away()

    # Life ------------------------------------------------------------------------------------

    def on_chat_screen_shown(self) -> None:
        """The chat can be written to now: listen, and begin as the command line said."""
        for complaint in self.keymap.complaints:
            self.say(complaint)
        self._pump()
        self._work_jobs()
        if self.engine.identity is not None:
            self.begin()

    @work(group="engine", exit_on_error=False)
    async def _pump(self) -> None:
        """Read the engine's events, as fast as they can be shown."""
        async for event in self.engine.events():
            await self.intake.put(event)

    @work(group="commands", exit_on_error=False)
    async def _work_jobs(self) -> None:
        """Call the engine, one job after the other."""
        await self.jobs.run()

    def _report_outcome(self, outcome: "Outcome") -> None:
        self.post_message(self.JobEnded(outcome))

    def begin(self) -> None:
        """There is an identity: begin as the command line said, and do what was asked for early."""
        from securechat_tui.tui import furniture

        self.is_begun = True
        self.switchboard.recall()
        self.refresh_state()
        match self.opening:
            case Practice(target=target):
                self.desk.join(target)
            case JoinTarget(target=target, new=new, verify_key=None):
                self.desk.join(target, new=new)
            case StartScreen():
                self.show_home()
            case opening:
                self.jobs.add(furniture.opening_job(self.engine, opening))
        self.catch_up()

    def leave_program(self) -> None:
        """Go, with the exit code that what happened deserves."""
        self.exit(self.state.exit_code)

    @property
    def narrator(self) -> "Narrator":
        """Who writes the log on the screen."""
        return self.switchboard.shown.narrator

    @property
    def is_in_chat(self) -> bool:
        """Whether nothing lies over the chat."""
        return self.screen is self.chat

    def show_chat(self) -> None:
        """Take everything off the chat."""
        while self.screen is not self.chat:
            self.pop_screen()

    def say(self, sentence: str) -> None:
        """One sentence where it will be read: in the log, and on the screen that covers it."""
        self.narrator.notice(sentence)
        if isinstance(self.screen, Told):
            self.screen.tell(sentence)

    # The engine's events -----------------------------------------------------------------------

    @on(EventsArrived)
    def _events_arrived(self) -> None:
        """Show a batch of events: the state folds them, the log takes them, a few change the screen."""
        self.take_events(self.intake.take())
        self.chat.log_view.call_after_refresh(self.intake.drawn)

    def take_events(self, batch: "Sequence[Event]") -> None:
        """Fold events into the state and draw once."""
        for event in batch:
            self.state.apply(event)
            self.switchboard.take(event)
            self._reactions.react(event)
            self.desk.observe(event)
        self.switchboard.tell(batch)
        self.attention.take(batch)
        self.refresh_state()

    def refresh_state(self) -> None:
        """Draw the present state, on the chat and on what lies over it."""
        state = self.state
        if state.shown:
            state.shown.counters = self.engine.counters(state.shown.id)
        if self.chat.is_mounted:
            self.chat.refresh_state()
            self.switchboard.show_places()
        if isinstance(self.screen, Told) and self.screen.is_mounted:
            self.screen.refresh_state()

    def on_app_blur(self) -> None:
        """Whoever looks away will want to know where they were."""
        if not self.foyer:
            self.chat.log_view.set_unread_marker()
            self.attention.look_away()

    def on_app_focus(self) -> None:
        """Whoever is back needs no calling."""
        if not self.foyer:
            self.attention.return_()
            self.switchboard.see()

    async def on_unmount(self) -> None:
        """The last moment at which the terminal can be written to."""
        if self.foyer is None:
            self.attention.finish()
            await self.switchboard.close()

    def _write_control(self, sequence: str) -> None:
        """Write what no widget can. Nothing of anybody's text may be in it."""
        if self._driver is not None:
            self._driver.write(sequence)

    # Intents ------------------------------------------------------------------------------------

    def on_composer_submitted(self, event: "Composer.Submitted") -> None:
        """A message, or a command."""
        self.chat.log_view.clear_unread_marker()
        self.desk.submit(event.text)

    def on_composer_exit_confirmed(self) -> None:
        """A bare exit, twice."""
        self.leave_program()

    def on_composer_completion_asked(self) -> None:
        """Tab."""
        composer = self.chat.composer
        names = {str(contact.name) for contact in self.engine.contacts()}
        names |= {str(talk.peer.contact) for talk in self.state.talks.values()}
        text, candidates = complete(composer.text, self.commands, sorted(names))
        composer.put(text, hint="  ".join(candidates))

    def on_welcome_screen_create(self, event: "WelcomeScreen.Create") -> None:
        """The form of the first run is filled in."""
        self.desk.create_identity(event)

    def on_verify_screen_chosen(self, event: "VerifyScreen.Chosen") -> None:
        """Somebody has compared, or does not want to."""
        self.desk.decide(event.choice, event.digits)
        self.refresh_state()

    def on_log_pages_wanted(self, event: "LogPages.Wanted") -> None:
        """A log wants more of what is kept."""
        self.switchboard.load(event.log_view, event.beyond)

    def on_chat_log_end_reached(self) -> None:
        """The newest message is in view."""
        self.switchboard.see()

    def on_chat_screen_returned(self) -> None:
        """Nothing lies over the chat any more."""
        self.switchboard.see()

    def on_chat_screen_more_sought(self, event: "ChatScreen.MoreSought") -> None:
        """A word is to be found in what the log does not hold."""
        self.desk.conversations.find_more(event.word, older=event.older)

    def on_places_chosen(self, event: "Places.Chosen") -> None:
        """To another conversation."""
        self.switchboard.show(event.conversation)

    def choose(self, event: HomeScreen.Chosen) -> None:
        """Do what was chosen on the start screen."""
        match event.choice:
            case StartChoice.ALONE:
                self.wants_alone = True
                self.leave_program()
            case StartChoice.CONTACT:
                self.desk.join(event.contact)
            case choice:
                self.desk.perform(choice.value)

    @on(JobEnded)
    def _job_ended(self, event: JobEnded) -> None:
        self._reactions.conclude(event.outcome)

    # Actions --------------------------------------------------------------------------------------

    def action_perform(self, command_id: str) -> None:
        """Do a command of the registry."""
        self.with_engine(lambda: self.desk.perform(command_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what the present screen can do."""
        in_chat = self.foyer is None and self._ground() is self.chat
        if action == "command_palette":
            return in_chat
        if action != "perform":
            return True
        if parameters[0] == "verify":
            return self.foyer is not None or self.engine.identity is not None
        return parameters[0] not in _CHAT_ONLY or in_chat

    def _ground(self) -> Screen[object] | None:
        """The screen beneath whatever lies over it."""
        return next((screen for screen in reversed(self.screen_stack) if not screen.is_modal), None)

    def action_to_composer(self) -> None:
        """Back to the composer."""
        self.with_engine(self._to_composer)

    def _to_composer(self) -> None:
        if isinstance(self.screen, HomeScreen):
            self.show_chat()
        elif self.screen is self.chat:
            self.chat.focus_composer()

    def action_interrupt(self) -> None:
        """Ctrl+C."""
        if self.foyer:
            super().action_interrupt()
        else:
            self._ctrl_c.press()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette's entries: those of the registry, and nothing that writes a screen to disk."""
        del screen
        for command in self.commands:
            if command.palette:
                yield SystemCommand(command.title, command.summary, partial(self.desk.perform, command.id))
