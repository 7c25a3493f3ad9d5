"""F3: comparing codes, the words of two keys, and the gate of a key that was not believed."""

from dataclasses import replace

import pytest
from fake_engine import (
    CONVERSATION,
    NOON,
    OWN_FINGERPRINT,
    PEER_FINGERPRINT,
    code,
    gate,
    peer,
    safety_number,
    secure,
    trust_changed,
)
from scenes import SMALL, USUAL, WIDE
from stage import Stage, in_conversation, on_stage

from securechat_tui.chat.events import ComparisonStopped, Event, Trust, VerifyAsked
from securechat_tui.tui.screens.verify import VerifyScreen

WORDS = ("curious", "park", "lazy", "palace", "kingdom", "early", "drip", "must", "smile", "rule", "as", "is")
ASKED = VerifyAsked(time=NOON, conversation=CONVERSATION)


def stopped(reason: str) -> ComparisonStopped:
    return ComparisonStopped(time=NOON, conversation=CONVERSATION, reason=reason)


async def tell(stage: Stage, *events: Event) -> None:
    stage.engine.emit(*events)
    await stage.settle()


def is_open(stage: Stage) -> bool:
    return isinstance(stage.app.screen, VerifyScreen)


@pytest.mark.parametrize("way", ["f3", "/verify"])
async def test_both_keys_in_full_and_what_is_no_proof(way: str) -> None:
    async with in_conversation() as stage:
        await (stage.press(way) if way == "f3" else stage.enter(way))
        assert is_open(stage)
        for text in (OWN_FINGERPRINT, PEER_FINGERPRINT, "not proof", "◇ NEW"):
            assert stage.shows(text)
        assert stage.calls("show_safety_number")
        assert stage.app.state.trust is Trust.NEW


async def test_without_a_peer_only_one_s_own_half() -> None:
    async with on_stage() as stage:
        await stage.press("f3")
        assert stage.shows(OWN_FINGERPRINT)
        assert stage.shows("Nobody is connected")
        assert not stage.shows("Compare codes")
        assert stage.calls("show_safety_number") == []


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
async def test_asking_then_the_code_then_a_match(size: tuple[int, int]) -> None:
    async with in_conversation(size=size) as stage:
        await stage.press("f3", "right", "enter")
        assert stage.calls("verify")
        assert stage.shows("Waiting until bob")
        await tell(stage, code())
        for name in code().emoji:
            assert stage.shows(name)
        assert stage.shows("They differ")
        await stage.press("right", "enter")
        assert stage.calls("match") == [("match", None)]
        await tell(stage, trust_changed(Trust.VERIFIED))
        assert stage.shows("✔ VERIFIED")
        assert not stage.shows("They match")
        assert stage.app.state.trust is Trust.VERIFIED


async def test_the_digits_are_shown_and_can_be_typed_in() -> None:
    async with in_conversation() as stage:
        await tell(stage, code())
        assert stage.shows("2383 9467 3971 6")
        await stage.press("shift+tab")
        await stage.type("2383 9467")
        await stage.press("enter")
        assert stage.calls("match") == [], "half a code is none"
        await stage.type("3971 6")
        await stage.press("enter")
        assert stage.calls("match") == [("match", "2383 94673971 6")]


async def test_digits_behind_the_slash_word() -> None:
    async with in_conversation() as stage:
        await stage.enter("/verify 2383 9467 3971 6")
        assert stage.calls("match") == [("match", "2383 9467 3971 6")]


async def test_the_first_button_decides_nothing() -> None:
    async with in_conversation() as stage:
        await tell(stage, code())
        assert is_open(stage), "who has asked for a code sees it"
        await stage.press("enter")
        assert not is_open(stage)
        assert stage.calls("decline")
        assert stage.calls("match") == stage.calls("differ") == []


async def test_a_code_moves_the_focus_back_to_what_is_safe() -> None:
    """Enter pressed in the moment in which the code comes must not say that it matches."""
    async with in_conversation() as stage:
        await tell(stage, ASKED)
        await stage.press("f3", "right")
        await tell(stage, code())
        assert stage.app.focused is not None
        assert stage.app.focused.id == "not-now"


async def test_they_differ_leads_back_to_the_log() -> None:
    async with in_conversation() as stage:
        await tell(stage, code())
        await stage.press("right", "right", "enter")
        assert stage.calls("differ")
        await tell(stage, trust_changed(Trust.CHANGED, "codes compared: different"))
        assert not is_open(stage)
        assert stage.shows("✖ CHANGED: codes compared: different")
        await stage.press("f3")
        assert stage.shows("a comparison of codes with this key has failed")
        await tell(stage, trust_changed(Trust.VERIFIED))
        assert stage.shows("you have compared codes with this key's owner")


@pytest.mark.parametrize("differed", [True, False], ids=["codes-differed", "another-key"])
async def test_why_a_key_is_changed(differed: bool) -> None:
    async with on_stage() as stage:
        await tell(stage, peer(trust=Trust.CHANGED, differed=differed))
        await stage.press("f3")
        assert stage.shows("a comparison of codes with this key has failed") == differed
        assert stage.shows("a different key stands where this contact's key is expected") == (not differed)


async def test_the_person_there_asks_first() -> None:
    async with in_conversation() as stage:
        await tell(stage, ASKED)
        assert stage.shows("would like to compare codes with you: F3")
        assert not is_open(stage), "nobody opens a screen here but the person"
        await stage.press("f3")
        assert stage.shows("bob would like to compare codes")
        await tell(stage, stopped("declined"))
        assert stage.shows("Call bob, or meet")


@pytest.mark.parametrize(
    ("reason", "words"), [("declined", "without a decision"), ("mismatch", "DIFFER"), ("cut", "cut off")]
)
async def test_how_a_comparison_ended(reason: str, words: str) -> None:
    async with in_conversation() as stage:
        await tell(stage, stopped(reason))
        assert stage.shows(words)


async def test_escape_while_waiting_takes_the_wish_back() -> None:
    async with in_conversation() as stage:
        await stage.press("f3", "right", "enter", "escape")
        assert not is_open(stage)
        assert stage.calls("decline")


async def test_words_that_were_derived_for_somebody_else_are_not_shown() -> None:
    """They may come when the one they are about has gone, and another is here."""
    async with in_conversation() as stage:
        await stage.press("f3")
        await tell(stage, replace(safety_number(WORDS), conversation="0" * 64))
        assert not stage.shows(" ".join(WORDS[:6]))
        assert not stage.shows("The words match")


async def test_the_words_can_be_confirmed_once() -> None:
    async with in_conversation() as stage:
        await stage.press("f3")
        assert not stage.shows("The words match")
        await tell(stage, safety_number(WORDS))
        assert stage.shows(" ".join(WORDS[:6]))
        assert stage.shows("1147 4593 0470 1259 0129")
        await stage.press("shift+tab", "enter")
        assert stage.calls("match_safety_number") == [("match_safety_number", CONVERSATION)]
        await tell(stage, trust_changed(Trust.VERIFIED, "safety numbers compared: the same"))
        assert not stage.shows("The words match")


async def test_at_the_gate_nothing_is_sent_and_the_draft_is_kept() -> None:
    async with on_stage() as stage:
        stage.app.chat.composer.put("my draft")
        await tell(stage, peer(trust=Trust.CHANGED), gate("comparison", "Codes DIFFERED. Nothing is sent."))
        assert stage.app.chat.composer.disabled
        assert stage.app.chat.composer.text == "my draft"
        assert stage.shows("Codes DIFFERED")
        await stage.press("f3")
        assert stage.shows("Compare codes")
        await stage.press("escape")
        await tell(stage, trust_changed(Trust.VERIFIED), secure())
        assert not stage.app.chat.composer.disabled
        assert stage.app.chat.composer.text == "my draft"
        assert stage.calls("send") == []


async def test_scrolling_what_is_longer_than_the_screen() -> None:
    async with in_conversation(size=SMALL) as stage:
        await stage.press("f3")
        top = stage.text()
        await stage.press("down", "pagedown")
        assert stage.text() != top
        await stage.press("up", "pageup")
        assert stage.text() == top
