"""What the faces may know of the engine's state: frozen values, ready to be shown."""

from dataclasses import dataclass, field
from typing import Literal, Self

from securechat_tui.network.addresses import Address
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.pins import Change, Contact
from securechat_tui.trust.randomart import randomart
from securechat_tui.trust.states import Trust


@dataclass(frozen=True, slots=True)
class IdentityView:
    """Who one is in this profile."""

    name: str
    fingerprint: str
    key_bits: int
    randomart: tuple[str, ...]
    folder: str

    @classmethod
    def of(cls, name: str, public: PublicIdentity, folder: str) -> Self:
        """Describe an identity."""
        picture = randomart(public.fingerprint, public.bits)
        return cls(name, str(public.fingerprint), public.bits, picture, folder)


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact as the list shows it; times are Unix seconds."""

    name: SafeText
    fingerprint: str
    trust: Trust
    addresses: tuple[str, ...]
    first_seen: float
    last_seen: float
    key_bits: int
    randomart: tuple[str, ...]
    history: tuple[Change, ...]

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """Describe a contact; the most recent address comes first."""
        return cls(
            contact.name,
            str(contact.fingerprint),
            contact.trust,
            tuple(str(SafeText.line(str(Address(host, port)))) for host, port in reversed(contact.addresses)),
            contact.first_seen,
            contact.last_seen,
            contact.bits,
            randomart(contact.fingerprint, contact.bits),
            contact.history,
        )


@dataclass(frozen=True, slots=True)
class Counters:
    """What has happened in a conversation so far."""

    sent: int = 0
    received: int = 0
    bad: int = 0
    delivered: int = 0

    @property
    def arrived(self) -> int:
        """How many messages have arrived, at either end."""
        return self.received + self.delivered

    def plus(self, *, sent: int = 0, received: int = 0, bad: int = 0, delivered: int = 0) -> "Counters":
        """Return the counts after more has happened."""
        return Counters(
            self.sent + sent, self.received + received, self.bad + bad, self.delivered + delivered
        )


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as a list shows it; times are Unix seconds."""

    id: str
    name: SafeText
    fingerprint: str
    trust: Trust
    live: bool
    """Whether the peer is here."""
    awaited: bool
    """Whether the peer is expected back after a cut, by whosever call."""
    unread: int
    """Messages received that nobody has seen yet."""
    waiting: int
    """One's own messages that are not delivered."""
    last: float
    """When something was last said; 0 where nothing was."""
    draft: str = field(default="", repr=False)
    """What was being typed when the conversation was left."""


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """One connection that came about, or an attempt at one."""

    time: float
    """When it began, in Unix seconds."""
    direction: Literal["in", "out"]
    """``in`` where the other side has called."""
    address: str
    who: SafeText
    """The contact's name, or what is known of the key; empty where nobody was recognised."""
    outcome: str
    """What became of it, in words; empty while it stands."""
    duration: float
    """Seconds from its beginning to its end, or until now."""
