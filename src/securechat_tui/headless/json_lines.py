"""The JSON face: one object on a line for every event, one for every command.

The names of events and fields are a contract with programs (``docs/json.md``): an event's word is its
class name in lower case with hyphens, its fields are the fields of the class.
"""

import dataclasses
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Error,
    Event,
    Found,
    IdentityNeeded,
    Kept,
    PassphraseNeeded,
    Refused,
    SafeText,
    TrustChanged,
    Wiped,
)
from securechat_tui.chat.events import Connections as Came
from securechat_tui.chat.events import History as Page
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.port import EnginePort
from securechat_tui.headless.choosing import conversation_meant, conversation_to_wipe
from securechat_tui.headless.json_commands import (
    AcceptKey,
    Command,
    Connections,
    Decline,
    Differ,
    History,
    Invite,
    Join,
    Leave,
    MarkRead,
    Match,
    Quit,
    Resolve,
    Search,
    Send,
    Talk,
    Verify,
    VerifyKey,
    Wipe,
    decode_command,
    ref_of,
    sends,
)
from securechat_tui.headless.lifecycle import BAD_ENDS, Lifecycle
from securechat_tui.headless.run import say
from securechat_tui.headless.standard_streams import Line

__all__ = ["JsonLines", "encode_event", "event_word"]

_WORDS: dict[type[Event], str] = {TrustChanged: "trust"}
"""Where the contract's word is taken by something else in the code."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def event_word(kind: type[Event]) -> str:
    """The word for a class of events: ``RoundTrip`` is ``round-trip``."""
    return _WORDS.get(kind) or _HUMP.sub("-", kind.__name__.removesuffix("Event")).lower()


def encode_event(event: Event) -> bytes:
    """``event`` as one JSON object on one line, with its line end."""
    return _line(_fields(event))


def _fields(event: Event) -> dict[str, Any]:
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    if isinstance(event, Refused) and not event.expected:
        fields = {name: fields[name] for name in ("time", "reason", "message", "address")}
    if isinstance(event, Page | Found):
        fields["messages"] = [_kept(one) for one in event.messages]
    return {"event": event_word(type(event)), **fields}


def _kept(message: Kept) -> dict[str, Any]:
    """A message of the history: ``id`` is what the command ``history`` takes as ``before``."""
    fields = {field.name: getattr(message, field.name) for field in dataclasses.fields(message)}
    return {"id": message.row, **fields}


class JsonLines:
    """Shows events as JSON and takes commands as JSON. Nothing ever prompts."""

    is_patient = True

    def __init__(self, engine: EnginePort, lifecycle: Lifecycle) -> None:
        self._engine = engine
        self._lifecycle = lifecycle
        self.warn: Callable[[str], None] = say

    def show(self, event: Event) -> bytes:
        """The line for ``event``. That an identity is missing or locked is no news: others see to that."""
        if isinstance(event, IdentityNeeded | PassphraseNeeded):
            return b""
        if isinstance(event, Refused | Error) or (isinstance(event, Closed) and event.reason in BAD_ENDS):
            self.warn(event.message)
        return encode_event(event)

    def show_error(self, error: CommandError, line: Line = b"") -> bytes:
        """The line that answers a command which failed, with the command's ``ref`` where it had one."""
        answer = {"event": "error", "time": time.time(), "code": error.code, "message": str(error)}
        return _line(answer | _named(ref_of(line)))

    def is_message(self, line: Line) -> bool:
        """Whether the command is ``send``."""
        return sends(line)

    async def take(self, line: Line) -> bytes | None:
        """Act on a command. Raises :class:`CommandError`, after which nothing has changed."""
        command = decode_command(line)
        match command:
            case Send():
                await self._send(command)
            case Resolve():
                await self._engine.resolve(Resolution(command.choice), command.conversation)
            case Join() | Talk() | Leave() | Invite():
                await self._arrange(command)
            case Connections():
                return _answer(command, Came(time=time.time(), connections=self._engine.connections()))
            case Verify() | VerifyKey() | AcceptKey() | Match() | Differ() | Decline():
                await self._compare(command)
            case History() | Search() | MarkRead() | Wipe():
                return await self._look_up(command)
            case Quit():
                return None
        return b""

    async def _look_up(self, command: History | Search | MarkRead | Wipe) -> bytes:
        """Act on what is kept; what is found is a line for each conversation."""
        match command:
            case History():
                meant = conversation_meant(self._engine, command.conversation)
                page = await self._engine.history(meant, limit=command.limit, before=command.before)
                return _answer(command, page)
            case Search():
                found = await self._engine.search(
                    command.text, conversation=command.conversation, limit=command.limit
                )
                return b"".join(_answer(command, one) for one in found or (_nothing_with(command),))
            case MarkRead():
                await self._engine.mark_read(conversation_meant(self._engine, command.conversation))
                return b""
            case Wipe():
                meant = conversation_to_wipe(self._engine, command.name, command.conversation)
                await self._engine.wipe(meant)
                return _answer(command, Wiped(time=time.time(), conversation=meant))

    async def _arrange(self, command: Join | Talk | Leave | Invite) -> None:
        """See to who is here, or will be."""
        match command:
            case Join():
                await self._engine.join(command.target, new=command.new)
                self._lifecycle.expect_peer()
            case Talk():
                await self._engine.talk(command.name)
                self._lifecycle.expect_peer()
            case Leave():
                await self._engine.leave(command.conversation)
            case Invite():
                await self._engine.invite()

    async def _send(self, command: Send) -> None:
        await self._engine.send(
            command.text, ref=command.ref, conversation=command.conversation, signed=command.signed
        )
        self._lifecycle.take_message()

    async def _compare(self, command: Verify | VerifyKey | AcceptKey | Match | Differ | Decline) -> None:
        match command:
            case Verify():
                await self._engine.verify(command.conversation)
            case Match():
                await self._engine.match(command.digits, conversation=command.conversation)
            case AcceptKey():
                await self._engine.accept_key(command.conversation)
            case Differ():
                await self._engine.differ(command.conversation)
            case Decline():
                await self._engine.decline(command.conversation)
            case VerifyKey():
                await self._engine.verify_key(command.fingerprint)


def _answer(command: Command, event: Event) -> bytes:
    """The line of what was asked for, with the command's ``ref`` where it had one."""
    return _line(_fields(event) | _named(command.ref))


def _named(ref: str | None) -> dict[str, str]:
    return {} if ref is None else {"ref": ref}


def _nothing_with(command: Search) -> Found:
    """The answer where nothing is found: else a program would wait for one."""
    meant = command.conversation or ""
    return Found(time=time.time(), conversation=meant, messages=(), text=SafeText.line(command.text))


def _line(value: dict[str, Any]) -> bytes:
    return msgspec.json.encode(value, enc_hook=_plain_str) + b"\n"


def _plain_str(value: object) -> str:
    """The marker types of text are strings to a program."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} has no place in an event")
