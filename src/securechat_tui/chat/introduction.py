"""How two get to know each other in one handshake: what is decided about the other side, and kept.

No connection is touched here. The encounter asks at three points: when a call comes in, when the key
is known, when the handshake is proved; the pins and the invites say what follows.
"""

import time
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from typing import Final

from securechat_tui.chat import events, gates, refusals
from securechat_tui.chat.callers import NOTHING, Shown
from securechat_tui.chat.comparing import Comparing
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.house import Dialled, House
from securechat_tui.chat.invitations import LiveInvite
from securechat_tui.chat.succession import Succession
from securechat_tui.network.clock import now
from securechat_tui.protocol.events import Authenticated, Called
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.records import Direction
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.comparison import Comparison
from securechat_tui.trust.pins import (
    BY_INVITE,
    FIRST_CONTACT,
    ClockOffset,
    Contact,
    Endpoint,
    Pins,
    after_handshake,
    before_fin,
    confirm,
)
from securechat_tui.trust.randomart import randomart
from securechat_tui.trust.states import Trust
from securechat_tui.trust.verdicts import (
    Blocked,
    Candidate,
    Different,
    Downgrade,
    New,
    Rotated,
    Uninvited,
    Verdict,
    judge_candidate,
    judge_guest,
    judge_host,
    judge_invited,
    judge_rotation,
)

__all__ = ["Answer", "Introduction", "NotAdmitted"]


class Answer(Enum):
    """What becomes of a call."""

    ADMIT = auto()
    BUSY = auto()
    CLOSE = auto()


class NotAdmitted(Exception):
    """The key is refused by now: since it was shown, something else was decided about it."""

    def __init__(self, refusal: events.Event) -> None:
        super().__init__()
        self.refusal = refusal


_TURNED_AWAY: Final = "A caller from {address} without an invite was turned away."
_REPEATED: Final = "A copy of an earlier call came from {address} and was turned away."
_BUSY: Final = "A caller from {address} was told that you are busy."


@dataclass(slots=True, eq=False)
class Introduction:
    """The decisions of one handshake; ``dialled`` is None at the host."""

    house: House
    dialled: Dialled | None
    address: str
    _shown: Shown = NOTHING
    _offered: tuple[PublicIdentity, int, tuple[Rotation, ...]] | None = None
    """The key that was shown, the version, and what other keys say about it."""
    _verdict: Verdict | None = None
    _secret: bytes = field(default=b"", repr=False)
    """The session's reconnect secret, once its contact is stored."""
    _left: bytes | None = field(default=None, repr=False)
    """The contact's newest secret as it was stored before FIN_G."""
    _burnt: LiveInvite | None = None
    """The invite that this handshake has burnt, which it is not after all where that cannot be stored."""

    # The host, before it answers.

    def called(self, call: Called) -> Answer:
        """Look whose secret the call shows; where every place is taken, only who may have one comes in."""
        callers = self.house.callers
        self._shown = callers.recognise(self.house.account.pins, call, now())
        if self._shown.is_any and callers.is_repeated(call):
            return self._close(_REPEATED)
        if callers.invited_only and not self._shown.is_any:
            return self._close(_TURNED_AWAY)
        if self.is_late_for(self._shown.fingerprint):
            self.house.notice(_BUSY, address=self.address)
            return Answer.BUSY
        return Answer.ADMIT

    def _close(self, why: str) -> Answer:
        self.house.notice(why, address=self.address)
        return Answer.CLOSE

    def is_late_for(self, fingerprint: Fingerprint | None) -> bool:
        """Whether there is no place any more."""
        return self.house.is_busy_for(fingerprint, known=self._shown.is_any)

    # Both, before anything else is said.

    def identified(
        self, peer: PublicIdentity, version: int, rotations: tuple[Rotation, ...]
    ) -> events.Event | None:
        """Hold the key against pins and invites; return the refusal, if it is to be one."""
        self._offered = peer, version, rotations
        return self._held_against(self.house.account.pins)

    def _held_against(self, pins: Pins) -> events.Event | None:
        if self._offered is None:
            return None
        peer, version, rotations = self._offered
        verdict = judge_candidate(self._judge(pins, peer, version), self._wanted(peer.fingerprint), version)
        self._verdict = judge_rotation(verdict, pins, peer, rotations, version)
        return self._refusal(self._verdict)

    def is_worth_telling(self) -> bool:
        """Whether a refusal is to be told: callers can call again and again."""
        if self.dialled is not None or self._verdict is None:
            return True
        return self.house.callers.alarms.due(self._verdict, now().monotonic)

    def _wanted(self, fingerprint: Fingerprint) -> Fingerprint | None:
        """The key that a person wants to compare codes with."""
        if self.dialled is not None:
            return self.dialled.verifying
        return fingerprint if self.house.callers.is_wanted(fingerprint, now()) else None

    def succession(self, proof: Authenticated) -> Succession | None:
        """What follows if codes are found the same; None where the key is pinned already."""
        if not isinstance(self._verdict, Candidate | Rotated):
            return None
        return Succession(
            self._verdict.contact.fingerprint,
            proof.identity,
            proof.version,
            proof.reconnect_secret,
            self.dialled.endpoint if self.dialled else None,
            isinstance(self._verdict, Rotated),
        )

    def comparing(self, conversation: Conversation, proof: Authenticated) -> Comparing:
        """Make ready for comparisons of codes in the session that is proved."""
        account = self.house.account
        own, peer = account.own_key.public.fingerprint, proof.identity.fingerprint
        role, guest, host = (
            (Direction.GUEST, own, peer) if self.dialled is not None else (Direction.HOST, peer, own)
        )
        run = Comparison(role, proof.session_id, guest, host)
        return Comparing(account, self.house.stream, conversation, run, self.succession(proof))

    @property
    def gate(self) -> str:
        """Why a person must decide before anything passes; empty where that is not so."""
        return gates.gate_for(self._verdict, self._verdict.trust if self._verdict else Trust.NEW)

    @property
    def succeeds(self) -> Contact | None:
        """The contact in whose place the key would come."""
        return self._verdict.contact if isinstance(self._verdict, Candidate | Rotated) else None

    def _judge(self, pins: Pins, peer: PublicIdentity, version: int) -> Verdict:
        if self.dialled is not None:
            if self.dialled.invite is not None:
                return judge_invited(pins, peer, self.dialled.invite.fingerprint, version)
            return judge_host(pins, peer, self._target(pins), version)
        verdict = judge_guest(pins, peer, self._shown.contact, version)
        used_by = self._shown.invite.guest if self._shown.invite else None
        if used_by is None or isinstance(verdict, Different):
            return verdict
        return judge_invited(pins, peer, used_by, version)

    def _target(self, pins: Pins) -> Contact | Endpoint | None:
        """Whom the guest wants, as it stands in the contacts now."""
        target = self.dialled.target if self.dialled else None
        return (pins.by_fingerprint(target.fingerprint) or target) if isinstance(target, Contact) else target

    def _refusal(self, verdict: Verdict) -> events.Event | None:
        match verdict:
            case Different():
                typed = self.dialled.typed if self.dialled else ""
                return refusals.refused_changed(verdict, self.address, dialled=typed)
            case Uninvited():
                is_host = self.dialled is not None
                return (
                    refusals.refused_inviter(verdict, self.address) if is_host else refusals.invite_reused()
                )
            case Blocked():
                return refusals.refused_blocked(verdict, self.address)
            case Downgrade():
                return refusals.refused_version(verdict, self.address)
            case New() if self._is_one_too_many():
                return refusals.too_many_strangers()
            case _:
                return None

    def _is_one_too_many(self) -> bool:
        if self.dialled is not None or self._shown.invite is not None:
            return False
        return not self.house.callers.strangers.has_room(now().monotonic)

    # Both, when the handshake is proved: before FIN_G is sent, or accepted.

    def check(self, proof: Authenticated, pins: Pins) -> None:
        """Raise PinsFull, InviteSpent or NotAdmitted where these pins do not let the key in."""
        refusal = self._held_against(pins)
        if refusal is not None:
            raise NotAdmitted(refusal)
        if isinstance(self._verdict, New):
            pins.check_room()
        if self._shown.invite is not None:
            self._shown.invite.check(proof.identity.fingerprint, now())

    async def pin(self, proof: Authenticated) -> Trust:
        """Store the key and the reconnect secret, and burn the invite, as one change; return the trust.

        A key that is let in for a comparison alone is not stored.
        Raises the ProfileError family, PinsFull, InviteSpent or NotAdmitted; nothing is changed then.
        """
        await self.house.account.change_pins(partial(self._changed, proof), self._unburn)
        return self._trust(proof.identity.fingerprint)

    def _changed(self, proof: Authenticated, pins: Pins) -> Pins:
        """Runs alone, right before the contacts are written: two who hold one invite cannot both pass.

        What was thought of the key when it was shown may be seconds old: a person may have found codes
        different since then, blocked the contact, or given its place to another key.
        """
        self.check(proof, pins)
        if isinstance(self._verdict, Candidate | Rotated):
            self.house.callers.met(proof.identity.fingerprint)
            changed = self._noted(self._verdict, proof, pins)
        else:
            changed = self._pinned(pins, proof)
        invite = self._shown.invite
        if invite is not None:
            was_unused = invite.guest is None
            invite.claim(proof.identity.fingerprint, now())
            self._burnt = invite if was_unused else None
        return changed

    def _unburn(self) -> None:
        if self._burnt is not None:
            self._burnt.guest = None

    def _noted(self, verdict: Candidate | Rotated, proof: Authenticated, pins: Pins) -> Pins:
        """Note with the contact what a key has shown that is not its own, or not yet.

        That is the successor its key has named, and at the host the secret that this caller shows from now
        on: it is no stranger.
        """
        contact = pins.by_fingerprint(verdict.contact.fingerprint)
        if contact is None:
            return pins
        if isinstance(verdict, Rotated):
            contact = replace(contact, announced=proof.identity.fingerprint)
        if self._used(contact) is not None:
            contact = after_handshake(contact, proof.reconnect_secret, self._used(contact))
        return pins.with_contact(contact)

    def _pinned(self, pins: Pins, proof: Authenticated) -> Pins:
        moment = time.time()
        contact = pins.by_fingerprint(proof.identity.fingerprint)
        if contact is None:
            contact = self._met(proof, moment)
        elif self._is_vouched_for:
            contact = contact.vouched(moment)
        self._secret = proof.reconnect_secret
        if self.dialled is None:
            contact = after_handshake(contact, self._secret, self._used(contact))
        else:
            contact = before_fin(contact, self._secret)
        self._left = contact.newest
        endpoint = self.dialled.endpoint if self.dialled else None
        return pins.with_contact(contact.seen(moment, proof.version, endpoint))

    def _met(self, proof: Authenticated, moment: float) -> Contact:
        if self._is_vouched_for:
            return Contact.met(proof.identity, moment, proof.version, Trust.INVITED, BY_INVITE)
        self.house.callers.strangers.count(now().monotonic)
        return Contact.met(proof.identity, moment, proof.version, Trust.PINNED, FIRST_CONTACT)

    @property
    def _is_vouched_for(self) -> bool:
        """Whether an invite stands for the key: by its fingerprint at the guest, by its tag at the host."""
        invite = self.dialled.invite if self.dialled else self._shown.invite
        return invite is not None

    def _used(self, contact: Contact) -> bytes | None:
        """The secret that the call has shown, unless a later handshake has replaced it meanwhile."""
        return self._shown.secret if self._shown.secret in contact.secrets else None

    def _trust(self, fingerprint: Fingerprint) -> Trust:
        contact = self.house.account.pins.by_fingerprint(fingerprint)
        if contact is not None and self._is_vouched_for:
            return contact.trust
        return self._verdict.trust if self._verdict else Trust.NEW

    # Both, with the peer's HELLO.

    async def christen(self, fingerprint: Fingerprint, name: str, offset_ms: int) -> None:
        """Name a new contact, and note how its clock stands, ``offset_ms`` behind ours.

        At the guest, the host's first record also confirms the session's secret.
        """
        clock = ClockOffset.measured(offset_ms, time.time())

        def change(pins: Pins) -> Pins:
            contact = pins.by_fingerprint(fingerprint)
            if contact is None:
                return pins
            contact = replace(contact, clock=clock)
            if self.dialled is not None and self._secret:
                contact = confirm(contact, self._secret, self._left)
            return pins.with_contact(contact).christened(fingerprint, name)

        await self.house.account.change_pins(change)

    def presented(self, conversation: Conversation, name: SafeText, namesake: Contact | None) -> events.Peer:
        """Tell who is here, and says to be called ``name``."""
        peer, moment = conversation.peer, time.time()
        contact = self.house.account.pins.by_fingerprint(peer.fingerprint)
        return events.Peer(
            time=moment,
            conversation=conversation.id,
            name=name,
            fingerprint=str(peer.fingerprint),
            trust=conversation.trust,
            address=self.address,
            role="host" if self.dialled else "guest",
            key_bits=peer.bits,
            randomart=randomart(peer.fingerprint, peer.bits),
            contact=conversation.name,
            first_seen=contact.first_seen if contact else moment,
            known_elsewhere=str(namesake.fingerprint) if namesake else "",
            differed=conversation.gate == gates.COMPARISON,
            returning=self.dialled is not None and self.dialled.returning,
        )
