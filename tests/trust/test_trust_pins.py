"""Pins: who is known, who is expected, and what a different key means on either side."""

from dataclasses import replace
from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.text import MAX_NAME, SafeText, skeleton
from securechat_tui.trust.pins import (
    BY_INVITE,
    FIRST_CONTACT,
    MAX_ADDRESSES,
    MAX_CONTACTS,
    MAX_FORMER,
    MAX_HISTORY,
    MAX_OFFSET_MS,
    MAX_REFUSED,
    Change,
    ClockOffset,
    Contact,
    Pins,
    PinsFull,
    after_handshake,
    before_fin,
    confirm,
)
from securechat_tui.trust.states import Trust
from securechat_tui.trust.verdicts import (
    Blocked,
    Candidate,
    Different,
    Downgrade,
    Known,
    New,
    Rotated,
    Uninvited,
    judge_candidate,
    judge_guest,
    judge_host,
    judge_invited,
    judge_rotation,
)

LOOPBACK = ("127.0.0.1", 8000)
ELSEWHERE = ("::1", 8001)
S1, S2, S3, S4 = (bytes([number]) * 32 for number in range(1, 5))


@cache
def key(person: str) -> PublicIdentity:
    """Return the same checked key for the same person; making one takes a while."""
    assert person in {"alice", "bob", "mallory"}
    return IdentityKey.generate(3072).public


def fake(number: int, name: str = "") -> Contact:
    """Return a contact whose key nobody checks."""
    return Contact(
        name=SafeText.name(name or f"person {number}"),
        spki=number.to_bytes(4, "big"),
        bits=3072,
        trust=Trust.PINNED,
        history=(),
        first_seen=float(number),
        last_seen=float(number),
        version=1,
        named=True,
    )


def met(person: str, *, at: tuple[str, int] | None = None, now: float = 100.0) -> Contact:
    contact = Contact.met(key(person), now, 1)
    return replace(contact, name=SafeText.name(person), named=True).seen(now, 1, at)


def test_first_contact_pins_under_a_provisional_name() -> None:
    alice = Contact.met(key("alice"), 100.0, 1)
    assert alice.name == f"unnamed {key('alice').fingerprint.short}"
    assert not alice.named
    assert alice.fingerprint == key("alice").fingerprint
    assert alice.bits == 3072
    assert alice.trust is Trust.PINNED
    assert alice.history == (Change(100.0, Trust.NEW, Trust.PINNED, FIRST_CONTACT, alice.fingerprint),)
    assert (alice.first_seen, alice.last_seen, alice.version) == (100.0, 100.0, 1)


def test_the_first_session_is_new_and_the_second_pinned() -> None:
    pins = Pins()
    first = judge_guest(pins, key("alice"), None, version=1)
    assert first == New()
    assert first.trust is Trust.NEW
    pins = pins.with_contact(Contact.met(key("alice"), 100.0, 1))
    second = judge_guest(pins, key("alice"), None, version=1)
    assert second == Known(pins.contacts[0])
    assert second.trust is Trust.PINNED


def test_a_name_is_given_once_and_stays() -> None:
    pins = Pins().with_contact(Contact.met(key("alice"), 100.0, 1))
    fingerprint = key("alice").fingerprint
    pins = pins.christened(fingerprint, " Alice\x1b ")
    assert pins.contacts[0].name == "Alice␛"
    assert pins.christened(fingerprint, "bob") is pins
    assert pins.christened(key("bob").fingerprint, "bob") is pins


def test_the_name_of_a_contact_gets_a_mark_and_the_older_one_is_told() -> None:
    alice = met("alice")
    pins = Pins((alice,)).with_contact(Contact.met(key("mallory"), 200.0, 1))
    pins = pins.christened(key("mallory").fingerprint, "ＡＬＩＣＥ")
    pins = pins.with_contact(Contact.met(key("bob"), 300.0, 1)).christened(key("bob").fingerprint, "Alice")
    assert [one.name for one in pins.contacts] == ["alice", "ＡＬＩＣＥ (2)", "Alice (3)"]
    assert pins.contacts[0] == alice
    assert pins.namesake("Alice", key("bob").fingerprint) == alice
    assert pins.namesake("Alice", alice.fingerprint) is None
    assert pins.namesake("alice (2)", alice.fingerprint) == pins.contacts[1]
    assert pins.namesake("carol", key("bob").fingerprint) is None


def test_a_name_that_only_looks_like_a_contacts_is_marked_and_told_too() -> None:
    alice = met("alice")
    pins = Pins((alice,)).with_contact(Contact.met(key("mallory"), 200.0, 1))
    pins = pins.christened(key("mallory").fingerprint, "аlice")
    assert [one.name for one in pins.contacts] == ["alice", "аlice (2)"]
    assert pins.namesake("аlice", key("mallory").fingerprint) == alice
    assert pins.namesake("alice", alice.fingerprint) is None
    assert pins.by_name("аlice") is None
    old = Pins(
        (alice, replace(met("bob"), name=SafeText.name("аlice")))
    )  # from before names were compared so
    assert old.namesake("аlice", old.contacts[1].fingerprint) is None
    assert old.namesake("al1ce", key("mallory").fingerprint) == alice


def test_who_gives_no_name_is_nobodys_namesake() -> None:
    pins = Pins((fake(1, "anonymous"), Contact.met(key("bob"), 1.0, 1)))
    assert pins.namesake("anonymous", key("bob").fingerprint) is None
    assert pins.christened(key("bob").fingerprint, "").contacts[1].name == "anonymous (2)"


def test_a_mark_stands_behind_a_name_of_the_greatest_length_too() -> None:
    pins = Pins()
    for number in range(3):
        pins = pins.with_contact(fake(number, "x" * MAX_NAME))
    marked = [f"{'x' * (MAX_NAME - 4)} ({number})" for number in (2, 3)]
    assert [one.name for one in pins.contacts] == ["x" * MAX_NAME, *marked]


def test_a_stranger_who_took_somebodys_provisional_name_does_not_keep_them_out() -> None:
    squatter = fake(1, f"unnamed {key('alice').fingerprint.short}")
    pins = Pins((squatter,)).with_contact(Contact.met(key("alice"), 1.0, 1))
    assert pins.contacts[1].name == f"{squatter.name} (2)"


@settings(deadline=None)
@given(st.lists(st.text(max_size=50) | st.sampled_from(["a", "A", "a (2)", "x" * 60, ""]), max_size=8))
def test_names_stay_unique_whatever_people_call_themselves(names: list[str]) -> None:
    pins = Pins()
    for number, name in enumerate(names):
        contact = replace(fake(number), named=False)
        pins = pins.with_contact(contact).christened(contact.fingerprint, name)
    assert len({skeleton(one.name) for one in pins.contacts}) == len(names)
    assert all(0 < len(one.name) <= MAX_NAME for one in pins.contacts)
    assert all(pins.by_name(one.name) == one for one in pins.contacts)


def test_lookups() -> None:
    alice, bob = met("alice", at=LOOPBACK, now=100.0), met("bob", at=LOOPBACK, now=200.0)
    pins = Pins((alice, bob))
    assert pins.by_name(" ALICE") == alice
    assert pins.by_name("carol") is None
    assert pins.by_fingerprint(bob.fingerprint) == bob
    assert pins.by_fingerprint(fake(1).fingerprint) is None
    assert pins.by_address(LOOPBACK) == (bob, alice)
    assert pins.by_address(ELSEWHERE) == ()
    assert pins.without(alice.fingerprint) == Pins((bob,))


def test_a_contact_is_replaced_in_its_place() -> None:
    pins = Pins((fake(1), fake(2), fake(3)))
    again = fake(2).seen(50.0, 1)
    assert pins.with_contact(again).contacts == (fake(1), again, fake(3))


def test_a_contact_cannot_take_anothers_name_later() -> None:
    pins = Pins((fake(1), fake(2)))
    renamed = pins.with_contact(replace(fake(2), name=SafeText.name("Person 1")))
    assert [one.name for one in renamed.contacts] == ["person 1", "Person 1 (2)"]


def test_a_book_has_an_end() -> None:
    full = Pins(tuple(map(fake, range(MAX_CONTACTS))))
    assert full.with_contact(fake(5).seen(7.0, 1)).contacts[5].last_seen == 7.0
    with pytest.raises(PinsFull, match="forget some"):
        full.with_contact(fake(MAX_CONTACTS))


def test_a_book_with_doubles_is_refused() -> None:
    with pytest.raises(ValueError, match="same key"):
        Pins((fake(1), fake(1, "other")))
    with pytest.raises(ValueError, match="same name"):
        Pins((fake(1, "eve"), fake(2, "E v e")))


# The guest: it knows whom it wants.


def test_a_contact_that_answers_itself_is_known() -> None:
    alice = met("alice")
    assert judge_host(Pins((alice,)), key("alice"), alice, version=1) == Known(alice)


def test_another_key_than_the_contacts_is_different() -> None:
    alice = met("alice")
    verdict = judge_host(Pins((alice,)), key("mallory"), alice, version=1)
    assert verdict == Different((alice,), key("mallory"), None)
    assert verdict.trust is Trust.CHANGED


def test_alice_answered_not_bob() -> None:
    alice, bob = met("alice"), met("bob")
    assert judge_host(Pins((alice, bob)), key("alice"), bob, version=1) == Different(
        (bob,), key("alice"), alice
    )


def test_an_address_stands_for_whoever_has_answered_there() -> None:
    alice, bob = met("alice", at=LOOPBACK), met("bob", at=LOOPBACK, now=200.0)
    pins = Pins((alice, bob))
    assert judge_host(pins, key("alice"), LOOPBACK, version=1) == Known(alice)
    assert judge_host(pins, key("bob"), LOOPBACK, version=1) == Known(bob)
    assert judge_host(pins, key("mallory"), LOOPBACK, version=1) == Different(
        (bob, alice), key("mallory"), None
    )


def test_an_address_without_a_history_takes_anyone() -> None:
    alice = met("alice", at=LOOPBACK)
    assert judge_host(Pins((alice,)), key("bob"), ELSEWHERE, version=1) == New()
    assert judge_host(Pins((alice,)), key("alice"), ELSEWHERE, version=1) == Known(alice)


def test_a_stranger_is_welcome_at_a_pinned_address_only_when_asked_for() -> None:
    pins = Pins((met("alice", at=LOOPBACK),))
    assert judge_host(pins, key("bob"), None, version=1) == New()
    assert isinstance(judge_host(pins, key("bob"), LOOPBACK, version=1), Different)
    assert judge_host(pins, key("alice"), None, version=1) == Known(pins.contacts[0])


def test_blocked() -> None:
    alice = met("alice", at=LOOPBACK).with_trust(Trust.BLOCKED, 300.0, "decided")
    pins = Pins((alice,))
    for verdict in (
        judge_host(pins, key("alice"), alice, version=1),
        judge_host(pins, key("alice"), LOOPBACK, version=1),
        judge_host(pins, key("alice"), None, version=1),
        judge_guest(pins, key("alice"), None, version=1),
    ):
        assert verdict == Blocked(alice)
        assert verdict.trust is Trust.BLOCKED


def test_an_older_version_than_the_recorded_one_is_refused() -> None:
    alice = met("alice").seen(200.0, 3)
    pins = Pins((alice,))
    verdict = judge_host(pins, key("alice"), alice, version=2)
    assert verdict == Downgrade(alice, 2)
    assert verdict.trust is Trust.PINNED
    assert judge_guest(pins, key("alice"), None, version=2) == Downgrade(alice, 2)
    assert judge_guest(pins, key("alice"), alice, version=3) == Known(alice)
    assert alice.seen(300.0, 1).version == 3


# The host: only a tag tells whom to expect.


def test_only_a_tag_with_another_key_means_changed() -> None:
    alice, bob = met("alice"), met("bob")
    pins = Pins((alice, bob))
    assert judge_guest(pins, key("mallory"), None, version=1) == New()
    assert judge_guest(pins, key("alice"), alice, version=1) == Known(alice)
    assert judge_guest(pins, key("mallory"), alice, version=1) == Different((alice,), key("mallory"), None)
    assert judge_guest(pins, key("bob"), alice, version=1) == Different((alice,), key("bob"), bob)


# What a contact remembers.


def test_addresses_are_the_most_recent_ones() -> None:
    contact = fake(1)
    for port in range(1, MAX_ADDRESSES + 3):
        contact = contact.seen(float(port), 1, ("h", port))
    contact = contact.seen(99.0, 1, ("h", 5)).seen(100.0, 1)
    assert contact.addresses == tuple(("h", port) for port in (3, 4, 6, 7, 8, 9, 10, 5))
    assert contact.last_seen == 100.0


def test_the_history_keeps_the_first_and_the_latest() -> None:
    contact = Contact.met(key("alice"), 0.0, 1)
    for minute in range(1, MAX_HISTORY + 5):
        trust = Trust.VERIFIED if minute % 2 else Trust.PINNED
        contact = contact.with_trust(trust, float(minute), "comparison")
    assert len(contact.history) == MAX_HISTORY
    assert contact.history[0].how == FIRST_CONTACT
    assert contact.history[1].when == 6.0
    assert contact.history[-1] == Change(
        20.0, Trust.VERIFIED, Trust.PINNED, "comparison", contact.fingerprint
    )


def test_new_is_a_state_of_a_session_and_not_stored() -> None:
    with pytest.raises(ValueError, match="session"):
        fake(1).with_trust(Trust.NEW, 0.0, "mistake")


def test_a_key_has_an_accepted_size() -> None:
    with pytest.raises(ValueError, match="2048 bits"):
        replace(fake(1), bits=2048)


def test_a_secret_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        after_handshake(fake(1), b"short")


def test_reconnect_secrets_are_not_shown() -> None:
    contact = replace(fake(1), newest=S1, confirmed=S2)
    for shown in (repr(contact), repr(Pins((contact,))), repr(Known(contact)), str(contact)):
        assert repr(S1)[2:-1] not in shown
        assert "newest" not in shown
        assert "confirmed" not in shown


def test_the_books_secrets() -> None:
    one, two = replace(fake(1), newest=S1, confirmed=S1), replace(fake(2), newest=S2, confirmed=S3)
    assert list(Pins((one, fake(3), two)).secrets()) == [(one, S1), (two, S2), (two, S3)]


def test_both_sides_agree_on_a_secret_after_each_session() -> None:
    host = guest = fake(1)
    for export, used in ((S1, None), (S2, S1), (S3, S2)):
        guest = before_fin(guest, export)
        left = guest.newest
        host = after_handshake(host, export, used)
        guest = confirm(guest, export, left)
    assert guest.secrets == (S3,)
    assert host.secrets == (S3, S2)


def test_a_guest_lets_no_secret_go_before_the_host_has_spoken() -> None:
    guest = before_fin(fake(1), S1)
    assert guest.secrets == (S1,)
    guest = before_fin(guest, S2)
    assert guest.secrets == (S2, S1)
    assert before_fin(guest, S3) == guest
    assert confirm(guest, S3, guest.newest).secrets == (S3,)


class Calls:
    """Two who call each other, step by step, as far as nothing cuts them."""

    STEPS = 4

    def __init__(self) -> None:
        self.sides = [fake(1), fake(1)]
        self._count = 0

    def begin(self) -> None:
        """Let both be about to call."""
        self._count += 2
        self._exports = [(self._count + caller).to_bytes(32) for caller in (0, 1)]
        self._used: list[bytes | None] = [None, None]
        self._left: list[bytes | None] = [None, None]
        self._taken = [0, 0]

    def step(self, caller: int) -> None:
        """Call, store as guest, store as host, hear the host's first word: of the session of one caller."""
        sides, host, export = self.sides, 1 - caller, self._exports[caller]
        match self._taken[caller]:
            case 0:
                shown = set(sides[caller].secrets) & set(sides[host].secrets)
                self._used[caller] = min(shown, default=None)
            case 1:
                sides[caller] = before_fin(sides[caller], export)
                self._left[caller] = sides[caller].newest
            case 2:
                used = self._used[caller] if self._used[caller] in sides[host].secrets else None
                sides[host] = after_handshake(sides[host], export, used)
            case _:
                sides[caller] = confirm(sides[caller], export, self._left[caller])
        self._taken[caller] += 1

    def session(self, caller: int, steps: int) -> None:
        """Call once, to be cut after so many steps."""
        self.begin()
        for _ in range(steps):
            self.step(caller)

    @property
    def agree(self) -> bool:
        """Whether either can show the other a secret that it knows."""
        return bool(set(self.sides[0].secrets) & set(self.sides[1].secrets))


SESSIONS = [*product((0, 1), (2, 3, 4))]
"""Who calls, and after how many steps the session is cut."""


def after(*sessions: tuple[int, int]) -> Calls:
    """Two who have met, perhaps without the host's first word, and then had these sessions."""
    calls = Calls()
    for caller, steps in sessions:
        calls.session(caller, steps)
    return calls


@pytest.mark.parametrize("first", [3, Calls.STEPS], ids=["host-not-heard", "met"])
def test_no_cut_and_no_change_of_roles_leaves_the_two_without_a_secret(first: int) -> None:
    """So that a host who answers nobody but contacts answers every contact, whatever was cut before."""
    for count in range(5):
        for sessions in product(SESSIONS, repeat=count):
            assert after((0, first), *sessions).agree, sessions


CROSSING = [tuple(0 if place in places else 1 for place in range(8)) for places in combinations(range(8), 4)]
"""Every order of the four steps of two handshakes."""


@pytest.mark.parametrize("before", [(), *product(SESSIONS, repeat=1)])
def test_two_who_call_each_other_at_once_agree_on_a_secret(before: tuple[tuple[int, int], ...]) -> None:
    """In whatever order things happen at the two, and wherever each call is cut."""
    for order, most in product(CROSSING, product((2, 3, 4), repeat=2)):
        calls = after((0, Calls.STEPS), *before)
        calls.begin()
        for place, caller in enumerate(order):
            if order[:place].count(caller) < most[caller]:
                calls.step(caller)
        assert calls.agree, (order, most)


@given(st.lists(st.tuples(st.sampled_from(CROSSING), *(st.sampled_from((0, 2, 3, 4)),) * 2), max_size=12))
def test_two_who_call_each_other_at_once_again_and_again_agree_on_a_secret(
    crossings: list[tuple[tuple[int, ...], int, int]],
) -> None:
    calls = after((0, Calls.STEPS))
    for order, *most in crossings:
        calls.begin()
        for place, caller in enumerate(order):
            if order[:place].count(caller) < most[caller]:
                calls.step(caller)
        assert calls.agree


def test_only_the_secret_that_was_used_stays_beside_the_new_one() -> None:
    host = replace(fake(1), newest=S2, confirmed=S1)
    assert after_handshake(host, S3, S1).secrets == (S3, S1)
    assert after_handshake(host, S3, S2).secrets == (S3, S2)


def test_a_session_without_a_tag_keeps_the_confirmed_secret() -> None:
    assert after_handshake(replace(fake(1), newest=S1, confirmed=S2), S3).secrets == (S3, S2)


def test_a_secret_of_somebody_else_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="nobody"):
        after_handshake(replace(fake(1), newest=S1), S3, S4)


def test_an_invite_says_whose_key_it_must_be() -> None:
    pins = Pins((met("alice"),))
    alice, bob, mallory = (key(name) for name in ("alice", "bob", "mallory"))
    assert judge_invited(pins, bob, bob.fingerprint, 1) == New()
    assert judge_invited(pins, alice, alice.fingerprint, 1) == Known(pins.contacts[0])
    assert judge_invited(pins, alice, bob.fingerprint, 1) == Uninvited(alice, pins.contacts[0])
    assert judge_invited(pins, mallory, bob.fingerprint, 1) == Uninvited(mallory, None)
    blocked = Pins((met("alice").with_trust(Trust.BLOCKED, 1.0, "by hand"),))
    assert judge_invited(blocked, alice, alice.fingerprint, 1) == Blocked(blocked.contacts[0])


@pytest.mark.parametrize("trust", [Trust.PINNED, Trust.INVITED, Trust.VERIFIED, Trust.BLOCKED])
def test_an_invite_lowers_nothing(trust: Trust) -> None:
    contact = Contact.met(key("alice"), 1.0, 1, trust, "somehow")
    vouched = contact.vouched(5.0)
    if trust is Trust.PINNED:
        assert vouched.trust is Trust.INVITED
        assert vouched.history[-1] == Change(5.0, trust, Trust.INVITED, BY_INVITE, contact.fingerprint)
    else:
        assert vouched == contact


def test_a_key_that_takes_a_contact_s_place() -> None:
    announced = key("bob").fingerprint
    old = replace(met("alice", at=LOOPBACK), bits=4096, newest=S1, confirmed=S2, announced=announced)
    heir = old.succeeded_by(key("bob"), Trust.VERIFIED, 200.0, "compared", is_named=True)
    assert (heir.name, heir.addresses, heir.first_seen, heir.named) == ("alice", (LOOPBACK,), 100.0, True)
    assert (heir.fingerprint, heir.bits, heir.trust) == (key("bob").fingerprint, 3072, Trust.VERIFIED)
    assert heir.history == (
        *old.history,
        Change(200.0, Trust.PINNED, Trust.VERIFIED, "compared", key("bob").fingerprint),
    )
    assert heir.secrets == (), "they were shared with whoever has the former key"
    assert heir.former == (old.fingerprint,)
    assert heir.announced is None
    pins = Pins((fake(1), old, fake(2))).succeeded(old.fingerprint, heir)
    assert pins.contacts == (fake(1), heir, fake(2))


def test_a_successor_whose_codes_differed_is_refused_wherever_it_appears() -> None:
    alice, new = signed_contact(), key("bob")
    refusing = alice.refusing(new.fingerprint, 200.0, "codes compared: different")
    assert (refusing.trust, refusing.fingerprint) == (alice.trust, alice.fingerprint)
    assert refusing.history == (
        *alice.history,
        Change(200.0, Trust.NEW, Trust.CHANGED, "codes compared: different", new.fingerprint),
    )
    assert refusing.refusing(new.fingerprint, 300.0, "again").refused == (new.fingerprint,)
    pins, different = Pins((refusing,)), Different((refusing,), new, None)
    assert judge_rotation(New(), pins, new, (statement(new),), 1) == different
    for judged in (
        judge_guest(pins, new, None, 1),
        judge_guest(pins, new, refusing, 1),
        judge_host(pins, new, None, 1),
        judge_invited(pins, new, new.fingerprint, 1),
    ):
        assert judged == different
        assert different.is_refused
        assert judge_rotation(judged, pins, new, (statement(new),), 1) == different
        assert judge_candidate(judged, new.fingerprint, 1) == Candidate(refusing)
    heir = refusing.succeeded_by(new, Trust.VERIFIED, 400.0, "compared", is_named=True)
    assert heir.refused == ()
    assert judge_guest(Pins((heir,)), new, None, 1) == Known(heir)


def test_the_most_recent_refusals_are_kept() -> None:
    contact = fake(0)
    for number in range(1, MAX_REFUSED + 2):
        contact = contact.refusing(fake(number).fingerprint, 1.0, "test")
    assert contact.refused == tuple(fake(number).fingerprint for number in range(2, MAX_REFUSED + 2))
    assert len(contact.history) == MAX_HISTORY


def test_a_clock_s_offset_is_cut_to_what_is_kept() -> None:
    assert ClockOffset.measured(-1500, 2.0) == ClockOffset(-1500, 2.0)
    assert ClockOffset.measured(2**64, 2.0) == ClockOffset(MAX_OFFSET_MS, 2.0)
    assert ClockOffset.measured(-(2**64), 2.0) == ClockOffset(-MAX_OFFSET_MS, 2.0)


def test_a_key_that_was_a_contact_of_its_own_is_one_no_more() -> None:
    alice, bob = met("alice"), met("bob")
    heir = alice.succeeded_by(key("bob"), Trust.VERIFIED, 200.0, "compared", is_named=True)
    assert Pins((bob, alice)).succeeded(alice.fingerprint, heir).contacts == (heir,)


@given(st.lists(st.sampled_from(["alice", "bob", "mallory"]), max_size=24))
@settings(deadline=None)
def test_the_present_key_is_never_among_the_former_ones(keys: list[str]) -> None:
    contact = met("alice")
    before: list[bytes] = []
    for name in keys:
        if key(name).fingerprint != contact.fingerprint:
            before = [one for one in before if one != key(name).fingerprint] + [contact.fingerprint]
            contact = contact.succeeded_by(key(name), Trust.PINNED, 1.0, "test", is_named=True)
        assert contact.former == tuple(before)


def test_former_keys_are_the_most_recent_ones() -> None:
    known = tuple(fake(number).fingerprint for number in range(MAX_FORMER))
    contact = replace(met("alice"), former=known)
    assert contact.succeeded_by(key("bob"), Trust.PINNED, 1.0, "test", is_named=True).former == (
        *known[1:],
        key("alice").fingerprint,
    )


def test_only_what_was_signed_over_is_inherited() -> None:
    contact = met("alice")
    alice = contact.fingerprint
    named = contact.succeeded_by(key("bob"), Trust.PINNED, 1.0, "test", is_named=True)
    assert named.inherited == (alice,)
    again = named.succeeded_by(key("mallory"), Trust.PINNED, 2.0, "test", is_named=True)
    assert again.inherited == (alice, named.fingerprint)
    unnamed = named.succeeded_by(key("mallory"), Trust.VERIFIED, 2.0, "test", is_named=False)
    assert (unnamed.former, unnamed.inherited) == ((alice, named.fingerprint), ())
    back = named.succeeded_by(key("alice"), Trust.VERIFIED, 2.0, "test", is_named=False)
    assert (back.former, back.inherited) == ((named.fingerprint,), ())


def test_a_former_key_is_different_wherever_it_appears() -> None:
    heir = met("alice", at=LOOPBACK).succeeded_by(
        key("bob"), Trust.VERIFIED, 200.0, "compared", is_named=True
    )
    pins = Pins((heir,))
    verdict = Different((heir,), key("alice"), None)
    assert verdict.is_former
    assert not Different((heir,), key("mallory"), None).is_former
    for target in (None, LOOPBACK, ELSEWHERE, heir):
        assert judge_host(pins, key("alice"), target, 1) == verdict
    for tag in (None, heir):
        assert judge_guest(pins, key("alice"), tag, 1) == verdict
    assert judge_invited(pins, key("alice"), key("alice").fingerprint, 1) == verdict


def test_only_the_key_that_a_person_asked_for_is_let_in_for_a_comparison() -> None:
    alice = met("alice")
    wanted = key("bob").fingerprint
    different = judge_guest(Pins((alice,)), key("bob"), alice, 1)
    assert judge_candidate(different, wanted, 1) == Candidate(alice)
    assert judge_candidate(different, wanted, 1).trust is Trust.CHANGED
    assert judge_candidate(different, key("mallory").fingerprint, 1) is different
    assert judge_candidate(different, None, 1) is different
    assert judge_candidate(New(), wanted, 1) == New()
    newer = replace(alice, version=2)
    assert judge_candidate(Different((newer,), key("bob"), None), wanted, 1) == Downgrade(newer, 1)
    for refused in (
        Different((alice,), key("bob"), met("bob")),
        Different((replace(alice, trust=Trust.BLOCKED),), key("bob"), None),
    ):
        assert judge_candidate(refused, wanted, 1) is refused


@cache
def owner(person: str) -> IdentityKey:
    """Return a private key for who signs; ``key`` has the public halves of other ones."""
    assert person in {"alice", "other alice"}
    return IdentityKey.generate(3072)


def signed_contact(trust: Trust = Trust.PINNED, version: int = 1) -> Contact:
    return replace(Contact.met(owner("alice").public, 100.0, version), trust=trust)


def statement(new: PublicIdentity, counter: int = 1, by: str = "alice") -> Rotation:
    return Rotation.sign(owner(by), new, counter)


def test_a_key_that_the_pinned_one_has_signed_waits_for_a_person() -> None:
    alice, bob = signed_contact(), met("mallory")
    pins = Pins((bob, alice))
    shown = (statement(key("bob")),)
    for before in (New(), Different((alice,), key("bob"), None)):
        assert judge_rotation(before, pins, key("bob"), shown, 1) == Rotated(alice)
    assert Rotated(alice).trust is Trust.NEW


def test_what_a_statement_does_not_change() -> None:
    alice = signed_contact()
    pins, new = Pins((alice,)), key("bob")
    shown = (statement(new),)
    for verdict in (Known(alice), Blocked(alice), Different((alice,), new, met("bob"))):
        assert judge_rotation(verdict, pins, new, shown, 1) is verdict
    former = Different((replace(alice, former=(new.fingerprint,)),), new, None)
    assert judge_rotation(former, pins, new, shown, 1) is former
    different = Different((alice,), new, None)
    forged = replace(statement(new, by="other alice"), old=bytes(alice.fingerprint))
    for worthless in ((), (forged,), (statement(key("mallory")),), (statement(new, by="other alice"),)):
        assert judge_rotation(different, pins, new, worthless, 1) is different
        assert judge_rotation(New(), pins, new, worthless, 1) == New()


def test_a_worthless_statement_hides_none_that_holds() -> None:
    alice, new = signed_contact(), key("bob")
    forged = replace(statement(new, by="other alice"), old=bytes(alice.fingerprint))
    for worthless in (forged, statement(new, by="other alice")):
        shown = (worthless, statement(new))
        assert judge_rotation(New(), Pins((alice,)), new, shown, 1) == Rotated(alice)


def test_two_successors_of_one_key_are_as_good_as_none() -> None:
    alice, new = signed_contact(), key("bob")
    different = Different((alice,), new, None)
    both = (statement(new), statement(key("mallory"), 2))
    assert judge_rotation(New(), Pins((alice,)), new, both, 1) == different
    twice = (statement(new), statement(new, 2))
    assert judge_rotation(different, Pins((alice,)), new, twice, 1) == Rotated(alice)
    seen = replace(alice, announced=key("mallory").fingerprint)
    assert judge_rotation(New(), Pins((seen,)), new, both[:1], 1) == Different((seen,), new, None)
    same = replace(alice, announced=new.fingerprint)
    assert judge_rotation(New(), Pins((same,)), new, both[:1], 1) == Rotated(same)


def test_whose_new_key_is_refused_whatever_the_old_one_says() -> None:
    new, shown = key("bob"), (statement(key("bob")),)
    blocked, distrusted, newer = (
        signed_contact(trust=Trust.BLOCKED),
        signed_contact(trust=Trust.CHANGED),
        signed_contact(version=2),
    )
    for contact, verdict in (
        (blocked, Blocked(blocked)),
        (distrusted, Different((distrusted,), new, None)),
        (newer, Downgrade(newer, 1)),
    ):
        assert judge_rotation(New(), Pins((contact,)), new, shown, 1) == verdict


@pytest.mark.parametrize("trust", [Trust.PINNED, Trust.INVITED, Trust.VERIFIED, Trust.CHANGED])
def test_a_block_taken_back_leaves_what_was_before(trust: Trust) -> None:
    contact = met("alice").with_trust(trust, 150.0, "test")
    blocked = contact.blocked(200.0)
    assert blocked.history[-1] == Change(200.0, trust, Trust.BLOCKED, "blocked", contact.fingerprint)
    assert blocked.trust is Trust.BLOCKED
    assert blocked.blocked(300.0) is blocked
    back = blocked.unblocked(400.0)
    assert back.history[-1] == Change(400.0, Trust.BLOCKED, trust, "unblocked", contact.fingerprint)
    assert back.trust is trust
    assert back.unblocked(500.0) is back


@pytest.mark.parametrize(
    "history", [(), (Change(1.0, Trust.BLOCKED, Trust.BLOCKED, "?", fake(1).fingerprint),)]
)
def test_a_block_of_which_nothing_else_is_known(history: tuple[Change, ...]) -> None:
    assert replace(met("alice"), trust=Trust.BLOCKED, history=history).unblocked(1.0).trust is Trust.PINNED


def test_what_is_noted_of_a_blocked_contact_does_not_change_what_unblocking_gives_back() -> None:
    """A comparison that is under way when its contact is blocked is noted as cut off after that."""
    blocked = met("alice").with_trust(Trust.CHANGED, 150.0, "codes compared: different").blocked(200.0)
    noted = blocked.with_trust(Trust.BLOCKED, 201.0, "a comparison was cut off")
    assert noted.unblocked(300.0).trust is Trust.CHANGED
