"""What the faces may know of the engine's state: frozen values, ready to be shown."""

from dataclasses import dataclass
from typing import Self

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
