"""Pins: which key belongs to whom, and what was decided about it.

A contact is a pinned key. What follows for whoever shows a key is in :mod:`~securechat_tui.trust.verdicts`.

First contact pins under a provisional name, since names are spoken after the handshake;
:meth:`Pins.christened` gives the contact its name once. That session stays
:attr:`~securechat_tui.trust.states.Trust.NEW`; what is stored is PINNED, for the next one.

Everything here is a frozen value; storing it is the caller's part. Times are Unix seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from typing import Final, Self

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.lookalikes import likenesses
from securechat_tui.protocol.text import ANONYMOUS, MAX_NAME, SafeText, skeleton
from securechat_tui.trust.states import Trust

__all__ = [
    "BY_INVITE",
    "FIRST_CONTACT",
    "MAX_ADDRESSES",
    "MAX_CONTACTS",
    "MAX_FORMER",
    "MAX_HISTORY",
    "MAX_OFFSET_MS",
    "MAX_REFUSED",
    "Change",
    "ClockOffset",
    "Contact",
    "Endpoint",
    "Pins",
    "PinsFull",
    "after_handshake",
    "before_fin",
    "confirm",
]

Endpoint = tuple[str, int]
"""A host (name or numeric, in canonical spelling) and a TCP port."""

MAX_CONTACTS: Final = 1024
"""Contacts in a book; a stranger beyond it is refused."""
MAX_ADDRESSES: Final = 8
"""Addresses kept with a contact, the most recent ones."""
MAX_HISTORY: Final = 16
"""Changes kept with a contact: the first, and the most recent ones."""
FIRST_CONTACT: Final = "first contact"
"""How most keys come to be pinned."""
MAX_FORMER: Final = 16
"""Former keys kept with a contact, the most recent ones."""
MAX_REFUSED: Final = 16
"""Successors kept with a contact whose codes have differed, the most recent ones."""
MAX_OFFSET_MS: Final = 10**15
"""The largest offset of a peer's clock that is kept, in milliseconds either way: a peer may say any time."""
BY_INVITE: Final = "authenticated by invite"
"""How a key comes to be INVITED."""
_STORED_STATES: Final = frozenset(Trust) - {Trust.NEW}


class PinsFull(Exception):
    """The list of contacts is full: forget some that are not needed any more (contacts forget NAME)."""

    def __str__(self) -> str:
        return self.__doc__ or "PinsFull"


@dataclass(frozen=True, slots=True)
class Change:
    """What was thought of a key changed ``when``, and ``how`` that came about."""

    when: float
    before: Trust
    after: Trust
    how: str
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far a peer's clock was behind ours (ahead where negative), in milliseconds, and ``when``.

    It comes from the peer's HELLO, so the time that this took to arrive is in it.
    """

    milliseconds: int
    when: float

    @classmethod
    def measured(cls, milliseconds: int, when: float) -> Self:
        """Take an offset as it was found, cut to what is kept."""
        return cls(max(-MAX_OFFSET_MS, min(milliseconds, MAX_OFFSET_MS)), when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A pinned key; raises :class:`ValueError` where its parts cannot be true."""

    name: SafeText
    """Unique in its book, chosen at first contact; what the peer calls itself later changes nothing."""
    spki: bytes
    """The whole public key, so that a rotation's statement can be checked without its author's help."""
    fingerprint: Fingerprint = field(init=False)
    bits: int
    trust: Trust
    history: tuple[Change, ...]
    first_seen: float
    last_seen: float
    version: int
    """The highest protocol version that a session with this key has completed."""
    addresses: tuple[Endpoint, ...] = ()
    """Where this key has answered, most recent last; never where a call came from."""
    named: bool = False
    """Whether ``name`` is more than provisional."""
    announced: Fingerprint | None = None
    """The successor that this key has signed a statement for, as far as one was shown here."""
    former: tuple[Fingerprint, ...] = ()
    """Keys that this one has taken the place of, the most recent last: none of them may come back."""
    refused: tuple[Fingerprint, ...] = ()
    """Keys with which codes have differed although this one has named them, the most recent last."""
    clock: ClockOffset | None = None
    """How its owner's clock stood in the last session."""
    heritage: tuple[Fingerprint, ...] = ()
    """Those of them that have named their successor by a statement."""
    newest: bytes | None = field(default=None, repr=False)
    """The reconnect secret (32 bytes) of the last session."""
    confirmed: bytes | None = field(default=None, repr=False)
    """The last reconnect secret (32 bytes) known to be stored at both ends."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", Fingerprint(primitives.sha256(self.spki)))
        if self.trust not in _STORED_STATES:
            raise ValueError(f"{self.trust} is a state of a session, not of a contact")
        if self.bits not in c.RSA_BITS:
            raise ValueError(f"no key has {self.bits} bits")
        if any(
            secret is not None and len(secret) != c.KEY_LENGTH for secret in (self.newest, self.confirmed)
        ):
            raise ValueError(f"a reconnect secret has {c.KEY_LENGTH} bytes")

    @classmethod
    def met(
        cls,
        peer: PublicIdentity,
        now: float,
        version: int,
        trust: Trust = Trust.PINNED,
        how: str = FIRST_CONTACT,
    ) -> Self:
        """Pin a key at first contact, under a provisional name."""
        return cls(
            name=SafeText.name(f"unnamed {peer.fingerprint.short}"),
            spki=peer.spki,
            bits=peer.bits,
            trust=trust,
            history=(Change(now, Trust.NEW, trust, how, peer.fingerprint),),
            first_seen=now,
            last_seen=now,
            version=version,
        )

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The reconnect secrets that a call may show, newest first."""
        return tuple(dict.fromkeys(s for s in (self.newest, self.confirmed) if s is not None))

    def seen(self, now: float, version: int, dialled: Endpoint | None = None) -> Self:
        """Record a completed handshake; ``dialled`` is the address this key answered at, if any."""
        addresses = self.addresses
        if dialled is not None:
            addresses = (*(a for a in addresses if a != dialled), dialled)[-MAX_ADDRESSES:]
        return replace(self, last_seen=now, version=max(self.version, version), addresses=addresses)

    def with_trust(self, trust: Trust, now: float, how: str) -> Self:
        """Record a decision about this key."""
        change = Change(now, self.trust, trust, how, self.fingerprint)
        return replace(self, trust=trust, history=self._history_with(change))

    def _history_with(self, change: Change) -> tuple[Change, ...]:
        history = (*self.history, change)
        if len(history) > MAX_HISTORY:
            history = (history[0], *history[-MAX_HISTORY + 1 :])
        return history

    def refusing(self, heir: Fingerprint, now: float, how: str) -> Self:
        """Record that a key which this one has named is not its owner's; this one stays what it was.

        It is forgotten with the contact, and where codes are found the same after all.
        """
        others = tuple(one for one in self.refused if one != heir)
        change = Change(now, Trust.NEW, Trust.CHANGED, how, heir)
        return replace(self, refused=(*others, heir)[-MAX_REFUSED:], history=self._history_with(change))

    def blocked(self, now: float) -> Self:
        """A person wants no more of this key; nothing changes where that is so already."""
        return self if self.trust is Trust.BLOCKED else self.with_trust(Trust.BLOCKED, now, "blocked")

    def unblocked(self, now: float) -> Self:
        """Take that back: the key is worth what it was; nothing changes where it is not blocked."""
        if self.trust is not Trust.BLOCKED:
            return self
        # What was only noted since then, such as a comparison that was cut off, has changed nothing.
        befores = (one.before for one in reversed(self.history) if one.after is Trust.BLOCKED)
        before = next((trust for trust in befores if trust is not Trust.BLOCKED), Trust.PINNED)
        return self.with_trust(before, now, "unblocked")

    @property
    def inherited(self) -> tuple[Fingerprint, ...]:
        """The former keys each of which has named the next, up to this one; the most recent last."""
        recent = tuple(takewhile(self.heritage.__contains__, reversed(self.former)))
        return recent[::-1]

    def succeeded_by(
        self, heir: PublicIdentity, trust: Trust, now: float, how: str, *, is_named: bool
    ) -> Self:
        """Put another key in the place of this one, which has named it or not; name and history stay.

        The reconnect secrets go: they were shared with whoever has the former key.
        """
        earlier = tuple(one for one in self.former if one != heir.fingerprint)
        former = (*earlier, self.fingerprint)[-MAX_FORMER:]
        named = (*self.heritage, self.fingerprint) if is_named else self.heritage
        return replace(
            self,
            spki=heir.spki,
            bits=heir.bits,
            announced=None,
            refused=tuple(one for one in self.refused if one != heir.fingerprint),
            former=former,
            heritage=tuple(one for one in named if one in former),
            newest=None,
            confirmed=None,
        ).with_trust(trust, now, how)

    def vouched(self, now: float) -> Self:
        """Record that an invite stands for this key: what was only pinned is more, nothing is less."""
        return self.with_trust(Trust.INVITED, now, BY_INVITE) if self.trust is Trust.PINNED else self


def before_fin(contact: Contact, new_secret: bytes) -> Contact:
    """At the guest, before FIN_G is sent: keep a session's reconnect secret, unless another would go for it.

    The host may never see FIN_G. Then one of the secrets that are here already is all that it knows, and the
    guest cannot tell which one, least of all where it was the host before. Where there are two, the new one
    waits for :func:`confirm`: until then the host keeps the one that this call has shown.
    """
    if len(contact.secrets) > 1:
        return contact
    return replace(contact, newest=new_secret, confirmed=next(iter(contact.secrets), None))


def after_handshake(contact: Contact, new_secret: bytes, used: bytes | None = None) -> Contact:
    """At the host, before FIN_G is accepted: take over a session's reconnect secret.

    ``used`` is the secret whose tag the call showed; the other one goes, since this one is known at both
    ends. Without a tag the confirmed one stays.
    Raises :class:`ValueError` where ``used`` is none of this contact's.
    """
    if used is None:
        return replace(contact, newest=new_secret)
    if used not in contact.secrets:
        raise ValueError("the secret used belongs to nobody here")
    return replace(contact, newest=new_secret, confirmed=used)


def confirm(contact: Contact, secret: bytes, before: bytes | None) -> Contact:
    """At the guest, with the host's first record: the host has stored this session's secret too.

    ``before`` is the newest secret that :func:`before_fin` has left. Where it is the newest no more, the two
    have called each other at once and another session has come between: the host may know its secret or not.
    """
    newest = secret if contact.newest == before else contact.newest
    return replace(contact, newest=newest, confirmed=secret)


@dataclass(frozen=True, slots=True)
class Pins:
    """All contacts; raises :class:`ValueError` where two share a key or a name."""

    contacts: tuple[Contact, ...] = ()

    def __post_init__(self) -> None:
        if len({contact.fingerprint for contact in self.contacts}) < len(self.contacts):
            raise ValueError("two contacts have the same key")
        if len({skeleton(contact.name) for contact in self.contacts}) < len(self.contacts):
            raise ValueError("two contacts have the same name")

    def by_name(self, name: str) -> Contact | None:
        """Find a contact by its name; case and white space make no difference."""
        wanted = skeleton(name)
        return next((one for one in self.contacts if skeleton(one.name) == wanted), None)

    def by_fingerprint(self, fingerprint: Fingerprint) -> Contact | None:
        """Find the contact whose key this is."""
        return next((one for one in self.contacts if one.fingerprint == fingerprint), None)

    def by_former(self, fingerprint: Fingerprint) -> Contact | None:
        """Find the contact that had this key before another took its place."""
        return next((one for one in self.contacts if fingerprint in one.former), None)

    def by_address(self, endpoint: Endpoint) -> tuple[Contact, ...]:
        """Find who has answered at an address, last seen first: tunnels make many share one."""
        there = (one for one in self.contacts if endpoint in one.addresses)
        return tuple(sorted(there, key=lambda one: one.last_seen, reverse=True))

    def by_refused(self, fingerprint: Fingerprint) -> Contact | None:
        """Find the contact whose successor this key was said to be, where codes have differed."""
        return next((one for one in self.contacts if fingerprint in one.refused), None)

    def namesake(self, name: str, fingerprint: Fingerprint) -> Contact | None:
        """Find the contact with this name, or one that looks like it, and another key than ``fingerprint``.

        Nobody is the namesake of those who give no name, nor of who bears the name by right here.
        """
        found = None if name == ANONYMOUS else self.by_name(name)
        if found is None and name != ANONYMOUS:
            wanted = likenesses(name)
            found = next((one for one in self.contacts if wanted & likenesses(one.name)), None)
        return None if found is None or found.fingerprint == fingerprint else found

    def secrets(self) -> Iterator[tuple[Contact, bytes]]:
        """Every reconnect secret that the tag of a call may stand for."""
        return ((contact, secret) for contact in self.contacts for secret in contact.secrets)

    def with_contact(self, contact: Contact) -> "Pins":
        """Put a contact in the place of the one with its key, or add it; raises :class:`PinsFull`.

        It gets a mark where its name, even a provisional one, is another's already or looks like it:
        "alice (2)".
        """
        others = [one.name for one in self.contacts if one.fingerprint != contact.fingerprint]
        taken = {likeness for name in others for likeness in likenesses(name)}
        contact = replace(contact, name=_unique(contact.name, taken))
        if len(others) < len(self.contacts):
            same = contact.fingerprint
            return Pins(tuple(contact if one.fingerprint == same else one for one in self.contacts))
        self.check_room()
        return Pins((*self.contacts, contact))

    def check_room(self) -> None:
        """Raise :class:`PinsFull` where no contact can be added."""
        if len(self.contacts) >= MAX_CONTACTS:
            raise PinsFull

    def without(self, fingerprint: Fingerprint) -> "Pins":
        """Forget a contact, and with it everything decided about its key."""
        return Pins(tuple(one for one in self.contacts if one.fingerprint != fingerprint))

    def succeeded(self, former: Fingerprint, heir: Contact) -> "Pins":
        """Put ``heir`` in the place of the contact whose key is ``former``, and must be here.

        An entry of its own that the new key had goes.
        """
        others = self.without(heir.fingerprint).contacts
        return Pins(tuple(heir if one.fingerprint == former else one for one in others))

    def christened(self, fingerprint: Fingerprint, name: str) -> "Pins":
        """Give a provisional contact the name its owner says; a contact that has one keeps it."""
        contact = self.by_fingerprint(fingerprint)
        if contact is None or contact.named:
            return self
        return self.with_contact(replace(contact, name=SafeText.name(name), named=True))


def _unique(name: str, taken: set[str]) -> SafeText:
    marks = (f" ({number})" for number in count(2))
    candidate = base = SafeText.name(name)
    while likenesses(candidate) & taken:
        mark = next(marks)
        candidate = SafeText.name(base[: MAX_NAME - len(mark)] + mark)
    return candidate
