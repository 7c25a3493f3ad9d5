"""The list of invites in force, and what a call shows: without engines, with a clock that the test moves."""

import pytest
from protocol_peers import QUESTIONS, Pair

from securechat_tui.chat.callers import Callers
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.invitations import MAX_LIVE, Invitations, InviteSpent, LiveInvite
from securechat_tui.protocol.events import Authenticated, Called, Instant
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.invites import INVITE_SECONDS, Invite
from securechat_tui.trust.pins import Contact, Pins, after_handshake

HOST = Fingerprint(bytes(32))
BOB, CAROL = (Fingerprint(bytes([number]) * 32) for number in (1, 2))
START = Instant(1000.0, 1_800_000_000.0)


def later(seconds: float, *, wall: float | None = None) -> Instant:
    return Instant(START.monotonic + seconds, START.unix + (seconds if wall is None else wall))


def make(invitations: Invitations, now: Instant = START) -> Invite:
    return invitations.make(("192.0.2.1",), 8000, HOST, now)


def call_showing(*secrets: bytes | None) -> Called:
    pair = Pair.connect(secrets=(secrets[0], secrets[1]))
    pair.host.holding = QUESTIONS
    pair.run()
    called = pair.host.held[0]
    assert isinstance(called, Called)
    return called


def shown(invitations: Invitations, invite: Invite, now: Instant = START) -> LiveInvite | None:
    return invitations.shown_by(call_showing(None, invite.tag_secret), now)


@pytest.mark.parametrize("place", [0, 1])
def test_the_tag_is_found_in_either_place(place: int) -> None:
    invitations = Invitations()
    make(invitations)
    invite = make(invitations)
    secrets: list[bytes | None] = [None, None]
    secrets[place] = invite.tag_secret
    live = invitations.shown_by(call_showing(*secrets), START)
    assert live is not None
    assert live.invite == invite


def test_a_call_that_shows_nothing_of_it() -> None:
    invitations = Invitations()
    invite = make(invitations)
    assert invitations.shown_by(call_showing(None, None), START) is None
    assert invitations.shown_by(call_showing(bytes(32), invite.secret), START) is None


@pytest.mark.parametrize(
    "over",
    [later(INVITE_SECONDS), later(0, wall=INVITE_SECONDS), later(INVITE_SECONDS, wall=-3600)],
    ids=["both", "slept", "set-back"],
)
def test_time_burns_it_by_either_clock(over: Instant) -> None:
    invitations = Invitations()
    invite = make(invitations)
    live = shown(invitations, invite, later(INVITE_SECONDS - 1))
    assert live is not None
    with pytest.raises(InviteSpent):
        live.claim(BOB, over)
    assert live.guest is None
    assert shown(invitations, invite, over) is None


def test_a_claim_is_for_one_key_and_can_be_repeated() -> None:
    invitations = Invitations()
    invite = make(invitations)
    live = shown(invitations, invite)
    assert live is not None
    live.claim(BOB, START)
    live.claim(BOB, later(1))
    with pytest.raises(InviteSpent):
        live.claim(CAROL, later(2))
    assert live.guest == BOB
    assert shown(invitations, invite) is live, "burnt, it stays in the list for its guest"


def test_so_many_at_once_and_as_many_again_when_they_are_over() -> None:
    invitations = Invitations()
    for number in range(MAX_LIVE):
        make(invitations, later(number))
    with pytest.raises(CommandError):
        make(invitations, later(INVITE_SECONDS - 1))
    make(invitations, later(INVITE_SECONDS))
    with pytest.raises(CommandError):
        make(invitations, later(INVITE_SECONDS))


def test_a_call_may_show_a_contact_and_an_invite() -> None:
    pair = Pair.established()
    contact = after_handshake(Contact.met(pair.guest.key.public, 1.0, 1), b"s" * 32)
    callers = Callers()
    invite = make(callers.invitations)
    found = callers.recognise(Pins((contact,)), call_showing(b"s" * 32, invite.tag_secret), START)
    assert (found.contact, found.secret) == (contact, b"s" * 32)
    assert found.invite is not None
    assert found.is_any
    assert found.fingerprint == contact.fingerprint
    stranger = callers.recognise(Pins((contact,)), call_showing(None, None), START)
    assert not stranger.is_any
    assert stranger.fingerprint is None
    guest = callers.recognise(Pins(), call_showing(None, invite.tag_secret), START)
    assert guest.fingerprint is None
    found.invite.claim(BOB, START)
    assert guest.fingerprint == BOB
    assert invite.secret.hex() not in repr(found)
    assert repr(b"s" * 32) not in repr(found)


def test_repeated_calls_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.callers._REMEMBERED_CALLS", 2)
    callers = Callers()
    calls = [Called(bytes([number]), (b"", b"")) for number in range(3)]
    assert not any(callers.is_repeated(call) for call in calls)
    assert callers.is_repeated(calls[2])
    assert callers.is_repeated(Called(bytes([1]), (b"other", b"tags")))
    assert not callers.is_repeated(calls[0]), "forgotten by now"


# Two sessions in memory, one of which shows an invite: what the host asks and when.


def test_nothing_before_the_guests_fin_can_claim_it() -> None:
    """The host hears of an authenticated guest only when FIN_G has verified; flipped, it never does."""
    invitations = Invitations()
    invite = make(invitations)
    for number in range(3):
        pair = Pair.connect(secrets=(None, invite.tag_secret))
        frames = 0

        def alter(role: str, data: bytes, number: int = number) -> bytes:
            nonlocal frames
            if role == "host":
                return data
            frames += 1
            return data[:-70] + bytes([data[-70] ^ 1]) + data[-69:] if frames == number + 1 else data

        def alter_short(role: str, data: bytes, number: int = number) -> bytes:
            nonlocal frames
            frames += role == "guest"
            changed = role == "guest" and frames == number + 1
            return data[:-1] + bytes([data[-1] ^ 1]) if changed else data

        pair.alter = alter if number == 0 else alter_short
        pair.run()
        called = pair.host.one(Called)
        live = invitations.shown_by(called, START)
        assert (live is None) is (number == 0), "a bit of the keys that the tag covers"
        assert not pair.host.events_of(Authenticated)
        assert pair.host.ended is not None or number == 0
    pair = Pair.connect(secrets=(None, invite.tag_secret))
    pair.run()
    assert pair.host.events_of(Authenticated)
