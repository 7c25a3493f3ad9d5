"""The product against the files in vectors/ (appendix C of docs/protocol.md).

The recordings are played again with the randomness that they were made with, and every frame and every
value must come out as it stands on file. Each defect then reaches a receiver in the state before it.
"""

from collections import Counter

import generate
import pytest
import vector_files
from vector_derivations import derivations
from vector_files import Case, cases_of
from vector_identities import identities
from vector_run import Result, run
from vector_scenes import SCRIPTS, played
from vector_transcripts import transcript

OUTCOMES = {
    *("accepted", "hint", "gated", "frame refused", "handshake failure", "own fingerprint"),
    *("version mismatch", "record failure", "malformed payload", "out of place", "rekey failure"),
    *("declined", "comparison failure"),
    *("signature failure", "out of order", "protocol violation"),
}
DEFECTS = cases_of("defect")


def test_there_are_as_many_cases_as_there_should_be() -> None:
    kinds = ("identity", "transcript", "derivation", "defect")
    assert {kind: len(cases_of(kind)) for kind in kinds} == {
        "identity": 6,
        "transcript": 14,
        "derivation": 288,
        "defect": 629,
    }
    for kind in kinds:
        ids = Counter(case["id"] for case in cases_of(kind))
        assert max(ids.values()) == 1


def test_every_outcome_stands_for_some_case() -> None:
    outcomes = Counter(case["outcome"] for case in DEFECTS)
    assert set(outcomes) == OUTCOMES
    assert outcomes.total() - outcomes["accepted"] >= 200


def test_the_files_are_all_of_one_format() -> None:
    names = {path.name for path in vector_files.FOLDER.iterdir()}
    transcripts = {f"transcript-{name.replace(' ', '-')}.json" for name in SCRIPTS}
    defects = {f"defects-{area}.json" for area in generate.DEFECTS}
    assert names == transcripts | defects | {"identities.json", "derivations.json", "drawn.json"}


def recorded(name: str) -> Case:
    (found,) = (case for case in cases_of("transcript") if case["id"] == name)
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_transcript_comes_out_the_same(name: str) -> None:
    drawn = generate.known()
    with played(name, drawn) as scene:
        pass
    assert transcript(name, scene) == recorded(name)
    assert not drawn.is_new


def test_the_derivations_come_out_the_same() -> None:
    assert derivations() == cases_of("derivation")


def test_the_identities_come_out_the_same() -> None:
    assert identities() == cases_of("identity")


def test_the_defects_come_out_the_same() -> None:
    drawn = generate.known()
    made = generate.defects(cases_of("transcript"), drawn)
    assert [case for area in sorted(made) for case in made[area]] == DEFECTS
    assert not drawn.is_new


@pytest.mark.parametrize("case", DEFECTS, ids=[case["id"] for case in DEFECTS])
def test_a_defect_has_its_outcome(case: Case) -> None:
    assert run(case, generate.known()) == Result.due(case)
