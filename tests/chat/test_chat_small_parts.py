"""The parts of the engine that need no network: names and addresses, sentences, limits, the stream."""

import asyncio
import getpass
from dataclasses import replace

import pytest
from chat_boxes import empty_shelf
from chat_people import contacts, person
from protocol_peers import identity_key
from stored_contacts import put_contacts

from securechat_tui.chat import endings, limits, profiles, reception, refusals
from securechat_tui.chat.account import Account, login_name
from securechat_tui.chat.address_book import open_address_book
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.endings import Return, closed_event
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Event, Notice, SafeText, Trust
from securechat_tui.chat.house import Dialled
from securechat_tui.chat.limits import MAX_TEXT_BYTES, HourlyLimit, check_text
from securechat_tui.chat.stream import EventStream
from securechat_tui.chat.targets import choose_target, own_secrets, verifying
from securechat_tui.chat.turns import Turns
from securechat_tui.protocol.events import End, Ended, Instant
from securechat_tui.protocol.payloads import GoodbyeReason
from securechat_tui.storage.errors import BadProfileName, DiskFull, IdentityExists
from securechat_tui.storage.profile import DEFAULT_PROFILE, Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.verdicts import Blocked, Different, Downgrade

THERE = ("192.0.2.1", 8000)


def contact(name: str, called: str = "", *addresses: tuple[str, int]) -> Contact:
    met = Contact.met(identity_key(name).public, 1000.0, 1)
    return replace(met, name=SafeText.name(called or name), named=True, addresses=addresses)


def secrets(one: Contact, newest: int, confirmed: int) -> Contact:
    return replace(one, newest=bytes((newest,)) * 32, confirmed=bytes((confirmed,)) * 32)


# Targets.


def test_a_name_is_called_at_its_last_address() -> None:
    bob = contact("bob", "bob", ("192.0.2.9", 9), THERE)
    assert choose_target(Pins((bob,)), " BOB ".strip(), new=False) == Dialled("BOB", bob, THERE)


def test_a_contact_that_only_ever_called_has_no_address() -> None:
    with pytest.raises(CommandError, match="join ADDRESS") as error:
        choose_target(Pins((contact("bob"),)), "bob", new=False)
    assert error.value.code == "bad-address"


@pytest.mark.parametrize(
    ("typed", "endpoint"),
    [
        ("192.0.2.1", THERE),
        ("192.0.2.1:9", ("192.0.2.1", 9)),
        ("[2001:db8::1]:9", ("2001:db8::1", 9)),
        ("2001:db8::1", ("2001:db8::1", 8000)),
        ("host.example", ("host.example", 8000)),
        ("localhost", ("localhost", 8000)),
    ],
)
def test_an_address_expects_who_is_pinned_there(typed: str, endpoint: tuple[str, int]) -> None:
    assert choose_target(Pins(), typed, new=False) == Dialled(typed, endpoint, endpoint)
    assert choose_target(Pins(), typed, new=True) == Dialled(typed, None, endpoint)


@pytest.mark.parametrize("name", ["host.example", "192.0.2.1", "192.0.2.1:9", "2001:db8::1", "a.b"])
def test_no_name_catches_calls_to_a_machine(name: str) -> None:
    trap = replace(contact("mallory", "x", THERE), name=SafeText.name(name))
    dialled = choose_target(Pins((trap,)), name, new=False)
    assert not isinstance(dialled.target, Contact)
    assert dialled.endpoint != THERE or name == "192.0.2.1"


@pytest.mark.parametrize("name", ["Dr. Bob", "192.0.2.1:9 --new", "a: b"])
def test_what_can_be_no_address_is_a_contact(name: str) -> None:
    bob = replace(contact("bob", "bob", THERE), name=SafeText.name(name))
    assert choose_target(Pins((bob,)), name, new=False) == Dialled(name, bob, THERE)
    with pytest.raises(CommandError) as error:
        choose_target(Pins((bob,)), name, new=True)
    assert error.value.code == "bad-address"


def test_a_fingerprint_means_the_contact_whatever_names_say() -> None:
    bob, key = contact("bob", "bob", THERE), str(contact("bob").fingerprint)
    trap = replace(contact("mallory", "x", ("192.0.2.9", 9)), name=SafeText.name(key))
    assert choose_target(Pins((trap, bob)), key, new=False) == Dialled(key, bob, THERE)
    other = contact("alice").fingerprint
    called = verifying(Pins((trap, bob)), key, str(other))  # as after an alarm, whose target it was
    assert called == Dialled(key, bob, THERE, verifying=other)
    with pytest.raises(CommandError) as error:
        choose_target(Pins((trap,)), key, new=False)
    assert error.value.code == "unknown-contact"


def test_new_means_the_machine_even_where_a_contact_has_that_name() -> None:
    bob = contact("bob", "bob", THERE)
    assert choose_target(Pins((bob,)), "bob", new=True) == Dialled("bob", None, ("bob", 8000))


def test_what_is_neither_name_nor_address() -> None:
    with pytest.raises(CommandError) as error:
        choose_target(Pins(), "who is that?", new=False)
    assert error.value.code == "bad-address"


def test_the_secrets_shown_are_those_of_whom_is_meant() -> None:
    bob = secrets(contact("bob", "bob", THERE), 1, 2)
    carol = replace(secrets(contact("carol", "carol", THERE), 3, 4), last_seen=2000.0)
    pins = Pins((bob, carol))
    assert own_secrets(pins, Dialled("bob", bob, THERE)) == (bob.newest, bob.confirmed)
    assert own_secrets(pins, Dialled("", THERE, THERE)) == (carol.newest, carol.confirmed)
    assert own_secrets(pins, Dialled("", None, THERE)) == (None, None)
    assert own_secrets(pins, Dialled("", ("192.0.2.2", 1), ("192.0.2.2", 1))) == (None, None)


# Refusals.


def test_a_guests_refusals_name_the_address_and_one_reason_each() -> None:
    expected = {End.BUSY: "busy", End.VERSION: "version", End.SELF: "self"}
    for how in End:
        told = refusals.refused_end(how, "host:1", invited=False)
        assert told.reason == expected.get(how, "handshake")
        assert "host:1" in told.message
        told = refusals.refused_end(how, "host:1", invited=True)
        assert told.reason == expected.get(how, "invite")
    for invited in (False, True):
        remote = {
            refusals.refused_end(how, "a:1", invited=invited).message for how in End if how not in expected
        }
        assert len(remote) == 1, "one sentence for all remote failures"


@pytest.mark.parametrize("trust", [Trust.PINNED, Trust.VERIFIED])
@pytest.mark.parametrize("dialled", ["", "192.0.2.1"])
@pytest.mark.parametrize("known", [False, True])
def test_the_alarm_says_who_and_what_to_do(trust: Trust, dialled: str, known: bool) -> None:
    bob = replace(contact("bob"), trust=trust)
    offered = identity_key("mallory").public
    verdict = Different((bob,), offered, contact("mallory") if known else None)
    told = refusals.refused_changed(verdict, "192.0.2.1:8000", dialled=dialled)
    assert (told.reason, told.contact, told.trust) == ("key-changed", "bob", trust)
    assert (told.expected, told.offered) == (str(bob.fingerprint), str(offered.fingerprint))
    assert told.offered_contact == ("mallory" if known else "")
    assert told.pinned_since == 1000.0
    assert "Nothing was sent" in told.message
    assert ("--new" in told.message) == bool(dialled)
    if known:
        assert "mallory answered, not bob" in told.message
    else:
        assert f"{trust} here" in told.message


def test_blocked_and_downgraded_contacts() -> None:
    bob = contact("bob")
    blocked = refusals.refused_blocked(Blocked(bob), "a:1")
    assert (blocked.reason, blocked.contact, blocked.address) == ("blocked", "bob", "a:1")
    older = refusals.refused_version(Downgrade(bob, 1), "a:1")
    assert older.reason == "version"
    assert "bob" in older.message


# Endings.


@pytest.fixture
async def conversation() -> Conversation:
    bob = identity_key("bob").public
    found = Conversation(
        identity_key("alice"), bob, empty_shelf(), EventStream(), asyncio.Event(), turns=Turns()
    )
    found.name = SafeText.name("bob")
    return found


@pytest.mark.parametrize(
    ("end", "quitting", "told"),
    [
        (Ended(End.GOODBYE, GoodbyeReason.LEAVING.name), False, ("goodbye", "peer")),
        (Ended(End.GOODBYE, GoodbyeReason.REJECTED.name), False, ("rejected", "peer")),
        (Ended(End.GOODBYE, GoodbyeReason.REPLACED.name), False, ("goodbye", "peer")),
        (Ended(End.GOODBYE, GoodbyeReason.GATED.name), False, ("rejected", "peer")),
        (Ended(End.LEFT, ""), False, ("goodbye", "me")),
        (Ended(End.LEFT, ""), True, ("quit", "me")),
        (Ended(End.LOST, ""), False, ("lost", "peer")),
        (Ended(End.VIOLATION, ""), False, ("rejected", "me")),
    ],
)
async def test_how_an_end_is_told(
    conversation: Conversation, end: Ended, quitting: bool, told: tuple[str, str]
) -> None:
    event = closed_event(conversation, end, Return.NONE, quitting=quitting)
    assert (event.reason, event.by) == told
    assert event.conversation == conversation.id
    assert not event.will_retry
    assert "bob" in event.message


def test_every_goodbye_has_a_sentence() -> None:
    assert set(endings._GOODBYES) == {reason.name for reason in GoodbyeReason}


# Limits.


def test_an_hour_has_so_many_strangers() -> None:
    limit = HourlyLimit(2)
    for moment in (0.0, 10.0):
        assert limit.has_room(moment)
        limit.count(moment)
    assert not limit.has_room(3599.9)
    assert limit.has_room(3600.0)
    limit.count(3600.0)
    assert not limit.has_room(3609.9)
    assert limit.has_room(3610.0)


@pytest.mark.parametrize("text", ["x", "x" * MAX_TEXT_BYTES, "ä" * (MAX_TEXT_BYTES // 2), " ", "\n"])
def test_text_within_its_bounds(text: str) -> None:
    check_text(text)


def test_the_bound_of_a_text_is_told_with_its_length() -> None:
    with pytest.raises(CommandError, match="32,769 bytes and at most 32,768"):
        check_text("x" * (limits.MAX_TEXT_BYTES + 1))


# The stream.


async def test_a_flood_of_one_kind_of_notice_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    moment = 100.0
    monkeypatch.setattr(reception, "now", lambda: Instant(moment, 0.0))
    desk = reception.Reception(Account(Profile.named("alice")))
    monkeypatch.setattr(desk.stream, "emit", told.append)
    for number in range(20):
        desk.notice("{address} was told that you are busy.", address=f"192.0.2.{number}")
    desk.notice("A call from {address} came to nothing: {detail}.", address="{x}", detail="{}")
    assert [one.message for one in told if isinstance(one, Notice)] == [
        "192.0.2.0 was told that you are busy.",
        "A call from {x} came to nothing: {}.",
    ]
    moment += reception._NOTICE_PAUSE_SECONDS
    desk.notice("{address} was told that you are busy.", address="192.0.2.99")
    assert len(told) == 3


def note(text: str) -> Notice:
    return Notice(time=0.0, message=text)


async def test_the_stream_ends_after_what_waits() -> None:
    stream = EventStream()
    for text in ("one", "two"):
        stream.emit(note(text))
    stream.close()
    assert [one async for one in stream] == [note("one"), note("two")]
    assert [one async for one in stream] == []


async def test_the_stream_tells_what_comes_while_it_is_read() -> None:
    stream = EventStream()
    seen: list[Event] = []

    async def read() -> None:
        async for event in stream:
            seen.append(event)
            if len(seen) == 1:
                stream.emit(note("two"))
                stream.close()

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    stream.emit(note("one"))
    await reading
    assert seen == [note("one"), note("two")]


async def test_the_stream_has_room_again_when_half_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.stream._MANY", 4)
    stream = EventStream()
    await stream.room()
    for number in range(4):
        stream.emit(note(str(number)))
    waiting = asyncio.create_task(stream.room())
    reader = aiter(stream)
    for left in (3, 2):
        await anext(reader)
        assert len(stream._waiting) == left
        await asyncio.sleep(0)
        assert not waiting.done()
    await anext(reader)
    await anext(reader)
    await waiting


async def test_a_closed_stream_holds_nobody_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("securechat_tui.chat.stream._MANY", 1)
    stream = EventStream()
    stream.emit(note("unread"))
    stream.close()
    await stream.room()


# Accounts.


async def test_contacts_that_do_not_change_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        pytest.fail("written")

    found = Account(person("alice"))
    await found.open()
    monkeypatch.setattr(Store, "keep_pins", fail)
    await found.change_pins(lambda pins: pins)
    await found.close()


async def test_contacts_that_cannot_be_written_have_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DiskFull(path="index.db")

    found = Account(person("alice"))
    await found.open()
    monkeypatch.setattr(Store, "keep_pins", fail)
    with pytest.raises(DiskFull):
        await found.change_pins(lambda _: Pins((contact("bob"),)))
    assert found.pins == Pins()
    await found.close()


async def test_changes_at_the_same_moment_are_both_kept() -> None:
    found = Account(person("alice"))
    await found.open()
    await asyncio.gather(
        found.change_pins(lambda pins: pins.with_contact(contact("bob"))),
        found.change_pins(lambda pins: pins.with_contact(contact("carol"))),
    )
    assert [one.name for one in found.pins.contacts] == ["bob", "carol"]
    assert contacts(found.profile) == found.pins
    await found.close()


# Profiles without an engine.


def test_a_profile_is_found_by_name() -> None:
    assert profiles.open_profile(None).name == DEFAULT_PROFILE
    assert profiles.open_profile("work").name == "work"
    with pytest.raises(BadProfileName):
        profiles.open_profile("../other")


def test_a_profile_without_identity() -> None:
    for ask in (profiles.stored_key, profiles.require_identity):
        with pytest.raises(CommandError) as error:
            ask(profiles.open_profile("fresh"))
        assert error.value.code == "no-identity"


def test_an_identity_is_made_once() -> None:
    profile = profiles.open_profile("fresh")
    made = profiles.new_identity(profile, "  Zoë ", 3072)
    assert (made.name, made.key_bits) == ("Zoë", 3072)
    key = profiles.stored_key(profile)
    assert profiles.show_identity(profile, key) == made
    with pytest.raises(IdentityExists):
        profiles.new_identity(profile, "other", 3072)
    assert profiles.stored_key(profile).public == key.public


def test_the_name_is_the_login_name_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "zoe")
    profile = person("fresh", "alice")
    profile.config_path.unlink()
    assert profiles.show_identity(profile, identity_key("alice")).name == login_name() == "zoe"


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_who_has_no_login_name(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def fail() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    assert login_name() == "anonymous"


def test_contacts_are_listed_and_forgotten() -> None:
    profile = person("alice")
    with profile:
        put_contacts(profile, Pins((contact("bob", "bob", THERE, ("2001:db8::1", 9)),)))
        with open_address_book(profile, profiles.stored_keys(profile)) as book:
            (seen,) = book.all()
            assert (seen.name, seen.trust, seen.key_bits) == ("bob", Trust.PINNED, 3072)
            assert seen.addresses == ("[2001:db8::1]:9", "192.0.2.1:8000")
            assert seen.randomart
            with pytest.raises(CommandError) as error:
                book.forget("carol")
            assert error.value.code == "unknown-contact"
            book.forget("BOB")
            assert book.all() == ()
    assert contacts(profile) == Pins()
