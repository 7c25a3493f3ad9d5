"""How the plain face words what happens: each event as lines of text.

Whatever a peer wrote is indented behind a bar from its second line on, so that no message can put
a line on the screen that looks like one of the program's own.
"""

from datetime import UTC, datetime
from functools import singledispatch

from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    Code,
    ComparisonStopped,
    Delivered,
    Dialing,
    Event,
    Gate,
    Hosting,
    Invite,
    Kept,
    Listening,
    Message,
    Peer,
    Ready,
    Refused,
    Rejected,
    Rekeyed,
    Secure,
    Trust,
    TrustChanged,
    VerifyAsked,
)
from securechat_tui.chat.views import ConnectionView

__all__ = [
    "Marks",
    "PlainWording",
    "connection_line",
    "indented",
    "security_line",
    "stamped",
    "warning_lines",
]

_INDENT = " " * 9
_BAR = _INDENT + "| "
_MINUTE = 60
_HOUR = 3600

_TRUST_SENTENCES = {
    Trust.NEW: "The key is NEW here and is kept from now on; compare it with its owner another way.",
    Trust.PINNED: "The key is PINNED: the same one as at the first contact.",
    Trust.INVITED: "The key is INVITED: an invite vouched for it at the first contact.",
    Trust.VERIFIED: "The key is VERIFIED: you have compared codes with its owner.",
    Trust.CHANGED: "The key is CHANGED: it is not the one that belongs to this contact.",
    Trust.BLOCKED: "The key is BLOCKED.",
}
_DIFFERED_SENTENCE = "The key is CHANGED: a comparison of codes with it has failed."


_GATE_COMMANDS = {
    "unsigned": "/resolve cancel, /resolve sign",
    "resume": "/resolve resend, /resolve new-generation",
}
_UNSIGNED = "unsigned: only this session vouches for it"
_STOPPED_SENTENCES = {
    "declined": "The comparison has ended without a decision.",
    "mismatch": "The other side says that the codes DIFFER: somebody may be in between. Ask another way.",
    "cut": "The comparison was cut off; it counts for nothing.",
}


class Marks:
    """The glyphs of passed and failed checks, in words where the output cannot show them."""

    def __init__(self, encoding: str) -> None:
        try:
            "✓✗".encode(encoding)
        except (UnicodeEncodeError, LookupError):
            self.passed, self.failed = "ok", "FAILED"
        else:
            self.passed, self.failed = "✓", "✗"

    def __call__(self, *, passed: bool) -> str:
        """The glyph for a check."""
        return self.passed if passed else self.failed


def security_line(message: Message | Kept, mark: Marks) -> str:
    """The verdict on ``message`` at its receipt, in one line."""
    checks = message.checks
    parts = (
        f"intact {mark(passed=checks.intact)}",
        f"in order {mark(passed=checks.in_order)} #{message.number}",
        f"{_freshness(message)} {mark(passed=checks.fresh)}",
        f"signed {mark(passed=True)} RSA-PSS" if checks.signed else _UNSIGNED,
        message.trust.value,
    )
    return f"{_INDENT}[{' | '.join(parts)}]"


def indented(head: str, text: str) -> list[str]:
    """A text behind its head; each further line of it stands behind a bar."""
    first, *others = text.split("\n")
    return [f"{head} {first}", *(_BAR + line for line in others)]


class PlainWording:
    """Words events. It remembers by which names the peers of the conversations go."""

    def __init__(self, mark: Marks, *, attended: bool) -> None:
        self._mark = mark
        self._attended = attended
        self._names: dict[str, str] = {}

    def lines(self, event: Event) -> list[str]:
        """The lines that tell ``event`` on standard output; none where it is not worth one."""
        match event:
            case Message():
                return self._message(event)
            case Delivered():
                return self._delivered(event)
            case Peer():
                return self._peer(event)
            case Closed():
                return [stamped(event, event.message or self._closing(event))]
            case _:
                return _news(event)

    def _message(self, event: Message) -> list[str]:
        said = indented(stamped(event, f"<{event.name}>"), event.text)
        return [*said, security_line(event, self._mark)]

    def _delivered(self, event: Delivered) -> list[str]:
        """Whoever types wants to know; a pipe learns it by the exit code."""
        if not self._attended:
            return []
        where = "stored there" if event.durable else "received there"
        return [f"{_INDENT}[#{event.number} delivered, {where} {self._mark.passed}{self._mark.passed}]"]

    def _peer(self, event: Peer) -> list[str]:
        self._names[event.conversation] = event.contact
        lines = [
            stamped(event, f"<{event.contact}> is at the other end ({event.role}, {event.address})."),
            f"{_INDENT}{event.fingerprint}",
            f"{_INDENT}{_trust_sentence(event.trust, differed=event.differed)}",
        ]
        if event.known_elsewhere:
            lines.append(
                f"{_INDENT}Careful: you know another <{event.name}> with the key {event.known_elsewhere}."
            )
        return lines

    def _closing(self, event: Closed) -> str:
        name = self._names.get(event.conversation, "the peer")
        if event.reason == "goodbye" and event.by == "peer":
            return f"{name} has said goodbye."
        if event.reason in {"goodbye", "quit"}:
            return f"You have said goodbye to {name}."
        if event.reason == "rejected":
            return f"The session with {name} has been ended because a message failed its checks."
        return f"The connection to {name} was lost{'; trying again.' if event.will_retry else '.'}"


def connection_line(one: ConnectionView) -> str:
    """A connection, or an attempt at one, in one line."""
    began = f"{datetime.fromtimestamp(one.time, tz=UTC).astimezone():%H:%M:%S}"
    way = "from" if one.direction == "in" else "to"
    who = f"  <{one.who}>" if one.who else ""
    return f"{began}  {way} {one.address}{who}  {one.outcome or 'stands'}  {_span(one.duration)}"


def warning_lines(event: Event) -> list[str]:
    """What ``event`` has to say on standard error."""
    if not isinstance(event, Refused):
        return []
    lines = [event.message]
    if event.expected:
        lines.append(f"expected: {event.expected} ({event.contact}, {event.trust.value})")
    if event.offered:
        whose = f" (that is {event.offered_contact}'s key)" if event.offered_contact else ""
        lines.append(f"answered: {event.offered}{whose}")
    return lines


@singledispatch
def _news(event: Event) -> list[str]:
    """The lines for events that need no memory; none for those not listed below."""
    del event
    return []


@_news.register
def _(event: Ready) -> list[str]:
    return [stamped(event, f"You are {event.name}, {event.fingerprint}.")]


@_news.register
def _(event: Listening) -> list[str]:
    return [stamped(event, f"Listening on {_endpoint(event.address, event.port)}.")]


@_news.register
def _(event: Hosting) -> list[str]:
    if not event.active:
        return [stamped(event, "Listening no more.")]
    whence = "" if event.from_elsewhere else ", which works on this machine alone"
    addresses = (event.from_elsewhere or event.reachable)[:1]
    lines = [f"{_INDENT}Your guest types: securechat-tui join {address}{whence}" for address in addresses]
    if event.invited_only:
        lines.append(f"{_INDENT}Nobody is answered but known contacts and those who bring an invite.")
    return lines


@_news.register
def _(event: Invite) -> list[str]:
    """The invite has a line of its own, without an indent: it is to be copied."""
    until = f"{datetime.fromtimestamp(event.expires, tz=UTC).astimezone():%H:%M}"
    return [
        stamped(event, f"An invite for one guest, good until {until}. They type: securechat-tui join"),
        f"{_INDENT}and paste this, which you have sent them on a way that nobody else reads:",
        event.invite,
    ]


@_news.register
def _(event: Dialing) -> list[str]:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    return [stamped(event, f"Connecting to {_endpoint(event.address, event.port)}{again}.")]


@_news.register
def _(event: Secure) -> list[str]:
    return [stamped(event, f"Secure from here: {event.suite}. Messages flow now.")]


@_news.register
def _(event: Rekeyed) -> list[str]:
    return [stamped(event, f"The session's keys have been renewed (epoch {event.epoch}).")]


@_news.register
def _(event: Rejected) -> list[str]:
    return [stamped(event, event.message)]


@_news.register
def _(event: Gate) -> list[str]:
    choices = _GATE_COMMANDS.get(event.reason)
    commands = [f"{_INDENT}{choices}, or /leave."] if choices else []
    return [stamped(event, event.message), *commands]


@_news.register
def _(event: Cancelled) -> list[str]:
    what = "is signed and sent under a new number" if event.renumbered else "is cancelled"
    return [stamped(event, f"Your unsigned message #{event.number} {what}.")]


@_news.register
def _(event: VerifyAsked) -> list[str]:
    return [stamped(event, "The other side would like to compare codes with you: /verify begins.")]


@_news.register
def _(event: Code) -> list[str]:
    return [
        stamped(event, "Compare with the other side, by telephone or face to face:"),
        f"{_INDENT}{'  '.join(event.emoji)}",
        f"{_INDENT}{event.digits}",
        f"{_INDENT}The same there? /match. Others? /differ. /not-now decides nothing.",
    ]


@_news.register
def _(event: ComparisonStopped) -> list[str]:
    return [stamped(event, _STOPPED_SENTENCES[event.reason])]


@_news.register
def _(event: TrustChanged) -> list[str]:
    return [stamped(event, _trust_sentence(event.trust, differed=True))]


def _trust_sentence(trust: Trust, *, differed: bool) -> str:
    return _DIFFERED_SENTENCE if differed and trust is Trust.CHANGED else _TRUST_SENTENCES[trust]


def stamped(event: Event, text: str) -> str:
    """``text`` after the local time of ``event``."""
    return f"[{datetime.fromtimestamp(event.time, tz=UTC).astimezone():%H:%M}] {text}"


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _freshness(message: Message | Kept) -> str:
    """The age in words. A time in the future, by the peer's own clock, is no more fresh than an old one."""
    if message.checks.fresh:
        return f"fresh {max(message.age, 0.0):.1f} s"
    return f"{'late' if message.age > 0 else 'early'} {_span(abs(message.age))}"


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:.0f} h"
