"""The lessons: each act is run, and shows what its lesson is about."""

import asyncio

import pytest
from lab_pairs import keys

from securechat_tui.lab.lessons import LESSONS, Lesson, Played, play


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.name for lesson in LESSONS])
def test_a_lesson_shows_what_it_says(lesson: Lesson) -> None:
    async def run() -> list[Played]:
        return [played async for played in play(lesson, keys())]

    played = asyncio.run(run())
    assert [one.outcome.caught for one in played] == [False, False, True]
    assert all(one.as_told for one in played)
    assert [one.act.heading for one in played] == [
        "The attack",
        "A defence that fails",
        "A defence that works",
    ]


def test_there_are_seven() -> None:
    assert [lesson.name for lesson in LESSONS] == [
        *("confidentiality", "integrity", "authentication", "non-repudiation", "freshness"),
        *("forward secrecy", "first contact"),
    ]
