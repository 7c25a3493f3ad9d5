"""The reference peer against the files in vectors/ (appendix C of docs/protocol.md).

Nothing of the product takes part: the reference peer is written from the document alone, and it computes
every value, stands in the place of both sides of every transcript, and meets every defect.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from reference_crypto import Identity, Violation
from reference_messages import Gated, Reject
from reference_replay import HANDSHAKE, Replay, outcome
from reference_transcripts import check_transcript
from reference_values import Case, Mismatch, check_derivation, check_identity

HERE = Path(__file__).parent
FILES = [json.loads(path.read_bytes()) for path in sorted((HERE.parents[1] / "vectors").glob("*.json"))]
CASES = {
    kind: {case["id"]: case for file in FILES if file["kind"] == kind for case in file["cases"]}
    for kind in ("identity", "derivation", "transcript", "defect")
}
TRANSCRIPTS = CASES["transcript"]
CONTEXT = {"id", "earlier", "unix_ms", "ms", "lost", "secrets"}
"""Fields that set the scene and are no values."""


@pytest.fixture(scope="module")
def people() -> dict[str, Identity]:
    keys = {}
    for name, case in CASES["identity"].items():
        private = load_pem_private_key(case["test_private_key"].encode(), None)
        assert isinstance(private, RSAPrivateKey)
        keys[name] = Identity(private)
    return keys


def test_all_files_are_read() -> None:
    assert {file["format"] for file in FILES} == {1}
    assert {kind: len(cases) for kind, cases in CASES.items()} == {
        "identity": 6,
        "derivation": 288,
        "transcript": 14,
        "defect": 629,
    }


def test_identities(people: dict[str, Identity]) -> None:
    for name, case in CASES["identity"].items():
        check_identity(case, people[name])


def test_derivations() -> None:
    for case in CASES["derivation"].values():
        check_derivation(case, CASES["derivation"])


def test_a_changed_derivation_is_noticed() -> None:
    for case in CASES["derivation"].values():
        with pytest.raises(Mismatch):
            check_derivation({**case, "output": "another"}, CASES["derivation"])


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_every_value_of_a_transcript(name: str, people: dict[str, Identity]) -> None:
    check_transcript(TRANSCRIPTS[name], TRANSCRIPTS, people)


Change = tuple[Any, str | int]


def leaves(node: Case | list[Any]) -> Iterator[Change]:
    """Every value below a node: what holds it, and its key there."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list) and key not in CONTEXT:
            yield from leaves(value)
        elif key not in CONTEXT:
            yield node, key


def changed(value: str | bool | int | None) -> str | int:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if not value or any(letter not in "0123456789abcdef" for letter in value):
        return f"{value or ''}00"
    return f"{int(value[0], 16) ^ 1:x}{value[1:]}"


def frames_of_every_name() -> dict[str, tuple[str, int]]:
    """For each name of a frame, a transcript that has it, and where."""
    found: dict[str, tuple[str, int]] = {}
    for name in ("unsigned and gone", "comparison", "comparison stopped", "rekeys"):
        for index, frame in enumerate(TRANSCRIPTS[name]["frames"]):
            found.setdefault(frame["name"], (name, index))
    return found


def is_noticed(check: Callable[[], object]) -> bool:
    try:
        check()
    except (Mismatch, Violation, ValueError, LookupError, AssertionError, TypeError, OverflowError):
        return True
    return False


def unnoticed(case: Case, changes: Iterable[Change], people: dict[str, Identity]) -> list[str | int]:
    """The values of a transcript that may be changed without any notice."""
    missed = []
    for holder, key in list(changes):
        value = holder[key]
        holder[key] = changed(value)
        if not is_noticed(lambda: check_transcript(case, TRANSCRIPTS, people)):
            missed.append(key)
        holder[key] = value
    return missed


@pytest.mark.parametrize("name", ["rotations", "return after a cut"])
def test_no_value_of_a_handshake_goes_unchecked(name: str, people: dict[str, Identity]) -> None:
    case = TRANSCRIPTS[name]
    assert not unnoticed(case, ((holder, key) for holder, key in leaves(case) if holder is case), people)
    assert not unnoticed(case, leaves(case["handshake"]), people)
    assert not unnoticed(case, leaves(case["frames"][:HANDSHAKE]), people)


@pytest.mark.parametrize("name", frames_of_every_name())
def test_no_value_of_a_record_goes_unchecked(name: str, people: dict[str, Identity]) -> None:
    base, index = frames_of_every_name()[name]
    case = TRANSCRIPTS[base]
    assert not unnoticed(case, leaves(case["frames"][index]), people)


@pytest.mark.parametrize("role", ["guest", "host"])
@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_this_peer_stands_in_a_transcript(name: str, role: str, people: dict[str, Identity]) -> None:
    case = TRANSCRIPTS[name]
    replay = Replay(case, role, TRANSCRIPTS, people)
    ends = {("rejected", "host"): Reject, ("gated", "host"): Gated}
    if (name, role) in ends:
        with pytest.raises(ends[name, role]):
            replay.run()
    else:
        replay.run()
    own = [frame["frame"] for frame in case["frames"][:HANDSHAKE] if frame["from"] == role]
    assert [frame.hex() for frame in replay.wire.sent[: len(own)]] == own
    compare_books(replay, check_transcript(case, TRANSCRIPTS, people))
    for later in (one for one in TRANSCRIPTS.values() if one["earlier"] == name):
        assert replay.contact
        secrets = {"newest": replay.contact.newest, "confirmed": replay.contact.confirmed}
        assert later["secrets"][role] == {word: one and one.hex() for word, one in secrets.items()}


def compare_books(replay: Replay, books: dict[str, Any]) -> None:
    """Both authors' running hashes are what the transcript says, as far as messages arrived."""
    assert replay.boxes
    outbox, inbox = replay.boxes
    other = "host" if replay.role == "guest" else "guest"
    if books:  # the number out of turn in "rejected" does not count
        count = len(books[replay.role].hashes)
        assert outbox.running.hashes[:count] == books[replay.role].hashes
        assert inbox.running.hashes == books[other].hashes[: len(inbox.running.hashes)]


@pytest.mark.parametrize("name", CASES["defect"])
def test_a_defect_has_its_outcome(name: str, people: dict[str, Identity]) -> None:
    case = CASES["defect"][name]
    expected = (case["outcome"], case.get("answer", ""), case.get("digits", ""))
    assert outcome(case, TRANSCRIPTS, people) == expected


PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
import {names}
print(*sorted(name.partition(".")[0] for name in sys.modules))
"""


def test_the_reference_peer_shares_no_code_with_the_product() -> None:
    """What it loads is the standard library, itself, and ``cryptography``."""
    own = sorted(path.stem for path in HERE.glob("reference_*.py"))
    probe = [sys.executable, "-I", "-c", PROBE.format(names=", ".join(own)), str(HERE)]
    found = subprocess.run(probe, capture_output=True, text=True, check=True).stdout.split()
    assert {"reference_replay", "reference_transcripts", "reference_peer"} <= set(found)
    outside = {name for name in found if name not in sys.stdlib_module_names and not name.startswith("_")}
    assert outside - set(own) == {"cryptography"}
