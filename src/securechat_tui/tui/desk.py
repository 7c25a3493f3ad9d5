"""Where keys, slash words and the palette hand in what they ask for."""

from collections.abc import Callable
from itertools import count, repeat
from secrets import token_hex
from typing import TYPE_CHECKING

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Event, Invite, Peer, SafeText
from securechat_tui.chat.targets import may_be_address
from securechat_tui.tui.attention import NOTIFY
from securechat_tui.tui.commands import find, parse
from securechat_tui.tui.conversation_desk import ConversationDesk
from securechat_tui.tui.opening import JoinTarget
from securechat_tui.tui.perform import Job, host_job, practise_alarm, split_flag
from securechat_tui.tui.screens.change_passphrase import ChangePassphraseScreen
from securechat_tui.tui.screens.contacts import ContactChoice, ContactsScreen, Deed
from securechat_tui.tui.screens.details import DetailsScreen
from securechat_tui.tui.screens.help import HelpScreen
from securechat_tui.tui.screens.invite import InviteScreen
from securechat_tui.tui.screens.join import JoinScreen
from securechat_tui.tui.screens.steps import StepsScreen
from securechat_tui.tui.screens.verify import VerifyChoice, VerifyScreen
from securechat_tui.tui.screens.welcome import WelcomeScreen
from securechat_tui.tui.state import Comparing
from securechat_tui.tui.themes import THEMES
from securechat_tui.tui.try_pause import Tries

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["CommandDesk"]

_NEW_FLAG = "--new"
_STOP = "stop"
_OFF = "off"
_UNKNOWN = "/{word} is not a command; nothing was sent. /help lists them, and // sends a literal slash."
_IN_THE_HOUSE = "Nobody reads what is written in the house: Alt+Down or /go NAME goes to a conversation."
_NO_TEXT = "Type the message after it, such as: /{word} hello"
_FEW_COLOURS = "Kept for terminals with more colours; this one says it has 16, so its own are used."
_NOT_HERE = (
    "A passphrase is never typed after a command, where others can read it: /passphrase alone asks for it. "
    "If this was one, choose another."
)
_WIRE_ON = (
    "From now on it is kept, in memory alone, how messages go over the wire. F5 again shows the selected or "
    "last one; /wire off forgets all of it."
)
_WIRE_OFF = "Nothing is kept of the wire any more, and what was is forgotten."
_NOT_RECORDED = "Nothing was kept of the wire for this: only of messages that pass while /wire is on."
_NO_MESSAGE = "No message has been received yet, so there is nothing to show."


class CommandDesk:
    """Decides what a submitted text is and lets each command be done: on the screen, or by the engine."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self.conversations = ConversationDesk(app)
        self._refs = map("{}-{}".format, repeat(f"screen-{token_hex(4)}"), count(1))
        self._shows_invite = False
        self._tries = Tries()
        self._deeds: dict[str, Callable[[str], None]] = {
            "help": self._help,
            "sidebar": self._sidebar,
            "find": self._find,
            "verify": self._verify,
            "details": self._details,
            "wire": self._wire,
            "host": self._host,
            "invite": self._invite,
            "join": self._join,
            "accept": self._accept,
            "unsigned": lambda text: self._send_as(text, signed=False),
            "signed": lambda text: self._send_as(text, signed=True),
            "leave": self._leave,
            "reconnect": self._reconnect,
            "contacts": self._contacts,
            "copy": self._copy,
            "clear": self._clear,
            "alarm": self._alarm,
            "quit": self._quit,
            "nick": self._nick,
            "passphrase": self._passphrase,
            "notify": self._notify,
            "theme": self._theme,
            **self.conversations.deeds,
        }

    def submit(self, text: str) -> None:
        """Send ``text`` or do the command it is. An unknown command goes nowhere and comes back."""
        parsed = parse(text)
        if parsed is None:
            self._send(text.removeprefix("/") if text.startswith("//") else text)
            return
        word, argument = parsed
        command = find(word, self._app.commands)
        if command is None or not command.words:
            self._app.chat.composer.restore(text)
            self._app.say(_UNKNOWN.format(word=word))
        else:
            self.perform(command.id, argument)

    def perform(self, command_id: str, argument: str = "") -> None:
        """Do the command with this id."""
        self._deeds[command_id](argument)

    def _send_as(self, text: str, *, signed: bool) -> None:
        word = "signed" if signed else "unsigned"
        if text:
            self._send(text, signed=signed, draft=f"/{word} {text}")
        else:
            self._app.say(_NO_TEXT.format(word=word))

    def _send(self, text: str, *, signed: bool | None = None, draft: str = "") -> None:
        # Unlike those of any other run: messages that waited since then bear theirs.
        ref = next(self._refs)
        # Named, so that it reaches whom the person sees, whoever may come in before it is sent.
        addressee = self._app.state.conversation
        if addressee is None and any(one.is_here or one.awaited for one in self._app.state.talks.values()):
            self._app.chat.composer.restore(draft or text)
            self._app.say(_IN_THE_HOUSE)
            return
        will_be_signed = self._app.engine.preferences.sign_messages if signed is None else signed

        async def send() -> None:
            await self._app.engine.send(text, ref=ref, conversation=addressee, signed=signed)

        self._engine_job(
            Job(
                send,
                draft=draft or text,
                text=text,
                ref=ref,
                signed=will_be_signed,
                conversation=addressee,
            )
        )

    def _help(self, _: str) -> None:
        self._app.push_screen(HelpScreen(self._app.commands, self._app.keymap))

    def _sidebar(self, _: str) -> None:
        self._app.chat.toggle_sidebar()

    def _find(self, argument: str) -> None:
        self._app.chat.open_find(argument)

    def _verify(self, digits: str) -> None:
        if digits:
            self.decide(VerifyChoice.MATCH, digits)
        elif self._app.engine.identity and not isinstance(self._app.screen, VerifyScreen):
            self._app.push_screen(VerifyScreen(self._app.engine.identity, self._app.state))
            if self._app.state.comparing is not Comparing.NOBODY:
                engine, here = self._app.engine, self._app.state.conversation
                self._engine_job(Job(lambda: engine.show_safety_number(here)))

    def decide(self, choice: VerifyChoice, digits: str) -> None:
        """Do what was decided on the verify screen."""
        engine, talk = self._app.engine, self._app.state.shown
        here = talk.id if talk else None  # named: what is decided is about whom the person sees
        match choice:
            case VerifyChoice.ASK:
                self._set_asked(asked=True)
                self._engine_job(Job(lambda: engine.verify(here)))
            case VerifyChoice.MATCH:
                self._engine_job(Job(lambda: engine.match(digits or None, conversation=here)))
            case VerifyChoice.DIFFER:
                self._engine_job(Job(lambda: engine.differ(here)))
            case VerifyChoice.WORDS_MATCH:
                self._engine_job(Job(lambda: engine.match_safety_number(here)))
            case VerifyChoice.NOT_NOW:
                self._set_asked(asked=False)
                self._engine_job(Job(lambda: engine.decline(here)))

    def create_identity(self, wanted: WelcomeScreen.Create) -> None:
        """Make the key that somebody asks for."""
        engine = self._app.engine
        self._engine_job(Job(lambda: engine.create_identity(wanted.name, wanted.bits, wanted.passphrase)))

    def _set_asked(self, *, asked: bool) -> None:
        if self._app.state.shown:
            self._app.state.shown.asked = asked

    def _details(self, _: str) -> None:
        message = self._app.narrator.selected_message() or self._app.state.last
        if message is None:
            self._app.say(_NO_MESSAGE)
        else:
            self._app.push_screen(DetailsScreen(message))

    def _wire(self, argument: str) -> None:
        """Off until it is asked for: the first time begins to record, and says so."""
        engine, talk = self._app.engine, self._app.state.shown
        if argument == _OFF:
            engine.inspect(on=False)
            self._app.say(_WIRE_OFF)
        elif not engine.is_inspecting:
            engine.inspect(on=True)
            self._app.say(_WIRE_ON)
        elif talk is not None and (meant := self._app.narrator.meant()) is not None:
            self._show_wire(talk.id, *meant)
        else:
            self._app.say(_NOT_RECORDED)

    def _show_wire(self, conversation: str, number: int, own: bool) -> None:
        steps = self._app.engine.wire(conversation, number, own=own)
        if steps:
            whose = "yours" if own else "theirs"
            self._app.push_screen(StepsScreen(f"On the wire: #{number}, {whose}", steps))
        else:
            self._app.say(_NOT_RECORDED)

    def _host(self, argument: str) -> None:
        if argument == _STOP:
            self._stop_hosting()
            return
        self._app.show_chat()
        self._engine_job(host_job(self._app.engine, argument))

    def _stop_hosting(self) -> None:
        if self._app.engine.is_hosting:
            self._engine_job(Job(self._app.engine.stop_hosting))
        else:
            self._app.say("You are not hosting, so there is nothing to stop.")

    def _invite(self, _: str) -> None:
        self._engine_job(Job(self._make_invite))

    async def _make_invite(self) -> None:
        self._shows_invite = True
        try:
            await self._app.engine.invite()
        except CommandError:
            self._shows_invite = False
            raise

    def observe(self, event: Event) -> None:
        """Show the invite that was asked for; take it away when somebody has come."""
        if isinstance(event, Invite) and self._shows_invite:
            self._shows_invite = False
            self._app.push_screen(InviteScreen(self._app.state))
        elif isinstance(event, Peer) and isinstance(self._app.screen, InviteScreen):
            self._app.pop_screen()

    def _join(self, argument: str) -> None:
        if not argument:
            names = (str(contact.name) for contact in self._app.engine.contacts())
            offered = [name for name in names if not may_be_address(name)]
            self._app.push_screen(JoinScreen(offered), self._join_from_form)
            return
        target, new = split_flag(argument, _NEW_FLAG)
        self.join(target, new=new)

    def join(self, target: str, *, new: bool = False) -> None:
        """Join an address, an invite's host or a contact: who was chosen is meant by the fingerprint."""

        async def join() -> None:
            await self._app.engine.join(target, new=new)
            self._app.switchboard.is_expecting = True

        self._app.show_chat()
        self._engine_job(Job(join))

    def _join_from_form(self, wanted: JoinTarget | None) -> None:
        if wanted is not None:
            self.join(wanted.target, new=wanted.new)

    def _accept(self, _: str) -> None:
        here = self._app.state.conversation
        self._engine_job(Job(lambda: self._app.engine.accept_key(here)))

    def _leave(self, _: str) -> None:
        engine, talk = self._app.engine, self._app.state.shown
        here = talk.id if talk and (talk.is_here or talk.awaited) else None
        self._app.switchboard.expect_nobody()
        self._engine_job(Job(lambda: engine.leave(here)))

    def _reconnect(self, _: str) -> None:
        self._engine_job(Job(self._app.engine.reconnect))

    def _contacts(self, _: str) -> None:
        self._app.push_screen(ContactsScreen(self._app.engine.contacts()), self._contact_chosen)

    def _contact_chosen(self, choice: ContactChoice | None) -> None:
        if choice is None:
            return
        engine, name = self._app.engine, str(choice.contact.name)
        match choice.deed:
            case Deed.FORGET:
                done = f"{name} is forgotten: at the next contact their key is a stranger's."
                self._engine_job(Job(lambda: engine.forget(name), done=done))
            case Deed.BLOCK:
                done = f"{name} is blocked: calls in either direction are refused."
                self._engine_job(Job(lambda: engine.block(name, blocked=True), done=done))
            case Deed.UNBLOCK:
                done = f"{name} is no longer blocked; the key is worth what it was before."
                self._engine_job(Job(lambda: engine.block(name, blocked=False), done=done))
            case Deed.JOIN:
                self.join(choice.contact.fingerprint)

    def _copy(self, _: str) -> None:
        text = self._app.narrator.text_to_copy()
        if text:
            self._app.copy_to_clipboard(text)
            self._app.chat.show_hint("Copied to the clipboard, where the terminal allows it.")
        else:
            self._app.say(_NO_MESSAGE)

    def _clear(self, _: str) -> None:
        self._app.switchboard.shown.clear()

    def _alarm(self, _: str) -> None:
        practice = self._app.practice
        if practice is not None:
            engine, target = self._app.engine, self._app.practice_target
            self._engine_job(Job(lambda: practise_alarm(engine, practice, target)))

    def _quit(self, _: str) -> None:
        self._app.leave_program()

    def _nick(self, argument: str) -> None:
        done = f"You are {SafeText.name(argument)} from the next session on."
        self._engine_job(Job(lambda: self._app.engine.rename(argument), done=done))

    def _passphrase(self, typed: str) -> None:
        engine = self._app.engine
        if typed:
            self._app.say(_NOT_HERE)
        elif engine.identity is not None:
            screen = ChangePassphraseScreen(
                engine.change_passphrase, self._tries, is_set=engine.has_passphrase
            )
            self._app.push_screen(screen, self._passphrase_changed)

    def _passphrase_changed(self, sentence: str | None) -> None:
        if sentence is not None:
            self._app.say(sentence)

    def _notify(self, argument: str) -> None:
        manner = next((one for one in NOTIFY if one == argument), None)
        if manner is None:
            present = self._app.attention.manner
            self._app.say(f"/notify is {present}: choose one of {', '.join(NOTIFY)}.")
            return
        self._app.attention.manner = manner
        done = f"While the terminal has no focus: {NOTIFY[manner]}."
        self._engine_job(Job(lambda: self._app.engine.prefer(notify=manner), done=done))

    def _theme(self, argument: str) -> None:
        theme = next((one for one in THEMES if one == argument), None)
        if theme is None:
            present = self._app.engine.preferences.theme
            self._app.say(f"/theme is {present}: choose one of {', '.join(THEMES)}.")
            return
        done = "" if self._app.wear(theme) else _FEW_COLOURS
        self._engine_job(Job(lambda: self._app.engine.prefer(theme=theme), done=done))

    def _engine_job(self, job: Job) -> None:
        self._app.jobs.add(job)
