"""A changed key: nothing is sent, the draft is kept, a person decides."""

from dataclasses import replace

import pytest
from fake_engine import (
    OTHER_FINGERPRINT,
    PEER_FINGERPRINT,
    FakeEngine,
    closed,
    gate,
    key_changed,
    peer,
    secure,
    trust_changed,
)
from stage import Stage, in_conversation, on_stage

from securechat_tui.chat.events import Dialing, Trust
from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE
from securechat_tui.tui.opening import HostAt, Practice
from securechat_tui.tui.screens.alarm import AlarmScreen


class Rehearsal:
    """A practice peer that changes its key when told to."""

    def __init__(self, engine: FakeEngine) -> None:
        self.calls: list[str] = []
        self._engine = engine

    async def alarm(self) -> None:
        self.calls.append("alarm")
        self._engine.emit(closed(by="me"), key_changed())

    async def restore(self) -> None:
        self.calls.append("restore")


async def raise_alarm(stage: Stage, draft: str = "my draft", target: str = "bob") -> None:
    stage.app.chat.composer.put(draft)
    await stage.settle()
    stage.engine.emit(key_changed(target=target))
    await stage.until(lambda: isinstance(stage.app.screen, AlarmScreen))
    await stage.settle()
    stage.clock.now += SECONDS_TO_PAUSE


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (50, 20)])
async def test_it_says_what_happened_and_what_to_do(size: tuple[int, int]) -> None:
    async with on_stage(size=size) as stage:
        await raise_alarm(stage)
        assert stage.shows("KEY CHANGED")
        assert stage.shows("bob's key is DIFFERENT")
        assert stage.shows("Disconnect")
        assert stage.shows("Verify the new key")
        assert stage.shows("Read only")


async def test_both_keys_and_the_exact_command() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        for text in (
            PEER_FINGERPRINT,
            OTHER_FINGERPRINT,
            "Nothing was sent. Your draft is kept.",
            "securechat-tui join --new 192.168.1.20:8000",
            "+---[RSA 3072]----+     +---[RSA 3072]----+",
        ):
            assert stage.shows(text)


async def test_the_composer_is_disabled_and_the_draft_kept() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        assert stage.app.chat.composer.disabled
        await stage.type("xyz")
        assert stage.app.chat.composer.text == "my draft"
        assert stage.calls("send") == []


async def test_what_was_typed_on_does_not_answer_it() -> None:
    async with on_stage() as stage:
        stage.app.chat.composer.put("my draft")
        stage.engine.emit(key_changed())
        await stage.until(lambda: isinstance(stage.app.screen, AlarmScreen))
        await stage.settle()
        for key in ("g", "o", "space", "enter", "escape", "right", "enter"):
            stage.clock.now += SECONDS_TO_PAUSE - 0.1  # a slow typist
            await stage.pilot.press(key)
        await stage.settle()
        assert isinstance(stage.app.screen, AlarmScreen)
        assert stage.app.focused is not None
        assert stage.app.focused.id == "disconnect"
        stage.clock.now += SECONDS_TO_PAUSE
        await stage.press("right", "left", "enter")
        assert stage.app.chat.is_active
        assert stage.app.chat.composer.text == "my draft"
        assert stage.calls("send") == []


async def test_disconnect_is_the_default_and_keeps_the_draft() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        await stage.press("enter")
        assert stage.app.screen is stage.app.chat
        assert not stage.app.chat.composer.disabled
        assert stage.app.chat.composer.text == "my draft"
        assert stage.calls("send") == []
        assert stage.shows("✖ refused")


async def test_the_trust_word_is_changed() -> None:
    async with in_conversation(size=(80, 24)) as stage:
        assert stage.shows("◇ NEW")
        stage.engine.emit(closed("lost"))
        await raise_alarm(stage)
        await stage.press("enter")
        assert stage.shows("✖ CHANGED")


async def test_a_live_conversation_is_left_on_disconnect() -> None:
    async with in_conversation() as stage:
        await raise_alarm(stage)
        await stage.press("escape")
        assert stage.calls("leave") == [("leave",)]


async def test_read_only_keeps_the_composer_disabled() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        await stage.press("right", "right", "enter")
        assert stage.app.screen is stage.app.chat
        assert stage.app.chat.composer.disabled
        assert stage.shows("read only, draft kept")
        await stage.press("enter")
        assert stage.calls("send") == []


async def test_a_new_attempt_ends_read_only() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        await stage.press("right", "right", "enter")
        stage.engine.emit(Dialing(time=0.0, address="h", port=1, attempt=1))
        await stage.settle()
        assert not stage.app.chat.composer.disabled
        assert stage.app.chat.composer.text == "my draft"


async def test_the_whole_text_can_be_scrolled_by_keys() -> None:
    async with on_stage(size=(80, 24)) as stage:
        await raise_alarm(stage)
        assert not stage.shows("----[SHA256]-----+")
        await stage.press("pagedown", "pagedown", "down")
        assert stage.shows("----[SHA256]-----+")
        await stage.press("pageup", "pageup", "up")
        assert stage.shows("bob's key is DIFFERENT")


async def test_it_comes_over_whatever_is_open() -> None:
    async with in_conversation() as stage:
        await stage.press("f1")
        await raise_alarm(stage)
        await stage.press("enter")
        assert stage.app.screen is stage.app.chat


async def test_the_exit_code_of_a_join_that_was_refused() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        await stage.press("enter")
        await stage.pilot.press("ctrl+c", "ctrl+c")
        await stage.pilot.press("ctrl+c")
        assert stage.app.return_value == 4


async def test_a_caller_with_another_key_at_a_host() -> None:
    async with on_stage(HostAt("0.0.0.0:8000")) as stage:
        await raise_alarm(stage)
        assert stage.shows("The caller was turned away")
        assert not stage.shows("--new")
        await stage.press("enter")
        assert stage.shows("Waiting for a guest")
        assert stage.app.state.exit_code == 0


async def test_a_caller_does_not_end_a_conversation_with_somebody_else() -> None:
    async with on_stage(HostAt("0.0.0.0:8000")) as stage:
        stage.engine.emit(replace(peer("carol"), fingerprint="SHA256:carols"), secure())
        await stage.settle()
        await raise_alarm(stage)
        await stage.press("enter")
        assert stage.calls("leave") == []
        assert stage.shows("● connected")


async def test_verifying_the_new_key_calls_it_and_the_gate_locks_the_composer() -> None:
    async with on_stage() as stage:
        await raise_alarm(stage)
        await stage.press("right", "enter")
        assert stage.calls("verify_key") == [("verify_key", OTHER_FINGERPRINT, "bob")]
        stage.engine.emit(peer(trust=Trust.CHANGED), gate("key-changed", "Compare with /verify."))
        await stage.settle()
        assert stage.app.chat.composer.disabled
        assert stage.app.chat.composer.text == "my draft"
        assert stage.shows("Compare with /verify.")
        stage.engine.emit(trust_changed(Trust.VERIFIED), secure())
        await stage.settle()
        assert not stage.app.chat.composer.disabled
        assert stage.shows("✔ VERIFIED")


async def test_a_host_waits_for_the_next_call_of_the_new_key() -> None:
    async with on_stage(HostAt("0.0.0.0:8000")) as stage:
        await raise_alarm(stage, target="")
        await stage.press("right", "enter")
        assert stage.calls("verify_key") == [("verify_key", OTHER_FINGERPRINT, "")]
        assert stage.shows("When this key calls again within ten minutes")


async def test_a_key_that_is_known_as_somebody_else_s_is_none_to_verify() -> None:
    async with on_stage() as stage:
        stage.engine.emit(key_changed(offered_contact="carol"))
        await stage.until(lambda: isinstance(stage.app.screen, AlarmScreen))
        await stage.settle()
        assert stage.shows("Read only")
        assert not stage.shows("Verify the new key")


async def test_practising_it() -> None:
    engine = FakeEngine()
    practice = Rehearsal(engine)
    async with in_conversation(engine=engine, opening=Practice("127.0.0.1:9", practice)) as stage:
        await stage.enter("/alarm")
        await stage.until(lambda: isinstance(stage.app.screen, AlarmScreen))
        assert practice.calls == ["alarm"]
        assert stage.calls("leave") == [("leave",)]
        await stage.settle()
        stage.clock.now += SECONDS_TO_PAUSE
        await stage.press("enter")
        assert practice.calls == ["alarm", "restore"]
        assert stage.calls("join")[-1] == ("join", "127.0.0.1:9", False)
        assert stage.shows("That was the alarm.")
