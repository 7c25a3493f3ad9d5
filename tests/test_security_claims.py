"""Every promise of ``docs/security.md`` names what shows it, and all that is named is there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from securechat_tui.chat.callers import _REMEMBERED_CALLS
from securechat_tui.chat.limits import NEW_PINS_PER_HOUR
from securechat_tui.chat.passphrases import pause_after
from securechat_tui.network.admission import Limits
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import text
from securechat_tui.storage.passphrase import MAX_PASSPHRASE_BYTES, USUAL_COST
from securechat_tui.trust.invites import INVITE_SECONDS
from securechat_tui.trust.pins import MAX_CONTACTS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SHOWN = "## Where each promise is shown\n"
PROMISES, _, LIST = DOCUMENT.partition(SHOWN)
LIST = LIST.partition("\n## ")[0]
NUMBERS = re.compile(r"\[(\d+(?:,\s+\d+)*)\]")
PROMISE_NOTHING = {"Adversaries", "Mutants", "Somebody with your machine while it runs"}
"""Headlines, what was counted once, and what is not protected."""


def numbers_in(words: str) -> list[int]:
    """Return the numbers in brackets."""
    return [int(number) for found in NUMBERS.findall(words) for number in found.split(",")]


def entries() -> dict[int, str]:
    """Return the entries of the list by their numbers."""
    found = re.findall(r"^(\d+)\. (.*(?:\n +.*)*)", LIST, re.MULTILINE)
    return {int(number): words for number, words in found}


def sections() -> dict[str, str]:
    """Return the text below each headline that makes promises."""
    _, *parts = re.split(r"^##+ ", PROMISES, flags=re.MULTILINE)
    return {title: body for title, _, body in (part.partition("\n") for part in parts)}


def bullets() -> list[str]:
    """Return what is protected."""
    return re.findall(r"^- .*(?:\n  .*)*", sections()["What is protected"], re.MULTILINE)


def tables() -> Iterator[tuple[str, str]]:
    """Give what each adversary can and cannot do, row by row."""
    inside = False
    for line in PROMISES.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        inside = line.startswith("|") and (inside or cells == ["can", "cannot"])
        if inside and cells != ["can", "cannot"] and set(line) != set("|-"):
            can, cannot = cells
            yield can, cannot


@cache
def named_tests(path: str) -> set[str]:
    """Return the names of a file's tests, without importing it."""
    nodes = ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


@cache
def targets() -> set[str]:
    """Return what ``make`` can make."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def missing(words: str) -> list[str]:
    """Return what an entry names and is not there: files, tests of the file named last, targets of make."""
    gone, path = [], ""
    for name in re.findall(r"`([^`]+)`", words):
        if name.startswith("make "):
            there = name.removeprefix("make ") in targets()
        elif "/" in name:
            path, there = name, (ROOT / name).is_file()
        else:
            there = path.endswith(".py") and (ROOT / path).is_file() and name in named_tests(path)
        if not there:
            gone.append(name)
    return gone


def test_the_document_is_read_as_it_is_meant() -> None:
    assert len(bullets()) >= 6
    assert len(list(tables())) >= 25
    assert len(entries()) >= 50
    assert len(sections()) >= 15


def test_each_number_has_one_entry_and_each_entry_is_used() -> None:
    assert set(numbers_in(PROMISES)) == set(entries())
    assert re.findall(r"^(\d+)\. ", LIST, re.MULTILINE) == [str(one) for one in range(1, len(entries()) + 1)]


@pytest.mark.parametrize("number", sorted(entries()))
def test_what_an_entry_names_is_there(number: int) -> None:
    words = entries()[number]
    assert re.search(r"`(?:tests|vectors|tools)/|`make ", words), "it names nothing"
    assert missing(words) == []


def test_what_is_not_there_is_noticed() -> None:
    here = "tests/test_security_claims.py"
    assert missing(f"`{here}`: `test_what_is_not_there_is_noticed`; `make test`") == []
    assert missing(f"`{here}`: `test_that_was_renamed`") == ["test_that_was_renamed"]
    assert missing("`tests/gone.py`: `test_of_it`") == ["tests/gone.py", "test_of_it"]
    assert missing("`make nothing`") == ["make nothing"]
    assert missing("`vectors/drawn.json`: `test_of_it`") == ["test_of_it"]


def test_every_line_of_what_is_protected_is_shown() -> None:
    assert [one for one in bullets() if not numbers_in(one)] == []


def test_everything_that_somebody_cannot_do_is_shown() -> None:
    assert [cannot for _, cannot in tables() if cannot and not numbers_in(cannot)] == []


def test_no_section_promises_without_showing() -> None:
    silent = {title for title, body in sections().items() if not numbers_in(body)}
    assert silent == PROMISE_NOTHING


def test_the_figures_are_those_of_the_program() -> None:
    words = " ".join(PROMISES.split())
    figures = {
        "more than 16 at once": Limits().unfinished == 16,
        "longer than ten seconds each": c.HANDSHAKE_SECONDS == 10.0,
        "at least every ten minutes": c.REKEY_SECONDS == 600.0,
        "over 60 seconds as late": c.FRESH_SECONDS == 60.0,
        "among five (256 B to 64 KiB)": (len(c.RECORD_SIZES), *c.RECORD_SIZES[::4]) == (5, 256, 65536),
        "good for one guest and ten minutes": INVITE_SECONDS == 600.0,
        "remembers it (a thousand calls": _REMEMBERED_CALLS == 1024,
        "be sixty strangers": NEW_PINS_PER_HOUR == 60,
        "when 1024 contacts are stored": MAX_CONTACTS == 1024,
        "Argon2id with 64 MiB of memory and three passes": (USUAL_COST.memory, USUAL_COST.passes)
        == (65536, 3),
        "up to 1024 bytes of Unicode": MAX_PASSPHRASE_BYTES == 1024,
        "each time up to half a minute": pause_after(1000) == 30.0,
        "at most four combining marks": text._MAX_MARKS == 4,
    }
    assert [figure for figure in figures if figure not in words] == []
    assert [figure for figure, holds in figures.items() if not holds] == []
