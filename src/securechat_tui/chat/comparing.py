"""The comparison of codes in one session, between a person, the peer and the contacts.

The run itself is :class:`~securechat_tui.trust.comparison.Comparison`. Here its payloads are sent, its
turns told, and what the person found is kept with the contact: on disk first.
"""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import Final

from securechat_tui.chat import events
from securechat_tui.chat.account import Account
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.succession import Succession
from securechat_tui.network.clock import now
from securechat_tui.protocol.errors import ComparisonFailure
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Payload,
    StopReason,
)
from securechat_tui.storage.errors import ProfileError
from securechat_tui.trust.codes import SafetyNumber, ShortAuthenticationString
from securechat_tui.trust.comparison import Comparison, Stage
from securechat_tui.trust.pins import Pins
from securechat_tui.trust.states import Trust

__all__ = ["DIFFERENT_NUMBER", "SAME_NUMBER", "Comparing", "bare_digits"]

SAME = "codes compared: the same"
SAME_NUMBER = "safety numbers compared: the same"
SIGNED_BY_THE_OLD = "new key, signed by the old one"
DIFFERENT_NUMBER = "safety numbers compared: different"
DIFFERENT = "codes compared: different"
THEIRS_DIFFERENT = "the other side found the codes different"
CUT = "a comparison was cut off"
BROKEN = "the other side's comparison did not add up"

_WISH_PAUSE_SECONDS: Final = 30.0
"""How long a further wish of the peer's goes untold, unless a person here has done something meanwhile."""
_CONTACT_GONE: Final = (
    "You have forgotten this contact meanwhile, so nothing was kept: leave, and join or be called anew."
)
_CONTACT_BLOCKED: Final = "You have blocked this contact meanwhile, so nothing was kept: unblock it first."


@dataclass(slots=True)
class Comparing:
    """The comparisons of one session. A command that raises has changed nothing."""

    account: Account
    stream: EventStream
    conversation: Conversation
    run: Comparison
    succession: Succession | None = None
    """Whose place the key takes where the comparison succeeds; until then it has none of its own."""
    is_answer_due: bool = False
    """Whether the peer's person may have a code that was not said to differ yet: a peer may say so at
    any time, and each time would push something older out of the contact's history."""
    _is_wish_told: bool = False
    """Whether a person here has been told of the wish that stands, or stood last."""
    _next_wish: float = 0.0
    """When the peer's next wish is told again, in monotonic seconds: it may wish and withdraw for ever."""

    # What a person does.

    def ask(self) -> None:
        """Ask for a comparison, or take up the peer's wish for one."""
        self._next_wish = 0.0
        self._go_on(self.run.ask())

    async def match(self, digits: str | None) -> None:
        """The codes are the same: the key is VERIFIED from now on, once that is on disk.

        ``digits`` are those that the other side has read out, where the program is to compare. Raises
        CommandError for others and where there is no code, and the ProfileError family.
        """
        code = self._code()
        if digits is not None and bare_digits(digits) != code.digits:
            raise CommandError(
                "code-differs",
                "These are not the digits shown here. Let them be read out again; if they are still "
                "others, the codes differ: somebody may be in between.",
            )
        await self._decide(Trust.VERIFIED, SAME)
        if self.run.code is code:  # else the peer has asked for another run meanwhile
            self.run.conclude()

    def differ(self) -> None:
        """The codes differ: somebody may be in between. The caller ends the session, then keeps that."""
        self._code()
        self._send(self.run.stop(StopReason.MISMATCH))
        self._distrust(DIFFERENT)

    async def keep_difference(self) -> None:
        """Store that the codes differed, or tell that it could not be stored."""
        await self._note(DIFFERENT, Trust.CHANGED)

    async def show_safety_number(self) -> None:
        """Derive the safety number, in a thread; SafetyNumber follows."""
        own = self.account.own_key.public.fingerprint
        number = await asyncio.to_thread(SafetyNumber.of, own, self.conversation.peer.fingerprint)
        self.stream.emit(
            events.SafetyNumber(
                time=time.time(), conversation=self.conversation.id, words=number.words, digits=number.digits
            )
        )

    async def match_safety_number(self) -> None:
        """The safety numbers are the same: VERIFIED, once that is on disk; raises the ProfileError family."""
        await self._decide(Trust.VERIFIED, SAME_NUMBER)

    def decline(self) -> None:
        """Not now: nothing is decided; raises CommandError where there is nothing to decline."""
        self._next_wish = 0.0
        farewell = self.run.stop(StopReason.DECLINED)
        if not farewell:
            raise CommandError("no-comparison", "No comparison is under way.")
        self._send(farewell)

    async def accept(self) -> None:
        """A key that the contact's key has named takes its place; raises the ProfileError family."""
        await self._decide(Trust.PINNED, SIGNED_BY_THE_OLD)

    async def _decide(self, trust: Trust, how: str) -> None:
        await self._store(trust, how)
        self.succession = None
        self.conversation.distrusted = False
        contact = self.account.pins.by_fingerprint(self.conversation.peer.fingerprint)
        if contact is not None:
            self.conversation.name = contact.name
        self._take(trust, how)

    def _code(self) -> ShortAuthenticationString:
        code = self.run.code
        if code is None:
            raise CommandError(
                "no-comparison", "There is no code to compare yet: both sides must have asked (/verify)."
            )
        return code

    # What the peer and the network do.

    async def receive(self, payload: ComparisonAsk | ComparisonStep | ComparisonStop) -> None:
        """Take a payload of the peer; raises ComparisonFailure where it did not open its commitment.

        The caller ends the session then, and keeps that afterwards.
        """
        was_known = self._is_known_here()
        try:
            self._go_on(self.run.receive(payload))
        except ComparisonFailure:
            self._distrust(BROKEN)
            raise
        differs = isinstance(payload, ComparisonStop) and payload.reason is StopReason.MISMATCH
        if differs and self.is_answer_due:
            self.is_answer_due = False
            await self._note(THEIRS_DIFFERENT)
            self._tell_stopped("mismatch")
        elif was_known and self.run.stage in {Stage.IDLE, Stage.STOPPING}:
            self._tell_stopped("declined")

    async def keep_failure(self) -> None:
        """Store that the peer's commitment did not open, or tell that it could not be stored."""
        await self._note(BROKEN, Trust.CHANGED)

    def _is_known_here(self) -> bool:
        """Whether a person here has asked for the run that stands, or has been told of the wish for it."""
        if self.run.stage is Stage.WANTED:
            return self._is_wish_told
        return self.run.stage not in {Stage.IDLE, Stage.STOPPING}

    async def cut(self) -> None:
        """The session is over: a run that was under way is void, and that is kept."""
        if self.run.under_way:
            await self._note(CUT)
            self._tell_stopped("cut")
        self.run.stop(StopReason.DECLINED)

    # The inside.

    def _go_on(self, answers: list[Payload]) -> None:
        self._send(answers)
        if self.run.stage is Stage.WANTED:
            self._tell_wish()
        elif self.run.code is not None:
            self._tell_code(self.run.code)

    def _tell_wish(self) -> None:
        moment = now().monotonic
        self._is_wish_told = moment >= self._next_wish
        if self._is_wish_told:
            self._next_wish = moment + _WISH_PAUSE_SECONDS
            self.stream.emit(events.VerifyAsked(time=time.time(), conversation=self.conversation.id))

    def _send(self, payloads: list[Payload]) -> None:
        for payload in payloads:
            self.conversation.say(payload)

    def _tell_code(self, code: ShortAuthenticationString) -> None:
        self.is_answer_due = True
        self.stream.emit(
            events.Code(
                time=time.time(),
                conversation=self.conversation.id,
                emoji=tuple(name for _, name in code.pictures),
                signs=tuple(sign for sign, _ in code.pictures),
                digits=code.digits,
            )
        )

    def _tell_stopped(self, reason: str) -> None:
        self.stream.emit(
            events.ComparisonStopped(time=time.time(), conversation=self.conversation.id, reason=reason)
        )

    def _distrust(self, how: str) -> None:
        """Take the key as CHANGED at once, whether or not that can be stored."""
        self.conversation.distrusted = True
        self._take(Trust.CHANGED, how)

    async def _note(self, how: str, trust: Trust | None = None) -> None:
        """Store what has happened, or tell that it could not be stored."""
        try:
            await self._store(trust, how)
        except ProfileError as error:
            self.stream.emit(events.Error(time=time.time(), code="profile", message=str(error)))

    async def _store(self, trust: Trust | None, how: str) -> None:
        await self.account.change_pins(partial(self._decided, trust=trust, how=how))

    def _take(self, trust: Trust, how: str) -> None:
        self.conversation.trust = trust
        self.stream.emit(
            events.TrustChanged(
                time=time.time(),
                conversation=self.conversation.id,
                fingerprint=str(self.conversation.peer.fingerprint),
                trust=trust,
                how=how,
                contact=self.conversation.name,
            )
        )

    def _decided(self, pins: Pins, trust: Trust | None, how: str) -> Pins:
        """Runs alone, right before the contacts are written; raises CommandError for what is void by now."""
        if trust in {Trust.VERIFIED, Trust.PINNED}:
            self._check_contact(pins)
        if self.succession is not None:
            return self.succession.decided(pins, trust, time.time(), how)
        contact = pins.by_fingerprint(self.conversation.peer.fingerprint)
        if contact is None:  # forgotten meanwhile
            return pins
        return pins.with_contact(contact.with_trust(trust or contact.trust, time.time(), how))

    def _check_contact(self, pins: Pins) -> None:
        """A key is found to be a contact's only as long as there is that contact, and it is not blocked."""
        peer = self.conversation.peer.fingerprint
        contact = pins.by_fingerprint(self.succession.former if self.succession is not None else peer)
        if contact is None:
            raise CommandError("unknown-contact", _CONTACT_GONE)
        if contact.trust is Trust.BLOCKED:
            raise CommandError("blocked", _CONTACT_BLOCKED)


def bare_digits(digits: str) -> str:
    """What was typed, without the spaces and hyphens by which digits are grouped."""
    return "".join(digits.split()).replace("-", "")
