"""Why no conversation came about, in sentences that say what to do."""

import time
from typing import Final

from securechat_tui.chat.events import Notice, Refused, Rejected
from securechat_tui.protocol.errors import OutOfOrder, RemoteError, SignatureFailure
from securechat_tui.protocol.events import End
from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.randomart import randomart
from securechat_tui.trust.states import Trust
from securechat_tui.trust.verdicts import Blocked, Different, Downgrade, Uninvited

LATE_INVITE: Final = "A caller from {address} came too late with an invite."
LATE_CALL: Final = "A caller from {address} came too late and was turned away."
FAILED_CALL: Final = "A call from {address} came to nothing: {detail}."
NO_VERSION: Final = "What answers at {address} claims to speak no version that is known here. Trying again."
_ENDS = {
    End.BUSY: ("busy", "The host at {address} is in another conversation: try again later."),
    End.VERSION: (
        "version",
        "The host at {address} speaks another version of the protocol: update the older of the two programs.",
    ),
    End.SELF: ("self", "{address} answered with your own key: you have reached yourself; check the address."),
}
_HANDSHAKE_SENTENCE = (
    "No secure session with {address}: what answers there is not securechat-tui, does not want this "
    "conversation, or somebody in between interferes. Check address and port, and ask the host."
)
_INVITE_SENTENCE = "Wrong or used invite, or somebody in between: ask for a new one."


def refused_end(how: End, address: str, *, invited: bool) -> Refused:
    """Describe a guest's session that ended before the peer had said its name.

    Whatever becomes of a call with an invite has one sentence: who is in between must not be able to
    make it look like this or that.
    """
    otherwise = ("invite", _INVITE_SENTENCE) if invited else ("handshake", _HANDSHAKE_SENTENCE)
    reason, sentence = _ENDS.get(how, otherwise)
    return Refused(time=time.time(), reason=reason, message=sentence.format(address=address), address=address)


def refused_version(verdict: Downgrade, address: str) -> Refused:
    """Describe a contact that came back with an older protocol version than it had."""
    return Refused(
        time=time.time(),
        reason="version",
        message=f"{verdict.contact.name} used a newer version of the protocol before: refused, because an "
        "older one may be weaker. Ask which program is used there now.",
        address=address,
    )


def rejected(conversation: str, name: str, number: int, error: RemoteError) -> Rejected:
    """Describe a message that broke a rule which only its author can have broken."""
    match error:
        case SignatureFailure():
            check = "signed"
        case OutOfOrder():
            check = "in_order"
        case _:
            check = "intact"
    return Rejected(
        time=time.time(),
        conversation=conversation,
        number=number,
        check=check,
        message=f"A message of {name} failed its check ({error}): session ended.",
    )


def too_many_strangers() -> Notice:
    """Say that a stranger was turned away for the limit of new pins."""
    return Notice(
        time=time.time(), message="A stranger was turned away: too many new people within one hour."
    )


def invite_reused() -> Notice:
    """Say that somebody else came with an invite that a guest has used."""
    return Notice(
        time=time.time(),
        message="Somebody else came with an invite that your guest has used, and was turned away: "
        "who else has seen it?",
    )


def refused_inviter(verdict: Uninvited, address: str) -> Refused:
    """Describe a host whose key is not the one in the invite."""
    known, offered = verdict.known, verdict.offered
    who = f"{known.name}'s key" if known else "Another key"
    return Refused(
        time=time.time(),
        reason="invite",
        message=f"{who} answered at {address}, not the one in the invite: another machine is there now, or "
        "somebody in between. Nothing was sent; ask for a new invite.",
        address=address,
        offered=str(offered.fingerprint),
        offered_randomart=randomart(offered.fingerprint, offered.bits),
        offered_contact=known.name if known else SafeText.line(""),
    )


def refused_blocked(verdict: Blocked, address: str) -> Refused:
    """Describe a blocked contact."""
    return Refused(
        time=time.time(),
        reason="blocked",
        message=f"{verdict.contact.name} is blocked: unblock the contact first if you want to talk.",
        address=address,
        contact=verdict.contact.name,
    )


def refused_changed(verdict: Different, address: str, *, dialled: str) -> Refused:
    """Describe another key than the expected one; ``dialled`` is what a guest typed, empty at a host."""
    expected, offered = verdict.expected[0], verdict.offered
    return Refused(
        time=time.time(),
        reason="key-changed",
        message=_changed_sentence(verdict, address if dialled else ""),
        address=address,
        contact=expected.name,
        expected=str(expected.fingerprint),
        expected_randomart=randomart(expected.fingerprint, expected.bits),
        pinned_since=expected.first_seen,
        trust=expected.trust,
        offered=str(offered.fingerprint),
        offered_randomart=randomart(offered.fingerprint, offered.bits),
        offered_contact=verdict.known.name if verdict.known else SafeText.line(""),
        target=dialled,
    )


def _changed_sentence(verdict: Different, dialled: str) -> str:
    """Say what to do about it; ``dialled`` is the address at which a guest has called, empty at a host."""
    expected = verdict.expected[0]
    known = "verified" if expected.trust is Trust.VERIFIED else "pinned"
    if verdict.known is not None:
        who = f"{verdict.known.name} answered, not {expected.name}. Nothing was sent."
    elif verdict.is_former:
        who = (
            f"This is the key that {expected.name} had BEFORE the one {known} here: an old profile, "
            "or somebody who has got hold of it. Nothing was sent."
        )
    elif verdict.is_refused:
        who = (
            f"This key was said to follow {expected.name}'s, and codes compared with it DIFFERED: somebody "
            "else's, or somebody was in between. Nothing was sent."
        )
    else:
        who = (
            f"{expected.name}'s key is DIFFERENT from the one {known} here: a new device or profile, "
            "or somebody in between. Nothing was sent."
        )
    if not dialled:
        return f"{who} The call was refused; ask {expected.name} on another way what has happened."
    if verdict.known is not None:
        return f"{who} If you want to reach whoever is there: join {dialled} --new"
    return (
        f"{who} Ask {expected.name} on another way what has happened. If this is simply somebody else at "
        f"a shared address: join {dialled} --new"
    )
