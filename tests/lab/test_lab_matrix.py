"""The matrix: every cell is run here, once, and is what the attacks say it must be."""

import asyncio
from functools import cache
from pathlib import Path

import pytest

from securechat_tui.lab.attacks import ATTACKS, Outcome
from securechat_tui.lab.catalogue import NAMES
from securechat_tui.lab.matrix import cells
from securechat_tui.lab.tables import markdown, plain_table

PAGE = Path(__file__).parents[2] / "docs" / "lab.md"

CAUGHT = {
    "gcm": {"read-along", "bit-flip", "truncate", "equal-iv", "hostile-pickle", "huge-frame"},
    "signed-gcm": {
        *("read-along", "bit-flip", "truncate", "equal-iv", "hostile-pickle", "huge-frame"),
        *("reflect", "strip-signature"),
    },
    "json-cbc-hmac": {
        *("read-along", "bit-flip", "reflect", "strip-signature", "hostile-pickle", "huge-frame"),
    },
    "five-layer": {
        *("read-along", "reflect", "strip-signature", "equal-iv", "hostile-pickle", "huge-frame"),
    },
    "relay": {"read-along", "equal-iv", "hostile-pickle", "huge-frame"},
    "current": set(ATTACKS),
}
"""By hand, from the definitions of the protocols: what a run has to come to by itself."""

CHECKS = {
    ("signed-gcm", "reflect"): "signature",
    ("signed-gcm", "strip-signature"): "signature",
    ("json-cbc-hmac", "strip-signature"): "signature",
    ("five-layer", "hostile-pickle"): "unpickler",
    ("five-layer", "reflect"): "session key",
    ("gcm", "huge-frame"): "frame length",
    ("relay", "huge-frame"): "413",
    ("current", "replay"): "record failure",
    ("current", "reorder"): "record failure",
    ("current", "drop"): "record failure",
    ("current", "delay"): "nothing heard for 45 seconds",
    ("current", "truncate"): "goodbye",
    ("current", "forward-signed"): "written for another conversation",
    ("current", "substitute-key"): "comparing codes",
    ("current", "recorded-then-stolen-key"): "handshake failure",
    ("current", "huge-frame"): "frame refused",
}

EVERY_CELL = [(protocol, attack) for protocol in NAMES for attack in ATTACKS]


async def _run() -> list[Outcome]:
    return [cell async for cell in cells()]


@cache
def computed() -> dict[tuple[str, str], Outcome]:
    """Every cell, run once for this file."""
    return {(cell.protocol, cell.attack): cell for cell in asyncio.run(_run())}


def test_every_cell_is_run() -> None:
    assert list(computed()) == EVERY_CELL
    assert len(EVERY_CELL) == 6 * 15


@pytest.mark.parametrize("protocol", NAMES)
def test_what_is_caught(protocol: str) -> None:
    assert {attack for (name, attack), cell in computed().items() if name == protocol and cell.caught} == (
        CAUGHT[protocol]
    )


@pytest.mark.parametrize(("protocol", "attack"), CHECKS, ids=lambda name: name)
def test_which_check_has_caught_it(protocol: str, attack: str) -> None:
    assert CHECKS[protocol, attack] in computed()[protocol, attack].by


def test_every_cell_says_why_and_what_would_mend_it() -> None:
    for cell in computed().values():
        assert len(cell.why) > 40, cell
        assert cell.got, cell
        assert bool(cell.mend) is not cell.caught, cell
        assert (cell.by == "nothing") is not cell.caught, cell


def test_what_remains_of_the_product_is_said() -> None:
    bounded = {attack for (name, attack), cell in computed().items() if name == "current" and cell.remains}
    assert bounded == {"read-along", "drop", "delay", "truncate", "substitute-key"}
    words = {attack: computed()["current", attack].remains for attack in bounded}
    assert "size" in words["read-along"]
    assert "stop the conversation" in words["drop"]
    assert "first contact" in words["substitute-key"]
    unchecked = computed()["current", "substitute-key"].got
    assert "unchecked, read 2 of 2" in unchecked


def test_what_the_run_contradicts_is_named() -> None:
    claims = {key: cell.claim for key, cell in computed().items() if cell.claim}
    for protocol in ("gcm", "signed-gcm", "relay"):
        assert "nonce" in claims[protocol, "replay"]
        assert computed()[protocol, "replay"].got == "the message was shown twice"
    assert "60 seconds" in claims["five-layer", "replay"]
    assert "60 seconds" in claims["five-layer", "delay"]
    assert "another IV" in computed()["five-layer", "delay"].got
    assert not any(protocol == "current" for protocol, _ in claims)


def test_the_tables_hold_every_cell() -> None:
    found = list(computed().values())
    plain, marked = plain_table(found), markdown(found)
    table = plain.split("\n\n", maxsplit=1)[0]
    assert max(map(len, table.splitlines())) <= 80
    for attack in ATTACKS:
        assert f"\n{attack} " in table
        assert f"### {attack}" in marked
    assert marked.count("| **open** ") + marked.count("| caught ") + marked.count("| bounded ") == 90


def test_the_page_shows_what_is_computed() -> None:
    """After a change of a protocol: ``make matrix``."""
    written = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    marked = [line for line in markdown(list(computed().values())).splitlines() if line.startswith("| ")]
    assert [line for line in written if line in marked] == marked
