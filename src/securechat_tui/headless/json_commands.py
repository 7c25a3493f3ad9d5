"""The commands of the JSON face: one object on a line, decoded strictly."""

from typing import Annotated, Final, Literal

import msgspec

from securechat_tui.chat.errors import CommandError
from securechat_tui.headless.standard_streams import MAX_LINE_BYTES, Line, TooLong

__all__ = [
    "AcceptKey",
    "Command",
    "Connections",
    "Decline",
    "Differ",
    "History",
    "Invite",
    "Join",
    "Leave",
    "MarkRead",
    "Match",
    "Quit",
    "Resolve",
    "Search",
    "Send",
    "Talk",
    "Verify",
    "VerifyKey",
    "Wipe",
    "decode_command",
    "ref_of",
    "sends",
]

MAX_PAGE: Final = 1000
"""Kept messages in one answer."""
MAX_ROW: Final = 2**63 - 1


class _Command(msgspec.Struct, tag_field="cmd", forbid_unknown_fields=True, kw_only=True):
    """What every command may carry: the conversation it means, and a word that comes back with the answer."""

    conversation: str | None = None
    ref: str | None = None


class Send(_Command, tag="send"):
    """Send a text as it is."""

    text: str
    signed: bool | None = None
    """Whether it is on the record; without it, as the configuration says."""


class Join(_Command, tag="join"):
    """Join an address, a contact or the host of an invite, whoever is here already."""

    target: str
    new: bool = False


class Talk(_Command, tag="talk"):
    """Listen for a contact and call it, until one of the two stands, and again after every cut."""

    name: str


class Connections(_Command, tag="connections"):
    """List what came and went."""


class Leave(_Command, tag="leave"):
    """Say goodbye in a conversation."""


class Quit(_Command, tag="quit"):
    """Say goodbye everywhere and end."""


class Invite(_Command, tag="invite"):
    """Make an invite."""


class Verify(_Command, tag="verify"):
    """Ask to compare codes, or take up the peer's wish."""


class Match(_Command, tag="match"):
    """The codes are the same; ``digits`` lets the program compare those that were read out."""

    digits: str | None = None


class Differ(_Command, tag="differ"):
    """The codes are not the same."""


class Decline(_Command, tag="decline"):
    """Not now."""


class VerifyKey(_Command, tag="verify-key"):
    """Let in a changed key when it calls the next time, to compare codes with its owner."""

    fingerprint: str


class MarkRead(_Command, tag="mark-read"):
    """What has come so far has been seen."""


class Wipe(_Command, tag="wipe"):
    """Destroy what is kept of a conversation; the contact's name confirms which."""

    name: str


class AcceptKey(_Command, tag="accept-key"):
    """Accept a peer's new key."""


class Resolve(_Command, tag="resolve"):
    """Answer the question at the gate ``unsigned`` or ``resume``."""

    choice: Literal["resend", "new-generation", "cancel", "sign"]


class History(_Command, tag="history"):
    """List what is kept of a conversation: the last ``limit`` messages, of those below row ``before``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = 200
    before: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROW)] | None = None


class Search(_Command, tag="search"):
    """Find what is kept, in one conversation or in each."""

    text: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = 100


Command = (
    Send
    | Join
    | Talk
    | Connections
    | Leave
    | Quit
    | Verify
    | VerifyKey
    | Match
    | Differ
    | Decline
    | Invite
    | AcceptKey
    | Resolve
    | History
    | Search
    | MarkRead
    | Wipe
)

_DECODER: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def decode_command(line: Line) -> Command:
    """The command on ``line``. Raises :class:`CommandError` with code ``bad-command`` where there is none."""
    if isinstance(line, TooLong):
        raise _not_understood(f"A line may have {MAX_LINE_BYTES} bytes at most")
    try:
        return _DECODER.decode(line)
    except UnicodeDecodeError as error:
        raise _not_understood("A command is UTF-8") from error
    except RecursionError as error:
        raise _not_understood("A command is one flat JSON object") from error
    except msgspec.DecodeError as error:
        raise _not_understood(str(error)) from error


class _Ref(msgspec.Struct):
    """As much of a line as its answer needs, whatever else is wrong with it."""

    ref: str | None = None


_REF_DECODER: msgspec.json.Decoder[_Ref] = msgspec.json.Decoder(_Ref)


def ref_of(line: Line) -> str | None:
    """The ``ref`` on a line, if it can be read at all."""
    try:
        return None if isinstance(line, TooLong) else _REF_DECODER.decode(line).ref
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def sends(line: Line) -> bool:
    """Whether the command on a line is to send a text; False where there is no command."""
    try:
        return isinstance(decode_command(line), Send)
    except CommandError:
        return False


def _not_understood(why: str) -> CommandError:
    return CommandError("bad-command", f"{why}. Nothing was done; docs/json.md lists the commands.")
