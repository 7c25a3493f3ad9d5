"""One side of one protocol: bytes in, events out. No sockets, no clock; time is an argument.

What a peer sends never raises: a message that fails a check is one :class:`Rejected`, and whatever the
protocol cannot go on after is one :class:`Finished`.
"""

from dataclasses import dataclass, field
from typing import Final

from securechat_tui.lab.primitives import BadCrypto
from securechat_tui.lab.steps import Step, Trail
from securechat_tui.lab.units import MAX_TEXT, CheckFailed, Splitter, Unit
from securechat_tui.protocol.events import Instant as Moment
from securechat_tui.protocol.text import SafeText

__all__ = [
    "HANDSHAKE_SECONDS",
    "CannotSend",
    "Delivered",
    "Established",
    "Event",
    "Finished",
    "Moment",
    "Peer",
    "Rejected",
    "Sent",
    "Shown",
    "is_exit",
]

HANDSHAKE_SECONDS: Final = 30.0


class CannotSend(Exception):
    """A text cannot be sent; ``str(error)`` is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Established:
    """Messages can flow; ``peer_key`` is the fingerprint of the key that came, or empty."""

    peer_key: str
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sent:
    """A text has been given to the wire."""

    number: int
    text: SafeText = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has said, authenticated, that it has this message; the ancestors never do."""

    number: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A message was accepted and would be shown to a person; ``sender`` is who it says it is from."""

    number: int
    text: SafeText = field(repr=False)
    sender: SafeText
    passed: tuple[str, ...]
    """The checks that it has passed, in order."""
    claimed: float | None
    """When it says it was written, in Unix seconds; None where it does not say."""
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message failed ``check`` and was skipped; the conversation goes on."""

    check: str
    detail: str
    steps: tuple[Step, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. ``how``: said (the peer said so), left (this side did), ended (the stream ended), failed.

    ``check`` is the one that failed, or empty.
    """

    how: str
    check: str = ""
    detail: str = ""


Event = Established | Sent | Delivered | Shown | Rejected | Finished


def is_exit(text: str) -> bool:
    """Whether a text is the word that ends a conversation of *gcm* and *signed-gcm*."""
    return text.strip().lower() == "exit"


class Peer:
    """What every side has in common: the cutting of the stream, steps, events and the end."""

    pause: float = 0.0
    """Seconds to leave between two units, for a receiver that drops what comes with the one before."""
    waits_for: str = "the peer's key"

    def __init__(self, role: str, splitter: Splitter, moment: Moment) -> None:
        """``splitter`` cuts what the other side writes."""
        self.role = role
        self.established = False
        self.closed = False
        self._splitter = splitter
        self._trail = Trail()
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._deadline = moment.monotonic + HANDSHAKE_SECONDS
        self._number_sent = self._number_shown = 0

    # What a line drives.

    def receive(self, data: bytes, moment: Moment) -> list[Event]:
        """Take bytes of the other side, in whatever pieces."""
        if not self.closed:
            try:
                self._feed(data, moment)
            except CheckFailed as failure:
                self._finish("failed", failure.check, failure.detail)
            except BadCrypto as failure:
                self._finish("failed", "handshake", str(failure))
        return self._drain()

    def receive_eof(self, _moment: Moment) -> list[Event]:
        """Take note that the stream has ended."""
        if not self.closed:
            self._finish("ended")
        return self._drain()

    def send(self, text: str, moment: Moment) -> list[Event]:
        """Send a text; raises :class:`CannotSend`."""
        if self.closed or not self.established:
            raise CannotSend("No conversation stands, so nothing was sent.")
        plaintext = encoded(text)
        self._trail.note("encode", plaintext, plaintext, protects="nothing yet: this is the text as UTF-8")
        self._write(self._seal(plaintext, moment))
        self._note_sent(text)
        return self._drain()

    def leave(self, moment: Moment) -> list[Event]:
        """End from this side, as the protocol does."""
        if not self.closed:
            self._say_goodbye(moment)
            if not self.closed:
                self._finish("left")
        return self._drain()

    def take_output(self) -> list[bytes]:
        """Return, once, the units that are to be written."""
        units, self._out = self._out, []
        return units

    def next_timeout(self) -> float | None:
        """Return the monotonic second at which :meth:`handle_timeout` is wanted."""
        return None if self.established or self.closed else self._deadline

    def handle_timeout(self, moment: Moment) -> list[Event]:
        """Give up on a handshake that does not come to its end."""
        if not (self.established or self.closed) and moment.monotonic >= self._deadline:
            self._finish("failed", "time", f"{self.waits_for} did not come within {HANDSHAKE_SECONDS:.0f} s")
        return self._drain()

    # What a protocol fills in.

    def _take(self, unit: Unit, moment: Moment) -> None:
        """Take one unit; raises CheckFailed or BadCrypto where the protocol cannot go on."""
        raise NotImplementedError

    def _seal(self, plaintext: bytes, moment: Moment) -> bytes:
        """Return the unit that carries a text."""
        raise NotImplementedError

    def _say_goodbye(self, moment: Moment) -> None:
        """Tell the other side, where the protocol has a word for it."""

    # What it uses.

    def _feed(self, data: bytes, moment: Moment) -> None:
        for unit in self._splitter.feed(data):
            self._take(unit, moment)
            if self.closed:
                return

    def _write(self, unit: bytes) -> None:
        self._out.append(unit)

    def _establish(self, peer_key: str) -> None:
        self.established = True
        self._events.append(Established(peer_key, self._trail.end()))

    def _note_sent(self, text: str) -> None:
        self._number_sent += 1
        self._events.append(Sent(self._number_sent, SafeText.multi(text), self._trail.end()))

    def _show(
        self, plaintext: bytes, sender: str, passed: tuple[str, ...], claimed: float | None = None
    ) -> None:
        text = SafeText.multi(decoded(plaintext))
        self._trail.note("show", plaintext, text.encode(), protects="the terminal: controls become visible")
        self._number_shown += 1
        shown = Shown(self._number_shown, text, SafeText.name(sender), passed, claimed, self._trail.end())
        self._events.append(shown)

    def _reject(self, failure: CheckFailed) -> None:
        self._events.append(Rejected(failure.check, failure.detail, self._trail.end()))

    def _finish(self, how: str, check: str = "", detail: str = "") -> None:
        self.closed = True
        self._trail.end()
        self._events.append(Finished(how, check, detail))

    def _drain(self) -> list[Event]:
        happened, self._events = self._events, []
        return happened


def encoded(text: str) -> bytes:
    """Encode a text that may be sent; raises :class:`CannotSend`."""
    if not text:
        raise CannotSend("An empty message was not sent.")
    try:
        plaintext = text.encode()
    except UnicodeEncodeError:
        raise CannotSend("This is not text, so it was not sent.") from None
    if len(plaintext) > MAX_TEXT:
        raise CannotSend(f"A message may have {MAX_TEXT} bytes at most; this was not sent.")
    return plaintext


def decoded(plaintext: bytes) -> str:
    """Decode UTF-8; raises :class:`CheckFailed`."""
    try:
        return plaintext.decode()
    except UnicodeDecodeError:
        raise CheckFailed("text", "not UTF-8") from None
