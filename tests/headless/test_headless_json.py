import asyncio
import dataclasses
import json
from typing import Any

import msgspec
import pytest
from headless_fake_engine import (
    CONVERSATION,
    FINGERPRINT,
    TIME,
    FakeEngine,
    closed,
    error,
    message,
    peer,
    refused,
    secure,
)
from headless_rig import Rig

from securechat_tui.chat import events as event_module
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Cancelled,
    Checks,
    Event,
    Gate,
    Rejected,
    Rekeyed,
    RoundTrip,
    SafeText,
    Trust,
    TrustChanged,
)
from securechat_tui.headless import run
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.json_lines import encode_event, event_word
from securechat_tui.headless.lifecycle import Lifecycle
from securechat_tui.headless.openings import HostAt, JoinTarget, Stay
from securechat_tui.headless.standard_streams import MAX_LINE_BYTES

OTHER = "c1" * 32
HOST = HostAt("0.0.0.0:8000")

CONTRACT = {
    "ready": {"profile", "name", "fingerprint", "version"},
    "listening": {"address", "port"},
    "dialing": {"address", "port", "attempt"},
    "peer": {"conversation", "name", "fingerprint", "trust", "address", "role"},
    "secure": {"conversation", "session", "epoch", "suite"},
    "gate": {"conversation", "reason"},
    "verify-asked": {"conversation"},
    "code": {"conversation", "emoji", "digits"},
    "trust": {"fingerprint", "trust", "how"},
    "rekeyed": {"conversation", "epoch"},
    "message": {
        "conversation", "number", "text", "author", "name", "claimed", "late", "checks", "trust",
    },
    "queued": {"conversation", "number", "ref"},
    "sent": {"conversation", "number", "ref"},
    "delivered": {"conversation", "number", "ref"},
    "closed": {"conversation", "reason", "by", "will_retry"},
    "rejected": {"conversation", "number", "check"},
    "refused": {"reason"},
    "invite": {"invite", "expires"},
    "connections": {"connections"},
    "history": {"conversation", "messages"},
    "found": {"conversation", "messages"},
    "wiped": {"conversation"},
    "error": {"code", "message"},
}  # fmt: skip
"""The events that programs rely on, and the fields of each besides ``event`` and ``time``."""


def joining(*, delivers: bool = True, has_identity: bool = True) -> FakeEngine:
    return FakeEngine(peer(), secure(), delivers=delivers, has_identity=has_identity)


def decoded(event: Event) -> dict[str, Any]:
    line = encode_event(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    value = msgspec.json.decode(line)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("word", CONTRACT)
def test_every_event_of_the_contract_has_its_fields(word: str) -> None:
    kinds = {event_word(kind): kind for kind in vars(event_module).values() if isinstance(kind, type)}
    assert CONTRACT[word] | {"time"} <= {field.name for field in dataclasses.fields(kinds[word])}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (secure(), {"event": "secure", "session": "ab" * 32, "epoch": 0, "time": TIME}),
        (peer(), {"event": "peer", "trust": "new", "role": "host", "name": "bob"}),
        (closed(), {"event": "closed", "reason": "goodbye", "by": "peer", "will_retry": False}),
        (
            Rekeyed(time=TIME, conversation=CONVERSATION, epoch=3),
            {"event": "rekeyed", "conversation": CONVERSATION, "epoch": 3},
        ),
        (
            RoundTrip(time=TIME, conversation=CONVERSATION, seconds=0.5),
            {"event": "round-trip", "seconds": 0.5},
        ),
        (Gate(time=TIME, conversation=CONVERSATION, reason="resume", message="Decide."), {"event": "gate"}),
        (
            Rejected(time=TIME, conversation=CONVERSATION, number=7, check="signed", message="It failed."),
            {"event": "rejected", "number": 7, "check": "signed"},
        ),
        (refused("busy"), {"event": "refused", "reason": "busy"}),
        (error(), {"event": "error", "code": "cannot-connect"}),
    ],
)
def test_events_in_json(event: Event, expected: dict[str, Any]) -> None:
    assert decoded(event).items() >= expected.items()


def test_a_message_in_json() -> None:
    checks = Checks(intact=True, in_order=True, fresh=False, signed=True)
    value = decoded(message('two\n"lines" é', checks=checks, late=True))
    assert value["text"] == 'two\n"lines" é'
    assert value["checks"] == {"intact": True, "in_order": True, "fresh": False, "signed": True}
    assert value["late"] is True
    assert value["trust"] == "pinned"
    assert value["author"] == FINGERPRINT
    assert list(value)[:2] == ["event", "time"]


async def test_an_identity_that_was_locked_meanwhile_is_exit_code_five(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command line asks for the passphrase before a run; another program may set one in between."""
    async with Rig(FakeEngine(locked=True)) as rig:
        assert await rig.code() == ExitCode.PROFILE
        assert rig.event("error")["code"] == "passphrase"
        assert [event["event"] for event in rig.events] == ["error"]
    assert "start again" in capsys.readouterr().err


async def test_a_whole_run_in_its_order() -> None:
    async with Rig(joining()) as rig:
        rig.type({"cmd": "send", "text": "/exit is text", "ref": "a"}, {"cmd": "quit"})
        assert await rig.code() is ExitCode.DONE
        words = [event["event"] for event in rig.events]
        assert all(event["time"] == TIME for event in rig.events)
    assert words == ["ready", "dialing", "peer", "secure", "queued", "sent", "delivered", "closed"]
    assert rig.engine.sent == ["/exit is text"]


async def test_what_was_sent_comes_back_with_its_ref() -> None:
    async with Rig(joining()) as rig:
        rig.type({"cmd": "send", "text": "exit", "ref": "r-1", "conversation": CONVERSATION})
        rig.end()
        assert await rig.code() is ExitCode.DONE
        for word in ("queued", "sent", "delivered"):
            assert (
                rig.event(word).items() >= {"ref": "r-1", "number": 1, "conversation": CONVERSATION}.items()
            )
    assert rig.engine.sent == ["exit"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"   ",
        b"hello",
        b"null",
        b"[]",
        b'"quit"',
        b"{}",
        b'{"cmd":"exit"}',
        b'{"cmd":3}',
        b'{"cmd":"send"}',
        b'{"cmd":"send","text":null}',
        b'{"cmd":"send","text":7}',
        b'{"cmd":"send","text":"x","ref":7}',
        b'{"cmd":"send","text":"x","conversaton":"typo"}',
        b'{"cmd":"quit"} {"cmd":"quit"}',
        b'{"cmd":"quit"',
        b'{"cmd":"send","text":"\xff"}',
        b'{"cmd":"send","text":"\\ud800"}',
        b"[" * 100_000,
        b'{"cmd":"quit","x":' + b"[" * 100_000,
        b'{"cmd":"send","text":"' + b"x" * MAX_LINE_BYTES + b'"}',
        b'{"cmd":"resolve","choice":"forget"}',
    ],
)
async def test_a_line_that_is_not_understood_changes_nothing(line: bytes) -> None:
    async with Rig(joining()) as rig:
        await rig.engine.asked_for("join")
        typing = asyncio.to_thread(rig.type, line, {"cmd": "send", "text": "after", "ref": "z"})
        await typing
        rig.end()
        assert await rig.code() is ExitCode.DONE
        answer = rig.event("error")
    assert answer["code"] == "bad-command"
    assert answer["message"].endswith(".")
    assert rig.engine.sent == ["after"]


async def test_what_is_kept_can_be_read() -> None:
    async with Rig(joining()) as rig:
        await rig.engine.asked_for("join")
        rig.type(
            {"cmd": "history", "ref": "h"},
            {"cmd": "history", "limit": 10, "before": 5, "conversation": OTHER},
            {"cmd": "search", "text": "x", "ref": "s"},
        )
        rig.end()
        assert await rig.code() is ExitCode.DONE
        asked = [one for one in rig.engine.asked if one[0] in {"history", "search"}]
        pages = [one for one in rig.events if one["event"] == "history"]
        found = rig.event("found")
    assert asked == [
        ("history", CONVERSATION, 200, None),
        ("history", OTHER, 10, 5),
        ("search", "x", None, 100),
    ]
    assert [(one["conversation"], one.get("ref"), one["messages"]) for one in pages] == [
        (CONVERSATION, "h", []),
        (OTHER, None, []),
    ]
    assert (found["ref"], found["messages"], found["text"]) == ("s", [], "x")


@pytest.mark.parametrize(
    "command",
    [
        {"cmd": "history", "limit": 0},
        {"cmd": "history", "before": 2**63},
        {"cmd": "search", "text": "x", "limit": 1001},
    ],
    ids=["limit", "before", "search"],
)
async def test_what_cannot_be_a_page_is_none(command: dict[str, Any]) -> None:
    async with Rig(joining()) as rig:
        rig.type(command)
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert rig.event("error")["code"] == "bad-command"


async def test_of_several_conversations_one_is_named() -> None:
    engine = joining()
    async with Rig(engine) as rig:
        await engine.asked_for("join")
        engine.conversations = (CONVERSATION, OTHER)
        rig.type({"cmd": "history"}, {"cmd": "quit"})
        await rig.code()
        assert rig.event("error")["code"] == "which"


async def test_a_command_that_fails_is_answered_with_its_ref() -> None:
    async with Rig(joining()) as rig:
        rig.type(
            {"cmd": "send", "text": "x" * 40_000, "ref": "big"},
            {"cmd": "send", "text": "x", "ref": "lost", "conversation": "nowhere"},
        )
        rig.end()
        assert await rig.code() is ExitCode.DONE
        codes = [(event["code"], event["ref"]) for event in rig.events if event["event"] == "error"]
    assert codes == [("too-long", "big"), ("no-conversation", "lost")]
    assert rig.engine.sent == []


async def test_the_first_run_makes_an_identity_without_asking() -> None:
    async with Rig(joining(has_identity=False), name="carol") as rig:
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert rig.events[0]["event"] == "ready"
        assert rig.events[0]["name"] == "carol"
    assert ("create_identity", "carol", 3072) in rig.engine.asked


async def test_the_first_run_takes_the_login_name_where_none_is_given() -> None:
    async with Rig(joining(has_identity=False)) as rig:
        rig.end()
        await rig.code()
    assert ("create_identity", "login", 3072) in rig.engine.asked


async def test_a_name_for_somebody_who_has_one_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with Rig(joining(), name="carol") as rig:
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert rig.event("ready")["name"] == "alice"
    assert "You are alice in this profile" in capsys.readouterr().err


async def test_an_opening_that_fails_is_an_error_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    failing = CommandError("cannot-listen", "Port 8000 is in use; choose another with --bind.")
    async with Rig(FakeEngine(failing=failing), opening=HOST) as rig:
        assert await rig.code() is ExitCode.UNREACHABLE
        assert rig.event("error").items() >= {"code": "cannot-listen", "message": str(failing)}.items()
    assert str(failing) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reason", "expected"), [("key-changed", 4), ("busy", 3), ("blocked", 4), ("self", 3)]
)
async def test_a_refused_join_exits_though_its_input_is_open(
    reason: str, expected: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Rig(FakeEngine(refused(reason))) as rig:
        assert await rig.code() == expected
        assert rig.event("refused")["reason"] == reason
    assert reason in capsys.readouterr().err


async def test_a_refused_key_outweighs_what_was_not_delivered() -> None:
    engine = FakeEngine()
    async with Rig(engine) as rig:
        rig.type({"cmd": "send", "text": "secret"})
        await engine.asked_for("send")
        engine.emit(refused("key-changed"))
        assert await rig.code() is ExitCode.DISTRUSTED
    assert engine.sent == []


async def test_nobody_home_is_three() -> None:
    async with Rig(FakeEngine(error())) as rig:
        assert await rig.code() is ExitCode.UNREACHABLE
        assert rig.event("error")["code"] == "cannot-connect"


async def test_the_end_of_the_input_waits_for_the_peer_and_delivers() -> None:
    engine = FakeEngine()
    async with Rig(engine) as rig:
        rig.type({"cmd": "send", "text": "held"})
        rig.end()
        await engine.asked_for("send")
        assert engine.sent == []
        engine.emit(peer(), secure())
        assert await rig.code() is ExitCode.DONE
        assert rig.event("closed").items() >= {"reason": "quit", "by": "me"}.items()
    assert engine.sent == ["held"]


async def test_an_input_that_is_empty_still_waits_for_the_outcome() -> None:
    engine = FakeEngine()
    async with Rig(engine) as rig:
        rig.end()
        await engine.asked_for("join")
        engine.emit(refused("key-changed"))
        assert await rig.code() is ExitCode.DISTRUSTED


async def test_the_end_of_the_input_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DELIVERY_SECONDS", 0.05)
    async with Rig(joining(delivers=False)) as rig:
        rig.type({"cmd": "send", "text": "never there"})
        rig.end()
        assert await rig.code() is ExitCode.UNDELIVERED
    async with Rig(FakeEngine()) as rig:
        rig.end()
        assert await rig.code() is ExitCode.UNREACHABLE


async def test_a_host_with_an_ended_input_stays_until_its_guest_has_left() -> None:
    engine = FakeEngine()
    async with Rig(engine, opening=HOST) as rig:
        rig.type({"cmd": "send", "text": "for whoever comes"})
        rig.end()
        await engine.asked_for("send")
        engine.emit(peer(role="guest"), secure(), message("thanks"))
        assert not rig._task.done()
        engine.emit(closed())
        assert await rig.code() is ExitCode.DONE
        ports = [event["port"] for event in rig.events if event["event"] == "listening"]
        assert rig.event("message")["text"] == "thanks"
    assert ports == [8000, 8000]
    assert engine.sent == ["for whoever comes"]


async def test_a_host_goes_on_with_an_open_input() -> None:
    engine = FakeEngine()
    async with Rig(engine, opening=HOST) as rig:
        await engine.asked_for("host")
        for _ in range(2):
            engine.emit(peer(role="guest"), secure(), closed())
        rig.type({"cmd": "quit"})
        assert await rig.code() is ExitCode.DONE
        assert len([event for event in rig.events if event["event"] == "closed"]) == 2


async def test_a_host_that_quits_with_held_messages_does_not_wait_for_nobody() -> None:
    async with Rig(FakeEngine(), opening=HOST) as rig:
        rig.type({"cmd": "send", "text": "too early"}, {"cmd": "quit"})
        assert await rig.code() is ExitCode.UNDELIVERED


async def test_leave_ends_the_conversation_and_with_it_a_join() -> None:
    async with Rig(joining()) as rig:
        await rig.engine.asked_for("join")
        rig.type({"cmd": "leave", "conversation": CONVERSATION})
        assert await rig.code() is ExitCode.DONE
        assert rig.event("closed").items() >= {"reason": "goodbye", "by": "me"}.items()


async def test_leave_without_a_conversation_is_an_error() -> None:
    async with Rig(FakeEngine(), opening=HOST) as rig:
        rig.type({"cmd": "leave"}, {"cmd": "quit"})
        assert await rig.code() is ExitCode.DONE
        assert rig.event("error")["code"] == "no-conversation"


@pytest.mark.parametrize(("reason", "expected"), [("goodbye", ExitCode.DONE), ("lost", ExitCode.FAILED)])
async def test_the_peers_end_ends_a_join_though_its_input_is_open(reason: str, expected: ExitCode) -> None:
    async with Rig(joining()) as rig:
        await rig.engine.asked_for("join")
        rig.engine.emit(closed(reason))
        assert await rig.code() is expected


async def test_an_end_that_nobody_asked_for_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for plain in (False, True):
        async with Rig(joining(), plain=plain) as rig:
            await rig.engine.asked_for("join")
            rig.engine.emit(dataclasses.replace(closed("lost"), message="The connection was cut."))
            assert await rig.code() is ExitCode.FAILED
        assert capsys.readouterr().err == "securechat-tui: The connection was cut.\n"


def test_a_refusal_without_keys_has_no_fields_for_them() -> None:
    assert set(decoded(refused("busy"))) == {"event", "time", "reason", "message", "address"}
    changed = decoded(refused("key-changed", expected="SHA256:old", offered="SHA256:new", contact="bob"))
    assert changed.items() >= {"expected": "SHA256:old", "offered": "SHA256:new", "contact": "bob"}.items()


async def test_undelivered_messages_of_a_join_that_the_peer_ended() -> None:
    engine = joining(delivers=False)
    async with Rig(engine) as rig:
        rig.type({"cmd": "send", "text": "x"})
        await engine.asked_for("send")
        engine.emit(closed())
        assert await rig.code() is ExitCode.UNDELIVERED


async def test_many_commands_wait_for_their_delivery() -> None:
    engine = joining()
    async with Rig(engine) as rig:
        await asyncio.to_thread(rig.type, *({"cmd": "send", "text": f"{n}"} for n in range(12_000)))
        rig.end()
        assert await rig.code() is ExitCode.DONE
        delivered = [event["number"] for event in rig.events if event["event"] == "delivered"]
    assert delivered == list(range(1, 12_001))
    assert engine.sent == [str(n) for n in range(12_000)]


async def test_markers_of_safe_text_do_not_show() -> None:
    assert decoded(peer(name="[/x]"))["name"] == "[/x]"
    assert type(decoded(peer())["name"]) is str
    assert SafeText("x") == "x"


async def test_comparing_codes() -> None:
    async with Rig(joining()) as rig:
        rig.type(
            '{"cmd":"verify"}', '{"cmd":"match","digits":"123"}', '{"cmd":"differ"}', '{"cmd":"decline"}'
        )
        rig.end()
        assert await rig.code() is ExitCode.DONE
    calls = [call for call in rig.engine.asked if call[0] in {"verify", "match", "differ", "decline"}]
    assert calls == [("verify",), ("match", "123"), ("differ", None), ("decline",)]


async def test_letting_a_changed_key_in() -> None:
    async with Rig(FakeEngine(), opening=HOST) as rig:
        rig.type('{"cmd":"verify-key","fingerprint":"SHA256:new"}', '{"cmd":"quit"}')
        await rig.code()
    assert ("verify_key", "SHA256:new", "") in rig.engine.asked


@pytest.mark.parametrize("plain", [False, True])
async def test_accepting_a_new_key(plain: bool) -> None:
    async with Rig(joining(), plain=plain) as rig:
        rig.type("/accept" if plain else '{"cmd":"accept-key"}')
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert ("accept_key", CONVERSATION if plain else None) in rig.engine.asked


@pytest.mark.parametrize("plain", [False, True])
async def test_calling_a_changed_key(plain: bool) -> None:
    opening = JoinTarget("bob", verify_key="SHA256:new")
    async with Rig(joining(), plain=plain, opening=opening) as rig:
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert ("verify_key", "SHA256:new", "bob") in rig.engine.asked


async def test_a_failed_comparison_shows_in_the_exit_code() -> None:
    failed = TrustChanged(
        time=TIME,
        conversation=CONVERSATION,
        fingerprint=FINGERPRINT,
        trust=Trust.CHANGED,
        how="codes differ",
        contact=SafeText.name("bob"),
    )
    async with Rig(FakeEngine(peer(), secure(), failed, closed("rejected", "me"))) as rig:
        assert await rig.code() is ExitCode.DISTRUSTED


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("plain", [False, True])
async def test_a_message_is_signed_or_not_as_it_says(plain: bool, signed: bool) -> None:
    word = "signed" if signed else "unsigned"
    command = {"cmd": "send", "text": "hello you", "signed": signed}
    async with Rig(joining(), plain=plain) as rig:
        rig.type(f"/{word} hello you" if plain else json.dumps(command))
        assert (await rig.engine.asked_for("send"))[-1] is signed
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert rig.engine.sent == ["hello you"]


@pytest.mark.parametrize("choice", ["cancel", "sign"])
@pytest.mark.parametrize("plain", [False, True])
async def test_unsigned_messages_in_doubt_are_decided_about(plain: bool, choice: str) -> None:
    async with Rig(joining(), plain=plain) as rig:
        rig.type(f"/resolve {choice}" if plain else json.dumps({"cmd": "resolve", "choice": choice}))
        assert await rig.engine.asked_for("resolve") == ("resolve", choice)
        rig.end()
        assert await rig.code() is ExitCode.DONE


@pytest.mark.parametrize("line", ["/resolve", "/resolve later", "/unsigned", "/signed  "])
async def test_a_word_about_signing_without_what_it_needs(line: str) -> None:
    async with Rig(joining(), plain=True) as rig:
        await rig.engine.asked_for("join")
        rig.type(line)
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert {one[0] for one in rig.engine.asked}.isdisjoint({"send", "resolve"})


def test_a_cancelled_message_is_waited_for_no_more() -> None:
    fields: dict[str, Any] = {"time": TIME, "conversation": CONVERSATION, "number": 1, "ref": "r"}
    lifecycle = Lifecycle(Stay())
    lifecycle.take_message()
    lifecycle.observe(Cancelled(**fields, renumbered=True))
    assert lifecycle.pending == 1
    lifecycle.observe(Cancelled(**fields))
    assert lifecycle.pending == 0
    assert msgspec.json.decode(encode_event(Cancelled(**fields)))["event"] == "cancelled"


async def test_the_next_guest_does_not_make_a_failed_comparison_good() -> None:
    failed = TrustChanged(
        time=TIME,
        conversation=CONVERSATION,
        fingerprint=FINGERPRINT,
        contact=SafeText("bob"),
        trust=Trust.CHANGED,
        how="codes compared: different",
    )
    engine = FakeEngine()
    async with Rig(engine, opening=HOST) as rig:
        await engine.asked_for("host")
        engine.emit(peer(), secure(), failed, closed("rejected", "me"), peer("carol"), secure())
        rig.type({"cmd": "quit"})
        assert await rig.code() is ExitCode.DISTRUSTED
