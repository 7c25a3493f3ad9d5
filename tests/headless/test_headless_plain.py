import asyncio

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

from securechat_tui.chat.events import Checks, Delivered, Gate, Hosting, Notice, SafeText, Trust, TrustChanged
from securechat_tui.chat.views import ContactView
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.openings import HostAt, JoinTarget, Stay
from securechat_tui.headless.plain_lines import Marks, PlainWording, security_line

MARK = Marks("utf-8")
HOST = HostAt("0.0.0.0:8000")


def joining() -> FakeEngine:
    return FakeEngine(peer(), secure())


def test_the_security_line() -> None:
    line = "         [intact ✓ | in order ✓ #12 | fresh 0.2 s ✓ | signed ✓ RSA-PSS | pinned]"
    assert security_line(message(), MARK) == line


def test_a_late_unsigned_message_says_so() -> None:
    checks = Checks(intact=True, in_order=True, fresh=False, signed=False)
    line = security_line(message(checks=checks, late=True, age=185.0, trust=Trust.VERIFIED), MARK)
    told = "unsigned: only this session vouches for it"
    assert line == f"         [intact ✓ | in order ✓ #12 | late 3 min ✗ | {told} | verified]"


def test_an_output_without_the_glyphs_gets_words() -> None:
    line = security_line(message(), Marks("ascii"))
    assert line == "         [intact ok | in order ok #12 | fresh 0.2 s ok | signed ok RSA-PSS | pinned]"
    assert Marks("no-such-encoding").failed == "FAILED"


def test_a_message_cannot_forge_a_line_of_the_program() -> None:
    forged = "hi\n" + security_line(message(), MARK) + "\n[14:02] <bob> me too"
    lines = PlainWording(MARK, attended=True).lines(message(forged))
    assert lines[0].endswith("<bob> hi")
    assert all(line.startswith("         | ") for line in lines[1:-1])
    assert len(lines) == 4


@pytest.mark.parametrize("differed", [True, False], ids=["codes-differed", "another-key"])
def test_why_a_key_is_changed(differed: bool) -> None:
    line = PlainWording(MARK, attended=True).lines(peer(trust=Trust.CHANGED, differed=differed))[2]
    assert ("a comparison of codes with it has failed" in line) == differed
    assert ("it is not the one that belongs to this contact" in line) == (not differed)


def test_codes_that_differ_are_no_other_key() -> None:
    told = TrustChanged(
        time=TIME,
        conversation=CONVERSATION,
        fingerprint=FINGERPRINT,
        trust=Trust.CHANGED,
        how="codes compared: different",
        contact=SafeText("bob"),
    )
    (line,) = PlainWording(MARK, attended=True).lines(told)
    assert line.endswith("The key is CHANGED: a comparison of codes with it has failed.")


def test_the_peer_and_what_its_key_is_worth() -> None:
    wording = PlainWording(MARK, attended=True)
    lines = wording.lines(peer(role="guest"))
    assert lines[0].endswith("<bob> is at the other end (guest, 192.0.2.7:8000).")
    assert FINGERPRINT in lines[1]
    assert "NEW" in lines[2]
    for trust in Trust:
        assert trust.name in wording.lines(peer(trust=trust))[2]


@pytest.mark.parametrize(
    ("reason", "by", "expected"),
    [
        ("goodbye", "peer", "bob has said goodbye."),
        ("goodbye", "me", "You have said goodbye to bob."),
        ("quit", "me", "You have said goodbye to bob."),
        ("lost", "peer", "The connection to bob was lost."),
        ("rejected", "me", "The session with bob has been ended because a message failed its checks."),
    ],
)
def test_the_end_in_words(reason: str, by: str, expected: str) -> None:
    wording = PlainWording(MARK, attended=True)
    wording.lines(peer())
    assert wording.lines(closed(reason, by))[0].endswith(expected)


def test_only_a_person_who_types_is_told_of_each_delivery() -> None:
    event = Delivered(time=TIME, conversation=CONVERSATION, number=3, ref=None, durable=True)
    assert PlainWording(MARK, attended=True).lines(event) == ["         [#3 delivered, stored there ✓✓]"]
    assert PlainWording(MARK, attended=False).lines(event) == []


@pytest.mark.parametrize(
    ("reachable", "told"),
    [
        (("[fd00::10]:8000", "127.0.0.1:8000"), "join [fd00::10]:8000"),
        (("127.0.0.1:8000", "192.0.2.7:8000"), "join 192.0.2.7:8000"),
        (("127.0.0.1:8000", "[::1]:8000"), "join 127.0.0.1:8000, which works on this machine alone"),
    ],
    ids=["network", "later", "loopback"],
)
def test_what_a_guest_types(reachable: tuple[str, ...], told: str) -> None:
    hosting = Hosting(time=0.0, active=True, reachable=reachable)
    lines = PlainWording(MARK, attended=True).lines(hosting)
    assert lines == [f"         Your guest types: securechat-tui {told}"]


async def test_echo_hi_into_a_join() -> None:
    async with Rig(joining(), plain=True) as rig:
        rig.type("hi")
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert "Secure from here" in rig.text
    assert rig.engine.sent == ["hi"]


async def test_a_last_line_without_its_end_is_sent() -> None:
    engine = FakeEngine()
    async with Rig(engine, plain=True) as rig:
        rig.type("one\n\n   \ntwo")
        rig.end()
        await engine.asked_for("send")
        engine.emit(peer(), secure())
        assert await rig.code() is ExitCode.DONE
    assert engine.sent == ["one", "two"]


async def test_what_is_received_is_followed_by_its_security_line() -> None:
    engine = joining()
    async with Rig(engine, plain=True, opening=JoinTarget("bob")) as rig:
        await engine.asked_for("join")
        engine.emit(message("hello"), closed())
        assert await rig.code() is ExitCode.DONE
        lines = rig.text.splitlines()
    place = next(place for place, line in enumerate(lines) if line.endswith("] <bob> hello"))
    assert lines[place + 1] == security_line(message(), MARK)
    assert lines[-1].endswith("bob has said goodbye.")


@pytest.mark.parametrize("word", ["exit", "/exit", "/quit", "exit  ", "/leave"])
async def test_the_words_that_end(word: str) -> None:
    async with Rig(joining(), plain=True) as rig:
        rig.type(word)
        assert await rig.code() is ExitCode.DONE
        assert "You have said goodbye to bob." in rig.text
    assert rig.engine.sent == []


async def test_slashes() -> None:
    engine = joining()
    async with Rig(engine, plain=True) as rig:
        rig.type(
            "/unknown secret", "/", "/EXITS", "//etc/hosts", "///", " /not a command", " exit", "exit now"
        )
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert engine.sent == ["/etc/hosts", "//", " /not a command", " exit", "exit now"]


async def test_an_unknown_command_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with Rig(joining(), plain=True) as rig:
        rig.type("/frobnicate now", "/nick", "/theme dark")
        rig.end()
        assert await rig.code() is ExitCode.DONE
    told = capsys.readouterr().err
    assert "There is no /frobnicate; nothing was sent." in told
    assert "/nick is not there yet" in told
    assert "/theme belongs to the full screen" in told
    assert rig.engine.sent == []


async def test_help_and_contacts() -> None:
    engine = joining()
    person = ContactView(
        name=SafeText("bob"), fingerprint=FINGERPRINT, trust=Trust.PINNED, addresses=("192.0.2.7:8000",),
        first_seen=TIME, last_seen=TIME, key_bits=3072, randomart=("+--+",), history=(),
    )  # fmt: skip
    async with Rig(engine, plain=True) as rig:
        rig.type("/contacts")
        rig.type("/help")
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert "Nobody is pinned here yet." in rig.text
        assert "/join TARGET [--new]" in rig.text
    engine = joining()
    engine.people = [person]
    async with Rig(engine, plain=True) as rig:
        rig.type("/contacts")
        rig.end()
        await rig.code()
        assert f"bob  pinned  {FINGERPRINT}  192.0.2.7:8000" in rig.text


async def test_host_and_join_by_command() -> None:
    engine = FakeEngine(peer(), secure())
    async with Rig(engine, plain=True, opening=Stay()) as rig:
        rig.type("/join bob --new", "hello", "/quit")
        assert await rig.code() is ExitCode.DONE
    assert ("join", "bob", True) in engine.asked
    assert engine.sent == ["hello"]
    engine = FakeEngine()
    async with Rig(engine, plain=True, opening=Stay()) as rig:
        rig.type("/host 127.0.0.1:0", "/join", "/quit")
        assert await rig.code() is ExitCode.DONE
        assert "Your guest types: securechat-tui join 192.0.2.7:8000" in rig.text
        assert "Listening on [::]:8000." in rig.text
    assert ("host", "127.0.0.1:0", False) in engine.asked


async def test_verifying_a_changed_key_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    async with Rig(FakeEngine(peer(), secure()), plain=True, opening=Stay()) as rig:
        rig.type("/verify-key", "/verify-key SHA256:new", "/verify-key SHA256:new bob")
        await rig.engine.asked_for("verify_key")
        rig.end()
        assert await rig.code() is ExitCode.DONE
    asked = [call for call in rig.engine.asked if call[0] == "verify_key"]
    assert asked == [("verify_key", "SHA256:new", ""), ("verify_key", "SHA256:new", "bob")]
    assert "Say which: /verify-key" in capsys.readouterr().err


async def test_a_failed_join_by_command_shows_in_the_exit_code() -> None:
    async with Rig(FakeEngine(error()), plain=True, opening=Stay()) as rig:
        rig.type("/join nowhere")
        rig.end()
        assert await rig.code() is ExitCode.UNREACHABLE


async def test_text_for_nobody_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async with Rig(FakeEngine(), plain=True, opening=Stay(), attended=True) as rig:
        rig.type("hello?")
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert "Nobody is there" in capsys.readouterr().err


@pytest.mark.parametrize("line", [b"x" * 33_000, b"caf\xe9", b"x" * (1 << 20) + b"x"])
async def test_a_piped_line_that_cannot_be_sent_counts_as_undelivered(line: bytes) -> None:
    engine = joining()
    async with Rig(engine, plain=True) as rig:
        await engine.asked_for("join")
        await asyncio.to_thread(rig.type, line, "after")
        rig.end()
        assert await rig.code() is ExitCode.UNDELIVERED
    assert engine.sent == ["after"]


async def test_a_pipe_waits_for_the_peer_where_the_engine_would_hold_no_more() -> None:
    engine = FakeEngine()
    async with Rig(engine, plain=True, opening=HOST) as rig:
        rig.type(*(f"{number}" for number in range(2_000)))
        rig.end()
        await engine.asked_for("send")
        engine.emit(peer(role="guest"), secure())
        while len(engine.sent) < 2_000:
            engine.acted.clear()
            await engine.acted.wait()
        engine.emit(closed())
        assert await rig.code() is ExitCode.DONE
    assert engine.sent == [str(number) for number in range(2_000)]


async def test_a_key_change_names_both_keys(capsys: pytest.CaptureFixture[str]) -> None:
    event = refused(
        "key-changed", contact="bob", expected="SHA256:old", offered="SHA256:new",
        trust=Trust.VERIFIED, offered_contact="alice",
    )  # fmt: skip
    async with Rig(FakeEngine(event, Notice(time=TIME, message="By the way.")), plain=True) as rig:
        assert await rig.code() is ExitCode.DISTRUSTED
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "securechat-tui: Refused because of key-changed; do something.",
        "securechat-tui: expected: SHA256:old (bob, verified)",
        "securechat-tui: answered: SHA256:new (that is alice's key)",
        "securechat-tui: By the way.",
    ]
    assert rig.engine.sent == []


async def test_an_output_that_cannot_show_a_character_replaces_it() -> None:
    engine = joining()
    async with Rig(engine, plain=True, encoding="ascii") as rig:
        await engine.asked_for("join")
        engine.emit(message("gr\u00fc\u00df dich"), closed())
        await rig.code()
        assert "<bob> gr?? dich" in rig.text


def test_a_time_in_the_future_is_not_fresh() -> None:
    checks = Checks(intact=True, in_order=True, fresh=False, signed=True)
    assert "| early 2 h ✗ |" in security_line(message(checks=checks, age=-7200.0), MARK)


def test_at_the_gate_for_unsigned_messages_the_commands_are_named() -> None:
    gate = Gate(time=TIME, conversation=CONVERSATION, reason="unsigned", message="Decide.")
    first, second = PlainWording(Marks("utf-8"), attended=True).lines(gate)
    assert first.endswith("] Decide.")
    assert second.split() == ["/resolve", "cancel,", "/resolve", "sign,", "or", "/leave."]
