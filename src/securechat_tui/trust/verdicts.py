"""What a key that somebody shows means, held against the pins.

The guest knows whom it meant to reach (a contact or an address) and holds the host to that:
:func:`judge_host`. The host cannot know who is calling. Only the tag of a reconnect secret, which nobody
but that contact can have made, tells it whom to expect; a name or an address never does, and never
touches an existing contact: :func:`judge_guest`. A key that a contact once had is its own no more,
wherever it appears; nor is one that was to follow it and whose codes have differed.
"""

from dataclasses import dataclass
from typing import ClassVar

from securechat_tui.protocol.errors import HandshakeFailure
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.trust.pins import Contact, Endpoint, Pins
from securechat_tui.trust.states import Trust

__all__ = [
    "Blocked",
    "Candidate",
    "Different",
    "Downgrade",
    "Known",
    "New",
    "Rotated",
    "Uninvited",
    "Verdict",
    "judge_candidate",
    "judge_guest",
    "judge_host",
    "judge_invited",
    "judge_rotation",
]


@dataclass(frozen=True, slots=True)
class Known:
    """The key is the one pinned for whom it should be."""

    contact: Contact

    @property
    def trust(self) -> Trust:
        """The state of this session: the contact's."""
        return self.contact.trust


@dataclass(frozen=True, slots=True)
class New:
    """Nobody's known key, and nobody else was expected: to be pinned when the handshake completes."""

    trust: ClassVar[Trust] = Trust.NEW


@dataclass(frozen=True, slots=True)
class Different:
    """Another key than the one expected: nothing may be said to it."""

    trust: ClassVar[Trust] = Trust.CHANGED
    expected: tuple[Contact, ...]
    """Who should have been there, last seen first; never empty."""
    offered: PublicIdentity
    known: Contact | None
    """Whose key it is, where it is a contact's."""

    @property
    def is_former(self) -> bool:
        """Whether it is the key that this contact had before."""
        return self.offered.fingerprint in self.expected[0].former

    @property
    def is_refused(self) -> bool:
        """Whether codes have differed with it, although this contact's key had named it."""
        return self.offered.fingerprint in self.expected[0].refused


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another key than a contact's, let in because a person wants to compare codes with its owner."""

    trust: ClassVar[Trust] = Trust.CHANGED
    contact: Contact
    """Whose key it would become."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """A key that the one pinned for a contact has named as its successor: a person decides."""

    trust: ClassVar[Trust] = Trust.NEW
    contact: Contact
    """Whose key it would become."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The key of somebody with whom a person has decided not to speak."""

    trust: ClassVar[Trust] = Trust.BLOCKED
    contact: Contact


@dataclass(frozen=True, slots=True)
class Downgrade:
    """The right key with an older protocol version than the one recorded: refused."""

    contact: Contact
    offered_version: int

    @property
    def trust(self) -> Trust:
        """The state of the key, which is not in question."""
        return self.contact.trust


@dataclass(frozen=True, slots=True)
class Uninvited:
    """Not the key that the invite stands for: nothing may be said to it."""

    trust: ClassVar[Trust] = Trust.CHANGED
    offered: PublicIdentity
    known: Contact | None
    """Whose key it is, where it is a contact's."""


Verdict = Known | New | Different | Candidate | Rotated | Blocked | Downgrade | Uninvited


def judge_host(
    pins: Pins, answered: PublicIdentity, target: Contact | Endpoint | None, version: int
) -> Verdict:
    """Judge at the guest who answered, before anything about oneself is revealed.

    ``target`` is the contact chosen, the address dialled, or None for whoever is there
    (``join --new``). Known keys are known wherever no other was expected.
    """
    match target:
        case Contact():
            expected: tuple[Contact, ...] = (target,)
        case None:
            expected = ()
        case _:
            expected = pins.by_address(target)
    return _judge(pins, answered, expected, version)


def judge_guest(pins: Pins, answered: PublicIdentity, tag_contact: Contact | None, version: int) -> Verdict:
    """Judge at the host who called; ``tag_contact`` is whose reconnect secret the call has shown."""
    return _judge(pins, answered, () if tag_contact is None else (tag_contact,), version)


def judge_invited(pins: Pins, answered: PublicIdentity, promised: Fingerprint, version: int) -> Verdict:
    """Judge who answered where an invite says whose key it must be, whatever address that is at.

    At the guest ``promised`` is the host's key, from the invite; at the host it is the key that a
    used invite has pinned.
    """
    if answered.fingerprint != promised:
        return Uninvited(answered, pins.by_fingerprint(answered.fingerprint))
    return _judge(pins, answered, (), version)


def judge_candidate(verdict: Verdict, wanted: Fingerprint | None, version: int) -> Verdict:
    """Let in for a comparison the one key that a person has asked for in the place of a contact's.

    A key that is known as somebody else's is none, nor is any for a contact that is blocked.
    """
    if not isinstance(verdict, Different) or verdict.offered.fingerprint != wanted:
        return verdict
    contact = verdict.expected[0]
    if verdict.known is not None or contact.trust is Trust.BLOCKED:
        return verdict
    return Downgrade(contact, version) if version < contact.version else Candidate(contact)


def judge_rotation(
    verdict: Verdict, pins: Pins, answered: PublicIdentity, rotations: tuple[Rotation, ...], version: int
) -> Verdict:
    """Take up a statement by which a pinned key names the one that somebody shows.

    It counts only under the pinned key itself, whose holder alone can have made it. A key that has named
    two successors, now or before, is in other hands too: that is as good as none.
    """
    match verdict:
        case Different(known=None) if not verdict.is_former:
            named = verdict.expected
        case New():
            named = pins.contacts
        case _:
            return verdict
    for contact in named:
        heirs = _named_heirs(contact, rotations)
        if answered.fingerprint in heirs:
            return _judge_heir(contact, answered, heirs, version)
    return verdict


def _named_heirs(contact: Contact, rotations: tuple[Rotation, ...]) -> set[Fingerprint]:
    """The successors that a contact's key has signed for, with the one that was shown before."""
    heirs = set()
    for rotation in rotations:
        if rotation.old != contact.fingerprint:
            continue
        try:
            rotation.verify(PublicIdentity.from_spki(contact.spki))
        except HandshakeFailure:
            continue
        heirs.add(Fingerprint(rotation.new))
    return heirs | ({contact.announced} if heirs and contact.announced else set())


def _judge_heir(contact: Contact, answered: PublicIdentity, heirs: set[Fingerprint], version: int) -> Verdict:
    if contact.trust is Trust.BLOCKED:
        return Blocked(contact)
    if len(heirs) > 1 or contact.trust is Trust.CHANGED or answered.fingerprint in contact.refused:
        return Different((contact,), answered, None)
    return Downgrade(contact, version) if version < contact.version else Rotated(contact)


def _judge(pins: Pins, answered: PublicIdentity, expected: tuple[Contact, ...], version: int) -> Verdict:
    known = pins.by_fingerprint(answered.fingerprint)
    if expected and answered.fingerprint not in {one.fingerprint for one in expected}:
        return Different(expected, answered, known)
    if known is None:
        contact = pins.by_former(answered.fingerprint) or pins.by_refused(answered.fingerprint)
        return New() if contact is None else Different((contact,), answered, None)
    if known.trust is Trust.BLOCKED:
        return Blocked(known)
    if version < known.version:
        return Downgrade(known, version)
    return Known(known)
