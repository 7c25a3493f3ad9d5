"""A conversation on paper: what honest people export verifies, and what anybody has changed does not."""

import io
import json
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_people import Keeper, keepers
from kept_people import story as told_story
from protocol_peers import identity_key

from securechat_tui.protocol import transcript as rules
from securechat_tui.protocol.transcript import Check, Transcript, Unproved
from securechat_tui.storage.transcripts import MAX_LINE_BYTES, read_transcript

ALICE, BOB, EVE = identity_key("alice"), identity_key("bob"), identity_key("eve")


def verified(lines: list[bytes]) -> Transcript:
    *_, last = read_transcript(io.BytesIO(b"".join(lines)))
    return last


def refused(lines: list[bytes]) -> tuple[int, Check]:
    """Verify what must fail; return the line, from 1, and the check."""
    taken = 0
    with pytest.raises(Unproved, match=r"\.$") as caught:
        for taken, _ in enumerate(read_transcript(io.BytesIO(b"".join(lines))), 1):  # noqa: B007
            pass
    return taken + 1, caught.value.check


def story(folder: Path) -> tuple[Keeper, Keeper]:
    return told_story(folder, ALICE, BOB)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[bytes]]:
    alice, bob = story(tmp_path_factory.mktemp("story"))
    yield alice.export()
    alice.close()
    bob.close()


def test_both_sides_export_what_verifies(tmp_path: Path) -> None:
    alice, bob = story(tmp_path)
    for person, mine, theirs in ((alice, 0, 1), (bob, 1, 0)):
        transcript = verified(person.export())
        (said,), (heard,) = transcript.stretches(mine), transcript.stretches(theirs)
        assert (said.signed, said.unsigned, said.first_signed, said.last_signed) == (5, 1, 1, 8)
        assert (heard.signed, heard.withheld, heard.last_signed) == (4, 1, 5)
        assert said.withheld == 2
        assert not transcript.unknown_seen(0)
        assert not transcript.unknown_seen(1)
        assert transcript.fingerprint(mine) == ALICE.public.fingerprint
        assert (said.loose, heard.loose) == ((0, 1) if person is alice else (1, 0)), "its own header is here"
        person.close()


def test_what_was_cancelled_is_not_in_it(lines: list[bytes]) -> None:
    text = b"".join(lines)
    assert b"taken back" not in text
    assert b"never mind" not in text
    assert b"by the way" in text


def test_nothing_in_it_moves_a_terminal(lines: list[bytes]) -> None:
    assert all(line[:-1].decode().isprintable() for line in lines)
    assert json.loads(lines[2])["text"] == "two\x1b[31m\u202e"
    assert "äöü 🙂" in b"".join(lines).decode()


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in a line that is no object or list, and to lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
        return
    yield path
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))


_BYTES = {"spki", "generation", "item", "header", "salt", "root", "signature"}


def changed(value: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever JSON has
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if value is None:
        return "x"
    if isinstance(value, list):
        return [*value, b64encode(bytes(32)).decode()]
    if path[-1] in _BYTES or "path" in path:
        raw = bytearray(b64decode(value))
        raw[len(raw) // 2] ^= 1
        return b64encode(raw).decode()
    swaps = {"me": "peer", "peer": "me", "message": "withheld", "withheld": "message", "": "queued"}
    return swaps.get(value) or value[:-1] + ("x" if value[-1] != "x" else "y")


def with_change(line: bytes, path: tuple[Any, ...]) -> bytes:
    value = json.loads(line)
    place = value
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = changed(place[path[-1]], path)
    return json.dumps(value).encode() + b"\n"


EXPECTED = {
    ("text",): Check.CONTENT,
    ("claimed_ms",): Check.CLAIMED,
    ("number",): Check.NUMBER,
    ("proof", "salt"): Check.CONTENT,
    ("proof", "batch", "root"): Check.PATH,
    ("proof", "batch", "signature"): Check.SIGNATURE,
    ("proof", "path"): Check.PATH,
    ("me", "spki"): Check.IDENTITY,
    ("peer", "spki"): Check.IDENTITY,
    ("me", "fingerprint"): Check.IDENTITY,
    ("conversation",): Check.IDENTITY,
    ("format",): Check.FORMAT,
    ("line",): Check.FORMAT,
}
FREE = {("program",), ("made",), ("me", "name"), ("peer", "name")}
"""What the opening line says and nobody proves."""


def is_free(line: dict[str, Any], path: tuple[Any, ...]) -> bool:
    """Whether nothing can vouch for this: what the exporter says, and what was unsigned or cancelled so."""
    if path in FREE or path[0] == "kept":
        return path != ("kept", "row")
    is_proved = line.get("proof") is not None or line.get("signed")
    return not is_proved and path in {("text",), ("claimed_ms",), ("item",)}


def test_every_change_of_a_field_is_refused_with_its_check(lines: list[bytes]) -> None:
    tried = 0
    for at, line in enumerate(lines):
        decoded = json.loads(line)
        for path in leaves(decoded):
            if path[0] == "kept":
                continue
            forged = [*lines[:at], with_change(line, path), *lines[at + 1 :]]
            if is_free(decoded, path):
                verified(forged)
                continue
            where, check = refused(forged)
            tried += 1
            assert where >= at + 1
            if decoded.get("proof") is not None or decoded["line"] == "transcript":
                assert where == at + 1, (path, line)
                assert check == EXPECTED.get(path, check), (path, line)
    assert tried > 150


def test_what_the_exporter_says_of_a_message_is_free_but_for_its_place(lines: list[bytes]) -> None:
    for key in ("time", "name", "trust"):
        verified([*lines[:3], with_change(lines[3], ("kept", key)), *lines[4:]])
    assert refused([*lines[:2], with_change(lines[2], ("kept", "row")), *lines[3:]]) == (4, Check.ROW)


def own_before_and_after(lines: list[bytes], at: int) -> bool:
    """Whether the author of a line has another line on both sides of it."""
    by = json.loads(lines[at])["by"]
    others = [json.loads(line).get("by") for line in lines]
    return by in others[1:at] and by in others[at + 1 :]


def test_a_line_that_is_missing_in_the_middle_is_noticed(lines: list[bytes]) -> None:
    middle = [at for at in range(1, len(lines)) if own_before_and_after(lines, at)]
    assert len(middle) > 8
    for at in middle:
        assert refused([*lines[:at], *lines[at + 1 :]])[1] is Check.NUMBER


def test_lines_that_change_places_are_noticed(lines: list[bytes]) -> None:
    for at in range(1, len(lines) - 1):
        first, second = json.loads(lines[at]), json.loads(lines[at + 1])
        swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        if first["by"] == second["by"] or {"kept"} <= set(first) & set(second):
            assert refused(swapped)[1] in {Check.NUMBER, Check.ROW, Check.SEEN, Check.PREVIOUS}


def numbered(lines: list[bytes]) -> list[bytes]:
    """Write the rows anew, as a forger would."""
    values = [json.loads(line) for line in lines]
    for row, value in enumerate(values):
        if "kept" in value:
            value["kept"]["row"] = row
    return [json.dumps(value).encode() + b"\n" for value in values]


def test_what_stands_before_what_it_has_seen_is_noticed(lines: list[bytes]) -> None:
    """Rows can be written anew; what a header names cannot."""
    answer = next(at for at, line in enumerate(lines) if b'"an answer"' in line)
    unsigned = answer - 1
    assert b'"by the way"' in lines[unsigned]
    earlier = [*lines[:unsigned], lines[answer], lines[unsigned], *lines[answer + 1 :]]
    verified(numbered(earlier))  # before the unsigned one, which it cannot name
    three = unsigned - 1
    earlier = [*lines[:three], lines[answer], *lines[three:answer], *lines[answer + 1 :]]
    assert refused(numbered(earlier)) == (three + 2, Check.SEEN)


def test_a_message_of_another_conversation_is_refused(lines: list[bytes], tmp_path: Path) -> None:
    alice, eve = keepers(tmp_path, ALICE, EVE)
    alice.say("to eve")
    alice.write_to(eve)
    foreign = alice.export()[1]
    assert refused([lines[0], foreign])[1] is Check.PARTIES
    alice.close()
    eve.close()


def test_a_signature_by_another_key_is_refused(tmp_path: Path) -> None:
    """Somebody who has all of it, and a key of their own, cannot put a word in."""
    alice, bob = keepers(tmp_path, ALICE, BOB)
    alice.key = EVE
    alice.say("forged")
    alice.sign()
    alice.key = ALICE
    assert refused(alice.export()) == (2, Check.SIGNATURE)
    alice.close()
    bob.close()


def test_a_proof_without_its_message_proves_nothing_else(lines: list[bytes]) -> None:
    first, second = json.loads(lines[1]), json.loads(lines[2])
    second["proof"] = first["proof"]
    assert refused([*lines[:2], json.dumps(second).encode() + b"\n"])[1] is Check.NUMBER
    second["proof"] = None
    forged = [*lines[:2], json.dumps(second).encode() + b"\n", *lines[3:]]
    assert refused(forged) == (4, Check.PREVIOUS), "a signed message passed off as an unsigned one"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        b'{"line":"message"}\n',
        b"x" * (MAX_LINE_BYTES + 1) + b"\n",
    ],
    ids=["nothing", "empty", "object", "list", "no-utf8", "deep", "short", "long"],
)
def test_what_is_no_transcript_is_refused(lines: list[bytes], damage: bytes) -> None:
    assert refused([damage]) == (1, Check.FORMAT)
    if damage:
        assert refused([lines[0], damage]) == (2, Check.FORMAT)


def test_a_line_that_is_cut_short_is_noticed(lines: list[bytes]) -> None:
    assert refused([*lines[:-1], lines[-1][:-1]]) == (len(lines), Check.FORMAT)


def test_where_the_same_key_stands_twice_nothing_is_proved(lines: list[bytes]) -> None:
    opening = json.loads(lines[0])
    opening["peer"] = opening["me"]
    assert refused([json.dumps(opening).encode() + b"\n"]) == (1, Check.IDENTITY)


def test_after_a_wipe_it_begins_with_what_came_later(tmp_path: Path) -> None:
    alice, bob = story(tmp_path)
    alice.say("not delivered, and wiped")
    alice.wipe()
    assert len(alice.export()) == 1
    alice.say("after it")
    alice.write_to(bob)
    bob.say("so it is")
    bob.write_to(alice)
    transcript = verified(alice.export())
    (said,), (heard,) = transcript.stretches(0), transcript.stretches(1)
    assert (said.first, said.signed, heard.signed) == (10, 1, 1)
    assert verified(bob.export()).stretches(1)[0].signed == 6
    assert b"wiped" not in b"".join(alice.export())
    alice.close()
    bob.close()


def test_memory_does_not_grow_with_the_transcript(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the other has seen is looked for among the last ones only; further back it counts as unknown."""
    monkeypatch.setattr(rules, "_RECENT", 4)
    alice, bob = keepers(tmp_path, ALICE, BOB)
    alice.say("early")
    alice.write_to(bob)
    late = bob.say("an answer that takes its time")
    for number in range(6):
        alice.say(f"on and on {number}")
    alice.write_to(bob)
    bob.write_to(alice)
    transcript = verified(alice.export())
    assert late.number == transcript.stretches(1)[0].last_signed
    assert (transcript.unknown_seen(0), transcript.unknown_seen(1)) == (0, 1)
    alice.close()
    bob.close()


def test_generations_are_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rules, "MAX_GENERATIONS", 2)
    alice, bob = keepers(tmp_path, ALICE, BOB)
    for _ in range(3):
        alice.say("again")
        alice.write_to(bob)
        alice.renew()
    assert refused(alice.export()) == (4, Check.NUMBER)
    alice.close()
    bob.close()


def cancel(who: Keeper, other: Keeper) -> None:
    """Take back the newest, where the other does not have it yet."""
    inbox, outbox = other.boxes.inbox, who.boxes.outbox
    high = inbox.high if inbox.generation == outbox.generation else 0
    for message in outbox.undelivered()[-1:]:
        if message.number > high:
            who.cancel(message)


ACTIONS: dict[str, Callable[[Keeper, Keeper], object]] = {
    "say": lambda who, _: who.say("something"),
    "unsigned": lambda who, _: who.say("something", signed=False),
    "deliver": lambda who, other: who.write_to(other),
    "unheard": lambda who, other: who.write_to(other, acknowledged=False),
    "sign": lambda who, _: who.sign(),
    "renew": lambda who, _: who.renew(),
    "wipe": lambda who, _: who.wipe(),
    "cancel": cancel,
}
STEPS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["say", *ACTIONS])), max_size=40)


@settings(max_examples=60)
@given(steps=STEPS)
def test_whatever_two_honest_people_do_verifies(steps: list[tuple[int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = keepers(Path(folder), ALICE, BOB)
        for who, what in steps:
            ACTIONS[what](pair[who], pair[1 - who])
        for person in pair:
            transcript = verified(person.export())
            for by in (0, 1):
                for stretch in transcript.stretches(by):
                    shown = stretch.signed + stretch.unsigned + stretch.waiting + stretch.withheld
                    assert shown == stretch.last - stretch.first + 1
            person.close()
