"""Write the files in vectors/. What only the library can draw is taken over from the files that are there.

Run it from the project's folder: make vectors
"""

from pathlib import Path

from vector_chance import Drawn
from vector_defects_comparison import comparison_cases
from vector_defects_handshake import handshake_cases
from vector_defects_messages import message_cases
from vector_defects_records import record_cases
from vector_derivations import derivations
from vector_files import FOLDER, Case, cases_of, text_of
from vector_forge import Book
from vector_identities import identities
from vector_run import Result, run
from vector_scenes import SCRIPTS, played
from vector_transcripts import transcript

DEFECTS = {
    "handshake": handshake_cases,
    "records": record_cases,
    "messages": message_cases,
    "comparison": comparison_cases,
}


def known() -> Drawn:
    """Return what earlier runs have drawn."""
    return Drawn({case["id"]: case["value"] for case in cases_of("drawn")})


def transcripts(drawn: Drawn) -> list[Case]:
    """Return every recording."""
    cases = []
    for name in SCRIPTS:
        with played(name, drawn) as scene:
            pass
        cases.append(transcript(name, scene))
    return cases


def defects(recorded: list[Case], drawn: Drawn) -> dict[str, list[Case]]:
    """Return the defect cases by area."""
    found = {}
    for area, fill in DEFECTS.items():
        book = Book(recorded, drawn)
        fill(book)
        found[area] = book.cases
    return found


def check(case: Case, drawn: Drawn) -> None:
    """Raise ValueError if the product does not end as a case says."""
    found, expected = run(case, drawn), Result.due(case)
    if found != expected:
        raise ValueError(f"{case['id']}: {expected} is due, and the product made it {found}")


def files(drawn: Drawn) -> dict[str, str]:
    """Return every file's text by its name."""
    texts = {
        "identities.json": text_of("identity", identities()),
        "derivations.json": text_of("derivation", derivations()),
    }
    recorded = transcripts(drawn)
    for case in recorded:
        texts[f"transcript-{case['id'].replace(' ', '-')}.json"] = text_of("transcript", [case])
    for area, cases in defects(recorded, drawn).items():
        for case in cases:
            check(case, drawn)
        texts[f"defects-{area}.json"] = text_of("defect", cases)
    values = [{"id": name, "value": value} for name, value in sorted(drawn.used.items())]
    texts["drawn.json"] = text_of("drawn", values)
    return texts


def write(folder: Path) -> None:
    """Write all files."""
    for name, text in files(known()).items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    write(FOLDER)
