"""The benchmarks' common part: turns, ratios within a round, and sections that replace their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench import measure
from bench.measure import Figures, Result, Target, interleave, merged, publish, targets_table


def noting(name: str, calls: list[str]) -> Callable[[], Figures]:
    def sample() -> Figures:
        calls.append(name)
        return {"turn": float(len(calls))}

    return sample


def test_everybody_has_one_turn_in_each_round_and_nobody_is_always_first() -> None:
    calls: list[str] = []
    result = interleave({name: noting(name, calls) for name in "abc"}, 3, warm_up=1)
    assert [sorted(calls[at : at + 3]) for at in range(0, 12, 3)] == [["a", "b", "c"]] * 4
    assert {calls[at] for at in range(3, 12, 3)} == {"a", "b", "c"}
    assert result.rounds == 3


def test_what_warms_up_is_not_counted() -> None:
    calls: list[str] = []
    result = interleave({"a": noting("a", calls)}, 2, warm_up=3)
    assert result.values("a", "turn") == [4, 5]


def test_a_busy_machine_gets_fewer_rounds_but_three() -> None:
    calls: list[str] = []
    assert interleave({"a": noting("a", calls)}, 100, within=0).rounds == 3


def test_ratios_are_taken_within_a_round() -> None:
    """A machine that is three times as slow in one round changes both alike."""
    result = Result(
        {"ours": [{"x": 2.0}, {"x": 6.0}, {"x": 4.0}], "raw": [{"x": 1.0}, {"x": 3.0}, {"x": 1.0}]}
    )
    assert result.ratios("ours", "raw", "x") == [2, 2, 4]
    assert "2 x (2 to 4)" in targets_table(result, [Target("x", "ours", "raw", 1)])


@pytest.mark.parametrize(
    ("bound", "at_least", "word"),
    [(2.0, True, "yes"), (2.1, True, "**no**"), (2.0, False, "yes"), (1.9, False, "**no**")],
)
def test_a_target_says_whether_it_is_reached(bound: float, at_least: bool, word: str) -> None:
    result = Result({"ours": [{"x": 4.0}], "raw": [{"x": 2.0}]})
    table = targets_table(result, [Target("x", "ours", "raw", bound, at_least=at_least)])
    assert table.splitlines()[-1].endswith(f"| {word} |")


def test_the_table_has_a_row_for_each_and_a_dash_for_what_is_not_measured() -> None:
    result = Result({"ours": [{"x": 1234.5, "y": 0.1234}], "raw": [{"x": 5.0}]})
    assert result.table().splitlines()[2:] == ["| ours | 1,234 | 0.123 |", "| raw | 5 | - |"]


def test_a_section_replaces_its_own_and_no_other() -> None:
    document = merged(merged("# Head\n\nWords.\n", "One", "old\n"), "Two", "two\n")
    changed = merged(document, "One", "new\n")
    assert changed == "# Head\n\nWords.\n\n## One\n\nnew\n\n## Two\n\ntwo\n"


def test_a_result_is_printed_and_kept_with_the_kind_of_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "RESULTS.md")
    publish("One", "| a |\n")
    publish("Two", "| b |\n")
    kept = (tmp_path / "RESULTS.md").read_text()
    assert kept.startswith("# Measured\n")
    assert [line for line in kept.splitlines() if line.startswith(("## ", "| "))] == [
        "## One",
        "| a |",
        "## Two",
        "| b |",
    ]
    assert "cores" in kept
    assert "CPython" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["RESULTS.md"]
