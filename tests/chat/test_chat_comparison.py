"""Codes compared between two engines: what each side is told, and what its contacts keep."""

import asyncio
from collections.abc import Callable

import pytest
from chat_people import Face, change_contact, contacts, opened, person, secured, talking
from chat_raw import call

from securechat_tui.chat import comparing
from securechat_tui.chat.account import Account
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Closed,
    Code,
    ComparisonStopped,
    Error,
    Gate,
    Message,
    Peer,
    Rejected,
    SafetyNumber,
    Secure,
    TrustChanged,
    VerifyAsked,
)
from securechat_tui.protocol.events import Instant
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import (
    ComparisonAsk,
    ComparisonStep,
    ComparisonStop,
    Payload,
    StopReason,
)
from securechat_tui.storage.errors import CannotWrite
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.comparison import Comparison, Stage
from securechat_tui.trust.pins import Contact, Pins
from securechat_tui.trust.states import Trust

OTHER_VALUE = ComparisonStep(Kind.COMPARISON_REVEAL, b"x" * 32)

pytestmark = pytest.mark.usefixtures("quick_keys")


async def compare(one: Face, other: Face) -> tuple[Code, Code]:
    """Both persons ask; return what each is shown."""
    await one.engine.verify()
    await other.until(VerifyAsked)
    await other.engine.verify()
    return await one.until(Code), await other.until(Code)


def how(profile: Profile) -> list[str]:
    return [change.how for change in contacts(profile).contacts[0].history]


def only_contact(profile: Profile) -> Contact:
    (contact,) = contacts(profile).contacts
    return contact


async def test_both_see_the_same_and_say_so() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        hers, his = await compare(at_bob, at_alice)
        assert (hers.emoji, hers.signs, hers.digits) == (his.emoji, his.signs, his.digits)
        await at_alice.engine.match()
        await at_bob.engine.match()
        assert (await at_alice.until(TrustChanged)).trust is Trust.VERIFIED
        assert (await at_bob.until(TrustChanged)).fingerprint == at_alice.fingerprint
        await at_bob.engine.send("now verified")
        assert (await at_alice.until(Message)).trust is Trust.VERIFIED
    for profile in (alice, bob):
        assert only_contact(profile).trust is Trust.VERIFIED
        assert how(profile) == ["first contact", "codes compared: the same"]


async def test_verified_is_each_side_s_own_word() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        await at_alice.engine.match()
    assert only_contact(alice).trust is Trust.VERIFIED
    assert only_contact(bob).trust is Trust.PINNED


async def test_the_program_compares_what_is_read_out() -> None:
    async with talking(person("alice"), person("bob")) as (at_alice, at_bob):
        code, _ = await compare(at_alice, at_bob)
        wrong = f"{(int(code.digits) + 1) % 10**13:013d}"
        with pytest.raises(CommandError, match="not the digits"):
            await at_alice.engine.match(wrong)
        assert at_alice.all(TrustChanged) == []
        await at_alice.engine.match(f" {code.digits[:4]}-{code.digits[4:8]} {code.digits[8:]}")
        assert (await at_alice.until(TrustChanged)).trust is Trust.VERIFIED


async def test_different_codes_stop_the_conversation_on_both_sides() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        await at_alice.engine.differ()
        closed = await at_alice.until(Closed)
        assert (closed.reason, closed.by, closed.will_retry) == ("rejected", "me", False)
        assert (await at_bob.until(ComparisonStopped)).reason == "mismatch"
        assert (await at_bob.until(Closed)).reason == "rejected"
        with pytest.raises(CommandError):
            await at_alice.engine.send("no")
    assert only_contact(alice).trust is Trust.CHANGED
    assert how(alice)[-1] == "codes compared: different"
    assert only_contact(bob).trust is Trust.PINNED
    assert how(bob)[-1] == "the other side found the codes different"


async def test_after_different_codes_the_next_session_stands_at_its_gate_until_they_are_the_same() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        address = await at_alice.host()
        await secured(at_alice, at_bob, address)
        await compare(at_alice, at_bob)
        await at_bob.engine.differ()
        await at_bob.until(Closed)
        await at_alice.until(Closed)
        at_alice.forget()
        at_bob.forget()
        await at_bob.engine.join(address)
        gate = await at_bob.until(Gate)
        assert gate.reason == "comparison"
        await at_alice.until(Peer)
        with pytest.raises(CommandError, match="until you have decided"):
            await at_bob.engine.send("not yet")
        await compare(at_bob, at_alice)
        assert at_bob.all(Secure) == at_alice.all(Secure) == []
        await at_bob.engine.match()
        await asyncio.gather(at_bob.until(Secure), at_alice.until(Secure))
        await at_bob.engine.send("now")
        assert (await at_alice.until(Message)).text == "now"
    assert only_contact(bob).trust is Trust.VERIFIED


async def test_a_contact_that_was_distrusted_on_disk_is_distrusted_at_the_host() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (_, at_bob):
        bobs = Fingerprint.parse(at_bob.fingerprint)
    change_contact(alice, bobs, lambda contact: contact.with_trust(Trust.CHANGED, 1.0, "test"))
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await at_bob.engine.join(await at_alice.host())
        told = await at_alice.until(Peer)
        assert (told.trust, told.differed) == (Trust.CHANGED, True)
        assert (await at_alice.until(Gate)).reason == "comparison"
        await at_bob.until(Peer)
        assert at_bob.all(Secure) == []


async def test_not_now_decides_nothing() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        await at_alice.engine.decline()
        assert (await at_bob.until(ComparisonStopped)).reason == "declined"
        with pytest.raises(CommandError, match="no code"):
            await at_bob.engine.match()
        with pytest.raises(CommandError, match="No comparison"):
            await at_alice.engine.decline()
    assert how(alice) == how(bob) == ["first contact"]


async def test_a_cut_voids_a_run_and_is_kept() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        encounter = at_bob.engine.requests.encounter(None)
        assert encounter.connection is not None
        encounter.connection.abort()
        assert (await at_alice.until(ComparisonStopped)).reason == "cut"
        await at_bob.until(Secure)  # it is back by itself; the comparison is not
        with pytest.raises(CommandError, match="no code"):
            await at_bob.engine.match()
    assert how(alice) == ["first contact", "a comparison was cut off"]
    assert only_contact(alice).trust is Trust.PINNED


async def test_what_was_revealed_is_not_what_was_committed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the peer itself can do that: it is distrusted, and the session ends for good."""
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        monkeypatch.setattr(Comparison, "_reveal", lambda *_: [OTHER_VALUE])
        await at_alice.engine.verify()
        await at_bob.until(VerifyAsked)
        await at_bob.engine.verify()
        await at_alice.until(Rejected)
        assert (await at_bob.until(Closed)).reason == "rejected"
    assert only_contact(alice).trust is Trust.CHANGED
    assert how(alice)[-1] == "the other side's comparison did not add up"


async def test_a_verdict_that_cannot_be_kept_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        monkeypatch.setattr("securechat_tui.chat.account.save_contacts", no_space)
        with pytest.raises(CommandError, match="disk is full"):
            await at_alice.engine.match()
        assert at_alice.all(TrustChanged) == []
        monkeypatch.undo()
    assert only_contact(alice).trust is Trust.PINNED


async def test_different_codes_stop_the_conversation_even_with_a_full_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with talking(person("alice"), person("bob")) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        monkeypatch.setattr("securechat_tui.chat.account.save_contacts", no_space)
        await at_alice.engine.differ()
        assert (await at_alice.until(TrustChanged)).trust is Trust.CHANGED
        assert (await at_alice.until(Error)).code == "profile"
        assert (await at_alice.until(Closed)).reason == "rejected"
        monkeypatch.undo()


def no_space(profile: Profile, _: object) -> None:
    raise CannotWrite(path=profile.contacts_path, reason="the disk is full")


async def test_without_a_conversation_there_is_nothing_to_compare() -> None:
    async with opened(person("alice")) as at_alice:
        for command in (at_alice.engine.verify, at_alice.engine.differ, at_alice.engine.decline):
            with pytest.raises(CommandError, match="Nobody is here"):
                await command()
        with pytest.raises(CommandError, match="Nobody is here"):
            await at_alice.engine.match()


async def test_the_safety_number_is_the_same_on_both_sides_and_can_be_confirmed() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        await at_alice.engine.show_safety_number()
        await at_bob.engine.show_safety_number()
        hers, his = await at_alice.until(SafetyNumber), await at_bob.until(SafetyNumber)
        assert (hers.words, hers.digits) == (his.words, his.digits)
        await at_alice.engine.match_safety_number()
        assert (await at_alice.until(TrustChanged)).trust is Trust.VERIFIED
    assert how(alice) == ["first contact", "safety numbers compared: the same"]


async def test_who_says_that_codes_differ_where_there_are_none_leaves_no_trace() -> None:
    """A peer could push everything else out of the contact's history, with a write to the disk each time."""
    alice = person("alice")
    async with opened(alice) as at_alice:
        async with await call(await at_alice.host(), "bob") as bob:
            await bob.open()
            bob.say(*[ComparisonStop(StopReason.MISMATCH)] * 20)
            bob.say_texts("and now a word")
            await at_alice.until(Message)
        assert at_alice.all(ComparisonStopped) == []
    assert how(alice) == ["first contact"]


async def test_wishes_that_come_and_go_are_told_once_until_a_person_acts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wishes: list[Payload] = [ComparisonAsk(), ComparisonStop(StopReason.DECLINED)]
    async with opened(person("alice")) as at_alice, await call(await at_alice.host(), "bob") as bob:
        await bob.open()
        bob.say(*wishes * 20)
        bob.say_texts("and now a word")
        await at_alice.until(Message)
        assert at_alice.order(VerifyAsked, ComparisonStopped) == ["VerifyAsked", "ComparisonStopped"]
        at_alice.forget()
        await at_alice.engine.verify()
        bob.say(wishes[1], *wishes * 2)
        await at_alice.until(VerifyAsked)
        bob.say_texts("and another")
        await at_alice.until(Message)
        assert at_alice.order(VerifyAsked, ComparisonStopped) == [
            "ComparisonStopped",
            "VerifyAsked",
            "ComparisonStopped",
        ]
        at_alice.forget()
        monkeypatch.setattr(comparing, "now", lambda: Instant(1e12, 0.0))  # a pause has gone
        bob.say(*wishes)
        assert (await at_alice.until(ComparisonStopped)).reason == "declined"
        assert len(at_alice.all(VerifyAsked)) == 1


async def test_a_wish_that_is_not_told_can_be_taken_up_all_the_same() -> None:
    async with talking(person("alice"), person("bob")) as (at_alice, at_bob):
        await at_bob.engine.verify()
        await at_alice.until(VerifyAsked)
        await at_bob.engine.decline()
        await at_alice.until(ComparisonStopped)
        await at_bob.engine.verify()
        await at_bob.engine.send("are you there?")
        await at_alice.until(Message)
        assert len(at_alice.all(VerifyAsked)) == 1
        await at_alice.engine.verify()
        assert (await at_alice.until(Code)).digits == (await at_bob.until(Code)).digits


async def test_a_commitment_that_does_not_open_ends_the_session_before_that_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        encounter, store = at_alice.engine.requests.encounter(None), Account.change_pins
        ended: list[bool] = []

        async def watched(account: Account, change: Callable[[Pins], Pins]) -> None:
            if account is at_alice.engine.account and encounter.connection is not None:
                ended.append(encounter.connection.session.closed)
            await store(account, change)

        monkeypatch.setattr(Comparison, "_reveal", lambda *_: [OTHER_VALUE])
        monkeypatch.setattr(Account, "change_pins", watched)
        await at_alice.engine.verify()
        await at_bob.until(VerifyAsked)
        await at_bob.engine.verify()
        await at_alice.until(Closed)
    assert ended == [True]
    assert how(alice)[-1] == "the other side's comparison did not add up"


async def test_a_match_with_a_contact_that_was_forgotten_meanwhile_pins_nothing() -> None:
    alice = person("alice")
    async with talking(alice, person("bob")) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        await at_alice.engine.forget("bob")
        with pytest.raises(CommandError, match="have forgotten this contact"):
            await at_alice.engine.match()
        assert at_alice.all(TrustChanged) == []
    assert contacts(alice) == Pins()


async def test_a_wish_that_comes_while_a_match_is_stored_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking(person("alice"), person("bob")) as (at_alice, at_bob):
        await compare(at_alice, at_bob)
        at_alice.forget()
        encounter = at_alice.engine.requests.encounter(None)
        assert encounter.comparing is not None
        run, store = encounter.comparing.run, Account.change_pins

        async def slow(account: Account, change: Callable[[Pins], Pins]) -> None:
            await at_bob.engine.verify()
            await at_alice.until(VerifyAsked)
            await store(account, change)

        await at_bob.engine.match()
        monkeypatch.setattr(Account, "change_pins", slow)
        await at_alice.engine.match()
        monkeypatch.undo()
        assert run.stage is Stage.WANTED
