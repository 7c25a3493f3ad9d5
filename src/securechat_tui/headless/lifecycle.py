"""How a run without a screen stands: when it is over, and with which exit code.

A ``join`` or a ``talk`` is over with its conversation, or once it is clear that none comes about. A ``host``
goes on until it is told to end; if its input has ended, until its last guest has left.
"""

from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    Delivered,
    Dialing,
    Error,
    Event,
    Hosting,
    Peer,
    Refused,
    Secure,
    Trust,
    TrustChanged,
)
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.openings import HostAt, JoinTarget, Opening, TalkTo

__all__ = ["BAD_ENDS", "Lifecycle", "code_of_error"]

BAD_ENDS = frozenset({"lost", "rejected"})
"""The reasons of a ``closed`` that nobody asked for."""

_DISTRUSTED = frozenset({"key-changed", "invite", "blocked"})
_ENDS_OF_ATTEMPTS = {
    "cannot-connect": ExitCode.UNREACHABLE,
    "given-up": ExitCode.UNREACHABLE,
    "profile": ExitCode.PROFILE,
    "internal": ExitCode.FAILED,
}
_UNREACHABLE = frozenset({"cannot-listen", "cannot-connect", "unknown-contact"})


def code_of_error(code: str) -> ExitCode:
    """The exit code of a run that a command error with this ``code`` ends."""
    if code == "bad-invite":
        return ExitCode.DISTRUSTED
    if code.startswith("bad-"):
        return ExitCode.USAGE
    if code in {"passphrase", "profile"}:
        return ExitCode.PROFILE
    return ExitCode.UNREACHABLE if code in _UNREACHABLE else ExitCode.FAILED


class Lifecycle:
    """Follows the events of one run. It decides nothing about them but whether the run goes on."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self._joins = isinstance(opening, JoinTarget | TalkTo)
        self._hosts = isinstance(opening, HostAt)
        self._hosting = False
        self._dialing = False
        self._live: set[str] = set()
        self._secure: set[str] = set()
        self._ever_secure = False
        self._ever_met = False
        self._attempt_ended = False
        self._cut = False
        self._addressee: str | None = None
        self._pending = 0
        self._failures: set[ExitCode] = set()
        self._differed = False
        """Whether codes differed: what comes later does not make that good."""

    @property
    def is_over(self) -> bool:
        """Nothing more can happen unless another command is given."""
        return self._joins and self._attempt_ended and not self._hosting and not self._live

    @property
    def is_for_one(self) -> bool:
        """It began with somebody to reach, and not with waiting for whoever comes."""
        return self._joins

    @property
    def is_deserted(self) -> bool:
        """A guest was there, and the last one has left."""
        return self._ever_met and not self._live

    @property
    def is_settled(self) -> bool:
        """Messages flow, or it is clear that they will not."""
        return self.is_secure or self.is_over or not (self._dialing or self._live)

    @property
    def can_deliver(self) -> bool:
        """What is queued has somewhere to go, now or soon."""
        return self._dialing or bool(self._live)

    def observe(self, event: Event) -> None:
        """Take note of ``event``."""
        match event:
            case Hosting():
                self._hosting = event.active
            case Dialing():
                self.expect_peer()
            case Peer():
                self._meet(event)
            case Secure():
                self._become_secure(event)
            case Closed():
                self._close(event)
            case Refused():
                self._refuse(event)
            case Error():
                self._fail(event)
            case _:
                self._count(event)

    def _count(self, event: Event) -> None:
        """Take note of what changes no state: the end of a message's way, or a comparison that has failed."""
        self._pending -= isinstance(event, Delivered)
        self._pending -= isinstance(event, Cancelled) and not event.renumbered
        self._pending = max(self._pending, 0)  # what an earlier run has left is delivered too
        self._differed |= isinstance(event, TrustChanged) and event.trust is Trust.CHANGED

    @property
    def is_secure(self) -> bool:
        """Messages flow."""
        return bool(self._live & self._secure)

    @property
    def pending(self) -> int:
        """One's own messages that are not known to be delivered."""
        return self._pending

    @property
    def addressee(self) -> str | None:
        """Whom lines are for: who came first, or was chosen, until that conversation is over."""
        return self._addressee

    @property
    def is_unaddressed(self) -> bool:
        """Somebody is here, and nobody has said that lines are for them."""
        return self._addressee is None and bool(self._live)

    def address(self, conversation: str) -> None:
        """Lines are for this conversation from here on."""
        self._addressee = conversation

    @property
    def is_cut(self) -> bool:
        """A session was cut off and has not come back."""
        return self._cut

    def take_message(self) -> None:
        """The engine has accepted a message."""
        self._pending += 1

    def expect_peer(self) -> None:
        """An attempt to join has begun."""
        self._dialing = True
        self._attempt_ended = False

    def fail(self, code: ExitCode) -> None:
        """Something failed in a way that the exit code must tell."""
        self._failures.add(code)

    def end_input(self) -> None:
        """The time after the end of the input is up: a join that never became secure has failed."""
        if self._joins and not self._ever_secure:
            self.fail(ExitCode.UNREACHABLE)
        if self._joins and self._cut:
            self.fail(ExitCode.FAILED)

    def exit_code(self, *, undelivered: int, interrupted: bool) -> ExitCode:
        """The exit code. ``undelivered`` counts one's own messages that the peer does not have."""
        if interrupted:
            return ExitCode.INTERRUPTED
        found = self._failures | ({ExitCode.UNDELIVERED} if undelivered else set())
        found |= {ExitCode.DISTRUSTED} if self._differed else set()
        order = (
            ExitCode.DISTRUSTED,
            ExitCode.UNREACHABLE,
            ExitCode.UNDELIVERED,
            ExitCode.USAGE,
            ExitCode.PROFILE,
            ExitCode.FAILED,
        )
        return next((code for code in order if code in found), ExitCode.DONE)

    def _meet(self, event: Peer) -> None:
        if not self._live and self._addressee is None:
            self._addressee = event.conversation
        self._live.add(event.conversation)
        self._ever_met = True

    def _become_secure(self, event: Secure) -> None:
        self._secure.add(event.conversation)
        self._ever_secure = True
        self._cut = False
        self._dialing = False
        self._failures -= {ExitCode.UNREACHABLE, ExitCode.DISTRUSTED}

    def _close(self, event: Closed) -> None:
        was_secure = event.conversation in self._secure
        self._secure.discard(event.conversation)
        returns = event.will_retry or (event.awaited and self._joins)
        self._cut = returns
        if not event.awaited and self._addressee == event.conversation:
            self._addressee = None
        if returns:
            return
        self._live.discard(event.conversation)
        self._dialing = False
        self._attempt_ended = True
        if self._hosts or (event.by == "me" and event.reason in {"goodbye", "quit"}):
            return
        if not was_secure and not self._ever_secure:
            self.fail(ExitCode.UNREACHABLE)
        elif event.reason in BAD_ENDS:
            self.fail(ExitCode.FAILED)

    def _refuse(self, event: Refused) -> None:
        distrusted = event.reason in _DISTRUSTED
        if self._hosts:
            if distrusted and not self._ever_secure:
                self.fail(ExitCode.DISTRUSTED)
            return
        self._dialing = False
        self._attempt_ended = True
        self.fail(ExitCode.DISTRUSTED if distrusted else ExitCode.UNREACHABLE)

    def _fail(self, event: Error) -> None:
        code = _ENDS_OF_ATTEMPTS.get(event.code)
        if code is None or self._hosts:
            return
        self._live.clear()
        self._dialing = False
        self._attempt_ended = True
        self.fail(code)
