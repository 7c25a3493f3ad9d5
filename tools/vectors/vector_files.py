"""The files in ``vectors/``: read and written whole, one layout for all."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FORMAT = 1
NOTE = "Appendix C of docs/protocol.md. Private keys in this file are public: they are for tests alone."
FOLDER = Path(__file__).resolve().parents[2] / "vectors"

Case = dict[str, Any]


def text_of(kind: str, cases: list[Case]) -> str:
    """Return a file's text."""
    return json.dumps({"format": FORMAT, "kind": kind, "note": NOTE, "cases": cases}, indent=1) + "\n"


@cache
def cases_of(kind: str) -> list[Case]:
    """Return all cases of a kind, file by file; treat them as read-only."""
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.json")):
        content = json.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise ValueError(f"{path.name} has another format")
        if content["kind"] == kind:
            found += content["cases"]
    return found
