"""What ``doctor`` prints: a finding a line, for people or as JSON objects."""

import os
import shutil
import textwrap
from collections.abc import Iterator

from securechat_tui import __version__
from securechat_tui.chat.examination import Finding, State, examine, finding
from securechat_tui.chat.profiles import open_profile
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.records import json_object
from securechat_tui.headless.terminal_abilities import examine_terminal

__all__ = ["run_doctor"]

_COLUMNS = 100
_INDENT = 18


def run_doctor(profile: str | None, *, as_json: bool) -> ExitCode:
    """Print every finding as it comes; FAILED where something is wrong. Raises ``ProfileError``."""
    wrong = 0
    for found in _findings(profile):
        wrong += found.state is State.WRONG
        print(_object(found) if as_json else _lines(found), flush=True)
    if not as_json:
        print(f"Things that are wrong: {wrong}." if wrong else "Nothing is wrong.")
    return ExitCode.FAILED if wrong else ExitCode.DONE


def _findings(profile: str | None) -> Iterator[Finding]:
    opened = open_profile(profile)
    yield finding("version", State.OK, f"This is securechat-tui {__version__}, profile '{opened.name}'.")
    yield from examine(opened)
    yield from examine_terminal(os.environ)


def _object(found: Finding) -> str:
    return json_object({"check": found.check, "state": found.state.value, "message": str(found.message)})


def _lines(found: Finding) -> str:
    width = min(shutil.get_terminal_size((_COLUMNS, 24)).columns, _COLUMNS)
    first = f"{found.state.value:<6}{found.check:<12}"
    return textwrap.fill(
        str(found.message),
        max(width, 2 * _INDENT),
        initial_indent=first,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
