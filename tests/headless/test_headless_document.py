"""What ``docs/json.md`` says is what the program does."""

import re
from pathlib import Path

import pytest
from test_headless_json import CONTRACT

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.json_commands import decode_command

DOCUMENT = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([a-z-]+)` \| (.*?) \| .* \|$", DOCUMENT, re.MULTILINE))


@pytest.mark.parametrize("word", CONTRACT)
def test_every_event_is_documented_with_its_fields(word: str) -> None:
    assert CONTRACT[word] <= set(re.findall(r"`([a-z_]+)`", ROWS[word]))


def test_every_exit_code_is_documented() -> None:
    rows = set(re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE))
    assert rows == {str(int(code)) for code in ExitCode}


def test_every_command_is_understood() -> None:
    commands = re.findall(r"^\| `(\{\"cmd\".*?\})` \|", DOCUMENT, re.MULTILINE)
    assert len(commands) == 18
    for command in commands:
        decode_command(command.replace("…", '"x"').encode())
