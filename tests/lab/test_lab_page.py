"""What docs/lab.md says of commands, protocols, attacks and functions is there."""

import ast
import re
from pathlib import Path

import pytest

from securechat_tui.cli.lab import lab
from securechat_tui.lab.attacks import ATTACKS
from securechat_tui.lab.catalogue import PROTOCOLS
from securechat_tui.lab.five_layer import DEFAULT_SECRET
from securechat_tui.lab.lessons import LESSONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lab.md").read_text()
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
WALK = PAGE.partition("with rooms and functions")[2].partition("## The questions")[0]


def defined() -> set[str]:
    """Every ``Class.method`` and ``function`` of the program."""
    names: set[str] = set()
    for path in (ROOT / "src" / "securechat_tui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                names.add(node.name)
                names |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, _NAMED)}
            elif isinstance(node, ast.FunctionDef):
                names.add(node.name)
    return names


def test_the_functions_of_the_walk_are_there() -> None:
    rooms = {"chat", "tui", "protocol", "network"}
    named = set(re.findall(r"`([A-Za-z_]+(?:\.[a-z_A-Z]+)?)`", WALK)) - rooms
    assert len(named) > 25
    assert named <= defined()


def test_the_commands_are_there() -> None:
    named = set(re.findall(r"securechat-tui lab ([a-z]+)", PAGE))
    assert named == set(lab.commands)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_there_with_its_port(name: str) -> None:
    assert f"| `{name}` | {PROTOCOLS[name].port} |" in PAGE


def test_lessons_attacks_and_defaults_are_there() -> None:
    for lesson in LESSONS:
        assert lesson.name in PAGE
    for attack in ATTACKS:
        assert f"### {attack}\n" in PAGE
    assert f"`{DEFAULT_SECRET.decode()}`" in PAGE
