"""Conversations that the tests of this folder take up at every frame."""

import pytest
from man_in_the_middle import Line, Points, checkpoints


@pytest.fixture(scope="session")
def points() -> Points:
    """An undisturbed conversation between two who have met before, at every stage."""
    return checkpoints(Line.between("alice", "bob"))
