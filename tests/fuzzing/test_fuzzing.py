"""A short share of the fuzzing: each harness over its seeds and edits of them, the same in each run."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz import delivery, frames, records
from fuzz.__main__ import main
from fuzz.harness import BYTES, SECONDS, Harness, state_of
from fuzz.harnesses import HARNESSES, named
from fuzz.limits import Costly, Meter, peak
from fuzz.mutation import explore, hammer, try_some
from fuzz.people import GUEST
from securechat_tui.chat.inbox import Inbox
from securechat_tui.protocol.errors import MalformedPayload, RekeyFailure
from securechat_tui.protocol.frames import FrameReader
from securechat_tui.protocol.rekey import GuestRekey, HostRekey
from securechat_tui.protocol.text import MAX_TEXT, SafeText
from securechat_tui.storage import backup
from securechat_tui.trust.invites import Invite

Feed = Callable[[FrameReader, bytes], None]
EACH = pytest.mark.parametrize("harness", HARNESSES, ids=[harness.name for harness in HARNESSES])


def test_every_parser_has_a_harness() -> None:
    names = {harness.name for harness in HARNESSES}
    assert len(names) == len(HARNESSES) == 41
    assert names >= {"frames", "hint", "session", "k1", "k2", "s", "host section", "guest section"}
    assert names >= {"padding", "record", "payload", "header", "content", "inbox", "resume"}
    assert names >= {
        "contacts file",
        "config file",
        "backup file",
        "backup content",
        "identity file",
        "sealed identity",
        "profile backup file",
        "profile backup content",
        "transcript",
        "public key",
        "fingerprint",
    }
    assert names >= {"invite", "rekey first half", "rekey second half"}
    assert names >= {"text", "name", "screen", "address", "json command", "plain line", "slash command"}
    assert names >= {"lab pickle", "lab units", "lab relay"}


@EACH
def test_some_seeds_are_accepted_and_some_are_not(harness: Harness) -> None:
    assert {harness.check(seed) for seed in harness.seeds()} == {True, False}


@EACH
def test_edited_seeds_break_nothing(harness: Harness) -> None:
    count = 150 if harness.seconds <= SECONDS else 10
    assert try_some(harness, harness.check, count=count) >= count // 2


@EACH
def test_no_input_needs_much_memory(harness: Harness) -> None:
    seeds = sorted(harness.seeds(), key=len)[-10:]
    long = [
        bytes(harness.longest),
        b"\xff" * harness.longest,
        (seeds[0] * harness.longest)[: harness.longest],
    ]
    assert max(peak(harness, data) for data in [*seeds, *long]) < BYTES // 64


@pytest.mark.parametrize(
    "piece", ["a\u0301", "\U0001f468\u200d", "1\ufe0f\u20e3", "\ue000\U00010000", "\u200d"]
)
def test_the_longest_texts_need_little_memory(piece: str) -> None:
    message = bytes(1) + (piece * MAX_TEXT)[:MAX_TEXT].encode()
    assert peak(named("text"), message) < BYTES // 2


def test_the_search_repeats_itself() -> None:
    seen: list[list[bytes]] = [[], []]
    for inputs in seen:
        try_some(named("payload"), inputs.append, count=50)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 30


def test_the_search_goes_on_until_there_were_enough() -> None:
    seen: list[bytes] = []
    assert explore(named("hint"), seen.append, seconds=60, runs=510) == len(seen) == 510
    assert len(set(seen)) > 250


def test_hammering_tries_as_many_and_most_of_them_once() -> None:
    seen: list[bytes] = []
    kept = list(named("payload").seeds())
    assert hammer(named("payload"), seen.append, kept, seconds=60, runs=2100) == len(seen) == 2100
    assert len(set(seen)) > 1500
    assert set(seen) & set(kept)


def test_what_hammering_finds_is_told_with_its_input() -> None:
    with pytest.raises(IndexError) as found:
        hammer(named("header"), fails_otherwise, [b"seed"], seconds=60, runs=1)
    assert found.value.__notes__[0].startswith("data=bytes.fromhex('")


def loses_a_byte(reader: FrameReader, data: bytes, feed: Feed = FrameReader.feed) -> None:
    """A reader that forgets the last byte of each piece."""
    feed(reader, data[:-1])


def forgets_refusal(inbox: Inbox, _message: object) -> None:
    """An inbox that has advanced before it refuses."""
    inbox.high += 1
    raise MalformedPayload("too late")


def answers_too_early(*_: object) -> None:
    """A host whose cryptography is of no declared kind of failure."""
    raise IndexError


def forgets_its_keys(rekey: GuestRekey, *_: object) -> None:
    """A guest that has let go of its half before it refuses."""
    rekey._first = b""
    raise RekeyFailure("too late")


def as_it_is(cls: type[SafeText], text: str, _limit: int = 0) -> SafeText:
    """A sanitiser that lets everything pass."""
    return str.__new__(cls, text)


def fails_otherwise(_data: bytes) -> None:
    """A decoder whose error is of no declared kind."""
    raise IndexError


@pytest.mark.parametrize(
    ("name", "thing", "attribute", "broken"),
    [
        ("frames", FrameReader, "feed", loses_a_byte),
        ("payload", records, "decode_payload", fails_otherwise),
        ("inbox", Inbox, "unsigned", forgets_refusal),
        ("text", SafeText, "line", classmethod(as_it_is)),
        ("hint", frames, "encode_hint", lambda *_: b""),
        ("resume", delivery, "decode_payload", fails_otherwise),
        ("invite", Invite, "encode", lambda _: "securechat://elsewhere"),
        ("rekey first half", HostRekey, "answer", answers_too_early),
        ("rekey second half", GuestRekey, "finish", forgets_its_keys),
        ("backup content", backup, "_without_secrets", lambda pins: pins),
    ],
)
def test_a_broken_parser_is_found(
    name: str, thing: object, attribute: str, broken: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = named(name)
    seeds = list(harness.seeds())
    monkeypatch.setattr(thing, attribute, broken)
    with pytest.raises((AssertionError, IndexError)):
        [harness.check(seed) for seed in seeds]


def spends(seconds: float) -> Callable[[bytes], bool]:
    def check(_data: bytes) -> bool:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
        return True

    return check


def fills(amount: int) -> Callable[[bytes], bool]:
    return lambda _data: len(bytearray(b"x") * amount) > 0


@pytest.mark.parametrize("check", [spends(2 * SECONDS), fills(3 * BYTES)], ids=["time", "memory"])
def test_an_input_that_costs_too_much_is_found(check: Callable[[bytes], bool]) -> None:
    with pytest.raises(Costly, match="more than"):
        Meter(Harness("costly", check, lambda: [b""], 1))(b"")


def test_an_input_within_the_limits_is_not() -> None:
    Meter(Harness("cheap", fills(BYTES // 2), lambda: [b""], 1, seconds=10))(b"")


def test_a_state_is_a_copy_even_of_what_grows_in_place() -> None:
    inbox = Inbox(bytes(32), GUEST.public, lambda _: None)
    before = state_of(inbox)
    inbox._items.append(b"x")
    assert state_of(inbox) != before


def test_one_line_of_figures_for_each_harness(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.__main__.find_spec", lambda _: None)
    assert main(["hint", "header", "--seconds", "60", "--runs", "20"]) == 0
    engine, *lines = capsys.readouterr().out.splitlines()
    assert engine == "not guided (Hypothesis)"
    assert [line.split()[:3] for line in lines] == [
        ["hint", "20", "executions"],
        ["header", "20", "executions"],
    ]


def test_hammering_has_its_line_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".fuzz/hint/corpus").mkdir(parents=True)
    (tmp_path / ".fuzz/hint/corpus/found").write_bytes(b"\1\0")
    assert main(["hint", "--hammer", "--seconds", "60", "--runs", "20"]) == 0
    engine, line = capsys.readouterr().out.splitlines()
    assert engine == "edits of what is kept"
    assert f" {len([*named('hint').seeds()]) + 1} in the corpus" in line


def test_what_is_found_is_told_and_is_the_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzz.__main__.find_spec", lambda _: None)
    monkeypatch.setattr(records, "decode_payload", fails_otherwise)
    assert main(["payload", "header", "--seconds", "60", "--runs", "5"]) == 1
    output = capsys.readouterr().out
    assert "payload          BROKEN\nIndexError" in output
    assert "    data=b'" in output
    assert output.splitlines()[-1].startswith("header")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no such parser"])
    assert "there is no harness no such parser" in capsys.readouterr().err
