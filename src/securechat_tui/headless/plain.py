"""The plain face: text and slash commands in, sentences out, for pipes and screen readers."""

from collections.abc import Awaitable, Callable

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Closed, Error, Event, Notice, Peer
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.port import EnginePort
from securechat_tui.headless.choosing import conversation_meant, conversation_to_wipe
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.kept_lines import kept_lines
from securechat_tui.headless.lifecycle import BAD_ENDS, Lifecycle
from securechat_tui.headless.plain_lines import Marks, PlainWording, connection_line, warning_lines
from securechat_tui.headless.run import say
from securechat_tui.headless.standard_streams import MAX_LINE_BYTES, Line, TooLong

__all__ = ["HELP", "PlainLines"]

HELP = """\
A line you type is sent when you press Enter. Lines that begin with / are commands:
  /host [ADDRESS:PORT]    let a guest come in; --invite-only: nobody unknown without an invite
  /invite                 make an invite for one guest, good for ten minutes
  /join TARGET [--new]    join an address, a contact or the host of an invite
  /talk NAME              wait for a contact and call, until one of the two stands
  /to NAME                where several are here: whom your lines are for from here on
  /unsigned TEXT          send TEXT off the record: only the session vouches for it
  /signed TEXT            send it on the record: your peer can prove to others that you wrote it
  /resolve cancel|sign    where unsigned messages wait for somebody who takes signed ones only
  /resolve resend|new-generation
                          where two accounts of a conversation differ: send again, or go on without
  /history [NUMBER]       show the last messages that are kept (20, or as many as you say)
  /search WORDS           find messages that are kept, in every conversation
  /wipe NAME              destroy what is kept of the conversation with NAME, for good
  /leave                  say goodbye; a host goes on listening
  /verify                 compare codes; the other side does the same
  /match [DIGITS]         the codes are the same (DIGITS: as they are read out to you)
  /differ, /not-now       they differ: stop the conversation; or decide nothing
  /accept                 take a contact's new key that the old one has signed
  /verify-key FINGERPRINT [TARGET]
                          let a changed key in when it calls, or call it: to compare codes, no more
  /contacts               list the people pinned here
  /connections            list what came and went
  /help                   show this
  /quit, /exit, exit      say goodbye and end
Begin a line with // to send one that begins with /, or with a space to send the word exit."""

_INVITED_ONLY = "--invite-only"
_END_WORDS = frozenset({"exit", "/exit", "/quit"})
_USUAL_PAGE = 20
_MAX_PAGE = 1000
_LATER = frozenset({"/nick", "/notify", "/reconnect"})
_OF_THE_SCREEN = frozenset({"/details", "/copy", "/clear", "/theme", "/sidebar", "/alarm"})


def _is_command(text: str) -> bool:
    return text.rstrip() in _END_WORDS or (text.startswith("/") and not text.startswith("//"))


class PlainLines:
    """Shows events as lines of text and takes text and slash commands. Nothing ever prompts.

    ``attended`` says that a person types the input. Where nobody does, a text that cannot be sent
    also shows in the exit code, because nobody may have read the sentence about it. ``encodings``
    are those of the input and of the output.
    """

    def __init__(
        self,
        engine: EnginePort,
        lifecycle: Lifecycle,
        *,
        attended: bool,
        encodings: tuple[str, str] = ("utf-8", "utf-8"),
    ) -> None:
        self._engine = engine
        self._lifecycle = lifecycle
        self._attended = attended
        self.is_patient = not attended
        self.warn: Callable[[str], None] = say
        self._input_encoding, self._output_encoding = encodings
        self._mark = Marks(self._output_encoding)
        self._wording = PlainWording(self._mark, attended=attended)
        self._commands: dict[str, Callable[[str], Awaitable[bytes]]] = {
            "/help": self._help,
            "/contacts": self._contacts,
            "/host": self._host,
            "/invite": self._invite,
            "/join": self._join,
            "/talk": self._talk,
            "/to": self._to,
            "/connections": self._connections,
            "/leave": self._leave,
            "/verify": lambda _: self._done(self._engine.verify(self._here)),
            "/verify-key": self._verify_key,
            "/match": lambda digits: self._done(self._engine.match(digits or None, conversation=self._here)),
            "/unsigned": lambda text: self._send_as(text, signed=False),
            "/signed": lambda text: self._send_as(text, signed=True),
            "/resolve": self._resolve,
            "/history": self._history,
            "/search": self._search,
            "/wipe": self._wipe,
            "/accept": lambda _: self._done(self._engine.accept_key(self._here)),
            "/differ": lambda _: self._done(self._engine.differ(self._here)),
            "/not-now": lambda _: self._done(self._engine.decline(self._here)),
        }

    def show(self, event: Event) -> bytes:
        """The lines for ``event``; warnings and errors go to standard error instead."""
        for line in warning_lines(event):
            self.warn(line)
        if isinstance(event, Error | Notice):
            self.warn(event.message)
        if isinstance(event, Closed) and event.reason in BAD_ENDS and not self._attended:
            self.warn(event.message)
        return self._encode([*self._wording.lines(event), *self._whom_lines_are_for(event)])

    def _whom_lines_are_for(self, event: Event) -> list[str]:
        """Say it where somebody else is here as well."""
        if isinstance(event, Peer) and self._here not in (None, event.conversation):
            return [f"         Your lines are not for <{event.contact}>; /to {event.contact} changes that."]
        if isinstance(event, Closed) and self._lifecycle.is_unaddressed:
            return ["         Others are here: /to NAME says whom your lines are for from here on."]
        return []

    def show_error(self, error: CommandError, line: Line = b"") -> bytes:  # noqa: ARG002 - a face's
        """Nothing: the sentence goes to standard error."""
        self.warn(str(error))
        return b""

    def is_message(self, line: Line) -> bool:
        """Whether the line is sent as it is."""
        try:
            text = self._decode(line)
        except CommandError:
            return False
        return not _is_command(text)

    async def take(self, line: Line) -> bytes | None:
        """Send a text or act on a command. Raises :class:`CommandError`, after which nothing was sent."""
        try:
            text = self._decode(line)
        except CommandError:
            self._note_unsent()
            raise
        if _is_command(text):
            return await self._obey(text)
        if text.strip():
            await self._send(text.removeprefix("/"))
        return b""

    def _decode(self, line: Line) -> str:
        if isinstance(line, TooLong):
            raise CommandError("too-long", f"A line of more than {MAX_LINE_BYTES} bytes was not sent.")
        try:
            return line.decode(self._input_encoding)
        except UnicodeDecodeError as error:
            sentence = f"A line that is not {self._input_encoding} was not sent."
            raise CommandError("bad-text", sentence) from error

    @property
    def _here(self) -> str | None:
        """Whom the lines above speak of: named, so that nothing is for whoever may come in meanwhile."""
        return self._lifecycle.addressee

    async def _send(self, text: str, *, signed: bool | None = None) -> None:
        try:
            self._check_addressed()
            await self._engine.send(text, conversation=self._here, signed=signed)
            self._lifecycle.take_message()
        except CommandError:
            self._note_unsent()
            raise

    def _check_addressed(self) -> None:
        if self._lifecycle.is_unaddressed:
            raise CommandError("which", "Nothing was sent: say to whom first, with /to NAME.")

    def _note_unsent(self) -> None:
        if not self._attended:
            self._lifecycle.fail(ExitCode.UNDELIVERED)

    async def _obey(self, text: str) -> bytes | None:
        if text.rstrip() in _END_WORDS:
            return None
        word, _, argument = text.rstrip().partition(" ")
        word = word.lower()
        if word in self._commands:
            return await self._commands[word](argument.strip())
        if word in _LATER:
            raise CommandError("unavailable", f"{word} is not there yet; nothing was sent.")
        if word in _OF_THE_SCREEN:
            raise CommandError("unavailable", f"{word} belongs to the full screen; nothing was sent.")
        raise CommandError(
            "unknown", f"There is no {word}; nothing was sent. /help lists the commands, // sends a /."
        )

    async def _help(self, _argument: str) -> bytes:
        return self._encode(HELP.split("\n"))

    async def _contacts(self, _argument: str) -> bytes:
        contacts = self._engine.contacts()
        lines = [
            f"{one.name}  {one.trust.value}  {one.fingerprint}  {' '.join(one.addresses)}" for one in contacts
        ]
        return self._encode(lines or ["Nobody is pinned here yet."])

    async def _host(self, argument: str) -> bytes:
        words = argument.split()
        bind = " ".join(word for word in words if word != _INVITED_ONLY)
        await self._engine.host(bind or None, invited_only=_INVITED_ONLY in words)
        return b""

    async def _invite(self, _argument: str) -> bytes:
        await self._engine.invite()
        return b""

    async def _join(self, argument: str) -> bytes:
        words = argument.split()
        targets = [word for word in words if word != "--new"]
        if len(targets) != 1:
            raise CommandError("usage", "Say whom: /join ADDRESS[:PORT], /join NAME or /join INVITE.")
        await self._engine.join(targets[0], new="--new" in words)
        self._lifecycle.expect_peer()
        return b""

    async def _talk(self, name: str) -> bytes:
        if not name:
            raise CommandError("usage", "Say with whom: /talk NAME.")
        await self._engine.talk(name)
        self._lifecycle.expect_peer()
        return b""

    async def _to(self, name: str) -> bytes:
        here = [one for one in self._engine.overview() if one.live or one.awaited]
        meant = [one for one in here if one.name.casefold() == name.casefold()]
        if len(meant) != 1:
            names = ", ".join(one.name for one in here) or "nobody"
            raise CommandError("usage", f"Say to whom: /to NAME. Here: {names}.")
        self._lifecycle.address(meant[0].id)
        return self._encode([f"         Your lines are for <{meant[0].name}> from here on."])

    async def _connections(self, _argument: str) -> bytes:
        lines = [connection_line(one) for one in self._engine.connections()]
        return self._encode(lines or ["Nothing came or went yet."])

    async def _verify_key(self, argument: str) -> bytes:
        words = argument.split()
        if len(words) not in (1, 2):
            raise CommandError("usage", "Say which: /verify-key SHA256:… [ADDRESS[:PORT] or NAME].")
        await self._engine.verify_key(*words)
        if len(words) > 1:
            self._lifecycle.expect_peer()
        return b""

    async def _send_as(self, text: str, *, signed: bool) -> bytes:
        if not text:
            raise CommandError("usage", "Type the message after it, such as: /unsigned hello")
        return await self._done(self._send(text, signed=signed))

    async def _resolve(self, argument: str) -> bytes:
        try:
            choice = Resolution(argument)
        except ValueError:
            raise CommandError(
                "usage", "Say which: /resolve cancel, sign, resend or new-generation."
            ) from None
        return await self._done(self._engine.resolve(choice, self._here))

    async def _history(self, argument: str) -> bytes:
        limit = int(argument) if argument.isascii() and argument.isdigit() else 0 if argument else _USUAL_PAGE
        if not 1 <= limit <= _MAX_PAGE:
            raise CommandError("usage", f"Say how many, 1 to {_MAX_PAGE}, such as: /history 50")
        found = await self._engine.history(conversation_meant(self._engine, self._here), limit=limit)
        return self._encode(kept_lines(found.messages, self._mark) or ["Nothing is kept of it yet."])

    async def _search(self, argument: str) -> bytes:
        if not argument:
            raise CommandError("usage", "Say what, such as: /search dinner friday")
        found = await self._engine.search(argument)
        names = {view.id: view.name for view in self._engine.overview()}
        lines: list[str] = []
        for one in found:
            lines.append(f"With {names.get(one.conversation, 'somebody')}:")
            lines += kept_lines(one.messages, self._mark)
        return self._encode(lines or ["Nothing that is kept has these words."])

    async def _wipe(self, argument: str) -> bytes:
        await self._engine.wipe(conversation_to_wipe(self._engine, argument))
        return self._encode(["What was kept of that conversation is destroyed."])

    async def _leave(self, _argument: str) -> bytes:
        return await self._done(self._engine.leave(self._here))

    async def _done(self, command: Awaitable[None]) -> bytes:
        """Carry out what says nothing by itself: events follow."""
        await command
        return b""

    def _encode(self, lines: list[str]) -> bytes:
        return "".join(f"{line}\n" for line in lines).encode(self._output_encoding, "replace")
