"""How a conversation of the lab looks without a screen, and what a line of input means there.

Every line that is shown says which protocol it came by, and that it is not private: somebody who looks at
a terminal later has not seen the warning of its beginning.
"""

import time
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from securechat_tui.headless.run import say
from securechat_tui.headless.standard_streams import MAX_LINE_BYTES, Line, TooLong
from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.peer import Delivered, Established, Event, Finished, Rejected, Sent, Shown, is_exit
from securechat_tui.network.addresses import Address

__all__ = [
    "BadLine",
    "Face",
    "JsonFace",
    "Leave",
    "PlainFace",
    "Quit",
    "Send",
    "beginning",
    "ending",
    "refusal",
    "warning",
]

_REASONS: Final = {"said": "goodbye", "left": "quit", "ended": "lost", "failed": "rejected"}
_EXIT_IS_TEXT: Final = ("gcm", "signed-gcm")
"""Where the word travels as a message, and ends both programs."""
_HELP: Final = "Type a message. /quit ends (so does the end of the input), // sends a slash."


class BadLine(Exception):
    """A line that is not understood; ``str(error)`` is one sentence that says what to do."""


class Send(msgspec.Struct, tag_field="cmd", tag="send", forbid_unknown_fields=True, kw_only=True):
    """Send a text."""

    text: str
    ref: str | None = None


class Leave(msgspec.Struct, tag_field="cmd", tag="leave", forbid_unknown_fields=True, kw_only=True):
    """End the conversation."""

    ref: str | None = None


class Quit(msgspec.Struct, tag_field="cmd", tag="quit", forbid_unknown_fields=True, kw_only=True):
    """End everything."""

    ref: str | None = None


Command = Send | Leave | Quit
_DECODER: Final[msgspec.json.Decoder[Command]] = msgspec.json.Decoder(Command)


def warning(protocol: LabProtocol) -> str:
    """The sentence that belongs to every face of the lab."""
    if protocol.name == "current":
        return (
            "This is the lab: the protocol is the product's, but the keys are thrown away and "
            "nobody is pinned."
        )
    return f"This is the lab: {protocol.name} is a teaching protocol. Do not use it for anything private."


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a conversation; ``ref`` is the word of the command that caused it."""

    conversation: str
    event: Event
    ref: str | None = None


class Face(Protocol):
    """Shows what happens as bytes for standard output, and reads lines."""

    def opening(self, protocol: LabProtocol, role: str) -> bytes:
        """The warning, and what the protocol lacks."""

    def place(self, what: str, address: Address) -> bytes:
        """Where it listens, or what it dials."""

    def show(self, happened: Happened) -> bytes:
        """An event."""

    def error(self, code: str, sentence: str, ref: str | None = None) -> bytes:
        """Something that went wrong here."""

    def read(self, line: Line) -> Command | None:
        """What a line asks for; None for nothing. Raises :class:`BadLine`."""


class PlainFace:
    """Lines for people and pipes."""

    def __init__(self, encodings: tuple[str, str] = ("utf-8", "utf-8")) -> None:
        """``encodings`` are those of input and output."""
        self._mark = ""
        self._exit_is_text = False
        self._input_encoding, self._output_encoding = encodings

    def opening(self, protocol: LabProtocol, role: str) -> bytes:
        """The warning, and what the protocol lacks."""
        self._exit_is_text = protocol.name in _EXIT_IS_TEXT
        self._mark = "current, lab" if protocol.name == "current" else f"{protocol.name}, not private"
        lines = [
            warning(protocol),
            f"You are the {role}. It lacks:",
            *(f"  - {one}" for one in protocol.lacks),
        ]
        return self._lines([*lines, _HELP])

    def place(self, what: str, address: Address) -> bytes:
        """Where it listens, or what it dials."""
        return self._lines([f"{'Listening at' if what == 'listening' else 'Calling'} {address}"])

    def show(self, happened: Happened) -> bytes:
        """An event; one's own texts stand on the terminal already."""
        match happened.event:
            case Established(peer_key):
                return self._lines([beginning(peer_key)])
            case Shown(text=text, sender=sender, passed=passed):
                first, *rest = str(text).split("\n")
                return self._lines(
                    [f"{sender}: {first}", *(f"  {one}" for one in rest), f"  (checked: {', '.join(passed)})"]
                )
            case Rejected(check=check, detail=detail):
                return self._lines([refusal(check, detail)])
            case Finished(how, check, detail):
                return self._lines([ending(how, check, detail)])
            case _:
                return b""

    def error(self, code: str, sentence: str, ref: str | None = None) -> bytes:
        """Nothing on standard output: the sentence goes to standard error."""
        del code, ref
        say(sentence)
        return b""

    def read(self, line: Line) -> Command | None:
        """A text, or a command behind a slash."""
        if isinstance(line, TooLong):
            raise BadLine(f"A line of more than {MAX_LINE_BYTES} bytes was not sent.")
        try:
            text = line.decode(self._input_encoding)
        except UnicodeDecodeError:
            raise BadLine(f"A line that is not {self._input_encoding} was not sent.") from None
        if text.startswith("/") and not text.startswith("//"):
            return _slash(text.strip())
        if is_exit(text) and not self._exit_is_text:
            return Quit()
        text = text.removeprefix("/")
        return Send(text=text) if text.strip() else None

    def _lines(self, lines: list[str]) -> bytes:
        return "".join(f"[{self._mark}] {line}\n" for line in lines).encode(self._output_encoding, "replace")


def _slash(word: str) -> Command:
    if word in ("/quit", "/exit"):
        return Quit()
    if word == "/leave":
        return Leave()
    raise BadLine(f"There is no {word.split(' ', maxsplit=1)[0]} in the lab; nothing was sent. {_HELP}")


def beginning(peer_key: str) -> str:
    """That messages flow, and what is known of the other side's key."""
    key = f" The other side's key: {peer_key[:16]}…, compared with nothing." if peer_key else ""
    return f"Messages flow now.{key}"


def refusal(check: str, detail: str) -> str:
    """That a message was skipped, and why."""
    return f"A message was refused by the check “{check}”: {detail}."


def ending(how: str, check: str, detail: str) -> str:
    """How a conversation has ended, as a sentence."""
    if how == "failed":
        return f"It ended by the check “{check}”" + (f": {detail}." if detail else ".")
    words = {"said": "The other side has said goodbye.", "left": "You have left."}
    return words.get(how, "The connection has ended" + (f": {detail}." if detail else "."))


class JsonFace:
    """One JSON object on a line for every event, one for every command (``docs/lab.md``)."""

    def opening(self, protocol: LabProtocol, role: str) -> bytes:
        """The warning, and what the protocol lacks."""
        return _line(
            "ready", protocol=protocol.name, role=role, warning=warning(protocol), lacks=protocol.lacks
        )

    def place(self, what: str, address: Address) -> bytes:
        """Where it listens, or what it dials."""
        return _line(what, address=address.host, port=address.port)

    def show(self, happened: Happened) -> bytes:
        """An event."""
        where = happened.conversation
        match happened.event:
            case Established(peer_key):
                return _line("secure", conversation=where, peer_key=peer_key)
            case Sent(number=number):
                return _line("sent", conversation=where, number=number, ref=happened.ref)
            case Delivered(number):
                return _line("delivered", conversation=where, number=number)
            case Shown() as one:
                return _line(
                    "message",
                    conversation=where,
                    number=one.number,
                    text=str(one.text),
                    name=str(one.sender),
                    claimed=one.claimed,
                    checks=one.passed,
                )
            case Rejected(check, detail):
                return _line("rejected", conversation=where, check=check, message=detail)
            case Finished(how, check, detail):
                by = "me" if how in ("left", "failed") else "peer"
                return _line(
                    "closed",
                    conversation=where,
                    reason=_REASONS[how],
                    by=by,
                    check=check,
                    message=ending(how, check, detail),
                )

    def error(self, code: str, sentence: str, ref: str | None = None) -> bytes:
        """Something that went wrong here."""
        say(sentence)
        return _line("error", code=code, message=sentence, **({} if ref is None else {"ref": ref}))

    def read(self, line: Line) -> Command | None:
        """A command as one JSON object."""
        if isinstance(line, TooLong):
            raise BadLine(f"A line may have {MAX_LINE_BYTES} bytes at most. Nothing was done.")
        try:
            return _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadLine(f"{error}. Nothing was done; docs/lab.md lists the commands.") from None


def _line(event: str, **fields: Any) -> bytes:  # noqa: ANN401 - whatever JSON can say
    return msgspec.json.encode({"event": event, "time": time.time(), **fields}) + b"\n"
