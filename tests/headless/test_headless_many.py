"""Several conversations in the faces without a screen, and talking with a contact."""

import asyncio
from dataclasses import replace

import pytest
from headless_fake_engine import CONVERSATION, TIME, FakeEngine, closed, peer, refused, secure
from headless_rig import Rig

from securechat_tui.chat.events import Closed, Hosting, Peer, SafeText, Trust
from securechat_tui.chat.views import ConversationView
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.lifecycle import Lifecycle
from securechat_tui.headless.openings import HostAt, JoinTarget, Stay, TalkTo

OTHER = "c1" * 32
HOST = HostAt("0.0.0.0:8000")
TALK = TalkTo("bob", "127.0.0.1:9000")


def carol() -> Peer:
    return replace(peer("carol", role="guest"), conversation=OTHER)


def view(name: str, conversation: str, *, live: bool = True) -> ConversationView:
    return ConversationView(
        conversation,
        SafeText(name),
        "SHA256:x",
        Trust.PINNED,
        live,
        awaited=False,
        unread=0,
        waiting=0,
        last=0.0,
    )


def over(conversation: str, reason: str = "goodbye", *, awaited: bool = False) -> Closed:
    return replace(closed(reason), conversation=conversation, awaited=awaited)


# Whom lines are for.


def test_lines_are_for_who_was_first_until_that_one_has_left() -> None:
    lifecycle = Lifecycle(HOST)
    for event, addressee in (
        (peer(role="guest"), CONVERSATION),
        (carol(), CONVERSATION),
        (over(CONVERSATION), None),
    ):
        lifecycle.observe(event)
        assert lifecycle.addressee == addressee
    assert lifecycle.is_unaddressed
    lifecycle.address(OTHER)
    assert (lifecycle.addressee, lifecycle.is_unaddressed) == (OTHER, False)
    lifecycle.observe(over(OTHER))
    assert not lifecycle.is_unaddressed, "nobody is here"
    lifecycle.observe(peer(role="guest"))
    assert lifecycle.addressee == CONVERSATION


async def test_nothing_typed_for_one_goes_to_another_who_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    engine = FakeEngine()
    async with Rig(engine, plain=True, opening=HOST, attended=True) as rig:
        await engine.asked_for("host")
        engine.emit(peer(role="guest"), secure(), carol(), over(CONVERSATION))
        engine.conversations = (OTHER,)
        engine.views = (view("carol", OTHER), view("bob", CONVERSATION, live=False))
        rig.type("for bob", "/to nobody", "/to Carol", "/to", "/leave")
        await engine.asked_for("leave")
        rig.type("/quit")
        assert await rig.code() is ExitCode.DONE
        assert "Your lines are not for <carol>; /to carol changes that." in rig.text
        assert "Others are here: /to NAME" in rig.text
        assert "Your lines are for <carol> from here on." in rig.text
    assert engine.sent == []
    assert ("leave", OTHER) in engine.asked
    told = capsys.readouterr().err
    assert "Nothing was sent: say to whom first, with /to NAME." in told
    assert "Say to whom: /to NAME. Here: carol." in told


# Talking.


@pytest.mark.parametrize("plain", [False, True], ids=["json", "plain"])
async def test_talk_from_the_command_line(plain: bool) -> None:
    engine = FakeEngine(peer(), secure())
    async with Rig(engine, plain=plain, opening=TALK) as rig:
        rig.type("hi" if plain else {"cmd": "send", "text": "hi"})
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert ("talk", "bob", "127.0.0.1:9000") in engine.asked
    assert engine.sent == ["hi"]


@pytest.mark.parametrize("plain", [False, True], ids=["json", "plain"])
async def test_talk_by_command(plain: bool) -> None:
    engine = FakeEngine(peer(), secure())
    async with Rig(engine, plain=plain, opening=Stay()) as rig:
        if plain:
            rig.type("/talk", "/talk bob", "/connections", "/quit")
        else:
            rig.type({"cmd": "talk", "name": "bob"}, {"cmd": "connections", "ref": "c"}, {"cmd": "quit"})
        assert await rig.code() is ExitCode.DONE
        if plain:
            assert "from 192.0.2.9:4711  <carol>  goodbye  1 min" in rig.text
        else:
            told = rig.event("connections")
            assert told["ref"] == "c"
            assert told["connections"] == [
                {
                    "time": TIME,
                    "direction": "in",
                    "address": "192.0.2.9:4711",
                    "who": "carol",
                    "outcome": "goodbye",
                    "duration": 61.0,
                }
            ]
    assert ("talk", "bob", None) in engine.asked


async def test_join_by_command_beside_a_conversation() -> None:
    engine = FakeEngine(peer(), secure())
    async with Rig(engine) as rig:
        rig.type({"cmd": "join", "target": "192.0.2.8", "new": True}, {"cmd": "quit"})
        assert await rig.code() is ExitCode.DONE
    assert ("join", "192.0.2.8", True) in engine.asked


def test_a_cut_does_not_end_a_talk_whoever_had_called() -> None:
    lifecycle = Lifecycle(TALK)
    lifecycle.expect_peer()
    hosting = Hosting(time=TIME, active=True)
    for event in (hosting, peer(), secure(), over(CONVERSATION, "lost", awaited=True)):
        lifecycle.observe(event)
    assert not lifecycle.is_over
    assert lifecycle.addressee == CONVERSATION
    assert lifecycle.exit_code(undelivered=0, interrupted=False) is ExitCode.DONE
    for event in (peer(), secure(), over(CONVERSATION)):
        lifecycle.observe(event)
    assert not lifecycle.is_over, "it still listens"
    lifecycle.observe(Hosting(time=TIME, active=False))
    assert lifecycle.is_over
    assert lifecycle.exit_code(undelivered=0, interrupted=False) is ExitCode.DONE


async def test_a_talk_that_meets_another_key_is_over() -> None:
    engine = FakeEngine(refused("key-changed"), Hosting(time=TIME, active=False))
    async with Rig(engine, opening=TALK) as rig:
        assert await rig.code() is ExitCode.DISTRUSTED


async def test_a_join_is_not_over_while_another_is_called() -> None:
    engine = FakeEngine(peer(), secure())
    engine.is_calling = True
    async with Rig(engine, opening=JoinTarget("192.0.2.7")) as rig:
        await engine.asked_for("join")
        engine.emit(closed())
        rig.type({"cmd": "connections"})
        while "connections" not in rig.text:  # noqa: ASYNC110 - the rig's output is a file
            await asyncio.sleep(0.01)
        engine.is_calling = False
        engine.emit(refused("busy"))
        assert await rig.code() is ExitCode.UNREACHABLE
