"""What the engine tells its faces: one stream of frozen values.

The names of events and fields are those of the JSON face (``docs/json.md``): the class
``Listening`` is the event ``listening``. Times are Unix seconds. Everything a peer can choose is
already a :class:`~securechat_tui.protocol.text.SafeText`.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address

from securechat_tui.chat.kept import Checks, Kept, KeptTick
from securechat_tui.chat.views import ConnectionView
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.states import Trust

__all__ = [
    "Cancelled",
    "Checks",
    "Closed",
    "Code",
    "ComparisonStopped",
    "Connections",
    "ConversationEvent",
    "Delivered",
    "Dialing",
    "Error",
    "Event",
    "Found",
    "Gate",
    "History",
    "Hosting",
    "IdentityNeeded",
    "Invite",
    "Kept",
    "KeptTick",
    "Listening",
    "Message",
    "Notice",
    "PassphraseNeeded",
    "Peer",
    "Queued",
    "Ready",
    "Refused",
    "Rejected",
    "Rekeyed",
    "RoundTrip",
    "SafeText",
    "SafetyNumber",
    "Secure",
    "Sent",
    "Trust",
    "TrustChanged",
    "VerifyAsked",
    "Wiped",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened at ``time``."""

    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityNeeded(Event):
    """The profile has no identity yet: :meth:`Engine.create_identity` makes one."""

    suggested_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassphraseNeeded(Event):
    """The identity is protected by a passphrase: :meth:`Engine.unlock` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Event):
    """The identity is loaded; the engine takes commands."""

    profile: str
    name: str
    fingerprint: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening(Event):
    """A socket listens; one event for each, all with the same port."""

    address: str
    port: int


def _is_loopback(address: str) -> bool:
    """Whether a numeric host with its port is of this machine alone; a name is not known to be."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting(Event):
    """Hosting has stopped or started as a whole; ``reachable`` are addresses a guest could type."""

    active: bool
    reachable: tuple[str, ...] = ()
    invited_only: bool = False
    """Whether strangers are turned away unless they bring an invite."""

    @property
    def from_elsewhere(self) -> tuple[str, ...]:
        """The addresses that are of use on another machine: none of the loopback."""
        return tuple(address for address in self.reachable if not _is_loopback(address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Event):
    """An invite is in force until ``expires``: a secret between this person and one guest."""

    invite: str = field(repr=False)
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialing(Event):
    """An attempt to connect begins; ``attempt`` counts from 1."""

    address: str
    port: int
    attempt: int
    returning: bool = False
    """Whether this is an attempt to come back after a cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationEvent(Event):
    """An event of one conversation, named by its stable id (64 hexadecimal digits)."""

    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer(ConversationEvent):
    """The handshake is complete and the peer has said its name."""

    name: SafeText
    fingerprint: str
    trust: Trust
    address: str
    role: str
    """The peer's role: ``host`` or ``guest``."""
    key_bits: int
    randomart: tuple[str, ...]
    contact: SafeText
    """The name under which the key is pinned here."""
    first_seen: float
    known_elsewhere: str = ""
    """The fingerprint of a different, older contact of the same name; empty where there is none."""
    differed: bool = False
    """Whether it is CHANGED for a comparison that has failed, and not for being another's key."""
    returning: bool = False
    """Whether it has answered a call that this side makes by itself, again and again, until it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secure(ConversationEvent):
    """Both sides are past the trust gate and have exchanged RESUME: messages flow."""

    session: str
    epoch: int
    suite: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(ConversationEvent):
    """The conversation stands still until a person decides."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAsked(ConversationEvent):
    """The peer's person would like to compare codes; a run starts when both have asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(ConversationEvent):
    """The code of one comparison run, the same on both sides: two people now compare."""

    emoji: tuple[str, ...]
    """The names of the seven pictures."""
    signs: tuple[str, ...]
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyNumber(ConversationEvent):
    """What one's own key and the peer's have in common for ever, for a comparison without a session."""

    words: tuple[str, ...]
    """Twelve."""
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonStopped(ConversationEvent):
    """A run came to nothing here. ``reason``: declined, mismatch (the peer's person says so) or cut."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustChanged(ConversationEvent):
    """What is thought of a key has changed; ``how`` is what the contact's history keeps."""

    fingerprint: str
    trust: Trust
    how: str
    contact: SafeText
    """The name under which the key is known here now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rekeyed(ConversationEvent):
    """Fresh keys are in use in both directions."""

    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(ConversationEvent):
    """A message was received, checked and accepted."""

    number: int
    text: SafeText
    author: str
    name: SafeText
    claimed: float
    age: float
    """Seconds from the claimed writing to receipt, the peer's clock offset taken off."""
    late: bool
    checks: Checks
    trust: Trust
    row: int = 0
    """Its place in what is kept of the conversation, counted from 1; 0 where nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(ConversationEvent):
    """One's own message has its number and will be delivered."""

    number: int
    ref: str | None
    text: SafeText
    claimed: float
    signed: bool = True
    """Whether it will be on the record; otherwise the session alone vouches for it."""
    row: int = 0
    """Its place in what is kept of the conversation, counted from 1; 0 where nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History(ConversationEvent):
    """A page of what is kept of a conversation, oldest first."""

    messages: tuple[Kept, ...]
    complete: bool
    """Whether nothing older is kept; of a page that was asked for after a row, whether nothing newer is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(ConversationEvent):
    """What is kept of a conversation and holds ``text``, newest last."""

    messages: tuple[Kept, ...]
    text: SafeText


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiped(ConversationEvent):
    """What was kept of a conversation is destroyed, and its key; it can go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(ConversationEvent):
    """One's own message will not be delivered under this number: a person has decided so."""

    number: int
    ref: str | None
    renumbered: bool = False
    """Whether it is queued again at once, signed, under a new number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(ConversationEvent):
    """One's own message was written to the network."""

    number: int
    ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(ConversationEvent):
    """The peer says it has the message; ``durable`` where it also says that it keeps it on disk."""

    number: int
    ref: str | None
    durable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(ConversationEvent):
    """The session is over. ``reason``: goodbye, lost, rejected or quit; ``by``: me or peer."""

    reason: str
    by: str
    will_retry: bool
    """Whether this side calls until the peer is there again."""
    message: str
    awaited: bool = False
    """Whether the peer is expected back, by whosever call: what is queued stays queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(ConversationEvent):
    """A message failed ``check`` (in_order, signed or intact); the session ends for good."""

    number: int
    check: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Event):
    """No conversation came about.

    ``reason``: key-changed, busy, self, version, handshake, invite, blocked or unsigned;
    ``message`` is the sentence that says what to do. For key-changed the further fields say whom
    the address or the contact stands for and what answered instead.
    """

    reason: str
    message: str
    address: str = ""
    contact: SafeText = field(default_factory=lambda: SafeText(""))
    expected: str = ""
    expected_randomart: tuple[str, ...] = ()
    pinned_since: float = 0.0
    trust: Trust = Trust.NEW
    """How far the expected key was trusted."""
    offered: str = ""
    offered_randomart: tuple[str, ...] = ()
    offered_contact: SafeText = field(default_factory=lambda: SafeText(""))
    """Whose known key answered instead; empty where it is nobody's."""
    target: str = ""
    """What the person had typed to join; empty where a caller was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip(ConversationEvent):
    """A ping came back after ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections(Event):
    """What came and went since the program began, oldest first, for whoever has asked."""

    connections: tuple[ConnectionView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """One dim line worth knowing that asks for nothing (a stranger turned away, for example)."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Error(Event):
    """A command or an attempt failed; ``message`` says what to do."""

    code: str
    message: str
