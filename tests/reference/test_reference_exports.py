"""Two verifiers of exported conversations agree: the program's, and one written from the document."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reference_exports
from hypothesis import given, settings
from hypothesis import strategies as st
from kept_people import story
from protocol_peers import identity_key

from securechat_tui.chat.transcripts import NotProved, verify_transcript


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[bytes]]:
    folder: Path = tmp_path_factory.mktemp("story")
    alice, bob = story(folder, identity_key("alice"), identity_key("bob"))
    yield alice.export()
    alice.close()
    bob.close()


def outcomes(data: bytes) -> tuple[int, int]:
    """The line at which each of the two refuses a file; 0 where it does not."""
    found = [0, 0]
    try:
        verify_transcript(io.BytesIO(data))
    except NotProved as error:
        found[0] = error.line
    try:
        reference_exports.verify(data)
    except reference_exports.Refused as error:
        found[1] = error.line
    return found[0], found[1]


def test_both_find_the_same_proved(lines: list[bytes]) -> None:
    view = verify_transcript(io.BytesIO(b"".join(lines)))
    proved = reference_exports.verify(b"".join(lines))
    for author in view.authors:
        (stretch,) = author.stretches
        numbers = proved[author.by]
        assert (len(numbers), numbers[0], numbers[-1]) == (
            stretch.signed,
            stretch.first_signed,
            stretch.last_signed,
        )


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, 1, 2, -1, 2**62, 0.5, "", "me", "peer", "message", "withheld", [], {}, "AAAA"]
)


@settings(max_examples=400)
@given(data=st.data())
def test_both_refuse_the_same_at_the_same_line(lines: list[bytes], data: st.DataObject) -> None:
    """A value in the place of another, a value of another line, and lines in other places."""
    values = [json.loads(line) for line in lines]
    at = data.draw(st.integers(0, len(values) - 1))
    match data.draw(st.sampled_from(["value", "value", "value", "leave out", "swap", "repeat"])):
        case "value":
            path = data.draw(
                st.sampled_from([one for one in places(values[at]) if one and "kept" not in one])
            )
            other = values[data.draw(st.integers(0, len(values) - 1))]
            found: Any = data.draw(ODD) if data.draw(st.booleans()) else other
            for key in path:
                found = found[key] if isinstance(found, dict) and key in found else data.draw(ODD)
            place = values[at]
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = found
        case "leave out":
            del values[at]
        case "swap":
            with_ = data.draw(st.integers(0, len(values) - 1))
            values[at], values[with_] = values[with_], values[at]
        case "repeat":
            values.insert(data.draw(st.integers(0, len(values))), values[at])
    ours, theirs = outcomes(b"".join(json.dumps(value).encode() + b"\n" for value in values))
    assert ours == theirs


@settings(max_examples=200)
@given(at=st.integers(0, 100_000), change=st.integers(1, 255))
def test_both_judge_changed_bytes_alike(lines: list[bytes], at: int, change: int) -> None:
    whole = bytearray(b"".join(lines))
    whole[at % len(whole)] ^= change
    ours, theirs = outcomes(bytes(whole))
    assert ours == theirs
