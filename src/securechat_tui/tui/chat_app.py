"""The app: it pumps the engine's events onto the screen and carries intents to the engine."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from securechat_tui.chat.events import Event
from securechat_tui.chat.events import Message as Received
from securechat_tui.tui.attention import Attention
from securechat_tui.tui.commands import Scope, available, bindings
from securechat_tui.tui.completion import complete
from securechat_tui.tui.ctrl_c import CtrlC
from securechat_tui.tui.desk import CommandDesk
from securechat_tui.tui.guarded_app import GuardedApp
from securechat_tui.tui.key_change import KeyChange
from securechat_tui.tui.keymap import make_keymap
from securechat_tui.tui.narration import Narrator
from securechat_tui.tui.opening import JoinTarget, Opening, Practice, PracticeControl, StartScreen
from securechat_tui.tui.perform import EngineJobs, Job, Outcome, opening_job
from securechat_tui.tui.port import ScreenPort
from securechat_tui.tui.reactions import Reactions
from securechat_tui.tui.screens.chat import ChatScreen
from securechat_tui.tui.screens.passphrase import PassphraseScreen
from securechat_tui.tui.screens.start import HomeScreen, StartChoice
from securechat_tui.tui.screens.verify import VerifyScreen
from securechat_tui.tui.screens.welcome import WelcomeScreen
from securechat_tui.tui.state import ChatState
from securechat_tui.tui.switchboard import Switchboard
from securechat_tui.tui.widgets.chat_log import ChatLog
from securechat_tui.tui.widgets.composer import Composer
from securechat_tui.tui.widgets.conversation_list import Places, places_of

__all__ = ["ChatApp"]

_DEFAULT_PROFILE = "default"
# A default screen's own style sheet is not loaded by Textual 8.2, so the app names it. One that comes later
# has all of them parsed again, which the first screen shall not wait for.
_STYLES: list[str | PurePath] = ["app.tcss", "screens/chat.tcss", "screens/start.tcss"]
_AT_ONCE = 128
"""Events that are shown together; after so many, the engine waits until they are drawn."""
_CHAT_ONLY = frozenset({"sidebar", "details", "clear", "copy", "find", "wire"})


class ChatApp(GuardedApp, inherit_bindings=False):
    """The full-screen face. The engine lives outside; this app reads its events and calls its commands."""

    TITLE = "securechat-tui"
    CSS_PATH = _STYLES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.APP)]

    class EventsArrived(Message):
        """The engine has said something; the inbox has it."""

    class JobEnded(Message):
        """A call of the engine has ended."""

        def __init__(self, outcome: Outcome) -> None:
            super().__init__()
            self.outcome = outcome

    def __init__(
        self, engine: ScreenPort, opening: Opening, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.engine = engine
        self.state = ChatState()
        self.chat = ChatScreen(self.state)
        self.switchboard = Switchboard(self)
        self.desk = CommandDesk(self)
        self.key_change = KeyChange(self)
        self._reactions = Reactions(self)
        self.jobs = EngineJobs(self._report_outcome)
        self.practice: PracticeControl | None = opening.control if isinstance(opening, Practice) else None
        self.practice_target = opening.target if isinstance(opening, Practice) else ""
        self.commands = available(practice=self.practice is not None)
        self.wants_alone = False
        self._opening = opening
        self.is_begun = False
        self._inbox: list[Event] = []
        self._taken = asyncio.Event()
        self.clock = clock
        self._ctrl_c = CtrlC(self)
        self.attention = Attention(self.bell, self._write_control, clock)
        self.attention.manner = engine.preferences.notify
        self.keymap = make_keymap(engine.preferences.keys, engine.preferences.path)
        self.set_keymap(dict(self.keymap.keys))

    # Life ------------------------------------------------------------------------------------

    def get_default_screen(self) -> Screen[None]:
        """The chat lies beneath everything, so that no event is missed."""
        return self.chat

    def on_mount(self) -> None:
        """Put on the theme, and cover the chat where something comes before it."""
        self.register_themes()
        self.wear(self.engine.preferences.theme)
        if self.engine.locked:
            self.push_screen(PassphraseScreen(self.engine.profile, self.engine.unlock))
        elif self.engine.identity is None:
            self.push_screen(WelcomeScreen())
        elif isinstance(self._opening, StartScreen):
            self._push_home(self._opening)

    @on(ChatScreen.Shown)
    def _chat_shown(self) -> None:
        """The chat can be written to now: listen, and begin as the command line said."""
        for complaint in self.keymap.complaints:
            self.say(complaint)
        self._pump()
        self._work_jobs()
        if self.engine.identity is not None:
            self.begin()

    @work(group="engine", exit_on_error=False)
    async def _pump(self) -> None:
        """Read the engine's events; what comes in a frame becomes one message.

        In a burst the engine waits while a frame is drawn and keys are heard: they share the loop.
        """
        async for event in self.engine.events():
            self._inbox.append(event)
            if len(self._inbox) == 1:
                self._taken.clear()
                self.post_message(self.EventsArrived())
            if len(self._inbox) >= _AT_ONCE:
                await self._taken.wait()

    @work(group="commands", exit_on_error=False)
    async def _work_jobs(self) -> None:
        """Call the engine, one job after the other."""
        await self.jobs.run()

    def _report_outcome(self, outcome: Outcome) -> None:
        self.post_message(self.JobEnded(outcome))

    def begin(self) -> None:
        """There is an identity: begin as the command line said."""
        self.is_begun = True
        self.switchboard.recall()
        self.refresh_state()
        match self._opening:
            case Practice(target=target):
                self.desk.perform("join", target)
            case JoinTarget(target=target, new=new, verify_key=None):
                self.desk.perform("join", f"--new {target}" if new else target)
            case StartScreen():
                self._push_home(self._opening)
            case opening:
                self.jobs.add(opening_job(self.engine, opening))

    def _push_home(self, opening: StartScreen) -> None:
        if self.engine.identity and not isinstance(self.screen, HomeScreen):
            alone = opening.alone is not None
            self.push_screen(HomeScreen(self.engine.identity, self.engine.contacts(), alone=alone))

    def leave_program(self) -> None:
        """Go, with the exit code that what happened deserves."""
        self.exit(self.state.exit_code)

    @property
    def narrator(self) -> Narrator:
        """Who writes the log on the screen."""
        return self.switchboard.shown.narrator

    @property
    def is_in_chat(self) -> bool:
        """Whether nothing lies over the chat."""
        return self.screen is self.chat

    def show_chat(self) -> None:
        """Take everything off the chat."""
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def say(self, sentence: str) -> None:
        """One sentence where it will be read: in the log, and on the screen that covers it."""
        self.narrator.notice(sentence)
        if isinstance(self.screen, HomeScreen):
            self.screen.show_hint(sentence)
        elif isinstance(self.screen, WelcomeScreen):
            self.screen.show_error(sentence)

    # The engine's events -----------------------------------------------------------------------

    @on(EventsArrived)
    def _events_arrived(self) -> None:
        """Show a batch of events: the state folds them, the log takes them, a few change the screen."""
        batch, self._inbox = self._inbox, []
        self.take_events(batch)
        self.chat.log_view.call_after_refresh(self._taken.set)

    def take_events(self, batch: Sequence[Event]) -> None:
        """Fold events into the state and draw once."""
        for event in batch:
            self.state.apply(event)
            self.switchboard.take(event)
            self._reactions.react(event)
            self.desk.observe(event)
        self.switchboard.tell(batch)
        self.attention.messages(sum(isinstance(event, Received) for event in batch))
        self.refresh_state()

    def refresh_state(self) -> None:
        """Draw the present state, on the chat and on what lies over it."""
        state = self.state
        if state.shown:
            state.shown.counters = self.engine.counters(state.shown.id)
        if self.chat.is_mounted:
            self.chat.refresh_state()
            self.chat.show_places(places_of(state.house_link, [*state.talks.values()], state.shown))
        if isinstance(self.screen, VerifyScreen) and self.screen.is_mounted:
            self.screen.refresh_state()

    def on_app_blur(self) -> None:
        """Whoever looks away will want to know where they were."""
        self.chat.log_view.set_unread_marker()
        self.attention.look_away()

    def on_app_focus(self) -> None:
        """Whoever is back needs no calling."""
        self.attention.return_()
        self.switchboard.see()

    async def on_unmount(self) -> None:
        """The last moment at which the terminal can be written to."""
        self.attention.finish()
        await self.switchboard.close()

    def _write_control(self, sequence: str) -> None:
        """Write what no widget can. Nothing of anybody's text may be in it."""
        if self._driver is not None:
            self._driver.write(sequence)

    # Intents ------------------------------------------------------------------------------------

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        self.chat.log_view.clear_unread_marker()
        self.desk.submit(event.text)

    @on(Composer.ExitConfirmed)
    def _exit_confirmed(self) -> None:
        self.leave_program()

    @on(Composer.CompletionAsked)
    def _completion_asked(self) -> None:
        composer = self.chat.composer
        names = {str(contact.name) for contact in self.engine.contacts()}
        names |= {str(talk.peer.contact) for talk in self.state.talks.values()}
        text, candidates = complete(composer.text, self.commands, sorted(names))
        composer.put(text, hint="  ".join(candidates))

    @on(WelcomeScreen.Create)
    def _create_identity(self, event: WelcomeScreen.Create) -> None:
        self.jobs.add(Job(lambda: self.engine.create_identity(event.name, event.bits, event.passphrase)))

    @on(VerifyScreen.Chosen)
    def _verify_chosen(self, event: VerifyScreen.Chosen) -> None:
        self.desk.decide(event.choice, event.digits)
        self.refresh_state()

    @on(ChatLog.Wanted)
    def _wanted(self, event: ChatLog.Wanted) -> None:
        self.switchboard.load(event.log_view, event.beyond)

    @on(ChatLog.EndReached)
    @on(ChatScreen.Returned)
    def _looked_at(self) -> None:
        self.switchboard.see()

    @on(ChatScreen.MoreSought)
    def _more_sought(self, event: ChatScreen.MoreSought) -> None:
        self.desk.conversations.find_more(event.word, older=event.older)

    @on(Places.Chosen)
    def _place_chosen(self, event: Places.Chosen) -> None:
        self.switchboard.show(event.conversation)

    @on(HomeScreen.Chosen)
    def _home_chosen(self, event: HomeScreen.Chosen) -> None:
        match event.choice:
            case StartChoice.ALONE:
                self.wants_alone = True
                self.leave_program()
            case StartChoice.CONTACT:
                self.desk.perform("join", event.contact)
            case choice:
                self.desk.perform(choice.value)

    @on(JobEnded)
    def _job_ended(self, event: JobEnded) -> None:
        self._reactions.conclude(event.outcome)

    # Actions --------------------------------------------------------------------------------------

    def action_perform(self, command_id: str) -> None:
        """Do a command of the registry."""
        self.desk.perform(command_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what the present screen can do."""
        in_chat = self._ground() is self.chat
        if action == "command_palette":
            return in_chat
        if action != "perform":
            return True
        if parameters[0] == "verify":
            return self.engine.identity is not None
        return parameters[0] not in _CHAT_ONLY or in_chat

    def _ground(self) -> Screen[object] | None:
        """The screen beneath whatever lies over it."""
        return next((screen for screen in reversed(self.screen_stack) if not screen.is_modal), None)

    def action_to_composer(self) -> None:
        """Back to the composer."""
        if isinstance(self.screen, HomeScreen):
            self.show_chat()
        elif isinstance(self.screen, ChatScreen):
            self.chat.focus_composer()

    def action_interrupt(self) -> None:
        """Ctrl+C."""
        self._ctrl_c.press()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette's entries: those of the registry, and nothing that writes a screen to disk."""
        del screen
        for command in self.commands:
            if command.palette:
                yield SystemCommand(command.title, command.summary, partial(self.desk.perform, command.id))
