"""Tables and paragraphs of what the attacks measured, in plain text and in Markdown."""

import textwrap
from collections.abc import Sequence
from typing import Final

from securechat_tui.lab.attacks.outcome import Outcome

__all__ = ["markdown", "plain_table", "wrapped"]

_WIDTH: Final = 78
_WORDS: Final = {"caught": "caught", "bounded": "bounded", "open": "OPEN"}


def wrapped(text: str) -> str:
    """Wrap a paragraph, indented."""
    return textwrap.fill(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _by_attack(found: Sequence[Outcome]) -> tuple[list[str], dict[str, dict[str, Outcome]]]:
    protocols = list(dict.fromkeys(cell.protocol for cell in found))
    rows: dict[str, dict[str, Outcome]] = {}
    for cell in found:
        rows.setdefault(cell.attack, {})[cell.protocol] = cell
    return protocols, rows


def plain_table(found: Sequence[Outcome]) -> str:
    """Return the table, 80 columns wide at most where there are six protocols, and what it means."""
    protocols, rows = _by_attack(found)
    first = max(len(attack) for attack in rows) if rows else 0
    widths = [max(len(_short(name)), 7) for name in protocols]
    lines = [
        " " * first
        + "  "
        + "  ".join(_short(name).ljust(width) for name, width in zip(protocols, widths, strict=True))
    ]
    for attack, cells in rows.items():
        words = [
            _WORDS[cells[name].state].ljust(width) for name, width in zip(protocols, widths, strict=True)
        ]
        lines.append(f"{attack.ljust(first)}  {'  '.join(words)}".rstrip())
    lines += ["", "caught: a check stopped it. bounded: caught, and what remains is named. OPEN: it worked."]
    lines += [f"{_short(name)}: {name}" for name in protocols if _short(name) != name]
    lines += _contradictions(found)
    return "\n".join(lines)


def _short(name: str) -> str:
    return {"json-cbc-hmac": "json", "signed-gcm": "signed", "five-layer": "five"}.get(name, name)


def _contradictions(found: Sequence[Outcome]) -> list[str]:
    claims = [cell for cell in found if cell.claim]
    if not claims:
        return []
    told = [f"- {cell.protocol}, {cell.attack}: “{cell.claim}”; measured: {cell.got}." for cell in claims]
    return ["", "Relied on, and contradicted by this run:", *told]


def markdown(found: Sequence[Outcome]) -> str:
    """Return the table, the contradictions and a paragraph for each cell."""
    protocols, rows = _by_attack(found)
    lines = ["| | " + " | ".join(protocols) + " |", "|---" * (len(protocols) + 1) + "|"]
    for attack, cells in rows.items():
        lines.append(f"| {attack} | " + " | ".join(_cell(cells[name]) for name in protocols) + " |")
    contradicted = _contradictions(found)
    if contradicted:
        lines += ["", f"**{contradicted[1]}**", "", *contradicted[2:]]
    for attack, cells in rows.items():
        lines += ["", f"### {attack}", ""]
        lines += [_paragraph(cells[name]) for name in protocols]
    return "\n".join(lines)


def _cell(cell: Outcome) -> str:
    return "**open**" if cell.state == "open" else cell.state


def _paragraph(cell: Outcome) -> str:
    caught = f"caught by {cell.by}" if cell.caught else "not caught"
    more = f" Remains: {cell.remains}." if cell.remains else ""
    mend = f" Mend: {cell.mend}" if cell.mend else ""
    return f"- **{cell.protocol}**: {caught}. Got: {cell.got}. {cell.why}{more}{mend}"
